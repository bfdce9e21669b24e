//! `kforensic triage`: one screen, and the same findings for programs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/json_schema.rs"]
mod json_schema;

use common::{Bounded, Ran, ingest, kforensic, logs, repository, run};
use serde_json::{Value, json};

#[test]
fn the_screen_tells_who_did_what_and_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("kforensic-case");
    ingest(&case, &[repository("sample-logs/hardened").display().to_string()]);
    let mut command = kforensic();
    command.current_dir(folder.path()).args(["triage", "--now", "last", "--fail-on", "critical"]);
    let ran = Ran::from(command.bounded_output().unwrap());
    assert_eq!(ran.code, Some(10), "{ran:?}");
    let parts =
        ["WHO STANDS OUT", "WHAT HAPPENED", "FINDINGS", "NO DELETE SEEN OF", "detections found something", "next: "];
    let places: Vec<usize> =
        parts.iter().map(|part| ran.stdout.find(part).unwrap_or_else(|| panic!("{part}: {}", ran.stdout))).collect();
    assert!(places.is_sorted(), "{}", ran.stdout);
    for told in [
        "bob",
        "new address and client",
        "metrics-helper-binding = cluster-admin",
        "10 years",
        "cat /host/etc/shadow",
        "clusterrolebinding metrics-helper-binding",
        "token of 10 years for kube-system/metrics-helper",
    ] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
    // Who set the cluster up is not accused of it: behind all others, told as what it may be, and not part of the story.
    let line =
        |words: &str| ran.stdout.lines().position(|line| line.starts_with(words)).unwrap_or_else(|| panic!("{words}"));
    assert!(line("legacy-bot (dev)") < line("kubernetes-admin"), "{}", ran.stdout);
    assert!(ran.stdout.lines().nth(line("kubernetes-admin")).unwrap().contains("perhaps only setting up"));
    let story = ran.stdout.split_once("WHAT HAPPENED").unwrap().1.split_once("FINDINGS").unwrap().0;
    assert!(story.contains("bob") && !story.contains("kubernetes-admin"), "{story}");
    shown_in_the_readme(&ran.stdout);
    // Who stands out most comes first, and the screen fits its width.
    assert!(
        ran.stdout.lines().skip_while(|line| !line.starts_with("WHO")).nth(1).unwrap().starts_with("bob"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 120), "{}", ran.stdout);

    let rows = run(&case, &["triage", "--now", "last", "--format", "json"]).json();
    let rows = rows.as_array().unwrap();
    let levels: Vec<&str> = rows.iter().map(|row| row["severity"].as_str().unwrap()).collect();
    let order = ["critical", "high", "medium", "low", "info"];
    assert!(levels.is_sorted_by_key(|level| order.iter().position(|known| known == level)), "{levels:?}");
    let binding = rows.iter().find(|row| row["query"] == "privileged-bindings").unwrap();
    assert!(binding["users"].as_array().unwrap().iter().any(|user| user == "bob"), "{binding}");

    // One finding a line, and one a row behind the names of the columns.
    assert_eq!(&run(&case, &["triage", "--now", "last", "--format", "jsonl"]).lines(), rows);
    let table = run(&case, &["triage", "--now", "last", "--format", "csv"]).stdout;
    assert!(table.starts_with("severity,query,title,rows,users,source_ips,first_seen,last_seen,verdict,"), "{table}");
    let listed: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
    let found: Vec<&str> = rows.iter().map(|row| row["query"].as_str().unwrap()).collect();
    assert_eq!(listed, found);

    let events = run(&case, &["triage", "--format", "timesketch"]).lines();
    let token = events.iter().find(|event| event["message"].as_str().unwrap().contains("minted a token")).unwrap();
    assert_eq!(token["user_name"], "bob");
    assert!(token["tag"].as_array().unwrap().iter().any(|tag| tag == "long-lived-tokens"), "{token}");

    let fingerprint = run(&case, &["status", "--format", "json"]).json()["fingerprint"].clone();
    let schema = std::fs::read_to_string(common::repository("docs/ocsf-detection-finding.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let findings = run(&case, &["triage", "--format", "ocsf"]).lines();
    assert!(findings.len() > 20);
    for finding in findings {
        assert_eq!(json_schema::problem(&schema, &finding, &schema), None);
        assert_eq!(finding["unmapped"]["record_integrity"]["case_fingerprint"], fingerprint);
        // Milliseconds, of the day of the capture.
        assert!((1_795_219_200_000..1_795_305_600_000).contains(&finding["time"].as_i64().unwrap()), "{finding}");
        for required in schema["required"].as_array().unwrap() {
            let mut broken = finding.clone();
            broken.as_object_mut().unwrap().remove(required.as_str().unwrap());
            assert!(json_schema::problem(&schema, &broken, &schema).is_some(), "{required}");
        }
    }
}

/// The README shows this very screen; `…` stands for lines that it leaves out.
fn shown_in_the_readme(screen: &str) {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let (_, block) = readme.split_once("```text\nkforensic-case   ").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    for part in block.split("\n…\n") {
        assert!(screen.contains(part), "the README shows\n{part}\nand the program prints\n{screen}");
    }
}

#[test]
fn a_case_without_findings_says_so_and_fails_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let log = folder.path().join("audit.log");
    std::fs::write(&log, "no audit event\n").unwrap();
    run(&case, &["ingest", log.to_str().unwrap()]);
    let ran = run(&case, &["triage", "--fail-on", "info"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.contains("there are no events in the case") && ran.stdout.contains("no detection found anything"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("1 rejected"), "{ran:?}");
}

#[test]
fn what_the_log_cannot_tell_stands_on_the_screen_and_on_the_first_page() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/moderate"));
    let screen = run(&case, &["triage", "--now", "last"]).stdout;
    let (_, blind) = screen.split_once("THIS LOG CANNOT TELL").unwrap();
    assert!(
        blind.contains("not observable") && blind.contains("`secrets`") && blind.contains("`rolebindings`"),
        "{screen}"
    );
    let report = run(&case, &["report", "-q", "--now", "last", "--format", "json"]).json();
    let first = report["facts"].to_string();
    for told in ["never logged in this case: ", r#"{"name":"secrets"}"#, r#"{"name":"clusterrolebindings"}"#] {
        assert!(first.contains(told), "{told}: {first}");
    }
    // An entry of trusted.toml hides rows, and is counted.
    let trusted = "[[trusted]]\nquery = \"privileged-workloads\"\nuser = \"bob\"\nreason = \"drill\"\nauthor = \"anna\"\nuntil = \"2099-01-01\"\n";
    let elsewhere = folder.path().join("mine.toml");
    std::fs::write(&elsewhere, trusted).unwrap();
    let named = ["--now", "last", "--trusted", elsewhere.to_str().unwrap()];
    let screen = run(&case, &[["triage"].as_slice(), &named].concat()).stdout;
    assert!(screen.contains("2 rows hidden as trusted"), "{screen}");
    // A detection whose rows are all hidden found something all the same, and the first page says that rows are.
    let asked = ["report", "-q", "--format", "markdown"];
    let report = run(&case, &[asked.as_slice(), &named].concat()).stdout;
    assert!(report.contains("nothing but what is hidden as trusted: `privileged-workloads`"), "{report}");
    assert!(report.split_once("\n## ").unwrap().0.contains("2 rows of detections"), "{report}");
    std::os::unix::fs::symlink(&elsewhere, case.join("trusted.toml")).unwrap();
    let linked = run(&case, &["triage", "--now", "last"]);
    assert!(linked.stderr.contains("nothing is trusted by it") && !linked.stdout.contains("hidden"), "{linked:?}");
    std::fs::remove_file(case.join("trusted.toml")).unwrap();
    std::fs::write(case.join("trusted.toml"), trusted).unwrap();
    let screen = run(&case, &["triage", "--now", "last"]).stdout;
    assert!(screen.contains("2 rows hidden as trusted"), "{screen}");
}

#[test]
fn a_window_changes_neither_what_is_new_nor_what_is_still_there() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let screen = |since: &str, until: &str| {
        let screen = run(&case, &["triage", "--since", since, "--until", until]).stdout;
        screen.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    // Bob's own address comes first in this window, and is not new; the intruder's was new before it.
    let later = screen("2026-11-21T20:37:40Z", "2026-11-21T20:37:50Z");
    assert!(later.contains("bob") && !later.contains("new address and client"), "{later}");
    let first = screen("2026-11-21T20:37:37Z", "2026-11-21T20:37:40Z");
    assert!(first.contains("new address and client 20:37:38 (Go-http-client from 127.0.31.9)"), "{first}");
    // Its deletion stands behind the window.
    let before = screen("2026-11-21T20:37:00Z", "2026-11-21T20:37:42Z");
    let (_, left) = before.split_once("NO DELETE SEEN OF").unwrap();
    assert!(left.contains("metrics-helper") && !left.contains("node-helper"), "{before}");

    let behind = run(&case, &["triage", "--since", "2026-12-01"]);
    let words = "the window begins after the newest event of the case";
    assert!(behind.stderr.contains(words) && behind.stdout.contains(words), "{behind:?}");
    let report = run(&case, &["report", "--since", "2026-12-01", "--format", "markdown"]);
    assert!(report.stderr.contains(words) && report.stdout.contains(words), "{report:?}");
}

#[test]
fn what_to_ask_next_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let log = repository("sample-logs/hardened");
    let next = |screen: &str| {
        let (_, next) = screen.split_once("\nnext: ").unwrap();
        next.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut command = kforensic();
    command.current_dir(folder.path()).arg("triage").arg(&log);
    let screen = Ran::from(command.bounded_output().unwrap()).stdout;
    assert!(next(&screen).starts_with(&format!("`kforensic ingest {}`, `kforensic query ", log.display())), "{screen}");
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/moderate"));
    let screen = run(&case, &["triage"]).stdout;
    let chosen = format!("`export KFORENSIC_CASE={}`, `kforensic query ", case.display());
    assert!(next(&screen).starts_with(&chosen), "{screen}");
}

#[test]
fn a_question_in_the_place_of_a_command_is_told_as_one() {
    let asked = |word: &str| Ran::from(kforensic().args([word, "bob"]).bounded_output().unwrap());
    let actor = asked("actor");
    assert_eq!(actor.code, Some(2));
    assert!(actor.stderr.contains("`actor` is a question: `kforensic query actor`"), "{actor:?}");
    assert!(!asked("nonsense").stderr.contains("is a question"));
}

/// A request of somebody, as the log has it.
fn event(number: usize, user: &str, verb: &str, uri: &str, object: &Value) -> Value {
    let at = format!("2026-11-20T10:{:02}:{:02}.000000Z", number / 60, number % 60);
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
        "auditID": format!("2e85f0e2-5651-405b-bf64-0bd0acf6{number:04}"), "requestURI": uri, "verb": verb,
        "user": {"username": user, "groups": ["system:authenticated"]}, "sourceIPs": ["172.31.0.4"],
        "userAgent": "kubectl/v1.33.1", "objectRef": object,
        "responseStatus": {"metadata": {}, "code": if verb == "create" { 201 } else { 200 }},
        "requestReceivedTimestamp": at, "stageTimestamp": at,
    })
}

/// The binding of a role to mallory, by mallory.
fn binding(number: usize, name: &str, role: &str) -> Value {
    let object = json!({"resource": "clusterrolebindings", "name": name, "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1"});
    let mut event =
        event(number, "mallory", "create", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &object);
    event["level"] = json!("RequestResponse");
    event["requestObject"] = json!({
        "kind": "ClusterRoleBinding", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"}],
    });
    event
}

/// The screen, and the messages of the timeline, of a log.
fn told(events: &[Value]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let (case, log) = (folder.path().join("case"), folder.path().join("audit.log"));
    std::fs::write(&log, events.iter().map(|event| format!("{event}\n")).collect::<String>()).unwrap();
    ingest(&case, &[log.display().to_string()]);
    let timeline = run(&case, &["triage", "--now", "last", "--format", "timesketch"]);
    (run(&case, &["triage", "--now", "last"]).stdout, timeline.stdout)
}

#[test]
fn what_several_did_behind_one_address_is_told_as_theirs() {
    let users = ["anna", "ben", "carl", "dora"];
    let reads = users.iter().enumerate().map(|(number, user)| {
        let secret = json!({"resource": "secrets", "namespace": "prod", "name": user, "apiVersion": "v1"});
        event(number, user, "get", &format!("/api/v1/namespaces/prod/secrets/{user}"), &secret)
    });
    let (screen, timeline) = told(&reads.collect::<Vec<_>>());
    let deed = "4 users  read 4 secrets in 4 requests (anna, ben, carl, dora)";
    assert!(screen.contains(deed) && !screen.contains("WHO STANDS OUT"), "{screen}");
    assert!(timeline.contains("4 users (anna, ben, carl, dora) read 4 secrets"), "{timeline}");
}

#[test]
fn a_flood_of_deeds_does_not_hide_one() {
    let events = (0..401).map(|number| match number {
        200 => binding(number, "zz-evil", "cluster-admin"),
        _ => binding(number, &format!("team-{number:03}"), "edit"),
    });
    let (screen, timeline) = told(&events.collect::<Vec<_>>());
    assert!(screen.contains("+ clusterrolebinding zz-evil = cluster-admin"), "{screen}");
    assert!(screen.contains("NO DELETE SEEN OF  clusterrolebinding zz-evil,"), "{screen}");
    assert!(screen.contains("too many to be told one by one: 201 rows of privileged-bindings"), "{screen}");
    assert!(timeline.contains("201 of 401 rows of privileged-bindings are not in this timeline"), "{timeline}");
}

#[test]
fn what_a_selector_did_not_find_is_still_there() {
    let object =
        json!({"resource": "clusterrolebindings", "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1"});
    let uri = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?labelSelector=x%3Dnothing";
    let mut deletion = event(60, "mallory", "deletecollection", uri, &object);
    let (screen, _) = told(&[binding(1, "evil", "cluster-admin"), deletion.clone()]);
    assert!(
        screen.contains("clusterrolebinding evil (may be gone: deletecollection at 2026-11-20 10:01:00)"),
        "{screen}"
    );
    deletion["level"] = json!("RequestResponse");
    deletion["responseObject"] = json!({
        "kind": "ClusterRoleBindingList", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {}, "items": [],
    });
    let (screen, _) = told(&[binding(1, "evil", "cluster-admin"), deletion]);
    assert!(screen.contains("NO DELETE SEEN OF  clusterrolebinding evil\n"), "{screen}");
    assert!(screen.contains("those that fit x=nothing, 0 of them"), "{screen}");
}

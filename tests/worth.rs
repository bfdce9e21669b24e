//! What stands under an answer: verdict, what is left out, what is trusted, doubts; and `kforensic coverage`.

mod common;

use common::{Bounded, ingest, kforensic, logs, query, repository, run};
use serde_json::json;

fn footer(case: &std::path::Path, arguments: &[&str]) -> String {
    let mut all = vec!["query"];
    all.extend(arguments);
    let ran = run(case, &all);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stderr
}

#[test]
fn no_answer_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/moderate"));
    let told = footer(&case, &["secret-reads"]);
    assert!(told.contains("verdict: not observable: never logged in this case: `secrets`"), "{told}");
    let told = footer(&case, &["failed-auth"]);
    assert!(told.contains("verdict: partly seen: never logged in this case: "), "{told}");

    let enveloped = run(&case, &["query", "rbac-changes", "--format", "json", "--envelope"]).json();
    assert_eq!(enveloped["rows"], json!([]));
    assert_eq!(enveloped["verdict"]["verdict"], "not_observable");
    assert_eq!(enveloped["left_out"]["rejected"], 0);
    let refused = run(&case, &["query", "rbac-changes", "--format", "csv", "--envelope"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("`--envelope` makes a difference to JSON only"), "{}", refused.stderr);
}

#[test]
fn what_was_damaged_is_told_with_every_answer() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let ran = run(&case, &["ingest", &logs("tests/logs/damage")[0]]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let told = footer(&case, &["timeline", "--limit", "1"]);
    assert!(told.contains("left out: 1 record that could not be read as an event"), "{told}");
    let enveloped = run(&case, &["query", "timeline", "--limit", "1", "--format", "json", "--envelope"]).json();
    assert_eq!(enveloped["left_out"]["rejected"], 1);
    assert_eq!(enveloped["rows"].as_array().unwrap().len(), 1);
    assert!(enveloped["left_out"]["rows_not_shown"].as_u64().unwrap() > 100);
}

#[test]
fn a_value_that_nobody_has_is_doubted() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    for (arguments, note, hint) in [
        (&["secret-reads", "--user", "bbo"][..], "no event of the case has the user `bbo`", "did you mean `bob`"),
        (&["secret-reads", "--user", "Bob"], "the user `Bob`", "did you mean `bob`"),
        (&["secret-reads", "--user", "b*"], "the user `b*`", "`--where \"user_name LIKE 'b%'\"`"),
        (&["secret-reads", "--namespace", "prdo"], "the namespace `prdo`", "did you mean `prod`?"),
        (&["timeline", "--resource", "secret"], "the resource `secret`", "did you mean `secrets`?"),
        (&["timeline", "--resource", "cm"], "the resource `cm`", "did you mean `configmaps`?"),
        (&["secret-reads", "--verb", "GET"], "the verb `GET`", "did you mean `get`?"),
        (&["secret-reads", "--cluster", "nosuch"], "the cluster `nosuch`", ""),
        (&["secret-reads", "--source-ip", "foo"], "the address `foo`", "the case has `127.0.0.1`"),
        (&["ip", "-p", "address=foo"], "the address `foo`", ""),
        (&["ip"], "`ip` is the account of one address", "`-p address=…` or `--source-ip`"),
        (&["actor"], "`actor` is the account of one user", "`-p actor=…` or `--user`"),
        (
            &["secret-history", "-p", "secret=db-credentials"],
            "without its namespace",
            "name it as `prod/db-credentials`",
        ),
        (&["secret-reads", "--since", "1h"], "the window begins after the newest event", "`--now last`"),
        (&["secret-reads", "--until", "2020-01-01"], "the window ends before the first event", ""),
    ] {
        let told = footer(&case, arguments);
        assert!(told.contains(note) && told.contains(hint), "{arguments:?}\n{told}");
    }
    // Whether a person read nothing or is left out by the policy is told to programs as well.
    let enveloped = run(&case, &["query", "secret-reads", "--user", "alice", "--format", "json", "--envelope"]).json();
    assert_eq!(enveloped["verdict"]["verdict"], "seen");
    assert!(enveloped["verdict"]["because"].to_string().contains("of the user `alice` is in the log"), "{enveloped}");
    for arguments in
        [&["sql", "FROM requests WHERE user = 'bob'"][..], &["query", "secret-reads", "--where", "user = 'bob'"]]
    {
        let refused = run(&case, arguments);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("who sent a request is `user_name`"), "{}", refused.stderr);
    }
    // Something that the statement calls so itself is meant.
    let named =
        run(&case, &["sql", "SELECT user FROM (SELECT user_name AS user FROM requests) WHERE user = 'bob' LIMIT 1"]);
    assert_eq!(named.code, Some(0), "{named:?}");
    // What exists is not doubted.
    let told = footer(&case, &["secret-reads", "--user", "bob", "--until", "2026-11-21T20:37"]);
    assert!(!told.contains("no event of the case"), "{told}");
}

#[test]
fn several_clusters_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    for (cluster, log) in [("blue", "sample-logs/hardened"), ("green", "sample-logs/moderate")] {
        let path = repository(log);
        let ran = run(&case, &["ingest", "--cluster", cluster, path.to_str().unwrap()]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let told = footer(&case, &["failed-auth"]);
    assert!(told.contains("the case holds several clusters (`blue`, `green`)"), "{told}");
    let told = footer(&case, &["failed-auth", "--cluster", "blue"]);
    assert!(!told.contains("several clusters"), "{told}");
    let told = footer(&case, &["secret-reads", "--cluster", "green"]);
    assert!(told.contains("verdict: not observable"), "{told}");
    assert!(footer(&case, &["secret-reads", "--cluster", "blue"]).contains("verdict: seen"));
}

#[test]
fn the_zone_of_the_machine_changes_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let ask = |zone: &str, arguments: &[&str]| {
        let mut command = kforensic();
        command.arg("--case").arg(&case).args(arguments).env("TZ", zone);
        let ran: common::Ran = command.bounded_output().unwrap().into();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stdout
    };
    for arguments in [
        &["query", "secret-reads", "--since", "2026-11-21T20:37:30", "--format", "json"][..],
        &["query", "secret-reads", "--until", "2026-11-21T20:37:30", "--format", "json"],
        &["query", "secret-reads", "--since", "30s", "--now", "last", "--format", "json"],
        &[
            "sql",
            "SELECT event_time, event_time::DATE AS day FROM events WHERE event_time >= '2026-11-21 20:38' ORDER BY 1 LIMIT 20",
            "--format",
            "json",
        ],
    ] {
        let utc = ask("UTC", arguments);
        assert!(utc.len() > 10, "{arguments:?}");
        assert_eq!(ask("America/New_York", arguments), utc, "{arguments:?}");
        assert_eq!(ask("Asia/Kathmandu", arguments), utc, "{arguments:?}");
    }
}

#[test]
fn what_is_trusted_is_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let all = query(&case, &["secret-reads"]);
    let of_bob = all.iter().filter(|row| row["user_name"] == "bob").count();
    assert!(of_bob > 0);
    let entry = |until: &str| {
        format!(
            "[[trusted]]\nquery = \"secret-reads\"\nuser = \"bob\"\nreason = \"on call, ticket 4711\"\nauthor = \"anna\"\nuntil = \"{until}\"\n"
        )
    };
    // In the case it counts without being asked for, and the case stays what it is.
    std::fs::write(case.join("trusted.toml"), entry("2100-01-01")).unwrap();
    assert_eq!(run(&case, &["verify"]).code, Some(0));
    let rows = query(&case, &["secret-reads"]);
    assert_eq!(rows.len(), all.len() - of_bob);
    let told = footer(&case, &["secret-reads"]);
    let counted =
        format!("left out: {of_bob} rows trusted by entry 1, anna: on call, ticket 4711 (`--show-trusted` shows them)");
    assert!(told.contains(&counted), "{told}");
    assert_eq!(query(&case, &["secret-reads", "--show-trusted"]), all);
    let enveloped = run(&case, &["query", "secret-reads", "--format", "json", "--envelope"]).json();
    assert_eq!(enveloped["left_out"]["trusted"][0]["rows"], of_bob);
    // The limit is of what is shown.
    let limited = run(&case, &["query", "secret-reads", "--limit", "5", "--format", "json"]).json();
    assert!(limited.as_array().unwrap().iter().all(|row| row["user_name"] != "bob"));
    assert_eq!(limited.as_array().unwrap().len(), 5);

    // One that has ended hides nothing, and is named.
    let other = folder.path().join("other.toml");
    std::fs::write(&other, entry("2020-01-01")).unwrap();
    let other = other.to_str().unwrap();
    assert_eq!(query(&case, &["secret-reads", "--trusted", other]), all);
    let told = footer(&case, &["secret-reads", "--trusted", other]);
    assert!(told.contains("ended at 2020-01-01 00:00:00") && told.contains("hides nothing any more"), "{told}");
    // It is data: a value is compared, whatever it looks like.
    std::fs::write(other, entry("2100-01-01").replace("\"bob\"", "\"x' OR 'a' = 'a\"")).unwrap();
    assert_eq!(query(&case, &["secret-reads", "--trusted", other]), all);
    std::fs::write(other, entry("2100-01-01").replace("user", "usr")).unwrap();
    let refused = run(&case, &["query", "secret-reads", "--trusted", other]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("names `usr`"), "{}", refused.stderr);
}

#[test]
fn coverage_says_what_a_case_can_tell() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/moderate"));
    let told = run(&case, &["coverage"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    for part in
        ["resources: ", "pods/status", "RequestResponse", "hosts: ", "queries: ", "secret-reads", "not observable"]
    {
        assert!(told.stdout.contains(part), "{part}\n{}", told.stdout);
    }
    let told = run(&case, &["coverage", "--format", "json"]).json();
    let of = |query: &str| {
        told["queries"].as_array().unwrap().iter().find(|told| told["query"] == query).unwrap()["verdict"].clone()
    };
    assert_eq!(
        (of("secret-reads"), of("rbac-changes"), of("failed-auth")),
        (json!("not_observable"), json!("not_observable"), json!("partly"))
    );
    assert_eq!(told["hosts"][0]["events"], 568);
}

#[test]
fn coverage_judges_a_policy_with_and_without_a_case() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let policy = |log: &str| repository(&format!("sample-logs/{log}/audit-policy.yaml")).to_str().unwrap().to_owned();
    let told = run(&case, &["coverage", "--policy", &policy("hardened"), "--format", "json"]).json();
    assert_eq!(told["differences"], json!([]));
    let events: u64 =
        told["rules"].as_array().unwrap().iter().map(|rule| rule["wrote"]["events"].as_u64().unwrap()).sum();
    assert_eq!(events, 8_973);
    assert!(told["noise"].as_array().unwrap().len() == 5);
    let told = run(&case, &["coverage", "--policy", &policy("moderate")]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stdout.contains("events that this policy would not have written so"), "{}", told.stdout);
    assert!(told.stderr.contains("it is another one, it was changed"), "{}", told.stderr);

    let mut command = kforensic();
    command.args(["coverage", "--policy", &policy("moderate")]).current_dir(folder.path());
    let alone: common::Ran = command.bounded_output().unwrap().into();
    assert_eq!(alone.code, Some(0), "{alone:?}");
    let rule = "- level: Metadata\n  verbs: [\"get\", \"list\", \"watch\"]\n  resources:\n  - group: \"\"\n    resources: [\"secrets\"]\n";
    assert!(alone.stdout.contains("secret-reads") && alone.stdout.contains(rule), "{}", alone.stdout);

    let map = folder.path().join("map.yaml");
    std::fs::write(&map, "kind: ConfigMap\napiVersion: v1\ndata:\n  a: x\n  b.yaml: |\n    kind: Policy\n    apiVersion: audit.k8s.io/v1\n    rules: [{level: Metadata}]\n").unwrap();
    let told = run(&case, &["coverage", "--policy", map.to_str().unwrap()]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stderr.contains("the policy stands in `data.b.yaml` of"), "{}", told.stderr);
    std::fs::write(&map, "kind: ConfigMap\napiVersion: v1\ndata: {a: x, b: y}\n").unwrap();
    let refused = run(&case, &["coverage", "--policy", map.to_str().unwrap()]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("no key of it holds a policy"), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: its keys are `a`, `b`"), "{}", refused.stderr);

    let broken = folder.path().join("policy.yaml");
    std::fs::write(&broken, "kind: Policy\napiVersion: audit.k8s.io/v1\nrules: []\n").unwrap();
    let refused = run(&case, &["coverage", "--policy", broken.to_str().unwrap()]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("is no audit policy: the policy has no rules"), "{}", refused.stderr);
}

#[test]
fn a_log_that_does_not_tell_how_requests_ended_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let asked = |name: &str, status: &str| {
        let (case, log) = (folder.path().join(name), folder.path().join(format!("{name}.log")));
        let event = |id: usize| {
            format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{id}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/prod/secrets/a","verb":"get","user":{{"username":"bob"}},"sourceIPs":["10.0.0.7"],"objectRef":{{"resource":"secrets","namespace":"prod","name":"a","apiVersion":"v1"}},{status}"requestReceivedTimestamp":"2026-11-21T20:37:0{id}.101111Z","stageTimestamp":"2026-11-21T20:37:0{id}.108114Z"}}"#
            )
        };
        std::fs::write(&log, format!("{}\n{}\n", event(1), event(2))).unwrap();
        ingest(&case, &[log.display().to_string()]);
        [["query", "failed-auth"].as_slice(), &["query", "secret-reads", "--outcome", "denied"]]
            .map(|question| run(&case, question).stderr)
    };
    let words = "how 2 of the 2 requests of the case ended is not in the log";
    assert!(asked("untold", "").iter().all(|stderr| stderr.contains(words)));
    assert!(
        !asked("told", r#""responseStatus":{"metadata":{},"code":200},"#)
            .iter()
            .any(|stderr| stderr.contains("ended is not"))
    );
}

//! `kforensic report`, its signature, and `kforensic tag`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{Bounded, ingest, kforensic, logs, pieces, query, repository, run};
use serde_json::Value;

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_form_of_a_report_tells_the_same_and_can_be_compared() {
    let folder = tempfile::tempdir().unwrap();
    let (case, at) = (folder.path().join("case"), |name: &str| folder.path().join(name));
    ingest(&case, &logs("sample-logs/hardened"));
    let make = |name: &str, options: &[&str]| {
        let path = at(name);
        let ran = run(&case, &[&["report", "--now", "last", "-q", "-o", path.to_str().unwrap()], options].concat());
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""), "{name}");
        text(&path)
    };
    let (data, layer) = (at("data"), at("layer.json"));
    let page = make("report.html", &["--data", data.to_str().unwrap(), "--navigator", layer.to_str().unwrap()]);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("default-src 'none'"));
    assert!(
        !page.contains("http://")
            || page.matches("http://").count() == page.matches("http://www.w3.org/2000/svg").count()
    );
    for id in
        ["happened", "scope", "visibility", "findings", "identities", "spread", "rotate", "rbac", "activity", "attack"]
    {
        assert!(page.contains(&format!("<section id=\"{id}\"")), "{id}");
    }
    // Every link leads to a place on the page.
    for link in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(page.contains(&format!("id=\"{link}\"")), "{link}");
    }
    assert!(text(&data.join("privileged-bindings.csv")).contains("metrics-helper-binding"));
    let layer: Value = serde_json::from_str(&text(&layer)).unwrap();
    assert!(layer["techniques"].as_array().unwrap().iter().any(|technique| technique["techniqueID"] == "T1098.006"));

    let json = make("report.json", &[]);
    assert_eq!(json, make("again.json", &[]), "the same case and arguments give the same bytes");
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&report["schema"], &report["version"]), (&"kforensic-report".into(), &1.into()));
    let rows = |report: &Value| {
        report["findings"].as_array().unwrap().iter().map(|finding| finding["rows"].as_u64().unwrap()).sum::<u64>()
    };
    assert!(rows(&report) > 20);
    let markdown = make("report.md", &[]);
    for told in ["metrics-helper-binding", "Chain of custody", "What this log can and cannot show"] {
        assert!(markdown.contains(told) && json.contains(told) && page.contains(told), "{told}");
    }
    let same: Value =
        serde_json::from_str(&make("new.json", &["--new-since", at("report.json").to_str().unwrap()])).unwrap();
    assert_eq!(rows(&same), 0, "nothing is new since the same report");
    let again: Value =
        serde_json::from_str(&make("newer.json", &["--new-since", at("new.json").to_str().unwrap()])).unwrap();
    assert_eq!(rows(&again), 0, "nor since the report that was compared with it");
    let told = make("new.md", &["--new-since", at("report.json").to_str().unwrap()]);
    assert!(
        told.contains("result: **nothing new**: ") && told.contains("rows that the earlier report tells are left out")
    );
    assert!(told.contains(" detections found nothing new: `exec-credentials`"), "{told}");
    assert!(!told.contains("no detection found anything") && !told.contains("found anything in this window"), "{told}");
}

/// `KFORENSIC_REPEATS` says how often, in each form and with each number of threads.
#[test]
fn a_report_has_the_same_bytes_with_any_number_of_threads() {
    let repeats: usize = std::env::var("KFORENSIC_REPEATS").map_or(2, |repeats| repeats.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &[repository("tests/logs/made/audit.log").to_str().unwrap().to_owned()]);
    for format in ["html", "markdown", "json"] {
        let mut first: Option<Vec<u8>> = None;
        for (threads, repeat) in
            ["1", "8"].into_iter().flat_map(|threads| (0..repeats).map(move |repeat| (threads, repeat)))
        {
            let mut command = kforensic();
            command.arg("--case").arg(&case).args(["report", "-q", "--now", "last", "--format", format]);
            let output = command.env("KFORENSIC_THREADS", threads).bounded_output().unwrap();
            assert!(output.status.success() && output.stdout.len() > 10_000, "{output:?}");
            let first = first.get_or_insert_with(|| output.stdout.clone());
            assert!(*first == output.stdout, "{format}: run {repeat} with {threads} threads");
        }
    }
}

#[test]
fn what_an_intruder_wrote_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let evil = "<script>alert(1)</script>\\u202e[x](https://evil.example)'\\\"><img src=x onerror=alert(1)>";
    let event = format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"1","stage":"ResponseComplete","requestURI":"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings","verb":"create","user":{{"username":"{evil}","groups":["{evil}"]}},"sourceIPs":["10.0.0.1"],"userAgent":"{evil}","objectRef":{{"resource":"clusterrolebindings","name":"{evil}","apiGroup":"rbac.authorization.k8s.io"}},"responseStatus":{{"metadata":{{}},"code":201}},"requestObject":{{"kind":"ClusterRoleBinding","roleRef":{{"kind":"ClusterRole","name":"cluster-admin"}},"subjects":[{{"kind":"User","name":"{evil}"}}]}},"requestReceivedTimestamp":"2026-11-21T20:00:00.000000Z","stageTimestamp":"2026-11-21T20:00:00.000000Z"}}"#
    );
    let log = folder.path().join("audit.log");
    std::fs::write(&log, event + "\n").unwrap();
    ingest(&case, &[log.to_str().unwrap().to_owned()]);
    let page = run(&case, &["report", "-q", "--now", "last"]).stdout;
    assert!(page.contains("alert(1)"), "it is shown");
    assert_eq!(page.matches("<script").count(), 1, "only the page's own");
    assert!(!page.contains("<img") && !page.contains('\u{202e}'));
    let screen = run(&case, &["triage", "--now", "last"]).stdout;
    assert!(!screen.contains('\u{202e}') && screen.contains("\\u{202e}"), "{screen}");
}

#[test]
fn names_of_a_megabyte_make_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let (case, log) = (folder.path().join("case"), folder.path().join("audit.log"));
    let mut text = String::new();
    for (number, evil) in ["x".repeat(1 << 20), "\u{1f600}".repeat(1 << 18), "y ".repeat(1 << 19)].iter().enumerate() {
        let container = serde_json::json!({"name": evil, "image": evil, "command": [evil], "securityContext": {"privileged": true}});
        let pod = serde_json::json!({"kind": "Pod", "metadata": {"name": evil}, "spec": {"hostPID": true, "containers": [container]}});
        let binding = serde_json::json!({"kind": "ClusterRoleBinding", "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "name": evil}]});
        let rbac = "rbac.authorization.k8s.io";
        for (verb, resource, group, body) in [
            ("create", "pods", "", pod),
            ("create", "clusterrolebindings", rbac, binding),
            ("list", "secrets", "", Value::Null),
        ] {
            let event = serde_json::json!({
                "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse",
                "auditID": format!("{number}-{resource}"), "stage": "ResponseComplete", "requestURI": format!("/{resource}"),
                "verb": verb, "user": {"username": evil, "groups": [evil]}, "sourceIPs": ["10.0.0.1"], "userAgent": evil,
                "objectRef": {"resource": resource, "name": evil, "namespace": evil, "apiGroup": group},
                "responseStatus": {"metadata": {}, "code": 201, "message": evil}, "requestObject": body,
                "requestReceivedTimestamp": format!("2026-11-21T20:00:0{number}.000000Z"),
                "stageTimestamp": format!("2026-11-21T20:00:0{number}.000000Z")
            });
            text.push_str(&format!("{event}\n"));
        }
    }
    std::fs::write(&log, text).unwrap();
    ingest(&case, &[log.to_str().unwrap().to_owned()]);
    let ran = run(&case, &["report", "-q", "--now", "last"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("privileged-workloads") && ran.stdout.len() < 5_000_000, "{} bytes", ran.stdout.len());
}

#[test]
fn every_event_is_in_exactly_one_of_the_daily_reports() {
    let folder = tempfile::tempdir().unwrap();
    let (case, at) = (folder.path().join("case"), |name: &str| folder.path().join(name).to_str().unwrap().to_owned());
    let template = at("all.toml");
    std::fs::write(&template, "title = \"All\"\nqueries = [\"timeline\"]\nsections = [\"scope\", \"findings\"]\n")
        .unwrap();
    let all = pieces(folder.path(), "sample-logs/moderate", 9);
    // Late files, and one that comes again.
    let days = [4, 0, 1, 8, 1, 2, 3, 7, 5, 6];
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (day, piece) in days.into_iter().enumerate() {
        let (data, out) = (at(&format!("data-{day}")), at(&format!("{day}.json")));
        let arguments =
            ["report", "-q", "--since", "last-report", "--template", &template, "--data", &data, "-o", &out];
        let ran = run(&case, &[&arguments[..], &["--ingest", &all[piece]]].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let rows = std::fs::read_to_string(format!("{data}/timeline.csv")).unwrap_or_default();
        for row in rows.lines().skip(1) {
            // Behind the audit id stands the cluster.
            *seen.entry(row.rsplit(',').nth(1).unwrap().to_owned()).or_default() += 1;
        }
        // A report that was made is not made again of the same.
        let again =
            run(&case, &["report", "-q", "--since", "last-report", "--template", &template, "--format", "json"]);
        assert_eq!(again.json()["findings"][0]["rows"], 0, "day {day}");
    }
    let mut requests: BTreeMap<String, usize> = BTreeMap::new();
    for row in query(&case, &["timeline"]) {
        *requests.entry(row["audit_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(seen.keys().collect::<Vec<_>>(), requests.keys().collect::<Vec<_>>());
    // A request that began in one file and ended in another is in the reports of both; any other is in one.
    let split = "SELECT audit_id FROM events GROUP BY audit_id HAVING count(DISTINCT source_id) > 1 ORDER BY 1";
    let split = run(&case, &["sql", split, "--format", "csv"]).stdout;
    for (id, times) in &requests {
        assert!(seen[id] == *times || split.lines().any(|line| line == id), "{id}: {} times", seen[id]);
    }
}

#[test]
fn what_a_report_leaves_out_is_in_the_next_of_its_series() {
    let folder = tempfile::tempdir().unwrap();
    let (case, at) = (folder.path().join("case"), |name: &str| folder.path().join(name).to_str().unwrap().to_owned());
    // A time of the template's own is none of a series: what arrives late may be older.
    let template = at("all.toml");
    std::fs::write(
        &template,
        "title = \"All\"\nsince = \"1m\"\nqueries = [\"timeline\"]\nsections = [\"scope\", \"findings\"]\n",
    )
    .unwrap();
    let report = |options: &[&str]| {
        let fixed = ["report", "-q", "--since", "last-report", "--template", &template, "--format", "json"];
        run(&case, &[&fixed[..], options].concat())
    };
    let all = pieces(folder.path(), "sample-logs/moderate", 3);
    for (piece, host) in all.iter().zip(["a", "b", "a"]) {
        let ran = run(&case, &["ingest", "--quiet", "--host", host, piece]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let refused = report(&["--until", "1h"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.starts_with("error: a report since the last one has no end in time"), "{refused:?}");
    let rows = |options: &[&str]| report(options).json()["findings"][0]["rows"].as_u64().unwrap();
    let (a, b, both) = (rows(&["--host", "a"]), rows(&["--host", "b"]), rows(&[]));
    assert!(a > 0 && b > 0 && both > a && both > b, "{a} {b} {both}");
    assert_eq!((rows(&["--host", "a"]), rows(&["--host", "b"]), rows(&[])), (0, 0, 0));
}

/// Cron writes a mail for what is printed: an exit code alone would wake nobody.
#[test]
fn findings_that_make_a_report_fail_are_named_although_it_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let (case, at) = (folder.path().join("case"), |name: &str| folder.path().join(name).to_str().unwrap().to_owned());
    ingest(&case, &logs("sample-logs/hardened"));
    let (page, nothing) = (at("daily.html"), at("nothing.html"));
    let args = ["report", "-q", "--template", "daily", "--now", "last", "--fail-on", "critical", "-o"];
    let ran = run(&case, &[&args[..], &[&page]].concat());
    assert_eq!(ran.code, Some(10), "{ran:?}");
    let names = "`exec-credentials`, `privileged-bindings`";
    assert_eq!(ran.stderr, format!("warning: `{page}` has findings of severity critical or worse: {names}\n"));
    // Nothing is wrong in a window without anything, and nothing is said.
    let quiet = run(&case, &[&args[..], &[&nothing, "--until", "2020-01-01"]].concat());
    assert_eq!((quiet.code, quiet.stdout.as_str(), quiet.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn a_signed_report_is_held_against_key_and_case() {
    let folder = tempfile::tempdir().unwrap();
    let (case, at) = (folder.path().join("case"), |name: &str| folder.path().join(name).to_str().unwrap().to_owned());
    ingest(&case, &logs("sample-logs/moderate"));
    let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    std::fs::write(at("key.pub"), pair.pk.to_box().unwrap().to_string()).unwrap();
    std::fs::write(at("key.sec"), pair.sk.to_box(None).unwrap().to_string()).unwrap();
    let template = at("short.toml");
    std::fs::write(&template, "title = \"Short\"\nqueries = [\"exec-sessions\"]\nsections = [\"custody\"]\n").unwrap();
    let ran = run(&case, &["report", "-q", "--template", &template, "-o", &at("r.html"), "--sign", &at("key.sec")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let check = |case: &Path| run(case, &["verify", "--report", &at("r.html"), "--key", &at("key.pub")]);
    assert_eq!(check(&case).code, Some(0));
    // As `minisign -G -W` writes it: without a checksum.
    let mut bytes = pair.sk.to_bytes();
    bytes[126..].fill(0);
    let bare = minisign::SecretKey::from_bytes(&bytes).unwrap();
    std::fs::write(at("key.sec"), bare.to_box(None).unwrap().to_string()).unwrap();
    let sign = ["report", "-q", "--force", "--template", &template, "-o", &at("r.html"), "--sign", &at("key.sec")];
    let ran = run(&case, &sign);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let right = check(&case);
    assert!(right.code == Some(0) && right.stderr.contains("is about commit 0 of this case"), "{right:?}");
    let other = folder.path().join("other");
    ingest(&other, &logs("sample-logs/hardened")[4..]);
    let wrong = check(&other);
    assert!(wrong.code == Some(3) && wrong.stderr.contains("about another case"), "{wrong:?}");
    std::fs::write(at("r.html"), text(Path::new(&at("r.html"))) + "<!-- -->").unwrap();
    assert_eq!(check(&case).code, Some(3));
}

#[test]
fn notes_stand_beside_the_evidence_in_a_chain() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/moderate"));
    let fingerprint = || run(&case, &["status", "--format", "json"]).json()["fingerprint"].clone();
    let before = fingerprint();
    let id = query(&case, &["timeline", "--limit", "1"])[0]["audit_id"].as_str().unwrap().to_owned();
    for word in ["seen", "mine"] {
        let ran = run(&case, &["tag", &id, "--tag", word, "--note", "that was me", "--author", "anna"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let unknown = run(&case, &["tag", "no-such-id", "--tag", "x"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert_eq!(fingerprint(), before, "the evidence is what it was");
    let rows = run(&case, &["sql", "SELECT tag, author, note FROM tags ORDER BY number", "--format", "csv"]).stdout;
    assert_eq!(rows, "tag,author,note\nseen,anna,that was me\nmine,anna,that was me\n");
    assert_eq!(run(&case, &["verify"]).code, Some(0));

    let path = case.join("notes.jsonl");
    std::fs::write(&path, text(&path).replacen("that was me", "that was eve", 1)).unwrap();
    let altered = run(&case, &["verify"]);
    assert!(altered.code == Some(3) && altered.stdout.contains("notes.jsonl"), "{altered:?}");
    let report = run(&case, &["report", "-q", "--format", "markdown"]);
    let words = "the notes of the case end where they have been altered";
    assert!(report.stderr.contains(words) && report.stdout.matches(words).count() == 2, "{report:?}");
    let refused = run(&case, &["tag", &id, "--tag", "x"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert_eq!(
        run(&case, &["query", "timeline", "--limit", "1"]).code,
        Some(0),
        "the evidence can be asked all the same"
    );
}

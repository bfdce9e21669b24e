//! `kforensic status`, and the messages of commands that read a case.

mod common;

use common::{ingest, logs, run};
use serde_json::{Value, json};

#[test]
fn the_status_says_what_the_case_holds() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let first = ingest(&case, &logs("sample-logs/hardened"));
    ingest(&case, &logs("tests/logs/damage")[..1]);
    let status = run(&case, &["status", "--format", "json"]).json();
    assert_eq!((&status["events"], &status["rejects"], &status["version"]), (&9_909.into(), &1.into(), &1.into()));
    assert_eq!(status["requests"], 4_471 + 453);
    assert_eq!(status["first_event"], "2026-11-21T20:18:59.017996Z");
    assert_eq!(status["last_event"], "2026-11-21T20:38:24.476951Z");
    let resource = |name: Value| status["resources"].as_array().unwrap().iter().find(|row| row["resource"] == name);
    assert_eq!(resource("secrets".into()).unwrap()["events"], 275);
    assert_eq!(status["days"], json!({"2026-11-21": 9_909}));
    let sources = status["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 6);
    assert_eq!(sources[..5], first["sources"].as_array().unwrap()[..]);
    assert_ne!(status["fingerprint"], first["fingerprint"]);
    assert!(status["files"].as_u64() > Some(20) && status["bytes"].as_u64() > Some(100_000));
    assert_eq!((&status["format"], &status["tool_version"]), (&2.into(), &env!("CARGO_PKG_VERSION").into()));

    let table = run(&case, &["status"]);
    assert_eq!((table.code, table.stderr.as_str()), (Some(0), ""));
    assert!(sources.iter().all(|source| source["shape"] == "json-lines"), "{sources:?}");
    // The name of every source, then its shape.
    assert_eq!(
        table.stdout.lines().filter(|line| line.contains(".log") && line.contains(" json-lines ")).count(),
        6,
        "{}",
        table.stdout
    );
    for line in [
        format!("fingerprint  {} (commit 1)", status["fingerprint"].as_str().unwrap()),
        "event times  2026-11-21 20:18:59.017 to 2026-11-21 20:38:24.476 UTC".to_owned(),
        "requests     4924".to_owned(),
        "2026-11-21    9909".to_owned(),
    ] {
        assert!(table.stdout.contains(&line), "{line}\n{}", table.stdout);
    }
}

#[test]
fn bad_usage_gives_a_message_and_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened")[4..]);
    let check = |case: &std::path::Path, arguments: &[&str], code: i32, message: &str| {
        let ran = run(case, arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{ran:?}");
        assert!(ran.stderr.starts_with(message), "{}", ran.stderr);
    };
    let none = folder.path().join("none");
    let no_case = format!(
        "error: `{}` is not a case\n\nhint: make one with `kforensic ingest PATH…`, or name another with `--case DIR` or KFORENSIC_CASE\n",
        none.display()
    );
    check(&none, &["status"], 2, &no_case);
    check(&none, &["query", "secret-reads"], 2, &no_case);
    check(
        &case,
        &["query", "secret-raeds"],
        2,
        "error: there is no query `secret-raeds`\n\nhint: did you mean `secret-reads`? `kforensic query` lists all\n",
    );
    check(
        &case,
        &["query", "secret-reads", "--since", "3 months"],
        2,
        "error: `3 months` is not a time: expected RFC 3339 (",
    );
    check(
        &case,
        &["query", "secret-reads", "--since", "2026-11-22", "--until", "2026-11-21"],
        2,
        "error: no time is at or after",
    );
    check(&case, &["query", "secret-reads", "--outcome", "forbidden"], 2, "error: invalid value 'forbidden'");
    check(&case, &["ingest", "--shape", "dokcer", "audit.log"], 2, "error: invalid value 'dokcer'");
    let near = run(&case, &["ingest", "--shape", "dokcer", "audit.log"]);
    assert!(near.stderr.contains("tip: a similar value exists: 'docker'"), "{}", near.stderr);
    check(&case, &["query", "secret-reads", "--format", "xml"], 2, "error: invalid value 'xml'");
    let no_name =
        "error: no query is named, only paths\n\nhint: the name comes first: `kforensic query NAME --from PATH…`\n";
    check(&case, &["query", "--from", "audit.log", "secret-reads"], 2, no_name);
    let inside = case.join("events/answer.json");
    check(&case, &["query", "secret-reads", "-o", inside.to_str().unwrap()], 2, "error: `");
    assert!(!inside.exists());
}

#[test]
fn a_damaged_case_is_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let secrets = walkdir::WalkDir::new(&case)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .find(|path| path.to_str().unwrap().contains("=secrets/"))
        .unwrap();
    let bytes = std::fs::read(&secrets).unwrap();
    std::fs::remove_file(&secrets).unwrap();
    let missing = run(&case, &["query", "secret-reads"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (Some(3), ""));
    assert!(missing.stderr.contains("is part of the case, but it is not there"), "{}", missing.stderr);
    std::fs::write(&secrets, &bytes[..bytes.len() - 1]).unwrap();
    let cut = run(&case, &["query", "secret-reads"]);
    assert_eq!(cut.code, Some(3));
    assert!(cut.stderr.contains("has been altered: it has "), "{}", cut.stderr);
    assert_eq!(run(&case, &["query", "failed-auth"]).code, Some(3));
    // What the question does not touch is not opened.
    let untouched = run(&case, &["query", "rbac-changes", "--format", "json"]);
    assert_eq!((untouched.code, untouched.json().as_array().map(Vec::len)), (Some(0), Some(135)));
}

#[test]
fn secret_values_are_replaced_unless_they_are_to_be_kept_and_the_status_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let report = ingest(&case, &logs("sample-logs/hardened"));
    let redacted = report["redacted"].as_u64().unwrap();
    assert!(redacted > 100, "{redacted}");
    let status = run(&case, &["status", "--format", "json"]).json();
    assert_eq!((&status["redacted"], &status["sources_with_secret_values"]), (&redacted.into(), &json!([])));
    let rows = run(&case, &["query", "secret-reads", "--format", "json"]).json();

    let kept = folder.path().join("kept");
    let log = logs("sample-logs/hardened");
    let mut arguments = vec!["ingest".to_owned(), "--keep-secret-values".to_owned()];
    arguments.extend(log);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(run(&kept, &arguments).code, Some(0));
    let status = run(&kept, &["status", "--format", "json"]).json();
    assert_eq!(status["redacted"], 0);
    assert_eq!(status["sources_with_secret_values"].as_array().unwrap().len(), 5);
    let table = run(&kept, &["status"]);
    assert!(table.stderr.contains("the case holds live secrets"), "{}", table.stderr);
    assert_eq!(run(&kept, &["query", "secret-reads", "--format", "json"]).json(), rows);
}

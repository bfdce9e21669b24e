//! The formats of an answer: by name, by file name, and with the log of a client that means harm.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::{Bounded, ingest, kforensic, logs, query, run, run_with_input};
use serde_json::{Value, json};

/// Standard output as bytes: Parquet is no text.
fn bytes(case: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = kforensic().arg("--case").arg(case).arg("query").args(arguments).bounded_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn the_name_of_the_file_tells_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let files = [
        ("table", "a.txt"),
        ("json", "a.json"),
        ("jsonl", "a.ndjson"),
        ("csv", "a.csv"),
        ("tsv", "a.TSV"),
        ("markdown", "a.md"),
        ("parquet", "a.parquet"),
    ];
    for (format, name) in files {
        let file = folder.path().join(name);
        let named = bytes(&case, &["rbac-changes", "--user", "bob", "--format", format]);
        assert!(bytes(&case, &["rbac-changes", "--user", "bob", "-o", file.to_str().unwrap()]).is_empty());
        assert!(std::fs::read(&file).unwrap() == named, "{format}");
        assert!(!named.is_empty());
    }
    let parquet = std::fs::read(folder.path().join("a.parquet")).unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    // Timesketch goes by the name of the file, and so does its format.
    for (name, format) in [("b.csv", "timesketch-csv"), ("b.jsonl", "timesketch")] {
        let file = folder.path().join(name);
        bytes(&case, &["rbac-changes", "--format", "timesketch", "-o", file.to_str().unwrap()]);
        assert!(std::fs::read(&file).unwrap() == bytes(&case, &["rbac-changes", "--format", format]), "{format}");
    }
}

#[test]
fn timesketch_gets_every_row_with_its_tags() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let events: Vec<Value> = run(&case, &["query", "rbac-changes", "--user", "bob", "--format", "timesketch"]).lines();
    let rows = query(&case, &["rbac-changes", "--user", "bob"]);
    assert_eq!(events.len(), rows.len());
    assert_eq!(
        events[0]["message"],
        "bob create clusterrolebindings metrics-helper-binding -> allowed 201 from 127.0.0.1"
    );
    assert_eq!(events[0]["timestamp"], 1_795_293_460_412_521_i64);
    assert_eq!(events[0]["tag"], json!(["rbac-changes", "T1098.006", "T1078"]));
    // Counts have a first and a last time: two events, or one where both are the same.
    let counts = query(&case, &["failed-auth"]);
    let events: Vec<Value> = run(&case, &["query", "failed-auth", "--format", "timesketch"]).lines();
    let expected: usize = counts.iter().map(|row| if row["first_seen"] == row["last_seen"] { 1 } else { 2 }).sum();
    assert_eq!(events.len(), expected);
}

#[test]
fn options_that_make_no_difference_are_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("none");
    let refused = |arguments: &[&str]| {
        let ran = run(&case, &[&["query", "secret-reads"], arguments].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        ran.stderr
    };
    let wide = refused(&["--wide", "--format", "csv"]);
    assert!(
        wide.starts_with("error: `--wide` makes a difference to the table only, and the answer is written as csv\n")
    );
    assert!(refused(&["--vertical", "-o", "a.md"]).contains("written as markdown"));
    assert!(refused(&["--raw-cells"]).starts_with("error: `--raw-cells` makes a difference to CSV and TSV only"));
    assert!(refused(&["--wide", "--vertical"]).contains("cannot be used with"));
    let name = refused(&["--format", "timesketch", "-o", "events.txt"]);
    assert!(
        name.starts_with("error: Timesketch would not take `events.txt`: the name must end in `.jsonl`\n"),
        "{name}"
    );
    assert!(refused(&["--format", "timesketch-csv", "-o", "events.jsonl"]).contains("must end in `.csv`"));
    assert!(refused(&["--format", "yaml"]).contains("timesketch-csv"), "the formats are named");
}

#[test]
fn rows_stand_on_one_line_or_every_value_on_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let shown =
        |arguments: &[&str]| run(&case, &[&["query", "rbac-changes", "--user", "bob"], arguments].concat()).stdout;
    assert_eq!(shown(&["--wide"]), shown(&[]), "without a terminal the table is wide anyway");
    let cards = shown(&["--vertical"]);
    assert!(cards.starts_with("── 1 ──"), "{cards}");
    assert!(cards.contains("\nverb:             create\n"), "{cards}");
    assert!(!cards.contains('\x1b'));
}

/// What a client sends that means harm, in its name and its agent.
const HOSTILE: [&str; 6] =
    ["\x1b[2Jgone", "=cmd|'/c calc'!A1", "<script>alert(1)</script>", "a\u{202e}b", "two\nlines\t|`", "-1+1"];

#[test]
fn the_log_of_an_intruder_is_harmless_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let log: String = HOSTILE
        .iter()
        .enumerate()
        .map(|(number, text)| {
            let event = json!({
                "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
                "auditID": format!("00000000-0000-4000-8000-00000000000{number}"), "verb": "get",
                "requestURI": "/api/v1/namespaces/prod/secrets/x", "user": {"username": text}, "userAgent": text,
                "sourceIPs": ["10.0.0.9"], "responseStatus": {"code": 200},
                "objectRef": {"resource": "secrets", "namespace": "prod", "name": text, "apiVersion": "v1"},
                "requestReceivedTimestamp": format!("2026-11-21T20:37:38.{number}00000Z"),
                "stageTimestamp": format!("2026-11-21T20:37:38.{number}00001Z"),
            });
            format!("{event}\n")
        })
        .collect();
    assert_eq!(run_with_input(&case, &["ingest", "-"], log.as_bytes()).code, Some(0));
    let shown = |arguments: &[&str]| run(&case, &[&["query", "secret-reads"], arguments].concat()).stdout;
    let agents: Vec<Value> =
        query(&case, &["secret-reads"]).into_iter().map(|mut row| row["user_agent"].take()).collect();
    assert_eq!(agents, HOSTILE, "JSON is exact");
    for format in ["table", "json", "jsonl", "markdown", "timesketch"] {
        let text = shown(&["--format", format]);
        assert!(!text.contains(['\x1b', '\u{202e}']), "{format}");
    }
    for arguments in [&["--format", "csv"], &["--format", "tsv"]] {
        assert!(shown(arguments).contains("'=cmd|'/c calc'!A1"));
        let raw = shown(&[arguments.as_slice(), &["--raw-cells"]].concat());
        assert!(raw.contains("=cmd|'/c calc'!A1") && !raw.contains("'=cmd"), "{raw}");
    }
    assert_eq!(shown(&["--format", "tsv"]).lines().count(), 1 + HOSTILE.len());
    assert_eq!(shown(&["--format", "markdown"]).lines().count(), 2 + HOSTILE.len());
}

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
    for format in ["table", "json", "jsonl", "markdown", "html", "timesketch"] {
        let text = shown(&["--format", format]);
        assert!(!text.contains(['\x1b', '\u{202e}']), "{format}");
    }
    for arguments in [&["--format", "csv"], &["--format", "tsv"]] {
        assert!(shown(arguments).contains("'=cmd|'/c calc'!A1"));
        let raw = shown(&[arguments.as_slice(), &["--raw-cells"]].concat());
        assert!(raw.contains("=cmd|'/c calc'!A1") && !raw.contains("'=cmd"), "{raw}");
    }
    assert_eq!(shown(&["--format", "tsv"]).lines().count(), 1 + HOSTILE.len());
    let table = shown(&["--format", "markdown"]);
    assert_eq!(table.lines().filter(|line| line.starts_with('|')).count(), 2 + HOSTILE.len());
    assert!(table.lines().all(|line| line.is_empty() || line.starts_with(['|', '>'])), "{table}");
}

#[test]
fn a_file_is_written_as_its_name_says_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let begins: [(&str, &[u8]); 9] = [
        ("a.html", b"<!DOCTYPE html><html lang=\"en\">"),
        ("a.xlsx", b"PK"),
        ("a.md", b"| event_time |"),
        ("a.CSV", b"event_time,user_name,"),
        ("a.tsv", b"event_time\tuser_name\t"),
        ("a.json", b"[\n{\"event_time\""),
        ("a.jsonl", b"{\"event_time\""),
        ("a.parquet", b"PAR1"),
        ("a.txt", b"event_time "),
    ];
    for (name, begin) in begins {
        let queried = run(&case, &["query", "secret-reads", "--user", "bob", "-o", &at(name)]);
        assert_eq!((queried.code, queried.stdout.as_str()), (Some(0), ""), "{queried:?}");
        let written = std::fs::read(at(name)).unwrap();
        assert!(written.starts_with(begin), "{name}: {}", String::from_utf8_lossy(&written[..written.len().min(60)]));
        let sql = at(&format!("sql-{name}"));
        assert_eq!(run(&case, &["sql", "SELECT event_time, user_name FROM requests", "-o", &sql]).code, Some(0));
        assert!(std::fs::read(&sql).unwrap().starts_with(&begin[..begin.len().min(4)]), "{name}");
        let prompt = at(&format!("prompt-{name}"));
        let script = format!(".once {prompt}\n.run secret-reads --user bob\n");
        assert_eq!(run_with_input(&case, &["repl"], script.as_bytes()).code, Some(0));
        assert!(std::fs::read(&prompt).unwrap().starts_with(begin), "{name}");
        let again = run(&case, &["query", "secret-reads", "-o", &at(name)]);
        assert!(again.code == Some(2) && again.stderr.contains("exists already"), "{again:?}");
    }
    let again = at("again.xlsx");
    run(&case, &["query", "secret-reads", "--user", "bob", "-o", &again, "--force"]);
    // The command is in it, and nothing of the time at which it was made.
    let length = |path: &str| std::fs::read(path).unwrap().len();
    assert!(length(&again).abs_diff(length(&at("a.xlsx"))) < 64);
}

#[test]
fn a_page_says_what_its_rows_are_worth() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let page = folder.path().join("x.html");
    let fingerprint: Value = serde_json::from_str(&run(&case, &["status", "--format", "json"]).stdout).unwrap();
    let fingerprint = fingerprint["fingerprint"].as_str().unwrap();
    run(&case, &["query", "secret-reads", "--user", "bob", "-o", page.to_str().unwrap()]);
    let text = std::fs::read_to_string(&page).unwrap();
    let shown = run(&case, &["query", "secret-reads", "--user", "bob"]);
    let verdict = shown.stderr.lines().find_map(|line| line.strip_prefix("verdict: ")).unwrap();
    let rows = query(&case, &["secret-reads", "--user", "bob"]);
    for words in [
        fingerprint,
        "Verdict: ",
        verdict.split(':').next().unwrap(),
        "kforensic --case",
        "secret-reads --user bob",
        "SELECT",
        "noise: ",
    ] {
        assert!(text.contains(words), "{words}");
    }
    assert_eq!(text.matches("<tr>").count(), 1 + rows.len());
    // A table for a ticket says it too, quoted below the rows.
    let table = folder.path().join("x.md");
    run(&case, &["query", "secret-reads", "--user", "bob", "-o", table.to_str().unwrap()]);
    let text = std::fs::read_to_string(&table).unwrap();
    let (rows_of_table, quoted) = text.split_once("\n\n").unwrap();
    assert_eq!(rows_of_table.lines().count(), 2 + rows.len());
    assert!(quoted.starts_with("> **Verdict:** ") && quoted.contains(verdict.split(':').next().unwrap()), "{quoted}");
    assert!(quoted.contains("> noise: ") && quoted.lines().all(|line| line.starts_with('>')), "{quoted}");
    let investigated = folder.path().join("spread.html");
    assert_eq!(run(&case, &["spread", "user:bob", "-o", investigated.to_str().unwrap()]).code, Some(0));
    assert!(std::fs::read_to_string(&investigated).unwrap().contains("What else an intruder got into"));
}

#[test]
fn an_unknown_ending_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none");
    let file = |name: &str| folder.path().join(name);
    for name in ["a.xls", "a.csv.gz", "a.docx", "a.pdf", "a.", "a.svg", "a.sql"] {
        let path = file(name);
        let path = path.to_str().unwrap();
        let commands: [&[&str]; 6] = [
            &["query", "secret-reads", "-o", path],
            &["sql", "SELECT 1", "-o", path],
            &["who-can", "get", "secrets", "-o", path],
            &["triage", "-o", path],
            &["report", "-o", path],
            &["describe", "-o", path],
        ];
        for command in commands {
            let ran = run(&none, command);
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
            let is_told = ran.stderr.contains("which is no form") || ran.stderr.contains("cannot be written as");
            assert!(is_told && ran.stderr.contains("hint:") || name == "a.svg", "{ran:?}");
            assert!(!file(name).exists());
        }
    }
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let script = format!(".once {}\n", file("a.xls").display());
    let ran = run_with_input(&case, &["repl"], script.as_bytes());
    assert!(ran.code == Some(2) && ran.stderr.contains("ends in `.xls`, which is no format"), "{ran:?}");
    // Who names the format gets it, and is told when the name says something else.
    let log = file("a.log");
    assert_eq!(run(&case, &["sql", "SELECT 1 AS x", "--format", "csv", "-o", log.to_str().unwrap()]).code, Some(0));
    assert_eq!(std::fs::read_to_string(log).unwrap(), "x\n1\n");
    let other = file("a.csv");
    let ran = run(&case, &["sql", "SELECT 1 AS x", "--format", "json", "-o", other.to_str().unwrap()]);
    assert!(ran.stderr.contains("is written as json, as `--format` says, although its name says csv"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(other).unwrap(), "[\n{\"x\":1}\n]\n");
    let drawing = run(&case, &["who-can", "get", "secrets", "--format", "svg"]);
    assert!(drawing.code == Some(2) && drawing.stdout.is_empty(), "{drawing:?}");
}

#[test]
fn one_answer_fills_a_page_or_a_workbook() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    for name in ["two.html", "two.xlsx"] {
        let path = folder.path().join(name);
        let script = format!(".output {}\nSELECT 1;\nSELECT 2;\n", path.display());
        let ran = run_with_input(&case, &["repl"], script.as_bytes());
        assert!(ran.code == Some(2) && ran.stderr.contains("error"), "{ran:?}");
    }
    let triage = folder.path().join("triage.json");
    assert_eq!(run(&case, &["triage", "-o", triage.to_str().unwrap()]).code, Some(0));
    let findings: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(triage).unwrap()).unwrap();
    assert!(findings.iter().any(|finding| finding["query"] == "rbac-changes" || finding["severity"] == "high"));
}

#[test]
fn the_catalogue_is_there_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none");
    let list = |arguments: &[&str]| -> Vec<Value> {
        let ran = run(&none, &[&["query", "--format", "json"], arguments].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let all = list(&[]);
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../queries")).unwrap();
    assert_eq!(
        all.len(),
        files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|e| e == "sql")).count()
    );
    for query in &all {
        for text in ["name", "title", "question", "group", "kind", "severity", "noise"] {
            assert!(query[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {query}");
        }
        assert!(query["attack"].is_array() && query["needs"].as_array().is_some_and(|needs| !needs.is_empty()));
        assert!(query["parameters"].as_array().is_some_and(|all| all.iter().all(|one| one["type"].is_string())));
        assert!(query.get("variant").is_some() && query.get("value").is_some() && query.get("sql").is_none());
    }
    let reads = all.iter().find(|query| query["name"] == "secret-reads").unwrap();
    assert_eq!(reads["needs"][0]["resource"], json!(["secrets"]));
    let parameter =
        |name: &str| reads["parameters"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned();
    assert_eq!(parameter("source_ip").unwrap()["type"], "address");
    let own = all.iter().flat_map(|query| query["parameters"].as_array().unwrap()).filter(|one| one["name"] == "own");
    assert!(own.clone().count() > 10 && own.clone().any(|own| own["type"] == "boolean" && own["default"] == false));
    assert!(list(&["--search", "secrets"]).len() < all.len());
    let lines: Vec<Value> = run(&none, &["query", "--format", "jsonl"]).lines();
    assert_eq!(lines, all);
    let csv = run(&none, &["query", "--format", "csv"]).stdout;
    assert!(csv.starts_with("name,title,question,group,"), "{csv}");

    let views: Vec<Value> = serde_json::from_str(&run(&none, &["describe", "--format", "json"]).stdout).unwrap();
    let requests = views.iter().find(|view| view["view"] == "requests").unwrap();
    assert!(requests["row"].as_str().unwrap().starts_with("One row per request"));
    let outcome = requests["columns"].as_array().unwrap().iter().find(|column| column["column"] == "outcome").unwrap();
    assert_eq!(outcome["type"], "VARCHAR");
    assert!(outcome["meaning"].as_str().unwrap().starts_with("allowed ("));
    assert!(views.iter().all(|view| view["columns"].as_array().is_some_and(|columns| !columns.is_empty())));
}

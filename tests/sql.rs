//! `kforensic sql`: what is run, what is refused, and that the case stays what it was.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Ran, ingest, kforensic, logs, run, run_with_input};
use serde_json::json;
use tempfile::TempDir;

/// Statements that must not do what they ask for, as `tests/hostile/README.md` says.
const HOSTILE: &str = include_str!("hostile/statements.sql");

fn case() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/moderate"));
    (folder, case)
}

fn sql(case: &Path, statement: &str) -> Ran {
    run(case, &["sql", "--format", "jsonl", statement])
}

/// The rows of a statement.
fn rows(case: &Path, statement: &str) -> Vec<serde_json::Value> {
    let ran = sql(case, statement);
    assert_eq!(ran.code, Some(0), "{statement}: {ran:?}");
    ran.lines()
}

/// What every file below a folder holds, and the names of its folders.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        let content = if entry.file_type().is_file() { std::fs::read(entry.path()).unwrap() } else { Vec::new() };
        found.insert(entry.into_path(), content);
    }
    found
}

#[test]
fn hostile_statements_are_refused_and_the_case_is_unchanged() {
    let (folder, case) = case();
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let file = walkdir::WalkDir::new(case.join("events")).sort_by_file_name().into_iter().flatten();
    let file = file
        .map(walkdir::DirEntry::into_path)
        .find(|path| path.extension().is_some_and(|end| end == "parquet"))
        .unwrap();
    let before = contents(folder.path());
    let mut seen = 0;
    let nested = format!("SELECT {}1{}", "(".repeat(50_000), ")".repeat(50_000));
    for statement in HOSTILE.split("\n====\n").chain([nested.as_str()]) {
        let statement = statement.trim_end().replace("{case}", case.to_str().unwrap());
        let statement = statement.replace("{out}", out.to_str().unwrap()).replace("{file}", file.to_str().unwrap());
        let input = statement.as_bytes();
        let ran = run_with_input(&case, &["sql", "--format", "jsonl"], input);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{statement}: {ran:?}");
        assert!(ran.stderr.starts_with("error: "), "{statement}: {ran:?}");
        assert!(!ran.stderr.contains("root:x:0"), "{statement}: {ran:?}");
        seen += 1;
    }
    assert!(seen > 150, "{seen}");
    assert_eq!(contents(folder.path()), before);
    assert_eq!(run(&case, &["verify"]).code, Some(0));
}

#[test]
fn messages_say_what_and_where_and_what_to_do() {
    let (_folder, case) = case();
    for (statement, said) in [
        (
            "SELECT usr_name FROM requests",
            "error: referenced column `usr_name` not found in FROM clause in line 1, column 8\n  | SELECT usr_name FROM requests\n  |        ^\n\nhint: did you mean `user_name`",
        ),
        ("FROM reqests", "error: table with name reqests does not exist in line 1, column 6\n"),
        ("FROM reqests", "\nhint: did you mean `requests`?\n"),
        ("selec 1", "error: syntax error at or near `selec` in line 1, column 1\n  | selec 1\n  | ^\n"),
        ("COPY requests TO 'x.csv'", "error: `COPY` is refused\n\nhint: statements that read are run: SELECT, "),
        ("SELECT * FROM glob('*')", "error: the table function `glob` is refused in line 1, column 15\n"),
        ("SELECT 1; SELECT 2", "error: several statements are refused in line 1, column 18\n"),
        ("", "error: there is no statement\n"),
        ("SELECT 'x'::INT", "error: could not convert string 'x' to INT32"),
    ] {
        let ran = sql(&case, statement);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{statement}: {ran:?}");
        assert!(ran.stderr.contains(said), "{statement}: {}", ran.stderr);
    }
}

#[test]
fn statements_that_read_are_run() {
    let (_folder, case) = case();
    assert_eq!(rows(&case, "SELECT count(*) AS n FROM events"), [json!({"n": 568})]);
    assert_eq!(rows(&case, "FROM events SELECT count(*) AS n;"), [json!({"n": 568})]);
    assert_eq!(rows(&case, "VALUES (1), (2)"), [json!({"col0": 1}), json!({"col0": 2})]);
    assert_eq!(rows(&case, "WITH a AS (SELECT 1 AS x) FROM a"), [json!({"x": 1})]);
    assert_eq!(
        rows(
            &case,
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT sum(i)::INT AS s FROM n"
        ),
        [json!({"s": 45})]
    );
    assert_eq!(rows(&case, "SELECT in_network('10.1.2.3', '10.0.0.0/8') AS x"), [json!({"x": true})]);
    let columns = rows(&case, "DESCRIBE requests");
    assert!(columns.iter().any(|column| column["column_name"] == "outcome"), "{columns:?}");
    assert!(rows(&case, "SUMMARIZE SELECT verb, status_code FROM requests").len() == 2);
    let tables = rows(&case, "SHOW TABLES");
    assert!(tables.contains(&json!({"name": "requests"})), "{tables:?}");
    assert_eq!(
        rows(&case, "SELECT count(*) AS n FROM requests_of('events')"),
        rows(&case, "SELECT count(*) AS n FROM requests")
    );
    let window = "SELECT verb, row_number() OVER (PARTITION BY verb ORDER BY event_time, audit_id) AS n FROM requests QUALIFY n = 1 ORDER BY verb";
    assert!(rows(&case, window).len() > 3);
    assert_eq!(rows(&case, "PIVOT requests ON verb IN ('get') USING count(*) GROUP BY cluster").len(), 1);

    // Refused where there is no Landlock, because DuckDB makes several statements of it.
    let pivot = sql(&case, "PIVOT requests ON verb USING count(*) GROUP BY cluster");
    let is_protected = run(&case, &["status", "--format", "json"]).json()["protection"]["landlock"] != "not in force";
    assert_eq!(pivot.code, Some(if is_protected { 0 } else { 2 }), "{pivot:?}");
    assert!(pivot.stdout.contains("\"get\":") == is_protected, "{pivot:?}");

    let plan = run(&case, &["sql", "EXPLAIN SELECT verb FROM requests"]);
    assert_eq!(plan.code, Some(0), "{plan:?}");
    assert!(plan.stdout.to_uppercase().contains("PARQUET") && plan.stdout.lines().count() > 4, "{plan:?}");
    assert!(plan.stderr.starts_with("plan; newest event"), "{plan:?}");
    let analyzed = run(&case, &["sql", "EXPLAIN ANALYZE SELECT verb FROM requests"]);
    assert!(analyzed.code == Some(0) && analyzed.stdout.contains("Total Time"), "{analyzed:?}");
    assert_eq!(rows(&case, "EXPLAIN SELECT 1").len(), 1);
}

#[test]
fn a_statement_comes_from_the_command_line_a_file_or_a_pipe() {
    let (folder, case) = case();
    let file = folder.path().join("question.sql");
    std::fs::write(&file, "-- How many?\nSELECT count(*) AS n\nFROM events;\n").unwrap();
    let answer = "{\"n\":568}\n";
    let from_file = run(&case, &["sql", "-f", file.to_str().unwrap(), "--format", "jsonl"]);
    assert_eq!((from_file.code, from_file.stdout.as_str()), (Some(0), answer), "{from_file:?}");
    for arguments in [
        &["sql", "--format", "jsonl"][..],
        &["sql", "-", "--format", "jsonl"],
        &["sql", "-f", "-", "--format", "jsonl"],
    ] {
        let piped = run_with_input(&case, arguments, b"SELECT count(*) AS n FROM events");
        assert_eq!((piped.code, piped.stdout.as_str()), (Some(0), answer), "{piped:?}");
    }
    let both = run(&case, &["sql", "SELECT 1", "-f", file.to_str().unwrap()]);
    assert_eq!(both.code, Some(2));
    let missing = run(&case, &["sql", "-f", "/nonexistent/x.sql"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("error: cannot read `/nonexistent/x.sql`: "), "{missing:?}");
    let written = folder.path().join("answer.csv");
    let ran = run(&case, &["sql", "SELECT 1 AS x", "-o", written.to_str().unwrap()]);
    assert_eq!((ran.code, std::fs::read_to_string(&written).unwrap().as_str()), (Some(0), "x\n1\n"), "{ran:?}");
}

#[test]
fn a_limit_takes_the_first_rows_and_ends_there() {
    let (_folder, case) = case();
    let limited = |limit: &str, statement: &str| run(&case, &["sql", "--limit", limit, "--format", "jsonl", statement]);
    let first = limited("2", "FROM range(5) t(n) ORDER BY n");
    assert_eq!(first.stdout, "{\"n\":0}\n{\"n\":1}\n");
    assert!(first.stderr.starts_with("the first 2 rows, and there are more; newest event"), "{first:?}");
    assert!(limited("5", "FROM range(5) t(n)").stderr.starts_with("5 rows; "));
    let begin = Instant::now();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) FROM range(1_000_000_000_000) t(n)";
    assert_eq!(limited("1", endless).stdout, "{\"n\":0}\n");
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[cfg(unix)]
#[test]
fn what_has_no_end_is_stopped() {
    let (_folder, case) = case();
    for statement in [
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "SELECT count(*) FROM range(1_000_000_000_000) a, range(1_000_000_000) b",
    ] {
        let mut command = kforensic();
        command.arg("--case").arg(&case).args(["sql", statement]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1_500));
        let begin = Instant::now();
        let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(130), "error: interrupted\n"), "{statement}: {ran:?}");
        assert!(begin.elapsed() < Duration::from_secs(10), "{statement}");
    }
}

#[test]
fn status_says_how_the_case_is_protected() {
    let (_folder, case) = case();
    let told = run(&case, &["status", "--verbose"]);
    assert!(told.stdout.contains("\nprotection   Landlock "), "{told:?}");
    assert!(!run(&case, &["status"]).stdout.contains("protection"));
    let protection = run(&case, &["status", "--format", "json"]).json()["protection"].clone();
    assert!(protection["landlock"].as_str().unwrap().contains("in force"), "{protection}");
}

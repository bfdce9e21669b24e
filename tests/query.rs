//! `kforensic query`: forms, files, raw logs, windows.

mod common;

use common::{Bounded, expected, ingest, kforensic, logs, query, repository, run};

#[test]
fn every_form_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let rows = expected("hardened", "rbac-changes");
    let form = |format: &str| run(&case, &["query", "rbac-changes", "--format", format]);
    assert_eq!(form("json").json().as_array().unwrap(), &rows);
    assert_eq!(form("jsonl").lines(), rows);
    assert_eq!(form("csv").stdout.lines().count(), rows.len() + 1);
    let table = form("table");
    assert_eq!(table.stdout.lines().count(), rows.len() + 2);
    assert!(
        table.stderr.starts_with("135 rows; all times; newest event 2026-11-21 20:38:24.476 UTC; "),
        "{}",
        table.stderr
    );
    // Without a terminal the same bytes every time.
    assert_eq!(form("table").stdout, table.stdout);

    let file = folder.path().join("answer.json");
    let written = run(&case, &["query", "rbac-changes", "-o", file.to_str().unwrap()]);
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), form("json").stdout);
}

#[test]
fn one_command_answers_from_raw_logs_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (temporary, current) = (folder.path().join("tmp"), folder.path().join("here"));
    std::fs::create_dir(&temporary).unwrap();
    std::fs::create_dir(&current).unwrap();
    let from = repository("sample-logs/hardened");
    let mut command = kforensic();
    command.args(["query", "secret-reads", "--format", "json", "--from"]).arg(&from);
    let ran: common::Ran = command.env("TMPDIR", &temporary).current_dir(&current).bounded_output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json().as_array().unwrap(), &expected("hardened", "secret-reads"));
    assert!(ran.stderr.contains("note: left out `"), "{}", ran.stderr);
    for dir in [temporary, current] {
        assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0);
    }
    // Into a case that is named, where it stays.
    let case = folder.path().join("case");
    let ran = run(&case, &["query", "secret-reads", "--limit", "1", "--from", from.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(query(&case, &["secret-reads"]).len(), 130);
    // Rejected lines are told.
    let damaged = logs("tests/logs/damage")[0].clone();
    let ran = run(&folder.path().join("other"), &["query", "failed-auth", "--from", &damaged]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("warning: 1 of 937 records are no audit events"), "{}", ran.stderr);
}

#[test]
fn an_empty_window_says_that_the_evidence_is_older() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let since =
        |now: &[&str]| run(&case, &[&["query", "secret-reads", "--since", "1h", "--format", "json"], now].concat());
    let nothing = since(&["--now", "2030-01-01"]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(0), "[]\n"));
    assert!(
        nothing.stderr.ends_with(
            "note: the window begins after the newest event of the case: the evidence is older\n\n\
             hint: count ages back from the newest event with `--now last`\n"
        ),
        "{}",
        nothing.stderr
    );
    assert!(
        nothing.stderr.starts_with("0 rows; since 2029-12-31 23:00:00.000 UTC; newest event"),
        "{}",
        nothing.stderr
    );
    assert_eq!(since(&["--now", "last"]).json().as_array().unwrap().len(), 130);
}

#[test]
fn the_catalogue_lists_questions_needs_and_noise() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["query"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for text in ["secret-reads", "rbac-changes", "failed-auth", "T1552.007", "level Metadata"] {
        assert!(ran.stdout.contains(text), "{}", ran.stdout);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("tests/logs/metadata"));
    let script = format!(
        "{:?} --case {case:?} query secret-reads --format jsonl | head -1 > /dev/null; echo ${{PIPESTATUS[0]}}",
        kforensic().get_program()
    );
    let output = std::process::Command::new("bash").arg("-c").arg(script).bounded_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "0\n");
    assert!(!String::from_utf8(output.stderr).unwrap().contains("error"));
}

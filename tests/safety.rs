//! What an attacker who chose names and files would try, and a user in a hurry: nothing of it changes an answer or the
//! evidence, or reaches a terminal raw.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Bounded, Ran, ingest, kforensic, logs, repository, run, run_with_input};

fn evidence(name: &str) -> String {
    repository("tests/cases/evidence").join(name).to_str().unwrap().to_owned()
}

/// The largest data file of a case, writable, and a place in it that changes nothing of its rows: the name of its writer.
fn largest(case: &Path) -> (PathBuf, Vec<u8>, usize) {
    let files = walkdir::WalkDir::new(case.join("events")).into_iter().map(Result::unwrap);
    let parquet = files.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "parquet"));
    let path = parquet.max_by_key(|entry| entry.metadata().unwrap().len()).unwrap().into_path();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let writer = format!("kforensic {}", env!("CARGO_PKG_VERSION"));
    let at = bytes.windows(writer.len()).rposition(|window| window == writer.as_bytes()).unwrap();
    (path, bytes, at)
}

#[test]
fn a_rewritten_file_does_not_answer_and_an_answer_without_a_check_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let commands: [&[&str]; 4] =
        [&["query", "failed-auth"], &["sql", "SELECT count(*) FROM events"], &["status"], &["show", "x"]];
    let before: Vec<Ran> = commands.iter().map(|command| run(&case, command)).collect();
    let (path, bytes, at) = largest(&case);
    let mut altered = bytes.clone();
    altered[at] ^= 0x20;
    std::fs::write(&path, &altered).unwrap();
    for (command, before) in commands.iter().zip(&before) {
        let ran = run(&case, command);
        let message = format!("error: `{}` has been altered: it has SHA-256 ", path.display());
        assert!(ran.code == Some(3) && ran.stdout.is_empty() && ran.stderr.starts_with(&message), "{ran:?}");
        let hurried = run(&case, &[command, &["--no-check"][..]].concat());
        assert_eq!((hurried.code, &hurried.stdout), (before.code, &before.stdout));
        assert!(hurried.stderr.contains("were not held against their hashes: --no-check"), "{hurried:?}");
        assert!(!before.stderr.contains("held against their hashes"), "{before:?}");
    }
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(run(&case, commands[0]).code, Some(0));
}

#[test]
fn results_of_checks_are_remembered_outside_of_the_case_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (case, cache) = (folder.path().join("case"), folder.path().join("cache"));
    ingest(&case, &logs("sample-logs/hardened"));
    // What was written a moment ago is hashed again the next time.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let ask = || -> Ran {
        let mut command = kforensic();
        command.arg("--case").arg(&case).args(["query", "timeline"]).env("XDG_CACHE_HOME", &cache);
        command.bounded_output().unwrap().into()
    };
    assert_eq!(ask().code, Some(0));
    let files: Vec<_> = std::fs::read_dir(cache.join("kforensic")).unwrap().map(|entry| entry.unwrap()).collect();
    let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
    assert_eq!((files.len(), mode(&files[0].path()), mode(&cache.join("kforensic"))), (1, 0o600, 0o700));
    let text = std::fs::read_to_string(files[0].path()).unwrap();
    assert!(text.contains("resource_partition=_other"), "{text}");
    assert_eq!(ask().code, Some(0));
    // Remembered as right, and altered since.
    let (path, bytes, at) = largest(&case);
    assert!(text.contains(path.strip_prefix(case.join("events")).unwrap().to_str().unwrap()), "{text}");
    let mut altered = bytes;
    altered[at] ^= 0x20;
    std::fs::write(&path, altered).unwrap();
    let mut command = kforensic();
    command.arg("--case").arg(&case).arg("status").env("XDG_CACHE_HOME", &cache);
    assert_eq!(Ran::from(command.bounded_output().unwrap()).code, Some(3));
    // In the case nothing is written.
    let mut command = kforensic();
    command.arg("--case").arg(&case).args(["query", "rbac-changes"]).env("XDG_CACHE_HOME", case.join("events"));
    command.bounded_output().unwrap();
    assert!(!case.join("events/kforensic").exists());
}

#[test]
fn an_output_file_is_new_or_replaced_on_purpose_and_never_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).to_str().unwrap().to_owned();
    let (case, log) = (at("case"), text("audit.log"));
    std::fs::copy(&logs("sample-logs/hardened")[4], &log).unwrap();
    ingest(&case, std::slice::from_ref(&log));
    let to = |file: &str, force: &[&str]| run(&case, &[&["query", "failed-auth", "-o", file][..], force].concat());
    std::fs::write(at("notes.csv"), "of mine").unwrap();
    std::os::unix::fs::symlink(at("notes.csv"), at("link.csv")).unwrap();
    for name in ["notes.csv", "link.csv"] {
        let ran = to(&text(name), &[]);
        let message = format!(
            "error: `{}` exists already\n\nhint: choose another file, or let it be replaced with `--force`\n",
            text(name)
        );
        assert_eq!((ran.code, ran.stderr), (Some(2), message));
    }
    assert_eq!(std::fs::read_to_string(at("notes.csv")).unwrap(), "of mine");
    assert_eq!(to(&text("new.csv"), &[]).code, Some(0));
    assert_eq!(to(&text("notes.csv"), &["--force"]).code, Some(0));
    assert_eq!(std::fs::read(at("notes.csv")).unwrap(), std::fs::read(at("new.csv")).unwrap());
    // The source itself, a copy of it under another name, and what it has grown into.
    let content = std::fs::read(&log).unwrap();
    std::fs::write(at("copy.log"), &content).unwrap();
    std::fs::write(at("grown.log"), [&content[..], b"{}\n"].concat()).unwrap();
    for name in ["audit.log", "copy.log", "grown.log"] {
        let before = std::fs::read(at(name)).unwrap();
        let ran = to(&text(name), &["-C", "--format", "csv"]);
        assert!(ran.code == Some(2) && ran.stderr.contains("evidence is never overwritten"), "{ran:?}");
        assert_eq!(std::fs::read(at(name)).unwrap(), before);
    }
    let manifest = run(&case, &["verify", "--manifest", &log]);
    assert!(manifest.code == Some(2) && std::fs::read(&log).unwrap() == content, "{manifest:?}");
}

/// That nothing of a run is obeyed by a terminal: neither characters, nor lines that names made.
fn is_harmless(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.chars().any(|letter| letter != '\n' && letter.is_control()), "{text:?}");
        assert!(!text.chars().any(|letter| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')));
        assert!(!text.lines().any(|line| line.starts_with("0 records rejected") || line.starts_with("FAKE")), "{text}");
    }
}

#[test]
fn names_of_files_and_members_reach_no_terminal_raw() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let tar = evidence("hostile_names.tar");
    let hostile = folder.path().join("evidence/x\x1b[2J\n0 records rejected\u{202e}\u{9b}31m.log");
    std::fs::create_dir(hostile.parent().unwrap()).unwrap();
    std::fs::copy(&logs("sample-logs/hardened")[4], &hostile).unwrap();
    std::fs::write(hostile.with_extension("txt"), "no log").unwrap();
    std::fs::write(hostile.with_extension("7z"), b"7z\xbc\xaf\x27\x1c\0\x04").unwrap();
    let folder_of_it = hostile.parent().unwrap().to_str().unwrap().to_owned();
    let id = "FAKE\x1b[2J\n0 records rejected";
    let event = serde_json::json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": id, "verb": "get",
        "stage": "ResponseComplete", "requestURI": "/\u{9b}2J", "user": {"username": "\u{202e}\u{7f}"},
        "requestReceivedTimestamp": "2026-11-21T20:37:37.325661Z", "stageTimestamp": "2026-11-21T20:37:37.325661Z",
    });
    std::fs::write(folder.path().join("event.log"), format!("{event}\n{{\"torn\n")).unwrap();
    let event_log = folder.path().join("event.log").to_str().unwrap().to_owned();
    let ingested = run(&case, &["ingest", &tar, &folder_of_it, &event_log]);
    assert_eq!(ingested.code, Some(1));
    is_harmless(&ingested);
    is_harmless(&run(&case, &["ingest", &folder_of_it, &tar, "--format", "json"]));
    for command in [
        &["status"][..],
        &["status", "--format", "json"],
        &["verify"],
        &["verify", "--sources", &tar],
        &["verify", "--format", "json", "--sources", &tar],
        &["show", id],
        &["show", "\x1b[2J"],
        &["query", "timeline"],
        &["query", "timeline", "--format", "json"],
        &["sql", "SELECT CAST(audit_id AS INTEGER) FROM events WHERE verb = 'get' AND audit_id LIKE 'FAKE%'"],
        &["sql", "FROM sources"],
        &["ingest", "\x1b[2J\n0 records rejected"],
        &["query", "timeline", "-o", "/\x1b[2J\n0 records rejected/x.csv"],
    ] {
        is_harmless(&run(&case, command));
    }
    let manifest = run(&case, &["verify", "--manifest", folder.path().join("manifest").to_str().unwrap()]);
    assert!(manifest.code == Some(2) && manifest.stderr.contains("the manifest cannot name"), "{manifest:?}");
    assert!(!folder.path().join("manifest").exists());
    is_harmless(&manifest);
    // The bytes themselves are asked for by name.
    assert!(run(&case, &["show", id, "--raw"]).stdout.contains(r"FAKE\u001b[2J"));
}

#[test]
fn what_was_left_out_and_may_be_a_log_is_an_account_of_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let (case, evidence) = (folder.path().join("case"), folder.path().join("evidence"));
    std::fs::create_dir(&evidence).unwrap();
    std::fs::copy(&logs("sample-logs/hardened")[4], evidence.join("audit.log")).unwrap();
    std::fs::write(evidence.join("notes.txt"), "nothing").unwrap();
    let ran = run(&case, &["ingest", evidence.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    std::fs::write(evidence.join("more.7z"), b"7z\xbc\xaf\x27\x1c\0\x04").unwrap();
    let other = folder.path().join("other");
    let ran = run(&other, &["ingest", evidence.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stderr.contains("warning: 1 of what was left out may be audit logs that are not in the case"),
        "{ran:?}"
    );
    let status = run(&other, &["status", "--format", "json"]).json();
    let left: Vec<(&str, bool)> = status["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| (left["name"].as_str().unwrap().rsplit('/').next().unwrap(), left["may_be_log"] == true))
        .collect();
    assert_eq!(left, [("more.7z", true), ("notes.txt", false)]);
    let table = run(&other, &["status"]).stdout;
    assert!(table.contains("left out") && table.contains("not opened: a 7z archive; unpack it"), "{table}");
    let answer = run(&other, &["query", "secret-reads", "--from", evidence.to_str().unwrap()]);
    assert!(answer.stderr.contains("may be audit logs"), "{answer:?}");
}

#[test]
fn standard_input_that_is_closed_or_empty_makes_no_case() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("new/case");
    let binary = kforensic().get_program().to_owned();
    let closed: Ran = {
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$@\" <&-", "sh"]).arg(binary).arg("--case").arg(&case).args(["ingest", "-"]);
        let output = shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).output().unwrap();
        output.into()
    };
    for ran in [closed, run(&case, &["ingest", "-"]), run_with_input(&case, &["ingest", "-"], b"")] {
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.stderr.starts_with("error: there is nothing on standard input\n"), "{ran:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_source_from_the_future_does_not_empty_the_window_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let arguments = ["query", "secret-reads", "--since", "1d", "--now", "last"];
    let before = run(&case, &arguments);
    assert!(!before.stderr.contains("still to come"), "{before:?}");
    ingest(&case, &[evidence("y9999.log")]);
    let ran = run(&case, &arguments);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.contains("claims to be of 9999-12-31 23:59:59.000 UTC, which is still to come"), "{ran:?}");
    let hint = ran.stderr.rsplit("`--now ").next().and_then(|rest| rest.split('`').next()).unwrap();
    let again = run(&case, &["query", "secret-reads", "--since", "1d", "--now", hint]);
    assert_eq!(again.stdout, before.stdout);
}

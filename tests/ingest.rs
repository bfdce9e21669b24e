//! `kforensic ingest`: accounts, exit codes, messages.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Bounded, finish, ingest, kforensic, logs, repository, run, run_with_input};

#[test]
fn the_accounts_name_every_source_and_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let accounts = ingest(&case, &logs("sample-logs/hardened"));
    assert_eq!(accounts["records"], 8_973);
    let sources = accounts["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 5);
    let first = &sources[0];
    assert!(first["name"].as_str().unwrap().ends_with("hardened/audit-2026-11-21T20-37-10.530.log.gz"));
    assert_eq!(first["sha256"], "a0adc2eff604e3f1fcffe45490c4adbc1fa1aa21c3ca85fafa5a09a84fe00443");
    assert_eq!(first["compression"], "gzip");
    let sum = |field: &str| sources.iter().map(|source| source[field].as_u64().unwrap()).sum::<u64>();
    for field in ["records", "events", "duplicates", "rejected"] {
        assert_eq!(accounts[field], sum(field), "{field}");
    }
    assert_eq!(accounts["bytes"], sum("size_bytes"));
    assert!(accounts["elapsed_ms"].is_u64());
    let times = |field: &str| sources.iter().map(|source| source[field].as_str().unwrap()).collect::<Vec<_>>();
    assert!(times("first_event").iter().zip(times("last_event")).all(|(first, last)| *first < last));
    // The same again adds nothing, not even a commit.
    let again = ingest(&case, &logs("sample-logs/hardened"));
    assert_eq!((&again["records"], &again["version"]), (&0.into(), &serde_json::Value::Null));
    assert_eq!(again["fingerprint"], accounts["fingerprint"]);
    assert_eq!(again["sources"][0]["sha256"], first["sha256"]);
}

#[test]
fn standard_input_is_a_source_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let log = std::fs::read(repository("sample-logs/hardened/audit.log")).unwrap();
    let gz = std::fs::read(&logs("sample-logs/hardened")[0]).unwrap();
    let accounts = run_with_input(&case, &["ingest", "-", "--format", "json"], &log[..log.len() / 2]).json();
    assert_eq!((&accounts["sources"][0]["name"], &accounts["rejected"]), (&"-".into(), &1.into()));
    // Grown, and through a pipe again: only what is new, the torn line completed.
    let grown = run_with_input(&case, &["ingest", "-", "--format", "json"], &log).json();
    assert_eq!((&grown["duplicates"], &grown["rejected"]), (&0.into(), &0.into()));
    let both = accounts["events"].as_u64().unwrap() + grown["events"].as_u64().unwrap();
    assert_eq!(both, log.iter().filter(|byte| **byte == b'\n').count() as u64);
    let packed = run_with_input(&case, &["ingest", "-", "--format", "json"], &gz).json();
    assert_eq!((&packed["sources"][0]["compression"], &packed["rejected"]), (&"gzip".into(), &0.into()));
}

/// What a responder exported by mistake is named, with what to do, behind the ingest and in the status.
#[test]
fn what_was_rejected_is_told_in_a_line_each() {
    let folder = tempfile::tempdir().unwrap();
    let (case, html) = (folder.path().join("case"), folder.path().join("audit.html"));
    std::fs::write(&html, "<html><body>\n<td>{&quot;auditID&quot;:1}</td>\nx\n</body></html>\n").unwrap();
    let ran = run(&case, &["ingest", html.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let html_lines = "3 of them: a line of HTML or XML; export the log itself as CSV or JSON";
    let other = "1 of them: no JSON, and in no other form that is known; export the log as JSON, one event a line";
    assert!(ran.stderr.contains(html_lines) && ran.stderr.contains(other), "{}", ran.stderr);
    let status = run(&case, &["status"]);
    assert!(status.stdout.contains("\nrejects\n") && status.stdout.contains("a line of HTML"), "{}", status.stdout);
    // What cannot be opened at all has one, too.
    let seven = folder.path().join("folder/audit.7z");
    std::fs::create_dir(seven.parent().unwrap()).unwrap();
    std::fs::write(&seven, b"7z\xbc\xaf\x27\x1c\0\x04").unwrap();
    let ran = run(&folder.path().join("other"), &["ingest", seven.parent().unwrap().to_str().unwrap()]);
    let hint = "audit.7z` may be a log: not opened: a 7z archive; unpack it and ingest what is in it";
    assert!(ran.code == Some(2) && ran.stderr.contains(hint), "{}", ran.stderr);
}

#[test]
fn rejected_lines_are_told_by_exit_code_and_message() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(&folder.path().join("case"), &["ingest", &logs("tests/logs/damage")[0]]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("937 records of 1 source = 936 events + 0 duplicates + 1 rejected"), "{}", ran.stderr);
    assert!(ran.stderr.contains("warning: 1 of 937 records is no audit event"), "{}", ran.stderr);
    assert!(ran.stdout.contains("disk-full.log.gz"), "{}", ran.stdout);
}

#[test]
fn labels_come_from_the_command_line_or_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("cp-1/var/log/kubernetes/audit");
    std::fs::create_dir_all(&log).unwrap();
    std::fs::copy(repository("sample-logs/hardened/audit.log"), log.join("audit.log")).unwrap();
    let evidence = folder.path().to_str().unwrap();
    let source = |case: &str, arguments: &[&str]| {
        let arguments = [&["ingest", evidence, "--format", "json"], arguments].concat();
        run(&tempfile::tempdir().unwrap().path().join(case), &arguments).json()["sources"][0].clone()
    };
    let told = source("a", &[]);
    assert_eq!((&told["host"], &told["cluster"]), (&"cp-1".into(), &serde_json::Value::Null));
    let given = source("b", &["--host", "x", "--cluster", "prod"]);
    assert_eq!((&given["host"], &given["cluster"]), (&"x".into(), &"prod".into()));
}

#[test]
fn bad_usage_gives_a_message_and_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("audit.log"), "").unwrap();
    std::fs::create_dir(path("docs")).unwrap();
    std::fs::write(path("docs/readme.txt"), "nothing").unwrap();
    let check = |case: &str, arguments: &[&str], message: &str, hint: &str| {
        let ran = run(path(case).as_ref(), arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        assert_eq!(ran.stderr, format!("error: {message}\n\nhint: {hint}\n"));
    };
    let typo = path("audti.log");
    check(
        "case",
        &["ingest", &typo],
        &format!("`{typo}` does not exist"),
        &format!("did you mean `{}`?", path("audit.log")),
    );
    assert!(!folder.path().join("case").exists(), "a typing error leaves nothing behind");
    check(
        "docs",
        &["ingest", &path("audit.log")],
        &format!("`{}` is a folder with other files in it, not a case", path("docs")),
        "name a new or an empty folder with `--case DIR`",
    );
    check(
        "case",
        &["ingest", &path("docs")],
        "no audit log found in the given folders (1 other file in them)",
        "a file that is named itself is read whatever it holds, and its lines are kept as rejects",
    );
    let ran = run(path("case").as_ref(), &["ingest"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("<PATH>..."), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_old_case() {
    // A limit on the size of files stands for the full disk: writing fails in the middle all the same.
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let before = ingest(&case, &logs("sample-logs/moderate"));
    let binary = kforensic().get_program().to_owned();
    let script = format!(
        "trap '' XFSZ; ulimit -f 16; exec {:?} --case {:?} ingest {}",
        binary,
        case,
        logs("sample-logs/hardened").join(" ")
    );
    let output = Command::new("bash").arg("-c").arg(script).bounded_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.starts_with("error: cannot write `"), "{stderr}");
    let status = run(&case, &["status", "--format", "json"]).json();
    assert_eq!((&status["fingerprint"], &status["events"]), (&before["fingerprint"], &568.into()));
    assert_eq!(ingest(&case, &logs("sample-logs/hardened"))["events"], 8_973);
}

#[cfg(unix)]
#[test]
fn an_interrupted_ingest_leaves_the_old_case() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/moderate"));
    // A pipe that never ends keeps the ingest waiting for as long as it takes.
    let mut command = kforensic();
    command.arg("--case").arg(&case).args(["ingest", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.start().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(&std::fs::read(repository("sample-logs/hardened/audit.log")).unwrap()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = finish(child);
    drop(pipe);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.as_str()), (Some(130), "error: interrupted\n"));
    assert_eq!(run(&case, &["status", "--format", "json"]).json()["events"], 568);
}

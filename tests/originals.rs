//! `kforensic ingest --keep-originals`: the case holds the sources themselves, and proves it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};

use common::{Ran, ingest, logs, repository, run, run_with_input};
use serde_json::Value;

const KEEP: [&str; 4] = ["ingest", "--keep-originals", "--format", "json"];

fn keep(case: &Path, logs: &[&str]) -> Value {
    let ran = run(case, &[&KEEP[..], logs].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.json()
}

/// Files in the folder of the kept originals.
fn kept(case: &Path) -> Vec<PathBuf> {
    let Ok(folder) = std::fs::read_dir(case.join("originals")) else { return Vec::new() };
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn unpacked(path: &Path) -> Vec<u8> {
    zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap()
}

/// What `verify` finds wrong: names and problems.
fn problems(case: &Path) -> Vec<(String, String)> {
    let ran = run(case, &["verify", "--format", "json"]);
    let found = ran.json();
    assert_eq!(ran.code, Some(if found["passed"] == true { 0 } else { 3 }), "{ran:?}");
    let text = |problem: &Value, field: &str| problem[field].as_str().unwrap().to_owned();
    found["case"]["problems"].as_array().unwrap().iter().map(|p| (text(p, "name"), text(p, "problem"))).collect()
}

/// Audit id and stage of the first event of a log.
fn first_event(log: &[u8]) -> (Value, String, String) {
    let event: Value = serde_json::from_slice(log.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    let text = |field: &str| event[field].as_str().unwrap().to_owned();
    (event.clone(), text("auditID"), text("stage"))
}

#[test]
fn every_source_is_kept_once_byte_for_byte_and_read_only() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let copy = folder.path().join("copy.log.gz");
    let logs = logs("sample-logs/hardened");
    std::fs::copy(&logs[0], &copy).unwrap();
    let names = [&logs[0], copy.to_str().unwrap(), &logs[4]];
    let accounts = keep(&case, &names);
    let sources = accounts["sources"].as_array().unwrap();
    // The same bytes under two names are kept once, and both accounts name them.
    assert_eq!(sources[0]["original"], sources[1]["original"]);
    let files = kept(&case);
    assert_eq!(files.len(), 2);
    for (source, name) in sources.iter().zip(names) {
        let file = case.join(source["original"]["path"].as_str().unwrap());
        assert_eq!(file.file_stem().unwrap().to_str(), source["sha256"].as_str());
        assert_eq!(source["original"]["size_bytes"], file.metadata().unwrap().len());
        assert!(unpacked(&file) == std::fs::read(name).unwrap(), "{name}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o444);
            assert_eq!(case.join("originals").metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }
    let status = run(&case, &["status", "--format", "json"]).json();
    assert_eq!(status["originals"]["files"], 2);
    let status = run(&case, &["status"]).stdout;
    assert!(status.contains(" bytes: the sources themselves, with all secrets in them\n"), "{status}");
    assert_eq!(problems(&case), []);
    let verified = run(&case, &["verify"]).stderr;
    assert!(verified.contains("kept originals: 2 whole, and the sources come out of them\n"), "{verified}");
    // Read before, and kept before: nothing new, no complaint.
    let again = run(&case, &[&["ingest", "--keep-originals"], &names[..]].concat());
    assert!(again.code == Some(0) && !again.stderr.contains("warning"), "{again:?}");
    assert_eq!(kept(&case), files);
}

#[test]
fn without_the_option_nothing_is_kept_and_it_is_said_when_it_is_too_late() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let log = &logs("sample-logs/hardened")[4..];
    ingest(&case, log);
    assert!(!case.join("originals").exists());
    assert!(run(&case, &["status"]).stdout.contains("originals    none kept\n"));
    let late = run(&case, &["ingest", "--keep-originals", &log[0]]);
    let warning = format!("warning: no copy is kept of `{}`: it was read before, without one\n", log[0]);
    assert!(late.code == Some(0) && late.stderr.contains(&warning), "{late:?}");
}

#[test]
fn show_reads_the_kept_original_when_the_source_is_gone_or_changed_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let path = folder.path().join("audit.log");
    let log = std::fs::read(&logs("sample-logs/hardened")[4]).unwrap();
    let half = 1 + log[..log.len() / 2].iter().rposition(|byte| *byte == b'\n').unwrap();
    std::fs::write(&path, &log[..half]).unwrap();
    keep(&case, &[path.to_str().unwrap()]);
    // The log grows; its second part belongs to a source that goes on behind the first.
    std::fs::write(&path, &log).unwrap();
    let grown = keep(&case, &[path.to_str().unwrap()]);
    assert_eq!(grown["sources"][0]["continues_bytes"], half);
    assert_eq!(kept(&case).len(), 2);
    let raw = |bytes: &[u8]| {
        let (event, id, stage) = first_event(bytes);
        let ran: Ran = run(&case, &["show", &id, "--stage", &stage, "--raw"]);
        assert_eq!((ran.code, ran.json()), (Some(0), event), "{ran:?}");
        ran.stderr
    };
    assert!(!raw(&log).contains("note: "));
    let mut altered = log.clone();
    altered[5] ^= 1;
    std::fs::write(&path, altered).unwrap();
    for part in [&log[..], &log[half..]] {
        let said = raw(part);
        assert!(said.contains("is not what it was") && said.contains("`, which the case keeps"), "{said}");
    }
    std::fs::remove_file(&path).unwrap();
    // The copy of the first source is gone too: that of its successor begins with it.
    let first = grown["sources"][0]["original"]["path"].as_str().unwrap();
    for file in kept(&case).iter().filter(|file| !file.ends_with(first.rsplit('/').next().unwrap())) {
        std::fs::remove_file(file).unwrap();
    }
    let said = raw(&log);
    assert!(said.contains("cannot be read: No such file") && said.contains(first), "{said}");
    // A copy that was altered is no evidence: the event is rebuilt, and the exit code says so.
    let file = case.join(first);
    let bytes = zstd::encode_all(&b"{}\n"[..], 3).unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, bytes).unwrap();
    let (event, id, stage) = first_event(&log);
    let ran = run(&case, &["show", &id, "--stage", &stage, "--raw"]);
    assert_eq!((ran.code, ran.json()), (Some(3), event));
}

#[test]
fn standard_input_is_kept_whether_the_case_is_new_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let log = std::fs::read(repository("sample-logs/hardened/audit.log")).unwrap();
    let gz = std::fs::read(&logs("sample-logs/hardened")[0]).unwrap();
    for (number, bytes) in [&log, &gz].into_iter().enumerate() {
        let accounts = run_with_input(&case, &[&KEEP[..], &["-"]].concat(), bytes).json();
        let file = case.join(accounts["sources"][0]["original"]["path"].as_str().unwrap());
        assert!(&unpacked(&file) == bytes);
        assert_eq!(kept(&case).len(), number + 1);
    }
    let (event, id, stage) = first_event(&log);
    let ran = run(&case, &["show", &id, "--stage", &stage, "--raw"]);
    assert_eq!((ran.code, ran.json()), (Some(0), event));
    assert!(ran.stderr.contains("standard input, which cannot be read again; these are its bytes"), "{}", ran.stderr);
}

#[test]
fn a_missing_a_strange_and_an_altered_original_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    keep(&case, &[&logs("sample-logs/hardened")[4]]);
    let file = kept(&case)[0].clone();
    let bytes = std::fs::read(&file).unwrap();
    let name = file.display().to_string();
    std::fs::remove_file(&file).unwrap();
    let missing = problems(&case);
    assert!(missing.len() == 1 && missing[0].0 == name && missing[0].1.starts_with("cannot be read: "), "{missing:?}");
    let mut altered = bytes.clone();
    altered[bytes.len() / 2] ^= 1;
    std::fs::write(&file, &altered).unwrap();
    let flipped = problems(&case);
    assert!(flipped.len() == 1 && flipped[0].1.starts_with("has SHA-256 "), "{flipped:?}");
    std::fs::write(&file, &bytes[1..]).unwrap();
    assert!(problems(&case)[0].1.starts_with("has "));
    std::fs::write(&file, &bytes).unwrap();
    let stray = file.with_file_name(format!("{}.zst", "0".repeat(64)));
    std::fs::write(&stray, "x").unwrap();
    assert_eq!(problems(&case), [(stray.display().to_string(), "is not part of the case".to_owned())]);
    // The next writer refuses the case for it, and leaves it to whoever put it there.
    let refused = run(&case, &[&KEEP[..], &[&logs("sample-logs/hardened")[0]]].concat());
    assert!(refused.code == Some(3) && refused.stderr.contains(&*stray.to_string_lossy()), "{refused:?}");
    std::fs::remove_file(&stray).unwrap();
    keep(&case, &[&logs("sample-logs/hardened")[0]]);
    assert_eq!((kept(&case).len(), problems(&case).len()), (2, 0));
}

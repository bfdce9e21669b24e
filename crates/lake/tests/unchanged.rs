//! A source that was left alone since it was read is not read again, and one that was touched is.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use kforensic_lake::{IngestOptions, Progress, Report, Writer, ingest};
use serde_json::{Value, json};

/// Longer than a file has to be left alone before what is found in it is remembered.
const A_WHILE: Duration = Duration::from_millis(250);

/// A log of more than a mebibyte, each line with the letter in its ids.
fn write_log(path: &Path, letter: char) {
    let mut file = File::create(path).unwrap();
    for number in 0..4_000 {
        writeln!(
            file,
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{letter}-{number:06}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/prod/secrets/s","verb":"get","user":{{"username":"bob"}},"sourceIPs":["192.0.2.1"],"responseStatus":{{"code":200}},"requestReceivedTimestamp":"2026-11-21T20:37:37.325661Z","stageTimestamp":"2026-11-21T20:37:37.325661Z"}}"#
        )
        .unwrap();
    }
    assert!(path.metadata().unwrap().len() > 1 << 20);
}

struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ingest(&self, logs: &[&Path]) -> Report {
        let writer = Writer::open(&self.path("case"), "test").unwrap();
        let options = IngestOptions {
            paths: logs.iter().map(|log| log.to_path_buf()).collect(),
            threads: 2,
            memory: Some(self.path("cache")),
            ..IngestOptions::default()
        };
        ingest(&writer, &options, &Progress::default()).unwrap()
    }

    fn memory(&self) -> PathBuf {
        fs::read_dir(self.path("cache")).unwrap().next().unwrap().unwrap().path()
    }

    fn remembered(&self) -> Value {
        serde_json::from_slice(&fs::read(self.memory()).unwrap()).unwrap()
    }
}

#[test]
fn what_was_left_alone_is_known_without_being_read() {
    let case = Case::new();
    let (log, other) = (case.path("audit.log"), case.path("other.log"));
    write_log(&log, 'a');
    write_log(&other, 'b');
    thread::sleep(A_WHILE);
    assert_eq!(case.ingest(&[&log]).events, 4_000);
    let mut memory = case.remembered();
    assert_eq!(memory["sources"].as_array().unwrap().len(), 1);
    assert!(case.ingest(&[&log]).version.is_none());
    // That it is the memory which answers shows where it is wrong: another file of the same length that it takes for known.
    let found = other.metadata().unwrap();
    memory["sources"][0]["stamp"] = json!({
        "device": found.dev(), "inode": found.ino(), "size": found.len(),
        "modified": [found.mtime(), found.mtime_nsec()], "changed": [found.ctime(), found.ctime_nsec()],
    });
    fs::write(case.memory(), memory.to_string()).unwrap();
    assert!(case.ingest(&[&other]).version.is_none());
    fs::remove_file(case.memory()).unwrap();
    assert_eq!(case.ingest(&[&other]).events, 4_000, "without a memory it is read");
}

#[test]
fn what_was_touched_is_read_whatever_its_time_says() {
    let case = Case::new();
    let log = case.path("audit.log");
    write_log(&log, 'a');
    thread::sleep(A_WHILE);
    case.ingest(&[&log]);
    // The same length and the time of the last change set back, as somebody would who exchanges evidence.
    let modified = log.metadata().unwrap().modified().unwrap();
    write_log(&log, 'b');
    File::options().write(true).open(&log).unwrap().set_modified(modified).unwrap();
    let report = case.ingest(&[&log]);
    assert_eq!((report.events, report.duplicates), (4_000, 0));
    // It was written a moment ago, and could have been written again unseen: it is not remembered yet.
    let known = case.remembered()["sources"].as_array().unwrap().len();
    thread::sleep(A_WHILE);
    assert!(case.ingest(&[&log]).version.is_none());
    assert_eq!(case.remembered()["sources"].as_array().unwrap().len(), known + 1);
    // Two files under names that look alike are two.
    let copy = case.path("copy.log");
    fs::copy(&log, &copy).unwrap();
    thread::sleep(A_WHILE);
    assert!(case.ingest(&[&log, &copy]).version.is_none());
    assert_eq!(case.remembered()["sources"].as_array().unwrap().len(), known + 2);
}

#[test]
fn a_member_of_an_archive_and_a_small_file_are_not_remembered() {
    let case = Case::new();
    let small = case.path("audit.log");
    fs::write(&small, br#"{"level":"Metadata","auditID":"a","stage":"ResponseComplete","verb":"get","user":{"username":"bob"},"requestReceivedTimestamp":"2026-11-21T20:37:37.325661Z","stageTimestamp":"2026-11-21T20:37:37.325661Z"}"#).unwrap();
    thread::sleep(A_WHILE);
    assert_eq!(case.ingest(&[&small]).events, 1);
    let is_empty = !case.path("cache").exists()
        || fs::read_dir(case.path("cache")).unwrap().all(|entry| {
            let memory: Value = serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
            memory["sources"].as_array().is_none_or(Vec::is_empty)
        });
    assert!(is_empty);
}

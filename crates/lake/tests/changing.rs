//! Sources that grow, shrink, or are replaced while they are read: nothing lost, nothing twice.
//!
//! A pipe that stands before the log holds the ingest up: chunks are taken up in the order of the sources,
//! and no more than 16 MiB of the log are read ahead. So the log changes in the middle of its reading, every time.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{ingest_all, originals, rebuilt, rejects};
use kforensic_lake::{Case, IngestOptions, Progress, Report, Writer, ingest};

/// What is read of a log before its reader waits: eight chunks of 2 MiB, less a record that stands across the end.
const READ_AHEAD_BYTES: u64 = 15 << 20;

/// Events of a log that is longer than that.
const EVENTS: usize = 3_000;

/// Blank lines that come through the pipe, in bytes: so much of a pipe is looked at before anything is read.
const PIPE_BYTES: usize = 2 << 20;

/// Events of about 8 KiB.
fn events(name: &str, count: usize) -> String {
    let filler = "x".repeat(8 << 10);
    let event = |number: usize| {
        format!(
            "{{\"kind\":\"Event\",\"level\":\"Request\",\"auditID\":\"{name}-{number}\",\"stage\":\"ResponseComplete\",\
             \"verb\":\"get\",\"user\":{{}},\"stageTimestamp\":\"2026-11-21T20:37:37.325661Z\",\
             \"requestObject\":{{\"data\":\"{filler}\"}}}}\n"
        )
    };
    (0..count).map(event).collect()
}

struct Evidence {
    folder: tempfile::TempDir,
    log: PathBuf,
    case: PathBuf,
}

impl Evidence {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (log, case) = (folder.path().join("audit.log"), folder.path().join("case"));
        std::fs::write(&log, events("old", EVENTS)).unwrap();
        Self { folder, log, case }
    }

    /// Ingests the log, and changes it when it has been read in part.
    fn ingest_while(&self, change: impl FnOnce(&Path)) -> Report {
        // An ingest that fails never opens the pipe, or never reads on.
        let _limit = common::limit();
        let pipe = self.folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let progress = Arc::new(Progress::default());
        let (paths, case, seen) = (vec![pipe.clone(), self.log.clone()], self.case.clone(), Arc::clone(&progress));
        let run = thread::spawn(move || {
            let options = IngestOptions { paths, threads: 2, keep_originals: true, ..IngestOptions::default() };
            ingest(&Writer::open(&case, "test").unwrap(), &options, &seen).unwrap()
        });
        let mut writing = File::options().write(true).open(&pipe).unwrap();
        writing.write_all(&[b'\n'; PIPE_BYTES]).unwrap();
        while progress.read_bytes() < PIPE_BYTES as u64 + READ_AHEAD_BYTES {
            assert!(!run.is_finished(), "the ingest ended before its sources did");
            thread::sleep(Duration::from_millis(5));
        }
        // Long enough for a chunk that is on its way; nothing goes wrong when it is not.
        thread::sleep(Duration::from_millis(50));
        change(&self.log);
        drop(writing);
        let report = run.join().unwrap();
        assert_eq!(report.records, report.events + report.duplicates + report.rejected);
        // The kept copy is what was read, whatever became of the file.
        assert_eq!(kforensic_lake::verify(&Case::open(&self.case).unwrap()).unwrap().problems, []);
        report
    }

    /// Ingests the log as it is now, twice: the second time there is nothing to add.
    fn ingest_again(&self) -> Report {
        let report = ingest_all(&self.case, std::slice::from_ref(&self.log));
        let nothing = ingest_all(&self.case, std::slice::from_ref(&self.log));
        assert_eq!((nothing.records, nothing.version), (0, None));
        report
    }
}

fn append(path: &Path, text: &str) {
    File::options().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_log_that_grows_is_read_to_where_it_ends() {
    let evidence = Evidence::new();
    let report = evidence.ingest_while(|log| append(log, &events("new", 10)));
    assert_eq!((report.events, report.sources[1].changed_while_read.clone()), (EVENTS as u64 + 10, None));
    assert_eq!(evidence.ingest_again().records, 0);
    assert_eq!(rebuilt(&evidence.case), originals(std::slice::from_ref(&evidence.log)));
}

#[test]
fn a_log_that_is_cut_off_keeps_what_was_read_and_says_so() {
    let evidence = Evidence::new();
    let whole = std::fs::read(&evidence.log).unwrap();
    let report =
        evidence.ingest_while(|log| File::options().write(true).open(log).unwrap().set_len(1_000_000).unwrap());
    assert!((1_900..EVENTS as u64).contains(&report.events), "{}", report.events);
    let changed = report.sources[1].changed_while_read.as_ref().unwrap();
    assert!(changed.ends_with(" bytes were read, but only 1000000 are left"), "{changed}");
    // Whole again, as a copy of it may be: what was not read is added, and nothing else.
    std::fs::write(&evidence.log, whole).unwrap();
    let rest = evidence.ingest_again();
    assert_eq!((report.events + rest.events, rest.duplicates), (EVENTS as u64, 0));
    assert_eq!(rebuilt(&evidence.case), originals(std::slice::from_ref(&evidence.log)));
}

#[test]
fn a_log_that_is_replaced_is_read_to_its_end_and_its_successor_the_next_time() {
    let evidence = Evidence::new();
    let rotated = evidence.folder.path().join("rotated.log");
    let report = evidence.ingest_while(|log| {
        std::fs::rename(log, &rotated).unwrap();
        std::fs::write(log, events("new", 10)).unwrap();
    });
    assert_eq!((report.events, report.sources[1].changed_while_read.clone()), (EVENTS as u64, None));
    assert_eq!(evidence.ingest_again().events, 10);
    assert_eq!(rebuilt(&evidence.case), originals(&[rotated, evidence.log]));
}

#[test]
fn a_log_that_is_cut_off_and_grows_past_the_reader_is_read_again_the_next_time() {
    let evidence = Evidence::new();
    let report = evidence.ingest_while(|log| std::fs::write(log, events("new", EVENTS)).unwrap());
    // The end of the new log stands behind the beginning of the old one; both are events all the same.
    assert!(report.events > 2_900 && report.events <= EVENTS as u64, "{}", report.events);
    let again = evidence.ingest_again();
    assert_eq!((again.events + again.duplicates, again.rejected), (EVENTS as u64, 0));
    let (held, new) = (rebuilt(&evidence.case), originals(std::slice::from_ref(&evidence.log)));
    let held_of_new = held.iter().filter(|event| event["auditID"].as_str().unwrap().starts_with("new-"));
    assert_eq!(held_of_new.collect::<Vec<_>>(), new.iter().collect::<Vec<_>>());
    assert!(rejects(&evidence.case).len() <= 1, "at most the line at which the two meet");
}

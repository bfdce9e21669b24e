//! Whatever happened to a log before it was ingested, the case holds its records, each once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{content, folder, gzip, ingest_as, logs, originals, rebuilt, rejects};
use kforensic_lake::SecretValues;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use serde_json::Value;

/// Histories that are tried in each of the two tests, which run at the same time. Most of a history is setting up and taking
/// down what compresses the columns of its small files: 50 ms.
const HISTORIES: u32 = 256;

/// Length of the log in bytes: a dozen records, so that cuts hit all of their parts.
const LOG_BYTES: usize = 16_000;

/// Times that a log is rotated at most.
const MAX_SPLITS: usize = 3;

/// Copies of its parts, beside the parts themselves, at most.
const MAX_COPIES: usize = 4;

/// A real log with two damaged lines in it.
fn log() -> Vec<u8> {
    let mut log = content(&logs("sample-logs/hardened")[1]);
    let end = 1 + log[..LOG_BYTES].iter().rposition(|byte| *byte == b'\n').unwrap();
    log.truncate(end);
    let middle = 1 + log[..end / 2].iter().rposition(|byte| *byte == b'\n').unwrap();
    let damage = b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"lev\nno text: \xff\xfe\n";
    log.splice(middle..middle, damage.iter().copied());
    log
}

/// The log as it was rotated: cut behind some of its lines.
fn split(log: &[u8], at: &[Index]) -> Vec<Vec<u8>> {
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', log).map(|newline| newline + 1).collect();
    let mut borders: BTreeSet<usize> = at.iter().map(|index| *index.get(&ends)).collect();
    borders.extend([0, log.len()]);
    let borders: Vec<usize> = borders.into_iter().collect();
    borders.windows(2).map(|pair| log[pair[0]..pair[1]].to_vec()).collect()
}

/// A file with the beginning of a part, or all of it.
#[derive(Debug, Clone)]
struct Copy {
    bytes: Vec<u8>,
    compressed: bool,
}

/// The order in which the files are ingested, and which ones together with the next.
type Order = Vec<(u32, bool)>;

/// Ingests the files in that order, and returns events and rejects of the case.
fn history(folder: &Path, copies: &[Copy], order: &Order) -> (Vec<Value>, Vec<Vec<u8>>) {
    std::fs::create_dir(folder).unwrap();
    let case = folder.join("case");
    let mut files: Vec<(u32, bool, PathBuf)> = Vec::new();
    for (number, (copy, (place, with_next))) in copies.iter().zip(order).enumerate() {
        let path = folder.join(format!("{number}.log"));
        std::fs::write(&path, if copy.compressed { gzip(&copy.bytes) } else { copy.bytes.clone() }).unwrap();
        files.push((*place, *with_next, path));
    }
    files.sort();
    let mut together = Vec::new();
    let mut stored = 0;
    for (_, with_next, path) in files {
        together.push(path);
        if !with_next {
            stored += ingest_as(&case, &std::mem::take(&mut together), SecretValues::Kept).events;
        }
    }
    if !together.is_empty() {
        stored += ingest_as(&case, &together, SecretValues::Kept).events;
    }
    let events = rebuilt(&case);
    assert_eq!(stored, events.len() as u64);
    let mut raw: Vec<Vec<u8>> = rejects(&case).into_iter().map(|reject| reject.3).collect();
    raw.sort();
    (events, raw)
}

/// The records of the files that are no events. The same place of a copy of the same log counts once.
fn expected_rejects(copies: &[Copy]) -> Vec<Vec<u8>> {
    let mut seen = BTreeSet::new();
    let mut rejects = Vec::new();
    for copy in copies {
        let mut end = 0;
        for line in copy.bytes.split_inclusive(|byte| *byte == b'\n') {
            let record = line.strip_suffix(b"\n").unwrap_or(line);
            let is_event = serde_json::from_slice::<Value>(record).is_ok();
            if !is_event && !record.is_empty() && seen.insert(&copy.bytes[..end + record.len()]) {
                rejects.push(record.to_vec());
            }
            end += line.len();
        }
    }
    rejects.sort();
    rejects
}

/// Splits of a log, copies of its parts (which one, where it is cut, whether it is compressed), and an order of all.
type History = (Vec<Index>, Vec<(Index, Index, bool)>, Order);

fn histories() -> impl Strategy<Value = History> {
    (
        prop::collection::vec(any::<Index>(), 0..=MAX_SPLITS),
        prop::collection::vec((any::<Index>(), any::<Index>(), any::<bool>()), 0..=MAX_COPIES),
        prop::collection::vec(any::<(u32, bool)>(), 1 + MAX_SPLITS + MAX_COPIES),
    )
}

/// What the case holds does not depend on the order: what is expected is told from the files alone.
fn check((splits, cuts, order): &History) -> Result<(), TestCaseError> {
    let log = log();
    let parts = split(&log, splits);
    let mut copies: Vec<Copy> = parts.iter().map(|part| Copy { bytes: part.clone(), compressed: false }).collect();
    for (part, cut, compressed) in cuts {
        let part = part.get(&parts);
        copies.push(Copy { bytes: part[..cut.index(part.len() + 1)].to_vec(), compressed: *compressed });
    }
    let folder = folder();
    let whole = folder.path().join("whole.log");
    std::fs::write(&whole, &log).unwrap();
    let expected = (originals(&[whole]), expected_rejects(&copies));
    prop_assert!(expected.0.len() > 5 && expected.1.len() >= 2);
    prop_assert_eq!(&history(&folder.path().join("history"), &copies, order), &expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: HISTORIES, ..ProptestConfig::default() })]

    /// Split, cut, compressed and repeated at random, in a random order, in one run or in many.
    #[test]
    fn every_history_gives_every_record_once_in_any_order(history in histories()) {
        check(&history)?;
    }

    /// The same again, on another processor.
    #[test]
    fn more_histories_give_every_record_once_in_any_order(history in histories()) {
        check(&history)?;
    }
}

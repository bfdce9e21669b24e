//! Compaction and pruning: what changes in a case, and what must not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{content, ingest_all, logs, rebuilt, rejects, rows, tree, with_key};
use kforensic_event::{COLUMNS, Cell, time};
use kforensic_lake::{
    Case, Compaction, DataFile, GRACE_MS, LakeError, Progress, Pruning, Snapshot, UpkeepOptions, Writer, compact,
    prunable, prune, verify,
};

/// Instant of the first upkeep, in milliseconds since 1970.
const NOW_MS: i64 = 1_800_000_000_000;

fn options(now_ms: i64) -> UpkeepOptions {
    UpkeepOptions { grace_ms: GRACE_MS, threads: 2, arguments: vec!["test".to_owned()], now_ms }
}

fn try_compact(case: &Path, allowed: usize, now_ms: i64) -> Result<Compaction, LakeError> {
    compact(&Writer::open(case, "test")?, allowed, &options(now_ms), &Progress::default())
}

fn try_prune(case: &Path, before: i64, now_ms: i64) -> Result<Pruning, LakeError> {
    prune(&Writer::open(case, "test")?, before, &options(now_ms), &Progress::default())
}

fn snapshot(case: &Path) -> Snapshot {
    Case::open(case).unwrap().snapshot().unwrap()
}

fn check(case: &Path) {
    let found = verify(&Case::open(case).unwrap()).unwrap();
    assert_eq!(found.problems, []);
}

/// The content of the logs, cut at line ends into as many files, with two damaged lines in the middle of each.
fn pieces(folder: &Path, logs: &[PathBuf], count: usize) -> Vec<PathBuf> {
    let text: Vec<u8> = logs.iter().flat_map(|log| content(log)).collect();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let pieces = lines.chunks(lines.len().div_ceil(count)).enumerate().map(|(number, lines)| {
        let path = folder.join(format!("piece-{number:02}.log"));
        let (left, right) = lines.split_at(lines.len() / 2);
        let damaged = format!("{{\"kind\":\"Event\",\"number\":{number}}}\nkaput {number}\n");
        std::fs::write(&path, [left.concat(), damaged.into_bytes(), right.concat()].concat()).unwrap();
        path
    });
    pieces.collect()
}

/// A case into which pieces of a real log were ingested one by one.
fn many_ingests(folder: &Path, name: &str, count: usize) -> PathBuf {
    let case = with_key(folder.join(name));
    for piece in pieces(folder, &logs("sample-logs/hardened"), count) {
        ingest_all(&case, &[piece]);
    }
    case
}

/// Every row with all its columns, in the order of the file.
fn rows_of(file: &DataFile) -> Vec<String> {
    let mut all = Vec::new();
    rows(file, &mut |cell| {
        all.push(format!("{:?}", COLUMNS.iter().map(|column| cell(column.name)).collect::<Vec<_>>()));
    });
    all
}

/// Every row of a case, by folder, sorted.
fn all_rows(case: &Path) -> BTreeMap<String, Vec<String>> {
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in &snapshot(case).files {
        let folder = file.name.rsplit_once('/').unwrap().0;
        folders.entry(folder.to_owned()).or_default().extend(rows_of(file));
    }
    folders.values_mut().for_each(|rows| rows.sort());
    folders
}

fn event_times(case: &Path) -> Vec<i64> {
    let mut times = Vec::new();
    for file in snapshot(case).event_files() {
        rows(file, &mut |cell| times.push(cell("event_time").int().unwrap()));
    }
    times.sort_unstable();
    times
}

#[test]
fn twenty_small_ingests_become_one_file_for_each_folder_with_the_same_rows() {
    let folder = common::folder();
    let case = many_ingests(folder.path(), "case", 20);
    let (before, old) = (all_rows(&case), snapshot(&case));
    let done = try_compact(&case, 1, NOW_MS).unwrap();
    let new = snapshot(&case);
    assert_eq!(done.version, Some(20));
    assert_eq!(done.fingerprint, new.fingerprint);
    assert_eq!(new.operations.last().unwrap().compacted, Some(done.compacted.clone()));
    assert!(old.files.len() > 200, "{}", old.files.len());
    assert_eq!((new.files.len(), all_rows(&case)), (before.len(), before));
    // What was in a folder alone stays as it was.
    let kept = old.files.iter().filter(|file| new.files.contains(file)).count() as u64;
    assert_eq!(done.compacted.files_before, old.files.len() as u64 - kept);
    assert_eq!(done.compacted.files_after, new.files.len() as u64 - kept);
    check(&case);
    // Nothing is left to merge, so there is no commit.
    let again = try_compact(&case, 1, NOW_MS).unwrap();
    assert_eq!((again.version, again.fingerprint), (None, done.fingerprint));
}

#[test]
fn merged_rows_stand_by_time_and_then_in_the_order_of_reading() {
    let folder = common::folder();
    let case = many_ingests(folder.path(), "case", 12);
    // Twice, with ingests in between whose ids (`12-0`) sort before earlier ones (`2-0`) as texts.
    try_compact(&case, 1, NOW_MS).unwrap();
    ingest_all(&case, &logs("sample-logs/moderate"));
    try_compact(&case, 1, NOW_MS).unwrap();
    let mut ties = 0;
    for file in snapshot(&case).files {
        let mut last = None;
        rows(&file, &mut |cell| {
            let resource = match file.resource_partition.as_str() {
                "_other" => cell("resource").text().unwrap_or_default().to_owned(),
                _ => String::new(),
            };
            let (commit, source) = cell("source_id").text().unwrap().split_once('-').unwrap();
            let place: [u64; 2] = [commit.parse().unwrap(), source.parse().unwrap()];
            let key = (resource, cell("event_time").int(), place, cell("byte_offset").int());
            assert!(last.as_ref().is_none_or(|last| *last < key), "{} {last:?} {key:?}", file.name);
            ties += u32::from(last.as_ref().is_some_and(|last: &(_, Option<i64>, _, _)| last.1 == key.1));
            last = Some(key);
        });
    }
    assert!(ties > 100, "stages of a request share their time: {ties}");
}

#[test]
fn the_same_ingests_and_upkeep_give_the_same_bytes() {
    let folder = common::folder();
    let trees = ["one", "two"].map(|name| {
        let case = many_ingests(folder.path(), name, 10);
        try_compact(&case, 1, NOW_MS).unwrap();
        let half = event_times(&case)[4_000];
        try_prune(&case, half, NOW_MS).unwrap();
        tree(&case).into_iter().map(|(path, bytes)| (path.strip_prefix(&case).unwrap().to_owned(), bytes)).collect()
    });
    let [one, two]: [BTreeMap<PathBuf, Vec<u8>>; 2] = trees;
    assert!(one == two && one.len() > 100);
}

#[test]
fn removed_files_stay_for_those_who_read_them_and_are_deleted_later() {
    let folder = common::folder();
    let case = many_ingests(folder.path(), "case", 3);
    let old = snapshot(&case);
    let done = try_compact(&case, 1, NOW_MS).unwrap();
    assert_eq!(done.swept.waiting_files, done.compacted.files_before);
    let expected = all_rows(&case);
    // A reader that began before goes on; opening a writer deletes nothing; the files are no strays.
    ingest_all(&case, &logs("tests/logs/damage")[..1]);
    assert!(old.files.iter().all(|file| file.path.exists()));
    check(&case);
    let early = try_compact(&case, 1, NOW_MS + GRACE_MS - 1).unwrap();
    assert_eq!(early.swept.deleted_files, 0);
    // The first compaction's files are old enough now, the second's are not.
    let late = try_compact(&case, 1, NOW_MS + GRACE_MS).unwrap();
    assert_eq!((late.version, late.swept.deleted_files), (None, done.compacted.files_before));
    assert_eq!(late.swept.deleted_bytes, done.compacted.bytes_before);
    assert_eq!(late.swept.waiting_files, early.compacted.files_before);
    check(&case);
    let now = UpkeepOptions { grace_ms: 0, ..options(NOW_MS) };
    let forced = compact(&Writer::open(&case, "test").unwrap(), 1, &now, &Progress::default()).unwrap();
    assert_eq!((forced.swept.deleted_files, forced.swept.waiting_files), (early.compacted.files_before, 0));
    check(&case);
    let names: Vec<_> = snapshot(&case).files.into_iter().map(|file| file.path).collect();
    let parquet = tree(&case).into_keys().filter(|path| path.extension().is_some_and(|end| end == "parquet"));
    assert_eq!(parquet.collect::<Vec<_>>(), names);
    assert!(all_rows(&case).iter().all(|(folder, rows)| rows.len() >= expected.get(folder).map_or(0, Vec::len)));
}

#[test]
fn an_altered_file_is_neither_merged_nor_pruned() {
    let folder = common::folder();
    let case = many_ingests(folder.path(), "case", 3);
    let file = snapshot(&case).files[0].path.clone();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, bytes).unwrap();
    let before = tree(&case);
    let compacted = try_compact(&case, 1, NOW_MS).unwrap_err();
    let pruned = try_prune(&case, i64::MAX, NOW_MS).unwrap_err();
    for error in [compacted, pruned] {
        assert!(
            matches!(&error, LakeError::Altered { problem } if problem.contains(file.to_str().unwrap())),
            "{error}"
        );
    }
    assert_eq!(tree(&case), before);
}

#[test]
fn an_interrupted_upkeep_leaves_the_case_as_it_was() {
    let folder = common::folder();
    let case = many_ingests(folder.path(), "case", 3);
    let before = tree(&case);
    let progress = Progress::default();
    progress.cancel();
    let half = event_times(&case)[4_000];
    {
        let writer = Writer::open(&case, "test").unwrap();
        let compacted = compact(&writer, 1, &options(NOW_MS), &progress);
        assert!(matches!(compacted, Err(LakeError::Interrupted)), "{compacted:?}");
        let pruned = prune(&writer, half, &options(NOW_MS), &progress);
        assert!(matches!(pruned, Err(LakeError::Interrupted)), "{pruned:?}");
    }
    assert_eq!(tree(&case), before);
}

#[test]
fn pruning_is_exact_to_the_microsecond_and_on_record() {
    let folder = common::folder();
    let case = many_ingests(folder.path(), "case", 6);
    let (times, old) = (event_times(&case), snapshot(&case));
    // An instant that events have, in the middle of a piece: those events stay, the microsecond before goes.
    let before = times[5_000];
    let gone = times.partition_point(|time| *time < before);
    let said = prunable(&old, before).unwrap();
    let done = try_prune(&case, before, NOW_MS).unwrap();
    let new = snapshot(&case);
    assert_eq!(said, done.pruned, "what a dry run says is what happens");
    assert_eq!(new.operations.last().unwrap().pruned, Some(done.pruned.clone()));
    assert_eq!((done.pruned.events, event_times(&case)), (gone as u64, times[gone..].to_vec()));
    assert_eq!(done.pruned.first_event, Some(time::render(times[0])));
    assert_eq!(done.pruned.last_event, Some(time::render(times[gone - 1])));
    assert!(done.pruned.files > 20 && done.pruned.rewritten_files > 5, "{:?}", done.pruned);
    // Three pieces are wholly from before, and their rejects go with them. The fourth is not.
    assert_eq!((done.pruned.rejected, rejects(&case).len()), (6, 6));
    for (number, source) in new.sources().enumerate() {
        let mut left = (0, 0);
        for file in &new.files {
            rows(file, &mut |cell| {
                let mine = u64::from(cell("source_id") == Cell::Text(source.source_id.clone().leak()));
                *(if file.is_rejects() { &mut left.1 } else { &mut left.0 }) += mine;
            });
        }
        let pruned = new.pruned_of(&source.source_id);
        assert_eq!((left.0 + pruned.0, left.1 + pruned.1), (source.events, source.rejected), "{}", source.name);
        assert_eq!(pruned.1, if number < 3 { 2 } else { 0 }, "{}", source.name);
    }
    check(&case);
    // Once more finds nothing, and what was merged later is still right.
    assert_eq!(try_prune(&case, before, NOW_MS).unwrap().version, None);
    try_compact(&case, 1, NOW_MS).unwrap();
    check(&case);
    assert_eq!(event_times(&case), times[gone..]);
}

#[test]
fn verify_notices_when_more_is_gone_than_was_pruned() {
    let folder = common::folder();
    let case = many_ingests(folder.path(), "case", 2);
    let before = event_times(&case)[1_000];
    let gone = try_prune(&case, before, NOW_MS).unwrap().pruned.events;
    // Somebody with the tool's own means: the same log, sealed anew, with another number of pruned events.
    let log = case.join("events/_delta_log/00000000000000000002.json");
    let text = std::fs::read_to_string(&log).unwrap();
    let forged = text.replacen(&format!("\"events\":{gone},"), &format!("\"events\":{},", gone + 1), 2);
    assert_ne!(forged, text);
    let seal = |text: &str| {
        use sha2::Digest;
        sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let at = forged.find("\"seal\":\"").unwrap() + 8;
    let unsealed = format!("{}{}{}", &forged[..at], "0".repeat(64), &forged[at + 64..]);
    let sealed = format!("{}{}{}", &forged[..at], seal(&unsealed), &forged[at + 64..]);
    std::fs::remove_file(&log).unwrap();
    std::fs::write(&log, sealed).unwrap();
    let found = verify(&Case::open(&case).unwrap()).unwrap();
    assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
    assert!(found.problems[0].problem.contains("after pruning"), "{:?}", found.problems);
}

#[test]
fn a_pruned_source_stays_known_and_a_rewrapped_copy_does_not() {
    let folder = common::folder();
    let log = folder.path().join("audit.log");
    let text = content(&logs("sample-logs/hardened")[0]);
    let part = 1 + text[..text.len() / 2].iter().rposition(|byte| *byte == b'\n').unwrap();
    std::fs::write(&log, &text[..part]).unwrap();
    let case = folder.path().join("case");
    ingest_all(&case, std::slice::from_ref(&log));
    let first = event_times(&case);
    let before = first[first.len() / 2];
    let gone = try_prune(&case, before, NOW_MS).unwrap().pruned.events;
    let left = rebuilt(&case);
    // The same file, and the same content compressed: known, nothing comes back.
    let packed = folder.path().join("audit.log.gz");
    std::fs::write(&packed, common::gzip(&text[..part])).unwrap();
    let again = ingest_all(&case, &[log.clone(), packed]);
    assert_eq!((again.records, again.events), (0, 0));
    assert_eq!(rebuilt(&case), left);
    // Grown: the rest is read, all of it, and nothing else.
    std::fs::write(&log, &text).unwrap();
    let grown = ingest_all(&case, std::slice::from_ref(&log));
    let rest = text[part..].iter().filter(|byte| **byte == b'\n').count() as u64;
    assert_eq!((grown.events, grown.duplicates), (rest, 0));
    check(&case);
    // Another wrapper around the same events is another source: what is stored is a duplicate, what was pruned is not.
    let wrapped = folder.path().join("wrapped.log");
    let lines = text[..part].split_inclusive(|byte| *byte == b'\n');
    std::fs::write(&wrapped, lines.flat_map(|line| [b"host-1 audit: ", line].concat()).collect::<Vec<_>>()).unwrap();
    let back = ingest_all(&case, &[wrapped]);
    assert_eq!((back.events, back.duplicates), (gone, first.len() as u64 - gone));
    check(&case);
}

#[test]
fn a_case_can_be_pruned_to_nothing_and_filled_again() {
    let folder = common::folder();
    let case = many_ingests(folder.path(), "case", 2);
    let done = try_prune(&case, i64::MAX, NOW_MS).unwrap();
    let empty = snapshot(&case);
    assert_eq!((done.pruned.events, done.pruned.rejected), (8_973, 4));
    assert_eq!((empty.files.len(), empty.event_times()), (0, None));
    check(&case);
    ingest_all(&case, &logs("sample-logs/moderate"));
    assert_eq!(event_times(&case).len(), 568);
    check(&case);
}

#[test]
fn rejects_of_a_source_without_events_stay() {
    let folder = common::folder();
    let log = folder.path().join("noise.log");
    std::fs::write(&log, "no event\nnone either\n").unwrap();
    let case = folder.path().join("case");
    ingest_all(&case, &[log]);
    assert_eq!(try_prune(&case, i64::MAX, NOW_MS).unwrap().version, None);
    assert_eq!(rejects(&case).len(), 2);
}

#[test]
fn a_writer_that_takes_up_its_own_commits_knows_what_a_reader_reads() {
    let folder = common::folder();
    let case = many_ingests(folder.path(), "case", 4);
    let mut writer = Writer::open(&case, "test").unwrap();
    let before = event_times(&case)[3_000];
    compact(&writer, 1, &options(NOW_MS), &Progress::default()).unwrap();
    writer.refresh().unwrap();
    prune(&writer, before, &options(NOW_MS), &Progress::default()).unwrap();
    writer.refresh().unwrap();
    let known = writer.snapshot().unwrap();
    assert_eq!((known.version, format!("{known:?}")), (5, format!("{:?}", snapshot(&case))));
}

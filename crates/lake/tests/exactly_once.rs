//! Nothing twice, nothing missed: however a growing, rotated, compressed log is ingested.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};

use common::{content, gzip, ingest_all, key, logs, originals, rebuilt, rejects, same_but_redacted, tree, with_key};
use kforensic_event::{Cell, columns};
use kforensic_lake::{Case, Report};

/// Parts of the life of one log: a rotated file, and the live file at two moments.
struct Life {
    folder: tempfile::TempDir,
    rotated: Vec<u8>,
    live: Vec<u8>,
}

impl Life {
    fn new() -> Self {
        let logs = logs("sample-logs/hardened");
        // Two damaged lines travel with the log: rejects must not come twice either.
        let mut rotated = content(&logs[0]);
        rotated.extend_from_slice(b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"lev\n\xff\xfe\n");
        Self { folder: common::folder(), rotated, live: content(&logs[1]) }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A folder for a case. All have one key, so that what stands for secret values is the same in all.
    fn case(&self, name: &str) -> PathBuf {
        with_key(self.folder.path().join(name))
    }
}

/// Events and rejects of a case, without where they came from.
fn contents(case: &Path) -> (Vec<serde_json::Value>, Vec<Vec<u8>>) {
    (rebuilt(case), rejects(case).into_iter().map(|reject| reject.3).collect())
}

fn sum(reports: &[Report], of: fn(&Report) -> u64) -> u64 {
    reports.iter().map(of).sum()
}

#[test]
fn five_orders_give_the_same_case() {
    let life = Life::new();
    let half = life.rotated[..life.rotated.len() / 2].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let rotated_gz = life.write("audit-2026-11-21T20-37-10.530.log.gz", &gzip(&life.rotated));
    let rotated = life.write("audit-2026-11-21T20-37-10.530.log", &life.rotated);
    let live = life.write("audit.log", &life.live);
    let early = life.write("early.log", &life.rotated[..half]);

    let at_once = life.case("at-once");
    ingest_all(&at_once, &[rotated_gz.clone(), live.clone()]);
    let expected = contents(&at_once);
    assert_eq!(expected.1.len(), 2);
    let events = expected.0.len() as u64;

    // The live file while it grows, then what it was rotated to, compressed, and the next live file.
    let growing = life.case("growing");
    let reports = [
        ingest_all(&growing, std::slice::from_ref(&early)),
        ingest_all(&growing, std::slice::from_ref(&rotated)),
        ingest_all(&growing, std::slice::from_ref(&rotated_gz)),
        ingest_all(&growing, std::slice::from_ref(&live)),
    ];
    assert_eq!(contents(&growing), expected);
    assert_eq!((sum(&reports, |report| report.events), sum(&reports, |report| report.duplicates)), (events, 0));
    assert!(reports[1].sources[0].continues_bytes == half as u64, "only the rest is read");
    assert!(reports[2].sources[0].is_known(), "the compressed copy holds nothing new");

    // The compressed copy beside the plain one, in one run.
    let beside = life.case("beside");
    let report = ingest_all(&beside, &[rotated.clone(), rotated_gz.clone(), live.clone()]);
    assert_eq!(contents(&beside), expected);
    assert_eq!(report.sources[1].duplicates, report.sources[1].records, "a copy adds nothing");

    // Newest first, the early half last of all.
    let reversed = life.case("reversed");
    for path in [&live, &rotated_gz, &early] {
        ingest_all(&reversed, std::slice::from_ref(path));
    }
    assert_eq!(contents(&reversed), expected);

    // Everything twice.
    let twice = life.case("twice");
    let paths = [early, rotated, rotated_gz, live];
    ingest_all(&twice, &paths);
    let before = tree(&twice);
    let again = ingest_all(&twice, &paths);
    assert_eq!((again.records, again.version), (0, None));
    assert_eq!(tree(&twice).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "nothing is written");
    assert_eq!(contents(&twice), expected);
}

#[test]
fn a_torn_last_line_is_completed_when_the_log_has_grown() {
    let life = Life::new();
    let text = &life.live[..100_000];
    let torn = life.write("audit.log", text);
    let case = life.case("case");
    let first = ingest_all(&case, std::slice::from_ref(&torn));
    assert_eq!(first.rejected, 1);
    std::fs::write(&torn, &life.live).unwrap();
    let second = ingest_all(&case, std::slice::from_ref(&torn));
    assert_eq!((second.duplicates, second.rejected), (0, 0));
    let originals = originals(&[torn]);
    same_but_redacted(rebuilt(&case), originals.clone(), &key(&case));
    // The line number goes on where it was.
    let snapshot = Case::open(&case).unwrap().snapshot().unwrap();
    let mut lines = Vec::new();
    for file in snapshot.event_files() {
        common::rows(file, &mut |cell| lines.push(cell("line_number").int().unwrap()));
    }
    lines.sort_unstable();
    assert_eq!(lines, (1..=i64::try_from(originals.len()).unwrap()).collect::<Vec<_>>());
}

#[test]
fn the_same_log_written_otherwise_is_a_copy() {
    let life = Life::new();
    let plain = logs("sample-logs/hardened")[4].clone();
    let mut rewritten = String::new();
    for event in originals(std::slice::from_ref(&plain)) {
        // Other order of members, other white space, other escapes.
        let text = serde_json::to_string(&event).unwrap().replace('/', "\\/").replacen(':', " :\t", 1);
        rewritten.push_str(&text);
        rewritten.push('\n');
    }
    let copy = life.write("copy.jsonl", rewritten.as_bytes());
    let (together, apart) = (life.case("together"), life.case("apart"));
    let report = ingest_all(&together, &[plain.clone(), copy.clone()]);
    assert_eq!((report.events * 2, report.duplicates), (report.records, report.events));
    ingest_all(&apart, &[plain]);
    let report = ingest_all(&apart, &[copy]);
    assert_eq!((report.events, report.duplicates), (0, report.records));
}

#[test]
fn the_same_id_with_other_content_is_kept() {
    let life = Life::new();
    let event = |verb: &str| {
        format!(
            "{{\"level\":\"Metadata\",\"auditID\":\"0\",\"stage\":\"ResponseComplete\",\"verb\":\"{verb}\",\"user\":{{}},\"stageTimestamp\":\"2026-11-21T20:37:37.325661Z\"}}\n"
        )
    };
    let one = life.write("one.log", event("get").as_bytes());
    let two = life.write("two.log", format!("{}{}", event("delete"), event("get")).as_bytes());
    let case = life.case("case");
    assert_eq!(ingest_all(&case, &[one]).events, 1);
    let report = ingest_all(&case, &[two]);
    assert_eq!((report.events, report.duplicates), (1, 1));
}

#[test]
fn the_number_of_threads_does_not_change_a_byte() {
    let life = Life::new();
    let mut cases = Vec::new();
    for threads in [1, 2, 5] {
        let case = life.case(&format!("threads-{threads}"));
        let writer = kforensic_lake::Writer::open(&case, "test").unwrap();
        let options = kforensic_lake::IngestOptions {
            paths: [logs("sample-logs/hardened"), logs("sample-logs/moderate")].concat(),
            threads,
            ..kforensic_lake::IngestOptions::default()
        };
        kforensic_lake::ingest(&writer, &options, &kforensic_lake::Progress::default()).unwrap();
        drop(writer);
        let files = tree(&case).into_iter().map(|(path, bytes)| (path.strip_prefix(&case).unwrap().to_owned(), bytes));
        cases.push(files.collect::<Vec<_>>());
    }
    assert!(cases[0].len() > 10);
    assert!(cases.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn every_row_says_where_it_stands() {
    let life = Life::new();
    let log = logs("sample-logs/hardened")[2].clone();
    let bytes = content(&log);
    let case = life.case("case");
    ingest_all(&case, &[log]);
    let snapshot = Case::open(&case).unwrap().snapshot().unwrap();
    let mut rows = 0;
    for file in snapshot.event_files() {
        common::rows(file, &mut |cell| {
            let number = |name| usize::try_from(cell(name).int().unwrap()).unwrap();
            let (from, length) = (number("byte_offset"), number("byte_length"));
            let record = std::str::from_utf8(&bytes[from..from + length]).unwrap();
            let Cell::Text(id) = cell("audit_id") else { panic!("an event has an id") };
            assert!(record.starts_with('{') && record.ends_with('}') && record.contains(id));
            assert_eq!(number("line_number"), 1 + memchr::memchr_iter(b'\n', &bytes[..from]).count());
            assert_eq!(cell("source_id").text(), Some("0-0"));
            rows += 1;
        });
    }
    assert!(rows > 1000 && columns::find("source_id").is_some());
}

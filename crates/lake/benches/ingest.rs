//! The parts of an ingest, each by itself, on the log of an exercise: `cargo bench -p kforensic-lake`.
//!
//! Prints the median of a number of runs. Times are of this machine at this moment: compare two in one sitting.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking, and prints what it found"
)]

use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kforensic_event::partition::Folders;
use kforensic_event::shape::Position;
use kforensic_event::{Decoded, Origin, Reading, Row, RowBuilder, columns, request};
use kforensic_lake::{Case, IngestOptions, Progress, Writer, ingest};

/// Runs of each benchmark.
const RUNS: usize = 15;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/logs/metadata");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().contains(".log"));
    paths.sort();
    let log: Vec<u8> = paths.iter().flat_map(|path| content(path)).collect();
    let megabytes = log.len() as f64 / 1e6;
    let each = |name: &str, took: Duration| {
        println!("{name:8} {:8.1} ms {:8.0} MB/s", took.as_secs_f64() * 1e3, megabytes / took.as_secs_f64());
    };

    each("decode", median(|| drop(black_box(decode(&log)))));
    let rows = decode(&log);
    each("fold", median(|| drop(black_box(request::fold(&rows).unwrap()))));
    let scratch = tempfile::tempdir().unwrap();
    let at = scratch.path().join("audit.log");
    std::fs::write(&at, &log).unwrap();
    let mut number = 0;
    let mut new_case = || {
        number += 1;
        scratch.path().join(format!("case-{number}"))
    };
    // Reading, decoding, folding, sorting, encoding and committing.
    each("encode", median(|| take_up(&new_case(), &at)));
    // A log with one line more in front is no copy as a whole: each of its events is met again.
    let again = scratch.path().join("again.log");
    std::fs::write(&again, [b"{}\n".as_slice(), &log].concat()).unwrap();
    let met = new_case();
    take_up(&met, &at);
    each("dedup", median(|| take_up(&met, &again)));
    each("open", median(|| drop(black_box(Case::open(&met).unwrap().snapshot().unwrap()))));
}

/// The content of a log, which may be compressed.
fn content(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).unwrap();
    match path.extension().is_some_and(|extension| extension == "gz") {
        true => flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).unwrap(),
        false => std::io::BufReader::new(file).read_to_end(&mut bytes).unwrap(),
    };
    bytes
}

/// All rows of a log, as a batch.
fn decode(log: &[u8]) -> arrow::record_batch::RecordBatch {
    let origin =
        Origin { source_id: "0-0".to_owned(), cluster: None, host: None, mark: None, folders: Folders::default() };
    let mut rows = RowBuilder::new(columns::schema());
    Reading::of(log).decode(log, Position::START, true, &mut |record| {
        if let Decoded::Event(event) = &record.decoded {
            let length = i64::try_from(record.bytes.len()).unwrap();
            rows.push(&Row {
                event: Some(event),
                reject: None,
                note: None,
                redacted: 0,
                origin: &origin,
                position: record.position,
                length,
            });
        }
    });
    rows.finish().unwrap()
}

fn take_up(case: &Path, log: &Path) {
    let options = IngestOptions { paths: vec![log.to_owned()], ..IngestOptions::default() };
    ingest(&Writer::open(case, "bench").unwrap(), &options, &Progress::default()).unwrap();
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[RUNS / 2]
}

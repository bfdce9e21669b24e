//! What the tests of the case share: ingesting, and reading a case back by another route than its own reader.

#![allow(dead_code, reason = "every test binary uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

pub(crate) mod archives;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use kforensic_event::{COLUMNS, Cell, Redactor, columns, rebuild};
use kforensic_lake::seen::Sent;
use kforensic_lake::{
    Case, DataFile, IngestOptions, LakeError, Progress, Report, SecretValues, Snapshot, Writer, ingest,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// A folder in memory, where there is one: a case is written durably, and waiting for the disk would take most of the time.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Ends the test program with a message when a test takes longer: a wait in it has no end.
pub(crate) struct Limit(Option<mpsc::Sender<()>>);

/// Longer than any wait takes, even on a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(300);

/// The test that holds this may take five minutes.
pub(crate) fn limit() -> Limit {
    let (held, ended) = mpsc::channel();
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    std::thread::spawn(move || {
        if ended.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Into the stream itself: what a test prints is kept back until it ends.
            let _ = writeln!(std::io::stderr(), "`{name}` has waited for {LIMIT:?}: it hangs");
            std::process::abort();
        }
    });
    Limit(Some(held))
}

impl Drop for Limit {
    fn drop(&mut self) {
        self.0.take();
    }
}

/// What a command says, which is killed when it takes longer.
pub(crate) fn output_within(command: &mut Command, limit: Duration) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    let (id, (done, waiting)) = (child.id().to_string(), mpsc::channel::<()>());
    let guard = std::thread::spawn(move || {
        if waiting.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(done);
    guard.join().unwrap();
    output
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..").join(path)
}

pub(crate) fn try_ingest(case: &Path, paths: &[PathBuf]) -> Result<Report, LakeError> {
    try_ingest_as(case, paths, SecretValues::Redacted)
}

/// A child that another test is just starting holds the lock of every case for a moment, until it closes what it inherited.
fn open(case: &Path) -> Result<Writer, LakeError> {
    for _ in 0..100 {
        match Writer::open(case, "test") {
            Err(LakeError::Locked { .. }) => std::thread::sleep(Duration::from_millis(20)),
            opened => return opened,
        }
    }
    Writer::open(case, "test")
}

fn try_ingest_as(case: &Path, paths: &[PathBuf], secret_values: SecretValues) -> Result<Report, LakeError> {
    let writer = open(case)?;
    let options = IngestOptions { paths: paths.to_vec(), threads: 2, secret_values, ..IngestOptions::default() };
    ingest(&writer, &options, &Progress::default())
}

/// Ingests with secret values redacted or kept.
pub(crate) fn ingest_as(case: &Path, paths: &[PathBuf], secret_values: SecretValues) -> Report {
    try_ingest_as(case, paths, secret_values).unwrap()
}

/// A folder for a new case, with the key that all such cases share: what stands for secret values is the same in all.
pub(crate) fn with_key(case: PathBuf) -> PathBuf {
    std::fs::create_dir_all(&case).unwrap();
    std::fs::write(case.join("redaction.key"), [7; 32]).unwrap();
    case
}

/// What hashes the secret values of a case.
pub(crate) fn key(case: &Path) -> Redactor {
    Redactor::new(&std::fs::read(case.join("redaction.key")).unwrap().try_into().unwrap())
}

/// Asserts that events are equal but for values that were redacted. Returns how many were.
pub(crate) fn same_but_redacted(redacted: Vec<Value>, originals: Vec<Value>, key: &Redactor) -> usize {
    // Redacted values change the order by text: an event is found by its id and times.
    let by_id = |events: Vec<Value>| {
        let mut events: Vec<(String, Value)> = events
            .into_iter()
            .map(|event| {
                let names =
                    ["auditID", "stage", "requestReceivedTimestamp", "stageTimestamp", "requestURI", "timestamp"];
                (names.map(|name| event[name].to_string()).concat(), event)
            })
            .collect();
        events.sort_by(|(left, _), (right, _)| left.cmp(right));
        events
    };
    let (redacted, originals) = (by_id(redacted), by_id(originals));
    assert_eq!(redacted.len(), originals.len());
    redacted.iter().zip(&originals).map(|((_, redacted), (_, original))| redacted_values(redacted, original, key)).sum()
}

fn redacted_values(redacted: &Value, original: &Value, key: &Redactor) -> usize {
    match (redacted, original) {
        _ if redacted == original => 0,
        (Value::Object(left), Value::Object(right)) if left.keys().eq(right.keys()) => {
            left.values().zip(right.values()).map(|(left, right)| redacted_values(left, right, key)).sum()
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            left.iter().zip(right).map(|(left, right)| redacted_values(left, right, key)).sum()
        }
        (Value::String(redacted), Value::String(original)) if *redacted == key.value(original.as_bytes()) => 1,
        (Value::String(redacted), Value::String(original)) => {
            let (before, rest) = redacted.split_once("redacted:").expect("only secret values differ");
            assert!(original.starts_with(before) && original.ends_with(&rest[16..]), "{original} became {redacted}");
            1
        }
        (redacted, original) => panic!("{original} became {redacted}"),
    }
}

pub(crate) fn ingest_all(case: &Path, paths: &[PathBuf]) -> Report {
    let report = try_ingest(case, paths).unwrap();
    assert_eq!(report.records, report.events + report.duplicates + report.rejected);
    report
}

/// The rotated files of a capture, in the order of their names.
pub(crate) fn logs(folder: &str) -> Vec<PathBuf> {
    let mut logs: Vec<PathBuf> = std::fs::read_dir(repository(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().contains("log"))
        .collect();
    logs.sort();
    logs
}

/// The decompressed content of a log.
pub(crate) fn content(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = File::open(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    } else {
        file.read_to_end(&mut bytes).unwrap();
    }
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The cells of a row, by column name.
type Cells<'a> = dyn Fn(&'static str) -> Cell<'static> + 'a;

/// Calls `each` with the cells of every row of a file.
pub(crate) fn rows(file: &DataFile, each: &mut dyn FnMut(&Cells<'_>)) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&file.path).unwrap()).unwrap();
    for batch in reader.build().unwrap() {
        // Leaked on purpose: tests are short, and cells that live as long as they like are easy to use.
        let batch: &'static _ = Box::leak(Box::new(batch.unwrap()));
        assert_eq!(batch.schema().fields().len(), COLUMNS.len());
        for row in 0..batch.num_rows() {
            each(&|name| {
                let (at, column) = columns::find(name).unwrap();
                Cell::read(batch.column(at), column.kind, row)
            });
        }
    }
}

/// Every event of a case, rebuilt, sorted.
pub(crate) fn rebuilt(case: &Path) -> Vec<Value> {
    let snapshot = Case::open(case).unwrap().snapshot().unwrap();
    check_requests(&snapshot);
    let mut events = Vec::new();
    for file in snapshot.event_files() {
        rows(file, &mut |cell| events.push(serde_json::from_str(&rebuild(cell).unwrap()).unwrap()));
    }
    events.sort_by_cached_key(Value::to_string);
    events
}

/// Holds the folded columns of a case against its events, told from all of them at once: whatever was read in which order,
/// each request has one row that stands for it, of its last stage, which says what stages there are and what the outcome was.
#[track_caller]
pub(crate) fn check_requests(snapshot: &Snapshot) {
    const ORDER: [&str; 4] = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"];
    const KEY: [&str; 8] =
        ["event_time", "audit_id", "verb", "source_ip", "resource", "api_group", "user_name", "request_uri"];
    let rank = |stage: &str| ORDER.iter().position(|known| *known == stage);
    let mut requests: BTreeMap<String, Vec<[Cell<'static>; 5]>> = BTreeMap::new();
    for file in snapshot.event_files() {
        rows(file, &mut |cell| {
            let key = format!("{:?}", KEY.map(cell));
            requests.entry(key).or_default().push(["stage", "status_code", "final", "stages", "outcome"].map(cell));
        });
    }
    for (key, events) in requests {
        let stage = |event: &[Cell<'static>; 5]| event[0].text().unwrap_or_default().to_owned();
        let mut stages: Vec<String> = events.iter().map(stage).filter(|stage| !stage.is_empty()).collect();
        stages.sort_by_key(|stage| (rank(stage).unwrap_or(9), stage.clone()));
        stages.dedup();
        let finals: Vec<_> = events.iter().filter(|event| event[2] == Cell::Bool(true)).collect();
        assert_eq!(finals.len(), 1, "{key}: {events:?}");
        let [last_stage, code, _, seen, outcome] = finals[0];
        let highest = events.iter().filter_map(|event| rank(&stage(event))).max();
        assert_eq!(last_stage.text().and_then(rank), highest, "{key}");
        let Cell::Texts(seen) = seen else { panic!("{key}: no stages") };
        assert_eq!(seen.iter().map(ToString::to_string).collect::<Vec<_>>(), stages, "{key}");
        let flows = |event: &[Cell<'static>; 5]| {
            event[0].text() == Some("ResponseStarted") && event[1].int().is_none_or(|code| code < 400)
        };
        let expected = match code.int() {
            _ if events.iter().any(flows) => "allowed",
            None => "unknown",
            Some(401 | 403) => "denied",
            Some(code) if code < 400 => "allowed",
            Some(_) => "failed",
        };
        assert_eq!(outcome.text(), Some(expected), "{key}");
        for other in events.iter().filter(|event| event[2] != Cell::Bool(true)) {
            assert_eq!(other[2..], [Cell::Bool(false), Cell::Null, Cell::Null], "{key}");
        }
    }
    check_sent(snapshot);
}

/// Holds what the log tells of each file (from where its requests were sent) against its rows.
#[track_caller]
pub(crate) fn check_sent(snapshot: &Snapshot) {
    for file in snapshot.event_files() {
        let mut sent = Sent::default();
        rows(file, &mut |cell| {
            let (Cell::Bool(true), Cell::Texts(addresses)) = (cell("final"), cell("source_ips")) else { return };
            let text = |name| cell(name).text().map(str::to_owned);
            let (Some(user), Some(source), Some(peer)) = (text("user_name"), text("source_ip"), addresses.last())
            else {
                return;
            };
            if user.starts_with("system:") || *peer != source {
                return;
            }
            *sent.from.entry(source.clone()).or_default() += 1;
            if let Some(named) = addresses.iter().rev().nth(1) {
                *sent.passed_on.entry((source, user, named.to_string())).or_default() += 1;
            }
        });
        assert_eq!(file.sent.as_deref().and_then(Sent::from_tag), Some(sent), "{}", file.name);
    }
}

/// Every event of the logs, as a JSON library reads it, sorted; without what is no event.
pub(crate) fn originals(logs: &[PathBuf]) -> Vec<Value> {
    let mut events = Vec::new();
    for log in logs {
        for line in content(log).split(|byte| *byte == b'\n') {
            // Half an event with a whole one behind it: the whole one counts.
            let glued = || memchr::memmem::rfind(line, b"{\"kind\":\"Event\",").map(|at| &line[at..]);
            let value = serde_json::from_slice::<Value>(line);
            match value.or_else(|_| serde_json::from_slice(glued().unwrap_or_default())) {
                Ok(event) if event["auditID"].is_string() && event["level"].is_string() => events.push(event),
                _ => (),
            }
        }
    }
    events.sort_by_cached_key(Value::to_string);
    events
}

/// Rejected records of a case: reason, line, offset, bytes.
pub(crate) fn rejects(case: &Path) -> Vec<(String, i64, i64, Vec<u8>)> {
    let snapshot = Case::open(case).unwrap().snapshot().unwrap();
    let mut rejects = Vec::new();
    for file in snapshot.reject_files() {
        rows(file, &mut |cell| {
            let Cell::Bytes(raw) = cell("raw") else { panic!("a reject keeps its bytes") };
            let reason = cell("reject_reason").text().unwrap().to_owned();
            let place = |name| cell(name).int().unwrap();
            rejects.push((reason, place("line_number"), place("byte_offset"), raw.to_vec()));
        });
    }
    rejects.sort();
    rejects
}

/// Everything below a folder, with its bytes.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| (entry.path().to_owned(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

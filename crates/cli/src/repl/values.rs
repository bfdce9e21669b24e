//! Reads the words of a case in the background: columns of the views, functions, and the most frequent values.
//!
//! In a session of its own, with one thread and little memory: neither the prompt nor a statement waits for it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use kforensic_lake::{Case, Snapshot};
use kforensic_query::{Checks, Gate, Interrupt, Limits, RowSink, Selection, Session, SinkError, describe};

use super::dictionary::{ValueKind, View};
use super::editor::SharedDictionary;
use crate::command::limits;
use crate::error::CliError;

/// Values of a kind that are offered.
const VALUES_MAX: usize = 500;

/// Longer values are nothing to type, and a client can make them a megabyte long.
const LETTERS_MAX: usize = 200;

/// Of a larger case only the newest events are looked through: about two seconds of one thread.
const EVENTS_MAX: u64 = 5_000_000;

/// Memory for it, in bytes.
const MEMORY_BYTES: u64 = 512 << 20;

/// Columns of `events` with the values that are worth completing.
const COLUMNS: [(ValueKind, &str); 8] = [
    (ValueKind::User, "user_name"),
    (ValueKind::Address, "source_ip"),
    (ValueKind::Namespace, "namespace"),
    (ValueKind::Resource, "resource"),
    (ValueKind::Verb, "verb"),
    (ValueKind::Secret, "CASE WHEN resource = 'secrets' THEN namespace || '/' || name END"),
    (ValueKind::Cluster, "cluster"),
    (ValueKind::Host, "host"),
];

/// Functions that the gate refuses, or that are of no use here, begin like this.
const NOT_OFFERED: [&str; 8] =
    ["pg_", "duckdb_", "pragma_", "read_", "write_", "__internal", "has_", "current_setting"];

/// Fills a dictionary until it is done or dropped.
pub(super) struct Reader {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Stop {
    asked: AtomicBool,
    running: Mutex<Option<Interrupt>>,
}

impl Reader {
    /// Begins to read.
    pub(super) fn begin(snapshot: &Arc<Snapshot>, dictionary: &SharedDictionary) -> Self {
        let (snapshot, dictionary) = (Arc::clone(snapshot), Arc::clone(dictionary));
        let stop = Arc::new(Stop::default());
        let thread = {
            let stop = Arc::clone(&stop);
            // Completion is a convenience: without it the session is as good, and errors are told by its statements.
            thread::spawn(move || drop(read(&snapshot, &dictionary, &stop)))
        };
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop.asked.store(true, Ordering::SeqCst);
        if let Some(running) = self.stop.running.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            running.interrupt();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(snapshot: &Snapshot, dictionary: &SharedDictionary, stop: &Stop) -> Result<(), CliError> {
    let (limits, _spill) = limits()?;
    let limits = Limits { memory_bytes: MEMORY_BYTES, threads: 1, ..limits };
    let write = |change: &dyn Fn(&mut super::dictionary::Dictionary)| {
        change(&mut dictionary.write().unwrap_or_else(PoisonError::into_inner));
    };
    let gate = Gate::new()?;
    // Views have the same columns over no files, where asking for them opens none.
    let empty = Session::open(&Snapshot::default(), &Selection::default(), &limits)?;
    for view in describe::views() {
        let columns: Vec<String> = empty.describe(view.name)?.into_iter().map(|(name, _)| name).collect();
        write(&|dictionary| {
            if let Some(known) = dictionary.views.iter_mut().find(|known| known.name == view.name) {
                known.columns.clone_from(&columns);
            }
        });
    }
    let functions = texts(
        &empty,
        &gate,
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'macro') \
         AND regexp_full_match(function_name, '[a-z][a-z0-9_]*') ORDER BY length(function_name), function_name",
    );
    let functions: Vec<String> = functions
        .unwrap_or_default()
        .into_iter()
        .filter(|name| !NOT_OFFERED.iter().any(|begin| name.starts_with(begin)))
        .collect();
    write(&|dictionary| dictionary.functions.clone_from(&functions));
    drop(empty);

    let session = Session::open(snapshot, &Selection::default(), &limits)?;
    let since = since(snapshot);
    *stop.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.interrupt_handle());
    for (kind, column) in COLUMNS {
        if stop.asked.load(Ordering::SeqCst) {
            break;
        }
        let found = texts(&session, &gate, &most_frequent(column, &since))?;
        dictionary.write().unwrap_or_else(PoisonError::into_inner).values.insert(kind, found);
    }
    *stop.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    Ok(())
}

/// The statement for the most frequent values of a column, in events that fit a condition.
fn most_frequent(column: &str, since: &str) -> String {
    format!(
        "SELECT {column} AS value FROM events WHERE {column} <> '' AND length({column}) <= {LETTERS_MAX}{since} \
         GROUP BY value ORDER BY count(*) DESC, value LIMIT {VALUES_MAX}"
    )
}

/// The most frequent values of a kind in the case in that folder.
///
/// # Errors
/// When there is no case that can be asked.
pub(crate) fn held(case: &Path, kind: ValueKind) -> Result<Vec<String>, CliError> {
    let snapshot = Case::open(case)?.snapshot()?;
    let Some((_, column)) = COLUMNS.iter().find(|(known, _)| *known == kind) else { return Ok(Vec::new()) };
    let (limits, _spill) = limits()?;
    // Who completes a word does not answer for the evidence, and waits.
    let limits = Limits { memory_bytes: MEMORY_BYTES, checks: Checks::Never, ..limits };
    let session = Session::open(&snapshot, &Selection::default(), &limits)?;
    texts(&session, &Gate::new()?, &most_frequent(column, &since(&snapshot)))
}

/// A condition on time under which there are about as many events as can be looked through; none for most cases.
fn since(snapshot: &Snapshot) -> String {
    let times = snapshot.event_files().filter_map(|file| Some((file.stats.event_time?.0, file.stats.rows)));
    let mut files: Vec<(i64, u64)> = times.collect();
    files.sort_unstable_by_key(|(oldest, _)| std::cmp::Reverse(*oldest));
    let mut events = 0;
    let beyond = files.into_iter().find(|(_, rows)| {
        events += rows;
        events > EVENTS_MAX
    });
    beyond.map_or(String::new(), |(oldest, _)| format!(" AND event_time >= make_timestamp({oldest})"))
}

/// The texts of a statement's first column.
fn texts(session: &Session, gate: &Gate, sql: &str) -> Result<Vec<String>, CliError> {
    let mut texts = Texts::default();
    session.sql(&gate.check(sql)?, None, &mut texts)?;
    Ok(texts.found)
}

#[derive(Default)]
struct Texts {
    found: Vec<String>,
}

impl RowSink for Texts {
    fn columns(&mut self, _: &SchemaRef) -> Result<(), SinkError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        let column = batch.columns().first().and_then(|column| column.as_string_opt::<i32>());
        self.found.extend(column.into_iter().flat_map(|column| column.iter().flatten().map(str::to_owned)));
        Ok(())
    }
}

/// The views by name, whose columns are not known yet.
pub(super) fn views() -> Vec<View> {
    describe::views().into_iter().map(|view| View { name: view.name.to_owned(), columns: Vec::new() }).collect()
}

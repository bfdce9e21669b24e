//! A locked-down DuckDB over the files of a case.
//!
//! It lives in memory and reads an explicit list of files, so it takes no lock and waits for nobody.
//! It can open those files and nothing else, load no extension, reach no network and keep no secret,
//! and SQL cannot change that.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use duckdb::{Config, Connection};
use kforensic_lake::{DataFile, Snapshot};

use crate::catalogue::CannedQuery;
use crate::error::QueryError;
use crate::ledger;
use crate::parameters::Parameters;
use crate::selection::Selection;
use crate::sql::literals;
use crate::statement;
use crate::stream::{RowSink, RunSummary, stream};
use crate::views;

/// How DuckDB's messages of two kinds begin; its C API tells no kinds apart.
const INTERRUPTED: &str = "INTERRUPT";
const OUT_OF_MEMORY: &str = "Out of Memory";

/// What a session may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Memory for DuckDB's own buffers, in bytes; beyond it, it spills or gives up.
    pub memory_bytes: u64,
    /// Threads that work on a query.
    pub threads: usize,
    /// Folder for what does not fit into memory, made when it is needed. Not in the evidence.
    pub temp_directory: PathBuf,
}

/// An open case: the views, such as `events`, `requests`, `rejects` and `sources`, and the queries on them.
pub struct Session {
    connection: Connection,
    selection: Selection,
    limits: Limits,
    /// What the session may read, in the order of the case's log: events, then rejects.
    files: Vec<PathBuf>,
    interrupt: Interrupt,
}

/// Stops the query of a session, from any thread.
#[derive(Clone)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    handle: Arc<duckdb::InterruptHandle>,
}

impl Interrupt {
    /// Stops the query that is running, or else the next one.
    pub fn interrupt(&self) {
        // DuckDB forgets an interrupt when the next statement begins, so it would get lost between two.
        self.asked.store(true, Ordering::SeqCst);
        self.handle.interrupt();
    }

    /// Whether there was an interrupt that nobody was told of yet.
    pub(crate) fn take(&self) -> bool {
        self.asked.swap(false, Ordering::SeqCst)
    }
}

impl Session {
    /// Opens the part of a case that `selection` covers.
    ///
    /// # Errors
    /// When a file that the case lists is missing, has another size, or cannot be read as Parquet; when
    /// DuckDB cannot work under the path of the case; when a limit is not accepted.
    pub fn open(snapshot: &Snapshot, selection: &Selection, limits: &Limits) -> Result<Self, QueryError> {
        let events = checked_paths(&selection.event_files(snapshot))?;
        let rejects = checked_paths(&snapshot.reject_files().collect::<Vec<_>>())?;
        let temp_directory = limits
            .temp_directory
            .to_str()
            .ok_or_else(|| QueryError::Path { path: limits.temp_directory.clone(), problem: "it is not UTF-8" })?;
        let connection = connect(limits, temp_directory).map_err(QueryError::engine("start DuckDB"))?;
        let lists = [&events, &rejects].map(|files| files.iter().map(String::as_str).collect::<Vec<_>>());
        let [event_files, reject_files] = &lists;
        let lock = format!(
            "SET allowed_paths = [{}];\nSET enable_external_access = false;",
            literals(lists.iter().flatten().copied())
        );
        connection.execute_batch(&lock).map_err(QueryError::engine("lock DuckDB down"))?;
        ledger::load(&connection, snapshot).map_err(QueryError::engine("load the ledger"))?;
        let interrupt = Interrupt { asked: Arc::new(AtomicBool::new(false)), handle: connection.interrupt_handle() };
        let views = views::create(event_files, reject_files, selection);
        let session = Self {
            connection,
            selection: selection.clone(),
            limits: limits.clone(),
            files: events.into_iter().chain(rejects).map(PathBuf::from).collect(),
            interrupt,
        };
        session.execute("create the views", &views)?;
        session.execute("lock DuckDB down", "SET lock_configuration = true")?;
        Ok(session)
    }

    /// Runs a canned query and hands its rows to `sink`, oldest first.
    ///
    /// With a `limit` only the newest rows are passed on: the last ones in the order of the query. Memory
    /// does not grow with the result then, and the summary tells how many rows there were.
    ///
    /// # Errors
    /// When a value is given that the query does not take, when the session leaves out what the query
    /// asks for, when a file turns out to be damaged, when the sink gives up, or on an interrupt. Rows
    /// that were passed on before an error are not the whole answer.
    pub fn run(
        &self,
        query: &CannedQuery,
        parameters: &Parameters,
        limit: Option<usize>,
        sink: &mut dyn RowSink,
    ) -> Result<RunSummary, QueryError> {
        parameters.check(query)?;
        self.selection.check_covers(query, parameters)?;
        let value = |name: &str| parameters.bound(query, name);
        let done = stream(&self.connection, &statement::bound(query, parameters), &value, limit, &self.interrupt, sink);
        done.map_err(|error| self.explain(error, &format!("run the query `{}`", query.name)))
    }

    /// Stops what the session is doing, from any thread but a signal handler: it takes a lock.
    pub fn interrupt_handle(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// The part of the case that the session sees.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    fn execute(&self, action: &str, sql: &str) -> Result<(), QueryError> {
        let done = self.connection.execute_batch(sql).map_err(QueryError::engine(action));
        done.map_err(|error| self.explain(error, action))
    }

    /// Finds out what an error of DuckDB means: an interrupt, too little memory, or a damaged file.
    pub(crate) fn explain(&self, error: QueryError, action: &str) -> QueryError {
        let QueryError::Engine { source, .. } = error else { return error };
        let message = source.to_string();
        if message.starts_with(INTERRUPTED) {
            self.interrupt.take();
            return QueryError::Interrupted;
        }
        if message.starts_with(OUT_OF_MEMORY) {
            return QueryError::OutOfMemory { limit_bytes: self.limits.memory_bytes, source };
        }
        match self.damaged_file(&message) {
            Some((path, problem)) => QueryError::Damaged { path, problem },
            None => QueryError::Engine { action: action.to_owned(), source },
        }
    }

    /// The file that an error is about. DuckDB does not always name it, so all are read then.
    fn damaged_file(&self, message: &str) -> Option<(PathBuf, String)> {
        const NO_FILES_FAULT: [&str; 7] =
            ["Binder", "Parser", "Syntax", "Catalog", "Permission", "Conversion", "Out of Range"];
        if NO_FILES_FAULT.iter().any(|kind| message.starts_with(kind)) {
            return None;
        }
        let named = self.files.iter().find(|path| path.to_str().is_some_and(|path| message.contains(path)));
        if let Some(path) = named {
            return Some((path.clone(), message.to_owned()));
        }
        for path in &self.files {
            let list = literals(path.to_str());
            let read = format!("SELECT count(COLUMNS(*)) FROM read_parquet([{list}], hive_partitioning = false)");
            let Err(error) = self.connection.execute_batch(&read) else { continue };
            let problem = error.to_string();
            let stopped = problem.starts_with(INTERRUPTED) || problem.starts_with(OUT_OF_MEMORY);
            return (!stopped).then(|| (path.clone(), problem));
        }
        None
    }
}

/// The absolute paths of files that are there, are as long as they were, and mean to DuckDB what they mean to us.
fn checked_paths(files: &[&DataFile]) -> Result<Vec<String>, QueryError> {
    let mut paths = Vec::with_capacity(files.len());
    for file in files {
        let path = || file.path.clone();
        let missing = |source| QueryError::Missing { path: path(), source };
        let metadata = fs::metadata(&file.path).map_err(|error| missing(Some(error)))?;
        if !metadata.is_file() {
            return Err(missing(None));
        }
        if metadata.len() != file.size_bytes {
            let (expected_bytes, found_bytes) = (file.size_bytes, metadata.len());
            return Err(QueryError::Altered { path: path(), expected_bytes, found_bytes });
        }
        let absolute = std::path::absolute(&file.path).map_err(|error| missing(Some(error)))?;
        let refuse = |problem| QueryError::Path { path: path(), problem };
        let text = absolute.to_str().ok_or_else(|| refuse("it is not UTF-8"))?;
        // DuckDB would read the files that the pattern matches, which may be those of another case.
        if text.contains(['*', '?', '[']) {
            return Err(refuse("DuckDB takes `*`, `?` and `[` for a pattern"));
        }
        paths.push(text.to_owned());
    }
    Ok(paths)
}

fn connect(limits: &Limits, temp_directory: &str) -> duckdb::Result<Connection> {
    // Autoload is on in this build of DuckDB: `current_date` alone would go and fetch the extension `icu`.
    let config = Config::default()
        .enable_autoload_extension(false)?
        .with("allow_community_extensions", "false")?
        .with("allow_persistent_secrets", "false")?
        .with("memory_limit", format!("{}B", limits.memory_bytes))?
        .with("threads", limits.threads.max(1).to_string())?
        .with("temp_directory", temp_directory)?;
    Connection::open_in_memory_with_flags(config)
}

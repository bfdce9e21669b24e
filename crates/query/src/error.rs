//! What can go wrong with a session or a query.

use std::path::PathBuf;

use thiserror::Error;

use crate::library;
use crate::problem::Problem;

/// An error of a session. Texts say what happened; what to do about it is the caller's to say.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A file that the case lists is not there.
    #[error("`{path}` is part of the case, but it is not there")]
    Missing {
        /// The file.
        path: PathBuf,
        /// Why it cannot be seen; `None` when it is there but is no file.
        source: Option<std::io::Error>,
    },
    /// A file is not as long as when it was written.
    #[error("`{path}` has been altered: it has {found_bytes} bytes instead of {expected_bytes}")]
    Altered {
        /// The file.
        path: PathBuf,
        /// Its size in the case's log, in bytes.
        expected_bytes: u64,
        /// Its size on disk, in bytes.
        found_bytes: u64,
    },
    /// A file has another content than when it was written.
    #[error("`{path}` has been altered: it has SHA-256 {found} instead of {expected}")]
    Rewritten {
        /// The file.
        path: PathBuf,
        /// Its hash in the case's log, in hex.
        expected: String,
        /// Its hash on disk, in hex.
        found: String,
    },
    /// A file was written to while it was read.
    #[error("`{path}` was changed while the question was answered: the answer may come from something else")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read as Parquet.
    #[error("`{path}` is damaged: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What DuckDB says about it.
        problem: String,
    },
    /// DuckDB would take the path of a file for something else.
    #[error("the case cannot be queried under the path `{path}`: {problem}")]
    Path {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A value for a parameter that the query does not have.
    #[error("the query `{query}` has no parameter `{name}`")]
    UnknownParameter {
        /// The query.
        query: String,
        /// The parameter.
        name: String,
        /// Names like it, best first.
        near: Vec<String>,
    },
    /// A view that the query does not have.
    #[error("the query `{query}` has no view `{view}`")]
    UnknownView {
        /// The query.
        query: String,
        /// The view as given.
        view: String,
        /// The views that it has.
        views: Vec<String>,
    },
    /// A value behind the name of a query that takes none, or another one.
    #[error("`{query}` does not take the value `{value}`")]
    NoValue {
        /// The query.
        query: String,
        /// The value as given.
        value: String,
        /// The parameters that a value sets, with `/` between them.
        takes: Option<String>,
    },
    /// A value that is none of the parameter's.
    #[error("the parameter `{name}` of the query `{query}` does not take this value")]
    Value {
        /// The query.
        query: String,
        /// The parameter.
        name: String,
    },
    /// The session sees less than the query asks for, so that the answer would be incomplete.
    #[error("{query} asks for {asked}, which this session leaves out")]
    TooNarrow {
        /// The query, as in `the query …`.
        query: String,
        /// What is left out.
        asked: String,
    },
    /// The statement of the user does not fit the views, or fails.
    #[error("{0}")]
    Statement(Problem),
    /// The folder for what does not fit into memory cannot be made.
    #[error("the folder `{path}` for temporary files cannot be made: {source}")]
    Spill {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There can be no more threads.
    #[error("no thread can be started for DuckDB: {source}")]
    Thread {
        /// Why.
        source: std::io::Error,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The memory limit is too small for the query.
    #[error("the query needs more memory than the limit of {limit_bytes} bytes")]
    OutOfMemory {
        /// The limit, in bytes.
        limit_bytes: u64,
        /// What DuckDB says.
        source: duckdb::Error,
    },
    /// The receiver of the rows gave up.
    #[error("the rows cannot be passed on")]
    Sink(#[source] SinkError),
    /// The DuckDB of the system is older than what we were written for.
    #[error("the DuckDB that is linked is `{found}`, and {}.{} or later is needed", library::OLDEST.0, library::OLDEST.1)]
    Library {
        /// Its version, as it says itself.
        found: String,
    },
    /// DuckDB refused.
    #[error("cannot {action}: {source}")]
    Engine {
        /// What was tried.
        action: String,
        /// What DuckDB says.
        source: duckdb::Error,
    },
}

/// Why a receiver of rows gave up; its own error type can be had back with `downcast`.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

impl QueryError {
    /// Turns an error of DuckDB into one that says what was tried.
    pub(crate) fn engine(action: impl Into<String>) -> impl FnOnce(duckdb::Error) -> Self {
        |source| Self::Engine { action: action.into(), source }
    }
}

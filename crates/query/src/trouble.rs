//! Finds out what an error of DuckDB means: an interrupt, too little memory, a damaged file, or bad SQL.

use std::path::PathBuf;

use duckdb::Connection;

use crate::error::QueryError;
use crate::problem::Problem;
use crate::sql::literals;

/// How DuckDB's messages of two kinds begin; its C API tells no kinds apart.
const INTERRUPTED: &str = "INTERRUPT";
const OUT_OF_MEMORY: &str = "Out of Memory";

/// How messages begin that are about the statement and not about a file.
const ABOUT_THE_STATEMENT: [&str; 8] =
    ["Binder", "Parser", "Syntax", "Catalog", "Permission", "Conversion", "Out of Range", "Invalid Input"];

/// What there is to know about a session whose statement failed.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What the session reads.
    pub(crate) files: Vec<PathBuf>,
    /// Its limit.
    pub(crate) memory_bytes: u64,
}

/// Whose statement it was that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    /// Ours: an error of it is a bug, or about the files.
    Program,
    /// The user's: what is wrong with it is told as they wrote it.
    User,
}

/// Whether DuckDB stopped because it was asked to.
pub(crate) fn is_interrupt(error: &duckdb::Error) -> bool {
    error.to_string().starts_with(INTERRUPTED)
}

impl Trouble {
    /// What `error`, which came while trying to do `action`, is about. Runs where DuckDB lives.
    pub(crate) fn explain(
        &self,
        error: QueryError,
        action: &str,
        author: Author,
        connection: &Connection,
    ) -> QueryError {
        let QueryError::Engine { source, .. } = error else { return error };
        let message = source.to_string();
        if is_interrupt(&source) {
            return QueryError::Interrupted;
        }
        if message.starts_with(OUT_OF_MEMORY) {
            return QueryError::OutOfMemory { limit_bytes: self.memory_bytes, source };
        }
        let about_statement = ABOUT_THE_STATEMENT.iter().any(|kind| message.starts_with(kind));
        if !about_statement && let Some((path, problem)) = self.damaged_file(&message, connection) {
            return QueryError::Damaged { path, problem };
        }
        match author {
            Author::User if about_statement => QueryError::Statement(Problem::of_engine(&message)),
            _ => QueryError::Engine { action: action.to_owned(), source },
        }
    }

    /// The file that an error is about. DuckDB does not always name it, so all are read then.
    fn damaged_file(&self, message: &str, connection: &Connection) -> Option<(PathBuf, String)> {
        let named = self.files.iter().find(|path| path.to_str().is_some_and(|path| message.contains(path)));
        if let Some(path) = named {
            return Some((path.clone(), message.to_owned()));
        }
        for path in &self.files {
            let list = literals(path.to_str());
            let read = format!("SELECT count(COLUMNS(*)) FROM read_parquet([{list}], hive_partitioning = false)");
            let Err(error) = connection.execute_batch(&read) else { continue };
            let problem = error.to_string();
            let stopped = problem.starts_with(INTERRUPTED) || problem.starts_with(OUT_OF_MEMORY);
            return (!stopped).then(|| (path.clone(), problem));
        }
        None
    }
}

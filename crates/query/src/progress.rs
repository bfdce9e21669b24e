//! How far a statement is, for whoever waits for it.

use duckdb::Connection;

/// How far the statement that runs is.
#[derive(Clone)]
pub struct Progress {
    handle: duckdb::ProgressHandle,
}

impl Progress {
    pub(crate) fn of(connection: &Connection) -> Self {
        Self { handle: connection.progress_handle() }
    }

    /// In percent, where DuckDB can tell.
    pub fn percent(&self) -> Option<f64> {
        self.handle.query_progress().percentage()
    }
}

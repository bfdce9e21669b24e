//! The events of one request, whole, for showing them and where they stand.

use arrow::array::RecordBatch;
use duckdb::params;

use crate::error::QueryError;
use crate::session::Session;

impl Session {
    /// The events with that audit id, and of that stage when one is given: all columns, by time and place.
    ///
    /// A client can choose the audit id, so they need not belong to one request.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn events_of(&self, audit_id: &str, stage: Option<&str>) -> Result<Vec<RecordBatch>, QueryError> {
        const ACTION: &str = "look the event up";
        const SQL: &str = "SELECT * FROM events WHERE audit_id = ? AND (?::VARCHAR IS NULL OR stage = ?) \
                           ORDER BY event_time, stage_time, source_id, byte_offset";
        let (audit_id, stage) = (audit_id.to_owned(), stage.map(str::to_owned));
        self.ask(ACTION, move |connection| {
            let mut statement = connection.prepare(SQL)?;
            statement.stream_arrow(params![audit_id, stage, stage])?.collect()
        })
    }

    /// The audit ids that begin with `prefix`, at most `most` of them: that one alone when it is an audit id itself.
    ///
    /// # Errors
    /// As for [`Session::events_of`].
    pub fn audit_ids(&self, prefix: &str, most: usize) -> Result<Vec<String>, QueryError> {
        const SQL: &str = "SELECT DISTINCT audit_id FROM events WHERE starts_with(audit_id, $1) \
                           ORDER BY audit_id <> $1, audit_id LIMIT $2";
        let (wanted, most) = (prefix.to_owned(), i64::try_from(most).unwrap_or(i64::MAX));
        let mut ids: Vec<String> = self.ask("look audit ids up", move |connection| {
            connection.prepare(SQL)?.query_map(params![wanted, most], |row| row.get(0))?.collect()
        })?;
        if ids.first().is_some_and(|id| id == prefix) {
            ids.truncate(1);
        }
        Ok(ids)
    }

    /// Names and types of the columns of a view, in their order.
    ///
    /// # Errors
    /// On an interrupt.
    pub fn describe(&self, view: &str) -> Result<Vec<(String, String)>, QueryError> {
        const SQL: &str =
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index";
        self.provide(|provided| provided.for_statement(view))?;
        let view = view.to_owned();
        self.ask("describe a view", move |connection| {
            let mut statement = connection.prepare(SQL)?;
            statement.query_map(params![view], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }
}

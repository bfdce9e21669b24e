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

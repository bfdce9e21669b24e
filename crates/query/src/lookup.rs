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
        let found = self.connection().prepare(SQL).and_then(|mut statement| {
            let batches = statement.stream_arrow(params![audit_id, stage, stage])?;
            batches.collect::<duckdb::Result<Vec<_>>>()
        });
        found.map_err(QueryError::engine(ACTION)).map_err(|error| self.explain(error, ACTION))
    }

    /// Names and types of the columns of a view, in their order.
    ///
    /// # Errors
    /// On an interrupt.
    pub fn describe(&self, view: &str) -> Result<Vec<(String, String)>, QueryError> {
        let sql = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index";
        let found = self.connection().prepare(sql).and_then(|mut statement| {
            statement.query_map(params![view], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        });
        found.map_err(QueryError::engine("describe a view"))
    }
}

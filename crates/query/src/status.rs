//! What a session sees, in numbers.

use duckdb::Row;

use crate::error::QueryError;
use crate::session::Session;

/// Numbers for `kforensic status`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events: lines of the log.
    pub events: u64,
    /// Requests that the events belong to.
    pub requests: u64,
    /// Rejected records.
    pub rejects: u64,
    /// Events by resource, by name; those that are not about one come first.
    pub by_resource: Vec<(Option<String>, u64)>,
    /// Events by UTC day, in days since 1970, oldest first.
    pub by_day: Vec<(i32, u64)>,
}

impl Session {
    /// Counts what the session sees.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn counts(&self) -> Result<Counts, QueryError> {
        let number = |view: &str| {
            let rows = self.collect(&format!("SELECT count(*) FROM {view}"), |row| row.get::<_, u64>(0))?;
            Ok(rows.into_iter().sum())
        };
        let by_resource = "SELECT resource, count(*) FROM events GROUP BY resource ORDER BY resource NULLS FIRST";
        let by_day = "SELECT (event_time::DATE - DATE '1970-01-01')::INTEGER AS day, count(*) \
                      FROM events GROUP BY day ORDER BY day";
        Ok(Counts {
            events: number("events")?,
            requests: number("request_keys")?,
            rejects: number("rejects")?,
            by_resource: self.collect(by_resource, |row| Ok((row.get(0)?, row.get(1)?)))?,
            by_day: self.collect(by_day, |row| Ok((row.get(0)?, row.get(1)?)))?,
        })
    }

    /// Runs SQL of our own and gathers its rows.
    pub(crate) fn collect<T: Send + 'static>(
        &self,
        sql: &str,
        row: impl FnMut(&Row<'_>) -> duckdb::Result<T> + Send + 'static,
    ) -> Result<Vec<T>, QueryError> {
        self.provide(|provided| provided.for_statement(sql))?;
        let sql = sql.to_owned();
        self.ask("count the events", move |connection| connection.prepare(&sql)?.query_map([], row)?.collect())
    }
}

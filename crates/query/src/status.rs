//! What a session sees, in numbers.

use std::collections::BTreeMap;

use duckdb::Row;
use kforensic_lake::Snapshot;
use kforensic_lake::seen::SeenInDays;

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

impl Counts {
    /// What the log itself tells; `None` when not all of its files are summed up there, and they have to be opened.
    pub fn of_log(snapshot: &Snapshot) -> Option<Self> {
        let (mut by_resource, mut by_day) = (BTreeMap::<Option<String>, u64>::new(), BTreeMap::<i32, u64>::new());
        let seen = SeenInDays::of(snapshot)?;
        let mut counts = Self { requests: seen.marked.requests, ..Self::default() };
        for file in snapshot.event_files() {
            counts.events += file.stats.rows;
            *by_day.entry(file.day?).or_default() += file.stats.rows;
        }
        for (kind, days) in seen.kinds {
            *by_resource.entry(kind.resource).or_default() += days.values().map(|tally| tally.events).sum::<u64>();
        }
        counts.rejects = snapshot.reject_files().map(|file| file.stats.rows).sum();
        (counts.by_resource, counts.by_day) = (by_resource.into_iter().collect(), by_day.into_iter().collect());
        Some(counts)
    }
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

//! Answers that are kept, so that the next question can ask them: `last`, `last2` to `last9`.
//!
//! An answer becomes a temporary table before it is shown: what is shown is what the next question sees, nothing is
//! computed twice, and its rows are counted. It lies in DuckDB's memory, within the limit of the session, and spills into
//! its folder beyond. The statements that make and rename the tables are ours; what stands in them of the user's has passed
//! the gate as one statement that reads, and is put behind ours on lines of its own.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use duckdb::{Connection, params_from_iter};

use crate::asserted::Asserted;
use crate::catalogue::CannedQuery;
use crate::catalogue::Parameters;
use crate::error::{QueryError, SinkError};
use crate::gate::Statement;
use crate::session::Session;
use crate::stream::{Bound, RowSink, Rows, RunSummary, Wanted, stream};
use crate::trouble::{self, Author};
use crate::trust::Sieve;

/// Answers that are kept; each takes memory or disk until it is pushed out.
pub const RESULTS_MAX: usize = 9;

/// The table that an answer is gathered in; it gets a name of its own when it is whole.
const NEXT: &str = "kept_next";

/// An answer that is kept as `last`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its rows.
    pub rows: u64,
    /// Names of its columns.
    pub columns: Vec<String>,
}

/// The name in SQL of an answer that is kept: the newest is number 1.
pub fn result_name(number: usize) -> String {
    if number == 1 { "last".to_owned() } else { format!("last{number}") }
}

impl Session {
    /// Runs a statement of the user that has passed the gate, and keeps its answer as `last`.
    ///
    /// A statement that fails or is stopped leaves the answers that are kept as they were.
    ///
    /// # Errors
    /// As for [`Session::sql`].
    pub fn keep(&self, statement: &Statement) -> Result<Kept, QueryError> {
        self.run_statement(statement, |bound| self.keep_bound(bound))
    }

    /// Runs a canned query, and keeps its answer as `last`.
    ///
    /// # Errors
    /// As for [`Session::run`].
    pub fn keep_answer(&self, query: &CannedQuery, parameters: &Parameters) -> Result<Kept, QueryError> {
        let bound = self.bound(query, parameters)?;
        let kept = self.keep_bound(bound);
        kept.map_err(|error| self.explain_asked(error, query, parameters))
    }

    /// Hands the rows of `last` to `sink`; with a `limit` only the last ones.
    ///
    /// # Errors
    /// When the sink gives up, or on an interrupt.
    pub fn kept(&self, limit: Option<usize>, sink: &mut dyn RowSink) -> Result<RunSummary, QueryError> {
        self.show_kept(limit, None, sink)
    }

    /// The same of an answer to a canned query: addresses that are a proxy's word are marked.
    ///
    /// # Errors
    /// As for [`Session::kept`].
    pub fn kept_answer(&self, limit: Option<usize>, sink: &mut dyn RowSink) -> Result<RunSummary, QueryError> {
        self.show_kept(limit, self.asserted()?, sink)
    }

    /// Counts the rows of `last` that a sieve would hide.
    ///
    /// # Errors
    /// As for [`Session::kept`].
    pub fn sift_kept(&self, sieve: &mut Sieve) -> Result<(), QueryError> {
        if sieve.entries.is_empty() {
            return Ok(());
        }
        let bound = Bound { sql: "FROM last".to_owned(), value: Box::new(|_| duckdb::types::Value::Null) };
        let wanted = Wanted { asserted: self.asserted()?, sieve: Some(sieve), ..Wanted::of(Rows::Last(0)) };
        let done = stream(self.engine(), bound, wanted, self.interrupt(), &mut Nowhere);
        done.map(drop).map_err(|error| self.explain(error, "count what is trusted", Author::Program))
    }

    fn show_kept(
        &self,
        limit: Option<usize>,
        asserted: Option<Arc<Asserted>>,
        sink: &mut dyn RowSink,
    ) -> Result<RunSummary, QueryError> {
        let bound = Bound { sql: "FROM last".to_owned(), value: Box::new(|_| duckdb::types::Value::Null) };
        let wanted = Wanted { asserted, ..Wanted::of(limit.map_or(Rows::All, Rows::Last)) };
        let done = stream(self.engine(), bound, wanted, self.interrupt(), sink);
        done.map_err(|error| self.explain(error, "show the answer", Author::Program))
    }

    fn keep_bound(&self, bound: Bound) -> Result<Kept, QueryError> {
        if self.interrupt().take() {
            return Err(QueryError::Interrupted);
        }
        self.engine().run(move |connection| keep(connection, &bound)).map_err(QueryError::engine("keep the answer"))
    }
}

/// Takes rows that nobody wants to see.
struct Nowhere;

impl RowSink for Nowhere {
    fn columns(&mut self, _: &SchemaRef) -> Result<(), SinkError> {
        Ok(())
    }

    fn rows(&mut self, _: &RecordBatch) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Makes the table, and gives it and the older ones their names.
fn keep(connection: &Connection, bound: &Bound) -> duckdb::Result<Kept> {
    let made = make(connection, bound);
    if made.is_err() {
        // What was gathered takes memory; when even this fails, the next answer replaces it.
        let _ = connection.execute_batch(&format!("DROP TABLE IF EXISTS {NEXT}"));
        made?;
    }
    let columns = connection
        .prepare(&format!(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = '{NEXT}' ORDER BY column_index"
        ))?
        .query_map([], |row| row.get(0))?
        .collect::<duckdb::Result<Vec<String>>>()?;
    let rows = connection.query_row(&format!("SELECT count(*) FROM {NEXT}"), [], |row| row.get(0))?;
    if let Err(error) = connection.execute_batch(&rotation()) {
        // A transaction that failed would refuse all that follows.
        let _ = connection.execute_batch("ROLLBACK");
        return Err(error);
    }
    Ok(Kept { rows, columns })
}

fn make(connection: &Connection, bound: &Bound) -> duckdb::Result<()> {
    let create = |body: &str| connection.prepare(&format!("CREATE OR REPLACE TEMP TABLE {NEXT} AS\n{body}\n"));
    let mut statement = match create(&bound.sql) {
        Ok(statement) => statement,
        Err(error) if trouble::is_interrupt(&error) => return Err(error),
        Err(_) => {
            // What is wrong with it is told by places in the user's text, not in ours.
            drop(connection.prepare(&bound.sql)?);
            // DESCRIBE, SUMMARIZE and SHOW are fine by themselves, and as a table between brackets.
            create(&format!("FROM (\n{}\n)", bound.sql))?
        }
    };
    let values = bound.values(&statement)?;
    statement.execute(params_from_iter(values)).map(drop).map_err(with_places_of_the_user)
}

/// An error while rows are computed points into our text, where the user's begins in the second line.
fn with_places_of_the_user(error: duckdb::Error) -> duckdb::Error {
    let duckdb::Error::DuckDBFailure(code, Some(message)) = error else { return error };
    let moved = message.split_once("\nLINE ").and_then(|(text, rest)| {
        let (number, rest) = rest.split_once(':')?;
        let line = number.parse::<usize>().ok()?.checked_sub(1)?;
        // The caret stands below the whole line, so its place depends on the digits of the number.
        (line.to_string().len() == number.len()).then(|| format!("{text}\nLINE {line}:{rest}"))
    });
    duckdb::Error::DuckDBFailure(code, Some(moved.unwrap_or(message)))
}

/// SQL that makes the new answer `last`, and pushes the oldest one out.
fn rotation() -> String {
    let mut sql = format!("BEGIN;\nDROP TABLE IF EXISTS {};\n", result_name(RESULTS_MAX));
    for number in (1..RESULTS_MAX).rev() {
        // Writing into a string cannot fail.
        let (old, new) = (result_name(number), result_name(number + 1));
        let _ = writeln!(sql, "ALTER TABLE IF EXISTS {old} RENAME TO {new};");
    }
    let _ = writeln!(sql, "ALTER TABLE {NEXT} RENAME TO {};\nCOMMIT;", result_name(1));
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_move_on_and_the_oldest_goes() {
        let sql = rotation();
        assert!(
            sql.starts_with("BEGIN;\nDROP TABLE IF EXISTS last9;\nALTER TABLE IF EXISTS last8 RENAME TO last9;\n"),
            "{sql}"
        );
        assert!(sql.ends_with("last RENAME TO last2;\nALTER TABLE kept_next RENAME TO last;\nCOMMIT;\n"), "{sql}");
    }

    #[test]
    fn places_are_those_of_the_users_text() {
        let message = |text: &str| {
            let error = duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(text.to_owned()));
            with_places_of_the_user(error).to_string()
        };
        assert_eq!(
            message("Conversion Error: x\n\nLINE 2: SELECT y\n      ^"),
            "Conversion Error: x\n\nLINE 1: SELECT y\n      ^"
        );
        assert_eq!(message("Conversion Error: x"), "Conversion Error: x");
    }
}

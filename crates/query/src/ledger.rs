//! The ledger of the case as a table, from which the view `sources` is made.
//!
//! Names of files come from outside, so nothing of it is pasted into SQL: rows are handed over as values.

use duckdb::types::{TimeUnit, Value};
use duckdb::{Connection, params};
use kforensic_lake::{Note, Said, Snapshot};

use crate::error::QueryError;

/// A row per account. `account` is the JSON that stands in the commit.
const TABLE: &str = "CREATE TABLE ledger (commit BIGINT, ingested_at TIMESTAMP, tool_version VARCHAR, account JSON)";

/// A row per event and word that somebody put on it, from the notes beside the evidence.
const TAGGED: &str = "CREATE TABLE tagged \
    (audit_id VARCHAR, tag VARCHAR, note VARCHAR, author VARCHAR, tagged_at TIMESTAMP, number BIGINT)";

/// Makes the table `tagged` and fills it.
pub(crate) fn load_tags(connection: &Connection, notes: &[Note]) -> duckdb::Result<()> {
    connection.execute_batch(TAGGED)?;
    let mut table = connection.appender("tagged")?;
    for written in notes {
        let Said::Tag { audit_ids, tag, note, author } = &written.said else { continue };
        let time = Value::Timestamp(TimeUnit::Millisecond, written.at_ms);
        for audit_id in audit_ids {
            table.append_row(params![audit_id, tag, note, author, time, written.number])?;
        }
    }
    table.flush()
}

/// A row of the table.
pub(crate) struct Row {
    commit: i64,
    time_ms: i64,
    tool_version: String,
    account: String,
}

/// The rows of the table, in the order of the commits.
///
/// # Errors
/// When an account cannot be written as JSON.
pub(crate) fn rows(snapshot: &Snapshot) -> Result<Vec<Row>, QueryError> {
    let commits = snapshot.operations.iter().zip(&snapshot.commit_times_ms);
    let mut rows = Vec::new();
    for (commit, (operation, time_ms)) in (0_i64..).zip(commits) {
        for account in &operation.sources {
            let account = serde_json::to_string(account)
                .map_err(|error| duckdb::Error::ToSqlConversionFailure(Box::new(error)))
                .map_err(QueryError::engine("load the ledger"))?;
            rows.push(Row { commit, time_ms: *time_ms, tool_version: operation.tool_version.clone(), account });
        }
    }
    Ok(rows)
}

/// Makes the table `ledger` and fills it.
pub(crate) fn load(connection: &Connection, rows: &[Row]) -> duckdb::Result<()> {
    connection.execute_batch(TABLE)?;
    let mut table = connection.appender("ledger")?;
    for row in rows {
        let time = Value::Timestamp(TimeUnit::Millisecond, row.time_ms);
        table.append_row(params![row.commit, time, row.tool_version, row.account])?;
    }
    table.flush()
}

//! The ledger of the case as a table, from which the view `sources` is made.
//!
//! Names of files come from outside, so nothing of it is pasted into SQL: rows are handed over as values.

use duckdb::types::{TimeUnit, Value};
use duckdb::{Connection, params};
use kforensic_lake::Snapshot;

/// A row per account. `account` is the JSON that stands in the commit.
const TABLE: &str = "CREATE TABLE ledger (commit BIGINT, ingested_at TIMESTAMP, tool_version VARCHAR, account JSON)";

/// Makes the table `ledger` and fills it.
pub(crate) fn load(connection: &Connection, snapshot: &Snapshot) -> duckdb::Result<()> {
    connection.execute_batch(TABLE)?;
    let mut rows = connection.appender("ledger")?;
    let commits = snapshot.operations.iter().zip(&snapshot.commit_times_ms);
    for (version, (operation, time_ms)) in (0_i64..).zip(commits) {
        for account in &operation.sources {
            let json = serde_json::to_string(account);
            let json = json.map_err(|error| duckdb::Error::ToSqlConversionFailure(Box::new(error)))?;
            let time = Value::Timestamp(TimeUnit::Millisecond, *time_ms);
            rows.append_row(params![version, time, operation.tool_version, json])?;
        }
    }
    rows.flush()
}

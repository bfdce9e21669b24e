//! Investigations: evidence is collected by SQL over few columns, and `kforensic_trace` concludes from it.
//!
//! What comes from a log (names, ids) is bound as one JSON text, and never part of the SQL. Results are Arrow batches with
//! the columns of the views where there are such, so that every form and the report can show them.

mod batch;
mod check;
mod evidence;
mod history;
mod rbac;
mod rotate;
mod spread;
mod sweep;

use duckdb::{Connection, Row};
use serde_json::json;

use crate::error::QueryError;
use crate::session::Session;

pub use batch::Answer;
pub use check::Checked;
pub use rbac::{rbac_at, rbac_changes, rbac_diff};
pub use spread::SpreadView;

/// A list of texts as one value to bind; `unnest(from_json(?, '["VARCHAR"]'))` takes it apart.
fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    json!(texts.into_iter().collect::<Vec<_>>()).to_string()
}

/// A list of texts that SQL gave as JSON.
fn texts(json: Option<String>) -> Vec<String> {
    json.and_then(|json| serde_json::from_str::<Vec<Option<String>>>(&json).ok())
        .into_iter()
        .flatten()
        .flatten()
        .collect()
}

impl Session {
    /// Rows of a statement of ours, with what is bound to it.
    fn rows<T: Send + 'static>(
        &self,
        action: &'static str,
        sql: &str,
        bound: Vec<String>,
        row: impl FnMut(&Row<'_>) -> duckdb::Result<T> + Send + 'static,
    ) -> Result<Vec<T>, QueryError> {
        self.provide(|provided| provided.for_statement(sql))?;
        let sql = sql.to_owned();
        self.ask(action, move |connection: &Connection| {
            connection.prepare(&sql)?.query_map(duckdb::params_from_iter(bound), row)?.collect()
        })
    }
}

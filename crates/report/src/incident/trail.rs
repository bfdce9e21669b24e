//! Where clues lead: what else the intruder got into, what is to be revoked, and which rights were given. It is found
//! elsewhere, and only told here.

use arrow::array::RecordBatch;

use crate::document::figure::Graph;
use crate::document::table::columns_of;
use crate::document::{Table, Value};

/// What was found from clues.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trail {
    /// The clues, as they are written: `user:bob`.
    pub clues: Vec<String>,
    /// Whether the findings named them, rather than somebody.
    pub is_chosen: bool,
    /// Who is in it, with the reason.
    pub identities: Table,
    /// What was done, in time.
    pub story: Table,
    /// What leads to what.
    pub graph: Graph,
    /// Things that the graph leaves out, because there are too many.
    pub not_drawn: usize,
    /// What stays unknown.
    pub unknown: Vec<String>,
    /// What is to be revoked, removed and replaced.
    pub checklist: Table,
    /// Objects as they were before, as YAML, with what they are called.
    pub before: Vec<(String, String)>,
    /// What became of roles and bindings since the first moment.
    pub changes: Table,
    /// The way back, as YAML.
    pub way_back: String,
    /// What the identities may do at the end.
    pub rights: Table,
    /// What is not known about rights.
    pub rights_unknown: Vec<String>,
}

/// A table of some columns of an answer, with at most `rows_max` of its rows; the others are counted.
#[must_use]
pub fn table_of(id: &str, caption: &str, batch: &RecordBatch, columns: &[&str], rows_max: usize) -> Table {
    let schema = batch.schema();
    let places: Vec<usize> = columns.iter().filter_map(|name| schema.index_of(name).ok()).collect();
    let all = columns_of(&schema);
    let mut table = Table::new(id, caption, places.iter().map(|at| all[*at].clone()).collect());
    for row in 0..batch.num_rows().min(rows_max) {
        table.push(places.iter().map(|at| Value::of(batch, *at, row)).collect());
    }
    table.total_rows = batch.num_rows() as u64;
    table
}

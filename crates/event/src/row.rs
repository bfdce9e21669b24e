//! A row on its way into the table, and the builder that turns rows into Arrow batches.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use crate::cell::Cell;
use crate::columns::{self, COLUMNS};
use crate::event::Event;
use crate::gather::gather;
use crate::partition::{self, Folders};
use crate::rows::Rows;
use crate::shape::Position;
use crate::time;

/// What all rows of one source share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Commit and number of the source's ledger entry, such as `0-3`.
    pub source_id: String,
    /// Cluster that the log comes from.
    pub cluster: Option<String>,
    /// Host that the log comes from.
    pub host: Option<String>,
    /// The mark of all its events, because of where it stands; see [`crate::container::of_path`].
    pub mark: Option<&'static str>,
    /// The folders of the case.
    pub folders: Folders,
}

/// One row: an event or a reject, and where it stands.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// The event; `None` for a reject.
    pub event: Option<&'a Event<'a>>,
    /// Reason and bytes of a rejected record.
    pub reject: Option<(&'a str, &'a [u8])>,
    /// Secret values that were replaced in it.
    pub redacted: u32,
    /// JSON for the column `other` of a reject.
    pub note: Option<&'a str>,
    /// The source.
    pub origin: &'a Origin,
    /// Where in the source the record begins.
    pub position: Position,
    /// Length of the record in bytes.
    pub length: i64,
}

impl Row<'_> {
    /// UTC day of the request in days since 1970; `None` for a reject.
    pub fn day(&self) -> Option<i32> {
        self.event?.event_time.map(time::day)
    }

    /// Folder that the row belongs to.
    pub fn resource_partition(&self) -> &'static str {
        match self.event {
            Some(event) => self.origin.folders.of_resource(event.resource()),
            None => partition::REJECTED,
        }
    }

    /// Calls `each` with every column's kind and value, in the order of the table.
    pub(crate) fn cells<'a>(&'a self) -> impl Iterator<Item = (&'static columns::Column, Cell<'a>)> {
        COLUMNS.iter().map(move |column| (column, (column.get)(self)))
    }
}

/// Collects rows into one Arrow batch.
#[derive(Debug)]
pub struct RowBuilder {
    schema: SchemaRef,
    rows: Rows,
}

impl RowBuilder {
    /// An empty builder for batches of `schema`, which must be [`crate::columns::schema`].
    pub fn new(schema: SchemaRef) -> Self {
        Self { schema, rows: Rows::new(0) }
    }

    /// Adds a row.
    pub fn push(&mut self, row: &Row<'_>) {
        self.rows.push(&[], row);
    }

    /// The rows as one batch.
    ///
    /// # Errors
    /// When the columns do not fit the schema that was given.
    pub fn finish(self) -> Result<RecordBatch, ArrowError> {
        let rows: Vec<(&Rows, usize)> = (0..self.rows.len()).map(|row| (&self.rows, row)).collect();
        gather(&self.schema, &rows)
    }
}

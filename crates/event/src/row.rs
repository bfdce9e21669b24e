//! A row on its way into the table, and the builder that turns rows into Arrow batches.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Int32Builder, Int64Builder, ListBuilder, RecordBatch,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use crate::cell::Cell;
use crate::columns::{self, COLUMNS, Kind};
use crate::event::Event;
use crate::partition;
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
            Some(event) => partition::of_resource(event.resource()),
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
    columns: Vec<ColumnBuilder>,
    rows: usize,
}

#[derive(Debug)]
enum ColumnBuilder {
    Time(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    Text(StringBuilder),
    Texts(ListBuilder<StringBuilder>),
    Int(Int32Builder),
    Long(Int64Builder),
    Bool(BooleanBuilder),
    Bytes(BinaryBuilder),
}

impl RowBuilder {
    /// An empty builder for batches of `schema`, which must be [`columns::schema`]
    /// (shared, because it is made once and used for every batch).
    pub fn new(schema: SchemaRef) -> Self {
        let columns = COLUMNS.iter().map(|column| ColumnBuilder::new(column.kind)).collect();
        Self { schema, columns, rows: 0 }
    }

    /// Adds a row.
    pub fn push(&mut self, row: &Row<'_>) {
        for ((_, cell), column) in row.cells().zip(&mut self.columns) {
            column.push(&cell);
        }
        self.rows += 1;
    }

    /// Rows added so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The rows as one batch.
    ///
    /// # Errors
    /// When the columns do not fit the schema that was given.
    pub fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        RecordBatch::try_new(self.schema, arrays)
    }
}

/// Rows and bytes that a column has room for at first. Arrow's own default of 1,024 would make a batch of
/// three rows, as rare resources have, a third of a megabyte.
const FIRST_ROWS: usize = 16;
const FIRST_BYTES: usize = 256;

impl ColumnBuilder {
    fn new(kind: Kind) -> Self {
        let text = || StringBuilder::with_capacity(FIRST_ROWS, FIRST_BYTES);
        match kind {
            Kind::Time => Self::Time(TimestampMicrosecondBuilder::with_capacity(FIRST_ROWS).with_timezone("UTC")),
            Kind::Date => Self::Date(Date32Builder::with_capacity(FIRST_ROWS)),
            Kind::Text | Kind::Json => Self::Text(text()),
            Kind::Texts => Self::Texts(ListBuilder::with_capacity(text(), FIRST_ROWS).with_field(columns::list_item())),
            Kind::Int => Self::Int(Int32Builder::with_capacity(FIRST_ROWS)),
            Kind::Long => Self::Long(Int64Builder::with_capacity(FIRST_ROWS)),
            Kind::Bool => Self::Bool(BooleanBuilder::with_capacity(FIRST_ROWS)),
            Kind::Bytes => Self::Bytes(BinaryBuilder::with_capacity(FIRST_ROWS, 0)),
        }
    }

    fn push(&mut self, cell: &Cell<'_>) {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Texts(builder), Cell::Texts(texts)) => {
                for text in texts.iter() {
                    builder.values().append_value(text);
                }
                builder.append(true);
            }
            (Self::Texts(builder), _) => builder.append(false),
            (Self::Time(builder), cell) => builder.append_option(cell.int()),
            // Both come from 32-bit values, so the way back cannot fail.
            (Self::Date(builder), cell) => builder.append_option(cell.int().and_then(|int| i32::try_from(int).ok())),
            (Self::Int(builder), cell) => builder.append_option(cell.int().and_then(|int| i32::try_from(int).ok())),
            (Self::Long(builder), cell) => builder.append_option(cell.int()),
            (Self::Bool(builder), Cell::Bool(bool)) => builder.append_value(*bool),
            (Self::Bool(builder), _) => builder.append_null(),
            (Self::Bytes(builder), Cell::Bytes(bytes)) => builder.append_value(bytes),
            (Self::Bytes(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Texts(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Long(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Bytes(builder) => Arc::new(builder.finish()),
        }
    }
}

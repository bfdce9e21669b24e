//! The contract between a caller with batches and a format that writes them.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use crate::{About, ReportError};

/// Bytes gathered before the output is called: fewer calls, still little memory.
pub(crate) const BUFFER_BYTES: usize = 64 * 1024;

/// Room and means of the output, and what was asked of its looks. The default is a pipe: unlimited width, no colour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Width in terminal columns; `None` or 0 means unlimited, and nothing is ever wrapped.
    pub width: Option<usize>,
    /// Whether ANSI colours may be written. Only the table uses them.
    pub colour: bool,
    /// How the table lays out its rows.
    pub rows: RowLayout,
    /// How CSV and TSV write text that an intruder may have chosen.
    pub cells: CellText,
    /// Tags that every row gets in Timesketch, such as the name of the query.
    pub tags: Vec<String>,
}

/// How the table lays out a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowLayout {
    /// Under a header where the columns fit, else as cards: nothing is cut.
    #[default]
    Fitted,
    /// Every row as one line, fitted to the width: what is too long is cut, and columns that say less make room.
    Lines,
    /// Every row as a card: one line for each value.
    Cards,
}

/// How the delimited formats write a text. Numbers and times are always written as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CellText {
    /// As it is, but behind a `'` when a spreadsheet would take it for a formula.
    #[default]
    Defused,
    /// The same, with the characters escaped that a terminal obeys or hides.
    Visible,
    /// As it is, byte for byte.
    Raw,
}

/// Takes a result batch by batch and writes it in one format.
///
/// A result that is not finished stays visibly incomplete where the format allows it: a JSON array
/// without its `]`. Dropping a sink therefore writes no ending.
pub trait Sink {
    /// Writes the rows of `batch`. The table keeps back its first rows to choose its widths, and Parquet the
    /// rows of a row group, both up to a limit; HTML and Excel keep all; every other format has handed all rows to the output when this
    /// returns.
    ///
    /// # Errors
    /// When the output fails, or when the columns of `batch` are not those of the result.
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ReportError>;

    /// Takes what stands beside the rows, which is known when they are. HTML, Excel and Markdown show it; to others it makes
    /// no difference.
    fn about(&mut self, _about: &About) {}

    /// Writes what is still kept back and the ending of the format, and flushes the output.
    ///
    /// # Errors
    /// When the output fails.
    fn finish(self: Box<Self>) -> Result<Summary, ReportError>;
}

/// What was written, for the line under the result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows written. In Timesketch these are events, of which a row with a first and a last time makes two.
    pub rows: u64,
    /// Names of the columns the table left out because every row of the result is NULL there, in
    /// column order, with control characters made visible. Empty for every other format.
    pub hidden_columns: Vec<String>,
    /// Names of the columns that the table left out for want of room, in column order. Empty for every other format.
    pub crowded_columns: Vec<String>,
    /// Whether the table cut some cell.
    pub is_cut: bool,
    /// Rows that the format had no room for. They are counted, and the file says so too.
    pub rows_left_out: u64,
    /// Values that were cut because a cell of the format holds no more; each says so.
    pub values_cut: u64,
}

/// Refuses a batch whose values would stand under the names of other columns.
pub(crate) fn check_columns(expected: &Schema, found: &Schema) -> Result<(), ReportError> {
    let same = expected.fields().len() == found.fields().len()
        && expected.fields().iter().zip(found.fields()).all(|(one, other)| one.name() == other.name());
    if same {
        return Ok(());
    }
    Err(ReportError::Columns { expected: listed(expected), found: listed(found) })
}

fn listed(schema: &Schema) -> String {
    schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(",")
}

//! What CSV and TSV make of a value: the field before its quotes or backslashes, and formulas defused.
//!
//! An intruder chooses user agents and names. A spreadsheet that opens an export runs a cell that begins like a
//! formula, and with it commands of the machine (`=cmd|…`) or requests that carry the rest of the row away. A `'` before
//! it makes it text. Only text is ever changed: a number is `-5`, and an interval `-2 days`.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};

use crate::cell::{Cell, bare, write_plain};
use crate::names::distinct;
use crate::sink::{CellText, Layout};
use crate::visible::{escape, is_hostile};

/// The fields of a result, one after the other.
pub(crate) struct Fields {
    schema: SchemaRef,
    layout: Layout,
    /// The field that was read last, kept for its memory.
    field: Vec<u8>,
}

impl Fields {
    pub(crate) fn new(schema: SchemaRef, layout: Layout) -> Self {
        Self { schema, layout, field: Vec::new() }
    }

    /// The columns of the result.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The names of the columns. SQL lets anyone choose them, and `PIVOT` makes them of data.
    ///
    /// # Errors
    /// Never: memory takes all.
    pub(crate) fn header(&self) -> io::Result<Vec<Vec<u8>>> {
        let name = |name: String| {
            let mut field = Vec::new();
            self.write_text(&mut field, &name)?;
            Ok(field)
        };
        distinct(&self.schema).into_iter().map(name).collect()
    }

    /// The value of `batch` in `column` at `row`: nothing for NULL, JSON for lists, structs and maps.
    ///
    /// # Errors
    /// Never: memory takes all.
    pub(crate) fn field(&mut self, batch: &RecordBatch, column: usize, row: usize) -> io::Result<&[u8]> {
        let mut field = std::mem::take(&mut self.field);
        field.clear();
        let array = batch.column(column);
        match Cell::of(array, row) {
            Cell::Text(text) if is_free_text(array.data_type()) => self.write_text(&mut field, &text)?,
            cell => write_plain(&mut field, &cell)?,
        }
        self.field = field;
        Ok(&self.field)
    }

    fn write_text(&self, field: &mut Vec<u8>, text: &str) -> io::Result<()> {
        if self.layout.cells != CellText::Raw && is_formula(text) {
            field.push(b'\'');
        }
        match self.layout.cells {
            CellText::Visible => field.write_all(escape(text).as_bytes()),
            CellText::Defused | CellText::Raw => field.write_all(text.as_bytes()),
        }
    }
}

/// Whether the texts of a column are anyone's: not the text of a time or an interval.
fn is_free_text(data_type: &DataType) -> bool {
    !bare(data_type).is_temporal()
}

/// Whether a spreadsheet could take `text` for a formula: it begins with `=`, `+`, `-` or `@`, in their full width too,
/// which Excel accepts, or with a tab or line end. Spaces and invisible characters before them do not count.
fn is_formula(text: &str) -> bool {
    // Nearly every text: it is asked of each of millions.
    if text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return false;
    }
    let is_skipped = |character: char| character.is_whitespace() || is_hostile(character);
    text.starts_with(['\t', '\r', '\n'])
        || text.trim_start_matches(is_skipped).starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_told_from_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "\nx", " =1", "\u{200b}@x", "＝1", "－", "-"] {
            assert!(is_formula(text), "{text:?}");
        }
        for text in ["", "a=b", "system:serviceaccount:a:b", "5-3", "'=1", "/api", "[\"=1\"]", "日本"] {
            assert!(!is_formula(text), "{text:?}");
        }
    }
}

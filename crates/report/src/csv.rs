//! CSV for programs: RFC 4180 quoting, `\n` line ends, a header line. Rows go out one by one; memory does not grow.
//!
//! Values are exact, so a cell may begin with `=` or hold control characters: a spreadsheet that runs formulas of a
//! hostile user agent is not stopped here, because a changed value would no longer be evidence.

use std::io::{self, Write};

use ::csv::{ErrorKind, Terminator, WriterBuilder};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::ReportError;
use crate::cell::{Cell, write_plain};
use crate::names::distinct;
use crate::sink::{BUFFER_BYTES, Layout, Sink, Summary, check_columns};

struct Csv<'w> {
    out: ::csv::Writer<&'w mut dyn Write>,
    schema: SchemaRef,
    is_header_written: bool,
    /// The field being written, kept for its memory.
    field: Vec<u8>,
    rows: u64,
}

/// Starts `--format csv`.
pub(crate) fn start<'w>(
    schema: SchemaRef,
    _layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    let out = WriterBuilder::new().terminator(Terminator::Any(b'\n')).buffer_capacity(BUFFER_BYTES).from_writer(out);
    Ok(Box::new(Csv { out, schema, is_header_written: false, field: Vec::new(), rows: 0 }))
}

impl Csv<'_> {
    fn write_header(&mut self) -> Result<(), ReportError> {
        if !self.is_header_written {
            self.out.write_record(distinct(&self.schema)).map_err(into_report)?;
            self.is_header_written = true;
        }
        Ok(())
    }
}

impl Sink for Csv<'_> {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        check_columns(&self.schema, batch.schema_ref())?;
        self.write_header()?;
        for row in 0..batch.num_rows() {
            for column in batch.columns() {
                self.field.clear();
                write_plain(&mut self.field, &Cell::of(column, row))?;
                self.out.write_field(&self.field).map_err(into_report)?;
            }
            // An empty record ends the line that the fields began.
            self.out.write_record(None::<&[u8]>).map_err(into_report)?;
            self.rows += 1;
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, ReportError> {
        self.write_header()?;
        self.out.flush()?;
        Ok(Summary { rows: self.rows, hidden_columns: Vec::new() })
    }
}

fn into_report(error: ::csv::Error) -> ReportError {
    match error.into_kind() {
        ErrorKind::Io(source) => ReportError::Io(source),
        // The writer can only fail with its output or on rows of unequal length, which a batch cannot hold.
        other => ReportError::Io(io::Error::other(format!("{other:?}"))),
    }
}

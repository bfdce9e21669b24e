//! CSV for programs and spreadsheets: RFC 4180 quoting, `\n` line ends, a header line. Rows go out one by one; memory
//! does not grow.

use std::io::{self, Write};

use ::csv::{ErrorKind, Terminator, WriterBuilder};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::ReportError;
use crate::delimited::Fields;
use crate::sink::{BUFFER_BYTES, Layout, Sink, Summary, check_columns};

struct Csv<'w> {
    out: ::csv::Writer<&'w mut dyn Write>,
    fields: Fields,
    is_header_written: bool,
    rows: u64,
}

/// Starts `--format csv`.
pub(crate) fn start<'w>(
    schema: SchemaRef,
    layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    let out = WriterBuilder::new().terminator(Terminator::Any(b'\n')).buffer_capacity(BUFFER_BYTES).from_writer(out);
    Ok(Box::new(Csv { out, fields: Fields::new(schema, layout), is_header_written: false, rows: 0 }))
}

impl Csv<'_> {
    fn write_header(&mut self) -> Result<(), ReportError> {
        if !self.is_header_written {
            self.out.write_record(self.fields.header()?).map_err(into_report)?;
            self.is_header_written = true;
        }
        Ok(())
    }
}

impl Sink for Csv<'_> {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        check_columns(self.fields.schema(), batch.schema_ref())?;
        self.write_header()?;
        for row in 0..batch.num_rows() {
            for column in 0..batch.num_columns() {
                self.out.write_field(self.fields.field(batch, column, row)?).map_err(into_report)?;
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
        Ok(Summary { rows: self.rows, ..Summary::default() })
    }
}

fn into_report(error: ::csv::Error) -> ReportError {
    match error.into_kind() {
        ErrorKind::Io(source) => ReportError::Io(source),
        // The writer can only fail with its output or on rows of unequal length, which a batch cannot hold.
        other => ReportError::Io(io::Error::other(format!("{other:?}"))),
    }
}

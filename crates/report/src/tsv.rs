//! TSV for `cut`, `awk` and databases: one line per row, whatever its cells hold. Rows go out one by one; memory does
//! not grow.
//!
//! A tab, a line end and a backslash in a cell are written `\t`, `\n`, `\r` and `\\`, as PostgreSQL and MySQL read them.
//! Nothing is quoted; a cell that begins with `"` is written `\"…`, because Excel and Python's `csv` would take all up to
//! the next quote for one cell, other rows included.

use std::io::{BufWriter, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::ReportError;
use crate::delimited::Fields;
use crate::sink::{BUFFER_BYTES, Layout, Sink, Summary, check_columns};

struct Tsv<'w> {
    out: BufWriter<&'w mut dyn Write>,
    fields: Fields,
    is_header_written: bool,
    rows: u64,
}

/// Starts `--format tsv`.
pub(crate) fn start<'w>(
    schema: SchemaRef,
    layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    let out = BufWriter::with_capacity(BUFFER_BYTES, out);
    Ok(Box::new(Tsv { out, fields: Fields::new(schema, layout), is_header_written: false, rows: 0 }))
}

impl Tsv<'_> {
    fn write_header(&mut self) -> Result<(), ReportError> {
        if self.is_header_written {
            return Ok(());
        }
        for (column, name) in self.fields.header()?.iter().enumerate() {
            write_field(&mut self.out, column, name)?;
        }
        self.out.write_all(b"\n")?;
        self.is_header_written = true;
        Ok(())
    }
}

impl Sink for Tsv<'_> {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        check_columns(self.fields.schema(), batch.schema_ref())?;
        self.write_header()?;
        for row in 0..batch.num_rows() {
            for column in 0..batch.num_columns() {
                write_field(&mut self.out, column, self.fields.field(batch, column, row)?)?;
            }
            self.out.write_all(b"\n")?;
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

/// Writes one field, and the tab before it where one belongs.
fn write_field(out: &mut impl Write, column: usize, field: &[u8]) -> Result<(), ReportError> {
    if column > 0 {
        out.write_all(b"\t")?;
    }
    if field.starts_with(b"\"") {
        out.write_all(b"\\")?;
    }
    let mut rest = field;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b'\\')) {
        out.write_all(&rest[..at])?;
        out.write_all(match rest[at] {
            b'\t' => b"\\t",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            _ => b"\\\\",
        })?;
        rest = &rest[at + 1..];
    }
    Ok(out.write_all(rest)?)
}

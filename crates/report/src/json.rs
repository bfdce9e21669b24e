//! JSON for programs: one array, or one object per line. Rows go out one by one; memory does not grow.

use std::io::{BufWriter, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::ReportError;
use crate::cell::{Cell, write_json, write_json_text};
use crate::names::distinct;
use crate::sink::{BUFFER_BYTES, Layout, Sink, Summary, check_columns};

/// What stands around the objects.
struct Frame {
    before_first: &'static [u8],
    before_next: &'static [u8],
    after_each: &'static [u8],
    end: &'static [u8],
    empty: &'static [u8],
}

const ARRAY: Frame =
    Frame { before_first: b"[\n", before_next: b",\n", after_each: b"", end: b"\n]\n", empty: b"[]\n" };
/// Every line is complete as soon as it is written, for readers that follow along.
const LINES: Frame = Frame { before_first: b"", before_next: b"", after_each: b"\n", end: b"", empty: b"" };

struct Json<'w> {
    out: BufWriter<&'w mut dyn Write>,
    schema: SchemaRef,
    /// `"event_time":` for every column, with the comma before it where one belongs.
    keys: Vec<Vec<u8>>,
    frame: &'static Frame,
    rows: u64,
}

/// Starts `--format json`.
pub(crate) fn start_array<'w>(
    schema: SchemaRef,
    _layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    start(schema, &ARRAY, out)
}

/// Starts `--format jsonl`.
pub(crate) fn start_lines<'w>(
    schema: SchemaRef,
    _layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    start(schema, &LINES, out)
}

fn start<'w>(
    schema: SchemaRef,
    frame: &'static Frame,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    let mut keys = Vec::with_capacity(schema.fields().len());
    for name in distinct(&schema) {
        let mut key = if keys.is_empty() { Vec::new() } else { vec![b','] };
        write_json_text(&mut key, &name)?;
        key.push(b':');
        keys.push(key);
    }
    let out = BufWriter::with_capacity(BUFFER_BYTES, out);
    Ok(Box::new(Json { out, schema, keys, frame, rows: 0 }))
}

impl Sink for Json<'_> {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        check_columns(&self.schema, batch.schema_ref())?;
        for row in 0..batch.num_rows() {
            let before = if self.rows == 0 { self.frame.before_first } else { self.frame.before_next };
            self.out.write_all(before)?;
            self.out.write_all(b"{")?;
            for (key, column) in self.keys.iter().zip(batch.columns()) {
                self.out.write_all(key)?;
                write_json(&mut self.out, &Cell::of(column, row))?;
            }
            self.out.write_all(b"}")?;
            self.out.write_all(self.frame.after_each)?;
            self.rows += 1;
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, ReportError> {
        let ending = if self.rows == 0 { self.frame.empty } else { self.frame.end };
        self.out.write_all(ending)?;
        self.out.flush()?;
        Ok(Summary { rows: self.rows, ..Summary::default() })
    }
}

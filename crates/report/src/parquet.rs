//! Parquet for other tools: the columns with their types, compressed. Written group by group of rows; what waits for its
//! group is bounded, and so is memory.
//!
//! The bytes depend on the rows alone, not on how a query cut them into batches. What Parquet has no type for, such as
//! intervals of months and days, is written as text, spelt as in CSV.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, IntervalUnit, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::ReportError;
use crate::cell::{Cell, write_plain};
use crate::names::distinct;
use crate::sink::{Layout, Sink, Summary, check_columns};

/// Rows that are encoded at once: as many as DuckDB gives, so that its batches need not be cut again.
const BATCH_ROWS: usize = 2_048;

/// Text that is encoded at once, whatever the number of rows: one audited ConfigMap can be a megabyte.
const BATCH_TEXT_BYTES: usize = 8 * 1024 * 1024;

/// Rows of a row group: the unit in which DuckDB works in parallel and skips.
const ROW_GROUP_ROWS: usize = 122_880;

/// Encoded bytes of a row group, which wait in memory until it is whole.
const ROW_GROUP_BYTES: usize = 64 * 1024 * 1024;

struct Parquet<'w> {
    out: &'w mut dyn Write,
    /// The columns of the result.
    schema: SchemaRef,
    /// The columns as they are written.
    written: SchemaRef,
    waiting: Waiting,
    /// Writes into memory, from where finished row groups go to `out`: the output of a command cannot be sent to another
    /// thread, as this writer wants.
    writer: ArrowWriter<Vec<u8>>,
    rows: u64,
}

/// Rows that wait to be encoded together.
#[derive(Default)]
struct Waiting {
    parts: Vec<RecordBatch>,
    rows: usize,
    text_bytes: usize,
}

/// Starts `--format parquet`.
pub(crate) fn start<'w>(
    schema: SchemaRef,
    _layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    let field = |(name, field): (String, &Arc<Field>)| {
        let data_type = if has_type(field.data_type()) { field.data_type().clone() } else { DataType::Utf8 };
        Field::new(name, data_type, true)
    };
    let fields: Vec<Field> = distinct(&schema).into_iter().zip(schema.fields()).map(field).collect();
    let written = Arc::new(Schema::new(fields));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by(format!("kforensic {}", env!("CARGO_PKG_VERSION")))
        .build();
    let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&written), Some(properties))?;
    Ok(Box::new(Parquet { out, schema, written, waiting: Waiting::default(), writer, rows: 0 }))
}

impl Parquet<'_> {
    /// Takes the rows of `batch`, and encodes them where their number or their text says so, row by row: where a query
    /// cut its batches makes no difference.
    fn take(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let mut start = 0;
        for row in 0..batch.num_rows() {
            self.waiting.rows += 1;
            self.waiting.text_bytes +=
                batch.columns().iter().map(|column| text_bytes(&Cell::of(column, row))).sum::<usize>();
            if self.waiting.rows >= BATCH_ROWS || self.waiting.text_bytes >= BATCH_TEXT_BYTES {
                self.waiting.parts.push(batch.slice(start, row + 1 - start));
                self.encode()?;
                start = row + 1;
            }
        }
        self.waiting.parts.push(batch.slice(start, batch.num_rows() - start));
        Ok(())
    }

    fn encode(&mut self) -> Result<(), ReportError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.writer.write(&concat_batches(&self.written, &waiting.parts)?)?;
        self.pass_on()
    }

    /// Hands what is encoded to the output.
    fn pass_on(&mut self) -> Result<(), ReportError> {
        self.writer.sync()?;
        let encoded = self.writer.inner_mut();
        self.out.write_all(encoded)?;
        encoded.clear();
        Ok(())
    }
}

impl Sink for Parquet<'_> {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        check_columns(&self.schema, batch.schema_ref())?;
        let column = |(array, field): (&ArrayRef, &Arc<Field>)| match array.data_type() == field.data_type() {
            true => Ok(Arc::clone(array)),
            false => texts(array),
        };
        let columns = batch.columns().iter().zip(self.written.fields()).map(column).collect::<Result<Vec<_>, _>>()?;
        self.take(&RecordBatch::try_new(Arc::clone(&self.written), columns)?)?;
        self.rows += batch.num_rows() as u64;
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, ReportError> {
        self.encode()?;
        self.writer.finish()?;
        self.pass_on()?;
        self.out.flush()?;
        Ok(Summary { rows: self.rows, ..Summary::default() })
    }
}

/// About how many bytes of text a value holds.
fn text_bytes(cell: &Cell<'_>) -> usize {
    match cell {
        Cell::Text(text) => text.len(),
        Cell::List { values, rows } => rows.clone().map(|row| text_bytes(&Cell::of(*values, row))).sum(),
        Cell::Struct { fields, row } => fields.columns().iter().map(|column| text_bytes(&Cell::of(column, *row))).sum(),
        Cell::Map { entries, rows } => {
            let text =
                |row: usize| entries.columns().iter().map(|column| text_bytes(&Cell::of(column, row))).sum::<usize>();
            rows.clone().map(text).sum()
        }
        _ => 0,
    }
}

/// Whether Parquet, as the crate `parquet` writes it, has a type for all values of `data_type`.
fn has_type(data_type: &DataType) -> bool {
    match data_type {
        DataType::Interval(IntervalUnit::MonthDayNano) | DataType::Union(..) => false,
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale >= 0,
        DataType::Struct(fields) => !fields.is_empty() && fields.iter().all(|field| has_type(field.data_type())),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _)
        | DataType::RunEndEncoded(_, field) => has_type(field.data_type()),
        DataType::Dictionary(_, values) => has_type(values),
        _ => true,
    }
}

/// The values of `array` as CSV spells them.
fn texts(array: &ArrayRef) -> Result<ArrayRef, ReportError> {
    let text = |row: usize| match Cell::of(array, row) {
        Cell::Null => Ok(None),
        cell => {
            let mut text = Vec::new();
            write_plain(&mut text, &cell)?;
            Ok::<_, ReportError>(Some(String::from_utf8_lossy(&text).into_owned()))
        }
    };
    let texts = (0..array.len()).map(text).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(StringArray::from(texts)))
}

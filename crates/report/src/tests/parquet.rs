//! Parquet, read back with its reader.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;

use super::cases::{Case, encoded_texts, fractions, instants, integers, texts, times};
use super::nested::{lists, records};
use super::rows::{batch, bytes, columns, hostile_batch, reads, written};
use crate::{Format, Layout};

fn parquet(batches: &[RecordBatch]) -> Vec<u8> {
    bytes(Format::Parquet, Layout::default(), batches).0
}

fn reader(file: &[u8]) -> ParquetRecordBatchReaderBuilder<std::fs::File> {
    let mut stored = tempfile::tempfile().unwrap();
    stored.write_all(file).unwrap();
    ParquetRecordBatchReaderBuilder::try_new(stored).unwrap()
}

fn read(file: &[u8]) -> Vec<RecordBatch> {
    reader(file).build().unwrap().map(Result::unwrap).collect()
}

fn jsonl(batches: &[RecordBatch]) -> String {
    written(Format::Jsonl, Layout::default(), batches).0
}

#[test]
fn rows_read_back_with_their_types() {
    for rows in [batch(&reads()), hostile_batch()] {
        let file = parquet(&[rows.slice(0, 3), rows.slice(3, rows.num_rows() - 3)]);
        let found = read(&file);
        assert_eq!(jsonl(&found), jsonl(std::slice::from_ref(&rows)));
        let types = |batch: &RecordBatch| -> Vec<DataType> {
            batch.schema().fields().iter().map(|field| field.data_type().clone()).collect()
        };
        assert_eq!(types(&found[0]), types(&rows));
        let metadata = reader(&file).metadata().as_ref().clone();
        let columns = metadata.row_group(0).columns();
        assert!(columns.iter().all(|column| matches!(column.compression(), Compression::ZSTD(_))));
        assert_eq!(metadata.file_metadata().created_by(), Some(concat!("kforensic ", env!("CARGO_PKG_VERSION"))));
    }
}

#[test]
fn every_type_reads_back_as_json_says_it() {
    let cases = [integers(), fractions(), texts(), encoded_texts(), instants(), times(), lists(), records()];
    for Case { array, plain, .. } in cases.into_iter().flatten() {
        let name = array.data_type().clone();
        let rows = columns(vec![("v", array)]);
        let found = jsonl(&read(&parquet(std::slice::from_ref(&rows))));
        let is_text = matches!(name, DataType::Union(..) | DataType::Decimal128(_, -2));
        let text = || format!("{{\"v\":\"{plain}\"}}\n{{\"v\":null}}\n");
        assert_eq!(found, if is_text { text() } else { jsonl(&[rows]) }, "{name}");
    }
}

#[test]
fn an_empty_answer_has_its_columns() {
    let file = parquet(&[batch(&[])]);
    assert_eq!(reader(&file).schema().field(0).name(), "event_time");
    assert_eq!(read(&file).iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
}

#[test]
fn the_bytes_depend_on_the_rows_alone() {
    let rows: Vec<_> = reads().into_iter().cycle().take(5_000).collect();
    let whole = parquet(&[batch(&rows)]);
    for size in [7, 100, 2_048, 4_999] {
        let parts: Vec<RecordBatch> = rows.chunks(size).map(batch).collect();
        assert!(parquet(&parts) == whole, "{size}");
    }
}

/// Counts the bytes it is given.
struct Counter(Rc<Cell<usize>>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Eight rows of a megabyte that zstd cannot make smaller than half, all of them different.
fn noise(seed: u64) -> RecordBatch {
    let mut state = seed;
    let mut text = || -> String {
        let digits = (0..62_500).map(|_| {
            // xorshift64: as random as a test needs.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            format!("{state:016x}")
        });
        digits.collect()
    };
    let texts: StringArray = (0..8).map(|_| Some(text())).collect();
    columns(vec![("body", Arc::new(texts) as ArrayRef)])
}

#[test]
fn what_waits_for_its_row_group_is_bounded() {
    let written = Rc::new(Cell::new(0));
    let mut out = Counter(Rc::clone(&written));
    let mut sink = Format::Parquet.writer(noise(1).schema(), Layout::default(), &mut out).unwrap();
    for batch in 1..=30_u64 {
        sink.write_batch(&noise(batch)).unwrap();
        // Sixteen digits in a byte of eight bits: half of what is given must come out, but for a row group and a batch.
        let given = usize::try_from(batch).unwrap() * 8_000_000;
        assert!(written.get() + 64 * 1024 * 1024 + 16_000_000 > given / 2, "{batch}: {}", written.get());
    }
    assert!(written.get() > 40_000_000, "{}", written.get());
    sink.finish().unwrap();
}

//! Making Arrow arrays of rows.
//!
//! It goes from row to row, not from column to column: a row is a kilobyte of its piece, which is in the cache of the
//! processor while all of its values are copied, and would have to come from memory again for every column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use crate::columns::{COLUMNS, Kind, list_item};
use crate::rows::{Rows, to_int};

/// Some rows of some pieces, in the given order, as one batch of `schema`, which must be that of the table.
///
/// # Errors
/// When a column would be longer than 2 GiB, or a value is no text.
pub fn gather(schema: &SchemaRef, rows: &[(&Rows, usize)]) -> Result<RecordBatch, ArrowError> {
    let mut columns: Vec<Gathered> = COLUMNS.iter().map(|column| Gathered::new(column.kind)).collect();
    // A buffer that grows is copied again and again, and is twice as large in the end.
    for (piece, row) in rows {
        for (column, slot) in piece.values(*row) {
            columns[column].measure(piece, slot);
        }
    }
    columns.iter_mut().for_each(|column| column.reserve(rows.len()));
    for (number, (piece, row)) in rows.iter().enumerate() {
        for (column, slot) in piece.values(*row) {
            columns[column].push(number, piece, slot)?;
        }
    }
    let arrays: Result<Vec<ArrayRef>, _> = columns.into_iter().map(|column| column.finish(rows.len())).collect();
    RecordBatch::try_new(Arc::clone(schema), arrays?)
}

/// A column that is being gathered.
struct Gathered {
    kind: Kind,
    /// Rows that have a value.
    set: usize,
    /// A bit for each row, set where there is a value.
    valid: Vec<u8>,
    /// Numbers and instants; 0 where there is none.
    longs: Vec<i64>,
    ints: Vec<i32>,
    bits: Vec<u8>,
    /// Where the texts of rows end; those of the items of lists.
    ends: Vec<i32>,
    /// Where the lists of rows end.
    list_ends: Vec<i32>,
    /// Bytes of all texts.
    bytes: Vec<u8>,
    items: usize,
    size: usize,
}

impl Gathered {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            set: 0,
            valid: Vec::new(),
            longs: Vec::new(),
            ints: Vec::new(),
            bits: Vec::new(),
            ends: Vec::new(),
            list_ends: Vec::new(),
            bytes: Vec::new(),
            items: 0,
            size: 0,
        }
    }

    /// Counts a value that is to come.
    fn measure(&mut self, piece: &Rows, slot: u64) {
        self.set += 1;
        match self.kind {
            Kind::Text | Kind::Json | Kind::Bytes => self.size += Rows::length(slot),
            Kind::Texts => {
                let items = piece.items(slot);
                self.items += items.len();
                self.size += items.iter().map(|item| Rows::length(*item)).sum::<usize>();
            }
            Kind::Time | Kind::Long | Kind::Int | Kind::Date | Kind::Bool => (),
        }
    }

    /// Makes room for all that was counted.
    fn reserve(&mut self, rows: usize) {
        if self.set == 0 {
            return;
        }
        self.valid = vec![0; rows.div_ceil(8)];
        match self.kind {
            Kind::Time | Kind::Long => self.longs = vec![0; rows],
            Kind::Int | Kind::Date => self.ints = vec![0; rows],
            Kind::Bool => self.bits = vec![0; rows.div_ceil(8)],
            Kind::Text | Kind::Json | Kind::Bytes => self.ends = Vec::with_capacity(rows + 1),
            Kind::Texts => {
                self.list_ends = Vec::with_capacity(rows + 1);
                self.ends = Vec::with_capacity(self.items + 1);
                self.ends.push(0);
            }
        }
        self.bytes = Vec::with_capacity(self.size);
    }

    /// Takes up the value of a row; rows come in their order.
    fn push(&mut self, row: usize, piece: &Rows, slot: u64) -> Result<(), ArrowError> {
        self.valid[row / 8] |= 1 << (row % 8);
        // What a 32-bit column holds came from 32 bits.
        let narrow = || i32::try_from(to_int(slot)).unwrap_or_default();
        match self.kind {
            Kind::Time | Kind::Long => self.longs[row] = to_int(slot),
            Kind::Int | Kind::Date => self.ints[row] = narrow(),
            Kind::Bool => self.bits[row / 8] |= u8::from(slot == 1) << (row % 8),
            Kind::Text | Kind::Json | Kind::Bytes => {
                // Rows without a value since the last one that has one are empty, and end where this one begins.
                self.ends.resize(row + 1, end(self.bytes.len())?);
                self.bytes.extend_from_slice(piece.bytes(slot));
            }
            Kind::Texts => {
                self.list_ends.resize(row + 1, end(self.ends.len() - 1)?);
                for item in piece.items(slot) {
                    self.bytes.extend_from_slice(piece.bytes(*item));
                    self.ends.push(end(self.bytes.len())?);
                }
            }
        }
        Ok(())
    }

    fn finish(mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        if self.set == 0 {
            return Ok(new_null_array(&self.kind.arrow_type(), rows));
        }
        let bits = |bytes: Vec<u8>| BooleanBuffer::new(Buffer::from_vec(bytes), 0, rows);
        let nulls = (self.set < rows).then(|| NullBuffer::new(bits(self.valid)));
        Ok(match self.kind {
            Kind::Time => Arc::new(TimestampMicrosecondArray::new(self.longs.into(), nulls).with_timezone("UTC")),
            Kind::Long => Arc::new(Int64Array::new(self.longs.into(), nulls)),
            Kind::Int => Arc::new(Int32Array::new(self.ints.into(), nulls)),
            Kind::Date => Arc::new(Date32Array::new(self.ints.into(), nulls)),
            Kind::Bool => Arc::new(BooleanArray::new(bits(self.bits), nulls)),
            Kind::Text | Kind::Json => {
                self.ends.resize(rows + 1, end(self.bytes.len())?);
                Arc::new(StringArray::try_new(offsets(self.ends), Buffer::from_vec(self.bytes), nulls)?)
            }
            Kind::Bytes => {
                self.ends.resize(rows + 1, end(self.bytes.len())?);
                Arc::new(BinaryArray::try_new(offsets(self.ends), Buffer::from_vec(self.bytes), nulls)?)
            }
            Kind::Texts => {
                self.list_ends.resize(rows + 1, end(self.ends.len() - 1)?);
                let items = StringArray::try_new(offsets(self.ends), Buffer::from_vec(self.bytes), None)?;
                Arc::new(ListArray::try_new(list_item(), offsets(self.list_ends), Arc::new(items), nulls)?)
            }
        })
    }
}

fn end(length: usize) -> Result<i32, ArrowError> {
    i32::try_from(length).map_err(|_| ArrowError::OffsetOverflowError(length))
}

/// Ends that never go back, as they are pushed.
fn offsets(ends: Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(ScalarBuffer::from(ends))
}

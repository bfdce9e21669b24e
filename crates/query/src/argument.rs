//! Arguments of our SQL functions, as DuckDB hands them over.

use std::error::Error;

use arrow::array::{AsArray, RecordBatch, StringArray};

/// The argument at a place, counted from 0, which is of type VARCHAR.
pub(crate) fn texts(input: &RecordBatch, at: usize) -> Result<&StringArray, Box<dyn Error>> {
    input.column(at).as_string_opt::<i32>().ok_or_else(|| format!("argument {at} is no text").into())
}

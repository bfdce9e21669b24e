//! Rows of ours as Arrow batches, with the types that the views have.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::SchemaRef;

use crate::error::SinkError;
use crate::stream::{RowSink, RunSummary};

/// A table that is whole: one section of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its rows.
    pub batch: RecordBatch,
}

impl Answer {
    /// Hands columns and rows to a sink.
    ///
    /// # Errors
    /// When the sink gives up.
    pub fn give(&self, sink: &mut dyn RowSink) -> Result<RunSummary, SinkError> {
        let schema: SchemaRef = self.batch.schema();
        sink.columns(&schema)?;
        let rows = self.batch.num_rows() as u64;
        if rows > 0 {
            sink.rows(&self.batch)?;
        }
        Ok(RunSummary { rows, total_rows: rows, own_rows: None })
    }
}

/// Builds an answer column by column.
#[derive(Debug, Default)]
pub(super) struct Columns {
    columns: Vec<(&'static str, ArrayRef)>,
}

impl Columns {
    pub(super) fn text<S: AsRef<str>>(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = Option<S>>,
    ) -> Self {
        let array: StringArray = values.into_iter().collect();
        self.columns.push((name, Arc::new(array)));
        self
    }

    pub(super) fn time(mut self, name: &'static str, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        let array: TimestampMicrosecondArray = values.into_iter().collect();
        self.columns.push((name, Arc::new(array)));
        self
    }

    pub(super) fn number(mut self, name: &'static str, values: impl IntoIterator<Item = Option<u64>>) -> Self {
        let values = values.into_iter().map(|value| value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)));
        self.columns.push((name, Arc::new(values.collect::<Int64Array>())));
        self
    }

    pub(super) fn texts<S: AsRef<str>>(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = impl IntoIterator<Item = S>>,
    ) -> Self {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for value in values {
            for text in value {
                lists.values().append_value(text);
            }
            lists.append(true);
        }
        self.columns.push((name, Arc::new(lists.finish())));
        self
    }

    pub(super) fn finish(self) -> Answer {
        let columns = self.columns.into_iter().map(|(name, array)| (name, array, true));
        match RecordBatch::try_from_iter_with_nullable(columns) {
            Ok(batch) => Answer { batch },
            Err(error) => unreachable!("columns made of the same rows have the same length: {error}"),
        }
    }
}

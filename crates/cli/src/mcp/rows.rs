//! The rows of an answer as JSON: so many, and so much text of them; the others are counted.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use kforensic_query::{RowSink, SinkError};
use kforensic_report::{Format, Layout};
use serde_json::Value;

use super::bounds::{ANSWER_BYTES, TEXT_CHARACTERS, bytes, cut, fitted};

/// Bytes of JSON of all rows together; verdict and account need some, too.
const ROWS_BYTES: usize = ANSWER_BYTES * 4 / 5;

/// Rows that become JSON together: one of them can have megabytes.
const STEP: usize = 16;

/// Which rows are kept when there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// The first ones, in the statement's own order.
    First,
    /// The last ones: the newest.
    Last,
}

/// Takes rows.
pub(super) struct Gathered {
    keep: Keep,
    rows_max: usize,
    rows: VecDeque<(usize, Value)>,
    bytes: usize,
    columns: Vec<String>,
    /// Rows that came.
    pub(super) total: u64,
    /// Texts that were cut in the rows that are kept, and in those that are not.
    pub(super) texts_cut: u64,
}

impl Gathered {
    pub(super) fn new(keep: Keep, rows_max: usize) -> Self {
        Self { keep, rows_max, rows: VecDeque::new(), bytes: 0, columns: Vec::new(), total: 0, texts_cut: 0 }
    }

    /// Takes a row.
    pub(super) fn push(&mut self, row: Value) {
        self.total += 1;
        if self.keep == Keep::First && self.is_full() {
            return;
        }
        let row = match cut(row, TEXT_CHARACTERS, &mut self.texts_cut) {
            Value::Object(members) => Value::Object(fitted(members, ROWS_BYTES / 2)),
            other => other,
        };
        let size = bytes(&row);
        if self.keep == Keep::First && !self.rows.is_empty() && self.bytes + size > ROWS_BYTES {
            // Nothing behind it is taken either: the rows have no holes.
            self.rows_max = self.rows.len();
            return;
        }
        self.bytes += size;
        self.rows.push_back((size, row));
        while self.rows.len() > self.rows_max || (self.bytes > ROWS_BYTES && self.rows.len() > 1) {
            let Some((size, _)) = self.rows.pop_front() else { break };
            self.bytes -= size;
        }
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= self.rows_max
    }

    /// Names of the columns, in their order.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows that are kept.
    pub(super) fn into_rows(self) -> Vec<Value> {
        self.rows.into_iter().map(|(_, row)| row).collect()
    }
}

impl RowSink for Gathered {
    fn columns(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        self.columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        for start in (0..batch.num_rows()).step_by(STEP) {
            let part = batch.slice(start, STEP.min(batch.num_rows() - start));
            if self.keep == Keep::First && self.is_full() {
                self.total += part.num_rows() as u64;
                continue;
            }
            let mut lines = Vec::new();
            let mut sink = Format::Jsonl.writer(part.schema(), Layout::default(), &mut lines)?;
            sink.write_batch(&part)?;
            sink.finish()?;
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                self.push(serde_json::from_slice(line)?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_are_kept_up_to_their_number_and_their_bytes() {
        for (keep, first, last) in [(Keep::First, 0, 2), (Keep::Last, 7, 9)] {
            let mut rows = Gathered::new(keep, 3);
            (0..10).for_each(|number| rows.push(json!({"n": number})));
            assert_eq!(rows.total, 10);
            let rows = rows.into_rows();
            assert_eq!((rows.len(), &rows[0]["n"], &rows[2]["n"]), (3, &json!(first), &json!(last)));
        }
        for keep in [Keep::First, Keep::Last] {
            let mut rows = Gathered::new(keep, 1_000);
            (0..1_000).for_each(|number| rows.push(json!({"n": number, "text": "x".repeat(1_000)})));
            assert_eq!(rows.total, 1_000);
            let kept = rows.into_rows();
            assert!((40..50).contains(&kept.len()), "{}", kept.len());
            assert!(kept.windows(2).all(|two| two[0]["n"].as_u64() < two[1]["n"].as_u64()));
        }
        let mut one = Gathered::new(Keep::Last, 10);
        let bodies: Value = (0..1_000).map(|number| (number.to_string(), json!("y".repeat(1_900)))).collect();
        one.push(json!({"id": "a", "bodies": bodies}));
        let kept = one.into_rows();
        assert!(kept[0]["bodies"].as_str().is_some_and(|text| text.starts_with("(left out: ")), "{kept:?}");
    }
}

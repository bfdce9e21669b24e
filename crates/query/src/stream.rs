//! Rows on their way from DuckDB to whoever wants them, a batch at a time.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use duckdb::{Connection, params_from_iter, types};

use crate::error::{QueryError, SinkError};
use crate::session::Interrupt;

/// Takes the rows of a result.
pub trait RowSink {
    /// Takes the columns: once, before any rows, and also when there are none.
    ///
    /// # Errors
    /// What keeps the sink from taking rows; it ends the query.
    fn columns(&mut self, schema: &SchemaRef) -> Result<(), SinkError>;

    /// Takes some rows, in the order of the result.
    ///
    /// # Errors
    /// What keeps the sink from taking more; it ends the query.
    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError>;
}

/// What a run gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunSummary {
    /// Rows passed on.
    pub rows: u64,
    /// Rows of the whole result; more than `rows` when there was a limit.
    pub total_rows: u64,
}

/// Runs one statement, with `value` giving what is bound to each of its parameters.
pub(crate) fn stream(
    connection: &Connection,
    sql: &str,
    value: &dyn Fn(&str) -> types::Value,
    limit: Option<usize>,
    interrupt: &Interrupt,
    sink: &mut dyn RowSink,
) -> Result<RunSummary, QueryError> {
    let stop = || if interrupt.take() { Err(QueryError::Interrupted) } else { Ok(()) };
    stop()?;
    let engine = || QueryError::engine("run the query");
    let mut statement = connection.prepare(sql).map_err(engine())?;
    let names = (1..=statement.parameter_count()).map(|at| statement.parameter_name(at));
    let values = names.map(|name| name.map(|name| value(&name))).collect::<Result<Vec<_>, _>>().map_err(engine())?;
    let batches = statement.stream_arrow(params_from_iter(values)).map_err(engine())?;
    sink.columns(&batches.get_schema()).map_err(QueryError::Sink)?;
    let mut summary = RunSummary::default();
    let mut newest = limit.map(Newest::new);
    for batch in batches {
        let batch = batch.map_err(engine())?;
        stop()?;
        summary.total_rows += batch.num_rows() as u64;
        match &mut newest {
            Some(newest) => newest.push(batch),
            None => sink.rows(&batch).map_err(QueryError::Sink)?,
        }
    }
    let Some(newest) = newest else {
        return Ok(RunSummary { rows: summary.total_rows, ..summary });
    };
    for batch in newest.into_batches() {
        summary.rows += batch.num_rows() as u64;
        sink.rows(&batch).map_err(QueryError::Sink)?;
    }
    Ok(summary)
}

/// The last rows of a stream. Holds at most the wanted rows and the rest of one batch (2,048 rows).
struct Newest {
    wanted: usize,
    held: usize,
    batches: VecDeque<RecordBatch>,
}

impl Newest {
    fn new(wanted: usize) -> Self {
        Self { wanted, held: 0, batches: VecDeque::new() }
    }

    fn push(&mut self, batch: RecordBatch) {
        self.held += batch.num_rows();
        self.batches.push_back(batch);
        while let Some(first) = self.batches.front().map(RecordBatch::num_rows)
            && self.held - first >= self.wanted
        {
            self.batches.pop_front();
            self.held -= first;
        }
    }

    fn into_batches(mut self) -> impl Iterator<Item = RecordBatch> {
        let surplus = self.held.saturating_sub(self.wanted);
        if let Some(first) = self.batches.front_mut() {
            *first = first.slice(surplus, first.num_rows() - surplus);
        }
        self.batches.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;
    use std::sync::Arc;

    fn newest(sizes: &[usize], wanted: usize) -> (Vec<i64>, usize) {
        let mut newest = Newest::new(wanted);
        let (mut next, mut most_held) = (0, 0);
        for size in sizes {
            let numbers: Int64Array = (next..).take(*size).collect();
            next += i64::try_from(*size).unwrap();
            newest.push(RecordBatch::try_from_iter([("n", Arc::new(numbers) as ArrayRef)]).unwrap());
            most_held = most_held.max(newest.held);
        }
        let batches = newest.into_batches();
        let values = batches.flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec());
        (values.collect(), most_held)
    }

    #[test]
    fn the_last_rows_are_kept_whatever_the_batches() {
        for sizes in [&[5, 5, 5][..], &[15], &[1; 15], &[0, 15, 0], &[14, 1], &[1, 14]] {
            for wanted in 0..=16 {
                let (rows, _) = newest(sizes, wanted);
                let first = 15 - i64::try_from(wanted.min(15)).unwrap();
                assert_eq!(rows, (first..15).collect::<Vec<_>>(), "{sizes:?} {wanted}");
            }
        }
        assert!(newest(&[], 3).0.is_empty());
    }

    #[test]
    fn no_more_than_a_batch_too_many_is_held() {
        let (rows, most_held) = newest(&[10; 1_000], 25);
        assert_eq!(rows.len(), 25);
        assert!(most_held < 25 + 10, "{most_held}");
    }
}

//! Rows on their way from DuckDB's thread to whoever wants them, a batch at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Fields, Schema, SchemaRef};
use duckdb::{Connection, params_from_iter, types};

use crate::asserted::Asserted;
use crate::engine::Engine;
use crate::error::{QueryError, SinkError};
use crate::session::Interrupt;
use crate::trust::Sieve;

/// Batches that wait between DuckDB and the receiver: enough for both to work at once, and no more memory.
const WAITING_BATCHES: usize = 2;

/// How often a receiver that waits for rows looks whether it shall stop.
const INTERRUPT_POLL: Duration = Duration::from_millis(50);

/// Takes the rows of a result. It is called on the thread that asked.
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
    /// Rows of the cluster's own work that were left out; `None` where the run does not tell.
    pub own_rows: Option<u64>,
}

/// Which rows are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// All.
    All,
    /// The last ones; the others are counted.
    Last(usize),
    /// The first ones; then the query ends, and `total_rows` is only known to be more when there are more.
    First(usize),
}

/// What of a result is wanted, and how.
pub(crate) struct Wanted<'s> {
    pub(crate) rows: Rows,
    /// Marks addresses that are a proxy's word.
    pub(crate) asserted: Option<Arc<Asserted>>,
    /// Keeps back what is trusted.
    pub(crate) sieve: Option<&'s mut Sieve>,
    /// The last column says which rows are the cluster's own work: they are counted and left out, and so is the column.
    pub(crate) is_own_marked: bool,
}

impl Wanted<'_> {
    /// Those rows as they are.
    pub(crate) fn of(rows: Rows) -> Self {
        Self { rows, asserted: None, sieve: None, is_own_marked: false }
    }
}

/// One statement, with what is bound to its parameters by name.
pub(crate) struct Bound {
    pub(crate) sql: String,
    pub(crate) value: Box<dyn Fn(&str) -> types::Value + Send>,
}

impl Bound {
    /// What is bound to the parameters of the statement, in their order.
    pub(crate) fn values(&self, statement: &duckdb::Statement<'_>) -> duckdb::Result<Vec<types::Value>> {
        let names = (1..=statement.parameter_count()).map(|at| statement.parameter_name(at));
        names.map(|name| name.map(|name| (self.value)(&name))).collect()
    }
}

enum Message {
    Columns(SchemaRef),
    Rows(RecordBatch),
    End(duckdb::Result<()>),
}

/// Runs one statement on the engine, and gives its rows to `sink` on this thread.
pub(crate) fn stream(
    engine: &Engine,
    statement: Bound,
    wanted: Wanted<'_>,
    interrupt: &Interrupt,
    sink: &mut dyn RowSink,
) -> Result<RunSummary, QueryError> {
    if interrupt.take() {
        return Err(QueryError::Interrupted);
    }
    let (sender, receiver) = sync_channel(WAITING_BATCHES);
    engine.send(move |connection| {
        let end = produce(connection, &statement, &sender);
        // When nobody listens any more, nobody needs to know how it ended.
        let _ = sender.send(Message::End(end));
    });
    let running = Running { messages: receiver, interrupt, ended: false };
    consume(running, wanted, sink)
}

/// On DuckDB's thread: sends what there is until it ends, or until nobody takes it any more.
fn produce(connection: &Connection, bound: &Bound, to: &SyncSender<Message>) -> duckdb::Result<()> {
    let mut statement = connection.prepare(&bound.sql)?;
    let values = bound.values(&statement)?;
    let batches = statement.stream_arrow(params_from_iter(values))?;
    if to.send(Message::Columns(batches.get_schema())).is_err() {
        return Ok(());
    }
    for batch in batches {
        if to.send(Message::Rows(batch?)).is_err() {
            break;
        }
    }
    Ok(())
}

fn consume(mut running: Running<'_>, wanted: Wanted<'_>, sink: &mut dyn RowSink) -> Result<RunSummary, QueryError> {
    let Wanted { rows, asserted, mut sieve, is_own_marked } = wanted;
    let asserted = asserted.as_deref();
    let mut summary = RunSummary { own_rows: is_own_marked.then_some(0), ..RunSummary::default() };
    let mut newest = match rows {
        Rows::Last(wanted) => Some(Newest::new(wanted)),
        Rows::All | Rows::First(_) => None,
    };
    let mut room = match rows {
        Rows::First(wanted) => wanted,
        Rows::All | Rows::Last(_) => usize::MAX,
    };
    loop {
        match running.next()? {
            Message::Columns(schema) => {
                let schema = if is_own_marked { without_last(&schema) } else { schema };
                let schema = match asserted {
                    Some(asserted) => asserted.schema(schema),
                    None => schema,
                };
                sink.columns(&schema).map_err(QueryError::Sink)?;
            }
            Message::Rows(batch) => {
                let batch = match &mut summary.own_rows {
                    Some(own_rows) => without_own(&batch, own_rows),
                    None => batch,
                };
                let batch = match asserted {
                    Some(asserted) => asserted.mark(batch),
                    None => batch,
                };
                let batch = match &mut sieve {
                    Some(sieve) => sieve.sift(batch, asserted),
                    None => batch,
                };
                summary.total_rows += batch.num_rows() as u64;
                match &mut newest {
                    Some(newest) => newest.push(batch),
                    None => {
                        let taken = batch.slice(0, batch.num_rows().min(room));
                        room -= taken.num_rows();
                        summary.rows += taken.num_rows() as u64;
                        if taken.num_rows() > 0 {
                            sink.rows(&taken).map_err(QueryError::Sink)?;
                        }
                        if taken.num_rows() < batch.num_rows() {
                            return Ok(summary);
                        }
                    }
                }
            }
            Message::End(end) => {
                end.map_err(QueryError::engine("run the query"))?;
                break;
            }
        }
    }
    for batch in newest.into_iter().flat_map(Newest::into_batches) {
        summary.rows += batch.num_rows() as u64;
        sink.rows(&batch).map_err(QueryError::Sink)?;
    }
    Ok(summary)
}

fn without_last(schema: &SchemaRef) -> SchemaRef {
    let others = schema.fields().iter().take(schema.fields().len().saturating_sub(1));
    Arc::new(Schema::new(others.cloned().collect::<Fields>()))
}

/// The rows that are not marked as the cluster's own work, without the mark; the others are counted.
fn without_own(batch: &RecordBatch, own_rows: &mut u64) -> RecordBatch {
    let (mark, others) = (batch.num_columns() - 1, 0..batch.num_columns() - 1);
    let is_own = batch.column(mark).as_boolean();
    // Neither true nor false is left out by the condition as well.
    let kept: BooleanArray = is_own.iter().map(|is_own| Some(is_own == Some(false))).collect();
    let others = batch.project(&others.collect::<Vec<_>>());
    match others.and_then(|others| filter_record_batch(&others, &kept)) {
        Ok(others) => {
            *own_rows += (batch.num_rows() - others.num_rows()) as u64;
            others
        }
        Err(error) => unreachable!("columns and rows of a batch are its own: {error}"),
    }
}

/// A statement that runs. Whoever drops it before its end (an error of the sink, an interrupt, a panic) stops
/// it, and waits until DuckDB is free for the next one.
struct Running<'a> {
    messages: Receiver<Message>,
    interrupt: &'a Interrupt,
    ended: bool,
}

impl Running<'_> {
    fn next(&mut self) -> Result<Message, QueryError> {
        loop {
            // DuckDB forgets an interrupt that comes before the statement begins, so it is not asked only once.
            if self.interrupt.take() {
                return Err(QueryError::Interrupted);
            }
            match self.messages.recv_timeout(INTERRUPT_POLL) {
                Ok(message) => {
                    self.ended = matches!(message, Message::End(_));
                    return Ok(message);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("a statement that runs says how it ends"),
            }
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        while !self.ended {
            self.interrupt.stop_engine();
            match self.messages.recv_timeout(INTERRUPT_POLL) {
                Ok(message) => self.ended = matches!(message, Message::End(_)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.ended = true,
            }
        }
    }
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
    use arrow::array::{ArrayRef, Int64Array};
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

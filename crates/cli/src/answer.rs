//! Rows on their way from a session to where the user wants them, and what is said about them afterwards.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use kforensic_event::time;
use kforensic_query::{QueryError, RowSink, RunSummary, Session, SinkError};
use kforensic_report::{Format, Layout, Sink, Summary};

use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::message;
use crate::output::Output;

/// What an answer was, for the line under it.
pub(crate) struct Shown {
    pub(crate) run: RunSummary,
    pub(crate) hidden_columns: Vec<String>,
}

/// Has `ask` put its question to the session, and writes the rows of the answer to `output`.
pub(crate) fn write(
    session: &Session,
    mut output: Output,
    interrupt: &Interrupt,
    ask: impl FnOnce(&Session, &mut dyn RowSink) -> Result<RunSummary, QueryError>,
) -> Result<Shown, CliError> {
    let handle = session.interrupt_handle();
    interrupt.on(move || handle.interrupt());
    let (run, summary) = {
        let mut rows =
            Rows { format: output.format, layout: output.layout.clone(), output: Some(&mut output), sink: None };
        let run = ask(session, &mut rows)?;
        (run, rows.sink.take().map_or_else(|| Ok(Summary::default()), Sink::finish)?)
    };
    output.finish()?;
    Ok(Shown { run, hidden_columns: summary.hidden_columns })
}

/// Writes rows as they come.
struct Rows<'w> {
    format: Format,
    layout: Layout,
    /// The output, until the columns are known.
    output: Option<&'w mut dyn Write>,
    sink: Option<Box<dyn Sink + 'w>>,
}

impl RowSink for Rows<'_> {
    fn columns(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        if let Some(output) = self.output.take() {
            self.sink = Some(self.format.writer(Arc::clone(schema), self.layout.clone(), output)?);
        }
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        if let Some(sink) = &mut self.sink {
            sink.write_batch(batch)?;
        }
        Ok(())
    }
}

/// `1 row`, `7 rows`.
pub(crate) fn count(rows: u64) -> String {
    let plural = if rows == 1 { "row" } else { "rows" };
    format!("{rows} {plural}")
}

/// The newest event of the case, or that there is none.
pub(crate) fn newest_event(newest: Option<i64>) -> String {
    match newest {
        Some(micros) => format!("newest event {} UTC", message::time(&time::render(micros))),
        None => "no events in the case".to_owned(),
    }
}

/// Says which columns the table leaves out.
pub(crate) fn note_hidden_columns(shown: &Shown) {
    if !shown.hidden_columns.is_empty() {
        message::note(&format!("columns without any value are not shown: {}", shown.hidden_columns.join(", ")));
    }
}

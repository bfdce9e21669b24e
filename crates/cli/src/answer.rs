//! Rows on their way from a session to where the user wants them, and what is said about them afterwards.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use kforensic_event::time;
use kforensic_query::{QueryError, RowSink, RunSummary, Session, SinkError};
use kforensic_report::{About, Format, Layout, Sink, Summary};

use crate::checks;
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::message;
use crate::output::Output;

/// What an answer was, for the line under it.
pub(crate) struct Shown {
    pub(crate) run: RunSummary,
    /// What the format left out.
    pub(crate) summary: Summary,
    /// How long somebody has turned its pages.
    pub(crate) waited: Duration,
}

/// Has `ask` put its question to the session, and writes the rows of the answer to `output`.
pub(crate) fn write(
    session: &Session,
    mut output: Output,
    about: &About,
    interrupt: &Interrupt,
    ask: impl FnOnce(&Session, &mut dyn RowSink) -> Result<RunSummary, QueryError>,
) -> Result<Shown, CliError> {
    let handle = session.interrupt_handle();
    interrupt.on(move || handle.interrupt());
    let (format, layout) = (output.format, output.layout.clone());
    let mut shown = write_to(format, layout, &mut output, about, |rows| ask(session, rows))?;
    // A file appears only when its rows come from what was checked.
    session.still_checked()?;
    shown.waited = output.finish()?;
    if let Some(reservation) = checks::reservation(session) {
        message::warning(reservation);
    }
    Ok(shown)
}

/// Has `ask` hand over the rows of an answer, and writes them to `output`.
pub(crate) fn write_to(
    format: Format,
    layout: Layout,
    output: &mut dyn Write,
    about: &About,
    ask: impl FnOnce(&mut dyn RowSink) -> Result<RunSummary, QueryError>,
) -> Result<Shown, CliError> {
    let mut rows = Rows::new(format, layout, output);
    let run = ask(&mut rows)?;
    rows.finish(run, about)
}

/// Writes rows as they come.
pub(crate) struct Rows<'w> {
    format: Format,
    layout: Layout,
    /// The output, until the columns are known.
    output: Option<&'w mut dyn Write>,
    sink: Option<Box<dyn Sink + 'w>>,
}

impl<'w> Rows<'w> {
    pub(crate) fn new(format: Format, layout: Layout, output: &'w mut dyn Write) -> Self {
        Self { format, layout, output: Some(output), sink: None }
    }

    /// Ends the answer, whose worth is known by now.
    pub(crate) fn finish(self, run: RunSummary, about: &About) -> Result<Shown, CliError> {
        let Some(mut sink) = self.sink else {
            return Ok(Shown { run, summary: Summary::default(), waited: Duration::ZERO });
        };
        sink.about(about);
        Ok(Shown { run, summary: sink.finish()?, waited: Duration::ZERO })
    }
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
    count_of(rows, "row")
}

/// `1 view`, `7 views`.
pub(crate) fn count_of(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Gathers a plan for people: a drawing of several lines, which a cell of a table could not hold.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The drawing, which a terminal only shows.
    pub(crate) text: String,
}

impl RowSink for Plan {
    fn columns(&mut self, _: &SchemaRef) -> Result<(), SinkError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        let texts = batch.column_by_name("explain_value").and_then(|column| column.as_string_opt::<i32>());
        for text in texts.into_iter().flatten().flatten() {
            // Values from the logs can stand in a plan.
            let is_shown = |letter: char| letter == '\n' || !kforensic_report::is_hostile(letter);
            let shown: String = text.chars().map(|letter| if is_shown(letter) { letter } else { '?' }).collect();
            self.text.push_str(shown.trim_end());
            self.text.push('\n');
        }
        Ok(())
    }
}

/// The newest event of the case, or that there is none.
pub(crate) fn newest_event(newest: Option<i64>) -> String {
    match newest {
        Some(micros) => format!("newest event {} UTC", message::time(&time::render(micros))),
        None => "no events in the case".to_owned(),
    }
}

/// Says what the table leaves out, and what a file had no room for.
pub(crate) fn note_hidden_columns(shown: &Shown) {
    let Summary { hidden_columns, crowded_columns, is_cut, rows_left_out, values_cut, .. } = &shown.summary;
    if *rows_left_out > 0 {
        message::warning(&format!("the file has no room for {} more; the file says so too", count(*rows_left_out)));
        message::hint("a file that ends in .csv or .parquet has all of them");
    }
    if *values_cut > 0 {
        let values = count_of(*values_cut, "value");
        message::note(&format!("{values} longer than a cell of Excel can hold are cut, and say so"));
    }
    if !hidden_columns.is_empty() {
        message::note(&format!("columns without any value are not shown: {}", hidden_columns.join(", ")));
    }
    let crowded = format!("no room for {}", crowded_columns.join(", "));
    let what = match (crowded_columns.is_empty(), is_cut) {
        (true, false) => return,
        (true, true) => "what is too long is cut".to_owned(),
        (false, false) => crowded,
        (false, true) => format!("{crowded}; what is too long is cut"),
    };
    message::note(&format!("{what}: `--wide` shows whole lines, `--vertical` every value"));
}

//! `kforensic query`

use std::io::Write;
use std::iter;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use kforensic_event::time;
use kforensic_lake::{Case, Snapshot};
use kforensic_query::{
    CannedQuery, Catalogue, Parameters, QueryError, RowSink, RunSummary, Selection, Session, SinkError, Window, window,
};
use kforensic_report::{Format, Layout, Sink, Summary};
use tempfile::TempDir;

use crate::args::{FilterArgs, QueryArgs};
use crate::command::ingest::{ingest, outcome};
use crate::command::{Outcome, case_folder, limits, table_of_texts};
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::message;
use crate::output::{self, Output};

/// Answers a question, or lists the questions that can be asked.
pub(crate) fn run(case: Option<&PathBuf>, args: &QueryArgs, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let catalogue = Catalogue::embedded()?;
    let Some(name) = &args.name else {
        return match args.from.is_empty() {
            true => list(&catalogue).map(|()| Outcome::Done),
            false => Err(CliError::NoQuery),
        };
    };
    let query = catalogue.find(name)?;
    let clock = chrono::Utc::now().timestamp_micros();
    // What is wrong with the command line is said before anything is read; any time stands for `last` here.
    filters(query, &args.filter, clock, Some(clock))?;
    output::format_of(&args.output)?;
    let (temporary, ingested) = ingest_first(case, args, interrupt)?;
    let folder = temporary.as_ref().map_or_else(|| case_folder(case), |folder| folder.path().join("case"));

    let start = Instant::now();
    let case = Case::open(&folder)?;
    let snapshot = case.snapshot()?;
    let newest = snapshot.event_times().map(|(_, newest)| newest);
    let (parameters, window) = filters(query, &args.filter, clock, newest)?;
    let mut output = Output::open(&args.output, case.root())?;
    output.layout.tags = iter::once(&query.name).chain(&query.attack).cloned().collect();
    let limit = args.filter.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let shown = answer(query, &parameters, limit, &snapshot, output, interrupt)?;
    footer(&shown, window, newest, start.elapsed());
    Ok(ingested)
}

/// Ingests what `--from` names, into the case or into one that lives as long as the returned folder.
fn ingest_first(
    case: Option<&PathBuf>,
    args: &QueryArgs,
    interrupt: &Interrupt,
) -> Result<(Option<TempDir>, Outcome), CliError> {
    if args.from.is_empty() {
        return Ok((None, Outcome::Done));
    }
    let temporary = match case {
        Some(_) => None,
        None => {
            let failed = |source| CliError::TemporaryCase { path: std::env::temp_dir(), source };
            Some(tempfile::Builder::new().prefix("kforensic-").tempdir().map_err(failed)?)
        }
    };
    let folder = temporary.as_ref().map_or_else(|| case_folder(case), |folder| folder.path().join("case"));
    let report = ingest(&folder, &args.from, &args.labels, interrupt)?;
    for skipped in &report.skipped {
        message::note(&format!("left out `{}`: {}", skipped.name, skipped.reason));
    }
    if report.rejected > 0 {
        let (rejected, records) = (report.rejected, report.records);
        message::warning(&format!("{rejected} of {records} records are no audit events, and are not in the answer"));
    }
    let ended = outcome(&report);
    Ok((temporary, ended))
}

/// Reads the filters of the command line; ages count back from `--now`, else from `clock`.
fn filters(
    query: &CannedQuery,
    args: &FilterArgs,
    clock: i64,
    newest: Option<i64>,
) -> Result<(Parameters, Window), CliError> {
    let now = args.now.as_deref().map_or(Ok(clock), |now| window::parse_now(now, clock, newest))?;
    let window = Window::parse(args.since.as_deref(), args.until.as_deref(), now)?;
    let given = [
        ("since", &args.since),
        ("until", &args.until),
        ("user", &args.user),
        ("namespace", &args.namespace),
        ("source_ip", &args.source_ip),
        ("outcome", &args.outcome),
    ];
    let mut parameters = Parameters::new();
    for (name, text) in given {
        let Some(text) = text else { continue };
        let unknown =
            || QueryError::UnknownParameter { query: query.name.clone(), name: name.to_owned(), near: vec![] };
        let parameter = query.parameter(name).ok_or_else(unknown)?;
        parameters.set(name, parameter.parse(text, now)?);
    }
    Ok((parameters, window))
}

/// What an answer was, for the line under it.
struct Shown {
    run: RunSummary,
    hidden_columns: Vec<String>,
}

fn answer(
    query: &CannedQuery,
    parameters: &Parameters,
    limit: Option<usize>,
    snapshot: &Snapshot,
    mut output: Output,
    interrupt: &Interrupt,
) -> Result<Shown, CliError> {
    let (limits, _spill) = limits()?;
    let session = Session::open(snapshot, &Selection::of(query, parameters), &limits)?;
    let handle = session.interrupt_handle();
    interrupt.on(move || handle.interrupt());
    let (run, summary) = {
        let mut rows =
            Rows { format: output.format, layout: output.layout.clone(), output: Some(&mut output), sink: None };
        let run = session.run(query, parameters, limit, &mut rows)?;
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

/// Says on standard error what the rows above are, and why there may be none.
fn footer(shown: &Shown, window: Window, newest: Option<i64>, elapsed: Duration) {
    let RunSummary { rows, total_rows } = shown.run;
    let plural = if rows == 1 { "row" } else { "rows" };
    let rows = match rows == total_rows {
        true => format!("{rows} {plural}"),
        false => format!("the newest {rows} of {total_rows} rows"),
    };
    let time = |micros| message::time(&time::render(micros));
    let window_text = match (window.since, window.until) {
        (None, None) => "all times".to_owned(),
        (Some(since), None) => format!("since {} UTC", time(since)),
        (None, Some(until)) => format!("before {} UTC", time(until)),
        (Some(since), Some(until)) => format!("from {} to {} UTC", time(since), time(until)),
    };
    let newest_text =
        newest.map_or("no events in the case".to_owned(), |newest| format!("newest event {} UTC", time(newest)));
    message::plain(&format!("{rows}; {window_text}; {newest_text}; {:.3} s", elapsed.as_secs_f64()));
    if !shown.hidden_columns.is_empty() {
        message::note(&format!("columns without any value are not shown: {}", shown.hidden_columns.join(", ")));
    }
    if let (0, Some(since), Some(newest)) = (total_rows, window.since, newest)
        && since > newest
    {
        message::note("the window begins after the newest event of the case: the evidence is older");
        message::hint("count ages back from the newest event with `--now last`");
    }
}

/// Lists the canned queries.
fn list(catalogue: &Catalogue) -> Result<(), CliError> {
    let texts = |of: fn(&CannedQuery) -> String| catalogue.iter().map(|query| Some(of(query))).collect();
    table_of_texts(vec![
        ("query", texts(|query| query.name.clone())),
        ("question", texts(|query| query.question.clone())),
        ("attack", texts(|query| query.attack.join(", "))),
        ("needs", texts(|query| query.needs.clone())),
        ("noise", texts(|query| query.noise.trim().to_owned())),
    ])?;
    message::plain("\nrun one with `kforensic query NAME`; see `kforensic query --help` for filters and formats");
    Ok(())
}

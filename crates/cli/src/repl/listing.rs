//! What the session tells about itself: help, views, queries, results, filters, the case; and the pivot.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use kforensic_event::time;
use kforensic_query::{Gate, QueryError, RowSink, RunSummary, Session, SinkError, describe, result_name};
use kforensic_report::escape;

use super::case::{OpenCase, shown};
use super::error::{ReplError, nearest};
use super::pivot::{self, Mention, Place};
use super::state::Repl;
use crate::answer;
use crate::command::queries::{Listed, listed};
use crate::error::CliError;
use crate::message;

/// Views that say no more than others do.
const NOT_LOOKED_AT: [&str; 3] = ["request_keys", "component_writes", "final_events"];

impl Repl<'_> {
    /// Lists the commands, or explains one.
    pub(super) fn help(&mut self, name: Option<&str>) -> Result<(), CliError> {
        let commands = Arc::clone(&self.commands);
        let Some(name) = name else {
            let width = commands.iter().map(|command| command.usage().len()).max().unwrap_or(0);
            let lines: String =
                commands.iter().map(|command| format!("{:width$}  {}\n", command.usage(), command.summary)).collect();
            let also = "\nA filter without VALUE is taken away. All else is SQL, over as many lines as it takes, up to a semicolon. The answer is kept as `last`,\n\
                        the one before as `last2`, up to `last9`: SELECT DISTINCT source_ip FROM last;\n\
                        Tab completes, also values such as users; Ctrl-R searches the history; Ctrl-C stops a statement.\n";
            return self.show_text(&format!("{lines}{also}"));
        };
        let command = commands.find(name.trim_start_matches('.'));
        let command = command.ok_or_else(|| ReplError::unknown_command(name, &commands))?;
        let options = match command.act {
            super::commands::Act::Run => format!("\n{}", super::ask::options().render_help()),
            _ => String::new(),
        };
        self.show_text(&format!("{}: {}\n{options}", command.usage(), command.summary))
    }

    /// Lists the views.
    pub(super) fn views(&mut self) -> Result<(), CliError> {
        let views = describe::views();
        let column = |of: fn(&describe::ViewHelp) -> &'static str| views.iter().map(of).map(str::to_owned).collect();
        self.table(vec![("view", column(|view| view.name)), ("row", column(|view| view.row))])
    }

    /// Explains the columns of a view or result.
    pub(super) fn describe(&mut self, name: Option<&str>) -> Result<(), CliError> {
        let Some(name) = name else { return self.views() };
        let columns = self.case.session()?.describe(name)?;
        if columns.is_empty() {
            let dictionary = self.dictionary.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            let near = nearest(name, dictionary.relations().map(|view| view.name.as_str()));
            return Err(ReplError::UnknownView { name: name.to_owned(), near }.into());
        }
        let meanings = columns.iter().map(|(column, _)| describe::meaning(name, column).unwrap_or_default().to_owned());
        let meanings: Vec<String> = meanings.collect();
        let (names, kinds) = columns.into_iter().unzip();
        self.table(vec![("column", names), ("type", kinds), ("meaning", meanings)])
    }

    /// Lists the canned queries, or those about some words.
    pub(super) fn queries(&mut self, words: Option<&str>) -> Result<(), CliError> {
        let found = listed(&self.catalogue, words)?;
        let texts = |of: fn(&Listed) -> String| found.iter().map(of).collect();
        let columns = vec![
            ("about", texts(|line| line.query.group.name().to_owned())),
            ("query", texts(|line| line.run.clone())),
            ("severity", texts(|line| line.query.severity.name().to_owned())),
            ("title", texts(|line| line.query.title.clone())),
            ("other views (-p view=…)", texts(|line| line.views.clone())),
        ];
        drop(found);
        self.table(columns)
    }

    /// Lists the results that are kept.
    pub(super) fn list_results(&mut self) -> Result<(), CliError> {
        let names = (1..=self.results.len()).map(result_name).collect();
        let rows = self.results.iter().map(|result| result.rows.to_string()).collect();
        let texts = self.results.iter().map(|result| result.text.clone()).collect();
        self.table(vec![("result", names), ("rows", rows), ("of", texts)])
    }

    /// Lists the filters.
    pub(super) fn list_filters(&mut self) -> Result<(), CliError> {
        let (options, values) =
            self.filters.iter().map(|(option, value)| (option.to_owned(), value.to_owned())).unzip();
        self.table(vec![("filter", options), ("value", values)])
    }

    /// Tells which case it is.
    pub(super) fn tell_case(&mut self) -> Result<(), CliError> {
        let snapshot = Arc::clone(&self.case.snapshot);
        let times = snapshot.event_times().map_or("none".to_owned(), |(first, last)| {
            format!("{} to {} UTC", message::time(&time::render(first)), message::time(&time::render(last)))
        });
        let folder = escape(&shown(self.case.root()).display().to_string()).into_owned();
        let journal = self.journal.path().map_or("in memory".to_owned(), |path| path.display().to_string());
        self.show_text(&format!(
            "case         {folder}\nfingerprint  {} (commit {})\nevent times  {times}\njournal      {}\n",
            snapshot.fingerprint,
            snapshot.version,
            escape(&journal)
        ))
    }

    /// Counts what mentions a value, view by view.
    pub(super) fn pivot(&mut self, value: &str) -> Result<(), CliError> {
        let start = std::time::Instant::now();
        let views = describe::views();
        let gate = Gate::new()?;
        // To prepare takes longer than to look into a column or two of each view.
        let pays = pivot::looks_into_many_columns(value) || self.case.has_session_for_many();
        let mut count = |session: fn(&mut OpenCase) -> Result<&Session, CliError>, is_prepared: bool| {
            let done = Arc::new(AtomicUsize::new(0));
            let share = {
                let (done, all) = (Arc::clone(&done), views.len());
                // Only shown: a share of a few views is exact enough.
                #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
                move || Some(done.load(Ordering::Relaxed) as f64 * 100.0 / all as f64)
            };
            self.while_watching(session, share, |session| {
                if is_prepared {
                    session.prepare_for_any()?;
                }
                let mut mentions = Vec::new();
                for view in &views {
                    done.fetch_add(1, Ordering::Relaxed);
                    if NOT_LOOKED_AT.contains(&view.name) {
                        continue;
                    }
                    let columns = session.describe(view.name)?;
                    let Some(place) = Place::of(view.name, &columns, value) else { continue };
                    mentions.extend(mention(session, &gate, &place)?);
                }
                Ok(mentions)
            })
        };
        let prepared = pays.then(|| count(OpenCase::session_for_many, true));
        let mentions = match prepared {
            // What is prepared takes memory.
            None | Some(Err(CliError::Query(QueryError::OutOfMemory { .. }))) => count(OpenCase::session, false)?,
            Some(counted) => counted?,
        };
        if mentions.is_empty() {
            self.footer(&format!("nothing mentions `{}`", escape(value)), start);
            return Ok(());
        }
        let text = format!(".pivot {}", super::words::quote(value));
        let statement = self.check(&pivot::answer(&mentions))?;
        let kept = self.while_waiting(|session| session.keep(&statement))?;
        let about = self.about("Answer to a statement", &text);
        // A statement that is cut is none to go on with.
        let look = self.look.wrapping();
        let look = std::mem::replace(&mut self.look, look);
        let shown = self.show_kept(&text, &kept, None, &[], &about);
        self.look = look;
        shown?;
        self.footer(&format!("{} with mentions", answer::count_of(kept.rows, "view")), start);
        let (seconds, version) = (start.elapsed().as_secs_f64(), self.case.snapshot.version);
        self.note(super::journal::What::Statement { text, rows: Some(kept.rows), seconds, version, error: None });
        Ok(())
    }

    /// Shows columns of texts like an answer; they are no result.
    fn table(&mut self, columns: Vec<(&str, Vec<String>)>) -> Result<(), CliError> {
        let is_number =
            |name: &str, texts: &[String]| name == "rows" && texts.iter().all(|text| text.parse::<i64>().is_ok());
        let columns = columns.into_iter().map(|(name, texts)| {
            let array: ArrayRef = match is_number(name, &texts) {
                true => Arc::new(texts.iter().filter_map(|text| text.parse::<i64>().ok()).collect::<Int64Array>()),
                false => Arc::new(StringArray::from(texts)),
            };
            (name, array, true)
        });
        let batch = match RecordBatch::try_from_iter_with_nullable(columns) {
            Ok(batch) => batch,
            Err(error) => unreachable!("columns made of the same things have the same length: {error}"),
        };
        let look = self.look.wrapping();
        let look = std::mem::replace(&mut self.look, look);
        let about = self.about("List", "");
        let shown = self.show(&[], &about, |_, rows| {
            let failed = kforensic_query::QueryError::Sink;
            rows.columns(&batch.schema()).map_err(failed)?;
            rows.rows(&batch).map_err(failed)?;
            let count = batch.num_rows() as u64;
            Ok(RunSummary { rows: count, total_rows: count, own_rows: None })
        });
        self.look = look;
        shown.map(drop)
    }
}

/// What a view mentions; `None` when it is nothing.
fn mention(session: &Session, gate: &Gate, place: &Place) -> Result<Option<Mention>, kforensic_query::QueryError> {
    let statement = match gate.check(&place.counting()) {
        Ok(statement) => statement,
        Err(refusal) => unreachable!("a count of ours only reads: {refusal}"),
    };
    let mut row = FirstRow::default();
    session.sql(&statement, None, &mut row)?;
    let [Some(rows), first, last, counts @ ..] = row.texts.as_slice() else { return Ok(None) };
    if rows == "0" {
        return Ok(None);
    }
    let counts: Vec<String> = counts.iter().map(|count| count.clone().unwrap_or_default()).collect();
    let columns = place.mentioning(rows, &counts);
    Ok(Some(Mention {
        view: place.view.clone(),
        rows: rows.clone(),
        first: first.clone(),
        last: last.clone(),
        go_on: place.going_on(&columns),
    }))
}

/// Takes the texts of the first row.
#[derive(Default)]
struct FirstRow {
    texts: Vec<Option<String>>,
}

impl RowSink for FirstRow {
    fn columns(&mut self, _: &SchemaRef) -> Result<(), SinkError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        if self.texts.is_empty() && batch.num_rows() > 0 {
            let text = |column: &ArrayRef| column.as_string_opt::<i32>()?.iter().next()?.map(str::to_owned);
            self.texts = batch.columns().iter().map(text).collect();
        }
        Ok(())
    }
}

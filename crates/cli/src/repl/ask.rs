//! Statements and canned queries at the prompt: run, kept as `last`, shown, and put into the journal.

use std::time::Instant;

use clap::parser::ValueSource;
use clap::{Args, FromArgMatches};
use kforensic_query::scanner::{self, Kind};
use kforensic_query::trust::Sieve;
use kforensic_query::{CannedQuery, Gate, Kept, Parameters, RowSink, RunSummary, Session, Statement, window};
use kforensic_report::{About, ReportError};

use super::case::OpenCase;
use super::error::ReplError;
use super::journal::What;
use super::look::Target;
use super::state::{Author, Repl};
use super::waiting::Waiting;
use crate::about;
use crate::answer::{self, Shown};
use crate::args::{OutputArgs, QueryArgs};
use crate::command::{limits, prune, queries, query};
use crate::error::CliError;
use crate::footnotes::{self, Footnotes, Said};
use crate::interrupt::Manner;
use crate::message;
use crate::output::format_of;
use crate::places;

/// Options of `kforensic query` that make a case or choose a catalogue, which a session has already.
const NOT_HERE: [&str; 7] = ["from", "threads", "keep_secret_values", "queries", "envelope", "trusted", "show_trusted"];

/// The options of `.run`: those of `kforensic query`.
pub(super) fn options() -> clap::Command {
    let options = QueryArgs::augment_args(clap::Command::new(".run"));
    let options = options.no_binary_name(true).args_override_self(true).disable_help_flag(true);
    options.mut_args(|option| if NOT_HERE.contains(&option.get_id().as_str()) { option.hide(true) } else { option })
}

/// Reads the words behind `.run`.
fn read_options(words: &[String]) -> Result<QueryArgs, ReplError> {
    let problem = |error: &clap::Error| {
        let text = error.render().to_string();
        let text = text.trim().trim_start_matches("error: ").replace("Usage: [OPTIONS] [NAME]", "");
        ReplError::Options { problem: text.lines().next().unwrap_or_default().to_owned() }
    };
    let matches = options().try_get_matches_from(words).map_err(|error| problem(&error))?;
    if let Some(option) = NOT_HERE.iter().find(|option| matches.value_source(option) == Some(ValueSource::CommandLine))
    {
        let option = option.replace('_', "-");
        return Err(ReplError::Options {
            problem: format!("`--{option}` is for `kforensic query`, which begins anew"),
        });
    }
    QueryArgs::from_arg_matches(&matches).map_err(|error| problem(&error))
}

/// Checks a filter before it is set: an option of canned queries with a value that it takes.
///
/// # Errors
/// What is wrong with the value.
pub(super) fn check_filter(option: &str, value: &str, clock: i64, newest: Option<i64>) -> Result<(), CliError> {
    read_options(&[format!("--{option}={value}")])?;
    match option {
        "since" | "until" => window::parse_in(value, clock, newest).map(drop)?,
        "now" => window::parse_now(value, clock, newest).map(drop)?,
        _ => (),
    }
    Ok(())
}

/// How something that was asked ended.
struct Ended {
    rows: Option<u64>,
    seconds: f64,
}

impl Repl<'_> {
    /// Runs one statement of SQL.
    ///
    /// # Errors
    /// What the gate refuses, what DuckDB says, or why the answer cannot be shown.
    pub(super) fn statement(&mut self, sql: &str) -> Result<(), CliError> {
        self.last_statement = Some(sql.to_owned());
        let start = Instant::now();
        let done = self.run_statement(sql, start);
        self.record(sql.to_owned(), start, done)
    }

    fn run_statement(&mut self, sql: &str, start: Instant) -> Result<Ended, CliError> {
        let statement = self.check(without_semicolon(sql))?;
        if statement.is_explanation() {
            return self.explain(&statement, start);
        }
        let kept = self.while_waiting(|session| session.keep(&statement))?;
        let about = self.about("Answer to a statement", sql);
        let shown = self.show_kept(sql, &kept, None, &[], &about)?;
        self.footer(&answer::count(kept.rows), start);
        self.note_hidden(shown.as_ref());
        if self.is_watched() && self.filters.iter().next().is_some() {
            message::note("the filters narrow canned queries (`.run NAME`), not SQL: this is the whole case");
        }
        Ok(Ended { rows: Some(kept.rows), seconds: start.elapsed().as_secs_f64() })
    }

    /// Lets a statement through that only reads. The gate is kept: to start its parser takes 20 ms.
    pub(super) fn check(&mut self, sql: &str) -> Result<Statement, CliError> {
        let gate = match self.gate.take() {
            Some(gate) => gate,
            None => Gate::new()?,
        };
        let checked = gate.check(sql);
        self.gate = Some(gate);
        Ok(checked?)
    }

    /// Shows a plan, which is a drawing and no result.
    fn explain(&mut self, statement: &Statement, start: Instant) -> Result<Ended, CliError> {
        let mut plan = answer::Plan::default();
        self.while_waiting(|session| session.sql(statement, None, &mut plan))?;
        self.show_text(&plan.text)?;
        self.footer("plan", start);
        Ok(Ended { rows: None, seconds: start.elapsed().as_secs_f64() })
    }

    /// Answers a canned query: the words behind `.run`.
    ///
    /// # Errors
    /// As for `kforensic query`.
    pub(super) fn canned(&mut self, words: &[String], author: Author) -> Result<(), CliError> {
        let (name, given) =
            words.split_first().map_or((String::new(), Vec::new()), |(name, given)| (name.clone(), given.to_vec()));
        let arguments = [vec![name.clone()], self.filters.arguments(), given.clone()].concat();
        let args = read_options(&arguments)?;
        let (query, values) =
            query::asked(&self.catalogue, &name, &args).map(|(query, given)| (query.clone(), given))?;
        if author == Author::File && args.output.output.is_some() {
            return Err(ReplError::NotInFile { command: ".run … -o".to_owned() }.into());
        }
        if args.help {
            return queries::help(&query, &self.catalogue);
        }
        let start = Instant::now();
        let (parameters, window, _) = query::values(&query, &values, &args, self.clock(), self.case.newest())?;
        if args.show_sql {
            return self.show_text(&format!("{}\n", query.shown_sql(&parameters)));
        }
        let text = self.filters.written(&name, &given);
        let done = (|| {
            format_of(&args.output)?;
            let kept = self.while_waiting(|session| session.keep_answer(&query, &parameters))?;
            let limit = args.filter.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
            let tags: Vec<String> = std::iter::once(&query.name).chain(&query.attack).cloned().collect();
            let worth = self.worth(&query, &parameters, kept.rows)?;
            let about = about::of_query(&query, &parameters, window, self.case.root(), &self.case.snapshot);
            let about = about::with_worth(About { command: Some(text.clone()), ..about }, &worth, &query);
            let shown = self.with_output_of(&args.output, |repl| repl.show_kept(&text, &kept, limit, &tags, &about))?;
            let rows = match limit.filter(|limit| (*limit as u64) < kept.rows) {
                None => answer::count(kept.rows),
                Some(limit) => format!("the newest {limit} of {}", answer::count(kept.rows)),
            };
            self.footer(&format!("{rows}; {}", query::window_text(window)), start);
            self.note_hidden(shown.as_ref());
            self.tell_worth(worth, &query, &parameters, kept.rows)?;
            query::window_notes(window, &self.case.snapshot, args.filter.times.now.is_some());
            query::question_notes(&query, &parameters, kept.rows, &self.case.snapshot)?;
            if let Some(note) = prune::missing(&self.case.snapshot, window.since) {
                message::note(&note);
            }
            Ok(Ended { rows: Some(kept.rows), seconds: start.elapsed().as_secs_f64() })
        })();
        self.record(text.clone(), start, done)
    }

    /// Says what an answer is worth, for people at a terminal. What is trusted is shown at the prompt, and counted.
    fn tell_worth(
        &mut self,
        worth: Footnotes,
        query: &CannedQuery,
        parameters: &Parameters,
        rows: u64,
    ) -> Result<(), CliError> {
        if !self.is_watched() {
            return Ok(());
        }
        let run = RunSummary { rows, total_rows: rows, own_rows: None };
        let none = Sieve::default();
        let own = self.while_waiting(|session| session.own_work(query, parameters, &run, rows))?;
        let said = self.while_waiting(|session| Said::of(session, query, parameters, rows, true))?;
        let trusted = footnotes::trusted(None, self.case.root(), &self.catalogue)?;
        let unseen = self.while_waiting(|session| session.unseen(query, parameters, rows))?;
        worth.with_rows(run, own, none, None).with_said(said).with_unseen(&unseen).tell();
        if let Some((path, trusted)) = trusted {
            let mut sieve = trusted.sieve(&query.name, self.clock());
            let sieve = self.while_waiting(|session| session.sift_kept(&mut sieve).map(|()| sieve))?;
            footnotes::tell_trusted(&sieve, &path);
        }
        Ok(())
    }

    /// What an answer is worth.
    fn worth(&self, query: &CannedQuery, parameters: &Parameters, rows: u64) -> Result<Footnotes, CliError> {
        let (limits, _spill) = limits()?;
        let footnotes = Footnotes::of(query, parameters, &self.case.snapshot, &limits)?;
        Ok(footnotes.with_rows(RunSummary { rows, total_rows: rows, own_rows: None }, None, Sieve::default(), None))
    }

    /// What a file tells of an answer.
    pub(super) fn about(&self, title: &str, text: &str) -> About {
        let about = about::of_case(title, self.case.root(), &self.case.snapshot);
        About { command: Some(text.to_owned()), ..about }
    }

    /// Does something with the form and the file that the options of one answer ask for.
    fn with_output_of<T>(
        &mut self,
        args: &OutputArgs,
        work: impl FnOnce(&mut Self) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let look = self.look.with(args);
        let look = std::mem::replace(&mut self.look, look);
        let file = args.output.clone().map(|path| Target::Once { path, format: args.format, force: args.force });
        let target = file.map(|file| std::mem::replace(&mut self.target, file));
        let done = work(self);
        self.look = look;
        if let Some(target) = target {
            self.target = target;
        }
        done
    }

    /// Puts what was asked into the journal, whatever became of it.
    fn record(&mut self, text: String, start: Instant, done: Result<Ended, CliError>) -> Result<(), CliError> {
        let (rows, seconds, error) = match &done {
            Ok(ended) => (ended.rows, ended.seconds, None),
            Err(error) => (None, start.elapsed().as_secs_f64(), Some(error.to_string())),
        };
        let version = self.case.snapshot.version;
        self.note(What::Statement { text, rows, seconds, version, error });
        done.map(drop)
    }

    /// Has the session do something that Ctrl-C stops, and shows that it runs.
    pub(super) fn while_waiting<T>(
        &mut self,
        work: impl FnOnce(&Session) -> Result<T, kforensic_query::QueryError>,
    ) -> Result<T, CliError> {
        let progress = self.case.session()?.progress();
        self.while_watching(OpenCase::session, move || progress.percent(), work)
    }

    /// The same in one of the sessions of the case, where `progress` says in percent how far it is.
    pub(super) fn while_watching<T>(
        &mut self,
        session: fn(&mut OpenCase) -> Result<&Session, CliError>,
        progress: impl Fn() -> Option<f64> + Send + 'static,
        work: impl FnOnce(&Session) -> Result<T, kforensic_query::QueryError>,
    ) -> Result<T, CliError> {
        let (interrupt, is_watched) = (self.interrupt.clone(), self.is_watched());
        let manner = if is_watched { Manner::Cancels } else { Manner::Ends };
        let running = self.running.clone();
        let session = session(&mut self.case)?;
        session.interrupt_handle().forget();
        running.set(session.interrupt_handle());
        interrupt.heed(manner);
        let waiting = Waiting::show(is_watched, progress);
        // What was changed meanwhile answers nothing.
        let done = work(session).and_then(|done| session.still_checked().map(|()| done));
        drop(waiting);
        interrupt.heed(Manner::Ends);
        Ok(done?)
    }

    /// Shows the newest result where answers go, and counts it among the results.
    pub(super) fn show_kept(
        &mut self,
        text: &str,
        kept: &Kept,
        limit: Option<usize>,
        tags: &[String],
        about: &About,
    ) -> Result<Option<Shown>, CliError> {
        self.remember(text, kept);
        // Only answers of canned queries have tags; what a statement of one's own shows, it says itself.
        match tags {
            [] => self.show(tags, about, |session, rows| session.kept(limit, rows)),
            _ => self.show(tags, about, |session, rows| session.kept_answer(limit, &mut places::sink(rows))),
        }
    }

    /// Shows rows where answers go. `None` when the user left the pager before the end.
    pub(super) fn show(
        &mut self,
        tags: &[String],
        about: &About,
        ask: impl FnOnce(&Session, &mut dyn RowSink) -> Result<RunSummary, kforensic_query::QueryError>,
    ) -> Result<Option<Shown>, CliError> {
        let case = self.case.root().to_owned();
        let look = self.look.clone();
        let (interrupt, is_watched) = (self.interrupt.clone(), self.is_watched());
        let session = self.case.session()?;
        match &mut self.target {
            Target::Screen => {
                let (mut pager, mut layout) = look.screen(&interrupt);
                if look.format.is_binary() && is_watched {
                    return Err(CliError::BinaryOnTerminal { format: look.format });
                }
                layout.tags = tags.to_vec();
                interrupt.heed(if is_watched { Manner::Cancels } else { Manner::Ends });
                let shown = answer::write_to(look.format, layout, &mut pager, about, |rows| ask(session, rows));
                let finished = pager.finish();
                interrupt.heed(Manner::Ends);
                match shown {
                    Err(error) if error.is_broken_pipe() && is_watched => Ok(None),
                    Err(error) => Err(error),
                    Ok(shown) => {
                        finished.map_err(|error| CliError::Report(ReportError::from(error)))?;
                        Ok(Some(shown))
                    }
                }
            }
            Target::Once { path, format, force } => {
                let (path, format, force) = (path.clone(), *format, *force);
                self.target = Target::Screen;
                let mut output = look.file(&path, format, force, &case)?;
                let (format, mut layout) = (output.format, output.layout.clone());
                layout.tags = tags.to_vec();
                let shown = answer::write_to(format, layout, &mut output, about, |rows| ask(session, rows))?;
                output.finish()?;
                Ok(Some(shown))
            }
            Target::File { output, has_answer, .. } => {
                if *has_answer && output.format.is_whole() {
                    return Err(ReplError::OneAnswer { format: output.format }.into());
                }
                *has_answer = true;
                let (format, mut layout) = (output.format, output.layout.clone());
                layout.tags = tags.to_vec();
                answer::write_to(format, layout, output.as_mut(), about, |rows| ask(session, rows)).map(Some)
            }
        }
    }

    /// Shows text of ours where answers go.
    pub(super) fn show_text(&mut self, text: &str) -> Result<(), CliError> {
        use std::io::Write;
        let failed = |error: std::io::Error| CliError::Report(ReportError::from(error));
        match &mut self.target {
            // What is written into a workbook or before a page makes neither of it.
            Target::File { output, .. } if output.format.is_whole() => {
                Err(ReplError::OneAnswer { format: output.format }.into())
            }
            Target::File { output, .. } => output.write_all(text.as_bytes()).map_err(failed),
            Target::Screen | Target::Once { .. } => {
                let (mut pager, _) = self.look.screen(self.interrupt);
                self.interrupt.heed(Manner::Ignores);
                let shown = pager.write_all(text.as_bytes()).and_then(|()| pager.finish().map(drop));
                self.interrupt.heed(Manner::Ends);
                match shown {
                    Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe && self.is_watched() => Ok(()),
                    shown => shown.map_err(failed),
                }
            }
        }
    }

    /// Says which columns the table left out.
    fn note_hidden(&self, shown: Option<&Shown>) {
        if let Some(shown) = shown.filter(|_| self.is_watched()) {
            answer::note_hidden_columns(shown);
        }
    }

    /// What stands below an answer, for people at a terminal.
    pub(super) fn footer(&self, text: &str, start: Instant) {
        if self.is_watched() {
            let time =
                if self.look.is_timed { format!("; {:.3} s", start.elapsed().as_secs_f64()) } else { String::new() };
            message::plain(&format!("{text}{time}"));
        }
    }
}

/// A statement without the semicolon that ends it.
pub(super) fn without_semicolon(sql: &str) -> &str {
    let tokens = scanner::tokens(sql);
    let last = tokens.iter().rev().find(|token| token.is_code());
    last.filter(|token| token.kind == Kind::Semicolon).map_or(sql, |token| &sql[..token.range.start])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_are_those_of_the_command_and_later_ones_count() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let args = read_options(&words("secret-reads --user=bob --user alice --limit 3 -p a=b")).unwrap();
        assert_eq!((args.name.as_deref(), args.filter.user.as_deref()), (Some("secret-reads"), Some("alice")));
        let problem = |line: &str| read_options(&words(line)).unwrap_err().to_string();
        assert_eq!(problem("x --from a"), "`--from` is for `kforensic query`, which begins anew");
        assert!(problem("x --usr bob").contains("--usr"), "{}", problem("x --usr bob"));
    }

    #[test]
    fn the_semicolon_is_left_out() {
        assert_eq!(without_semicolon("SELECT ';'; -- x"), "SELECT ';'");
        assert_eq!(without_semicolon("SELECT ';'"), "SELECT ';'");
    }
}

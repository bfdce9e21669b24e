//! `kforensic query`

use std::io::Write;
use std::iter;
use std::path::PathBuf;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anstyle::AnsiColor;
use kforensic_event::time;
use kforensic_lake::{Case, Snapshot};
use kforensic_query::catalogue::Value;
use kforensic_query::doubt::Doubt;
use kforensic_query::trust::Sieve;
use kforensic_query::window::rests_on_case;
use kforensic_query::{
    CannedQuery, Catalogue, Elsewhere, Parameters, RunOptions, RunSummary, Selection, Session, Starting, Window, doubt,
};
use kforensic_report::{About, Format, ReportError};
use kforensic_trace::yaml;
use tempfile::TempDir;

use crate::about;
use crate::answer::{self, Shown};
use crate::args::{Labels, QueriesArgs, QueryArgs, ReadingArgs};
use crate::checks;
use crate::command::ingest::{ingest, reservations};
use crate::command::{self, Outcome, case_folder, hits, limits, prune, queries};
use crate::error::CliError;
use crate::footnotes::{self, Footnotes, Said};
use crate::interrupt::Interrupt;
use crate::message;
use crate::output::{self, Output};
use crate::terminal;
use crate::{places, proxies};

/// Answers a question, or lists the questions that can be asked.
pub(crate) fn run(case: Option<&PathBuf>, args: &QueryArgs, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    // Nothing of it is read yet, and most runs go on.
    let is_asked = args.name.is_some() && !args.help && args.from.is_empty();
    let early = is_asked.then(start).transpose()?;
    let catalogue = catalogue(&args.queries)?;
    let Some(name) = &args.name else {
        return match (args.help, args.from.is_empty()) {
            (true, _) => queries::help_of_command().map(|()| Outcome::Done),
            (false, _) if args.hits => hits::list(case, &catalogue, args, interrupt),
            (false, true) => list(&catalogue, args).map(|()| Outcome::Done),
            (false, false) => Err(CliError::NoQuery),
        };
    };
    let (query, given) = asked(&catalogue, name, args)?;
    if args.help {
        return queries::help(query, &catalogue).map(|()| Outcome::Done);
    }
    let clock = chrono::Utc::now().timestamp_micros();
    // What is wrong with the command line is said before anything is read.
    args.filter.times.check(clock)?;
    parameters(query, &given, args, clock, Some(clock))?;
    if args.show_sql && !args.filter.times.rest_on_case() && !given.iter().any(|(_, text)| rests_on_case(text)) {
        let (parameters, ..) = values(query, &given, args, clock, None)?;
        return show_sql(query, &parameters);
    }
    let format = output::format_of(&args.output)?;
    if args.worth.envelope && format != Format::Json {
        return Err(CliError::NotForFormat { option: "--envelope", wanted: "JSON", format });
    }
    let (temporary, ingested) = ingest_first(case, &args.from, &args.reading, interrupt)?;
    let folder = temporary.as_ref().map_or_else(|| case_folder(case), |folder| folder.path().join("case"));

    let begun = Instant::now();
    let (starting, _spill) = early.map_or_else(start, Ok)?;
    let case = Case::open(&folder)?;
    let snapshot = case.snapshot()?;
    let newest = snapshot.event_times().map(|(_, newest)| newest);
    let (parameters, window, now) = values(query, &given, args, clock, newest)?;
    if args.show_sql {
        return show_sql(query, &parameters);
    }
    let mut output = Output::open(&args.output, case.root())?.paged(interrupt);
    output.layout.tags = iter::once(&query.name).chain(&query.attack).cloned().collect();
    let limit = args.filter.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let trusted = match args.worth.show_trusted {
        true => None,
        false => footnotes::trusted(args.worth.trust.trusted.as_ref(), case.root(), &catalogue)?,
    };
    let sieve = trusted.as_ref().map(|(_, trusted)| trusted.sieve(&query.name, now)).unwrap_or_default();
    let about = about::of_query(query, &parameters, window, case.root(), &snapshot);
    let asked = Asked { query, parameters: &parameters, limit, sieve, trusted: trusted.map(|(path, _)| path), about };
    let Answered { shown, footnotes, elsewhere } =
        answer(asked, &snapshot, starting, output, args.worth.envelope, interrupt)?;
    footer(&shown, window, newest, begun.elapsed().saturating_sub(shown.waited));
    if args.filter.times.now.as_deref() == Some("last") {
        tell_of_the_future(&snapshot, clock);
    }
    if args.explain {
        explain(&Selection::of(query, &parameters), &snapshot);
    }
    footnotes.tell();
    if shown.run.rows > 0 {
        go_on(query, &parameters, &catalogue, &elsewhere);
    }
    places::remark();
    window_notes(window, &snapshot, args.filter.times.now.is_some());
    question_notes(query, &parameters, shown.run.total_rows, &snapshot)?;
    if let Some(note) = prune::missing(&snapshot, window.since) {
        message::note(&note);
    }
    Ok(ingested)
}

/// Begins to start a DuckDB, which takes as long as all that can be done meanwhile. The folder is the one that it spills into.
fn start() -> Result<(Starting, TempDir), CliError> {
    let (limits, spill) = limits()?;
    Ok((Starting::begin(&limits)?, spill))
}

/// Lists the queries: for people, unless another form or a file is asked for.
fn list(catalogue: &Catalogue, args: &QueryArgs) -> Result<(), CliError> {
    let words = args.search.as_deref();
    match output::format_of(&args.output)? {
        Format::Table if args.output.output.is_none() => queries::list(catalogue, words),
        _ => command::catalogue::write(catalogue, words, &args.output),
    }
}

/// Parameters that say what an answer is about, with the options that say so to any query.
const ABOUT: [(&str, &str); 6] = [
    ("user", "--user"),
    ("actor", "--user"),
    ("source_ip", "--source-ip"),
    ("address", "--source-ip"),
    ("namespace", "--namespace"),
    ("name", "--name"),
];

/// The words behind the name of another query that ask it about the same.
fn about_the_same(query: &CannedQuery, parameters: &Parameters, other: &CannedQuery) -> String {
    let given = |name: &str| match parameters.get(name)? {
        Value::Text(text) | Value::Network(text) => Some(message::quoted(text)),
        _ => None,
    };
    let value = query.value.as_deref().filter(|_| query.value == other.value).and_then(given);
    if let Some(value) = value {
        return format!(" {value}");
    }
    let secret = given("secret").map(|secret| match secret.split_once('/') {
        Some((namespace, name)) if !secret.starts_with('\'') => format!(" --namespace {namespace} --name {name}"),
        _ => format!(" --name {secret}"),
    });
    let options = ABOUT.iter().filter_map(|(name, option)| Some(format!(" {option} {}", given(name)?)));
    secret.into_iter().chain(options).collect()
}

/// Tells people which queries go on where this one ends, about the same, and with whom.
fn go_on(query: &CannedQuery, parameters: &Parameters, catalogue: &Catalogue, elsewhere: &Elsewhere) {
    let further = query.further.iter().filter_map(|name| catalogue.find(name).ok());
    let further = further.map(|other| {
        let about = about_the_same(query, parameters, other);
        format!("`kforensic query {}{about}` ({})", other.name, in_a_sentence(&other.title))
    });
    let words = people_elsewhere(elsewhere).into_iter().chain(further).collect::<Vec<_>>().join(", ");
    if !words.is_empty() && terminal::stderr_is_terminal() {
        message::labelled("next", AnsiColor::Blue, &words);
    }
}

/// A title as it stands inside of a sentence: its first letter is small, unless it begins an abbreviation.
fn in_a_sentence(title: &str) -> String {
    let mut letters = title.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(letters).collect(),
        _ => title.to_owned(),
    }
}

/// Who else goes on, each with the account of all that it did. The log chose the names: one that no command line should
/// hold is shown, and no more.
fn people_elsewhere(elsewhere: &Elsewhere) -> Vec<String> {
    let named = elsewhere.named.iter().map(|(name, requests)| {
        let name = match yaml::shell_word(name) {
            Some(word) => format!("`kforensic query actor {word}`"),
            None => format!("`{}`", footnotes::visible(name)),
        };
        format!("{name} ({} from elsewhere)", answer::count_of(*requests, "request"))
    });
    let others = (elsewhere.others > 0).then(|| format!("{} more who came from elsewhere too", elsewhere.others));
    named.chain(others).collect()
}

/// Says which part of the case was opened, and of what.
fn explain(selection: &Selection, snapshot: &Snapshot) {
    let (read, all) = (selection.extent(snapshot), Selection::default().extent(snapshot));
    message::plain(&format!(
        "read: {} of {} files, {} of {} bytes in all of their columns, {} of {} events",
        read.files, all.files, read.bytes, all.bytes, read.rows, all.rows
    ));
}

/// Prints the statement that would run.
fn show_sql(query: &CannedQuery, parameters: &Parameters) -> Result<Outcome, CliError> {
    message::print(&format!("{}\n", query.shown_sql(parameters))).map(|()| Outcome::Done)
}

/// Ingests paths that are to be asked about, into the case or into one that lives as long as the returned folder.
pub(crate) fn ingest_first(
    case: Option<&PathBuf>,
    paths: &[PathBuf],
    reading: &ReadingArgs,
    interrupt: &Interrupt,
) -> Result<(Option<TempDir>, Outcome), CliError> {
    if paths.is_empty() {
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
    let ingested = ingest(&folder, paths, &Labels::default(), reading, None, false, interrupt)?;
    let report = &ingested.report;
    for skipped in &report.skipped {
        message::note(&format!("left out `{}`: {}", skipped.name, skipped.reason));
    }
    for reservation in reservations(report, false) {
        message::warning(&reservation);
    }
    if report.rejected > 0 {
        let (rejected, records) = (report.rejected, report.records);
        message::warning(&format!("{rejected} of {records} records are no audit events, and are not in the answer"));
    }
    Ok((temporary, ingested.outcome()?))
}

/// The queries of the program, and of the folder that is named.
pub(crate) fn catalogue(args: &QueriesArgs) -> Result<Catalogue, CliError> {
    let mut catalogue = Catalogue::embedded()?;
    if let Some(folder) = &args.queries {
        catalogue.add_folder(folder)?;
    }
    Ok(catalogue)
}

/// Values of parameters, by name, as they were typed.
type Given = Vec<(String, String)>;

/// The query that is meant, and the values of its own parameters: a view of it may be chosen, and a value may stand behind
/// its name.
pub(crate) fn asked<'a>(
    catalogue: &'a Catalogue,
    name: &str,
    args: &QueryArgs,
) -> Result<(&'a CannedQuery, Given), CliError> {
    let mut given = args.parameters.clone();
    let query = catalogue.viewed(catalogue.find(name)?, &mut given)?;
    if let Some(value) = &args.value {
        let named = query.named(value)?.into_iter().map(|(name, text)| (name.to_owned(), text));
        // What is said with its name has the last word.
        given = named.chain(given).collect();
    }
    Ok((query, given))
}

/// Reads the values that the command line gives, the window among them, and what its ages count from: `--now`, else `clock`.
pub(crate) fn values(
    query: &CannedQuery,
    given: &[(String, String)],
    args: &QueryArgs,
    clock: i64,
    newest: Option<i64>,
) -> Result<(Parameters, Window, i64), CliError> {
    let (window, now) = args.filter.window(clock, newest)?;
    Ok((parameters(query, given, args, now, newest)?, window, now))
}

/// Reads the values that the command line gives; ages count back from `now`.
fn parameters(
    query: &CannedQuery,
    given: &[(String, String)],
    args: &QueryArgs,
    now: i64,
    newest: Option<i64>,
) -> Result<Parameters, CliError> {
    let filter = &args.filter;
    let own = given.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let mut parameters = Parameters::new();
    for (name, text) in filter.given().chain(own) {
        parameters.set(name, query.declared(name)?.parse(text, now, newest)?);
    }
    if let Some(condition) = &filter.condition {
        parameters.set_condition(condition.clone())?;
    }
    Ok(parameters)
}

/// A canned query with its values, and what is kept out of its rows.
struct Asked<'a> {
    query: &'a CannedQuery,
    parameters: &'a Parameters,
    limit: Option<usize>,
    sieve: Sieve,
    /// The file that the sieve comes from.
    trusted: Option<PathBuf>,
    /// What a file tells besides the rows.
    about: About,
}

/// An answer that was shown, and what is told behind it.
struct Answered {
    shown: Shown,
    footnotes: Footnotes,
    /// With whom a search that began with an address goes on.
    elsewhere: Elsewhere,
}

fn answer(
    asked: Asked<'_>,
    snapshot: &Snapshot,
    starting: Starting,
    output: Output,
    envelope: bool,
    interrupt: &Interrupt,
) -> Result<Answered, CliError> {
    let (query, parameters, limits) = (asked.query, asked.parameters, starting.limits().clone());
    // The log of years is summed up while DuckDB looks for the rows.
    thread::scope(|scope| {
        let footnotes = scope.spawn(|| Footnotes::of(query, parameters, snapshot, &limits));
        answer_with(asked, footnotes, snapshot, starting, output, envelope, interrupt)
    })
}

fn answer_with(
    asked: Asked<'_>,
    footnotes: ScopedJoinHandle<'_, Result<Footnotes, CliError>>,
    snapshot: &Snapshot,
    starting: Starting,
    mut output: Output,
    envelope: bool,
    interrupt: &Interrupt,
) -> Result<Answered, CliError> {
    let Asked { query, parameters, limit, mut sieve, trusted, about } = asked;
    let session = Session::open_in(starting, snapshot, &Selection::of(query, parameters))?;
    let is_asked_twice = query.leaves_out_own_work(parameters) && !query.counts_own_work(parameters);
    if is_asked_twice && parameters.is_window() {
        // What asks for a few rows costs less where DuckDB can look for these alone.
        session.keep_views();
    }
    let handle = session.interrupt_handle();
    interrupt.on(move || handle.interrupt());
    let (format, layout) = (output.format, output.layout.clone());
    let write = |output: &mut Output, text: &str| output.write_all(text.as_bytes()).map_err(ReportError::from);
    if envelope {
        write(&mut output, "{\"rows\": ")?;
    }
    let mut rows = answer::Rows::new(format, layout, &mut output);
    let mut placed = places::sink(&mut rows);
    let mut watch = proxies::watch(&mut placed, query.claimed);
    let options = RunOptions { limit, sieve: &mut sieve, counts_own: true };
    let run = session.run_as(query, parameters, options, &mut watch)?;
    let has_claims = watch.has_claims;
    let own = session.own_work(query, parameters, &run, run.total_rows + sieve.hidden())?;
    let said = Said::of(&session, query, parameters, run.total_rows + sieve.hidden(), has_claims)?;
    let unseen = session.unseen(query, parameters, run.total_rows + sieve.hidden())?;
    let footnotes = footnotes.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let footnotes = footnotes.with_rows(run, own, sieve, trusted).with_said(said).with_unseen(&unseen);
    // Only people are told, so nobody else waits for it.
    let elsewhere = match run.rows > 0 && terminal::stderr_is_terminal() {
        true => session.elsewhere(query, parameters)?.unwrap_or_default(),
        false => Elsewhere::default(),
    };
    let mut about = about::with_worth(about, &footnotes, query);
    if run.rows < run.total_rows {
        about.notes.push(format!("these are the newest {} of {}", run.rows, answer::count(run.total_rows)));
    }
    let mut shown = rows.finish(run, &about)?;
    if envelope {
        write(&mut output, &footnotes.to_json(shown.run))?;
    }
    // A file appears only when its rows come from what was checked.
    checks::end(&session)?;
    shown.waited = output.finish()?;
    Ok(Answered { shown, footnotes, elsewhere })
}

/// Says what may be wrong with a question whose answer has no rows, or that names nobody.
pub(crate) fn question_notes(
    query: &CannedQuery,
    parameters: &Parameters,
    rows: u64,
    snapshot: &Snapshot,
) -> Result<(), CliError> {
    for doubt in doubts(query, parameters, rows, snapshot)? {
        message::note(&footnotes::visible(&doubt.text));
        if let Some(hint) = doubt.hint {
            message::hint(&footnotes::visible(&hint));
        }
    }
    Ok(())
}

/// What may be wrong with a question, and what to ask instead.
pub(crate) fn doubts(
    query: &CannedQuery,
    parameters: &Parameters,
    rows: u64,
    snapshot: &Snapshot,
) -> Result<Vec<Doubt>, CliError> {
    let mut doubts = doubt::of_question(query, parameters);
    if snapshot.event_times().is_some() && doubt::has_values(query, parameters, rows) {
        let (limits, _spill) = limits()?;
        doubts.extend(Session::open(snapshot, &Selection::default(), &limits)?.doubts(query, parameters, rows)?);
    }
    Ok(doubts)
}

/// How a window lies beside the evidence.
pub(crate) fn window_problems(window: Window, snapshot: &Snapshot) -> Vec<&'static str> {
    let Some((first, newest)) = snapshot.event_times() else { return Vec::new() };
    let begins = window.since.is_some_and(|since| since > newest).then_some(BEGINS_BEHIND);
    let ends = window.until.is_some_and(|until| until <= first);
    let ends = ends.then_some("the window ends before the first event of the case: the evidence is newer");
    begins.into_iter().chain(ends).collect()
}

/// What counting ages from the present does to old evidence.
const BEGINS_BEHIND: &str = "the window begins after the newest event of the case: the evidence is older";

/// Says when a window lies beside the evidence. An age counts back from the present unless the user says otherwise.
pub(crate) fn window_notes(window: Window, snapshot: &Snapshot, names_now: bool) {
    for problem in window_problems(window, snapshot) {
        message::note(problem);
        if problem == BEGINS_BEHIND && !names_now {
            message::hint("count ages back from the newest event with `--now last`");
        }
    }
}

/// A window in words.
pub(crate) fn window_text(window: Window) -> String {
    let time = |micros| message::time(&time::render(micros));
    match (window.since, window.until) {
        (None, None) => "all times".to_owned(),
        (Some(since), None) => format!("since {} UTC", time(since)),
        (None, Some(until)) => format!("before {} UTC", time(until)),
        (Some(since), Some(until)) => format!("from {} to {} UTC", time(since), time(until)),
    }
}

/// How far an event may be ahead of the clock before it is remarked on, in microseconds: clocks differ.
const AHEAD_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Says when `--now last` counts back from an event that claims to be of the future: the window is then about that event,
/// and about nothing else.
fn tell_of_the_future(snapshot: &Snapshot, clock: i64) {
    let newest = || snapshot.event_files().filter_map(|file| file.stats.event_time).map(|(_, newest)| newest);
    let Some(last) = newest().max().filter(|last| *last > clock.saturating_add(AHEAD_MICROS)) else { return };
    let last = message::time(&time::render(last));
    message::warning(&format!(
        "the newest event of the case claims to be of {last} UTC, which is still to come; `--now last` counts back from it"
    ));
    message::hint(&match newest().filter(|newest| *newest <= clock).max() {
        Some(newest) => format!("count back from another time, such as `--now {}`", time::render(newest)),
        None => "count back from another time with `--now TIME`".to_owned(),
    });
}

/// Says on standard error what the rows above are, and why there may be none.
fn footer(shown: &Shown, window: Window, newest: Option<i64>, elapsed: Duration) {
    let RunSummary { rows, total_rows, .. } = shown.run;
    let rows = match rows == total_rows {
        true => answer::count(rows),
        false => format!("the newest {rows} of {total_rows} rows"),
    };
    let window_text = window_text(window);
    let newest_text = answer::newest_event(newest);
    message::plain(&format!("{rows}; {window_text}; {newest_text}; {:.3} s", elapsed.as_secs_f64()));
    answer::note_hidden_columns(shown);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_go_into_sentences() {
        for (title, inside) in [
            ("Workloads changed right after RBAC", "workloads changed right after RBAC"),
            ("RBAC changed by service accounts", "RBAC changed by service accounts"),
            ("A pod of a node", "a pod of a node"),
            ("", ""),
        ] {
            assert_eq!(in_a_sentence(title), inside);
        }
    }
}

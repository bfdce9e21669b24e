//! What the tools ask: what the commands of the same names ask, by the same functions, answered as JSON.

use std::iter;

use kforensic_event::time;
use kforensic_lake::Snapshot;
use kforensic_query::coverage::{LeftOut, Observed};
use kforensic_query::trust::Sieve;
use kforensic_query::{CannedQuery, Limits, RowSink, RunOptions, Selection, Session, describe as views, gate};
use kforensic_report::incident::{Incident, Screen, findings_batch, triage as screen};
use rmcp::model::JsonObject;
use serde_json::{Map, Value, json};

use super::Asking;
use super::arguments::{self, limit, needed, text};
use super::bounds::{ANSWER_BYTES, shortened};
use super::rows::{Gathered, Keep};
use crate::args::{TimesArgs, WindowArgs};
use crate::checks;
use crate::command::triage::asked;
use crate::command::{coverage as covered, describe as described, limits, prune, query as canned, show as event};
use crate::error::CliError;
use crate::findings;
use crate::footnotes::{self, Footnotes, Said};
use crate::interrupt::Interrupt;
use crate::places;

type Answer = Result<Value, CliError>;

/// Which state of the case answered.
fn of_case(asking: &Asking, snapshot: &Snapshot) -> Value {
    let newest = snapshot.event_times().map(|(_, newest)| time::render(newest));
    json!({
        "folder": asking.folder().display().to_string(), "fingerprint": snapshot.fingerprint, "newest_event": newest,
    })
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The rows and what is said about them, in an answer with what is known besides.
fn with_rows(mut answer: Map<String, Value>, rows: Gathered, total: u64) -> Value {
    let (columns, texts_cut) = (rows.columns().to_vec(), rows.texts_cut);
    let rows = rows.into_rows();
    let left_out = total.saturating_sub(rows.len() as u64);
    answer.insert("columns".into(), json!(columns));
    answer.insert("rows_returned".into(), json!(rows.len()));
    answer.insert("rows_total".into(), json!(total));
    answer.insert("rows_left_out".into(), json!(left_out));
    answer.insert("texts_cut".into(), json!(texts_cut));
    if left_out > 0 {
        let words = format!("{left_out} rows are left out here: narrow the question, or count them with SQL");
        note(&mut answer, words);
    }
    answer.insert("rows".into(), json!(rows));
    Value::Object(answer)
}

fn note(answer: &mut Map<String, Value>, words: impl Into<String>) {
    if let Value::Array(notes) = answer.entry("notes").or_insert_with(|| json!([])) {
        notes.push(Value::String(words.into()));
    }
}

/// A session whose work the interrupt stops.
fn open(
    snapshot: &Snapshot,
    selection: &Selection,
    limits: &Limits,
    interrupt: &Interrupt,
) -> Result<Session, CliError> {
    let session = Session::open(snapshot, selection, limits)?;
    let handle = session.interrupt_handle();
    interrupt.on(move || handle.interrupt());
    Ok(session)
}

/// Adds what the answer of a session owes its reader, and fails when a file was changed meanwhile.
fn end(answer: &mut Map<String, Value>, session: &Session) -> Result<(), CliError> {
    session.still_checked()?;
    if let Some(reservation) = checks::reservation(session) {
        note(answer, reservation);
    }
    Ok(())
}

/// `kforensic query --search`.
pub(super) fn list(asking: &Asking, arguments: &JsonObject, _: &Interrupt) -> Answer {
    let found = match text(arguments, "words")? {
        Some(words) => asking.catalogue.about(words),
        None => asking.catalogue.iter().collect(),
    };
    let line = |query: &CannedQuery| {
        json!({
            "name": query.name, "question": query.question.split_whitespace().collect::<Vec<_>>().join(" "),
            "kind": query.kind, "severity": query.severity, "value": query.value,
            "view_of": query.variant.as_ref().map(|variant| &variant.of),
        })
    };
    let queries: Vec<Value> = found.into_iter().map(line).collect();
    Ok(Value::Object(shortened(members(json!({"queries": queries})), ANSWER_BYTES)))
}

/// `kforensic describe`, and `kforensic query NAME --help`.
pub(super) fn describe(asking: &Asking, arguments: &JsonObject, interrupt: &Interrupt) -> Answer {
    let Some(name) = text(arguments, "name")? else {
        let all: Vec<Value> = views::views().iter().map(|view| json!({"view": view.name, "row": view.row})).collect();
        return Ok(json!({"views": all}));
    };
    if let Ok(query) = asking.catalogue.find(name) {
        return serde_json::to_value(query).map_err(|error| CliError::Protocol { problem: error.to_string() });
    }
    let help = views::find(name)?;
    let (limits, _spill) = limits()?;
    let session = open(&Snapshot::default(), &Selection::default(), &limits, interrupt)?;
    described::view(&session, &help)
}

/// `kforensic query NAME`.
pub(super) fn query(asking: &Asking, arguments: &JsonObject, interrupt: &Interrupt) -> Answer {
    let args = arguments::query(arguments)?;
    let (query, given) = canned::asked(&asking.catalogue, needed(arguments, "query")?, &args)?;
    let (case, snapshot) = asking.open()?;
    let clock = chrono::Utc::now().timestamp_micros();
    let newest = snapshot.event_times().map(|(_, newest)| newest);
    let (parameters, window, now) = canned::values(query, &given, &args, clock, newest)?;
    let trusted = footnotes::trusted(None, case.root(), &asking.catalogue)?;
    let mut sieve: Sieve = trusted.as_ref().map(|(_, trusted)| trusted.sieve(&query.name, now)).unwrap_or_default();
    let (limits, _spill) = limits()?;
    let worth = Footnotes::of(query, &parameters, &snapshot, &limits)?;
    let session = open(&snapshot, &Selection::of(query, &parameters), &limits, interrupt)?;
    let mut rows = Gathered::new(Keep::Last, limit(arguments)?);
    let options = RunOptions { limit: None, sieve: &mut sieve, counts_own: true };
    let run = session.run_as(query, &parameters, options, &mut places::sink(&mut rows))?;
    let own = session.own_work(query, &parameters, &run, run.total_rows + sieve.hidden())?;
    let said = Said::of(&session, query, &parameters, run.total_rows + sieve.hidden(), true)?;
    let unseen = session.unseen(query, &parameters, run.total_rows + sieve.hidden())?;
    let worth = worth.with_rows(run, own, sieve, trusted.map(|(path, _)| path)).with_said(said).with_unseen(&unseen);
    let mut answer: Map<String, Value> =
        worth.members(run).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    answer.insert("case".into(), of_case(asking, &snapshot));
    answer.insert("query".into(), json!(query.name));
    answer.insert("question".into(), json!(query.question.split_whitespace().collect::<Vec<_>>().join(" ")));
    answer.insert("window".into(), json!(canned::window_text(window)));
    answer.insert("noise".into(), json!(query.noise.split_whitespace().collect::<Vec<_>>().join(" ")));
    for doubt in canned::doubts(query, &parameters, run.total_rows, &snapshot)? {
        note(&mut answer, iter::once(doubt.text).chain(doubt.hint).collect::<Vec<_>>().join("; "));
    }
    canned::window_problems(window, &snapshot).into_iter().for_each(|words| note(&mut answer, words));
    prune::missing(&snapshot, window.since).into_iter().for_each(|words| note(&mut answer, words));
    end(&mut answer, &session)?;
    Ok(with_rows(answer, rows, run.total_rows))
}

/// `kforensic sql`.
pub(super) fn sql(asking: &Asking, arguments: &JsonObject, interrupt: &Interrupt) -> Answer {
    let statement = gate::check(needed(arguments, "sql")?)?;
    let (_, snapshot) = asking.open()?;
    let (limits, _spill) = limits()?;
    let session = open(&snapshot, statement.selection(), &limits, interrupt)?;
    let mut rows = Gathered::new(Keep::First, limit(arguments)?);
    session.sql(&statement, None, &mut rows)?;
    let mut answer = account(asking, &snapshot, &limits)?;
    let words = "a statement says not what it needs: hold it against `coverage` before you call something absent";
    answer.insert("verdict".into(), json!({"verdict": "untold", "text": words, "because": []}));
    end(&mut answer, &session)?;
    let total = rows.total;
    Ok(with_rows(answer, rows, total))
}

/// Which case this is, and what no answer of it has in its rows.
fn account(asking: &Asking, snapshot: &Snapshot, limits: &Limits) -> Result<Map<String, Value>, CliError> {
    let left_out = LeftOut::of(snapshot, &Observed::of(snapshot, limits)?).in_words();
    Ok(members(json!({"case": of_case(asking, snapshot), "left_out": left_out})))
}

/// `kforensic coverage`.
pub(super) fn coverage(asking: &Asking, _: &JsonObject, interrupt: &Interrupt) -> Answer {
    let (_, snapshot) = asking.open()?;
    let (limits, _spill) = limits()?;
    let session = open(&snapshot, &Selection::default(), &limits, interrupt)?;
    let mut answer = members(covered::told(&session, &snapshot, &limits, &asking.catalogue)?);
    answer.insert("case".into(), of_case(asking, &snapshot));
    end(&mut answer, &session)?;
    Ok(Value::Object(shortened(answer, ANSWER_BYTES)))
}

/// `kforensic triage`.
pub(super) fn triage(asking: &Asking, arguments: &JsonObject, interrupt: &Interrupt) -> Answer {
    let given = |name: &str| Ok::<_, CliError>(text(arguments, name)?.map(str::to_owned));
    let window = WindowArgs {
        times: TimesArgs { since: given("since")?, until: given("until")?, now: given("now")? },
        cluster: given("cluster")?,
        host: given("host")?,
    };
    let (case, snapshot) = asking.open()?;
    let clock = chrono::Utc::now().timestamp_micros();
    let (span, now) = asked(&window, clock, snapshot.event_times().map(|(_, newest)| newest))?;
    let inquiry = findings::Inquiry {
        window: span,
        now,
        labels: window.labels(),
        trusted: footnotes::trusted(None, case.root(), &asking.catalogue)?.map(|(_, trusted)| trusted),
        ..findings::Inquiry::default()
    };
    let name = asking.folder().display().to_string();
    let incident = findings::ask(&name, &snapshot, &asking.catalogue, &inquiry, interrupt)?;
    let (limits, _spill) = limits()?;
    let mut answer = account(asking, &snapshot, &limits)?;
    answer.insert("window".into(), json!(canned::window_text(span)));
    let lines = screen(&incident, Screen::default());
    answer.insert("screen".into(), lines.lines().map(str::to_owned).collect());
    answer.insert("blind".into(), blind(&incident));
    checks::reservation_of_all().into_iter().for_each(|words| note(&mut answer, words));
    let mut rows = Gathered::new(Keep::First, usize::MAX);
    let batch = findings_batch(&incident);
    let taken = RowSink::columns(&mut rows, &batch.schema()).and_then(|()| rows.rows(&batch));
    taken.map_err(kforensic_query::QueryError::Sink)?;
    let total = rows.total;
    let answer = with_rows(answer, rows, total);
    Ok(Value::Object(shortened(members(answer), ANSWER_BYTES)))
}

/// The detections without rows that would have none in any case: they could not see.
fn blind(incident: &Incident) -> Value {
    let unseen = incident.findings.iter().filter(|finding| !finding.is_found() && finding.question.verdict.is_blind);
    let told = |finding: &kforensic_report::incident::Finding| {
        let verdict = &finding.question.verdict;
        json!({"query": finding.question.name, "verdict": verdict.state, "because": verdict.words})
    };
    unseen.map(told).collect()
}

/// `kforensic show`, without the bytes of the source: they may hold secrets that the case has only as hashes.
pub(super) fn show(asking: &Asking, arguments: &JsonObject, interrupt: &Interrupt) -> Answer {
    let (audit_id, stage) = (needed(arguments, "audit_id")?, text(arguments, "stage")?);
    let (_, snapshot) = asking.open()?;
    let (limits, _spill) = limits()?;
    let session = open(&snapshot, &Selection::default(), &limits, interrupt)?;
    let audit_id = event::whole(&session, audit_id, stage)?;
    let events = event::events(&session, &snapshot, &audit_id, stage)?;
    if events.is_empty() {
        let stage = stage.map(str::to_owned);
        return Err(CliError::NoEvent { audit_id, stage });
    }
    let mut answer = account(asking, &snapshot, &limits)?;
    end(&mut answer, &session)?;
    let mut rows = Gathered::new(Keep::First, usize::MAX);
    events.into_iter().for_each(|event| rows.push(event));
    let total = rows.total;
    Ok(with_rows(answer, rows, total))
}

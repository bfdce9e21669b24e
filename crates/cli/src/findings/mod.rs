//! What `triage` and `report` ask a case: all detections, and the accounts that put them into their place.
//!
//! The answers are gathered batch by batch (`report::incident`), so memory does not grow with them.

mod evidence;
mod pool;
mod progress;
mod sink;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use kforensic_lake::Snapshot;
use kforensic_query::catalogue::{QueryKind, Value};
use kforensic_query::coverage::{self, LeftOut, Observed, Scope};
use kforensic_query::trust::Trusted;
use kforensic_query::{CannedQuery, Catalogue, Limits, Parameters, RunOptions, Tally, Window};
use kforensic_report::document::Level;
use kforensic_report::incident::{Finding, Gathering, Incident, Question, Verdict, deletions, origins};

use crate::command::query::window_problems;
use crate::command::{limits, prune};
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::message;
use crate::proxies;
use pool::{Pool, Seat};
use progress::Shown;
use sink::{Batches, Gather};

pub(crate) use evidence::{evidence, of_several_clusters};

/// Memory of DuckDB while it asks many questions one after the other; beyond it, it spills.
const MEMORY_BYTES: u64 = 256 << 20;

/// The queries that pictures are made of.
const PICTURES: [&str; 2] = ["activity", "rhythm"];

/// What is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inquiry {
    /// The window that is asked about.
    pub(crate) window: Window,
    /// The time that ages count from, in microseconds since 1970.
    pub(crate) now: i64,
    /// Only logs of this cluster or host: parameters that every query takes.
    pub(crate) labels: Vec<(String, String)>,
    /// The detections, by name; all when it is empty.
    pub(crate) queries: Vec<String>,
    /// Values for parameters of single queries.
    pub(crate) parameters: BTreeMap<String, BTreeMap<String, Value>>,
    /// Rows of each finding that are kept; the others are counted.
    pub(crate) rows_max: usize,
    /// Folder for all rows, a file for each finding.
    pub(crate) data: Option<PathBuf>,
    /// Keys of rows that an earlier report had, by query; `None` when nobody asks which rows are new, now or later.
    pub(crate) known: Option<BTreeMap<String, BTreeSet<String>>>,
    /// Whether the accounts for pictures are wanted as well.
    pub(crate) with_pictures: bool,
    /// Whether to show how far it is.
    pub(crate) is_watched: bool,
    /// Only what was ingested since a report.
    pub(crate) since_report: Option<SinceReport>,
    /// What the user trusts: it is hidden, and counted.
    pub(crate) trusted: Option<Trusted>,
    /// What has to be run first, so that commands ask this case: where it is another than is looked for, or gone when this is told.
    pub(crate) first: Option<String>,
}

impl Inquiry {
    /// The same of all times up to the end of the window, when that leaves some out: who comes from elsewhere is told by where he
    /// came from before.
    fn before(&self) -> Option<Self> {
        let looks_at_all = self.window.since.is_none() && self.since_report.is_none();
        let window = Window { since: None, ..self.window };
        (!looks_at_all).then(|| Self { window, since_report: None, ..self.clone() })
    }

    /// The same up to the end of the case: what is still there was not deleted since.
    fn behind(&self) -> Self {
        let since = self.window.since.max(self.since_report.as_ref().and_then(|report| report.since));
        Self { window: Window { since, until: None }, since_report: None, ..self.clone() }
    }
}

/// What was ingested since a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SinceReport {
    /// The newest commit that the report was about; `None` when there was none.
    pub(crate) after: Option<u64>,
    /// The newest commit now.
    pub(crate) through: u64,
    /// Sources with events in between.
    pub(crate) sources: u64,
    /// Their events.
    pub(crate) events: u64,
    /// Time of the first of them, in microseconds since 1970.
    pub(crate) since: Option<i64>,
}

impl SinceReport {
    /// The condition that holds for requests of which an event is new. The number of the commit stands in the source's id.
    fn condition(&self) -> Option<String> {
        let after = self.after?;
        Some(format!(
            "(event_time, coalesce(audit_id, '')) IN (SELECT (event_time, coalesce(audit_id, '')) FROM events \
             WHERE split_part(source_id, '-', 1)::BIGINT > {after})"
        ))
    }

    /// What it means, for the reader.
    fn words(&self) -> String {
        let from = self.after.map_or_else(|| "the first".to_owned(), |after| format!("number {}", after + 1));
        format!(
            "this report is about the {} events of {} sources that were ingested since the report before, in commits from \
             {from} to number {}; what arrived late is among them",
            self.events, self.sources, self.through
        )
    }
}

/// Asks all of it.
pub(crate) fn ask(
    case: &str,
    snapshot: &Snapshot,
    catalogue: &Catalogue,
    inquiry: &Inquiry,
    interrupt: &Interrupt,
) -> Result<Incident, CliError> {
    let (limits, _spill) = limits()?;
    let limits = Limits { memory_bytes: MEMORY_BYTES, ..limits };
    let observed = Observed::of(snapshot, &limits)?;
    let beside = window_problems(inquiry.window, snapshot).into_iter().map(str::to_owned);
    let mut reservations: Vec<String> = beside.chain(LeftOut::of(snapshot, &observed).in_words()).collect();
    reservations.extend(prune::missing(snapshot, inquiry.window.since));
    reservations.extend(proxies::in_words());
    let detections: Vec<&CannedQuery> = chosen(catalogue, &inquiry.queries)?;
    let shown = Shown::show(inquiry.is_watched, detections.len());
    let mut incident = Incident {
        evidence: evidence(case, snapshot),
        window: (inquiry.window.since, inquiry.window.until),
        now: inquiry.now,
        reservations,
        first: inquiry.first.clone(),
        ..Incident::default()
    };
    let pictures = PICTURES.iter().filter(|_| inquiry.with_pictures).map(|name| (*name, inquiry.clone()));
    let accounts = [("origins", inquiry.clone()), ("deletions", inquiry.behind())].into_iter().chain(pictures);
    let accounts = accounts.chain(inquiry.before().map(|before| ("origins", before)));
    let accounts = accounts.map(|(name, asked)| Ok((catalogue.find(name)?, asked)));
    let accounts = accounts.collect::<Result<Vec<_>, CliError>>()?;
    let detected = detections.iter().map(|query| Ok((*query, values(query, inquiry)?)));
    let all = detected.chain(accounts.iter().map(|(query, asked)| Ok((*query, values(query, asked)?))));
    let all = all.collect::<Result<Vec<_>, CliError>>()?;
    let pool = Pool::new(snapshot, limits, interrupt, &all);
    incident.findings = pool.ask(&detections, |seat, query| {
        shown.next(&query.name);
        finding(seat, &observed, query, inquiry)
    })?;
    incident.sort();
    incident.reservations.extend(inquiry.since_report.as_ref().map(SinceReport::words));
    let seconds = Value::Integer(step_seconds(&incident));
    let mut answers = pool.ask(&accounts, |seat, (query, asked)| {
        shown.next(&query.name);
        answer(seat, query, asked, &seconds)
    })?;
    let asked_history = inquiry.before().and_then(|_| answers.pop());
    answers.resize_with(4, Vec::new);
    let [asked_origins, asked_deletions, activity, rhythm] = answers.try_into().unwrap_or_default();
    incident.origins = asked_origins.iter().flat_map(origins).collect();
    incident.history = asked_history.unwrap_or(asked_origins).iter().flat_map(origins).collect();
    incident.deletions = asked_deletions.iter().flat_map(deletions).collect();
    incident.evidence.requests = incident.origins.iter().map(|origin| origin.requests).sum();
    let identities: BTreeSet<&str> = incident.origins.iter().filter_map(|origin| origin.who.name()).collect();
    incident.evidence.identities = identities.len() as u64;
    (incident.activity, incident.rhythm) = (activity, rhythm);
    Ok(incident)
}

/// What a query of the catalogue has in a case.
#[derive(Debug)]
pub(crate) struct Hits<'c> {
    /// The query.
    pub(crate) query: &'c CannedQuery,
    /// Its rows and whose they are.
    pub(crate) tally: Tally,
    /// Whether what it asks for could be seen.
    pub(crate) verdict: coverage::Finding,
}

/// Counts the rows of queries with their values, and of whom they are, each for itself.
pub(crate) fn hits<'c>(
    snapshot: &Snapshot,
    asked: &[(&'c CannedQuery, Parameters)],
    users_max: usize,
    interrupt: &Interrupt,
) -> Result<Vec<Hits<'c>>, CliError> {
    let (limits, _spill) = limits()?;
    let limits = Limits { memory_bytes: MEMORY_BYTES, ..limits };
    let observed = Observed::of(snapshot, &limits)?;
    let pool = Pool::new(snapshot, limits, interrupt, asked);
    let shown = Shown::show(true, asked.len());
    pool.ask(asked, |seat, (query, parameters)| {
        shown.next(&query.name);
        let tally = seat.of(query, parameters)?.tally(query, parameters, users_max)?;
        let judged = coverage::judge(query, &observed, &Scope::of(parameters));
        let verdict = judged.with_rows(tally.rows).finding;
        Ok(Hits { query, tally, verdict })
    })
}

/// The detections that are named, or all.
fn chosen<'c>(catalogue: &'c Catalogue, names: &[String]) -> Result<Vec<&'c CannedQuery>, CliError> {
    if names.is_empty() {
        return Ok(catalogue.iter().filter(|query| query.kind == QueryKind::Detection).collect());
    }
    names.iter().map(|name| Ok(catalogue.find(name)?)).collect()
}

/// The values that a query is asked with.
fn values(query: &CannedQuery, inquiry: &Inquiry) -> Result<Parameters, CliError> {
    let mut parameters = Parameters::new();
    let mut window = inquiry.window;
    if let Some(since) = &inquiry.since_report {
        // Nothing new is from before: files that end before it need not be opened.
        window.since = window.since.max(since.since);
        if let Some(condition) = since.condition() {
            parameters.set_condition(condition)?;
        }
    }
    parameters.set_window(window);
    for (name, text) in &inquiry.labels {
        parameters.set(name, query.declared(name)?.parse(text, inquiry.now, None)?);
    }
    for (name, value) in inquiry.parameters.get(&query.name).into_iter().flatten() {
        query.declared(name)?;
        parameters.set(name, value.clone());
    }
    Ok(parameters)
}

fn finding(
    seat: &mut Seat<'_>,
    observed: &Observed,
    query: &CannedQuery,
    inquiry: &Inquiry,
) -> Result<Finding, CliError> {
    let parameters = values(query, inquiry)?;
    let known = inquiry.known.as_ref().map(|known| known.get(&query.name).cloned().unwrap_or_default());
    let gathering = Gathering::new(question(query, &parameters, inquiry), inquiry.rows_max, known);
    let mut gather = Gather::new(gathering, inquiry.data.as_deref(), &query.name)?;
    let mut sieve = inquiry.trusted.as_ref().map(|trusted| trusted.sieve(&query.name, inquiry.now)).unwrap_or_default();
    // What it left out of the cluster's own work stands under an answer, and not in a finding.
    let options = RunOptions { limit: None, sieve: &mut sieve, counts_own: false };
    let run = seat.of(query, &parameters)?.run_as(query, &parameters, options, &mut gather)?;
    let mut finding = gather.finish()?;
    finding.trusted_rows = sieve.hidden();
    let judged = coverage::judge(query, observed, &Scope::of(&parameters));
    finding.question.verdict = verdict(&judged.with_rows(run.total_rows + sieve.hidden()));
    Ok(finding)
}

fn verdict(judged: &coverage::Verdict) -> Verdict {
    use coverage::Finding as Worth;
    Verdict {
        state: judged.finding.name().to_owned(),
        words: judged.because.join("; "),
        is_blind: matches!(judged.finding, Worth::NotObservable | Worth::Partly | Worth::Untold),
    }
}

/// The rows of a query that puts findings into their place.
fn answer(
    seat: &mut Seat<'_>,
    query: &CannedQuery,
    inquiry: &Inquiry,
    step_seconds: &Value,
) -> Result<Vec<arrow::array::RecordBatch>, CliError> {
    let mut parameters = values(query, inquiry)?;
    if query.parameter("seconds").is_some() {
        parameters.set("seconds", step_seconds.clone());
    }
    let mut batches = Batches::default();
    seat.of(query, &parameters)?.run(query, &parameters, None, &mut batches)?;
    Ok(batches.list)
}

fn question(query: &CannedQuery, parameters: &Parameters, inquiry: &Inquiry) -> Question {
    Question {
        name: query.name.clone(),
        title: query.title.clone(),
        question: query.question.clone(),
        level: Level::of(query.severity.name()).unwrap_or_default(),
        attack: query.attack.clone(),
        resource: query
            .resources
            .as_deref()
            .and_then(|names| <&[String; 1]>::try_from(names).ok())
            .map(|[name]| name.clone()),
        needs: query.needs_in_words(),
        noise: query.noise.clone(),
        command: command(query, inquiry),
        sql: query.shown_sql(parameters),
        verdict: Verdict::default(),
    }
}

/// The command that gives the same rows.
fn command(query: &CannedQuery, inquiry: &Inquiry) -> String {
    let time = |micros: i64| kforensic_event::time::render(micros);
    let mut command = format!("kforensic query {}", query.name);
    for (name, end) in [("since", inquiry.window.since), ("until", inquiry.window.until)] {
        if let Some(micros) = end {
            command.push_str(&format!(" --{name} {}", time(micros)));
        }
    }
    for (name, text) in &inquiry.labels {
        command.push_str(&format!(" --{} {}", name.replace('_', "-"), message::quoted(text)));
    }
    for (name, value) in inquiry.parameters.get(&query.name).into_iter().flatten() {
        command.push_str(&format!(" -p {}", message::quoted(&format!("{name}={value}"))));
    }
    command
}

/// Steps of time for the picture of all requests: round, and about 120 of them.
fn step_seconds(incident: &Incident) -> i64 {
    const ROUND: [i64; 16] = [1, 2, 5, 10, 15, 30, 60, 300, 600, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400];
    const STEPS: i64 = 120;
    let (first, last) = incident.evidence.times.unwrap_or_default();
    let first = incident.window.0.map_or(first, |since| since.max(first));
    let last = incident.window.1.map_or(last, |until| until.min(last));
    let span = (last.saturating_sub(first) / 1_000_000).max(1);
    ROUND.into_iter().find(|step| span / step <= STEPS).unwrap_or_else(|| (span / STEPS / 86_400 + 1) * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_not_too_many() {
        for seconds in [0, 1, 162, 3_600, 86_400, 31_536_000, 3_153_600_000] {
            let mut incident = Incident::default();
            incident.evidence.times = Some((0, seconds * 1_000_000));
            let step = step_seconds(&incident);
            assert!(step >= 1 && seconds / step <= 120, "{seconds}: {step}");
        }
    }
}

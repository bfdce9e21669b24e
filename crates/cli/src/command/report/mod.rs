//! `kforensic report`

mod earlier;
pub(crate) mod sign;
mod template;
mod trail;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use kforensic_event::time;
use kforensic_lake::{Case, Said, Snapshot};
use kforensic_query::catalogue::Value;
use kforensic_query::{Catalogue, Window, window};
use kforensic_report::ReportError;
use kforensic_report::document::{DocumentFormat, Level};
use kforensic_report::incident::section::{Plan, document};
use kforensic_report::incident::{Incident, Tag, navigator};
use sha2::{Digest, Sha256};

use crate::args::{Labels, ReportArgs, TimesArgs};
use crate::command::ingest::ingest;
use crate::command::query::{catalogue, window_notes};
use crate::command::tag;
use crate::command::triage::outcome;
use crate::command::{Outcome, case_folder, compact};
use crate::error::CliError;
use crate::findings::{self, Inquiry, SinceReport};
use crate::footnotes;
use crate::interrupt::Interrupt;
use crate::message;
use crate::output::{self, Output};
use crate::terminal;
use template::Template;

/// What `--since` takes beside times: where the report before ended.
const LAST_REPORT: &str = "last-report";

/// Makes a document of a case.
pub(crate) fn run(case: Option<&PathBuf>, args: &ReportArgs, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let (template, known_as) = template::load(&args.template)?;
    let known_as = series(known_as, &args.window.labels());
    if args.print_template {
        return print_template(&args.template);
    }
    let format = format_of(args)?;
    for seed in &args.spread {
        kforensic_trace::spread::seed(seed)?;
    }
    let catalogue = catalogue(&args.queries)?;
    let folder = case_folder(case);
    let clock = chrono::Utc::now();
    // What is wrong with the command line is said before anything is read.
    times(args, &template).check(clock.timestamp_micros())?;
    let goes_on = args.window.times.since.as_deref() == Some(LAST_REPORT);
    if goes_on && times(args, &template).until.is_some() {
        return Err(CliError::UntilSinceReport);
    }
    let key = args.sign.as_deref().map(sign::Key::read).transpose()?;
    let known = args.new_since.as_deref().map(earlier::row_keys).transpose()?;
    // Only JSON has the keys, by which a report to come tells what is new.
    let known = known.or_else(|| (format == DocumentFormat::Json).then(BTreeMap::new));
    let ingested = ingest_first(&folder, args, interrupt)?;

    let case = Case::open(&folder)?;
    let snapshot = case.snapshot()?;
    let newest = snapshot.event_times().map(|(_, newest)| newest);
    let (window, now) = asked(args, &template, clock.timestamp_micros(), newest)?;
    let since_report = goes_on.then(|| since_report(&snapshot, &known_as));
    let data = args.data.as_deref().map(|folder| data_folder(folder, case.root())).transpose()?;
    let inquiry = Inquiry {
        window,
        now,
        labels: args.window.labels(),
        queries: template.queries.clone(),
        parameters: parameters(&catalogue, &template, now)?,
        rows_max: template.rows,
        data,
        known,
        with_pictures: true,
        is_watched: !args.quiet,
        since_report,
        trusted: footnotes::trusted(args.trust.trusted.as_ref(), case.root(), &catalogue)?.map(|(_, trusted)| trusted),
        first: None,
    };
    let name = folder.display().to_string();
    if !args.quiet {
        // The report says it as well.
        window_notes(window, &snapshot, args.window.times.now.is_some());
    }
    let mut incident = findings::ask(&name, &snapshot, &catalogue, &inquiry, interrupt)?;
    add_notes(&mut incident, &snapshot);
    let plan = plan(args, &template);
    if plan.sections.iter().any(|name| trail::SECTIONS.contains(&name.as_str())) {
        incident.trail = trail::follow(&case, &snapshot, &incident, args, interrupt)?;
    }
    let mut text = Vec::new();
    format.write(&document(&incident, &plan), &mut text).map_err(ReportError::from)?;
    write(args, case.root(), &text)?;
    if let Some(path) = &args.navigator {
        let layer = format!("{:#}\n", navigator(&incident, &plan.title));
        put(Some(path), case.root(), layer.as_bytes(), args.force)?;
    }
    if let (Some(key), Some(path)) = (key, &args.output) {
        key.sign(path, &text, &snapshot.fingerprint, case.root(), args.force)?;
    }
    if inquiry.since_report.is_some() {
        remember(&folder, known_as, snapshot.version, &text, clock)?;
    }
    let outcome = outcome(&incident, args.fail_on, ingested);
    if let (Outcome::Findings, Some(least), Some(path)) = (outcome, args.fail_on, &args.output) {
        message::warning(&alarm(&incident, least, path));
    }
    Ok(outcome)
}

/// Adds what people have noted, and says what is wrong with that.
fn add_notes(incident: &mut Incident, snapshot: &Snapshot) {
    incident.tags = tags(snapshot);
    incident.notes_problem = tag::problem(snapshot);
    incident.notes_problem.iter().for_each(|problem| message::warning(problem));
}

/// Findings shown by name in a message.
const NAMED_MAX: usize = 5;

/// Why the exit code is 10, in one line: cron writes a mail for what is printed, not for an exit code.
fn alarm(incident: &Incident, least: Level, report: &Path) -> String {
    let found: Vec<_> =
        incident.found().map(|finding| &finding.question).filter(|question| question.level >= least).collect();
    let names: Vec<_> = found.iter().take(NAMED_MAX).map(|question| format!("`{}`", question.name)).collect();
    let more = found.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let (report, least, names) = (report.display(), least.name(), names.join(", "));
    format!("`{report}` has findings of severity {least} or worse: {names}{more}")
}

fn print_template(name: &str) -> Result<Outcome, CliError> {
    let path = PathBuf::from(name);
    let text = match template::text(name) {
        Some(text) => text.to_owned(),
        None => std::fs::read_to_string(&path).map_err(|source| CliError::Input { path, source })?,
    };
    message::print(&text).map(|()| Outcome::Done)
}

/// The form that is asked for: by its name, else by that of the output file.
fn format_of(args: &ReportArgs) -> Result<DocumentFormat, CliError> {
    let extension = args.output.as_deref().and_then(output::extension_of);
    let told = extension.as_deref().and_then(DocumentFormat::of_extension);
    if let (None, None, Some(path), Some(extension)) = (args.format, told, &args.output, &extension) {
        return Err(CliError::UnknownReport { path: path.clone(), extension: extension.clone() });
    }
    if args.sign.is_some() && args.output.is_none() {
        return Err(CliError::NothingToSign);
    }
    Ok(args.format.or(told).unwrap_or(DocumentFormat::Html))
}

/// What a series of reports is known as, of which each goes on where the one before ended: those about one host leave out the
/// events of others, which another series tells.
fn series(template: String, labels: &[(String, String)]) -> String {
    labels.iter().fold(template, |series, (name, value)| format!("{series} --{name} {}", message::quoted(value)))
}

/// The window and the time that ages count from.
fn asked(args: &ReportArgs, template: &Template, clock: i64, newest: Option<i64>) -> Result<(Window, i64), CliError> {
    Ok(times(args, template).window(clock, newest)?)
}

/// The times that are asked for: the command line goes before the template. What is about everything since a report has no
/// begin in time: events of any time may have arrived since.
fn times(args: &ReportArgs, template: &Template) -> TimesArgs {
    let of_template = |text: &'_ String| (!text.is_empty()).then(|| text.clone());
    let given = args.window.times.clone();
    TimesArgs {
        since: given.since.or_else(|| of_template(&template.since)).filter(|since| since != LAST_REPORT),
        until: given.until.or_else(|| of_template(&template.until)),
        now: given.now,
    }
}

/// Ingests what is to be in the report, and tells only what is wrong.
fn ingest_first(folder: &Path, args: &ReportArgs, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    if args.ingest.is_empty() {
        return Ok(Outcome::Done);
    }
    let ingested = ingest(folder, &args.ingest, &Labels::default(), &args.reading, None, false, interrupt)?;
    if ingested.report.rejected > 0 {
        let (rejected, records) = (ingested.report.rejected, ingested.report.records);
        message::warning(&format!("{rejected} of {records} records are no audit events; they are kept word for word"));
    }
    ingested.outcome()
}

/// The events that no report of this template is about yet: those of commits after the last. What arrives late is in a
/// later commit, whenever it happened; so every event is in exactly one report.
fn since_report(snapshot: &Snapshot, known_as: &str) -> SinceReport {
    let after = snapshot.notes.reported_through(known_as);
    let is_new = |commit: usize| after.is_none_or(|after| commit as u64 > after);
    let new = snapshot.operations.iter().enumerate().filter(|(commit, _)| is_new(*commit));
    let sources: Vec<_> = new.flat_map(|(_, operation)| &operation.sources).collect();
    let first = sources.iter().filter_map(|source| source.first_event.as_deref()).min();
    SinceReport {
        after,
        through: snapshot.version,
        sources: sources.iter().filter(|source| source.events > 0).count() as u64,
        events: sources.iter().map(|source| source.events).sum(),
        since: first.and_then(|first| window::parse(first, 0).ok()),
    }
}

fn parameters(
    catalogue: &Catalogue,
    template: &Template,
    now: i64,
) -> Result<BTreeMap<String, BTreeMap<String, Value>>, CliError> {
    let mut parameters: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for (name, values) in &template.parameters {
        let query = catalogue.find(name)?;
        for (parameter, text) in values {
            let value = query.declared(parameter)?.parse(text, now, None)?;
            parameters.entry(name.clone()).or_default().insert(parameter.clone(), value);
        }
    }
    if !template.baseline.is_empty() {
        for query in catalogue.iter().filter(|query| query.parameter("baseline").is_some()) {
            let value = query.declared("baseline")?.parse(&template.baseline, now, None)?;
            parameters.entry(query.name.clone()).or_default().entry("baseline".to_owned()).or_insert(value);
        }
    }
    Ok(parameters)
}

fn plan(args: &ReportArgs, template: &Template) -> Plan {
    let given = |text: &String| (!text.trim().is_empty()).then(|| text.clone());
    Plan {
        title: template.title.clone(),
        organisation: given(&template.organisation),
        classification: given(&template.classification),
        sections: sections(args, template),
        people_max: template.people,
        deeds_max: template.deeds,
        made_by: format!("kforensic {}", env!("CARGO_PKG_VERSION")),
        command: command(args),
    }
}

/// The sections of the template, and those about a clue that is given, when it has none of them.
fn sections(args: &ReportArgs, template: &Template) -> Vec<String> {
    let mut sections = template.sections.clone();
    if !args.spread.is_empty() && !sections.iter().any(|name| trail::SECTIONS.contains(&name.as_str())) {
        sections.extend(trail::SECTIONS.map(str::to_owned));
    }
    sections
}

/// The command that makes the same report: what was given, without where it was written to.
fn command(args: &ReportArgs) -> String {
    let mut command = format!("kforensic report --template {}", message::quoted(&args.template));
    let window = &args.window;
    let given = [
        ("--since", &window.times.since),
        ("--until", &window.times.until),
        ("--now", &window.times.now),
        ("--cluster", &window.cluster),
        ("--host", &window.host),
    ];
    for (option, text) in given {
        if let Some(text) = text {
            command.push_str(&format!(" {option} {}", message::quoted(text)));
        }
    }
    for seed in &args.spread {
        command.push_str(&format!(" --spread {}", message::quoted(seed)));
    }
    command
}

fn data_folder(folder: &Path, case: &Path) -> Result<PathBuf, CliError> {
    let failed = |source| CliError::Output { action: "make", path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let folder = folder.canonicalize().map_err(failed)?;
    match case.canonicalize() {
        Ok(case) if folder.starts_with(&case) => Err(CliError::OutputInCase { path: folder }),
        _ => Ok(folder),
    }
}

fn write(args: &ReportArgs, case: &Path, text: &[u8]) -> Result<(), CliError> {
    put(args.output.as_deref(), case, text, args.force)?;
    if let Some(path) = args.output.as_deref().filter(|_| !args.quiet && terminal::stderr_is_terminal()) {
        message::plain(&format!("wrote `{}`, {} bytes", path.display(), text.len()));
    }
    Ok(())
}

/// Writes a file that appears when it is whole.
fn put(path: Option<&Path>, case: &Path, text: &[u8], replaces: bool) -> Result<(), CliError> {
    let mut output = Output::open_text(path, case, replaces)?;
    output.write_all(text).map_err(ReportError::from)?;
    output.finish().map(drop)
}

/// The notes that people put on events, in order.
pub(crate) fn tags(snapshot: &Snapshot) -> Vec<Tag> {
    let mut tags = Vec::new();
    for written in &snapshot.notes.list {
        if let Said::Tag { audit_ids, tag, note, author } = &written.said {
            tags.extend(audit_ids.iter().map(|audit_id| Tag {
                audit_id: audit_id.clone(),
                tag: tag.clone(),
                note: note.clone(),
                author: author.clone(),
                at: time::render(written.at_ms.saturating_mul(1_000)),
            }));
        }
    }
    tags
}

/// Notes where this report ended; only now, so that a report that was not written is made again.
fn remember(
    folder: &Path,
    template: String,
    through_commit: u64,
    text: &[u8],
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), CliError> {
    let sha256 = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    let writer = compact::writer(folder, now)?;
    writer.note(Said::Report { template, through_commit, sha256 }, now.timestamp_millis())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kforensic_lake::{LedgerEntry, Note, Operation};

    fn snapshot(reported: &[u64]) -> Snapshot {
        let source =
            |first: &str, events| LedgerEntry { first_event: Some(first.to_owned()), events, ..LedgerEntry::default() };
        let operation = |sources| Operation { sources, ..Operation::default() };
        let notes = reported.iter().map(|through| Note {
            number: 1,
            at_ms: 0,
            fingerprint: String::new(),
            previous_sha256: None,
            said: Said::Report { template: "daily".into(), through_commit: *through, sha256: String::new() },
        });
        let mut snapshot = Snapshot {
            version: 2,
            operations: vec![
                operation(vec![source("2026-11-20T00:00:00.000000Z", 5)]),
                operation(vec![source("2026-11-21T00:00:00.000000Z", 7)]),
                // Arrived late, and is about what came before all others.
                operation(vec![source("2026-11-01T00:00:00.000000Z", 2)]),
            ],
            ..Snapshot::default()
        };
        snapshot.notes.list = notes.collect();
        snapshot
    }

    #[test]
    fn a_report_goes_on_behind_the_commit_of_the_one_before() {
        let events = |reported: &[u64]| since_report(&snapshot(reported), "daily").events;
        assert_eq!((events(&[]), events(&[0]), events(&[0, 1]), events(&[2])), (14, 9, 2, 0));
        let late = since_report(&snapshot(&[1]), "daily");
        assert_eq!(late.since.map(time::render).as_deref(), Some("2026-11-01T00:00:00.000000Z"));
        assert_eq!(since_report(&snapshot(&[2]), "other").events, 14);
    }
}

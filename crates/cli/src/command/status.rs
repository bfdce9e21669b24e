//! `kforensic status`

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use kforensic_event::time;
use kforensic_lake::{Case, DataFile, FORMAT_VERSION, LedgerEntry, Skipped, Snapshot};
use kforensic_query::{Counts, Protection, Selection, Session};
use kforensic_report::{Format, ReportError};
use serde_json::{Map, Value, json};

use crate::args::StatusArgs;
use crate::checks;
use crate::command::ingest::accounts;
use crate::command::{Outcome, case_folder, limits, prune};
use crate::error::CliError;
use crate::message;
use crate::terminal;

/// Shows what the case holds.
pub(crate) fn run(case: Option<&PathBuf>, args: &StatusArgs) -> Result<Outcome, CliError> {
    let folder = case_folder(case);
    let snapshot = Case::open(&folder)?.snapshot()?;
    let counts = counts(&snapshot)?;
    match args.format.as_str() {
        "json" => message::print_json(&as_json(&snapshot, &counts, &Protection::probe()))?,
        _ => print(&folder, &snapshot, &counts, args.verbose.then(Protection::probe).as_ref())?,
    }
    Ok(Outcome::Done)
}

/// What the case holds: from the log alone, when its files are what it says; else the files are opened.
fn counts(snapshot: &Snapshot) -> Result<Counts, CliError> {
    if let Some(counts) = Counts::of_log(snapshot) {
        let files: Vec<&DataFile> = snapshot.files.iter().collect();
        kforensic_query::check(&files, &checks::wanted())?;
        checks::remark();
        return Ok(counts);
    }
    let (limits, _spill) = limits()?;
    let session = Session::open(snapshot, &Selection::default(), &limits)?;
    let counts = session.counts()?;
    checks::end(&session)?;
    Ok(counts)
}

fn as_json(snapshot: &Snapshot, counts: &Counts, protection: &Protection) -> Value {
    let times = snapshot.event_times();
    let (originals, original_bytes) = originals(snapshot);
    let resources: Vec<Value> =
        counts.by_resource.iter().map(|(resource, events)| json!({"resource": resource, "events": events})).collect();
    let days: Map<String, Value> =
        counts.by_day.iter().map(|(day, events)| (time::render_day(*day), json!(events))).collect();
    json!({
        "fingerprint": snapshot.fingerprint,
        "version": snapshot.version,
        "format": FORMAT_VERSION,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "written_by": written_by(snapshot),
        "first_event": times.map(|(first, _)| time::render(first)),
        "last_event": times.map(|(_, last)| time::render(last)),
        "events": counts.events,
        "requests": counts.requests,
        "rejects": counts.rejects,
        "resources": resources,
        "days": days,
        "redacted": snapshot.sources().map(|source| source.redacted).sum::<u64>(),
        "sources_with_secret_values": snapshot.with_secret_values().map(|source| &source.source_id).collect::<Vec<_>>(),
        "files": snapshot.files.len(),
        "bytes": bytes(snapshot),
        "originals": json!({"files": originals, "bytes": original_bytes}),
        "protection": protection_as_json(protection),
        "pruned": snapshot.prunings().collect::<Vec<_>>(),
        "sources": snapshot.sources().collect::<Vec<_>>(),
        "left_out": left_out(snapshot),
    })
}

fn protection_as_json(protection: &Protection) -> Value {
    match protection {
        Protection::InForce { abi } => json!({"landlock": "in force", "abi": abi, "reason": null}),
        Protection::Partly { abi } => json!({"landlock": "partly in force", "abi": abi, "reason": null}),
        Protection::Missing { reason } => json!({"landlock": "not in force", "abi": null, "reason": reason}),
    }
}

/// Rows of the table of what was left out.
const MAX_LEFT_OUT_SHOWN: usize = 50;

/// Files that were left out, what may be a log first, each once.
fn left_out(snapshot: &Snapshot) -> Vec<&Skipped> {
    let mut seen = BTreeSet::new();
    let all = snapshot.operations.iter().flat_map(|operation| &operation.skipped);
    let mut left_out: Vec<&Skipped> =
        all.filter(|skipped| seen.insert((&skipped.name, &skipped.reason, skipped.size_bytes))).collect();
    left_out.sort_by_key(|skipped| !skipped.may_be_log);
    left_out
}

fn table_of_left_out(out: &mut dyn Write, snapshot: &Snapshot) -> Result<(), CliError> {
    let left_out = left_out(snapshot);
    if left_out.is_empty() {
        return Ok(());
    }
    let shown = &left_out[..left_out.len().min(MAX_LEFT_OUT_SHOWN)];
    let texts = |of: fn(&Skipped) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(shown.iter().map(|skipped| of(skipped))))
    };
    let sizes: ArrayRef = Arc::new(UInt64Array::from_iter_values(shown.iter().map(|skipped| skipped.size_bytes)));
    let columns = [
        ("file", texts(|skipped| &skipped.name)),
        ("bytes", sizes),
        ("may_be_log", texts(|skipped| if skipped.may_be_log { "yes" } else { "no" })),
        ("reason", texts(|skipped| &skipped.reason)),
    ];
    match RecordBatch::try_from_iter(columns) {
        Ok(batch) => table(out, "left out", &batch)?,
        Err(error) => unreachable!("columns made of the same files have the same length: {error}"),
    }
    if left_out.len() > shown.len() {
        let more = left_out.len() - shown.len();
        write(out, &format!("and {more} more; `kforensic status --format json` lists all\n"))?;
    }
    Ok(())
}

/// What the rejects of each source are, and what to do about them.
fn table_of_rejects(out: &mut dyn Write, sources: &[LedgerEntry]) -> Result<(), CliError> {
    let rows: Vec<(&str, u64, &str)> = sources
        .iter()
        .flat_map(|source| {
            source.reasons.iter().map(|(reason, records)| (source.name.as_str(), *records, reason.as_str()))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let texts = |of: fn(&(&'_ str, u64, &'_ str)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let records: ArrayRef = Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.1)));
    let columns =
        [("source", texts(|row| row.0.to_owned())), ("records", records), ("reason", texts(|row| row.2.to_owned()))];
    match RecordBatch::try_from_iter(columns) {
        Ok(batch) => table(out, "rejects", &batch),
        Err(error) => unreachable!("columns made of the same sources have the same length: {error}"),
    }
}

/// Versions of kforensic that wrote into the case, in order, each once.
fn written_by(snapshot: &Snapshot) -> Vec<&str> {
    let mut versions: Vec<&str> = Vec::new();
    for operation in &snapshot.operations {
        if !versions.contains(&operation.tool_version.as_str()) {
            versions.push(&operation.tool_version);
        }
    }
    versions
}

/// What became of secret values, in words.
fn redaction(snapshot: &Snapshot) -> String {
    let redacted: u64 = snapshot.sources().map(|source| source.redacted).sum();
    match snapshot.with_secret_values().count() {
        0 => format!("{redacted} secret values"),
        kept => format!("{redacted} secret values; none in {kept} sources, whose secret values were kept"),
    }
}

fn bytes(snapshot: &Snapshot) -> u64 {
    snapshot.files.iter().map(|file| file.size_bytes).sum()
}

/// Originals that the case keeps: how many, and their size in bytes.
fn originals(snapshot: &Snapshot) -> (usize, u64) {
    let sizes = snapshot.kept_originals().map(|(_, original)| original.size_bytes);
    sizes.fold((0, 0), |(files, bytes), size| (files + 1, bytes + size))
}

fn print(
    folder: &std::path::Path,
    snapshot: &Snapshot,
    counts: &Counts,
    protection: Option<&Protection>,
) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let time = |micros| message::time(&time::render(micros));
    let times = match snapshot.event_times() {
        Some((first, last)) => format!("{} to {} UTC", time(first), time(last)),
        None => "none".to_owned(),
    };
    let facts = [
        ("case", message::named(&folder.to_string_lossy()).into_owned()),
        ("fingerprint", format!("{} (commit {})", snapshot.fingerprint, snapshot.version)),
        ("written by", format!("kforensic {}, format {FORMAT_VERSION}", written_by(snapshot).join(", "))),
        ("event times", times),
        ("events", counts.events.to_string()),
        ("requests", counts.requests.to_string()),
        ("rejects", counts.rejects.to_string()),
        ("redacted", redaction(snapshot)),
        ("files", format!("{} with {} bytes", snapshot.files.len(), bytes(snapshot))),
        (
            "originals",
            match originals(snapshot) {
                (0, _) => "none kept".to_owned(),
                (files, bytes) => {
                    format!("{files} with {bytes} bytes: the sources themselves, with all secrets in them")
                }
            },
        ),
    ];
    let mut text = String::new();
    let protection = protection.map(|protection| ("protection", protection.to_string()));
    for (name, value) in facts.into_iter().chain(protection) {
        text.push_str(&format!("{name:<12} {value}\n"));
    }
    write(&mut out, &text)?;
    let kept = snapshot.with_secret_values().count();
    if kept > 0 {
        message::warning(&format!(
            "{kept} sources were ingested with --keep-secret-values: the case holds live secrets"
        ));
    }
    let sources: Vec<LedgerEntry> = snapshot.sources().cloned().collect();
    table(&mut out, "sources", &with_shapes(&accounts(&sources), &sources))?;
    table_of_rejects(&mut out, &sources)?;
    table_of_left_out(&mut out, snapshot)?;
    let prunings: Vec<_> = snapshot.prunings().collect();
    if !prunings.is_empty() {
        write(&mut out, "\npruned\n")?;
        prune::table(&prunings, snapshot)?;
    }
    let resources = counts.by_resource.iter().map(|(name, events)| (name.as_deref().unwrap_or("(none)"), *events));
    table(&mut out, "resources", &pairs("resource", resources.collect()))?;
    let days: Vec<(String, u64)> =
        counts.by_day.iter().map(|(day, events)| (time::render_day(*day), *events)).collect();
    let days = days.iter().map(|(day, events)| (day.as_str(), *events));
    table(&mut out, "days", &pairs("day", days.collect()))
}

/// The accounts of the sources, with what each was recognised as behind its name.
fn with_shapes(accounts: &RecordBatch, sources: &[LedgerEntry]) -> RecordBatch {
    let shapes: ArrayRef = Arc::new(StringArray::from_iter_values(sources.iter().map(|source| &source.shape)));
    let schema = accounts.schema();
    let mut columns: Vec<(&str, ArrayRef)> =
        schema.fields().iter().map(|field| field.name().as_str()).zip(accounts.columns().iter().cloned()).collect();
    columns.insert(1, ("shape", shapes));
    match RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))) {
        Ok(batch) => batch,
        Err(error) => unreachable!("columns made of the same sources have the same length: {error}"),
    }
}

fn pairs(name: &str, rows: Vec<(&str, u64)>) -> RecordBatch {
    let (names, numbers): (Vec<&str>, Vec<u64>) = rows.into_iter().unzip();
    let names: ArrayRef = Arc::new(StringArray::from(names));
    let numbers: ArrayRef = Arc::new(UInt64Array::from(numbers));
    match RecordBatch::try_from_iter([(name, names), ("events", numbers)]) {
        Ok(batch) => batch,
        Err(error) => unreachable!("two columns made of the same rows have the same length: {error}"),
    }
}

fn table(out: &mut dyn Write, title: &str, batch: &RecordBatch) -> Result<(), CliError> {
    write(out, &format!("\n{title}\n"))?;
    let mut sink = Format::Table.writer(batch.schema(), terminal::stdout_layout(), out)?;
    sink.write_batch(batch)?;
    sink.finish()?;
    Ok(())
}

fn write(out: &mut dyn Write, text: &str) -> Result<(), CliError> {
    out.write_all(text.as_bytes()).map_err(|error| ReportError::from(error).into())
}

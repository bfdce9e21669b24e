//! `kforensic prune`, and what other commands say about what was pruned.

use std::path::PathBuf;

use chrono::Utc;
use kforensic_event::time;
use kforensic_lake::{Case, Pruned, Report, Snapshot, Writer};
use kforensic_query::window;
use serde_json::json;

use crate::args::PruneArgs;
use crate::command::compact::{options, say_swept, watched, writer};
use crate::command::{Outcome, case_folder, table_of_texts};
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::message;

/// Takes old events out of the case, or says what it would take out.
pub(crate) fn run(case: Option<&PathBuf>, args: &PruneArgs, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let folder = case_folder(case);
    let now = Utc::now();
    let before = window::parse(&args.before, now.timestamp_micros())?;
    let options = options(&args.grace, now.timestamp_millis())?;
    let snapshot = Case::open(&folder)?.snapshot()?;
    let as_json = args.format == "json";
    if args.dry_run {
        let pruned = kforensic_lake::prunable(&snapshot, before)?;
        if as_json {
            message::print_json(&json!(pruned))?;
        } else {
            print(&pruned, &snapshot, "would remove")?;
        }
        return Ok(Outcome::Done);
    }
    let writer = writer(&folder, now)?;
    let done = watched(interrupt, |progress| kforensic_lake::prune(&writer, before, &options, progress))?;
    if as_json {
        message::print_json(&json!(done))?;
        return Ok(Outcome::Done);
    }
    print(&done.pruned, &snapshot, "removed")?;
    let state = match done.version {
        Some(version) => format!("commit {version} of `{}`", folder.display()),
        None => format!("nothing changed in `{}`", folder.display()),
    };
    message::plain(&format!("{state}, fingerprint {}", done.fingerprint));
    say_swept(&done.swept, &options);
    Ok(Outcome::Done)
}

fn print(pruned: &Pruned, snapshot: &Snapshot, removed: &str) -> Result<(), CliError> {
    let before = message::time(&pruned.before);
    if pruned.is_empty() {
        message::plain(&format!("nothing is from before {before} UTC"));
        return Ok(());
    }
    table(&[pruned], snapshot)?;
    let times = match (&pruned.first_event, &pruned.last_event) {
        (Some(first), Some(last)) => format!(", from {} to {} UTC", message::time(first), message::time(last)),
        _ => String::new(),
    };
    message::plain(&format!(
        "{removed} what is from before {before} UTC: {} events and {} rejects of {} sources{times}",
        pruned.events,
        pruned.rejected,
        pruned.sources.len()
    ));
    message::plain(&format!(
        "{} files with {} bytes go as a whole, {} files with {} bytes in part",
        pruned.files, pruned.bytes, pruned.rewritten_files, pruned.rewritten_bytes
    ));
    Ok(())
}

/// Prints what was pruned, by source.
pub(crate) fn table(prunings: &[&Pruned], snapshot: &Snapshot) -> Result<(), CliError> {
    let rows = || prunings.iter().flat_map(|pruned| pruned.sources.iter().map(move |source| (*pruned, source)));
    let name = |id: &str| snapshot.sources().find(|entry| entry.source_id == id).map(|entry| entry.name.clone());
    table_of_texts(vec![
        ("source", rows().map(|(_, source)| name(&source.source_id)).collect()),
        ("source_id", rows().map(|(_, source)| Some(source.source_id.clone())).collect()),
        ("before", rows().map(|(pruned, _)| Some(message::time(&pruned.before))).collect()),
        ("pruned_events", rows().map(|(_, source)| Some(source.events.to_string())).collect()),
        ("pruned_rejects", rows().map(|(_, source)| Some(source.rejected.to_string())).collect()),
    ])
}

/// What an answer cannot hold, when it reaches back to times that were pruned.
pub(crate) fn missing(snapshot: &Snapshot, since: Option<i64>) -> Option<String> {
    let reaches = |pruned: &&Pruned| {
        let last = pruned.last_event.as_deref().and_then(time::parse);
        pruned.events > 0 && since.is_none_or(|since| last.is_none_or(|last| since <= last))
    };
    let events: u64 = snapshot.prunings().filter(reaches).map(|pruned| pruned.events).sum();
    let before = snapshot.prunings().filter(reaches).map(|pruned| &pruned.before).max()?;
    Some(format!("{events} events from before {} UTC were pruned from the case", message::time(before)))
}

/// What an ingest should say about sources that were pruned before.
pub(crate) fn notes(writer: &Writer, report: &Report) -> Vec<String> {
    let Some(snapshot) = writer.snapshot() else { return Vec::new() };
    let Some(before) = snapshot.prunings().map(|pruned| &pruned.before).max() else { return Vec::new() };
    let note = |entry: &kforensic_lake::LedgerEntry| {
        if let Some(earlier) = entry.continues.as_deref().filter(|_| entry.is_known()) {
            let (events, rejects) = snapshot.pruned_of(earlier);
            return (events + rejects > 0).then(|| {
                format!(
                    "`{}` was read before, as source {earlier}; {events} events and {rejects} rejects of it were \
                     pruned since, and are not brought back",
                    entry.name
                )
            });
        }
        let old = entry.events > 0 && entry.first_event.as_ref().is_some_and(|first| first < before);
        old.then(|| {
            let before = message::time(before);
            format!("`{}` has events from before {before} UTC, up to which the case was pruned", entry.name)
        })
    };
    report.sources.iter().filter_map(note).collect()
}

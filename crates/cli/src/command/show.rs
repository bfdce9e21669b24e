//! `kforensic show`

use std::path::PathBuf;

use arrow::array::RecordBatch;
use kforensic_event::{Cell, columns, rebuild};
use kforensic_lake::{Case, LedgerEntry, Snapshot};
use kforensic_query::{Selection, Session};
use serde_json::{Value, json};

use crate::args::ShowArgs;
use crate::checks;
use crate::command::{Outcome, case_folder, limits};
use crate::error::CliError;
use crate::message;

/// Shows the events with an audit id.
pub(crate) fn run(case: Option<&PathBuf>, args: &ShowArgs) -> Result<Outcome, CliError> {
    let case = Case::open(&case_folder(case))?;
    let snapshot = case.snapshot()?;
    let (limits, _spill) = limits()?;
    let session = Session::open(&snapshot, &Selection::default(), &limits)?;
    let audit_id = whole(&session, &args.audit_id, args.stage.as_deref())?;
    let batches = session.events_of(&audit_id, args.stage.as_deref())?;
    let mut outcome = Outcome::Done;
    let mut found = 0;
    for batch in &batches {
        for row in 0..batch.num_rows() {
            found += 1;
            let shown = show(&case, &snapshot, &Event { batch, row }, args.raw)?;
            outcome = if shown == Outcome::Done { outcome } else { shown };
        }
    }
    checks::end(&session)?;
    match found {
        0 => Err(CliError::NoEvent { audit_id, stage: args.stage.clone() }),
        _ => Ok(outcome),
    }
}

/// The events with an audit id as JSON, each with its place.
pub(crate) fn events(
    session: &Session,
    snapshot: &Snapshot,
    audit_id: &str,
    stage: Option<&str>,
) -> Result<Vec<Value>, CliError> {
    let mut events = Vec::new();
    for batch in &session.events_of(audit_id, stage)? {
        for row in 0..batch.num_rows() {
            events.push(told(snapshot, &Event { batch, row })?);
        }
    }
    Ok(events)
}

fn told(snapshot: &Snapshot, event: &Event<'_>) -> Result<Value, CliError> {
    let source_id = event.cell("source_id").text().unwrap_or_default();
    let source = snapshot.sources().find(|source| source.source_id == source_id);
    let rebuilt = rebuild(&|name| event.cell(name))?;
    Ok(json!({
        "event": serde_json::from_str(&rebuilt).unwrap_or(Value::String(rebuilt)),
        "source_id": source_id,
        "source": source.map(|source| &source.name),
        "sha256": source.map(|source| &source.sha256),
        "line_number": event.number("line_number"),
        "byte_offset": event.number("byte_offset"),
        "byte_length": event.number("byte_length"),
    }))
}

/// Audit ids that are named when one of them must be meant.
const OFFERED: usize = 8;

/// The audit id that is meant by its beginning, as answers on a terminal show it.
///
/// # Errors
/// When no event of the case has one that begins so, or several have.
pub(crate) fn whole(session: &Session, prefix: &str, stage: Option<&str>) -> Result<String, CliError> {
    let mut ids = session.audit_ids(prefix, OFFERED)?;
    if ids.len() != 1 {
        // What is not there may have been altered.
        checks::end(session)?;
    }
    match ids.len() {
        0 => Err(CliError::NoEvent { audit_id: prefix.to_owned(), stage: stage.map(str::to_owned) }),
        1 => Ok(ids.remove(0)),
        _ => Err(CliError::ManyEvents { prefix: prefix.to_owned(), ids }),
    }
}

/// The same for several, of a case that nobody asks yet.
pub(crate) fn whole_ids(snapshot: &Snapshot, prefixes: &[String]) -> Result<Vec<String>, CliError> {
    let (limits, _spill) = limits()?;
    let session = Session::open(snapshot, &Selection::default(), &limits)?;
    prefixes.iter().map(|prefix| whole(&session, prefix, None)).collect()
}

/// A row of the case.
struct Event<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl<'a> Event<'a> {
    fn cell(&self, name: &'static str) -> Cell<'a> {
        match (self.batch.column_by_name(name), columns::find(name)) {
            (Some(array), Some((_, column))) => Cell::read(array, column.kind, self.row),
            _ => Cell::Null,
        }
    }

    fn number(&self, name: &'static str) -> u64 {
        self.cell(name).int().and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
    }
}

fn show(case: &Case, snapshot: &Snapshot, event: &Event<'_>, raw: bool) -> Result<Outcome, CliError> {
    let source_id = event.cell("source_id").text().unwrap_or_default();
    let (offset, length) = (event.number("byte_offset"), event.number("byte_length"));
    let source = snapshot.sources().find(|source| source.source_id == source_id);
    let place = place(source, source_id, event.number("line_number"), offset, length);
    let rebuilt = rebuild(&|name| event.cell(name))?;
    if !raw {
        // Members in alphabetical order; numbers and texts as they are in the log.
        let value: Value = serde_json::from_str(&rebuilt).unwrap_or(Value::String(rebuilt));
        message::print(&format!("{place}\n{}\n", message::json(&value)))?;
        return Ok(Outcome::Done);
    }
    message::plain(&place);
    match kforensic_lake::original(case, snapshot, source_id, offset, length) {
        Ok(original) => {
            if let Some(why) = &original.kept_because {
                message::note(&format!("{why}; these are its bytes in `{}`, which the case keeps", original.name));
            } else if source.is_none_or(|source| source.name != original.name) {
                message::note(&format!("these are its bytes in `{}`, which begins with the source", original.name));
            }
            message::print_bytes(&original.bytes)?;
            message::print("\n")?;
            Ok(Outcome::Done)
        }
        Err(error) => {
            message::warning(&format!("{error}; this is the event as rebuilt from the case"));
            message::print(&format!("{rebuilt}\n"))?;
            Ok(Outcome::EvidenceDiffers)
        }
    }
}

/// Where an event stands, for people.
fn place(source: Option<&LedgerEntry>, source_id: &str, line: u64, offset: u64, length: u64) -> String {
    let (name, sha256) = source.map_or(("?", "?"), |source| (source.name.as_str(), source.sha256.as_str()));
    let content = match source.map(|source| source.compression.as_str()) {
        None | Some("none") => String::new(),
        Some(compression) => format!(" of its content ({compression})"),
    };
    let end = offset + length;
    let name = message::named(name);
    format!("source {source_id}: {name}\nsha256 {sha256}\nline   {line}, bytes {offset} to {end}{content}")
}

//! Whether a case is what its ledger says, byte for byte.
//!
//! Reading the log already checks its chain and the seal of every commit. On top of that every file
//! is hashed and its rows are counted, the folders are searched for files that nobody committed, and
//! the rows of every source are held against its account. What a crash left is told from what somebody put there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Serialize;

use crate::case::inspect::{Stray, beside, inspect, journal_path};
use crate::case::notes::NOTES_FILE;
use crate::case::writer::is_written_to;
use crate::case::{Case, dated, key, originals};
use crate::ground::error::LakeError;
use crate::ground::hash::sha256_of_file;
use crate::table::read;
use crate::table::replay::replay;
use crate::table::snapshot::{DataFile, Snapshot};

/// What was found in a case.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verification {
    /// SHA-256 of the newest commit.
    pub fingerprint: String,
    /// Commits whose seal and place in the chain are right.
    pub commits: u64,
    /// Data files that were hashed.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Rows in them.
    pub rows: u64,
    /// Kept originals that are whole, and give their sources back.
    pub originals: u64,
    /// Snapshots of RBAC that are what was kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub snapshots: u64,
    /// Events that were pruned, as the ledger says.
    pub pruned_events: u64,
    /// Rejects that were pruned with them.
    pub pruned_rejects: u64,
    /// Files that a writer made and did not commit, because it crashed or is still at work. They are no part of the
    /// case, and the next writer deletes them.
    pub crash_left: Vec<String>,
    /// A writer is at work: then they are its own.
    pub is_written_to: bool,
    /// Notes whose chain is right.
    pub notes: u64,
    /// SHA-256 of the newest note.
    pub newest_note_sha256: Option<String>,
    /// What is not as it should be; empty when the case is what its ledger says.
    pub problems: Vec<Problem>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Problem {
    /// The file, or the source for accounts that do not add up.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Checks a case.
///
/// # Errors
/// When the log itself is altered or cannot be read, or a folder cannot be listed; everything else
/// is found and listed in the result.
pub fn verify(case: &Case) -> Result<Verification, LakeError> {
    let snapshot = case.snapshot()?;
    let mut found = Verification {
        fingerprint: snapshot.fingerprint.clone(),
        commits: snapshot.version + 1,
        pruned_events: snapshot.prunings().map(|pruned| pruned.events).sum(),
        pruned_rejects: snapshot.prunings().map(|pruned| pruned.rejected).sum(),
        ..Verification::default()
    };
    let mut rows_of_sources = BTreeMap::new();
    for file in &snapshot.files {
        match check_file(file, &mut rows_of_sources) {
            Ok(rows) => {
                found.files += 1;
                found.bytes += file.size_bytes;
                found.rows += rows;
            }
            Err(problem) => found.problem(file.path.display().to_string(), problem),
        }
    }
    if let Some((path, problem)) = snapshot.key_sha256().and_then(|known| key::check(case.root(), known)) {
        found.problem(path.display().to_string(), problem);
    }
    for (source, original) in snapshot.kept_originals() {
        match originals::check(case.root(), source, original) {
            Ok(()) => found.originals += 1,
            Err(problem) => found.problem(case.root().join(&original.path).display().to_string(), problem),
        }
    }
    for file in snapshot.dated() {
        match dated::check(case.root(), file) {
            Ok(()) => found.snapshots += 1,
            Err(problem) => found.problem(case.root().join(&file.path).display().to_string(), problem),
        }
    }
    found.notes = snapshot.notes.list.len() as u64;
    found.newest_note_sha256.clone_from(&snapshot.notes.newest_sha256);
    if let Some(problem) = &snapshot.notes.problem {
        found.problem(case.root().join(NOTES_FILE).display().to_string(), problem.clone());
    }
    strays(case, &snapshot, &mut found)?;
    // Rows of files that are missing or altered are a problem already; accounts would only repeat it.
    if found.problems.is_empty() {
        accounts(&snapshot, &rows_of_sources, &mut found);
    }
    Ok(found)
}

impl Verification {
    fn problem(&mut self, name: String, problem: String) {
        self.problems.push(Problem { name, problem });
    }
}

/// Rows of a source: events and rejects.
type RowsOfSources = BTreeMap<String, (u64, u64)>;

/// Hashes a file and counts its rows, by source. Returns how many there are.
fn check_file(file: &DataFile, rows_of_sources: &mut RowsOfSources) -> Result<u64, String> {
    let size = file.path.metadata().map_err(|error| format!("cannot be read: {error}"))?.len();
    if size != file.size_bytes {
        return Err(format!("has {size} bytes instead of {}", file.size_bytes));
    }
    let sha256 = sha256_of_file(&file.path).map_err(|error| format!("cannot be read: {error}"))?;
    if sha256 != file.sha256 {
        return Err(format!("has SHA-256 {sha256} instead of {}", file.sha256));
    }
    let rows = rows_in_footer(&file.path).map_err(|error| format!("is no Parquet file: {error}"))?;
    if rows != file.stats.rows {
        return Err(format!("has {rows} rows instead of {}", file.stats.rows));
    }
    let count = &mut |cells: &[(_, kforensic_event::Cell<'_>)]| {
        let source = cells.first().and_then(|(_, cell)| cell.text()).unwrap_or_default();
        let (events, rejects) = rows_of_sources.entry(source.to_owned()).or_default();
        *(if file.is_rejects() { rejects } else { events }) += 1;
    };
    read::rows(file, Some(&["source_id"]), count).map_err(|error| error.to_string())?;
    Ok(rows)
}

fn rows_in_footer(path: &Path) -> Result<u64, Box<dyn std::error::Error>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    Ok(u64::try_from(reader.metadata().file_metadata().num_rows())?)
}

/// How often the folders are looked through again when a writer is at work, whose files come and go meanwhile.
const LOOKS: u32 = 5;

/// Files in the case that nobody committed, and those that a crash left.
fn strays(case: &Case, snapshot: &Snapshot, found: &mut Verification) -> Result<(), LakeError> {
    let root = case.root();
    let mut snapshot = snapshot.clone();
    let mut inspection = inspect(root, Some(&snapshot))?;
    found.is_written_to = is_written_to(root);
    for _ in 1..LOOKS {
        if !found.is_written_to || inspection.strays.is_empty() {
            break;
        }
        // What was committed meanwhile is part of the case; what is strange stays so.
        snapshot = replay(&case.events_dir(), &case.log_dir(), Some(snapshot))?;
        let before = std::mem::replace(&mut inspection, inspect(root, Some(&snapshot))?);
        inspection.strays.retain(|stray| before.strays.contains(stray));
    }
    found.crash_left = inspection.left.iter().map(|left| left.path.display().to_string()).collect();
    found.crash_left.extend(inspection.has_journal.then(|| journal_path(root).display().to_string()));
    for Stray { path, problem } in inspection.strays.into_iter().chain(beside(root)?) {
        found.problem(path.display().to_string(), problem.to_owned());
    }
    // A writer deletes them, when they are what was removed.
    for (name, removed) in &snapshot.removed {
        let path = case.events_dir().join(name);
        let is_strange = || sha256_of_file(&path).is_ok_and(|sha256| sha256 != removed.sha256);
        if path.symlink_metadata().is_ok_and(|kind| kind.is_file()) && is_strange() {
            let problem = "has the name of a file that was removed, and is not it".to_owned();
            found.problem(path.display().to_string(), problem);
        }
    }
    Ok(())
}

/// Holds the rows of every source against its account: what is in the table and what was pruned is what was stored.
fn accounts(snapshot: &Snapshot, rows_of_sources: &RowsOfSources, found: &mut Verification) {
    let mut expected = RowsOfSources::new();
    for source in snapshot.sources() {
        if !source.adds_up() {
            let parts = format!("{} + {} + {}", source.events, source.duplicates, source.rejected);
            found.problem(source.name.clone(), format!("has {} records, not {parts}", source.records));
        }
        let (events, rejects) = expected.entry(source.source_id.clone()).or_default();
        *events += source.events;
        *rejects += source.rejected;
    }
    for pruned in snapshot.prunings().flat_map(|pruned| &pruned.sources) {
        let (events, rejects) = expected.entry(pruned.source_id.clone()).or_default();
        match (events.checked_sub(pruned.events), rejects.checked_sub(pruned.rejected)) {
            (Some(left), Some(rejects_left)) => (*events, *rejects) = (left, rejects_left),
            _ => found.problem(format!("source {}", pruned.source_id), "has more pruned than it ever had".to_owned()),
        }
    }
    let ids: BTreeSet<&String> = expected.keys().chain(rows_of_sources.keys()).collect();
    for id in ids {
        let rows = |of: &RowsOfSources| of.get(id).copied().unwrap_or_default();
        let ((events, rejects), (in_ledger, rejects_in_ledger)) = (rows(rows_of_sources), rows(&expected));
        if (events, rejects) != (in_ledger, rejects_in_ledger) {
            let pruned = if snapshot.pruned_of(id) == (0, 0) { "" } else { " after pruning" };
            let ledger = format!("{in_ledger} events and {rejects_in_ledger} rejects{pruned}");
            let problem = format!("has {events} events and {rejects} rejects; its account says {ledger}");
            found.problem(format!("source {id}"), problem);
        }
    }
}

//! The state of a case at one commit: its files and its ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use kforensic_event::partition::{self, Folders};
use kforensic_event::{COLUMNS, columns};
use serde_json::Value;

use crate::table::ledger::KeptOriginal;
use crate::table::ledger::Pruned;
use crate::table::ledger::{DatedFile, LedgerEntry, Operation, SecretValues};
use crate::table::log::FOLDERS;
use crate::table::notes::Notes;
use crate::table::stats::FileStats;

/// One Parquet file of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its path below `events`, as the log names it.
    pub name: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256, in hex.
    pub sha256: String,
    /// UTC day of its rows (days since 1970); `None` for rejects.
    pub day: Option<i32>,
    /// Resource partition of its rows.
    pub resource_partition: String,
    /// Counts and bounds.
    pub stats: FileStats,
    /// About how much memory its rows take, in bytes: what decides whether it is a small file.
    pub memory_bytes: u64,
    /// Names of the columns that it has.
    pub columns: Arc<[String]>,
    /// What it holds, as [`crate::seen::Seen::from_tag`] reads it; `None` when the log does not sum it up.
    pub seen: Option<String>,
    /// From where it was sent, as [`crate::seen::Sent::from_tag`] reads it; `None` when the log does not sum it up.
    pub sent: Option<String>,
}

impl DataFile {
    /// Whether it has the column called `name`: files of earlier versions have fewer. Where the log does not say which it
    /// has, it has all.
    pub fn has_column(&self, name: &str) -> bool {
        self.columns.is_empty() || self.columns.iter().any(|column| column == name)
    }

    /// Whether it lacks a column that this version writes.
    pub(crate) fn lacks_columns(&self) -> bool {
        COLUMNS.iter().any(|column| !self.has_column(column.name))
    }

    /// Whether its rows say which of them stand for their requests.
    pub fn is_folded(&self) -> bool {
        self.has_column("final")
    }

    /// Whether its rows are rejected records, not events.
    pub fn is_rejects(&self) -> bool {
        self.resource_partition == partition::REJECTED
    }
}

/// A file that is no longer part of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedFile {
    /// When it was removed, in milliseconds since 1970.
    pub removed_ms: i64,
    /// SHA-256 that it had, in hex: what has its name now need not be it.
    pub sha256: String,
}

/// What a case holds at one commit.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Number of the newest commit, counted from 0.
    pub version: u64,
    /// SHA-256 of the newest commit: the fingerprint of the case, in hex.
    pub fingerprint: String,
    /// Files of the table, in the order of their names.
    pub files: Vec<DataFile>,
    /// Files that are no longer part of the table, by name; they may still be there.
    pub removed: BTreeMap<String, RemovedFile>,
    /// What was done, in order.
    pub operations: Vec<Operation>,
    /// When each of them was committed, in milliseconds since 1970.
    pub commit_times_ms: Vec<i64>,
    /// Names of the columns of the table.
    pub columns: Arc<[String]>,
    /// The newest `metaData` of the log.
    pub metadata: Option<Value>,
    /// What people noted beside the evidence.
    pub notes: Notes,
}

impl Snapshot {
    /// Whether the table has all columns that this version writes.
    pub(crate) fn has_all_columns(&self) -> bool {
        COLUMNS.iter().all(|column| self.columns.iter().any(|name| name == column.name))
    }

    /// A column of the table that this version does not know: a later one wrote it.
    pub(crate) fn unknown_column(&self) -> Option<&str> {
        self.columns.iter().map(String::as_str).find(|name| columns::find(name).is_none())
    }

    /// Which resources have a folder of their own; `None` when a later version of kforensic chose them.
    pub fn folders(&self) -> Option<Folders> {
        let named = self.metadata.as_ref().and_then(|metadata| metadata["configuration"][FOLDERS].as_str());
        named.map_or(Some(Folders::default()), Folders::from_text)
    }

    /// All sources that were read, in order.
    pub fn sources(&self) -> impl Iterator<Item = &LedgerEntry> {
        self.operations.iter().flat_map(|operation| &operation.sources)
    }

    /// SHA-256 of the key of the case, in hex; `None` when nothing was ever read.
    pub fn key_sha256(&self) -> Option<&str> {
        let redaction = self.operations.iter().rev().find_map(|operation| operation.redaction.as_ref())?;
        Some(&redaction.key_sha256)
    }

    /// Sources whose secret values stand in the case as they stood in the log.
    pub fn with_secret_values(&self) -> impl Iterator<Item = &LedgerEntry> {
        let kept = |operation: &&Operation| {
            operation.redaction.as_ref().is_some_and(|redaction| redaction.values == SecretValues::Kept)
        };
        self.operations.iter().filter(kept).flat_map(|operation| &operation.sources)
    }

    /// Originals that the case keeps, in order, each once: its first source and the copy.
    pub fn kept_originals(&self) -> impl Iterator<Item = (&LedgerEntry, &KeptOriginal)> {
        let mut seen = BTreeSet::new();
        let kept = self.sources().filter_map(|entry| Some((entry, entry.original.as_ref()?)));
        kept.filter(move |(_, original)| seen.insert(&original.path))
    }

    /// What was pruned, in order.
    pub fn prunings(&self) -> impl Iterator<Item = &Pruned> {
        self.operations.iter().filter_map(|operation| operation.pruned.as_ref())
    }

    /// Events and rejects of a source that were pruned.
    pub fn pruned_of(&self, source_id: &str) -> (u64, u64) {
        let accounts = self.prunings().flat_map(|pruned| &pruned.sources);
        let of_source = accounts.filter(|account| account.source_id == source_id);
        of_source.fold((0, 0), |sum, account| (sum.0 + account.events, sum.1 + account.rejected))
    }

    /// Files that are kept with the time that they are about, in the order in which they were given.
    pub fn dated(&self) -> impl Iterator<Item = &DatedFile> {
        self.operations.iter().flat_map(|operation| &operation.dated)
    }

    /// Files with events.
    pub fn event_files(&self) -> impl Iterator<Item = &DataFile> {
        self.files.iter().filter(|file| !file.is_rejects())
    }

    /// Files with rejected records.
    pub fn reject_files(&self) -> impl Iterator<Item = &DataFile> {
        self.files.iter().filter(|file| file.is_rejects())
    }

    /// Times of the earliest and the latest event, in microseconds since 1970.
    pub fn event_times(&self) -> Option<(i64, i64)> {
        let bounds = || self.event_files().filter_map(|file| file.stats.event_time);
        Some((bounds().map(|(min, _)| min).min()?, bounds().map(|(_, max)| max).max()?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_log_without_a_word_on_folders_is_of_the_first_cases() {
        let of = |metadata| Snapshot { metadata, ..Snapshot::default() }.folders();
        let named = |names: &str| of(Some(json!({"configuration": {FOLDERS: names}})));
        assert_eq!(of(None), Some(Folders::default()));
        assert_eq!(of(Some(json!({"configuration": {"delta.appendOnly": "false"}}))), Some(Folders::default()));
        assert_eq!(named(&Folders::NOW.to_text()), Some(Folders::NOW));
        assert_eq!(named("pods,zz"), None, "a later version knows which they are");
    }
}

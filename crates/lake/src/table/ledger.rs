//! The ledger: what was read, when, by which tool, and what became of every record.
//!
//! It stands in the `commitInfo` of every commit, so that it is as atomic as the data.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ground::names::path_of;

/// What one run did, as it stands in its commit.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Operation {
    /// Layout of the case, [`crate::FORMAT_VERSION`].
    pub format: u32,
    /// What was done: `ingest`, `compact` or `prune`.
    pub command: String,
    /// Version of kforensic.
    pub tool_version: String,
    /// The command line.
    pub arguments: Vec<String>,
    /// SHA-256 of the commit before this one, in hex; absent in the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous_sha256: Option<String>,
    /// SHA-256 of this commit's file, in hex, with this value as zeros: an altered byte of the newest
    /// commit shows without a successor.
    pub seal: String,
    /// What became of secret values; absent when nothing was read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub redaction: Option<Redaction>,
    /// Sources that were read.
    pub sources: Vec<LedgerEntry>,
    /// Files of the given folders that were left out, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub skipped: Vec<Skipped>,
    /// Files that were merged, of a `compact`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub compacted: Option<Compacted>,
    /// Events and rejects that were taken out, of a `prune`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pruned: Option<Pruned>,
    /// Files that are kept with the time that they are about, of a `snapshot`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub dated: Vec<DatedFile>,
}

/// A file that is kept as it was given, with the time that it is about.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct DatedFile {
    /// Its name, as given.
    pub name: String,
    /// When it was taken, RFC 3339.
    pub taken: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Where the copy is, below the case.
    pub path: String,
}

/// What an ingest did with secret values.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Redaction {
    /// SHA-256 of the key of the case, in hex.
    pub key_sha256: String,
    /// What became of the values.
    pub values: SecretValues,
}

/// What becomes of the values that are secrets; see [`kforensic_event::redact`].
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum SecretValues {
    /// They were replaced by keyed hashes.
    #[default]
    Redacted,
    /// They stand in the case as they stood in the log.
    Kept,
}

/// Account of one source: one input file, or one file in an archive, known by its content. An archive has an account
/// too, behind those of its logs: it has no content of its own, and a reject when part of it cannot be read.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Id that the rows of this source carry: commit and number, such as `0-3`.
    pub source_id: String,
    /// Path as given, or found below a folder that was given; `-` for standard input. A file in an archive is
    /// called by the path of the archive, a `!`, and its name in there.
    pub name: String,
    /// The bytes of that path, in hex, when it is not UTF-8: the name shows them as escapes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path_bytes: Option<String>,
    /// Id of the archive that the file is in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub archive: Option<String>,
    /// Number of the file among the members of that archive and of the archives in it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub member: Option<u64>,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Length of the decompressed content that was read, in bytes.
    pub content_bytes: u64,
    /// SHA-256 of the decompressed content, in hex.
    pub content_sha256: String,
    /// `none`, `gzip`, `zstd`, `xz`, `bzip2`, `utf-16le`, `utf-16be`, or `colours`, and some of them one in another.
    pub compression: String,
    /// Shape of the log, such as `json-lines`; `tar` or `zip` for an archive.
    pub shape: String,
    /// Host that the log comes from.
    pub host: Option<String>,
    /// Cluster that the log comes from.
    pub cluster: Option<String>,
    /// Earlier source that this one begins with: its content was not read again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub continues: Option<String>,
    /// Length of that beginning in bytes.
    pub continues_bytes: u64,
    /// Records in what was read now: non-blank lines, and items of lists.
    pub records: u64,
    /// Records stored as events.
    pub events: u64,
    /// Records equal to an event that is stored already, or the same place of a copy of the same log.
    pub duplicates: u64,
    /// Records that are no audit event, stored word for word.
    pub rejected: u64,
    /// What those are, and how many of each; absent in accounts of before.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub reasons: BTreeMap<String, u64>,
    /// Secret values that were replaced in its events and rejects.
    #[serde(default)]
    pub redacted: u64,
    /// Records that the query of an export matched, as the export says itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub matched: Option<u64>,
    /// Time of the earliest event, RFC 3339.
    pub first_event: Option<String>,
    /// Time of the latest event, RFC 3339.
    pub last_event: Option<String>,
    /// Copy of the source that the case keeps.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub original: Option<KeptOriginal>,
    /// How the file was seen to change while it was read; the account is about the bytes that were read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub changed_while_read: Option<String>,
    /// Where a later, longer copy of this source is to be read on.
    pub resume: Resume,
}

/// The part of a source that is done with: all of it but a torn last line, which may be completed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Resume {
    /// Length of the part in bytes.
    pub bytes: u64,
    /// Line at which the next record begins, counted from 1.
    pub line: i64,
    /// SHA-256 of the part, in hex.
    pub sha256: String,
    /// SHA-256 of its first 4,096 bytes (or all, if shorter), in hex: a quick way to see that another file is no copy.
    pub head_sha256: String,
}

/// A file below a given folder that was left out.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Skipped {
    /// Its path.
    pub name: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Why.
    pub reason: String,
    /// Whether it looks like an audit log all the same, or is of a kind that could hide one.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub may_be_log: bool,
}

/// The kept copy of a source, as it stands in its account.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct KeptOriginal {
    /// Its path in the case: `originals/`, the SHA-256 of the source, `.zst`.
    pub path: String,
    /// SHA-256 of the compressed copy, in hex.
    pub sha256: String,
    /// Size of the compressed copy in bytes.
    pub size_bytes: u64,
}

/// What a compaction did, as it stands in the ledger.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Compacted {
    /// Files that were merged.
    pub files_before: u64,
    /// Files that they became.
    pub files_after: u64,
    /// Size of the former in bytes.
    pub bytes_before: u64,
    /// Size of the latter in bytes.
    pub bytes_after: u64,
    /// Rows in them.
    pub rows: u64,
}

/// What is pruned, as it stands in the ledger.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Pruned {
    /// No event from before this instant is left; RFC 3339.
    pub before: String,
    /// Events.
    pub events: u64,
    /// Rejects: those of sources all of whose events are from before.
    pub rejected: u64,
    /// Time of the earliest of the events, RFC 3339.
    pub first_event: Option<String>,
    /// Time of the latest of the events, RFC 3339.
    pub last_event: Option<String>,
    /// Files all of whose rows go.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Files some of whose rows go: the rest is written anew.
    pub rewritten_files: u64,
    /// Their size in bytes before.
    pub rewritten_bytes: u64,
    /// Sources that the rows came from, in the order of their ids.
    pub sources: Vec<PrunedSource>,
}

/// What is pruned of one source.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct PrunedSource {
    /// Id of the source.
    pub source_id: String,
    /// Its events.
    pub events: u64,
    /// Its rejects.
    pub rejected: u64,
}

impl LedgerEntry {
    /// Records that the query of an export matched and that the export does not hold; `None` when it says nothing of the kind.
    pub fn not_exported(&self) -> Option<u64> {
        self.matched.and_then(|matched| matched.checked_sub(self.records)).filter(|missing| *missing > 0)
    }

    /// Where the file was.
    pub fn path(&self) -> PathBuf {
        self.path_bytes.as_deref().and_then(path_of).unwrap_or_else(|| PathBuf::from(&self.name))
    }

    /// Whether every record became an event, a duplicate or a reject.
    pub fn adds_up(&self) -> bool {
        self.records == self.events + self.duplicates + self.rejected
    }

    /// Whether nothing in the source was new: all of it had been read before.
    pub fn is_known(&self) -> bool {
        self.continues.is_some() && self.continues_bytes == self.content_bytes
    }
}

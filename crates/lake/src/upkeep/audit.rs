//! Whether original sources are still the ones that were read: an audit in the sense of hashdeep.
//!
//! Every source of the ledger is looked for among the given files, by SHA-256, and every given file
//! is looked for in the ledger. The audit passes only when each fits exactly one of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use crate::ground::error::LakeError;
use crate::ground::hash::sha256_of_file;
use crate::sources::discover::{Input, discover};
use crate::sources::survey::{archive_holds_events, is_archive};
use crate::table::ledger::LedgerEntry;
use crate::table::snapshot::Snapshot;

/// What became of one source or one file.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// A file has the name and the content of the source.
    Matched,
    /// A file of another name has the content of the source.
    Moved,
    /// The source has grown into a later one, whose content begins with its own.
    Continued,
    /// No source has the content or the name of the file.
    New,
    /// No file has the content or the name of the source.
    Missing,
    /// A file has the name of the source, but other content.
    Changed,
}

/// A source or a file, and what became of it.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Audited {
    /// What became of it.
    pub fate: Fate,
    /// Name of the source in the ledger; of the file when it is new.
    pub name: String,
    /// Where its content was found, when under another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_as: Option<String>,
    /// SHA-256 of the source, or of the file when it is new.
    pub sha256: String,
}

impl Fate {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Moved => "moved",
            Self::Continued => "continued",
            Self::New => "new",
            Self::Missing => "missing",
            Self::Changed => "changed",
        }
    }

    /// Whether an audit with such a source still passes.
    pub fn passes(self) -> bool {
        matches!(self, Self::Matched | Self::Continued)
    }
}

/// Audits the sources of a case against the files below `paths`, sorted by fate and name.
///
/// # Errors
/// When a path does not exist or a file cannot be read.
pub fn audit(snapshot: &Snapshot, paths: &[PathBuf]) -> Result<Vec<Audited>, LakeError> {
    let mut by_hash: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    let (inputs, _) = discover(paths)?;
    let known: BTreeSet<&str> = files(snapshot).map(|source| source.sha256.as_str()).collect();
    for input in &inputs {
        if let Input::File(path) = input {
            let sha256 = sha256_of_file(path).map_err(LakeError::io("read", path))?;
            if !known.contains(sha256.as_str()) && is_archive(path)? && !archive_holds_events(path)? {
                continue;
            }
            by_hash.entry(sha256).or_default().insert(input.name());
            names.insert(input.name());
        }
    }
    let mut audited = Vec::new();
    let mut fitting = BTreeSet::new();
    let continued = continued(snapshot);
    for source in files(snapshot) {
        let found = by_hash.get(&source.sha256);
        let (fate, found_as) = match found {
            Some(found) if found.contains(&source.name) => (Fate::Matched, Some(source.name.clone())),
            Some(found) => (Fate::Moved, found.first().cloned()),
            None if continued.contains(source.source_id.as_str()) => (Fate::Continued, None),
            None if names.contains(&source.name) => (Fate::Changed, None),
            None => (Fate::Missing, None),
        };
        if fate == Fate::Changed {
            fitting.insert(source.name.clone());
        }
        fitting.extend(found_as.clone());
        let found_as = found_as.filter(|found| *found != source.name);
        audited.push(Audited { fate, name: source.name.clone(), found_as, sha256: source.sha256.clone() });
    }
    for (sha256, found) in &by_hash {
        for name in found.iter().filter(|name| !fitting.contains(*name)) {
            audited.push(Audited { fate: Fate::New, name: name.clone(), found_as: None, sha256: sha256.clone() });
        }
    }
    audited.sort_by(|left, right| (left.fate, &left.name).cmp(&(right.fate, &right.name)));
    Ok(audited)
}

/// The sources that are files: what is in an archive stands and falls with it.
fn files(snapshot: &Snapshot) -> impl Iterator<Item = &LedgerEntry> {
    snapshot.sources().filter(|source| source.archive.is_none())
}

/// Sources all of whose content is the beginning of a later one.
fn continued(snapshot: &Snapshot) -> BTreeSet<&str> {
    let later: BTreeSet<&str> = snapshot.sources().filter_map(|source| source.continues.as_deref()).collect();
    snapshot
        .sources()
        .filter(|source| source.resume.bytes == source.content_bytes && later.contains(source.source_id.as_str()))
        .map(|source| source.source_id.as_str())
        .collect()
}

/// The sources as a manifest that `hashdeep -a -k` reads.
pub fn manifest(snapshot: &Snapshot) -> String {
    let mut manifest = "%%%% HASHDEEP-1.0\n%%%% size,sha256,filename\n## sources of a kforensic case\n##\n".to_owned();
    let line = |source: &LedgerEntry| format!("{},{},{}\n", source.size_bytes, source.sha256, source.name);
    manifest.extend(files(snapshot).map(line));
    manifest
}

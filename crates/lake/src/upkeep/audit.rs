//! Whether original sources are still the ones that were read: an audit in the sense of hashdeep.
//!
//! Every source of the ledger is looked for among the given files, by SHA-256, and every given file
//! is looked for in the ledger. The audit passes only when each fits exactly one of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::ground::error::LakeError;
use crate::ground::hash::sha256_of_file;
use crate::ground::names;
use crate::sources::copies::{Copy, KnownSources};
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
    // By their paths: two names that are no text can look the same.
    let mut by_hash: BTreeMap<String, BTreeSet<&Path>> = BTreeMap::new();
    let mut paths_found = BTreeSet::new();
    let (inputs, _) = discover(paths, None)?;
    let known: BTreeSet<&str> = files(snapshot).map(|source| source.sha256.as_str()).collect();
    for input in &inputs {
        if let Input::File(path) = input {
            let sha256 = sha256_of_file(path).map_err(LakeError::io("read", path))?;
            if !known.contains(sha256.as_str()) && is_archive(path)? && !archive_holds_events(path)? {
                continue;
            }
            by_hash.entry(sha256).or_default().insert(path.as_path());
            paths_found.insert(path.as_path());
        }
    }
    let mut audited = Vec::new();
    let mut fitting: BTreeSet<PathBuf> = BTreeSet::new();
    let continued = continued(snapshot);
    for source in files(snapshot) {
        let (path, found) = (source.path(), by_hash.get(&source.sha256));
        let (fate, found_as) = match found {
            Some(found) if found.contains(path.as_path()) => (Fate::Matched, Some(path.as_path())),
            Some(found) => (Fate::Moved, found.first().copied()),
            None if continued.contains(source.source_id.as_str()) => (Fate::Continued, None),
            None if paths_found.contains(path.as_path()) => (Fate::Changed, None),
            None => (Fate::Missing, None),
        };
        fitting.extend(found_as.map(Path::to_owned));
        let found_as = found_as.filter(|found| *found != path).map(names::shown);
        if fate == Fate::Changed {
            fitting.insert(path);
        }
        audited.push(Audited { fate, name: source.name.clone(), found_as, sha256: source.sha256.clone() });
    }
    for (sha256, found) in &by_hash {
        for path in found.iter().filter(|path| !fitting.contains(**path)) {
            let name = names::shown(path);
            audited.push(Audited { fate: Fate::New, name, found_as: None, sha256: sha256.clone() });
        }
    }
    audited.sort_by(|left, right| (left.fate, &left.name).cmp(&(right.fate, &right.name)));
    Ok(audited)
}

/// The source that the file at `path` is, by its name or by what it holds; `None` when it is none of the case.
///
/// # Errors
/// When there is a file that cannot be read.
pub fn source_at<'a>(snapshot: &'a Snapshot, path: &Path) -> Result<Option<&'a LedgerEntry>, LakeError> {
    if !path.is_file() {
        return Ok(None);
    }
    let place = path.canonicalize().map_err(LakeError::io("open", path))?;
    let is_there = |source: &&LedgerEntry| source.path().canonicalize().is_ok_and(|named| named == place);
    if let Some(source) = files(snapshot).find(is_there) {
        return Ok(Some(source));
    }
    // Renamed, or called by a name that leads elsewhere from here; it may have grown since.
    let copy = KnownSources::new(Some(snapshot)).find(path)?;
    let id = match &copy {
        Copy::Whole(entry) => &entry.source_id,
        Copy::Beginning(id, _) => id,
        Copy::None => return Ok(None),
    };
    Ok(snapshot.sources().find(|source| source.source_id == *id))
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
///
/// # Errors
/// The first name that it cannot hold: hashdeep ends a name at the end of the line and escapes nothing, so that a name
/// with a line end in it would make an entry of its own; and a name that is not UTF-8 is only shown here.
pub fn manifest(snapshot: &Snapshot) -> Result<String, &str> {
    let mut manifest = "%%%% HASHDEEP-1.0\n%%%% size,sha256,filename\n## sources of a kforensic case\n##\n".to_owned();
    for source in files(snapshot) {
        if source.path_bytes.is_some() || source.name.contains(char::is_control) {
            return Err(&source.name);
        }
        manifest.push_str(&format!("{},{},{}\n", source.size_bytes, source.sha256, source.name));
    }
    Ok(manifest)
}

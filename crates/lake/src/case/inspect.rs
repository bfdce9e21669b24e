//! What lies in a case that is not part of it: what a crashed writer left, and what nobody of us made.
//!
//! A file belongs to the case when its log names it. Else it may be one that a writer wrote into its journal, and did not
//! commit: a crash left it, and the next writer deletes it. Anything else is somebody's: the files of an interrupted
//! copy whose newest commits are missing, a user's own folder that `--case` was pointed to, or what somebody put there.
//! None of that is ever deleted, written over, or followed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::case::key::KEY_FILE;
use crate::case::notes::NOTES_FILE;
use crate::case::writer::LOCK_FILE;
use crate::case::{dated, originals, staging};
use crate::ground::error::LakeError;
use crate::ground::hash::sha256_of_file;
use crate::ground::journal::{JOURNAL_FILE, Told};
use crate::table::log;
use crate::table::snapshot::Snapshot;

/// Folders of a case, outermost first.
const FOLDERS: [&str; 5] = ["events", "events/_delta_log", staging::FOLDER, originals::FOLDER, dated::FOLDER];

/// Files of a case beside those in its folders.
const FILES: [&str; 4] = [LOCK_FILE, KEY_FILE, NOTES_FILE, TRUSTED_FILE];

/// What the user declared to be trusted: read by queries, never evidence.
const TRUSTED_FILE: &str = "trusted.toml";

/// Something in a case that is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stray {
    pub(crate) path: PathBuf,
    pub(crate) problem: &'static str,
}

/// A file that a crashed writer left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) path: PathBuf,
}

/// What lies in a case and is not part of it.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    /// What a crash left, without the journal that says so.
    pub(crate) left: Vec<Left>,
    /// There is a journal: of a writer that crashed, or is at work.
    pub(crate) has_journal: bool,
    pub(crate) strays: Vec<Stray>,
}

/// What nobody of us made.
const UNKNOWN: &str = "is not part of the case";

/// What is not a file or folder where a case has one.
const LINK: &str = "is a symbolic link, which nothing in a case is";

/// Finds what is no folder or file where a case has one: a link could lead anywhere.
pub(crate) fn odd_kinds(root: &Path) -> Vec<Stray> {
    let folders = FOLDERS.iter().map(|name| (name, true));
    let files = FILES.iter().map(|name| (name, false));
    let odd = |(name, is_folder): (&&str, bool)| {
        let path = root.join(name);
        let kind = path.symlink_metadata().ok()?.file_type();
        let problem = match is_folder {
            _ if kind.is_symlink() => LINK,
            true if !kind.is_dir() => "is not a folder, as it is in a case",
            false if !kind.is_file() => "is not a file, as it is in a case",
            _ => return None,
        };
        Some(Stray { path, problem })
    };
    folders.chain(files).filter_map(odd).collect()
}

/// Looks for what is not part of the case in `root`, whose log says `snapshot`, in its folders.
///
/// # Errors
/// When a folder cannot be listed or the journal not be read.
pub(crate) fn inspect(root: &Path, snapshot: Option<&Snapshot>) -> Result<Inspection, LakeError> {
    let mut found = Inspection { strays: odd_kinds(root), ..Inspection::default() };
    if !found.strays.is_empty() {
        return Ok(found);
    }
    let told = Told::read(&root.join(staging::FOLDER))?;
    found.has_journal = told.is_some();
    let told = told.unwrap_or_default();
    let known = known(root, snapshot);
    for folder in ["events", staging::FOLDER, originals::FOLDER, dated::FOLDER] {
        let folder = root.join(folder);
        if folder.symlink_metadata().is_err() {
            continue;
        }
        for entry in WalkDir::new(&folder).sort_by_file_name() {
            let entry = entry.map_err(|error| LakeError::io("list", &folder)(error.into()))?;
            if !entry.file_type().is_dir() {
                found.look_at(root, &entry, &known, &told)?;
            }
        }
    }
    let key = root.join(KEY_FILE);
    if snapshot.is_none() && told.placed.contains_key(KEY_FILE) && key.is_file() {
        found.left.push(Left { path: key });
    }
    Ok(found)
}

impl Inspection {
    fn look_at(
        &mut self,
        root: &Path,
        entry: &DirEntry,
        known: &HashSet<PathBuf>,
        told: &Told,
    ) -> Result<(), LakeError> {
        let path = entry.path();
        let mut stray = |problem| self.strays.push(Stray { path: path.to_owned(), problem });
        if entry.path_is_symlink() {
            stray(LINK);
        } else if !entry.file_type().is_file() {
            stray("is no regular file");
        } else if known.contains(path) || path == root.join(TRUSTED_FILE) {
        } else if let Some(name) = path.strip_prefix(root.join(staging::FOLDER)).ok().and_then(Path::to_str) {
            match name {
                JOURNAL_FILE if self.has_journal => (),
                _ if told.staged.contains(name) => self.left.push(Left { path: path.to_owned() }),
                _ => stray(UNKNOWN),
            }
        } else if let Some(sha256) =
            path.strip_prefix(root).ok().and_then(Path::to_str).and_then(|n| told.placed.get(n))
        {
            match sha256_of_file(path).map_err(LakeError::io("read", path))? == *sha256 {
                true => self.left.push(Left { path: path.to_owned() }),
                false => stray("is not what a writer that crashed had put there"),
            }
        } else {
            stray(UNKNOWN);
        }
        Ok(())
    }
}

/// The files of the case in `root`, whose log says `snapshot`.
pub(crate) fn files(root: &Path, snapshot: &Snapshot) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = known(root, Some(snapshot)).into_iter().collect();
    files.extend(FILES.iter().map(|name| root.join(name)));
    files
}

/// Where the journal of a writer is.
pub(crate) fn journal_path(root: &Path) -> PathBuf {
    root.join(staging::FOLDER).join(JOURNAL_FILE)
}

/// The files of a case by its log.
fn known(root: &Path, snapshot: Option<&Snapshot>) -> HashSet<PathBuf> {
    let mut known = HashSet::new();
    if let Some(snapshot) = snapshot {
        let events = root.join("events");
        known.extend(log::known_files(snapshot).map(|name| events.join(name)));
        let log_dir = events.join("_delta_log");
        known.extend((0..=snapshot.version).map(|version| log_dir.join(log::commit_name(version))));
        known.extend(originals::paths(root, snapshot));
        known.extend(dated::paths(root, snapshot));
    }
    known
}

/// Files in the folder of the case itself that no case has.
pub(crate) fn beside(root: &Path) -> Result<Vec<Stray>, LakeError> {
    let mut strays = Vec::new();
    for entry in WalkDir::new(root).min_depth(1).sort_by_file_name().into_iter().filter_entry(|entry| !is_ours(entry)) {
        let entry = entry.map_err(|error| LakeError::io("list", root)(error.into()))?;
        if !entry.file_type().is_dir() {
            strays.push(Stray { path: entry.into_path(), problem: UNKNOWN });
        }
    }
    Ok(strays)
}

fn is_ours(entry: &DirEntry) -> bool {
    let folders = ["events", staging::FOLDER, originals::FOLDER, dated::FOLDER];
    entry.depth() == 1 && folders.iter().chain(&FILES).any(|name| entry.file_name() == *name)
}

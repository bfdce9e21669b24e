//! Deleting files that are no longer part of the table.
//!
//! A reader works from the list of files that it took from the log, and takes no lock. So a file that
//! a commit removes stays for a while, and the next writer deletes it. The log says what is removed,
//! and a name never comes back, so deleting can stop at any instant and be done again.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::case::Writer;
use crate::ground::error::LakeError;
use crate::ground::hash::sha256_of_file;
use crate::table::log::Change;
use crate::table::snapshot::RemovedFile;
use crate::upkeep::rewrite::UpkeepOptions;

/// How long a removed file stays, in milliseconds: longer than any answer should take.
pub const GRACE_MS: i64 = 60 * 60 * 1000;

/// What became of the files that are no longer part of the table.
#[derive(Debug, Clone, Copy, Default, Serialize, PartialEq, Eq)]
pub struct Swept {
    /// Files that were deleted.
    pub deleted_files: u64,
    /// Their size in bytes.
    pub deleted_bytes: u64,
    /// Files that stay until their grace has passed.
    pub waiting_files: u64,
    /// Files that have the name of a removed one and are not it: they stay.
    #[serde(skip_serializing_if = "is_none")]
    pub strange_files: u64,
}

fn is_none(number: &u64) -> bool {
    *number == 0
}

/// Deletes the files that were removed, by `change` or before, when their grace has passed.
pub(crate) fn sweep(writer: &Writer, change: &Change, options: &UpkeepOptions) -> Result<Swept, LakeError> {
    let snapshot = writer.snapshot.as_ref();
    let mut removed = snapshot.map_or_else(BTreeMap::new, |snapshot| snapshot.removed.clone());
    let files = snapshot.into_iter().flat_map(|snapshot| &snapshot.files);
    let sha256: HashMap<&str, &str> = files.map(|file| (file.name.as_str(), file.sha256.as_str())).collect();
    removed.extend(change.removes.iter().filter_map(|remove| {
        let sha256 = (*sha256.get(remove.path())?).to_owned();
        Some((remove.path().to_owned(), RemovedFile { removed_ms: options.now_ms, sha256 }))
    }));
    let mut swept = Swept::default();
    if removed.is_empty() {
        return Ok(swept);
    }
    let events = writer.case().events_dir();
    // Only what is found below the table's folder is deleted, whatever path a log may name.
    for file in data_files(&events)? {
        let name = file.strip_prefix(&events).ok().and_then(Path::to_str);
        let Some(removed) = name.and_then(|name| removed.get(name)) else { continue };
        if options.grace_ms > 0 && options.now_ms.saturating_sub(removed.removed_ms) < options.grace_ms {
            swept.waiting_files += 1;
            continue;
        }
        if sha256_of_file(&file).map_err(LakeError::io("read", &file))? != removed.sha256 {
            // Not what was removed: `verify` names it.
            swept.strange_files += 1;
            continue;
        }
        swept.deleted_bytes += file.metadata().map_err(LakeError::io("read", &file))?.len();
        swept.deleted_files += 1;
        fs::remove_file(&file).map_err(LakeError::io("delete", &file))?;
        // Folders that are empty now go too: those of a resource, then of a day.
        let folders = file.ancestors().skip(1).take_while(|folder| *folder != events);
        for folder in folders {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
    Ok(swept)
}

/// The Parquet files below the table's folder. Links are not followed, and are none.
fn data_files(events: &Path) -> Result<Vec<PathBuf>, LakeError> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(events).sort_by_file_name() {
        let entry = entry.map_err(|error| LakeError::io("list", events)(error.into()))?;
        let is_parquet = entry.path().extension().is_some_and(|extension| extension == "parquet");
        if is_parquet && entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

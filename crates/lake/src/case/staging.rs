//! Files that are not part of the table yet.
//!
//! They are written outside of the table, so that no reader can see them, not even one that globs;
//! a commit moves them into place. What a crash leaves behind is cleared by the next writer.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::case::originals;
use crate::ground::durable::create_dirs;
use crate::ground::durable::sync_dir;
use crate::ground::error::LakeError;
use crate::table::log;
use crate::table::snapshot::Snapshot;

/// Folder for files that are being written.
#[derive(Debug)]
pub(crate) struct Staging {
    dir: PathBuf,
}

impl Staging {
    /// Makes the folder, empty, and removes files of the table's folders that the log does not know.
    ///
    /// The caller holds the writer's lock.
    pub(crate) fn clear(root: &Path, events: &Path, snapshot: Option<&Snapshot>) -> Result<Self, LakeError> {
        let dir = root.join("staging");
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(LakeError::io("clear", &dir))?;
        }
        create_dirs(&dir)?;
        let known: HashSet<PathBuf> = snapshot.into_iter().flat_map(log::known_files).collect();
        for file in data_files(events)? {
            if file.strip_prefix(events).is_ok_and(|name| !known.contains(name)) {
                fs::remove_file(&file).map_err(LakeError::io("clear", &file))?;
            }
        }
        originals::clear(root, snapshot)?;
        Ok(Self { dir })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Moves staged files into the table's folders, durably. They are not part of it before the commit.
    pub(crate) fn publish(&self, events: &Path, names: &[String]) -> Result<(), LakeError> {
        let mut folders = BTreeSet::new();
        for name in names {
            let target = events.join(name);
            let (Some(folder), Some(file)) = (target.parent(), target.file_name()) else { continue };
            if folders.insert(folder.to_owned()) {
                create_dirs(folder)?;
            }
            let staged = self.dir.join(file);
            fs::rename(&staged, &target).map_err(LakeError::io("move", &staged))?;
        }
        let dates: BTreeSet<_> = folders.iter().filter_map(|folder| folder.parent()).map(Path::to_owned).collect();
        for folder in folders.iter().chain(&dates) {
            sync_dir(folder)?;
        }
        sync_dir(events)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // The next writer clears it anyway.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The Parquet files below the table's folder.
pub(crate) fn data_files(events: &Path) -> Result<Vec<PathBuf>, LakeError> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(events).sort_by_file_name() {
        let entry = entry.map_err(|error| LakeError::io("list", events)(error.into()))?;
        if entry.path().extension().is_some_and(|extension| extension == "parquet") {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

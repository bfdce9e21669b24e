//! Files that are not part of the table yet.
//!
//! They are written outside of the table, so that no reader can see them, not even one that globs; a commit moves them
//! into place. Every name is in the journal before the file is made, and no file is made where one is: so what a crash
//! leaves can be told from what somebody else put there, and only the former is ever deleted.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::case::inspect::Left;
use crate::ground::durable::{create_dirs, put_if_absent, set_read_only, sync_all, sync_dir};
use crate::ground::error::LakeError;
use crate::ground::journal::{JOURNAL_FILE, Scratch};

/// Name of the folder in the case.
pub(crate) const FOLDER: &str = "staging";

/// Folder for files that are being written.
#[derive(Debug)]
pub(crate) struct Staging {
    root: PathBuf,
    pub(crate) scratch: Scratch,
    pending: Mutex<Pending>,
}

/// Files that got their places and are not committed.
#[derive(Debug, Default)]
struct Pending {
    paths: Vec<PathBuf>,
    /// A commit has been tried: whether they are part of the case is for the log to say.
    is_tried: bool,
}

/// A staged file that gets its place in the case.
#[derive(Debug)]
pub(crate) struct Move {
    /// Its name in `staging/`.
    pub(crate) from: String,
    /// Its path below the folder of the case.
    pub(crate) to: String,
    /// SHA-256 of it, in hex.
    pub(crate) sha256: String,
    /// Whether anybody may read it who may enter the folder; else it stays its owner's alone.
    pub(crate) is_evidence: bool,
}

impl Staging {
    /// Makes the folder in the case `root`, where there is none, for the writer `holder`.
    ///
    /// The caller holds the writer's lock, and has cleared what a crash left.
    pub(crate) fn begin(root: &Path, holder: &str) -> Result<Self, LakeError> {
        let dir = root.join(FOLDER);
        create_dirs(&dir)?;
        Ok(Self { root: root.to_owned(), scratch: Scratch::begin(&dir, holder)?, pending: Mutex::default() })
    }

    /// Makes staged files durable, and moves them to their places, never over another file. Who writes one need not sync it.
    pub(crate) fn publish(&self, moves: &[Move]) -> Result<(), LakeError> {
        if moves.is_empty() {
            return Ok(());
        }
        let staged: Vec<PathBuf> = moves.iter().map(|file| self.scratch.dir().join(&file.from)).collect();
        sync_all(&staged)?;
        let places: Vec<_> = moves.iter().map(|file| (file.to.clone(), file.sha256.clone())).collect();
        self.scratch.journal.place(&places)?;
        sync_dir(self.scratch.dir())?;
        sync_dir(&self.root)?;
        let mut folders = BTreeSet::new();
        for Move { from, to, is_evidence, .. } in moves {
            let (staged, target) = (self.scratch.dir().join(from), self.root.join(to));
            let Some(folder) = target.parent() else { continue };
            if folders.insert(folder.to_owned()) {
                create_dirs(folder)?;
            }
            put_if_absent(&staged, &target).map_err(LakeError::io("make", &target))?;
            self.pending().paths.push(target.clone());
            if *is_evidence {
                // Not before: in `staging/` a crash would leave it for anybody to read.
                let file = File::open(&target).map_err(LakeError::io("open", &target))?;
                set_read_only(&file, &target)?;
            }
        }
        // The folders themselves have names in those above.
        let above = folders.iter().flat_map(|folder| folder.ancestors().skip(1));
        let above: BTreeSet<_> = above.filter(|above| above.starts_with(&self.root)).map(Path::to_owned).collect();
        let folders: Vec<PathBuf> = folders.into_iter().chain(above).collect();
        sync_all(&folders)
    }

    /// Notes that the log decides from now on what is part of the case.
    pub(crate) fn decide(&self) {
        self.pending().is_tried = true;
    }

    /// Notes that all that got its place has been committed.
    pub(crate) fn settle(&self) {
        *self.pending() = Pending::default();
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let Pending { paths, is_tried } = std::mem::take(&mut *self.pending());
        // What a commit may have named is left to the next writer, who reads the log.
        let mut is_left = is_tried;
        let mut remove = |path: &Path| is_left |= fs::remove_file(path).is_err() && path.symlink_metadata().is_ok();
        if !is_tried {
            // They got their places in this run, where nothing was.
            paths.iter().for_each(|path| remove(path));
        }
        self.scratch.journal.told().staged.iter().for_each(|name| remove(&self.scratch.dir().join(name)));
        // With its journal, the next writer clears what could not be cleared now.
        if !is_left && fs::remove_file(self.scratch.dir().join(JOURNAL_FILE)).is_ok() {
            let _ = fs::remove_dir(self.scratch.dir());
        }
    }
}

/// Deletes what a crashed writer left, the journal last, so that deleting can stop at any instant and be done again.
pub(crate) fn clear(root: &Path, left: &[Left]) -> Result<(), LakeError> {
    for Left { path } in left {
        fs::remove_file(path).map_err(LakeError::io("clear", path))?;
    }
    let dir = root.join(FOLDER);
    let journal = dir.join(JOURNAL_FILE);
    if journal.symlink_metadata().is_ok() {
        fs::remove_file(&journal).map_err(LakeError::io("clear", &journal))?;
    }
    // Empty folders hold nothing of anybody.
    let _ = fs::remove_dir(&dir);
    Ok(())
}

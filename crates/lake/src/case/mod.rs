//! A case: the folder, who may write to it, and what it holds.

pub(crate) mod key;
pub(crate) mod originals;
pub(crate) mod staging;

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::FORMAT_VERSION;
use crate::case::key::KEY_FILE;
use crate::case::staging::Staging;
use crate::ground::durable::create_dirs;
use crate::ground::error::LakeError;
use crate::table::ledger::Operation;
use crate::table::log::{self, Change};
use crate::table::snapshot::Snapshot;

/// What a lock file says when its holder has not written into it.
const DEFAULT_HOLDER: &str = "unknown process";

/// Longest description of a lock's holder that is read back, in bytes.
const MAX_HOLDER_BYTES: u64 = 4096;

/// A case folder that is read.
#[derive(Debug, Clone)]
pub struct Case {
    root: PathBuf,
}

impl Case {
    /// Opens the case in `root`.
    ///
    /// # Errors
    /// When there is no case with at least one commit.
    pub fn open(root: &Path) -> Result<Self, LakeError> {
        let case = Self { root: root.to_owned() };
        if case.exists()? { Ok(case) } else { Err(LakeError::NotACase { path: root.to_owned() }) }
    }

    /// Whether `path` is a case folder, finished or not.
    pub fn is_case(path: &Path) -> bool {
        path.join("events").join("_delta_log").is_dir()
    }

    /// The newest state of the case, with its hash chain checked.
    ///
    /// # Errors
    /// When the log is damaged, altered or of another version.
    pub fn snapshot(&self) -> Result<Snapshot, LakeError> {
        log::replay(&self.events_dir(), &self.log_dir(), None)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn exists(&self) -> Result<bool, LakeError> {
        Ok(Self::is_case(&self.root) && !log::versions(&self.log_dir())?.is_empty())
    }

    pub(crate) fn events_dir(&self) -> PathBuf {
        self.root.join("events")
    }

    pub(crate) fn log_dir(&self) -> PathBuf {
        self.events_dir().join("_delta_log")
    }
}

/// The only process that writes to a case, until it is dropped.
#[derive(Debug)]
pub struct Writer {
    case: Case,
    /// State of the case when it was locked; `None` when it is new.
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) staging: Staging,
    // Released when the file is closed.
    _lock: File,
}

impl Writer {
    /// Makes or opens the case in `root` for writing, and clears what a crashed writer left behind.
    ///
    /// `holder` describes this process to others that find the case locked.
    ///
    /// # Errors
    /// When another process writes to the case, `root` is a folder of something else, or it cannot be written to.
    pub fn open(root: &Path, holder: &str) -> Result<Self, LakeError> {
        Self::open_folder(root, holder).map_err(|error| error.of_writing_to(root))
    }

    fn open_folder(root: &Path, holder: &str) -> Result<Self, LakeError> {
        let case = Case { root: root.to_owned() };
        if !Case::is_case(root) {
            refuse_other_folders(root)?;
        }
        let log_dir = case.log_dir();
        create_dirs(&log_dir)?;
        let lock = take_lock(&root.join("LOCK"), holder)?;
        let snapshot = if case.exists()? { Some(case.snapshot()?) } else { None };
        let staging = Staging::clear(root, &case.events_dir(), snapshot.as_ref())?;
        Ok(Self { case, snapshot, staging, _lock: lock })
    }

    /// The case.
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// State of the case when it was opened or last refreshed; `None` when it is new.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// Takes up the state after a commit, so that the next one can follow it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn refresh(&mut self) -> Result<(), LakeError> {
        let read = self.snapshot.clone();
        self.snapshot = Some(log::replay(&self.case.events_dir(), &self.case.log_dir(), read)?);
        Ok(())
    }

    /// Moves the new files into place and commits: the only way in which a case changes. Returns the new fingerprint.
    ///
    /// `operation` needs to say only what is its own; what every commit says is filled in.
    pub(crate) fn commit(&self, operation: &mut Operation, change: &Change, now_ms: i64) -> Result<String, LakeError> {
        operation.format = FORMAT_VERSION;
        env!("CARGO_PKG_VERSION").clone_into(&mut operation.tool_version);
        operation.previous_sha256 = self.snapshot.as_ref().map(|snapshot| snapshot.fingerprint.clone());
        let names: Vec<String> = change.adds.iter().map(|add| add.path.clone()).collect();
        self.staging.publish(&self.case.events_dir(), &names)?;
        log::commit(&self.case.log_dir(), self.staging.dir(), self.next_version(), now_ms, operation, change)
    }

    /// Number of the commit that comes next.
    pub(crate) fn next_version(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.version + 1)
    }
}

/// A folder that is empty, or holds no more than what a crash before the first commit left, may become a case.
fn refuse_other_folders(root: &Path) -> Result<(), LakeError> {
    if !root.exists() {
        return Ok(());
    }
    let ours = ["events", "staging", "LOCK", KEY_FILE];
    for entry in fs::read_dir(root).map_err(LakeError::io("list", root))? {
        let name = entry.map_err(LakeError::io("list", root))?.file_name();
        if !ours.iter().any(|known| name == *known) {
            return Err(LakeError::Occupied { path: root.to_owned() });
        }
    }
    Ok(())
}

fn take_lock(path: &Path, holder: &str) -> Result<File, LakeError> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut lock = options.open(path).map_err(LakeError::io("open", path))?;
    match lock.try_lock() {
        Ok(()) => (),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The message is a courtesy; without it the lock still holds.
            let _ = (&lock).take(MAX_HOLDER_BYTES).read_to_string(&mut holder);
            let holder = holder.trim();
            let holder = if holder.is_empty() { DEFAULT_HOLDER } else { holder };
            return Err(LakeError::Locked { holder: holder.to_owned() });
        }
        Err(TryLockError::Error(source)) => return Err(LakeError::io("lock", path)(source)),
    }
    let write = |lock: &mut File| {
        lock.set_len(0)?;
        lock.rewind()?;
        lock.write_all(holder.as_bytes())
    };
    write(&mut lock).map_err(LakeError::io("write", path))?;
    Ok(lock)
}

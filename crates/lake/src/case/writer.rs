//! Who may write to a case: one process, and only to a folder that holds nothing but a case.
//!
//! Before anything is made, the folder is looked through: what is neither in the log nor in the journal of a writer that
//! crashed is refused by name. A user may have pointed `--case` to a folder of theirs; the newest commits may be missing
//! from an interrupted copy, and their data files must not be taken for what a crash left; and somebody may have put a
//! link in the place of a file, to have the one that it leads to written over.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use kforensic_event::partition::Folders;

use crate::FORMAT_VERSION;
use crate::case::inspect::{self, Inspection, Stray};
use crate::case::staging::{self, Move, Staging};
use crate::case::{Case, originals};
use crate::ground::durable::{create_dirs, sync_dir};
use crate::ground::error::LakeError;
use crate::table::ledger::Operation;
use crate::table::log::{self, Change};
use crate::table::replay::replay;
use crate::table::snapshot::Snapshot;

/// Name of the lock in the case folder.
pub(crate) const LOCK_FILE: &str = "LOCK";

/// What a lock file says when its holder has not written into it.
const DEFAULT_HOLDER: &str = "unknown process";

/// How the description of a holder begins: a lock file that says something else is not ours to write into.
const HOLDER: &str = "process ";

/// Longest description of a lock's holder that this program ever wrote, in bytes.
const MAX_SIGNATURE_BYTES: usize = 256;

/// Longest description of a lock's holder that is read back, in bytes.
const MAX_HOLDER_BYTES: u64 = 4096;

/// How often the lock is tried, and how long apart. A reader that looks whether somebody writes has it for an instant.
const LOCK_TRIES: u32 = 5;
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// The only process that writes to a case, until it is dropped.
#[derive(Debug)]
pub struct Writer {
    case: Case,
    /// State of the case when it was locked; `None` when it is new.
    pub(crate) snapshot: Option<Snapshot>,
    // Before the lock, so that it is cleared while nobody else writes.
    pub(crate) staging: Staging,
    // Last: a case that came to nothing is taken away with it.
    lock: Lock,
}

impl Writer {
    /// Makes or opens the case in `root` for writing, and clears what a crashed writer left behind.
    ///
    /// `holder` describes this process to others that find the case locked; it begins with `process `.
    ///
    /// # Errors
    /// When another process writes to the case, `root` holds what is not part of a case, or it cannot be written to.
    pub fn open(root: &Path, holder: &str) -> Result<Self, LakeError> {
        Self::open_folder(root, holder).map_err(|error| error.of_writing_to(root))
    }

    fn open_folder(root: &Path, holder: &str) -> Result<Self, LakeError> {
        let case = Case::at(root);
        if root.join(LOCK_FILE).symlink_metadata().is_err() {
            // Nobody writes, and nothing has been made yet.
            look_through(&case)?;
        }
        refuse(root, inspect::odd_kinds(root), false)?;
        let mut lock = Lock::take(root)?;
        let (snapshot, inspection) = look_through(&case)?;
        if let Some(snapshot) = &snapshot {
            let later = |problem| Err(LakeError::Unsupported { version: snapshot.version, problem });
            if let Some(column) = snapshot.unknown_column() {
                return later(format!(
                    "its table has a column `{column}`, which a later version of kforensic has added"
                ));
            }
            if snapshot.folders().is_none() {
                return later("its table has folders that a later version of kforensic has chosen".to_owned());
            }
        }
        lock.sign(holder, snapshot.is_some() || inspection.has_journal)?;
        if inspection.has_journal || !inspection.left.is_empty() {
            staging::clear(root, &inspection.left)?;
        }
        let staging = Staging::begin(root, holder)?;
        Ok(Self { case, snapshot, staging, lock })
    }

    /// The case.
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// State of the case when it was opened or last refreshed; `None` when it is new.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// Which resources have a folder of their own: a case keeps those that it was made with.
    pub(crate) fn folders(&self) -> Folders {
        // A case whose folders are not known was refused.
        self.snapshot.as_ref().map_or(Folders::NOW, |snapshot| snapshot.folders().unwrap_or_default())
    }

    /// Takes up the state after a commit, so that the next one can follow it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn refresh(&mut self) -> Result<(), LakeError> {
        let read = self.snapshot.clone();
        self.snapshot = Some(replay(&self.case.events_dir(), &self.case.log_dir(), read)?);
        Ok(())
    }

    /// Moves the new files into place and commits: the only way in which a case changes. Returns the new fingerprint.
    ///
    /// `operation` needs to say only what is its own; what every commit says is filled in.
    pub(crate) fn commit(&self, operation: &mut Operation, change: &Change, now_ms: i64) -> Result<String, LakeError> {
        operation.format = FORMAT_VERSION;
        env!("CARGO_PKG_VERSION").clone_into(&mut operation.tool_version);
        operation.previous_sha256 = self.snapshot.as_ref().map(|snapshot| snapshot.fingerprint.clone());
        let moves: Vec<Move> = change.adds.iter().filter_map(to_place).collect();
        self.staging.publish(&moves)?;
        let log_dir = self.case.log_dir();
        create_dirs(&log_dir)?;
        for folder in [&self.case.events_dir(), self.case.root()] {
            sync_dir(folder)?;
        }
        self.staging.decide();
        self.lock.keep();
        let version = self.next_version();
        let staged = self.staging.scratch.create(&log::commit_name(version))?;
        let fingerprint = log::commit(&log_dir, staged, version, now_ms, operation, change, self.snapshot.as_ref())?;
        self.staging.settle();
        Ok(fingerprint)
    }

    /// Number of the commit that comes next.
    pub(crate) fn next_version(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.version + 1)
    }
}

/// Where a staged data file goes.
fn to_place(add: &log::Add) -> Option<Move> {
    let from = Path::new(&add.path).file_name()?.to_str()?.to_owned();
    let sha256 = add.tags.get("sha256").cloned().unwrap_or_default();
    Some(Move { from, to: format!("events/{}", add.path), sha256, is_evidence: true })
}

/// Reads the log of a case, if there is one, and refuses a folder that holds what is not part of it.
fn look_through(case: &Case) -> Result<(Option<Snapshot>, Inspection), LakeError> {
    let root = case.root();
    let kind = match root.metadata() {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((None, Inspection::default())),
        Err(error) => return Err(LakeError::io("open", root)(error)),
    };
    if !kind.is_dir() {
        return Err(LakeError::Occupied { path: root.to_owned() });
    }
    refuse(root, inspect::odd_kinds(root), false)?;
    let snapshot = if case.exists()? { Some(case.snapshot()?) } else { None };
    if snapshot.is_none() && !inspect::beside(root)?.is_empty() {
        return Err(LakeError::Occupied { path: root.to_owned() });
    }
    let mut inspection = inspect::inspect(root, snapshot.as_ref())?;
    refuse(root, std::mem::take(&mut inspection.strays), snapshot.is_some())?;
    Ok((snapshot, inspection))
}

/// Fails when there is anything that is not part of the case.
fn refuse(root: &Path, strays: Vec<Stray>, is_case: bool) -> Result<(), LakeError> {
    let more = strays.len().saturating_sub(1);
    let Some(Stray { path, problem }) = strays.into_iter().next() else { return Ok(()) };
    let is_case = is_case || Case::is_case(root);
    Err(LakeError::Stray { path, problem, more, is_case })
}

/// The lock of a case, and what was made with it.
#[derive(Debug)]
struct Lock {
    // Released when the file is closed.
    file: File,
    path: PathBuf,
    /// Made by this run, so that there was no case.
    is_new: bool,
    /// Folders that were made for it, innermost first.
    folders: Vec<PathBuf>,
    /// A commit has been tried: what is there may be a case.
    is_kept: std::sync::atomic::AtomicBool,
}

impl Lock {
    fn take(root: &Path) -> Result<Self, LakeError> {
        let path = root.join(LOCK_FILE);
        let mut folders = Vec::new();
        for folder in root.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
            if folder.symlink_metadata().is_ok() {
                break;
            }
            folders.push(folder.to_owned());
        }
        create_dirs(root)?;
        loop {
            let (file, is_new) = open_lock(&path).map_err(LakeError::io("open", &path))?;
            try_lock(&file, &path)?;
            // A writer whose case came to nothing takes its lock file away: then this is not the one that others see.
            if is_at(&file, &path) {
                return Ok(Self { file, path, is_new, folders, is_kept: false.into() });
            }
        }
    }

    /// Writes who holds the lock; `is_ours` when the file is known to be that of a case.
    fn sign(&mut self, holder: &str, is_ours: bool) -> Result<(), LakeError> {
        let mut before = String::new();
        let read = (&self.file).take(MAX_HOLDER_BYTES).read_to_string(&mut before);
        let is_signed = read.is_ok_and(|bytes| bytes <= MAX_SIGNATURE_BYTES)
            && before.starts_with(HOLDER)
            && !before.trim_end().contains('\n');
        let is_blank = self.file.metadata().is_ok_and(|metadata| metadata.len() == 0);
        // The message is a courtesy: a file that may be somebody's, under this name or another, stays as it is.
        if !(self.is_new || is_signed || is_blank && is_ours) || links(&self.file) > 1 {
            return Ok(());
        }
        let failed = LakeError::io("write", &self.path);
        let mut write = || {
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.file.write_all(holder.as_bytes())
        };
        write().map_err(failed)
    }

    fn keep(&self) {
        self.is_kept.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Drop for Lock {
    /// Takes away what a case that came to nothing left: a mistake should leave nothing behind.
    fn drop(&mut self) {
        if !self.is_new || self.is_kept.load(std::sync::atomic::Ordering::Relaxed) {
            return;
        }
        let root = self.path.parent().unwrap_or(&self.path).to_owned();
        for folder in ["events", originals::FOLDER].map(|folder| root.join(folder)) {
            for entry in walkdir::WalkDir::new(folder).contents_first(true).into_iter().flatten() {
                if entry.file_type().is_dir() {
                    // Only what is empty goes.
                    let _ = fs::remove_dir(entry.path());
                }
            }
        }
        let _ = fs::remove_file(&self.path);
        for folder in &self.folders {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

/// Opens the lock file without following a link; whether it was made.
fn open_lock(path: &Path) -> std::io::Result<(File, bool)> {
    let mut options = File::options();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    }
    match options.clone().create_new(true).open(path) {
        Ok(file) => Ok((file, true)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok((options.open(path)?, false)),
        Err(error) => Err(error),
    }
}

fn try_lock(file: &File, path: &Path) -> Result<(), LakeError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if tries < LOCK_TRIES => thread::sleep(LOCK_WAIT),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The message is a courtesy; without it the lock still holds.
                let _ = file.take(MAX_HOLDER_BYTES).read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() { DEFAULT_HOLDER } else { holder };
                return Err(LakeError::Locked { holder: holder.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(LakeError::io("lock", path)(source)),
        }
    }
}

/// Whether somebody writes to the case in `root` at this moment, as far as its lock tells.
pub(crate) fn is_written_to(root: &Path) -> bool {
    let path = root.join(LOCK_FILE);
    if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    // Closing the file gives the lock back.
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(open), Ok(named)) = (file.metadata(), path.symlink_metadata()) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Names that the file has.
#[cfg(unix)]
fn links(file: &File) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(&match file.metadata() {
        Ok(metadata) => metadata,
        Err(_) => return u64::MAX,
    })
}

#[cfg(not(unix))]
fn links(_: &File) -> u64 {
    1
}

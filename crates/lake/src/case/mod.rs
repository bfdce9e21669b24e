//! A case: the folder, who may write to it, and what it holds.

pub(crate) mod dated;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod notes;
pub(crate) mod originals;
pub(crate) mod staging;
pub(crate) mod writer;

use std::io;
use std::path::{Path, PathBuf};

use crate::ground::error::LakeError;
use crate::table::log;
use crate::table::replay::replay;
use crate::table::snapshot::Snapshot;

pub use writer::Writer;

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
        let case = Self::at(root);
        // What another user may not look into is not missing.
        if let Err(source) = case.log_dir().metadata()
            && source.kind() == io::ErrorKind::PermissionDenied
        {
            return Err(LakeError::NotReadable { path: root.to_owned(), source });
        }
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
        let snapshot = replay(&self.events_dir(), &self.log_dir(), None)?;
        Ok(Snapshot { notes: self.notes()?, ..snapshot })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The case in `root`, which may not be there yet.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Whether it has a commit.
    pub(crate) fn exists(&self) -> Result<bool, LakeError> {
        Ok(Self::is_case(&self.root) && !log::versions(&self.log_dir())?.is_empty())
    }

    pub(crate) fn events_dir(&self) -> PathBuf {
        self.root.join("events")
    }

    pub(crate) fn log_dir(&self) -> PathBuf {
        self.events_dir().join("_delta_log")
    }
}

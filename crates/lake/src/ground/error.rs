//! What can go wrong with a case.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// An error of the case on disk. Bad log lines are not errors: they are rejects.
#[derive(Debug, Error)]
pub enum LakeError {
    /// A path given for ingest does not exist.
    #[error("`{path}` does not exist")]
    NoSuchPath {
        /// The path as given.
        path: PathBuf,
    },
    /// No input holds a trace of an audit event.
    #[error("no audit log found in the given folders ({skipped} other files in them)")]
    NothingToRead {
        /// Files that were looked at.
        skipped: usize,
    },
    /// The folder holds no case.
    #[error("`{path}` is not a case")]
    NotACase {
        /// The folder.
        path: PathBuf,
    },
    /// The folder exists, is not empty, and is not a case.
    #[error("`{path}` is a folder with other files in it, not a case")]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// Another process writes to the case.
    #[error("another process is writing to the case: {holder}")]
    Locked {
        /// What the lock file says about it.
        holder: String,
    },
    /// The case, or the folder that it is to be made in, cannot be written to.
    #[error("the case `{path}` cannot be written: {source}")]
    NotWritable {
        /// The folder of the case.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A source was changed between the two times that it is looked at.
    #[error("`{name}` was changed while it was read; the case is as it was before")]
    SourceChanged {
        /// Its name.
        name: String,
    },
    /// The case was written by a version of kforensic with another layout, or by another tool.
    #[error("commit {version} of the case cannot be read: {problem}")]
    Unsupported {
        /// Commit.
        version: u64,
        /// What is not understood.
        problem: String,
    },
    /// The case is not what its own log says.
    #[error("the case has been altered: {problem}")]
    Altered {
        /// What differs, and where.
        problem: String,
    },
    /// The user asked to stop.
    #[error("interrupted: the case is as it was before")]
    Interrupted,
    /// The accounts do not add up; nothing was committed.
    #[error("internal error: the accounts do not add up ({problem}); nothing was written")]
    Accounts {
        /// Which sum is wrong.
        problem: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A Parquet file cannot be read or written.
    #[error("cannot {action} `{path}`: {source}")]
    Parquet {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: parquet::errors::ParquetError,
    },
    /// Rows cannot be put together.
    #[error("rows do not fit the table: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}

impl LakeError {
    /// Turns an I/O error into one that says what was tried and on what.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// The same for Parquet.
    pub(crate) fn parquet(action: &'static str, path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        let path = path.to_owned();
        move |source| Self::Parquet { action, path, source }
    }

    /// Says of the case in `root` that it cannot be written to, when that is the cause of the error.
    pub(crate) fn of_writing_to(self, root: &Path) -> Self {
        use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match self {
            Self::Io { source, .. } if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem) => {
                Self::NotWritable { path: root.to_owned(), source }
            }
            other => other,
        }
    }

    /// Whether the evidence itself is altered or cannot be read (exit code 3).
    pub fn is_about_evidence(&self) -> bool {
        matches!(
            self,
            Self::Unsupported { .. }
                | Self::Altered { .. }
                | Self::SourceChanged { .. }
                | Self::Io { .. }
                | Self::Parquet { .. }
        )
    }
}

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
    /// A path given for ingest is a link to what does not exist.
    #[error("`{path}` is a symbolic link to `{target}`, which does not exist")]
    LeadsNowhere {
        /// The path as given.
        path: PathBuf,
        /// Where the link points to, as it is written in it.
        target: PathBuf,
    },
    /// No input holds a trace of an audit event.
    #[error("no audit log found in the given folders ({} in them{})", others(*skipped), like_logs_of(*like_logs))]
    NothingToRead {
        /// Files that were looked at.
        skipped: usize,
        /// Those of them that look like logs, or cannot be looked into.
        like_logs: usize,
        /// The first of those, and why it was left out.
        first: Option<(String, String)>,
    },
    /// The folder holds no case.
    #[error("`{path}` is not a case")]
    NotACase {
        /// The folder.
        path: PathBuf,
    },
    /// The folder cannot be looked into.
    #[error("the case `{path}` cannot be read: {source}")]
    NotReadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder exists, is not empty, and is not a case.
    #[error("`{path}` is a folder with other files in it, not a case")]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds something that is neither part of the case nor left by a writer that crashed.
    #[error("`{path}` {problem}{}", more_of(*more))]
    Stray {
        /// The first such thing.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
        /// How many more there are.
        more: usize,
        /// Whether the folder is a case; else it is somebody's.
        is_case: bool,
    },
    /// Nothing came through standard input.
    #[error("there is nothing on standard input")]
    EmptyInput,
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
    /// That nothing is at a path that was given.
    pub fn no_such_path(path: &Path) -> Self {
        match path.read_link() {
            Ok(target) => Self::LeadsNowhere { path: path.to_owned(), target },
            Err(_) => Self::NoSuchPath { path: path.to_owned() },
        }
    }

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
                | Self::Stray { is_case: true, .. }
                | Self::Io { .. }
                | Self::Parquet { .. }
        )
    }
}

fn more_of(more: usize) -> String {
    if more == 0 { String::new() } else { format!(", and there are {more} more such things") }
}

fn others(files: usize) -> String {
    if files == 1 { "1 other file".to_owned() } else { format!("{files} other files") }
}

fn like_logs_of(like_logs: usize) -> String {
    if like_logs == 0 { String::new() } else { format!(", {like_logs} of which may be logs all the same") }
}

//! One module for each command.

pub(crate) mod ingest;
pub(crate) mod query;
pub(crate) mod status;

use std::path::PathBuf;

use kforensic_query::Limits;
use tempfile::TempDir;

use crate::error::CliError;

/// Memory that a query may take before it uses the disk: half of what a small laptop has.
const QUERY_MEMORY_BYTES: u64 = 4 << 30;

/// The case that is meant when none is named.
const DEFAULT_CASE: &str = "kforensic-case";

/// The folder of the case: as named, or the default in the current folder.
pub(crate) fn case_folder(named: Option<&PathBuf>) -> PathBuf {
    named.cloned().unwrap_or_else(|| PathBuf::from(DEFAULT_CASE))
}

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Done,
    /// Done, but there were lines that are no audit events.
    LinesRejected,
}

impl Outcome {
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::LinesRejected => 1,
        }
    }
}

/// What a query may use, and the folder it may spill into, which is removed when it is dropped.
pub(crate) fn limits() -> Result<(Limits, TempDir), CliError> {
    let failed = |source| CliError::Spill { path: std::env::temp_dir(), source };
    let spill = tempfile::Builder::new().prefix("kforensic-").tempdir().map_err(failed)?;
    let limits = Limits {
        memory_bytes: QUERY_MEMORY_BYTES,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        temp_directory: spill.path().to_owned(),
    };
    Ok((limits, spill))
}

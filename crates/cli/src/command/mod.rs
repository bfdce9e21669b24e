//! One module for each command.

pub(crate) mod catalogue;
pub(crate) mod compact;
pub(crate) mod completions;
pub(crate) mod coverage;
pub(crate) mod describe;
pub(crate) mod hits;
pub(crate) mod ingest;
pub(crate) mod prune;
pub(crate) mod queries;
pub(crate) mod query;
pub(crate) mod report;
pub(crate) mod show;
pub(crate) mod sql;
pub(crate) mod status;
pub(crate) mod tag;
pub(crate) mod triage;
pub(crate) mod verify;
pub(crate) mod version;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use clap::error::{ContextKind, ContextValue};
use kforensic_query::{Catalogue, Limits};
use kforensic_report::Format;
use tempfile::TempDir;

use crate::checks;
use crate::error::CliError;
use crate::message;
use crate::terminal;
use crate::{places, proxies};

/// Memory that a query may take before it uses the disk: half of what a small laptop has.
pub(crate) const QUERY_MEMORY_BYTES: u64 = 4 << 30;

/// The case that is meant when none is named.
const DEFAULT_CASE: &str = "kforensic-case";

/// The folder of the case: as named, or the default in the current folder.
pub(crate) fn case_folder(named: Option<&PathBuf>) -> PathBuf {
    named.cloned().unwrap_or_else(|| PathBuf::from(DEFAULT_CASE))
}

/// Tells what is wrong with a command line, or the help that it asks for. Whoever names a question in the place of a command is
/// told how to ask it.
pub(crate) fn unknown(error: &clap::Error) -> ExitCode {
    // Where nobody listens, there is nobody to tell.
    let _ = error.print();
    let word = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) => word.as_str(),
        _ => "",
    };
    if Catalogue::embedded().is_ok_and(|catalogue| catalogue.find(word).is_ok()) {
        message::hint(&format!("`{word}` is a question: `kforensic query {word}`"));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// The command of a shell that makes all commands behind it ask this case; `None` where they do anyway.
pub(crate) fn choose(case: &Path) -> Option<String> {
    let of_environment = std::env::var_os("KFORENSIC_CASE").is_some_and(|named| Path::new(&named) == case);
    let is_chosen = of_environment || case == Path::new(DEFAULT_CASE);
    (!is_chosen).then(|| format!("export KFORENSIC_CASE={}", message::quoted(&case.display().to_string())))
}

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Done,
    /// Done, but there were lines that are no audit events.
    LinesRejected,
    /// Something was found that is at least as bad as the user said.
    Findings,
    /// The check is done, and the evidence is not what it was.
    EvidenceDiffers,
    /// Errors were told, and what followed was done.
    Failed {
        /// That of the first error.
        exit_code: u8,
    },
}

impl Outcome {
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::LinesRejected => 1,
            Self::EvidenceDiffers => 3,
            Self::Findings => 10,
            Self::Failed { exit_code } => exit_code,
        }
    }
}

/// What a query may use, and the folder it may spill into, which is removed when it is dropped.
pub(crate) fn limits() -> Result<(Limits, TempDir), CliError> {
    let failed = |source| CliError::Spill { path: std::env::temp_dir(), source };
    let spill = tempfile::Builder::new().prefix("kforensic-").tempdir().map_err(failed)?;
    let limits = Limits {
        memory_bytes: QUERY_MEMORY_BYTES,
        threads: threads(),
        temp_directory: spill.path().to_owned(),
        checks: checks::wanted(),
        places: places::wanted(),
        proxies: proxies::wanted(),
    };
    Ok((limits, spill))
}

/// Threads that answer: as many as `KFORENSIC_THREADS` says, on a host that has other work to do, else one a core. No answer depends
/// on them.
fn threads() -> usize {
    let wanted = std::env::var("KFORENSIC_THREADS").ok().and_then(|threads| threads.parse().ok());
    let wanted = wanted.filter(|threads| (1..=MAX_THREADS).contains(threads));
    wanted.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Beyond it a thread has no work in the largest case, and each takes memory.
const MAX_THREADS: usize = 256;

/// Prints columns of texts as a table on standard output.
pub(crate) fn table_of_texts(columns: Vec<(&str, Vec<Option<String>>)>) -> Result<(), CliError> {
    let columns = columns.into_iter().map(|(name, texts)| (name, Arc::new(StringArray::from(texts)) as ArrayRef, true));
    let batch = match RecordBatch::try_from_iter_with_nullable(columns) {
        Ok(batch) => batch,
        Err(error) => unreachable!("columns made of the same things have the same length: {error}"),
    };
    let mut out = std::io::stdout().lock();
    let mut sink = Format::Table.writer(batch.schema(), terminal::stdout_layout(), &mut out)?;
    sink.write_batch(&batch)?;
    sink.finish()?;
    Ok(())
}

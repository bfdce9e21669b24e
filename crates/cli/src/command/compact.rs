//! `kforensic compact`, and what it shares with the other commands that write to a case.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use kforensic_lake::{Case, Compaction, GRACE_MS, Progress, Swept, UpkeepOptions, Writer};
use kforensic_query::window;
use serde_json::json;

use crate::args::{CompactArgs, GraceArgs};
use crate::command::{Outcome, case_folder};
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::message;
use crate::progress::ProgressLine;

/// Small files that a partition may keep: one alone has nothing to be merged with.
const ALONE: usize = 1;

/// Merges the small files of the case.
pub(crate) fn run(case: Option<&PathBuf>, args: &CompactArgs, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let folder = case_folder(case);
    let now = Utc::now();
    let options = options(&args.grace, now.timestamp_millis())?;
    // Looked for first, because opening a writer makes a case where there is none.
    Case::open(&folder)?;
    let writer = writer(&folder, now)?;
    let done = watched(interrupt, |progress| kforensic_lake::compact(&writer, ALONE, &options, progress))?;
    match args.format.as_str() {
        "json" => message::print_json(&json!(done))?,
        _ => {
            let state = match done.version {
                Some(_) => summary(&done),
                None => format!("nothing to merge in `{}`", folder.display()),
            };
            message::plain(&format!("{state}, fingerprint {}", done.fingerprint));
            say_swept(&done.swept, &options);
        }
    }
    Ok(Outcome::Done)
}

/// What a compaction did, for the line under the accounts.
pub(crate) fn summary(done: &Compaction) -> String {
    let merged = &done.compacted;
    let version = done.version.unwrap_or_default();
    format!("commit {version} merges {} small files into {}", merged.files_before, merged.files_after)
}

/// Says what became of removed files.
pub(crate) fn say_swept(swept: &Swept, options: &UpkeepOptions) {
    if swept.deleted_files > 0 {
        message::plain(&format!("deleted {} removed files with {} bytes", swept.deleted_files, swept.deleted_bytes));
    }
    if swept.strange_files > 0 {
        message::warning(&format!(
            "{} files have the name of a removed file and are not it: they are left, and `kforensic verify` names them",
            swept.strange_files
        ));
    }
    if swept.waiting_files > 0 {
        message::note(&format!(
            "{} removed files are still there; the first ingest, compact or prune that comes {} minutes after their \
             removal deletes them",
            swept.waiting_files,
            options.grace_ms / 60_000
        ));
    }
}

/// Opens the case in that folder for writing.
pub(crate) fn writer(folder: &Path, now: DateTime<Utc>) -> Result<Writer, CliError> {
    let holder = format!("process {} since {}", std::process::id(), now.format("%Y-%m-%dT%H:%M:%SZ"));
    Ok(Writer::open(folder, &holder)?)
}

/// How upkeep runs.
pub(crate) fn options(args: &GraceArgs, now_ms: i64) -> Result<UpkeepOptions, CliError> {
    let grace = args.grace.as_deref().map(window::parse_length).transpose()?;
    Ok(UpkeepOptions {
        grace_ms: grace.map_or(GRACE_MS, |seconds| seconds.saturating_mul(1_000)),
        threads: cores(),
        arguments: arguments(),
        now_ms,
    })
}

/// Threads to work with.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The command line, for the ledger.
pub(crate) fn arguments() -> Vec<String> {
    std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// Does `work` while somebody can watch it and stop it.
pub(crate) fn watched<T>(interrupt: &Interrupt, work: impl FnOnce(&Progress) -> T) -> T {
    let progress = Arc::new(Progress::default());
    let cancelled = Arc::clone(&progress);
    interrupt.on(move || cancelled.cancel());
    let line = ProgressLine::show(&progress);
    let done = work(&progress);
    drop(line);
    done
}

//! Whether the files of the case are checked before they answer, and what an answer says when they are not.

use std::path::PathBuf;
use std::sync::OnceLock;

use kforensic_query::{Checks, Session};

use crate::error::CliError;
use crate::message;
use crate::repl::user_folder;

/// What `--no-check` said: the command line is read once, and what it says of evidence holds for every command alike,
/// also for one that forgets to ask.
static IS_SKIPPED: OnceLock<bool> = OnceLock::new();

/// Takes up `--no-check`.
pub(crate) fn skip(is_skipped: bool) {
    // Only `main` says so, once.
    let _ = IS_SKIPPED.set(is_skipped);
}

/// Whether files are checked, by the command line: results are remembered in `$XDG_CACHE_HOME/kforensic`, else in
/// `~/.cache/kforensic`.
pub(crate) fn wanted() -> Checks {
    match IS_SKIPPED.get() {
        Some(true) => Checks::Never,
        _ => Checks::All { memory: memory(), threads: std::thread::available_parallelism().map_or(1, usize::from) },
    }
}

/// Where results are remembered.
pub(crate) fn memory() -> Option<PathBuf> {
    user_folder("CACHE", ".cache")
}

/// What an answer owes its reader when the files were not checked.
const UNCHECKED: &str = "the files of the case were not held against their hashes: --no-check";

/// What the answer of a session owes its reader.
pub(crate) fn reservation(session: &Session) -> Option<&'static str> {
    (!session.is_checked()).then_some(UNCHECKED)
}

/// What all answers of this run owe their readers.
pub(crate) fn reservation_of_all() -> Option<&'static str> {
    (wanted() == Checks::Never).then_some(UNCHECKED)
}

/// Says when files are not checked in this run.
pub(crate) fn remark() {
    if let Some(reservation) = reservation_of_all() {
        message::warning(reservation);
    }
}

/// Ends an answer: says when its files were not checked, and fails when one was changed meanwhile.
pub(crate) fn end(session: &Session) -> Result<(), CliError> {
    if let Some(reservation) = reservation(session) {
        message::warning(reservation);
    }
    Ok(session.still_checked()?)
}

//! What could stand at the cursor. Pure: text, cursor and dictionary in, candidates out.
//!
//! What is inserted is on one line, holds no character that a terminal obeys or hides, and is one SQL expression or one
//! word of a command: a user name from the log cannot become SQL or a second command.

mod command;
mod sql;

use kforensic_report::escape;

pub(super) use sql::is_keyword;

use super::commands::Commands;
use super::dictionary::Dictionary;

/// Most candidates that anyone looks through.
const CANDIDATES_MAX: usize = 400;

/// Something that could stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// How it is listed.
    pub(super) shown: String,
    /// What is put in place of the text from the start of the completion to the cursor.
    pub(super) inserted: String,
}

impl Candidate {
    /// A name of ours, such as a view.
    fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { shown: text.clone(), inserted: text }
    }

    /// A value from the case.
    fn value(value: &str, inserted: String) -> Self {
        Self { shown: escape(value).into_owned(), inserted }
    }
}

/// What could stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Completion {
    /// One of these, in place of the text from byte `start` on.
    Words { start: usize, candidates: Vec<Candidate> },
    /// A file whose path begins with `typed`; the word begins at byte `start`.
    File { start: usize, typed: String, folders_only: bool },
}

impl Completion {
    fn words(start: usize, candidates: impl IntoIterator<Item = Candidate>) -> Self {
        let mut words: Vec<Candidate> = Vec::new();
        for candidate in candidates {
            if words.len() == CANDIDATES_MAX {
                break;
            }
            if !words.iter().any(|word| word.inserted == candidate.inserted) {
                words.push(candidate);
            }
        }
        Self::Words { start, candidates: words }
    }

    fn none(at: usize) -> Self {
        Self::Words { start: at, candidates: Vec::new() }
    }
}

/// What could stand at byte `cursor` of `text`.
pub(super) fn complete(text: &str, cursor: usize, dictionary: &Dictionary, commands: &Commands) -> Completion {
    let cursor = floor(text, cursor);
    let indent = text.len() - text.trim_start().len();
    if text[indent..].starts_with('.') && cursor > indent {
        command::complete(text, indent, cursor, dictionary, commands)
    } else {
        sql::complete(text, 0, cursor, dictionary)
    }
}

/// The last place at or before `at` where a character begins.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Whether `word` begins with `typed`, in any case.
fn begins(word: &str, typed: &str) -> bool {
    word.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
}

/// The words that begin with `typed`; when none does, those that contain it: `web` finds `system:serviceaccount:prod:web`.
fn matching<'a>(words: impl Iterator<Item = &'a str> + Clone, typed: &str) -> Vec<&'a str> {
    let found: Vec<&str> = words.clone().filter(|word| begins(word, typed)).collect();
    if !found.is_empty() || typed.is_empty() {
        return found;
    }
    let typed = typed.to_lowercase();
    words.filter(|word| word.to_lowercase().contains(&typed)).collect()
}

#[cfg(test)]
mod tests;

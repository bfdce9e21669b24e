//! The journal: what was asked of which state of which case, when, and with what result; and what the analyst noted.
//!
//! It is written as it grows, a line of JSON for each entry, so that a crash loses nothing. As Markdown it is the
//! analyst's working notes: whoever has the case can run them again.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use kforensic_report::is_hostile;
use serde_json::{Value, json};

use super::error::ReplError;
use super::folder::StateFolder;
use crate::message;

/// Longest fence that readers of Markdown agree on.
const FENCE_MAX: usize = 60;

/// Something that happened, and when: RFC 3339.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) time: String,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// A case was opened.
    Case {
        folder: String,
        fingerprint: String,
        version: u64,
    },
    /// A statement or canned query was run.
    Statement {
        /// As it can be run again: with all filters of the session.
        text: String,
        /// Rows of the whole result; `None` when there was none.
        rows: Option<u64>,
        seconds: f64,
        /// The state of the case: the version of its log.
        version: u64,
        error: Option<String>,
    },
    Note {
        text: String,
    },
}

/// The journal of a session.
pub(super) struct Journal {
    entries: Vec<Entry>,
    file: Option<(PathBuf, File)>,
}

impl Journal {
    /// A journal that is only kept in memory.
    pub(super) fn in_memory() -> Self {
        Self { entries: Vec::new(), file: None }
    }

    /// A journal in a file of its own in `folder`, named by the time and the process.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(super) fn in_folder(folder: &StateFolder, time: &str) -> Result<Self, ReplError> {
        let time: String = time.chars().take(19).filter(char::is_ascii_alphanumeric).collect();
        let file = folder.file(&format!("journal-{time}Z-{}.jsonl", std::process::id()))?;
        Ok(Self { entries: Vec::new(), file: Some(file) })
    }

    /// Where it is kept.
    pub(super) fn path(&self) -> Option<&PathBuf> {
        self.file.as_ref().map(|(path, _)| path)
    }

    /// Adds an entry. When the file cannot be written, the session goes on without.
    pub(super) fn add(&mut self, time: String, what: What) {
        let entry = Entry { time, what };
        if let Some((path, file)) = &mut self.file
            && let Err(source) = writeln!(file, "{}", as_json(&entry))
        {
            message::warning(&ReplError::File { action: "write", path: path.clone(), source }.to_string());
            self.file = None;
        }
        self.entries.push(entry);
    }

    /// The whole journal as Markdown.
    pub(super) fn markdown(&self) -> String {
        let mut text = String::from("# kforensic journal\n");
        for entry in &self.entries {
            // Writing into a string cannot fail.
            let time = message::time(&entry.time);
            match &entry.what {
                What::Case { folder, fingerprint, version } => {
                    let folder = code(folder);
                    let _ = write!(
                        text,
                        "\n## {time} UTC: case {folder}\n\nkforensic {}, commit {version} of the case, fingerprint `{fingerprint}`\n",
                        env!("CARGO_PKG_VERSION")
                    );
                }
                What::Note { text: note } => {
                    let _ = write!(text, "\n{time} UTC, note:\n\n{}", fenced("text", note));
                }
                What::Statement { text: statement, rows, seconds, version, error } => {
                    let result = match (rows, error) {
                        (_, Some(error)) => format!("failed: {}", code(error)),
                        (Some(1), None) => "1 row".to_owned(),
                        (Some(rows), None) => format!("{rows} rows"),
                        (None, None) => "done".to_owned(),
                    };
                    let language = if statement.starts_with('.') { "text" } else { "sql" };
                    let fenced = fenced(language, statement);
                    let _ = write!(text, "\n{time} UTC, commit {version}, {result}, {seconds:.3} s:\n\n{fenced}");
                }
            }
        }
        text
    }
}

fn as_json(entry: &Entry) -> Value {
    let time = &entry.time;
    match &entry.what {
        What::Case { folder, fingerprint, version } => {
            json!({"time": time, "case": folder, "fingerprint": fingerprint, "version": version})
        }
        What::Statement { text, rows, seconds, version, error } => {
            json!({"time": time, "statement": text, "rows": rows, "seconds": seconds, "version": version, "error": error})
        }
        What::Note { text } => json!({"time": time, "note": text}),
    }
}

/// Text in a fence that it cannot end, without characters that a reader obeys or hides.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|next| next != '`').map(str::len).max().unwrap_or(0);
    let (fence, keeps_ticks) = match longest + 1 {
        length if length <= FENCE_MAX => ("`".repeat(length.max(3)), true),
        _ => ("```".to_owned(), false),
    };
    let mut shown = String::with_capacity(text.len());
    for next in text.chars() {
        match next {
            '\n' => shown.push('\n'),
            '`' if !keeps_ticks => shown.push_str("\\x60"),
            _ if is_hostile(next) => shown.extend(next.escape_unicode()),
            _ => shown.push(next),
        }
    }
    format!("{fence}{language}\n{}\n{fence}\n", shown.trim_end_matches('\n'))
}

/// Text in a code span, on one line.
fn code(text: &str) -> String {
    format!("`{}`", kforensic_report::escape(text).replace('`', "\\x60"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_in_its_fence() {
        let mut journal = Journal::in_memory();
        journal.add(
            "2026-11-25T09:36:00.000000Z".into(),
            What::Case { folder: "a`b\n".into(), fingerprint: "f".into(), version: 2 },
        );
        for text in ["```\n# not a heading\n<script>\x1b[2J", &"`".repeat(100), "plain"] {
            journal.add("2026-11-25T09:36:01.000000Z".into(), What::Note { text: text.into() });
        }
        let statement =
            What::Statement { text: "SELECT '````';".into(), rows: Some(1), seconds: 0.5, version: 2, error: None };
        journal.add("2026-11-25T09:36:02.000000Z".into(), statement);
        let text = journal.markdown();
        assert!(text.contains("## 2026-11-25 09:36:00.000 UTC: case `a\\x60b\\n`\n"), "{text}");
        assert!(text.contains("\n````text\n```\n# not a heading\n<script>\\u{1b}[2J\n````\n"), "{text}");
        assert!(text.contains("commit 2, 1 row, 0.500 s:\n\n`````sql\nSELECT '````';\n`````\n"), "{text}");
        assert!(!text.chars().any(|next| next != '\n' && is_hostile(next)));
    }
}

//! What stands beside the rows of an answer in a file that goes to somebody else: which question, of which case, how to
//! ask again, and what the answer is worth.

use crate::document::Text;

/// What an answer is about. Texts may quote names from the evidence; each format escapes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What the answer is called.
    pub title: String,
    /// The question, as an analyst asks it.
    pub question: Option<String>,
    /// The folder of the case.
    pub case: Option<String>,
    /// Hash of the newest commit of the case: which state of it answered.
    pub fingerprint: Option<String>,
    /// The times that were asked about, in words.
    pub window: Option<String>,
    /// The time of the newest event of the case, in words.
    pub newest: Option<String>,
    /// The command that was given.
    pub command: Option<String>,
    /// The statement that ran, with its values.
    pub sql: Option<String>,
    /// Whether the log could show what was asked for, in words.
    pub verdict: Option<String>,
    /// Whether the verdict takes something back from the rows.
    pub is_reserved: bool,
    /// What is left out, and whatever else the reader must know, each in a sentence.
    pub notes: Vec<String>,
}

/// Program and version, as files name what made them.
pub(crate) fn made_by() -> String {
    format!("kforensic {}", env!("CARGO_PKG_VERSION"))
}

impl About {
    /// The title; an answer without one is an answer all the same.
    pub(crate) fn title(&self) -> &str {
        if self.title.is_empty() { "Answer" } else { &self.title }
    }

    /// Names and what they are here, in the order in which files list them; `rows` says how many there are.
    pub(crate) fn facts(&self, rows: String) -> Vec<(&'static str, String)> {
        let facts = [
            ("Question", self.question.clone()),
            ("Case", self.case.clone()),
            ("Fingerprint", self.fingerprint.clone()),
            ("Times", self.window.clone()),
            ("Newest event", self.newest.clone()),
            ("Rows", Some(rows)),
        ];
        facts.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
    }

    /// The same as texts of a document: what the user or the evidence chose is a name there.
    pub(crate) fn texts(&self, rows: String) -> Vec<(String, Text)> {
        let text = |(name, text): (&'static str, String)| {
            let is_name = matches!(name, "Case" | "Fingerprint");
            (name.to_owned(), if is_name { Text::name(text) } else { Text::plain(text) })
        };
        self.facts(rows).into_iter().map(text).collect()
    }
}

/// `3 rows`, or how many of how many.
pub(crate) fn counted(shown: u64, total: u64) -> String {
    match shown == total {
        true => format!("{total}"),
        false => format!("{shown} of {total}: {} are left out here", total - shown),
    }
}

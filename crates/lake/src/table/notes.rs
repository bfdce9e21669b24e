//! What the notes of a case say: a part of its snapshot, beside the table.

use serde::{Deserialize, Serialize};

/// A note, a line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its number, counted from 1.
    pub number: u64,
    /// When it was written, in milliseconds since 1970.
    pub at_ms: i64,
    /// Fingerprint of the case at that time.
    pub fingerprint: String,
    /// SHA-256 of the line before, in hex; absent in the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous_sha256: Option<String>,
    /// What it says.
    #[serde(flatten)]
    pub said: Said,
}

/// What a note says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Said {
    /// Somebody put a word on events.
    Tag {
        /// The events.
        audit_ids: Vec<String>,
        /// The word.
        tag: String,
        /// What else there is to say.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
        /// Who.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        author: Option<String>,
    },
    /// A report was made.
    Report {
        /// Its template: the next report of the same goes on where this ended.
        template: String,
        /// The newest commit whose events it is about.
        through_commit: u64,
        /// SHA-256 of the report, in hex.
        sha256: String,
    },
}

/// The notes of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// All of them, in order, as far as the chain holds.
    pub list: Vec<Note>,
    /// SHA-256 of the newest, in hex.
    pub newest_sha256: Option<String>,
    /// What is wrong with the file, if anything.
    pub problem: Option<String>,
}

impl Notes {
    /// The newest commit that a report of this template is about.
    pub fn reported_through(&self, template: &str) -> Option<u64> {
        let through = |note: &Note| match &note.said {
            Said::Report { template: of, through_commit, .. } if of == template => Some(*through_commit),
            _ => None,
        };
        self.list.iter().filter_map(through).max()
    }
}

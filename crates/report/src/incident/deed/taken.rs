//! What a deletion of many objects at once took: those that fit a selector, or all.

use super::{outcome, short};
use crate::document::Text;
use crate::incident::row::Row;

/// What a `deletecollection` was for, and what it took, as far as the log tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Whether the log shows that it was done.
    pub is_sure: bool,
    /// Labels and fields of the objects that it was for; `None` is all of them.
    pub selector: Option<String>,
    /// How many there were; `None` when no answer tells.
    pub deleted: Option<i64>,
}

impl Taken {
    /// What the row of a request to delete many objects tells of them, unless nothing was deleted because it was refused.
    pub(super) fn of(row: Row<'_>) -> Option<Self> {
        let outcome = outcome(row);
        if row.text("verb") != Some("deletecollection") || matches!(outcome, Some("denied" | "failed")) {
            return None;
        }
        Some(Self {
            is_sure: outcome != Some("unknown"),
            selector: row.text("selector").map(str::to_owned),
            deleted: row.number("deleted"),
        })
    }

    /// `deleted all events of prod, 7 of them`, of which `words` name the objects.
    pub(super) fn told(&self, text: Text, words: &Text) -> Text {
        let did = if self.is_sure { "deleted " } else { "may have deleted " };
        let text = text.and(did).and(if self.selector.is_some() { "" } else { "all " }).then(words.clone());
        let text = match &self.selector {
            Some(selector) => text.and(", those that fit ").and_name(short(selector)),
            None => text,
        };
        match self.deleted {
            Some(number) => text.and(format!(", {number} of them")),
            None => text,
        }
    }
}

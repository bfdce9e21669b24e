//! The rules of a role that somebody wrote: a row of a detection for each, which are told in one sentence.

use super::{listed, short};
use crate::document::Text;
use crate::incident::row::Row;

/// Columns with a rule, and with what it allows.
pub(super) const COLUMNS: [&str; 2] = ["rule", "powers"];

/// What everything is made of.
const ALL: [&str; 2] = ["every verb", "every resource"];

/// Powers whose names are no verbs.
const IN_WORDS: [(&str, &str); 3] =
    [("every verb", "use every verb"), ("every resource", "reach every resource"), ("nodes/proxy", "use nodes/proxy")];

/// Rules of a role, and what they allow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// The rules.
    pub rules: Vec<String>,
    /// What all of them allow that few should.
    pub powers: Vec<String>,
    /// Whether one of the rules allows everything.
    pub is_all: bool,
}

impl Rights {
    pub(super) fn of(row: Row<'_>) -> Self {
        let texts = |name: &str| row.texts(name).into_iter().map(str::to_owned).collect::<Vec<_>>();
        let [rules, powers] = COLUMNS.map(texts);
        let is_all = ALL.iter().all(|power| powers.iter().any(|one| one == power));
        Self { rules, powers, is_all }
    }

    /// Takes what another row of the same request tells.
    pub(super) fn join(&mut self, other: &Self) {
        // The rule that is shown is the one that matters.
        let is_worse = other.is_all && !self.is_all;
        for rule in &other.rules {
            if !self.rules.contains(rule) {
                let place = if is_worse { 0 } else { self.rules.len() };
                self.rules.insert(place, rule.clone());
            }
        }
        for power in &other.powers {
            if !self.powers.contains(power) {
                self.powers.push(power.clone());
            }
        }
        self.is_all |= other.is_all;
    }

    /// `, with the rule get secrets and 2 more rules, which can read secrets`.
    pub(super) fn told(&self, text: Text) -> Text {
        let text = match self.rules.split_first() {
            Some((rule, others)) => {
                let text = text.and(", with the rule ").and_name(short(rule));
                match others.len() {
                    0 => text,
                    1 => text.and(" and 1 more rule"),
                    more => text.and(format!(" and {more} more rules")),
                }
            }
            None => text,
        };
        if self.is_all {
            return text.and(", which can do everything");
        }
        let in_words = |power: &String| {
            let words = IN_WORDS.iter().find(|(name, _)| name == power);
            words.map_or_else(|| power.clone(), |(_, words)| (*words).to_owned())
        };
        let powers: Vec<String> = self.powers.iter().map(in_words).collect();
        if powers.is_empty() { text } else { listed(text.and(", which can "), &powers) }
    }
}

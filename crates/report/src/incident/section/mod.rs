//! The sections of a report. Each is one file and one line of the table, which makes the names that templates use.

mod activity;
mod attack;
mod custody;
mod evidence;
mod findings;
mod happened;
mod identities;
mod rbac;
mod rotate;
mod scope;
mod spread;
mod tags;
mod visibility;

use super::Incident;
use crate::document::{Document, Section};

/// What a report is made with.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it is called.
    pub title: String,
    /// Whose it is.
    pub organisation: Option<String>,
    /// How it may be handed on.
    pub classification: Option<String>,
    /// The names of the sections, in their order.
    pub sections: Vec<String>,
    /// Identities that are told of.
    pub people_max: usize,
    /// Deeds that are told of.
    pub deeds_max: usize,
    /// Program and version.
    pub made_by: String,
    /// The command line that makes the same report.
    pub command: String,
}

/// Makes one section.
type Make = fn(&Incident, &Plan) -> Section;

/// A section that a template can name.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it tells.
    pub meaning: &'static str,
    make: Make,
}

/// Every section, in the order of a report of an incident.
#[rustfmt::skip]
pub const SECTIONS: [Entry; 13] = [
    Entry { name: "happened", meaning: "what happened, in sentences", make: happened::make },
    Entry { name: "scope", meaning: "what the evidence is, and which time it covers", make: scope::make },
    Entry { name: "visibility", meaning: "what this log can and cannot show", make: visibility::make },
    Entry { name: "findings", meaning: "what each detection found", make: findings::make },
    Entry { name: "identities", meaning: "who stands out, with a time line", make: identities::make },
    Entry { name: "spread", meaning: "what else they got into, from a clue", make: spread::make },
    Entry { name: "rotate", meaning: "what to revoke, remove and replace", make: rotate::make },
    Entry { name: "rbac", meaning: "rights that were given, and who has them", make: rbac::make },
    Entry { name: "activity", meaning: "requests over time, by hour and weekday, by address and client", make: activity::make },
    Entry { name: "attack", meaning: "ATT&CK tactics and techniques", make: attack::make },
    Entry { name: "tags", meaning: "what people have noted", make: tags::make },
    Entry { name: "evidence", meaning: "the account of every source", make: evidence::make },
    Entry { name: "custody", meaning: "what was done to the case, and how to check it", make: custody::make },
];

/// The section of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    SECTIONS.iter().find(|entry| entry.name == name)
}

/// The whole document. Sections that the plan names and that do not exist are left out: [`find`] tells before.
#[must_use]
pub fn document(incident: &Incident, plan: &Plan) -> Document {
    let sections = plan.sections.iter().filter_map(|name| find(name)).map(|entry| (entry.make)(incident, plan));
    Document {
        title: plan.title.clone(),
        organisation: plan.organisation.clone(),
        classification: plan.classification.clone(),
        made_by: plan.made_by.clone(),
        facts: scope::head(incident),
        findings: incident.index(),
        sections: sections.collect(),
    }
}

/// `1 row`, `7 rows`, `2 identities`.
fn counted(number: u64, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {what}s"),
    }
}

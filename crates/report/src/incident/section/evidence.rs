//! The account of every source: nothing is read twice or lost without being counted.

use super::super::Incident;
use super::{Plan, counted};
use crate::document::{Block, Section, Text};

pub(super) fn make(incident: &Incident, _: &Plan) -> Section {
    let evidence = &incident.evidence;
    let trusted: u64 = incident.findings.iter().map(|finding| finding.trusted_rows).sum();
    let facts = [
        ("records", evidence.records.to_string()),
        ("events", evidence.events.to_string()),
        ("duplicates", format!("{}: stored already, and counted", evidence.duplicates)),
        ("rejected", format!("{}: no audit events, kept word for word", evidence.rejected)),
        ("left out", format!("{}, listed in the ledger", counted(evidence.skipped, "file"))),
        ("secret values", format!("{} replaced by keyed hashes", evidence.redacted)),
        ("hidden as trusted", counted(trusted, "row")),
    ];
    let blocks = vec![
        Block::Prose(Text::plain(
            "Records are lines and items of lists: every one is an event, a counted duplicate, or a reject that is kept word \
             for word.",
        )),
        Block::Facts(facts.map(|(name, words)| (name.to_owned(), Text::plain(words))).to_vec()),
        Block::Table(evidence.accounts.clone()),
    ];
    Section { id: "evidence".to_owned(), title: "The evidence".to_owned(), blocks }
}

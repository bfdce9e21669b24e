//! Chain of custody, and how to check it.

use super::super::Incident;
use super::Plan;
use crate::document::{Block, Section, Text};

pub(super) fn make(incident: &Incident, plan: &Plan) -> Section {
    let evidence = &incident.evidence;
    let facts = vec![
        ("fingerprint".to_owned(), Text::name(&evidence.fingerprint)),
        ("commit".to_owned(), Text::plain(evidence.commit.to_string())),
        ("made by".to_owned(), Text::plain(plan.made_by.as_str())),
    ];
    let blocks = vec![
        Block::Prose(Text::plain(
            "The fingerprint is the SHA-256 of the newest commit of the case. Each commit holds the hash of the one before, \
             of every source and of every data file, so the fingerprint vouches for all of it: write it down where the \
             case is not.",
        )),
        Block::Facts(facts),
        Block::Table(evidence.custody.clone()),
        Block::Code {
            caption: "check that the case, and the sources, are what they were".to_owned(),
            text: "kforensic verify\nkforensic verify --sources PATH…".to_owned(),
        },
        Block::Code { caption: "make this report again, byte for byte".to_owned(), text: plan.command.clone() },
    ];
    Section { id: "custody".to_owned(), title: "Chain of custody".to_owned(), blocks }
}

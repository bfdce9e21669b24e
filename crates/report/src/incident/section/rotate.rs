//! What to revoke, remove and replace, in the order in which it should be done.

use super::super::Incident;
use super::{Plan, spread};
use crate::document::{Block, Section, Text};

pub(super) fn make(incident: &Incident, _: &Plan) -> Section {
    let mut blocks = Vec::new();
    match &incident.trail {
        None => blocks.push(spread::nothing(incident)),
        Some(trail) => {
            blocks.push(Block::Prose(Text::plain(
                "What came into the intruder's hands, what was left behind, and whether the log shows that it was made good. \
                 Commands are proposals: read each before you run it.",
            )));
            blocks.push(Block::Table(trail.checklist.clone()));
            for (what, text) in &trail.before {
                blocks.push(Block::Code { caption: format!("{what} as it was before"), text: text.clone() });
            }
        }
    }
    Section { id: "rotate".to_owned(), title: "What to revoke, remove and replace".to_owned(), blocks }
}

//! Rights: what changed since the first moment of the intrusion, and what the identities in it may do.

use super::super::Incident;
use super::{Plan, spread};
use crate::document::{Block, Section, Text};

pub(super) fn make(incident: &Incident, _: &Plan) -> Section {
    let mut blocks = Vec::new();
    match &incident.trail {
        None => blocks.push(spread::nothing(incident)),
        Some(trail) => {
            blocks.push(Block::Prose(Text::plain(
                "By snapshots of the cluster that the case holds, and by the writes in the log.",
            )));
            blocks.push(Block::Table(trail.changes.clone()));
            if !trail.way_back.is_empty() {
                blocks.push(Block::Code {
                    caption: "the way back, for `kubectl apply -f -`".to_owned(),
                    text: trail.way_back.clone(),
                });
            }
            blocks.push(Block::Table(trail.rights.clone()));
            spread::unknown(&mut blocks, &trail.rights_unknown);
        }
    }
    Section { id: "rbac".to_owned(), title: "Rights of those concerned".to_owned(), blocks }
}

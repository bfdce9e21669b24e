//! What else they got into: from the clues to all that follows from them.

use super::super::{Incident, Trail};
use super::Plan;
use crate::document::{Block, Chart, Figure, Section, Text, Tone};

pub(super) fn make(incident: &Incident, _: &Plan) -> Section {
    let blocks = match &incident.trail {
        None => vec![nothing(incident)],
        Some(trail) => told(trail),
    };
    Section { id: "spread".to_owned(), title: "What else they got into".to_owned(), blocks }
}

/// What the sections about a trail say when there is none.
pub(super) fn nothing(incident: &Incident) -> Block {
    let new = if incident.known_rows() > 0 { "new " } else { "" };
    Block::Prose(Text::plain(format!(
        "No {new}finding of high severity names an identity, so there is no clue to follow. `kforensic report --spread \
         SEED` follows one of yours."
    )))
}

fn told(trail: &Trail) -> Vec<Block> {
    let mut blocks = Vec::new();
    let clues = Text::plain("Followed from ").and_names(&trail.clues);
    if trail.is_chosen {
        let words = ", against whom the findings speak most: nobody has confirmed that. Whoever only does their work \
                     makes the rest wrong, so look at the reasons, and name the clue yourself with `--spread SEED`.";
        blocks.push(Block::Note(Tone::Warning, clues.and(words)));
    } else {
        blocks.push(Block::Prose(clues.and(", as somebody asked for.")));
    }
    blocks.push(Block::Prose(Text::plain(
        "Proved is what the log says; likely is the same credential in a new place, or what came within reach and was then \
         used out of its place; possible is something shared: an address, a client, the moment.",
    )));
    if !trail.graph.nodes.is_empty() {
        blocks.push(Block::Figure(Figure {
            id: "spread-graph".to_owned(),
            title: "What leads to what".to_owned(),
            description: "a column for each step from the clue; red is proved, orange likely, grey possible".to_owned(),
            chart: Chart::Graph(trail.graph.clone()),
        }));
    }
    if trail.not_drawn > 0 {
        let words =
            format!("{} less sure things are not drawn; `kforensic spread --format svg` draws all.", trail.not_drawn);
        blocks.push(Block::Prose(Text::plain(words)));
    }
    blocks.push(Block::Table(trail.identities.clone()));
    blocks.push(Block::Table(trail.story.clone()));
    unknown(&mut blocks, &trail.unknown);
    blocks
}

/// Adds what stays unknown.
pub(super) fn unknown(blocks: &mut Vec<Block>, unknown: &[String]) {
    if !unknown.is_empty() {
        blocks.push(Block::Prose(Text::default().and_strong("What stays unknown:")));
        blocks.push(Block::List(unknown.iter().map(|words| Text::plain(words.as_str())).collect()));
    }
}

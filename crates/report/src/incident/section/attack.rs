//! ATT&CK tactics and techniques.

use super::super::Incident;
use super::Plan;
use crate::document::{Block, Chart, Figure, Section, Text};
use crate::incident::techniques::tactics;

pub(super) fn make(incident: &Incident, _: &Plan) -> Section {
    let shown = tactics(incident);
    let words = "Techniques that detections name, below their tactic; the frame tells the worst finding. A finding bears on \
                 a technique, it does not prove it.";
    let blocks = match shown.0.is_empty() {
        true => vec![Block::Prose(Text::plain("No finding names a technique."))],
        false => {
            let figure = Figure {
                id: "tactics".to_owned(),
                title: "Tactics and techniques".to_owned(),
                description: "by tactic, in the order of the matrix".to_owned(),
                chart: Chart::Tactics(shown),
            };
            vec![Block::Prose(Text::plain(words)), Block::Figure(figure)]
        }
    };
    Section { id: "attack".to_owned(), title: "ATT&CK".to_owned(), blocks }
}

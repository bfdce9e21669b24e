//! What this log can and cannot show: the verdict of every detection, before any of their rows.

use super::super::Incident;
use super::Plan;
use crate::document::{Block, Column, Section, Table, Text, Tone, Value};

pub(super) fn make(incident: &Incident, _: &Plan) -> Section {
    let mut blocks = Vec::new();
    let blind: Vec<_> = incident.findings.iter().filter(|finding| finding.question.verdict.is_blind).collect();
    match blind.len() {
        0 => blocks.push(Block::Prose(Text::plain(
            "What the detections ask for was logged at the level that they need, as far as the case tells. A log \
             never shows what its policy left out, nor what never reached this API server.",
        ))),
        many => {
            let words = format!(
                "{many} of {} detections could not see all that they ask for. That they found nothing, or little, says \
                 nothing about what happened.",
                incident.findings.len()
            );
            blocks.push(Block::Note(Tone::Warning, Text::plain(words)));
        }
    }
    if !incident.reservations.is_empty() {
        blocks.push(Block::List(incident.reservations.iter().map(|words| Text::marked(words)).collect()));
    }
    if !blind.is_empty() {
        let columns = ["severity", "detection", "verdict", "why", "needs", "rows"];
        let columns = columns.map(|name| if name == "rows" { Column::number(name) } else { Column::text(name) });
        let mut table = Table::new("blind", "Detections that could not see all", columns.to_vec());
        for finding in blind {
            let question = &finding.question;
            table.push(vec![
                Value::Level(question.level),
                link(finding),
                Value::Text(question.verdict.state.clone()),
                told(&question.verdict.words),
                told(&question.needs),
                Value::Number(i64::try_from(finding.total_rows).unwrap_or(i64::MAX)),
            ]);
        }
        blocks.push(Block::Table(table));
    }
    Section { id: "visibility".to_owned(), title: "What this log can and cannot show".to_owned(), blocks }
}

fn told(words: &str) -> Value {
    if words.is_empty() { Value::Nothing } else { Value::Words(words.to_owned()) }
}

/// Its name, as a link where there is something to see.
pub(super) fn link(finding: &super::super::Finding) -> Value {
    let name = finding.question.name.clone();
    match finding.is_found() {
        true => Value::Link { to: format!("finding-{name}"), words: name },
        false => Value::Text(name),
    }
}

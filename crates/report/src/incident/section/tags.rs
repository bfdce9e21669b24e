//! What people have noted.

use super::super::Incident;
use super::Plan;
use crate::document::{Block, Column, Section, Table, Text, Value};

pub(super) fn make(incident: &Incident, _: &Plan) -> Section {
    let columns = ["tag", "note", "audit_id", "by", "at"].map(Column::text).to_vec();
    let mut table = Table::new("tagged", "Notes on events", columns);
    for tag in &incident.tags {
        table.push(vec![
            Value::Text(tag.tag.clone()),
            Value::text(tag.note.clone()),
            Value::Text(tag.audit_id.clone()),
            Value::text(tag.author.clone()),
            Value::Text(tag.at.clone()),
        ]);
    }
    let problem = incident.notes_problem.iter().map(|problem| Block::Prose(Text::default().and_strong(problem)));
    let notes = match incident.tags.is_empty() {
        true => vec![Block::Prose(Text::plain("Nobody has noted anything: kforensic tag does."))],
        false => vec![Block::Table(table)],
    };
    let blocks = problem.chain(notes).collect();
    Section { id: "tags".to_owned(), title: "Notes".to_owned(), blocks }
}

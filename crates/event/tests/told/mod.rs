//! What the row of an event tells, by the names of its columns.
#![allow(dead_code, reason = "every program uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use kforensic_event::shape::Position;
use kforensic_event::{COLUMNS, Cell, Event, Kind, Origin, Row, RowBuilder, columns, rebuild};
use serde_json::{Map, Value, json};

/// All columns, JSON as its text, and the event that is rebuilt from them.
pub(crate) fn row(event: &Event<'_>, position: Position) -> Map<String, Value> {
    let origin = Origin::default();
    let row = Row { event: Some(event), reject: None, redacted: 0, note: None, origin: &origin, position, length: 0 };
    let mut builder = RowBuilder::new(columns::schema());
    builder.push(&row);
    let batch = builder.finish().unwrap();
    let cell = |at: usize| Cell::read(batch.column(at), COLUMNS[at].kind, 0);
    let value = |at: usize| match cell(at) {
        Cell::Text(text) => json!(text),
        Cell::Texts(texts) => json!(texts),
        Cell::Bool(bool) => json!(bool),
        other => other.int().map_or(Value::Null, |number| json!(number)),
    };
    let mut told: Map<String, Value> =
        COLUMNS.iter().enumerate().map(|(at, column)| (column.name.to_owned(), value(at))).collect();
    let rebuilt = rebuild(&|name| cell(columns::find(name).unwrap().0)).unwrap();
    told.insert("rebuilt".to_owned(), serde_json::from_str(&rebuilt).unwrap());
    told
}

/// The columns that tell of the event itself, JSON as values: not where it stood, nor what is kept of its wrapper.
pub(crate) fn of_the_event(event: &Event<'_>) -> Map<String, Value> {
    let mut told = row(event, Position::START);
    told.retain(|name, _| !["other", "salvaged", "rebuilt"].contains(&name.as_str()));
    for column in COLUMNS.iter().filter(|column| column.kind == Kind::Json) {
        if let Some(Value::String(text)) = told.get(column.name) {
            let value = serde_json::from_str(text).unwrap();
            told.insert(column.name.to_owned(), value);
        }
    }
    told
}

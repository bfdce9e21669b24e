//! Any text: what is an event is rebuilt from its row as the JSON value that it was.
#![no_main]

use kforensic_event::shape::Position;
use kforensic_event::{COLUMNS, Cell, Event, Keyed, Origin, Row, RowBuilder, columns, rebuild};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let Ok(event) = Event::decode(text) else { return };
    let origin = Origin::default();
    let row = Row {
        event: Some(&event),
        reject: None,
        redacted: 0,
        note: None,
        origin: &origin,
        position: Position::START,
        length: 0,
    };
    let mut builder = RowBuilder::new(columns::schema());
    builder.push(&row);
    let batch = builder.finish().expect("one row fits the schema");
    let read = |at: usize| Cell::read(batch.column(at), COLUMNS[at].kind, 0);
    let keyed = Keyed::random();
    let stored = keyed.of_cells(COLUMNS.iter().enumerate().map(|(at, column)| (column.kind, column.part, read(at))));
    assert_eq!(stored, keyed.of_row(&row), "a stored row has the fingerprint of its event");
    let rebuilt = rebuild(&|name| read(columns::find(name).expect("a known column").0)).expect("a row of an event");
    // What serde_json cannot hold as a value (deep nesting, lone surrogates, huge numbers) is compared by fingerprint.
    match serde_json::from_str::<Value>(text) {
        Ok(value) => assert_eq!(serde_json::from_str::<Value>(&rebuilt).expect("as valid as the original"), value),
        Err(_) => assert!(Event::decode(&rebuilt).is_ok()),
    }
});

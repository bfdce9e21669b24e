//! An event can be rebuilt from its row, whatever it looks like; equal events have equal fingerprints.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use kforensic_event::shape::Position;
use kforensic_event::{COLUMNS, Cell, Event, Keyed, Origin, Row, RowBuilder, columns, rebuild};
use proptest::prelude::*;
use serde_json::Value;

/// Sends an event through an Arrow row and back. `None` when it is no event.
fn through_a_row(text: &str, keyed: &Keyed) -> Option<(String, u128)> {
    let event = Event::decode(text).ok()?;
    let row = Row {
        event: Some(&event),
        reject: None,
        redacted: 0,
        note: None,
        origin: &Origin::default(),
        position: Position::START,
        length: 0,
    };
    let mut builder = RowBuilder::new(columns::schema());
    builder.push(&row);
    let batch = builder.finish().unwrap();
    let read = |at: usize| Cell::read(batch.column(at), COLUMNS[at].kind, 0);
    let stored = keyed.of_cells(COLUMNS.iter().enumerate().map(|(at, column)| (column.kind, column.part, read(at))));
    assert_eq!(stored, keyed.of_row(&row), "a stored row has the fingerprint of the event it came from");
    let rebuilt = rebuild(&|name| read(columns::find(name).unwrap().0)).unwrap();
    Some((rebuilt, stored))
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn json(depth: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[\\x00-\\x20\"\\\\\u{85}\u{2028}\u{202e}é]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(depth, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z$./-]{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Members that the server writes, members that it does not, and right names with wrong values.
fn member() -> impl Strategy<Value = (String, Value)> {
    const NAMES: [&str; 24] = [
        "kind",
        "apiVersion",
        "level",
        "stage",
        "requestURI",
        "verb",
        "user",
        "impersonatedUser",
        "authenticationMetadata",
        "sourceIPs",
        "userAgent",
        "objectRef",
        "responseStatus",
        "requestObject",
        "responseObject",
        "requestReceivedTimestamp",
        "stageTimestamp",
        "annotations",
        "timestamp",
        "metadata",
        "$absent",
        "$event",
        "items",
        "",
    ];
    let texts = || prop::collection::vec("\\PC{0,8}", 0..3).prop_map(Value::from);
    let text = || "\\PC{0,8}".prop_map(Value::from);
    let one_of = |names: &'static [&'static str], values: BoxedStrategy<Value>| {
        prop::collection::btree_map(prop::sample::select(names).prop_map(str::to_owned), values, 0..6)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    };
    let user = one_of(
        &["username", "uid", "groups", "extra", "shoe"],
        prop_oneof![4 => text(), 4 => texts(), 1 => json(2)].boxed(),
    );
    let object = one_of(
        &["resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "resourceVersion", "subresource", "x"],
        prop_oneof![9 => text(), 1 => json(1)].boxed(),
    );
    let status = one_of(
        &["metadata", "status", "message", "reason", "details", "code", "x"],
        prop_oneof![4 => text(), 2 => Just(Value::Object(serde_json::Map::new())), 3 => (100..600).prop_map(Value::from), 1 => json(2)].boxed(),
    );
    let time = prop_oneof![
        Just("2026-11-21T20:37:37.325661Z"),
        Just("2026-11-21T20:37:37Z"),
        Just("2026-11-21T20:37:37.123456789+02:00"),
        Just("2026-11-21T23:59:60.000000Z"),
        Just("0000-01-01T00:00:00.000000Z"),
        Just("yesterday"),
    ]
    .prop_map(Value::from);
    let value = prop_oneof![3 => json(3), 3 => text(), 2 => texts(), 4 => user, 4 => object, 4 => status, 4 => time];
    (prop::sample::select(&NAMES[..]).prop_map(str::to_owned), value)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn every_event_can_be_rebuilt(members in prop::collection::vec(member(), 0..14)) {
        let keyed = Keyed::random();
        let mut event = serde_json::Map::new();
        for (name, value) in [
            ("level", Value::from("Metadata")), ("auditID", Value::from("id")), ("user", Value::Object(serde_json::Map::new())),
            ("stageTimestamp", Value::from("2026-11-21T20:37:37.325661Z")),
        ] {
            event.insert(name.to_owned(), value);
        }
        event.extend(members);
        let original = Value::Object(event);
        let compact = original.to_string();
        if let Some((rebuilt, fingerprint)) = through_a_row(&compact, &keyed) {
            prop_assert_eq!(value(&rebuilt), value(&compact));
            let spaced = serde_json::to_string_pretty(&original).unwrap();
            let (_, copy) = through_a_row(&spaced, &keyed).unwrap();
            // A whole original that is kept for its odd names is the only thing that keeps white space.
            prop_assert_eq!(copy, fingerprint);
        }
    }
}

/// What a JSON library would normalise away before the test saw it.
#[test]
fn odd_spellings_survive() {
    let keyed = Keyed::random();
    let base = r#""level":"Metadata","auditID":"a","user":{},"requestReceivedTimestamp":"2026-11-21T20:37:37.000000Z""#;
    for (odd, expected) in [
        (r#""verb":"get","verb":"list""#, r#""verb":"list""#),
        (r#""objectRef":{"name":"a","name":"b"}"#, r#""objectRef":{"name":"b"}"#),
        (r#""responseStatus":{"metadata":{},"code":200.0}"#, r#""responseStatus":{"metadata":{},"code":200.0}"#),
        (r#""objectRef":{"namespace":"","name":"a"}"#, r#""objectRef":{"namespace":"","name":"a"}"#),
        (r#""impersonatedUser":{"username":""}"#, r#""impersonatedUser":{"username":""}"#),
        (r#""sourceIPs":[]"#, r#""sourceIPs":[]"#),
        (r#""sourceIPs":null"#, r#""sourceIPs":null"#),
        (r#""requestObject":null"#, r#""requestObject":null"#),
        (r#""new":1,"new":2"#, r#""new":2"#),
    ] {
        let (rebuilt, _) = through_a_row(&format!("{{{base},{odd}}}"), &keyed).unwrap();
        assert_eq!(value(&rebuilt), value(&format!("{{{base},{expected}}}")), "{odd}");
    }
    // A lone surrogate is no text, but its bytes stay.
    let (rebuilt, _) = through_a_row(&format!(r#"{{{base},"userAgent":"\ud800"}}"#), &keyed).unwrap();
    assert!(rebuilt.contains(r#""userAgent":"\ud800""#), "{rebuilt}");
    // Bodies keep their bytes.
    let (rebuilt, _) =
        through_a_row(&format!(r#"{{{base},"requestObject":{{ "b":1e999, "a": 1.0 }}}}"#), &keyed).unwrap();
    assert!(rebuilt.contains(r#""requestObject":{ "b":1e999, "a": 1.0 }"#), "{rebuilt}");
}

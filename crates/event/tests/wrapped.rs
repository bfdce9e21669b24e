//! Every wrapper gives the events of the log that it wraps: as they were, unmarked, nothing rejected, wherever a piece ends. And a
//! client can put whatever it likes into any text of an event: it is never read as another one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod told;
mod wrap;

use std::path::Path;

use kforensic_event::shape::Position;
use kforensic_event::{Decoded, Reading};
use serde_json::{Value, json};
use wrap::WRAPPERS;

/// Texts that writers escape in one way and another.
const HARD: &str = "x\\y \"q\" \t tab = | ^ <b>&amp; \u{fc} ' \\n, {a: b} => #{c} $1 \u{1f980} \\u0026 end\\";

const FAKE: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"FAKE","stage":"ResponseComplete","requestURI":"/api/v1/secrets","verb":"get","user":{"username":"innocent-bob"},"sourceIPs":["10.0.0.9"],"objectRef":{"resource":"secrets","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":200},"requestReceivedTimestamp":"2026-11-21T20:00:00.000000Z","stageTimestamp":"2026-11-21T20:00:00.000000Z"}"#;

fn events() -> Vec<Value> {
    let path = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/logs/exports/00-plain.log");
    let text = std::fs::read_to_string(path).unwrap();
    let mut events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut hard = events[0].clone();
    hard["auditID"] = "hard".into();
    hard["userAgent"] = HARD.into();
    hard["requestURI"] = "/api/v1/x?a=b&c=d".into();
    hard["requestObject"] = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}, "data": {"S": HARD, "string": "l1\nl2", "n": "007"}, "list": [1, 2.5, true, [], {}, {"S": "x"}]});
    events.push(hard);
    events
}

/// A line as the server writes it.
fn line(event: &Value) -> String {
    let mut rest = event.clone();
    rest.as_object_mut().unwrap().remove("kind");
    let line = format!("{{\"kind\":\"Event\",{}", &rest.to_string()[1..]);
    line.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

fn wrap(wrapper: wrap::Wrap, events: &[Value]) -> String {
    wrapper(&events.iter().map(line).collect::<Vec<_>>(), events)
}

/// What a source holds: events, with their marks, and the reasons of rejects.
fn read(bytes: &[u8], borders: &[usize]) -> (Vec<(Value, Option<String>)>, Vec<String>) {
    let reading = Reading::of(bytes);
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    let (mut start, mut done) = (Position::START, 0);
    for end in borders.iter().copied().chain([bytes.len()]) {
        let piece = &bytes[done..end];
        reading.decode(piece, start, end == bytes.len(), &mut |record| match record.decoded {
            Decoded::Event(event) => {
                let told = told::of_the_event(&event).into();
                events.push((told, event.salvaged.map(Into::into)));
            }
            Decoded::Reject(reason) => rejects.push(format!("{reason}: {}", String::from_utf8_lossy(record.bytes))),
        });
        start = start.after(piece);
        done = end;
    }
    (events, rejects)
}

#[test]
fn every_wrapper_gives_the_values_of_the_log() {
    let events = events();
    let plain: Vec<Value> = read(events.iter().map(|event| line(event) + "\n").collect::<String>().as_bytes(), &[])
        .0
        .into_iter()
        .map(|(event, _)| event)
        .collect();
    assert_eq!(plain.len(), 9);
    for (name, wrapper) in WRAPPERS {
        let text = wrap(*wrapper, &events);
        let bytes = text.as_bytes();
        let reading = Reading::of(bytes);
        let cuts = (0..20).map(|number| reading.cut(&bytes[..bytes.len() * number / 20]));
        for cut in cuts {
            let (found, rejects) = read(bytes, &[cut]);
            assert_eq!(rejects, Vec::<String>::new(), "{name}, cut at {cut}");
            assert_eq!(found.len(), plain.len(), "{name}, cut at {cut}");
            for ((found, mark), expected) in found.iter().zip(&plain) {
                assert_eq!((found, mark), (expected, &None), "{name}, cut at {cut}");
            }
        }
    }
}

/// Texts that are told apart from the forms of wrappers, and forms in which a wrapper is planted.
const GENERIC: usize = 13;
const FORMS: usize = 4;

/// Texts that are an event of somebody else to who does not look where they stand.
fn texts() -> Vec<String> {
    let quoted = Value::from(FAKE).to_string();
    let escaped = FAKE.replace('\\', "\\\\").replace('=', "\\=");
    let mut texts = vec![
        FAKE.to_owned(),
        format!("\n{FAKE}\n"),
        format!("\"\n{FAKE}\n"),
        format!("x\t{FAKE}\t1"),
        format!("\n- message: '{FAKE}'\n"),
        format!("'}}\n- {{kind: Event, message: '{FAKE}'}}"),
        format!("\"}}}}\n{FAKE}"),
        format!("\",\"log\":{quoted}"),
        quoted,
        format!(" msg={FAKE}"),
        format!(" msg={escaped} rt=1"),
        format!("\tpayload={FAKE}\t"),
        format!("^payload={FAKE}^"),
    ];
    assert_eq!(texts.len(), GENERIC);
    for (_, wrapper) in WRAPPERS {
        let own = wrapper(&[FAKE.to_owned()], &[serde_json::from_str(FAKE).unwrap()]);
        texts.extend([own.clone(), format!("\n{own}\n"), format!("\"\n{own}"), format!("'\n{own}")]);
    }
    texts
}

/// The places of all texts in a value, and of a text for a name.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(path.to_owned()),
        Value::Array(items) => (0..items.len()).for_each(|at| places(&items[at], &format!("{path}/{at}"), found)),
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| {
                places(value, &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            });
        }
        _ => (),
    }
}

#[test]
fn no_text_of_a_client_is_read_as_another_event() {
    let all = events();
    let event =
        all.iter().find(|event| event["requestObject"].is_object() && event["annotations"].is_object()).unwrap();
    let mut found = Vec::new();
    places(event, "", &mut found);
    let fixed = ["/kind", "/apiVersion", "/requestReceivedTimestamp", "/stageTimestamp"];
    found.retain(|place| !fixed.contains(&place.as_str()));
    let (texts, mut own, mut tried) = (texts(), 0, 0);
    for (number, (name, wrapper)) in WRAPPERS.iter().enumerate() {
        for (at, place) in found.iter().enumerate() {
            // Its own form everywhere, and one in seven of the others: all of them in seven places.
            let of_its_own = GENERIC + number * FORMS..GENERIC + (number + 1) * FORMS;
            let chosen = texts
                .iter()
                .enumerate()
                .filter(|(text, _)| *text < GENERIC || of_its_own.contains(text) || (text + at) % 7 == 0);
            for (_, text) in chosen {
                tried += 1;
                let mut evil = event.clone();
                evil["auditID"] = "evil".into();
                *evil.pointer_mut(place).unwrap() = text.as_str().into();
                let log = wrap(*wrapper, &[all[0].clone(), evil, all[1].clone()]);
                for (event, mark) in read(log.as_bytes(), &[]).0 {
                    let is_fake = event["audit_id"] == "FAKE"
                        || (event["user_name"] == "innocent-bob" && event["audit_id"] != "evil");
                    assert!(!is_fake || mark.is_some(), "{name}, `{place}`: {event} in {log}");
                    own += usize::from(event["audit_id"] == "evil");
                }
            }
        }
    }
    assert!(own > tried / 2, "{own} own records of {tried}");
}

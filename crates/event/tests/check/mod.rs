//! What must hold for any input. The fuzz targets and the tests of this crate run the same checks: each takes bytes and
//! panics with what is wrong with them.
//!
//! None of them trusts the code that it checks: events, secrets and places are looked for again, in the plainest way.
#![allow(dead_code, reason = "every program uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a check fails by panicking")]

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use arrow::datatypes::SchemaRef;
use kforensic_event::shape::{Position, SHAPES};
use kforensic_event::{COLUMNS, Cell, Decoded, Event, Keyed, Kind, Origin, Reading, Redactor, Row, RowBuilder};
use kforensic_event::{columns, json, rebuild};
use serde_json::Value;
use serde_json::value::RawValue;

/// A check of some bytes.
pub(crate) type Check = fn(&[u8]);

/// All checks, by the name of their fuzz target.
pub(crate) const CHECKS: [(&str, Check); 3] = [("decode", decode), ("redact", redact), ("shape", shapes)];

/// Under one key, so that an input always does the same.
static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::new(&[7; 32]));

/// Made once: a check takes less time than making these.
static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(columns::schema);
static KEYED: LazyLock<Keyed> = LazyLock::new(Keyed::random);

/// A record as a JSON text: an event comes back from its row as the JSON value that it was.
pub(crate) fn decode(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(mut event) = Event::decode(text) else { return };
    let rebuilt = through_a_row(&event);
    // What serde_json cannot hold as a value (deep nesting, lone surrogates, huge numbers) is only decoded again.
    match serde_json::from_str::<Value>(text) {
        Ok(value) => assert_eq!(serde_json::from_str::<Value>(&rebuilt).expect("as valid as the original"), value),
        Err(_) => assert!(Event::decode(&rebuilt).is_ok(), "an event stays one"),
    }
    let may = REDACTOR.may_hold_secret(bytes);
    let values = is_redacted(&mut event);
    assert!(may || values == 0, "{values} values were not foreseen in {text}");
}

/// Any bytes as a rejected record: no secret value is left, and what is no secret stays.
pub(crate) fn redact(bytes: &[u8]) {
    /// Neither in any seed nor found by chance.
    const SECRET: &str = "c2VjcmV0LXZhbHVlLTQ3MTE=";
    reject_is_redacted(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(mut event) = Event::decode(text) {
        is_redacted(&mut event);
    }
    // A Secret with the text in it as a label and as a name of its data, whole, and without its end.
    let mut label = String::new();
    json::push_string(&mut label, text);
    for secret in [
        format!(
            r#"{{"kind":"Secret","metadata":{{"labels":{{"x":{label}}}}},"data":{{"a":"{SECRET}"}},"type":{label}}}"#
        ),
        format!(r#"{{"data":{{{label}:"{SECRET}"}},"type":{label},"kind":"Secret"}}"#),
        format!(r#"{{"data":{{{label}:"x","a":"{SECRET}"}},"kind":"Secret"}}"#),
        format!(r#"{{"data":{{{label}:{label},"a":"{SECRET}"}},"kind":"Secret"}}"#),
    ] {
        let (whole, values) = REDACTOR.reject(secret.as_bytes());
        assert!(values > 0 && !String::from_utf8_lossy(&whole).contains(SECRET), "{secret} is not redacted");
        let torn = &secret.as_bytes()[..secret.len() - 1];
        let redacted = REDACTOR.reject(torn).0;
        assert!(!String::from_utf8_lossy(&redacted).contains(SECRET), "torn: {secret} is not redacted");
        let list = format!(r#"{{"kind":"List","items":[{secret}]}}"#);
        let event = format!(
            r#"{{"level":"Request","auditID":"a","user":{{}},"objectRef":{{"resource":"pods"}},"requestObject":{list},"stageTimestamp":"2026-11-21T20:37:37Z"}}"#
        );
        let mut event = Event::decode(&event).expect("an event");
        REDACTOR.event(&mut event);
        assert!(!event.request_object.as_deref().unwrap_or_default().contains(SECRET), "{list} is not redacted");
    }
}

/// Any bytes as a source: in the shape that it is recognised as, and in every other.
pub(crate) fn shapes(bytes: &[u8]) {
    let mut known = HashSet::new();
    source(Reading::of(bytes), bytes, &mut known);
    // A shape that is forced decides how records are cut, and nothing else: each way of cutting is checked once.
    let mut ways: BTreeMap<String, Reading> = BTreeMap::new();
    for shape in SHAPES {
        let reading = Reading::forced(shape, bytes);
        ways.entry(way(reading)).or_insert(reading);
    }
    ways.into_values().for_each(|reading| source(reading, bytes, &mut known));
}

/// How a reading cuts records.
fn way(reading: Reading) -> String {
    format!("{reading:?}").rsplit([' ', ')']).find(|word| !word.is_empty()).unwrap_or_default().to_owned()
}

/// Lines that a container runtime split are joined, across other lines.
const JOINED: &str = "container-log";

/// A record as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    at: Range<usize>,
    line: i64,
    terminated: bool,
    /// The audit id of an event, or why it is none.
    what: Result<String, String>,
}

/// Records whose content was checked: other ways of cutting mostly give the same ones.
type Known = HashSet<(Range<usize>, Option<String>)>;

fn source(reading: Reading, bytes: &[u8], known: &mut Known) {
    let way = way(reading);
    let whole = records(reading, bytes, &[], known);
    in_order(&whole, bytes, &way);
    every_byte_is_owned(&whole, bytes, &way);
    if way == "lines" {
        no_event_is_lost(&whole, bytes);
    }
    for border in [bytes.len() / 2, bytes.len().saturating_sub(1)] {
        let cut = reading.cut(&bytes[..border]);
        assert!(cut <= border, "a piece is a part of what it is cut from");
        let pieces = records(reading, bytes, &[cut], known);
        if way == JOINED {
            // A part of a line whose rest lies in the next chunk is not always found again: it is a reject.
            every_byte_is_owned(&pieces, bytes, &way);
        } else {
            assert_eq!(pieces, whole, "{reading:?}: a border at {cut} matters");
        }
    }
}

/// The records of a source that is cut into pieces.
fn records(reading: Reading, bytes: &[u8], borders: &[usize], known: &mut Known) -> Vec<Found> {
    let mut found = Vec::new();
    let (mut start, mut done) = (Position::START, 0);
    for end in borders.iter().copied().chain([bytes.len()]) {
        let piece = &bytes[done..end];
        reading.decode(piece, start, end == bytes.len(), &mut |record| {
            let at = usize::try_from(record.position.offset).expect("an offset");
            let at = at..at + record.bytes.len();
            assert_eq!(bytes.get(at.clone()), Some(record.bytes), "{reading:?}: a record stands where it says");
            let what = match record.decoded {
                Decoded::Event(mut event) => {
                    assert!(event.event_time.is_some(), "an event has a time");
                    let id = event.audit_id.as_deref().expect("an event has an id").to_owned();
                    if known.insert((at.clone(), Some(id.clone()))) {
                        comes_back(&event, record.bytes);
                        is_redacted(&mut event);
                    }
                    Ok(id)
                }
                Decoded::Reject(reason) => {
                    if known.insert((at.clone(), None)) {
                        reject_is_redacted(record.bytes);
                    }
                    Err(reason.to_string())
                }
            };
            found.push(Found { at, line: record.position.line, terminated: record.terminated, what });
        });
        start = start.after(piece);
        done = end;
    }
    found
}

fn in_order(records: &[Found], bytes: &[u8], way: &str) {
    let mut before = 0..0;
    let (mut line, mut counted) = (1, 0);
    for record in records {
        assert!(record.at.start >= before.start, "{way}: {record:?} begins before {before:?}");
        let behind = record.at.start >= before.end || record.at == before;
        assert!(behind || way == JOINED, "{way}: {record:?} overlaps {before:?}");
        line += memchr::memchr_iter(b'\n', &bytes[counted..record.at.start]).count();
        counted = record.at.start;
        assert_eq!(record.line, i64::try_from(line).expect("a line"), "{way}: {record:?} stands in another line");
        assert!(record.terminated || record.at.end + 3 >= bytes.trim_ascii_end().len(), "{way}: {record:?} ends early");
        before = record.at.clone();
    }
}

/// Every byte belongs to a record, apart from blanks, byte order marks and the text of a wrapper that records share.
fn every_byte_is_owned(records: &[Found], bytes: &[u8], way: &str) {
    let mut owned = vec![false; bytes.len()];
    records.iter().for_each(|record| owned[record.at.clone()].fill(true));
    if bytes.starts_with(b"\xef\xbb\xbf") {
        owned[..3].fill(true);
    }
    // The header of a table stands in front of its rows, and may be repeated between them; so do the members of a list in YAML.
    if way == "rows" || way == "yaml" {
        let first = records.first().map_or(bytes.len(), |record| record.at.start);
        let header: Vec<&[u8]> = bytes[..first].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).collect();
        let mut start = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let bare = line.trim_ascii();
            let is_wrapper = way == "yaml"
                && (bare.len() < 80
                    && (bare.starts_with(b"kind:") || bare.starts_with(b"apiVersion:") || bare.ends_with(b":"))
                    || bare == b"---"
                    || bare == b"..."
                    || bare == b"metadata: {}"
                    || bare.starts_with(b"- logStreamName: ")
                    || bare.starts_with(b"searchedCompletely: ")
                    || bare.starts_with(b"#"));
            if header.contains(&bare) || is_wrapper {
                owned[start..start + line.len()].fill(true);
            }
            start += line.len();
        }
    }
    // What stands between objects.
    if way == "literals" {
        let mut at = 0;
        while at < bytes.len() {
            let length = match &bytes[at..] {
                _ if owned[at] => 1,
                [b',' | b'[' | b']', ..] => 1,
                rest if rest.starts_with(b"//") => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
                rest if rest.starts_with(b"/*") => memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2),
                _ => {
                    at += 1;
                    continue;
                }
            };
            owned[at..at + length].fill(true);
            at += length;
        }
    }
    // What ends a netstring.
    if way == "counted" {
        let commas = records.iter().map(|record| record.at.end).filter(|end| bytes.get(*end) == Some(&b','));
        commas.for_each(|comma| owned[comma] = true);
    }
    // What the AWS CLI writes beside events.
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.trim_ascii();
        let is_beside = bare.starts_with(b"SEARCHEDLOGSTREAMS\t") || (bare.starts_with(b"b/") && bare.ends_with(b"/s"));
        if is_beside && way != JOINED {
            owned[start..start + line.len()].fill(true);
        }
        start += line.len();
    }
    // A wrapper is a line, or a document, which may be all of the source.
    let mut start = 0;
    while start < bytes.len() {
        let place = start..wrapper_end(bytes, start, way);
        start = place.end;
        let is_lost = |at: &usize| !owned[*at] && !bytes[*at].is_ascii_whitespace();
        if let Some(lost) = place.clone().find(is_lost) {
            let sharing = records.iter().filter(|record| record.at.start < place.end && record.at.end > place.start);
            assert!(sharing.count() > 1, "{way}: byte {lost} belongs to no record");
        }
    }
}

/// Where the wrapper ends that begins at `start`: with its line, or with the line in which its document ends.
fn wrapper_end(bytes: &[u8], start: usize, way: &str) -> usize {
    if way == "documents" {
        return bytes.len();
    }
    let rest = &bytes[start..];
    let mut document = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
    let length =
        if rest.starts_with(b"{") && matches!(document.next(), Some(Ok(_))) { document.byte_offset() } else { 0 };
    memchr::memchr(b'\n', &rest[length..]).map_or(bytes.len(), |newline| start + length + newline + 1)
}

/// Whatever whole JSON in a line is an event, also in wrappers and in text, comes out, but for what clients write.
fn no_event_is_lost(records: &[Found], bytes: &[u8]) {
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let place = start..start + line.len();
        start = place.end;
        let Ok(value) = serde_json::from_slice::<Value>(line) else { continue };
        let mut expected = events(&value, 0).ids;
        for record in records.iter().filter(|record| place.contains(&record.at.start)) {
            if let Ok(id) = &record.what
                && let Some(at) = expected.iter().position(|expected| expected == id)
            {
                expected.swap_remove(at);
            }
        }
        assert!(expected.is_empty(), "events {expected:?} are lost");
    }
}

/// Audit ids of the events in a value.
#[derive(Default)]
struct Ids {
    ids: Vec<String>,
    /// They stand in it as text.
    as_text: bool,
}

/// Looks for events in the plainest way. What a shape answers for, and what is an event without a time, is left alone.
fn events(value: &Value, depth: usize) -> Ids {
    let text = match value {
        // The search gives up at a depth of 12.
        _ if depth > 8 => return Ids::default(),
        Value::String(text) => {
            let as_text = |ids: Ids| Ids { as_text: true, ..ids };
            return serde_json::from_str(text)
                .map_or_else(|_| Ids::default(), |value| as_text(events(&value, depth + 1)));
        }
        Value::Array(items) => {
            let all: Vec<Ids> = items.iter().map(|item| events(item, depth + 1)).collect();
            let as_text = all.iter().any(|ids| ids.as_text);
            return Ids { ids: all.into_iter().flat_map(|ids| ids.ids).collect(), as_text };
        }
        Value::Object(_) => value.to_string(),
        _ => return Ids::default(),
    };
    match Event::decode(&text) {
        Ok(event) => {
            return Ids { ids: vec![event.audit_id.expect("an event has an id").into_owned()], as_text: false };
        }
        Err(reason) if reason.to_string().ends_with("timestamp that can be read") => return Ids::default(),
        Err(_) => (),
    }
    let object = value.as_object().expect("an object");
    let is_answered_for = ["protoPayload", "responseCode", "apiVersion", "properties", "message", "logEvents"];
    if is_answered_for.iter().any(|name| object.contains_key(*name)) {
        return Ids::default();
    }
    let text = |name: &str| members_text(object, name);
    // A record of a request in other words, or an object of Kubernetes, is not searched: clients write what is in it.
    let is_other = names(object)
        .any(|name| ["auditid", "objectref", "requesturi", "sourceips"].iter().any(|word| name.contains(word)))
        || names(object)
            .any(|name| name.contains("requestobject") || name.contains("responseobject") || name.contains("body"))
        || (text("kind").is_some() && text("apiVersion").is_some());
    if is_other {
        return Ids::default();
    }
    // A collector's own version of an event that it also keeps as text is a copy.
    let read: Vec<(&String, Ids)> = object.iter().map(|(name, member)| (name, events(member, depth + 1))).collect();
    let is_read = |name: &str| ["log", "audit", "event", "items", "kubernetes", "value"].contains(&name);
    let is_wrapped = read.iter().any(|(name, ids)| is_read(name) && !ids.ids.is_empty());
    // Under other names it is searched as well, unless one of these holds the event; under those of clients never.
    let is_client = |name: &str| {
        ["user", "request", "response", "parameters", "name", "path", "status", "spec", "label"]
            .iter()
            .any(|word| name.contains(word))
    };
    let members: Vec<Ids> = read
        .into_iter()
        .filter(|(name, _)| is_read(name) || !(is_wrapped || is_client(&name.to_ascii_lowercase())))
        .map(|(_, ids)| ids)
        .collect();
    let texts: Vec<String> = members.iter().filter(|ids| ids.as_text).flat_map(|ids| ids.ids.clone()).collect();
    let mut ids: Vec<String> = members.into_iter().flat_map(|ids| ids.ids).collect();
    ids.sort();
    // The same twice can be one event told twice.
    ids.dedup();
    Ids { ids, as_text: !texts.is_empty() }
}

/// The letters and digits of the names of an object, in lower case.
fn names(object: &serde_json::Map<String, Value>) -> impl Iterator<Item = String> {
    let plain =
        |name: &String| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    object.keys().map(plain)
}

fn members_text<'a>(object: &'a serde_json::Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// The JSON of an event that was sent through an Arrow row.
fn through_a_row(event: &Event<'_>) -> String {
    stored(event).0
}

/// The JSON of an event that was sent through an Arrow row, and the texts of its columns but for the audit id.
fn stored(event: &Event<'_>) -> (String, Vec<String>) {
    let origin = Origin::default();
    let row = Row {
        event: Some(event),
        reject: None,
        redacted: 0,
        note: None,
        origin: &origin,
        position: Position::START,
        length: 0,
    };
    let mut builder = RowBuilder::new(SCHEMA.clone());
    builder.push(&row);
    let batch = builder.finish().expect("one row fits the schema");
    let read = |at: usize| Cell::read(batch.column(at), COLUMNS[at].kind, 0);
    let stored = KEYED.of_cells(COLUMNS.iter().enumerate().map(|(at, column)| (column.kind, column.part, read(at))));
    assert_eq!(stored, KEYED.of_row(&row), "a stored row has the fingerprint of its event");
    let texts =
        COLUMNS.iter().enumerate().filter(|(_, column)| column.name != "audit_id").flat_map(|(at, _)| match read(at) {
            Cell::Text(text) => vec![text.to_owned()],
            Cell::Texts(texts) => texts.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        });
    for (at, column) in COLUMNS.iter().enumerate().filter(|(_, column)| column.kind == Kind::Json) {
        if let Cell::Text(text) = read(at) {
            // A body that is none would be read by no question.
            assert!(serde_json::from_str::<Box<RawValue>>(text).is_ok(), "`{}` is JSON: {text}", column.name);
        }
    }
    let rebuilt = rebuild(&|name| read(columns::find(name).expect("a known column").0)).expect("a row of an event");
    (rebuilt, texts.collect())
}

/// An event of a source comes back as it stands there, in whatever wrapper.
fn comes_back(event: &Event<'_>, record: &[u8]) {
    let rebuilt = through_a_row(event);
    let Ok(rebuilt) = serde_json::from_str::<Value>(&rebuilt) else { return };
    let Ok(record) = serde_json::from_slice::<Value>(record) else { return };
    // Elastic's version of an event, which is changed back, looks like one too.
    let keys = |object: &Value| object.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>());
    let changed = [&record["annotations"], &record["user"]["extra"], &record["impersonatedUser"]["extra"]];
    let is_changed = record["annotations"] == serde_json::json!({})
        || changed.into_iter().filter_map(keys).flatten().any(|key| key.split('/').next().unwrap().contains('_'));
    if !is_changed && Event::decode(&record.to_string()).is_ok() {
        assert_eq!(rebuilt, record, "an event comes back as it was");
    } else if let Value::String(text) = &rebuilt {
        // What was translated gives back the text that it was.
        assert!(!text.is_empty(), "a translated event has an original");
    } else {
        assert!(rebuilt.is_object(), "an event is an object");
    }
}

/// Nothing that is a secret by its structure is left in an event.
fn is_redacted(event: &mut Event<'_>) -> u32 {
    let values = REDACTOR.event(event);
    // A client chooses the id too, but it is what an event is found by.
    let (rebuilt, texts) = stored(event);
    if let Some(left) = texts.iter().find(|text| holds_token(text.as_bytes())) {
        panic!("a token is left after {values} values in `{left}` of {rebuilt}");
    }
    if let Some(left) = serde_json::from_str(&rebuilt).ok().and_then(|value| secret_in(&value, 0)) {
        panic!("`{left}` is left in {rebuilt}");
    }
    values
}

fn reject_is_redacted(record: &[u8]) {
    let (redacted, values) = REDACTOR.reject(record);
    assert_eq!(values == 0, *redacted == *record, "a count, and a change");
    assert!(!holds_token(&redacted), "a token is left in {}", String::from_utf8_lossy(&redacted));
    if let Some(left) = serde_json::from_slice(&redacted).ok().and_then(|value| secret_in(&value, 0)) {
        panic!("`{left}` is left in {}", String::from_utf8_lossy(&redacted));
    }
}

/// Whether two parts of a JSON Web Token stand in a text.
fn holds_token(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b".eyJ").any(|dot| {
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-' || **byte == b'_';
        let before = text[..dot].iter().rev().take_while(is_part).count();
        memchr::memmem::find(&text[dot - before..dot], b"eyJ").is_some()
    })
}

/// A value of a Secret that was not replaced.
fn secret_in(value: &Value, depth: usize) -> Option<String> {
    match value {
        // Objects deeper than a hundred are taken for one.
        _ if depth > 60 => None,
        Value::Array(items) => items.iter().find_map(|item| secret_in(item, depth + 1)),
        Value::Object(members) => {
            let is_secret = members.get("kind").is_some_and(|kind| kind == "Secret");
            let data = ["data", "stringData"].into_iter().filter(|_| is_secret).filter_map(|name| members.get(name));
            let mut values = data.filter_map(Value::as_object).flat_map(serde_json::Map::values);
            let is_left = |value: &&Value| match value {
                Value::String(text) => !text.starts_with("redacted:"),
                Value::Number(_) | Value::Bool(_) => true,
                _ => false,
            };
            let left = values.find(is_left).map(Value::to_string);
            left.or_else(|| members.values().find_map(|member| secret_in(member, depth + 1)))
        }
        _ => None,
    }
}

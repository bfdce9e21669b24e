//! HAR files: what a browser asked and was told while somebody looked at a log in it, `{"log":{"entries":[{"response":{"content":…`.
//!
//! The answers are those of any server, and one can be what a pod printed. So what is found in them is marked.

use serde_json::value::RawValue;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Opener, RowOfTable, Shape, mentions_event};
use crate::json;

pub(super) static SHAPE: Shape = Shape {
    name: "har",
    summary: "HAR: what a browser was told, with the events in the answers",
    recognises: |head| head.has("log.entries.response.content"),
    framing: None,
    opener: Opener::Rows(rows),
    traces: &[],
};

/// The name under which an answer is told: none that collectors use.
const SHOWN: &str = "{\"shown\":";

/// The answers of a HAR file that may hold events; `None` for anything else.
pub(super) fn rows(object: &str) -> Option<Vec<RowOfTable<'_>>> {
    let entries = json::member(json::member(object, "log")?, "entries").filter(|_| is_one(object))?;
    let entries: Vec<&RawValue> = serde_json::from_str(entries).ok()?;
    let answers = entries.into_iter().filter_map(|entry| Some((entry.get(), answer(entry.get())?)));
    let rows: Vec<_> = answers.filter(|(_, told)| mentions_event(told.as_bytes())).collect();
    (!rows.is_empty()).then_some(rows)
}

/// Whether an object is a HAR file.
pub(super) fn is_one(object: &str) -> bool {
    json::member(object, "log")
        .and_then(|log| json::member(log, "entries"))
        .is_some_and(|entries| entries.contains("\"startedDateTime\""))
}

/// The text of an answer, in base64 or as it is.
fn answer(entry: &str) -> Option<String> {
    let content = json::member(json::member(entry, "response")?, "content")?;
    let text = json::string(json::member(content, "text")?)?;
    let is_packed =
        json::member(content, "encoding").and_then(json::string).is_some_and(|encoding| encoding == "base64");
    let mut told = String::from(SHOWN);
    match is_packed {
        true => json::push_string(&mut told, &String::from_utf8(STANDARD.decode(text.as_bytes()).ok()?).ok()?),
        false => json::push_string(&mut told, &text),
    }
    told.push('}');
    Some(told)
}

//! Entries of Cloud Audit Logs as BigQuery stores them: `protopayload_auditlog` with the bodies as JSON text, labels without dots and
//! slashes; in CSV with a column for each field (`protopayload_auditlog.methodName`).

use std::borrow::Cow;

use super::fields::dotted;
use super::translated::Translated;
use super::tree::Tree;
use super::{Opener, Shape, gke};
use crate::json;
use crate::reject::Reason;

/// What begins the names of an entry's payload.
const PAYLOAD: &str = "protopayload_auditlog";

pub(super) static SHAPE: Shape = Shape {
    name: "bigquery",
    summary: "Google Kubernetes Engine: Cloud Audit Logs from BigQuery",
    recognises: |head| head.has_name(PAYLOAD) || head.has("protopayload_auditlog.methodName"),
    framing: None,
    opener: Opener::Object(open),
    traces: &[PAYLOAD.as_bytes()],
};

/// The event that a row tells.
fn open(row: &str) -> Option<Result<Translated, Reason>> {
    memchr::memmem::find(row.as_bytes(), PAYLOAD.as_bytes())?;
    let mut entry = Tree::default();
    let mut has_payload = false;
    json::members(row, &mut |name, value| {
        let name = match name.strip_prefix(PAYLOAD) {
            Some(rest) if rest.is_empty() || rest.starts_with(['.', '_']) => {
                has_payload = true;
                Cow::Owned(format!("protoPayload{}", rest.replacen('_', ".", usize::from(rest.starts_with('_')))))
            }
            _ => name,
        };
        put(&mut entry, &name, value);
    })
    .ok()?;
    if !has_payload {
        return None;
    }
    match gke::open(&entry.finish())? {
        Ok(translated) => Some(Ok(Translated { original: row.to_owned(), ..translated })),
        Err(reason) => Some(Err(reason)),
    }
}

/// Puts a field into the entry. Objects are taken apart, since names change in them.
fn put(entry: &mut Tree, name: &str, value: &str) {
    let text = json::string(value);
    if value == "null" || text.as_deref() == Some("") {
        return;
    }
    let inner =
        text.filter(|text| text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
    let value = inner.as_deref().unwrap_or(value);
    let path: Vec<&str> = name.split('.').collect();
    match path.as_slice() {
        ["labels"] if json::is_object(value) => {
            _ = json::members(value, &mut |key, value| entry.put(&["labels", &dotted(&key)], value.to_owned()));
        }
        ["labels", key @ ..] => entry.put(&["labels", &dotted(&key.join("."))], value.to_owned()),
        ["protoPayload", "requestJson" | "request_json"] => entry.put(&["protoPayload", "request"], value.to_owned()),
        ["protoPayload", "responseJson" | "response_json"] => {
            entry.put(&["protoPayload", "response"], value.to_owned());
        }
        ["protoPayload"] if json::is_object(value) => {
            _ = json::members(value, &mut |key, value| put(entry, &format!("protoPayload.{key}"), value));
        }
        ["timestamp" | "receiveTimestamp"] => {
            // `2026-11-21 20:37:04.104444 UTC`
            let time = json::string(value).and_then(|text| crate::time::parse(text.trim_end_matches(" UTC")));
            entry.put(&path, time.map_or(value.to_owned(), |time| format!("\"{}\"", crate::time::render(time))));
        }
        path => entry.put(path, value.to_owned()),
    }
}

//! Entries of Cloud Audit Logs that Google split because they were too large: each part has a `split` with the same `uid`, its
//! `index` and how many there are.
//!
//! Only `request`, `response` and `metadata` of the payload are split: members are spread over the parts, texts go on in the next
//! one, and so do lists, position by position. All else stands in every part.

use std::collections::BTreeMap;

use serde_json::Value;

use super::gke;
use super::translated::Translated;
use crate::json;

/// Members of the payload that are split.
const SPLIT: [&str; 3] = ["request", "response", "metadata"];

/// Parts that an entry can have: Google's limit for what is split is far below.
const MAX_PARTS: usize = 1_000;

/// A part of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    uid: String,
    pub(super) index: usize,
    pub(super) total: usize,
}

/// Which part an entry is, if it is one of several.
pub(super) fn part(entry: &str) -> Option<Part> {
    memchr::memmem::find(entry.as_bytes(), b"\"totalSplits\"")?;
    let split = json::member(entry, "split")?;
    // Protocol buffers leave zeros out.
    let number = |name| json::member(split, name).map_or(Some(0), |number| number.trim_matches('"').parse().ok());
    let (index, total) = (number("index")?, number("totalSplits")?);
    let uid = json::string(json::member(split, "uid")?)?.into_owned();
    (index < total && (2..=MAX_PARTS).contains(&total)).then_some(Part { uid, index, total })
}

/// The entries of a list that are whole when their parts are joined, by the number of the first part in the list, and the numbers of
/// all that were joined.
pub(super) fn joined(items: &[&str]) -> (BTreeMap<usize, Translated>, Vec<usize>) {
    let mut parts: BTreeMap<(String, usize), BTreeMap<usize, usize>> = BTreeMap::new();
    for (number, item) in items.iter().enumerate() {
        if let Some(Part { uid, index, total }) = part(item) {
            parts.entry((uid, total)).or_default().entry(index).or_insert(number);
        }
    }
    let (mut whole, mut taken) = (BTreeMap::new(), Vec::new());
    for ((_, total), numbers) in parts {
        let entries: Vec<&str> = numbers.values().map(|number| items[*number]).collect();
        let first = numbers.values().min();
        if numbers.len() == total
            && let (Some(first), Some(translated)) = (first, join(&entries))
        {
            whole.insert(*first, translated);
            taken.extend(numbers.into_values());
        }
    }
    (whole, taken)
}

/// The event of an entry whose parts these are, in their order.
fn join(entries: &[&str]) -> Option<Translated> {
    let mut parts = entries.iter().map(|entry| serde_json::from_str::<Value>(entry).ok());
    let mut whole = parts.next()??;
    for part in parts {
        let mut part = part?;
        for name in SPLIT {
            if let Some(more) = part["protoPayload"].get_mut(name).map(Value::take) {
                append(&mut whole["protoPayload"][name], more);
            }
        }
    }
    whole.as_object_mut()?.remove("split");
    let mut translated = gke::open(&whole.to_string())?.ok()?;
    translated.original = format!("[{}]", entries.join(","));
    Some(translated)
}

/// Puts what the next part has of a value behind what there is.
fn append(value: &mut Value, more: Value) {
    match (value, more) {
        (Value::Object(members), Value::Object(more)) => {
            for (name, more) in more {
                append(members.entry(name).or_insert(Value::Null), more);
            }
        }
        (Value::Array(items), Value::Array(more)) => {
            for (number, more) in more.into_iter().enumerate() {
                match items.get_mut(number) {
                    Some(item) => append(item, more),
                    None => items.push(more),
                }
            }
        }
        (Value::String(text), Value::String(more)) => text.push_str(&more),
        (_, Value::Null) => (),
        (value, more) => *value = more,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_texts_and_lists_go_on_in_the_next_part() {
        let entry = |index: usize, request: &str| {
            format!(
                r#"{{"insertId":"i{index}","timestamp":"2026-11-21T20:37:37Z","protoPayload":{{"methodName":"io.k8s.core.v1.pods.create","serviceName":"k8s.io","request":{request}}},"split":{{"uid":"u","index":{index},"totalSplits":3}}}}"#
            )
        };
        let one = entry(0, r#"{"a":"x","l":["foo","ba"],"o":{"p":1}}"#);
        let two = entry(1, r#"{"a":"y","l":["","r","baz"]}"#);
        let three = entry(2, r#"{"o":{"q":[2]}}"#);
        let items = ["{}", three.as_str(), one.as_str(), two.as_str()];
        let (whole, mut taken) = joined(&items);
        taken.sort_unstable();
        assert_eq!((whole.keys().collect::<Vec<_>>(), taken), (vec![&1], vec![1, 2, 3]));
        let event: Value = serde_json::from_str(&whole[&1].json).unwrap();
        let expected = serde_json::json!({"a": "xy", "l": ["foo", "bar", "baz"], "o": {"p": 1, "q": [2]}});
        assert_eq!(event["requestObject"], expected);
        assert!(joined(&items[1..3]).0.is_empty(), "a part is missing");
        assert_eq!(part("{\"totalSplits\":1}"), None);
    }
}

//! Entries of Cloud Audit Logs that Google split because they were too large: each part has a `split` with the same `uid`, its
//! `index` and how many there are.
//!
//! Only `request`, `response` and `metadata` of the payload are split: members are spread over the parts, texts go on in the next
//! one, and so do lists, position by position. All else stands in every part, but for `insertId`.
//!
//! A part by itself is an event that says so (the first one), or none. Parts are records of their own, in any order and with others
//! between them, so whoever reads a whole source gives them to [`Parts`]: what is whole becomes one event, unmarked unless a part of
//! it was; of the rest the beginning is an event marked [`salvage::SPLIT_PART`]. Bodies are joined before anything
//! is looked for in them: a secret value can lie across the seam.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use serde_json::value::RawValue;

use super::gke;
use super::translated::Translated;
use crate::event::Event;
use crate::json;
use crate::reject::Reason;
use crate::salvage;

/// Members of the payload that are split.
const SPLIT: [&str; 3] = ["request", "response", "metadata"];

/// Member of a joined entry that holds what its parts had of their own.
const PARTS: &str = "$parts";

/// Parts that an entry can have: Google's limit for what is split is far below.
const MAX_PARTS: usize = 1_000;

/// Objects in objects that are joined. The API server takes bodies about as deep.
const MAX_DEPTH: usize = 128;

/// Memory of parts that wait for others, in bytes: the whole of an entry is at most a few MB. Beyond it, those that wait for
/// the longest are given up.
const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;

/// A part of an entry that was split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    uid: String,
    /// Which it is, counted from 0.
    index: usize,
    total: usize,
    /// The id of the event.
    audit_id: String,
    /// The entry, as Google writes it.
    entry: String,
    /// How it was recovered, if it was.
    pub(super) mark: Option<&'static str>,
}

impl Part {
    /// Which part an entry is, if it is one of several.
    pub(super) fn of(entry: &str, audit_id: Option<&str>) -> Option<Self> {
        memchr::memmem::find(entry.as_bytes(), b"\"totalSplits\"")?;
        let split = json::member(entry, "split")?;
        // Protocol buffers leave zeros out.
        let number = |name| json::member(split, name).map_or(Some(0), |number| number.trim_matches('"').parse().ok());
        let (index, total) = (number("index")?, number("totalSplits")?);
        let uid = json::string(json::member(split, "uid")?)?.into_owned();
        let audit_id = audit_id.unwrap_or_default().to_owned();
        let is_one = index < total && (2..=MAX_PARTS).contains(&total);
        is_one.then(|| Self { uid, index, total, audit_id, entry: entry.to_owned(), mark: None })
    }

    /// Whether the entry begins with it. Only then it is an event without the others.
    pub(super) fn is_first(&self) -> bool {
        self.index == 0
    }

    /// The same part, recovered in that way.
    pub(super) fn marked(&self, mark: Option<&'static str>) -> Box<Self> {
        Box::new(Self { mark, ..self.clone() })
    }

    /// Which it is, counted from 1; how many there are; and the id of the event.
    pub(crate) fn named(&self) -> (usize, usize, &str) {
        (self.index + 1, self.total, &self.audit_id)
    }
}

/// Parts that wait for others. With each goes what its reader knows of it.
#[derive(Debug)]
pub struct Parts<T> {
    /// By how many were there before.
    waiting: BTreeMap<u64, Waiting<T>>,
    /// By id and number of parts.
    numbers: BTreeMap<(String, usize), u64>,
    next: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting<T> {
    key: (String, usize),
    /// By index; of several copies of an export the first one first.
    parts: BTreeMap<usize, VecDeque<(Part, T)>>,
}

/// What became of parts.
#[derive(Debug)]
pub enum Settled<T> {
    /// They are an event, or its beginning.
    Event(Joined, Vec<T>),
    /// A part without those before it.
    Reject(Reason, T),
}

/// An event whose parts were joined.
#[derive(Debug)]
pub struct Joined {
    translated: Translated,
    mark: Option<&'static str>,
}

impl Joined {
    /// The event.
    ///
    /// # Errors
    /// When it is none, which is known before: see [`Settled`].
    pub fn event(&self) -> Result<Event<'_>, Reason> {
        let mut event = self.translated.event()?;
        event.part = None;
        event.salvaged = self.mark.map(Cow::Borrowed);
        Ok(event)
    }
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), numbers: BTreeMap::new(), next: 0, bytes: 0 }
    }
}

impl<T> Parts<T> {
    /// Takes up a part. Returns what is settled by it: its event, or what had to make room.
    pub fn take(&mut self, part: Part, of: T) -> Vec<Settled<T>> {
        let key = (part.uid.clone(), part.total);
        let number = *self.numbers.entry(key.clone()).or_insert_with(|| {
            self.next += 1;
            self.next
        });
        let total = part.total;
        let set = self.waiting.entry(number).or_insert_with(|| Waiting { key, parts: BTreeMap::new() });
        self.bytes += memory(&part);
        set.parts.entry(part.index).or_default().push_back((part, of));
        let mut settled = Vec::new();
        if set.parts.len() == total {
            // Parts of a further copy stay and wait.
            let parts = take_first(&mut set.parts);
            self.bytes -= parts.iter().map(|(part, _)| memory(part)).sum::<usize>();
            if set.parts.is_empty() {
                self.numbers.remove(&set.key);
                self.waiting.remove(&number);
            }
            settle(total, parts, &mut settled);
        }
        while self.bytes > MAX_WAITING_BYTES && self.give_up_oldest(&mut settled) {}
        settled
    }

    /// The source ends: what became of the parts that still wait.
    pub fn finish(&mut self) -> Vec<Settled<T>> {
        let mut settled = Vec::new();
        while self.give_up_oldest(&mut settled) {}
        settled
    }

    /// Settles the parts that wait for the longest without the others; whether there were any.
    fn give_up_oldest(&mut self, settled: &mut Vec<Settled<T>>) -> bool {
        let Some((_, Waiting { key, mut parts })) = self.waiting.pop_first() else { return false };
        self.numbers.remove(&key);
        self.bytes -= parts.values().flatten().map(|(part, _)| memory(part)).sum::<usize>();
        while parts.contains_key(&0) {
            settle(key.1, take_first(&mut parts), settled);
        }
        let alone = parts.into_values().flatten();
        settled.extend(alone.map(|(part, of)| Settled::Reject(Reason::FurtherPart { part: Box::new(part) }, of)));
        true
    }
}

/// Memory that a part takes: what its reader keeps of it is about as large as it is.
fn memory(part: &Part) -> usize {
    2 * part.entry.len() + 512
}

/// The first copy of each part, from the beginning to the first that is missing.
fn take_first<T>(parts: &mut BTreeMap<usize, VecDeque<(Part, T)>>) -> Vec<(Part, T)> {
    let mut first = Vec::new();
    while let Some(copies) = parts.get_mut(&first.len()) {
        first.extend(copies.pop_front());
        if copies.is_empty() {
            parts.remove(&(first.len() - 1));
        }
    }
    first
}

/// What becomes of parts that follow one another from the first.
fn settle<T>(total: usize, parts: Vec<(Part, T)>, settled: &mut Vec<Settled<T>>) {
    let joined = match parts.as_slice() {
        [_] => None,
        _ => join(&parts.iter().map(|(part, _)| part).collect::<Vec<_>>()),
    };
    let missing = Some(salvage::SPLIT_PART).filter(|_| parts.len() < total);
    let mark = parts.iter().find_map(|(part, _)| part.mark).or(missing);
    if let Some(translated) = joined {
        settled.push(Settled::Event(Joined { translated, mark }, parts.into_iter().map(|(_, of)| of).collect()));
        return;
    }
    // What cannot be joined is what it would be alone.
    for (part, of) in parts {
        match gke::open(&part.entry).filter(|_| part.is_first()) {
            Some(Ok(translated)) => {
                let mark = part.mark.or(Some(salvage::SPLIT_PART));
                settled.push(Settled::Event(Joined { translated, mark }, vec![of]));
            }
            _ => settled.push(Settled::Reject(Reason::FurtherPart { part: Box::new(part) }, of)),
        }
    }
}

/// The event of an entry whose parts these are, in their order.
fn join(parts: &[&Part]) -> Option<Translated> {
    let payloads: Vec<&str> =
        parts.iter().map(|part| json::member(&part.entry, "protoPayload")).collect::<Option<_>>()?;
    let mut payload = Members::default();
    for (number, text) in payloads.iter().enumerate() {
        json::members(text, &mut |name, value| {
            if number == 0 || SPLIT.contains(&&*name) {
                payload.add(name, value);
            }
        })
        .ok()?;
    }
    let payload = payload.join(0)?;
    let mut whole = Members::default();
    json::members(&parts[0].entry, &mut |name, value| match &*name {
        "split" => (),
        "protoPayload" => whole.add(name, &payload),
        _ => whole.add(name, value),
    })
    .ok()?;
    let own: Option<Vec<String>> = parts.iter().map(|part| own_members(&part.entry, &parts[0].entry)).collect();
    let own = format!("[{}]", own?.join(","));
    whole.add(Cow::Borrowed(PARTS), &own);
    gke::open(&whole.join(0)?)?.ok()
}

/// The members of a part, apart from its payload, that the first one has otherwise; its id and which part it is in any case.
fn own_members(entry: &str, first: &str) -> Option<String> {
    let mut own = Members::default();
    json::members(entry, &mut |name, value| {
        let is_own = matches!(&*name, "insertId" | "split") || json::member(first, &name) != Some(value);
        if is_own && name != "protoPayload" {
            own.add(name, value);
        }
    })
    .ok()?;
    own.join(0)
}

/// Members of objects that are being joined: for each name its values, in the order of the parts.
#[derive(Default)]
struct Members<'a>(Vec<(Cow<'a, str>, Vec<&'a str>)>);

impl<'a> Members<'a> {
    fn add(&mut self, name: Cow<'a, str>, value: &'a str) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => self.0.push((name, vec![value])),
        }
    }

    fn join(self, depth: usize) -> Option<String> {
        let mut out = "{".to_owned();
        for (number, (name, values)) in self.0.into_iter().enumerate() {
            if number > 0 {
                out.push(',');
            }
            json::push_string(&mut out, &name);
            out.push(':');
            out.push_str(&join_values(&values, depth + 1)?);
        }
        out.push('}');
        Some(out)
    }
}

/// What the parts have of a value, one behind the other. A value of one part stays byte for byte as it is; a placeholder is none.
fn join_values<'a>(values: &[&'a str], depth: usize) -> Option<Cow<'a, str>> {
    let there: Vec<&str> = values.iter().copied().filter(|value| *value != "null").collect();
    let (first, rest) = match there.as_slice() {
        [] => return Some(Cow::Borrowed("null")),
        [one] => return Some(Cow::Borrowed(one)),
        [first, rest @ ..] => (*first, rest),
    };
    let kind = first.as_bytes().first().copied();
    if depth > MAX_DEPTH || rest.iter().any(|value| value.as_bytes().first().copied() != kind) {
        // No value of two kinds, or this deep, was split: they cannot be joined without losing one.
        return rest.iter().all(|value| *value == first).then_some(Cow::Borrowed(first));
    }
    match kind {
        Some(b'{') => {
            let mut members = Members::default();
            for object in &there {
                json::members(object, &mut |name, value| members.add(name, value)).ok()?;
            }
            members.join(depth).map(Cow::Owned)
        }
        Some(b'[') => {
            let mut items: Vec<Vec<&str>> = Vec::new();
            for list in &there {
                for (number, item) in serde_json::from_str::<Vec<&RawValue>>(list).ok()?.into_iter().enumerate() {
                    if items.len() == number {
                        items.push(Vec::new());
                    }
                    items[number].push(item.get());
                }
            }
            let items: Option<Vec<Cow<'_, str>>> = items.iter().map(|item| join_values(item, depth + 1)).collect();
            Some(Cow::Owned(format!("[{}]", items?.join(","))))
        }
        // As they are written: a character can be split as well.
        Some(b'"') => {
            Some(Cow::Owned(format!("\"{}\"", there.iter().map(|text| &text[1..text.len() - 1]).collect::<String>())))
        }
        _ => rest.iter().all(|value| *value == first).then_some(Cow::Borrowed(first)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn entry(uid: &str, index: usize, total: usize, request: &str) -> String {
        format!(
            r#"{{"insertId":"i{index}","operation":{{"id":"{uid}-id"}},"timestamp":"2026-11-21T20:37:37Z","protoPayload":{{"methodName":"io.k8s.core.v1.pods.create","serviceName":"k8s.io","request":{request}}},"split":{{"uid":"{uid}","index":{index},"totalSplits":{total}}}}}"#
        )
    }

    fn part(uid: &str, index: usize, total: usize, request: &str) -> Part {
        Part::of(&entry(uid, index, total, request), Some("a")).unwrap()
    }

    /// What is settled: the request of an event with its mark, or why there is none; and the parts.
    fn told(settled: Vec<Settled<usize>>) -> Vec<(String, Vec<usize>)> {
        let told = settled.into_iter().map(|settled| match settled {
            Settled::Event(joined, of) => {
                let event = joined.event().unwrap();
                let request = event.request_object.as_deref().unwrap_or_default();
                (format!("{request} {}", event.salvaged.as_deref().unwrap_or("whole")), of)
            }
            Settled::Reject(reason, of) => (reason.to_string(), vec![of]),
        });
        told.collect()
    }

    const PARTS: [&str; 3] = [
        r#"{"a":"x\ud83d","l":["foo","ba"],"o":{"p":1.10},"n":12345678901234567890123}"#,
        r#"{"a":"\ude00y","l":["","r","baz"],"n":null}"#,
        r#"{"o":{"q":[2]}}"#,
    ];
    const WHOLE: &str =
        r#"{"a":"x\ud83d\ude00y","l":["foo","bar","baz"],"o":{"p":1.10,"q":[2]},"n":12345678901234567890123} whole"#;

    #[test]
    fn parts_in_any_order_are_one_event() {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut parts = Parts::default();
            let mut settled = Vec::new();
            for index in order {
                assert!(settled.is_empty(), "{order:?}");
                settled = parts.take(part("u", index, 3, PARTS[index]), index);
            }
            assert_eq!(told(settled), [(WHOLE.to_owned(), vec![0, 1, 2])], "{order:?}");
            assert_eq!((parts.finish().len(), parts.bytes), (0, 0));
        }
    }

    #[test]
    fn copies_are_joined_among_themselves() {
        let mut parts = Parts::default();
        let mut settled = Vec::new();
        for (number, index) in [0, 0, 1, 2, 1, 2].into_iter().enumerate() {
            settled.extend(parts.take(part("u", index, 3, PARTS[index]), number));
        }
        assert_eq!((parts.finish().len(), parts.bytes), (0, 0));
        let whole: Vec<_> = told(settled).into_iter().filter(|(what, _)| what == WHOLE).map(|(_, of)| of).collect();
        assert_eq!(whole, [vec![0, 2, 3], vec![1, 4, 5]]);
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut parts = Parts::default();
        for (number, index) in [3, 1, 0].into_iter().enumerate() {
            assert!(parts.take(part("u", index, 4, PARTS[index % 3]), number).is_empty());
        }
        let settled = told(parts.finish());
        assert!(
            settled[0].0.starts_with(r#"{"a":"x\ud83d\ude00y""#) && settled[0].0.ends_with(" split-part"),
            "{settled:?}"
        );
        assert_eq!((&settled[0].1, &settled[1].1), (&vec![2, 1], &vec![0]));
        assert!(settled[1].0.contains("part 4 of 4 of event `a`"), "{settled:?}");
    }

    #[test]
    fn a_mark_of_any_part_is_that_of_the_event() {
        let mut parts = Parts::default();
        let marked = Part { mark: Some(salvage::BEHIND_DAMAGE), ..part("u", 1, 2, "{\"b\":1}") };
        assert!(parts.take(marked, 0).is_empty());
        let settled = told(parts.take(part("u", 0, 2, "{\"a\":1}"), 1));
        assert_eq!(settled, [("{\"a\":1,\"b\":1} behind-damage".to_owned(), vec![1, 0])]);
    }

    #[test]
    fn what_waits_is_bounded_and_nothing_is_lost() {
        let text = format!("{{\"a\":\"{}\"}}", "x".repeat(1024 * 1024));
        let mut parts = Parts::default();
        let mut events = 0;
        for number in 0..40 {
            events += parts.take(part(&number.to_string(), 0, 2, &text), number).len();
            assert!(parts.bytes <= MAX_WAITING_BYTES);
        }
        let rest = parts.finish();
        assert!(rest.len() <= 16 && events + rest.len() == 40);
    }

    #[test]
    fn the_joined_entry_keeps_what_its_parts_had_of_their_own() {
        let (one, two) = (part("u", 0, 2, "{\"a\":\"b\"}"), part("u", 1, 2, "{\"a\":\"c\"}"));
        let whole: Value = serde_json::from_str(&join(&[&one, &two]).unwrap().original).unwrap();
        assert_eq!(whole["protoPayload"]["request"]["a"], "bc");
        let own = |index: usize| serde_json::json!({"insertId": format!("i{index}"), "split": {"uid": "u", "index": index, "totalSplits": 2}});
        assert_eq!((whole.get("split"), &whole["$parts"]), (None, &serde_json::json!([own(0), own(1)])));
    }

    #[test]
    fn values_that_do_not_belong_together_are_not_joined() {
        for (one, two) in [("{\"a\":1}", "{\"a\":2}"), ("{\"a\":[1]}", "{\"a\":{}}"), ("{\"a\":true}", "{\"a\":\"x\"}")]
        {
            let mut parts = Parts::default();
            assert!(parts.take(part("u", 0, 2, one), 0).is_empty());
            let settled = told(parts.take(part("u", 1, 2, two), 1));
            assert_eq!(settled[0], (format!("{one} split-part"), vec![0]));
            assert!(settled.len() == 2 && settled[1].0.contains("part 2 of 2"), "{settled:?}");
        }
        assert_eq!(Part::of("{\"totalSplits\":1}", None), None);
    }
}

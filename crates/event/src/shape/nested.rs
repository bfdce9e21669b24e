//! Events inside of a record that is not one itself.
//!
//! Collectors wrap events in JSON of their own (`{"log":"{…}"}`, `{"records":[{"properties":{"log":…}}]}`),
//! put text in front of them (`node-1 {…}`, a time and a stream name), and crashes glue the next event to
//! the torn beginning of another. No list of collectors is needed to find what they all have in common:
//! somewhere in the record stands an audit event, as JSON or as text that is JSON. Before an object is searched, the
//! openers of all shapes are asked for it.
//!
//! Bodies are written by clients, who can put into a ConfigMap what looks like an audit event. So nothing is searched
//! that is an event itself, even when it is torn, cut, or lacks a time; and what an opener knows, it answers for.
//!
//! What is found has to account for the whole: an item of a list that holds no event although its
//! neighbours do is a reject, and so is what stands before an event that was glued on. When nothing is
//! found the record is a reject as a whole. A text that holds several records is one place for all of them: its
//! events, and one reject for all in it that is no event.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use memchr::memmem;
use serde_json::value::RawValue;

use super::{Decoded, MAX_RECORD_BYTES, Opener, Position, Record, SHAPES, mentions_event};
use crate::decode::NO_TIME;
use crate::event::Event;
use crate::json;
use crate::reject::Reason;
use crate::shape::translated::Translated;

/// Wrappers in wrappers that are opened. Real ones have four at most (OTLP: resource, scope, record, body).
const MAX_DEPTH: usize = 12;

/// Braces in a prefix that are tried as the beginning of the event.
const MAX_TRIES: usize = 16;

/// How every event begins that the API server writes: found in the middle of a line, it was glued on.
const BEGINNING: &[u8] = b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/";

/// Whether a line begins as the API server writes an event.
pub(super) fn begins_event(line: &[u8]) -> bool {
    line.starts_with(BEGINNING)
}

/// Whether an event is in a text, whatever wraps it; with `damage`, beside what is no event.
pub(super) fn holds_event(text: &str, damage: bool) -> bool {
    if Event::decode(text).is_ok() {
        return true;
    }
    let pieces = Search::of(text).pieces().list;
    !pieces.is_empty() && (damage || !pieces.iter().any(|piece| piece.content.is_reject()))
}

/// A line, or a document, that is no event itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nested<'a> {
    /// Where it begins.
    pub(super) position: Position,
    /// Its bytes.
    pub(super) bytes: &'a [u8],
    /// Whether it cannot be half of something longer.
    pub(super) terminated: bool,
}

impl Nested<'_> {
    /// Gives the records in it to `each`: the events, and what is left over; or all of it as one
    /// reject, for `reason`, when no event is in it or it is `too_long` to be looked at.
    pub(super) fn records(self, too_long: bool, reason: Reason, each: &mut dyn FnMut(Record<'_>)) {
        let Self { position, bytes, terminated } = self;
        let text = if too_long { "" } else { std::str::from_utf8(bytes).unwrap_or_default() };
        let pieces = Search::of(text).pieces();
        if pieces.list.is_empty() {
            let reason = pieces.reason.or_else(|| foreign(text)).unwrap_or(reason);
            return each(Record { position, bytes, decoded: Decoded::Reject(reason), terminated });
        }
        let (mut at, mut done) = (position, 0);
        for piece in pieces.list {
            at = at.after(&bytes[done..piece.at.start]);
            done = piece.at.start;
            // Only what ends where the source ends can be half of a longer record.
            let terminated = terminated || piece.at.end < bytes.len();
            piece.content.decode(&mut |decoded| {
                each(Record { position: at, bytes: &bytes[piece.at.clone()], decoded, terminated });
            });
        }
    }

    /// The same for what its text turned out to be: all records have the place of the whole.
    pub(super) fn records_of_text(self, text: &str, each: &mut dyn FnMut(Record<'_>)) {
        let Self { position, bytes, terminated } = self;
        decode_text(Search::of(text), &mut |decoded| each(Record { position, bytes, decoded, terminated }));
    }
}

/// Why bytes are no event.
pub(super) fn rejected(bytes: &[u8]) -> Reason {
    match std::str::from_utf8(bytes) {
        _ if bytes.len() > MAX_RECORD_BYTES => Reason::TooLong { limit: MAX_RECORD_BYTES },
        Err(error) => Reason::InvalidUtf8 { valid_up_to: error.valid_up_to() },
        Ok(text) => Event::decode(text).err().unwrap_or(Reason::Torn),
    }
}

/// A part of a record: a record of its own, or several in one place.
#[derive(Debug)]
struct Piece<'a> {
    /// Where it stands.
    at: Range<usize>,
    content: Content<'a>,
}

/// What a piece is.
#[derive(Debug)]
enum Content<'a> {
    /// The JSON of an event.
    Event(Cow<'a, str>),
    /// What a collector made of an event, undone.
    Translated(Box<Translated>),
    /// A JSON string with records in it.
    Text(&'a str),
    /// A JSON string with packed text in it. It is unpacked again when its turn comes, so that one is in memory at a time.
    Packed(&'a str, fn(&str) -> Option<Result<String, Reason>>),
    /// No event.
    Reject(Reason),
}

impl Content<'_> {
    fn is_reject(&self) -> bool {
        matches!(self, Self::Reject(_))
    }

    /// Gives what it is to `each`: one event or reject, or all that a text holds.
    fn decode(&self, each: &mut dyn FnMut(Decoded<'_>)) {
        match self {
            Self::Event(json) => each(Event::decode(json).map_or_else(Decoded::Reject, Decoded::Event)),
            Self::Translated(translated) => each(translated.event().map_or_else(Decoded::Reject, Decoded::Event)),
            Self::Text(quoted) => decode_text(Search::of(&json::string(quoted).unwrap_or_default()), each),
            Self::Packed(quoted, unpack) => match unpack(&json::string(quoted).unwrap_or_default()) {
                Some(Ok(text)) => decode_text(Search { unpack: false, ..Search::of(&text) }, each),
                Some(Err(reason)) => each(Decoded::Reject(reason)),
                None => each(Decoded::Reject(Reason::Torn)),
            },
            Self::Reject(reason) => each(Decoded::Reject(reason.clone())),
        }
    }
}

/// All records of a text; those that are no event as one reject.
fn decode_text(search: Search<'_>, each: &mut dyn FnMut(Decoded<'_>)) {
    let mut rejected: u64 = 0;
    let mut each_but_rejects = |decoded: Decoded<'_>| match decoded {
        Decoded::Event(_) => each(decoded),
        Decoded::Reject(_) => rejected += 1,
    };
    search.pieces().list.iter().for_each(|piece| piece.content.decode(&mut each_but_rejects));
    if rejected > 0 {
        each(Decoded::Reject(Reason::InText { records: rejected }));
    }
}

/// What the shapes know of an object that the search is not to look into.
fn open_object(object: &str) -> Option<Result<Translated, Reason>> {
    SHAPES.iter().find_map(|shape| match shape.opener {
        Opener::Object(open) => open(object),
        Opener::Foreign(what, is) if is(object) => Some(Err(Reason::Foreign { what })),
        _ => None,
    })
}

/// Why a record is none of ours that does not mention an audit event.
fn foreign(text: &str) -> Option<Reason> {
    let object = first_value(text.trim_ascii_start()).filter(|value| json::is_object(value))?;
    open_object(object)?.err()
}

/// Whether a text is an event that breaks off.
fn is_torn_event(text: &str) -> bool {
    let mut is_event = begins_event(text.as_bytes());
    // Members that are whole come before the error.
    let _ = json::members(text, &mut |key, _| is_event |= key == "auditID");
    is_event
}

/// Whether text beside an event is more than a collector's prefix: a torn event, or the hole that
/// truncating a log under the server's hands leaves.
fn is_damage(text: &str) -> bool {
    text.contains('\0') || text.contains("\"auditID") || mentions_event(text.as_bytes())
}

/// Where the next JSON value begins that can hold an event.
fn next_value(line: &str, from: usize) -> Option<usize> {
    let rest = line.get(from..)?;
    let blank = rest.len() - rest.trim_start_matches([' ', '\t', ',', '\r', '\n']).len();
    match rest[blank..].bytes().next()? {
        b'{' | b'[' => Some(from + blank),
        _ => memmem::find(rest.as_bytes(), b"{\"").map(|at| from + at),
    }
}

/// The JSON value that `text` begins with, if it is whole.
fn first_value(text: &str) -> Option<&str> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next()?.ok().map(RawValue::get)
}

/// What was found in one value.
#[derive(Default)]
struct Found<'a> {
    pieces: Vec<Piece<'a>>,
    /// Events were found as text, hence as the server wrote them, not as a collector rewrote them.
    verbatim: bool,
    /// Why there is none, when an opener could tell.
    reason: Option<Reason>,
}

/// The records in a text.
#[derive(Default)]
struct Pieces<'a> {
    /// In order; none when no event is among them.
    list: Vec<Piece<'a>>,
    /// Why no event is among them, when an opener could tell.
    reason: Option<Reason>,
}

/// Looks for events in one text.
#[derive(Clone, Copy)]
struct Search<'l> {
    line: &'l str,
    /// Packed text is unpacked. Inside of packed text it is not: no collector packs twice, only a bomb.
    unpack: bool,
}

impl<'l> Search<'l> {
    fn of(line: &'l str) -> Self {
        Self { line, unpack: true }
    }

    fn pieces(self) -> Pieces<'l> {
        let line = self.line;
        if !mentions_event(line.as_bytes()) {
            return Pieces::default();
        }
        if let Some(translated) = open_line(line) {
            let content = Content::Translated(Box::new(translated));
            return Pieces { list: vec![Piece { at: 0..line.len(), content }], reason: None };
        }
        let mut pieces = self.values();
        let list = &mut pieces.list;
        if list.iter().all(|piece| piece.content.is_reject()) {
            list.clear();
        }
        if let [piece] = list.as_mut_slice() {
            // One event and nothing else: the record is the whole line.
            piece.at = 0..line.len();
        }
        pieces
    }

    /// What is in the JSON values of the text, and damage between them.
    fn values(self) -> Pieces<'l> {
        let line = self.line;
        let (mut list, mut reason) = (Vec::new(), None);
        let mut tries = 0;
        let (mut done, mut from) = (0, 0);
        while let Some(start) = next_value(line, from) {
            match first_value(&line[start..]) {
                Some(value) => {
                    from = start + value.len();
                    let found = self.value(value, 0);
                    reason = reason.or(found.reason.clone());
                    if found.pieces.is_empty() && !json::is_object(value) {
                        continue;
                    }
                    if is_damage(&line[done..start]) {
                        list.push(Piece { at: done..start, content: Content::Reject(Reason::Torn) });
                    }
                    if found.pieces.is_empty() {
                        // A whole object beside events, such as a control message of a subscription.
                        let missing = "audit event in this document";
                        let reason = found.reason.unwrap_or(Reason::NotAuditEvent { missing });
                        list.push(Piece { at: start..from, content: Content::Reject(reason) });
                    }
                    list.extend(found.pieces);
                    done = from;
                }
                // Broken from here: perhaps an event that begins further on was glued to it.
                None => match memmem::find(&line.as_bytes()[start + 1..], BEGINNING) {
                    Some(next) => from = start + 1 + next,
                    // Whatever is whole in a torn event was written by a client.
                    None if tries < MAX_TRIES && !is_torn_event(&line[start..]) => {
                        tries += 1;
                        from = start + 1;
                    }
                    None => break,
                },
            }
        }
        if is_damage(&line[done..]) {
            list.push(Piece { at: done..line.len(), content: Content::Reject(Reason::Torn) });
        }
        Pieces { list, reason }
    }

    fn value(self, value: &'l str, depth: usize) -> Found<'l> {
        if depth > MAX_DEPTH || !(mentions_event(value.as_bytes()) || is_packed(value)) {
            return Found::default();
        }
        match value.as_bytes().first() {
            Some(b'{') => match Event::decode(value) {
                Ok(_) => self.found(value, Content::Event(Cow::Borrowed(value)), false),
                Err(reason) if reason == NO_TIME => Found { reason: Some(reason), ..Found::default() },
                Err(_) => self.object(value, depth),
            },
            Some(b'[') => self.list(value, depth),
            Some(b'"') => self.text(value, depth),
            _ => Found::default(),
        }
    }

    /// One piece, whose place is that of `value`.
    fn found(self, value: &'l str, content: Content<'l>, verbatim: bool) -> Found<'l> {
        Found { pieces: vec![Piece { at: self.place(value), content }], verbatim, reason: None }
    }

    /// What an opener makes of the object; else what its members hold.
    fn object(self, object: &'l str, depth: usize) -> Found<'l> {
        match open_object(object) {
            Some(Ok(translated)) => return self.found(object, Content::Translated(Box::new(translated)), true),
            Some(Err(reason)) => return Found { reason: Some(reason), ..Found::default() },
            None => (),
        }
        let (mut members, mut reason) = (Vec::new(), None);
        // What cannot be read as an object holds nothing; the line is then a reject.
        let _ = json::members(object, &mut |key, value| {
            let mut found = self.value(value, depth + 1);
            if !found.verbatim {
                found.pieces.iter_mut().for_each(|piece| restore(&key, piece));
            }
            reason = reason.take().or(found.reason.take());
            if !found.pieces.is_empty() {
                members.push(found);
            }
        });
        match members.len() {
            0 => Found { reason, ..Found::default() },
            1 => members.swap_remove(0),
            _ => without_copies(members),
        }
    }

    /// All items; those without an event are rejects when others have one.
    fn list(self, list: &'l str, depth: usize) -> Found<'l> {
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(list) else { return Found::default() };
        let mut all = Found::default();
        let mut any = false;
        for item in items.into_iter().map(RawValue::get) {
            let found = self.value(item, depth + 1);
            any |= !found.pieces.is_empty();
            all.verbatim |= found.verbatim;
            if found.pieces.is_empty() && (item.starts_with(['{', '[']) || mentions_event(item.as_bytes())) {
                let missing = "audit event in this item of a list";
                let reason = found.reason.clone().unwrap_or(Reason::NotAuditEvent { missing });
                all.pieces.push(Piece { at: self.place(item), content: Content::Reject(reason) });
            }
            all.reason = all.reason.or(found.reason);
            all.pieces.extend(found.pieces);
        }
        if any { all } else { Found { reason: all.reason, ..Found::default() } }
    }

    /// A text that is an event, or holds some.
    fn text(self, quoted: &'l str, depth: usize) -> Found<'l> {
        let Some(text) = json::string(quoted) else { return Found::default() };
        if Event::decode(&text).is_ok() {
            return self.found(quoted, Content::Event(text), true);
        }
        for shape in SHAPES.iter().filter(|_| self.unpack) {
            let Opener::Packed(_, unpack) = shape.opener else { continue };
            match unpack(&text) {
                Some(Ok(inner)) if (Search { unpack: false, ..Search::of(&inner) }).pieces().list.is_empty() => (),
                Some(Ok(_)) => return self.found(quoted, Content::Packed(quoted, unpack), true),
                Some(Err(reason)) => return Found { reason: Some(reason), ..Found::default() },
                None => (),
            }
        }
        // Text in text in text: each layer of escapes makes it shorter, so this ends before `MAX_DEPTH`.
        match depth < MAX_DEPTH && !(Search { line: &text, ..self }).pieces().list.is_empty() {
            true => self.found(quoted, Content::Text(quoted), true),
            false => Found::default(),
        }
    }

    /// Where in the line a slice of it stands.
    fn place(self, slice: &str) -> Range<usize> {
        let start = slice.as_ptr().addr() - self.line.as_ptr().addr();
        start..start + slice.len()
    }
}

/// What several members of an object hold. A collector can keep an event twice: as text in two members, or as text beside its
/// own version with other keys (Elastic's `event.original`). Then the first text counts; all else is another event. A client
/// that has a text of its own beside its event cannot hide that: it does not know the times that the server will write.
fn without_copies(members: Vec<Found<'_>>) -> Found<'_> {
    let mut all = Found { verbatim: members.iter().any(|found| found.verbatim), ..Found::default() };
    let told =
        |wanted: bool| members.iter().filter(move |found| found.verbatim == wanted).flat_map(|found| &found.pieces);
    let (texts, mut told_as_text) = (told(true), HashSet::new());
    if told(false).next().is_some() {
        texts.for_each(|piece| {
            piece.content.decode(&mut |decoded| {
                if let Decoded::Event(event) = decoded {
                    told_as_text.insert(identity(&event));
                }
            });
        });
    }
    let mut seen = HashSet::new();
    for Found { pieces, verbatim, .. } in members {
        for piece in pieces {
            let is_copy = match &piece.content {
                Content::Event(event) if verbatim => !seen.insert(event.trim_ascii().to_owned()),
                Content::Text(quoted) | Content::Packed(quoted, _) => !seen.insert((*quoted).to_owned()),
                Content::Event(event) => {
                    Event::decode(event).is_ok_and(|event| told_as_text.contains(&identity(&event)))
                }
                Content::Translated(_) | Content::Reject(_) => false,
            };
            if !is_copy {
                all.pieces.push(piece);
            }
        }
    }
    all
}

/// What no two stages of requests share: audit id, stage, and times.
fn identity(event: &Event<'_>) -> (Option<String>, Option<String>, Option<i64>, Option<i64>) {
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    (text(&event.audit_id), text(&event.stage), event.event_time, event.stage_time)
}

/// Undoes what a collector does to an event that it stores as the member `key`.
fn restore(key: &str, piece: &mut Piece<'_>) {
    let Content::Event(event) = &mut piece.content else { return };
    for shape in SHAPES {
        if let Opener::Member(name, restore) = shape.opener
            && name == key
            && let Cow::Owned(restored) = restore(event)
        {
            *event = Cow::Owned(restored);
        }
    }
}

/// Whether a value is a text that looks packed.
fn is_packed(value: &str) -> bool {
    let Some(text) = value.strip_prefix('"') else { return false };
    SHAPES.iter().any(|shape| matches!(shape.opener, Opener::Packed(magic, _) if text.starts_with(magic)))
}

/// The event that a line of text stands for.
fn open_line(line: &str) -> Option<Translated> {
    SHAPES.iter().find_map(|shape| match shape.opener {
        Opener::Line(open) => open(line),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"@","user":{},"stageTimestamp":"2026-11-21T20:37:37.000000Z"}"#;

    fn event(id: &str) -> String {
        EVENT.replace('@', id)
    }

    fn quoted(text: &str) -> String {
        serde_json::to_string(text).unwrap()
    }

    /// The audit ids of the events of a line, and its rejects with their bytes.
    fn found(line: &str) -> (Vec<String>, Vec<String>) {
        let (mut events, mut rejects) = (Vec::new(), Vec::new());
        let mut end = 0;
        for piece in Search::of(line).pieces().list {
            assert!(piece.at.start >= end, "pieces do not overlap");
            end = piece.at.end;
            piece.content.decode(&mut |decoded| match decoded {
                Decoded::Event(event) => events.push(event.audit_id.unwrap().into_owned()),
                Decoded::Reject(_) => rejects.push(line[piece.at.clone()].to_owned()),
            });
        }
        (events, rejects)
    }

    #[test]
    fn wrappers_are_opened() {
        let text = quoted(&(event("a") + "\n"));
        for line in [
            format!("node-1 {}", event("a")),
            format!("2021-07-21T09:46:13.123Z {}", event("a")),
            format!("<14>1 2026-11-21T20:37:37Z cp-1 audit - - [x@1 a=\"{{\"] {}", event("a")),
            format!("2026-11-21T20:37:37Z stdout F {}", event("a")),
            format!("{{\"log\":{text},\"stream\":\"stdout\",\"time\":\"x\"}}"),
            format!(
                "{{\"@timestamp\":\"x\",\"event\":{{\"original\":{text}}},\"kubernetes\":{{\"audit\":{}}}}}",
                event("a")
            ),
            format!("{{\"message\":{text},\"event\":{{\"original\":{text}}}}}"),
            format!("{{\"properties\":{{\"log\":{}}}}}", event("a")),
            format!(
                "{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{{\"body\":{{\"stringValue\":{text}}}}}]}}]}}]}}"
            ),
            format!("{{\"data\":{{\"result\":[{{\"values\":[[\"1795292857\",{text}]]}}]}}}}"),
            format!("[{}]", event("a")),
            format!("{},", event("a")),
        ] {
            let (events, rejects) = found(&line);
            assert_eq!((events, rejects.len()), (vec!["a".to_owned()], 0), "{line}");
            assert_eq!(Search::of(&line).pieces().list[0].at, 0..line.len(), "the record is the whole line");
        }
    }

    #[test]
    fn members_that_hold_different_events_are_all_records() {
        let (a, b) = (event("a"), event("b"));
        for line in [
            format!("{{\"one\":{a},\"two\":{b}}}"),
            format!("{{\"one\":[{a}],\"two\":[{b}]}}"),
            // A client's text cannot take the place of its event.
            format!("{{\"user_agent\":{},\"audit\":{b}}}", quoted(&a)),
            format!("{{\"one\":{{\"message\":{},\"copy\":{a}}},\"two\":{b}}}", quoted(&a)),
        ] {
            assert_eq!(found(&line), (vec!["a".to_owned(), "b".to_owned()], Vec::new()), "{line}");
        }
    }

    #[test]
    fn items_of_a_list_are_records_and_those_without_an_event_are_rejects() {
        let list = format!("{{\"kind\":\"EventList\",\"items\":[{},{},{{\"auditID\":7}}]}}", event("a"), event("b"));
        assert_eq!(found(&list), (vec!["a".to_owned(), "b".to_owned()], vec!["{\"auditID\":7}".to_owned()]));
        // A record of a cloud that cut its text at 16 KiB.
        let cut = quoted(&event("b")[..60]);
        let records = format!("{{\"records\":[{{\"log\":{}}},{{\"log\":{cut}}}]}}", quoted(&event("a")));
        let (events, rejects) = found(&records);
        assert_eq!((events, rejects), (vec!["a".to_owned()], vec![format!("{{\"log\":{cut}}}")]));
        // Documents without a line end between them.
        let documents = format!("{{\"logEvents\":[{}]}}{{\"logEvents\":[{}]}}", event("a"), event("b"));
        assert_eq!(found(&documents).0.len(), 2);
    }

    #[test]
    fn an_event_that_was_glued_on_is_saved_and_the_rest_kept() {
        let torn = event("a")[..70].to_owned();
        assert_eq!(found(&(torn.clone() + &event("b"))), (vec!["b".to_owned()], vec![torn.clone()]));
        let hole = "\0".repeat(500);
        assert_eq!(found(&(hole.clone() + &event("b"))), (vec!["b".to_owned()], vec![hole]));
        let twice = torn.clone() + &torn;
        assert_eq!(found(&(twice.clone() + &event("c"))), (vec!["c".to_owned()], vec![twice]));
        assert_eq!(found(&(event("a") + &torn)), (vec!["a".to_owned()], vec![torn]));
    }

    #[test]
    fn what_holds_no_event_is_left_alone() {
        for line in [
            "I0521 klog says \"auditID\"",
            "{\"auditID\":\"a\"}",
            "{\"a\":[1,2]}",
            &event("a")[..100],
            "{\"user\":\"auditID\\\"\"}",
            "[[[[[[[[[[[[[[[[\"auditID\"]]]]]]]]]]]]]]]]",
        ] {
            assert!(!holds_event(line, true), "{line}");
        }
        let deep = format!("{}{}{}", "{\"a\":".repeat(5_000), event("a"), "}".repeat(5_000));
        assert!(!holds_event(&deep, true), "nesting is bounded");
    }
}

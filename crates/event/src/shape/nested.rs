//! Events inside of a line that is not one itself.
//!
//! Collectors wrap events in JSON of their own (`{"log":"{…}"}`, `{"records":[{"properties":{"log":…}}]}`),
//! put text in front of them (`node-1 {…}`, a time and a stream name), and crashes glue the next event to
//! the torn beginning of another. No list of collectors is needed to find what they all have in common:
//! somewhere in the line stands an audit event, as JSON or as text that is JSON.
//!
//! What is found has to account for the whole: an item of a list that holds no event although its
//! neighbours do is a reject, and so is what stands before an event that was glued on. When nothing is
//! found the line is a reject as a whole.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;
use serde_json::value::RawValue;

use super::{Decoded, MAX_RECORD_BYTES, Position, Record, dotted, mentions_event};
use crate::event::Event;
use crate::json;
use crate::reject::Reason;

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
        let pieces = pieces(text);
        if pieces.is_empty() {
            return each(Record { position, bytes, decoded: Decoded::Reject(reason), terminated });
        }
        let (mut at, mut done) = (position, 0);
        for piece in pieces {
            at = at.after(&bytes[done..piece.at.start]);
            done = piece.at.start;
            let decoded = match piece.event.as_deref().map(Event::decode) {
                Ok(Ok(event)) => Decoded::Event(event),
                Ok(Err(reason)) => Decoded::Reject(reason),
                Err(reason) => Decoded::Reject(reason.clone()),
            };
            // Only what ends where the source ends can be half of a longer record.
            let terminated = terminated || piece.at.end < bytes.len();
            each(Record { position: at, bytes: &bytes[piece.at], decoded, terminated });
        }
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

/// A part of a line: one record of the source.
#[derive(Debug)]
struct Piece<'a> {
    /// Where in the line it stands.
    at: Range<usize>,
    /// The JSON of the event, or why there is none.
    event: Result<Cow<'a, str>, Reason>,
}

/// The records of a line that is no event; none when no event is in it.
fn pieces(line: &str) -> Vec<Piece<'_>> {
    if !mentions_event(line.as_bytes()) {
        return Vec::new();
    }
    let mut pieces = Vec::new();
    let mut tries = 0;
    let (mut done, mut from) = (0, 0);
    while let Some(start) = next_value(line, from) {
        match first_value(&line[start..]) {
            Some(value) => {
                from = start + value.len();
                let found = Search { line }.value(value, 0).pieces;
                if found.is_empty() && !json::is_object(value) {
                    continue;
                }
                if is_damage(&line[done..start]) {
                    pieces.push(Piece { at: done..start, event: Err(Reason::Torn) });
                }
                if found.is_empty() {
                    // A whole object beside events, such as a control message of a subscription.
                    let missing = "audit event in this document";
                    pieces.push(Piece { at: start..from, event: Err(Reason::NotAuditEvent { missing }) });
                }
                pieces.extend(found);
                done = from;
            }
            // Broken from here: perhaps an event that begins further on was glued to it.
            None => match memmem::find(&line.as_bytes()[start + 1..], BEGINNING) {
                Some(next) => from = start + 1 + next,
                None if tries < MAX_TRIES => {
                    tries += 1;
                    from = start + 1;
                }
                None => break,
            },
        }
    }
    if pieces.iter().all(|piece| piece.event.is_err()) {
        return Vec::new();
    }
    if is_damage(&line[done..]) {
        pieces.push(Piece { at: done..line.len(), event: Err(Reason::Torn) });
    }
    if let [piece] = pieces.as_mut_slice() {
        // One event and nothing else: the record is the whole line.
        piece.at = 0..line.len();
    }
    pieces
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

/// Undoes what Elastic does to an event that it stores as an object.
fn restore(piece: &mut Piece<'_>) {
    if let Ok(event) = &mut piece.event
        && let Cow::Owned(restored) = dotted::restored(event)
    {
        *event = Cow::Owned(restored);
    }
}

/// Looks for events in the values of one line.
#[derive(Clone, Copy)]
struct Search<'l> {
    line: &'l str,
}

/// What was found in one value.
#[derive(Default)]
struct Found<'a> {
    pieces: Vec<Piece<'a>>,
    /// Events were found as text, hence as the server wrote them, not as a collector rewrote them.
    verbatim: bool,
}

impl<'l> Search<'l> {
    fn value(self, value: &'l str, depth: usize) -> Found<'l> {
        if depth > MAX_DEPTH || !value.contains("auditID") {
            return Found::default();
        }
        match value.as_bytes().first() {
            Some(b'{') if Event::decode(value).is_ok() => self.event(value, Cow::Borrowed(value), false),
            Some(b'{') => self.object(value, depth),
            Some(b'[') => self.list(value, depth),
            Some(b'"') => self.text(value, depth),
            _ => Found::default(),
        }
    }

    /// One event, whose place is that of `value`.
    fn event(self, value: &'l str, event: Cow<'l, str>, verbatim: bool) -> Found<'l> {
        Found { pieces: vec![Piece { at: self.place(value), event: Ok(event) }], verbatim }
    }

    /// The first member that holds events; one that holds them as text goes before one that was rewritten
    /// (Elastic keeps the line in `event.original` beside its own version with other keys).
    fn object(self, object: &'l str, depth: usize) -> Found<'l> {
        let mut best = Found::default();
        // What cannot be read as an object holds nothing; the line is then a reject.
        let _ = json::members(object, &mut |key, value| {
            let mut found = self.value(value, depth + 1);
            if key == dotted::FIELD && !found.verbatim {
                found.pieces.iter_mut().for_each(restore);
            }
            let better = best.pieces.is_empty() || (found.verbatim && !best.verbatim);
            if better && !found.pieces.is_empty() {
                best = found;
            }
        });
        best
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
            if found.pieces.is_empty() && (json::is_object(item) || item.contains("auditID")) {
                let missing = "audit event in this item of a list";
                all.pieces.push(Piece { at: self.place(item), event: Err(Reason::NotAuditEvent { missing }) });
            }
            all.pieces.extend(found.pieces);
        }
        if any { all } else { Found::default() }
    }

    /// A text that is an event, or holds several.
    fn text(self, quoted: &'l str, depth: usize) -> Found<'l> {
        let Some(text) = json::string(quoted) else { return Found::default() };
        if Event::decode(&text).is_ok() {
            return self.event(quoted, text, true);
        }
        let inner: Vec<_> = text
            .lines()
            .filter_map(|line| first_value(line.trim_start()))
            .flat_map(|value| Search { line: value }.value(value, depth + 1).pieces)
            .filter_map(|piece| piece.event.ok().map(Cow::into_owned))
            .collect();
        // A text that holds more than one event cannot be told apart byte by byte: it is left to a shape of its own.
        match <[String; 1]>::try_from(inner) {
            Ok([event]) => self.event(quoted, Cow::Owned(event), true),
            Err(_) => Found::default(),
        }
    }

    /// Where in the line a slice of it stands.
    fn place(self, slice: &str) -> Range<usize> {
        let start = slice.as_ptr().addr() - self.line.as_ptr().addr();
        start..start + slice.len()
    }
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

    /// The events of a line, and its rejects with their bytes.
    fn found(line: &str) -> (Vec<String>, Vec<String>) {
        let (mut events, mut rejects) = (Vec::new(), Vec::new());
        let mut end = 0;
        for piece in pieces(line) {
            assert!(piece.at.start >= end, "pieces do not overlap");
            end = piece.at.end;
            match piece.event {
                Ok(event) => events.push(event.into_owned()),
                Err(_) => rejects.push(line[piece.at].to_owned()),
            }
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
                event("b")
            ),
            format!("{{\"properties\":{{\"log\":{}}}}}", event("a")),
            format!(
                "{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{{\"body\":{{\"stringValue\":{text}}}}}]}}]}}]}}"
            ),
            format!("{{\"data\":{{\"result\":[{{\"values\":[[\"1795292857\",{text}]]}}]}}}}"),
            format!("[{}]", event("a")),
            format!("{},", event("a")),
        ] {
            let (events, rejects) = found(&line);
            assert_eq!((events.len(), rejects.len()), (1, 0), "{line}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&events[0]).unwrap()["auditID"], "a", "{line}");
            assert_eq!(pieces(&line)[0].at, 0..line.len(), "the record is the whole line");
        }
    }

    #[test]
    fn items_of_a_list_are_records_and_those_without_an_event_are_rejects() {
        let list = format!("{{\"kind\":\"EventList\",\"items\":[{},{},{{\"auditID\":7}}]}}", event("a"), event("b"));
        assert_eq!(found(&list), (vec![event("a"), event("b")], vec!["{\"auditID\":7}".to_owned()]));
        // A record of a cloud that cut its text at 16 KiB.
        let cut = quoted(&event("b")[..60]);
        let records = format!("{{\"records\":[{{\"log\":{}}},{{\"log\":{cut}}}]}}", quoted(&event("a")));
        let (events, rejects) = found(&records);
        assert_eq!((events, rejects), (vec![event("a")], vec![format!("{{\"log\":{cut}}}")]));
        // Documents without a line end between them.
        let documents = format!("{{\"logEvents\":[{}]}}{{\"logEvents\":[{}]}}", event("a"), event("b"));
        assert_eq!(found(&documents).0.len(), 2);
    }

    #[test]
    fn an_event_that_was_glued_on_is_saved_and_the_rest_kept() {
        let torn = event("a")[..70].to_owned();
        assert_eq!(found(&(torn.clone() + &event("b"))), (vec![event("b")], vec![torn.clone()]));
        let hole = "\0".repeat(500);
        assert_eq!(found(&(hole.clone() + &event("b"))), (vec![event("b")], vec![hole]));
        let twice = torn.clone() + &torn;
        assert_eq!(found(&(twice.clone() + &event("c"))), (vec![event("c")], vec![twice]));
        assert_eq!(found(&(event("a") + &torn)), (vec![event("a")], vec![torn]));
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
            assert!(pieces(line).is_empty(), "{line}");
        }
        let deep = format!("{}{}{}", "{\"a\":".repeat(5_000), event("a"), "}".repeat(5_000));
        assert!(pieces(&deep).is_empty(), "nesting is bounded");
    }
}

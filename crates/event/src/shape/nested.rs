//! Records inside of a line, or a document, that is no event itself.
//!
//! Collectors wrap events in JSON of their own (`{"log":"{…}"}`, `{"records":[{"properties":{"log":…}}]}`),
//! put text in front of them (`node-1 {…}`, a time and a stream name), and crashes glue the next event to
//! the torn beginning of another. No list of collectors is needed to find what they all have in common:
//! somewhere in the record stands an audit event, as JSON or as text that is JSON; [`search`](super::search) finds it.
//!
//! What is found has to account for the whole: an item of a list that holds no event although its
//! neighbours do is a reject, and so is what stands before an event that was glued on. When nothing is
//! found the record is a reject as a whole. A text that holds several records is one place for all of them: its
//! events, and one reject for all in it that is no event.

use std::cell::Cell;

use super::framing;
use super::header;
use super::markup;
use super::packed;
use super::prefix::ends_before_a_value;
use super::quoted;
use super::search::{self, Mark, Search};
use super::{MAX_RECORD_BYTES, Position, Record, mentions_event};
use crate::decode::NO_TIME;
use crate::event::Event;
use crate::json;
use crate::literal::{self, Literal};
use crate::reject::Reason;
use crate::salvage;
use crate::shape::{Decoded, Opener, SHAPES};

/// How every event begins that the API server writes: found in the middle of a line, it was glued on.
const BEGINNING: &[u8] = b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/";

/// Events behind a torn record that could be a part of it before its rest is given up.
const MAX_BEHIND: u8 = 4;

/// Whether a line begins as the API server writes an event.
pub(super) fn begins_event(line: &[u8]) -> bool {
    line.starts_with(BEGINNING)
}

/// Whether an event is in a text, whatever wraps it; with `damage`, beside what is no event.
pub(super) fn holds_event(text: &str, damage: bool) -> bool {
    if Event::decode(text).is_ok() {
        return true;
    }
    let tears = Tears::default();
    let pieces = Search::of(text, &tears).pieces().list;
    !pieces.is_empty() && (damage || !pieces.iter().any(|piece| piece.content.is_reject()))
}

/// Whether a record was torn where a value of it can follow, so that the next record of the source could be a part of it.
///
/// Collectors split long records: rsyslog at 8 KiB, container runtimes at 16 KiB, CloudWatch at 256 KB. A client can fill a body up
/// so that a part is exactly what looks like an event. Consoles show the newest record first: there the end of a record stands in front
/// of its other parts. The server's own file knows no such parts, but what was forwarded and written
/// to a file again looks the same.
#[derive(Debug, Default)]
pub(super) struct Tears {
    /// Events that are still marked.
    behind: Cell<u8>,
}

impl Tears {
    /// Takes note of a text that is no event.
    pub(super) fn reject(&self, text: &str) {
        if is_open(text) {
            self.behind.set(MAX_BEHIND);
        }
    }

    /// Whether nothing was torn lately.
    pub(super) fn is_none(&self) -> bool {
        self.behind.get() == 0
    }

    /// The mark of an event that comes next.
    pub(super) fn event(&self) -> Option<&'static str> {
        let left = self.behind.get().checked_sub(1)?;
        self.behind.set(left);
        Some(salvage::BEHIND_DAMAGE)
    }
}

/// How many records behind a torn one are still marked, where records are told from one another before they are read.
#[derive(Debug, Default)]
pub(super) struct Behind(u8);

impl Behind {
    /// Goes on by a record: the mark of what is salvaged from it.
    pub(super) fn next(&mut self, is_whole: bool) -> Option<&'static str> {
        let mark = (self.0 > 0).then_some(salvage::BEHIND_DAMAGE);
        self.0 = if is_whole { self.0.saturating_sub(1) } else { MAX_BEHIND };
        mark
    }

    /// Whether the next one is not marked.
    pub(super) fn is_over(&self) -> bool {
        self.0 == 0
    }
}

/// Whether a line ends where a value can follow, or a text in it does; or begins behind a value, as what stands there first does where
/// the newest record is the first.
pub(super) fn is_open(line: &str) -> bool {
    const ENDS: [&str; 9] = [":\",", ":\"}", "[\",", "[\"}", ",\",", ",\"}", ":\\n\"", "[\\n\"", ",\\n\""];
    let is_torn = ends_before_a_value(line)
        || (line.contains("\\\"") && ENDS.iter().any(|end| line.contains(end)))
        || begins_behind_a_value(line)
        || (line.starts_with(['{', '[', '"']) && any_text(line, 0, &mut |text| begins_behind_a_value(text)));
    is_torn && !header::is_klog(line)
}

/// Bytes that a word without a quotation mark needs to be more than the brackets that end a document of several lines.
const MIN_TAIL_BYTES: usize = 64;

/// Bytes in which the header of a line ends.
const MAX_HEADER_BYTES: usize = 512;

/// Whether a text, or what stands in it behind a header, begins behind a value of an object or a list: the rest of a record that was
/// split there. No server and no collector writes blanks there.
fn begins_behind_a_value(text: &str) -> bool {
    let words = text.split([' ', '\t']).scan(0, |at, word| {
        let begins = *at;
        *at += word.len() + 1;
        (begins < MAX_HEADER_BYTES).then_some(word)
    });
    words
        .filter(|word| word.starts_with(['}', ']', ',']))
        .any(|word| word.contains('"') || word.len() >= MIN_TAIL_BYTES)
}

/// Objects in objects of a wrapper whose texts are looked at.
const MAX_WRAPPERS: usize = 12;

/// Whether one of the texts in a value is such.
fn any_text(value: &str, depth: usize, is: &mut dyn FnMut(&str) -> bool) -> bool {
    let mut found = false;
    match value.as_bytes().first() {
        _ if depth > MAX_WRAPPERS => (),
        Some(b'{') => _ = json::members(value, &mut |_, member| found = found || any_text(member, depth + 1, is)),
        Some(b'[') => _ = json::elements(value, &mut |item| found = found || any_text(item, depth + 1, is)),
        Some(b'"') => found = json::string(value).is_some_and(|text| is(&text)),
        _ => (),
    }
    found
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
    /// What was torn before it.
    pub(super) tears: &'a Tears,
}

impl Nested<'_> {
    /// Gives the records in it to `each`: the events, and what is left over; or all of it as one
    /// reject, for `reason`, when no event is in it or it is `too_long` to be looked at.
    pub(super) fn records(self, too_long: bool, reason: Reason, each: &mut dyn FnMut(Record<'_>)) {
        let Self { position, bytes, terminated, tears } = self;
        let text = if too_long { "" } else { std::str::from_utf8(bytes).unwrap_or_default() };
        match packed::told(text) {
            Some(Ok(told)) => return self.records_of(search::of_unpacked(&told, tears), None, each),
            Some(Err(reason)) => return each(Record { position, bytes, decoded: Decoded::Reject(reason), terminated }),
            None => (),
        }
        // In a literal `\xc3\xbc` are two letters; nginx writes the bytes of one so, in what is JSON but for that.
        if let Some(told) = hexadecimal(text, &reason) {
            return self.records_of_text(&told, Some(salvage::UNKNOWN_WRAPPER), each);
        }
        if let Some((literal, is_behind_header)) = literal(text, &reason) {
            // In single quotation marks it can stand, whole, in any text that a client sent: a line that such a text was split
            // into tells nothing else. And behind a word a program of Ruby prints what it was sent.
            let mark = (literal.is_quoted_singly || is_behind_header).then_some(salvage::UNKNOWN_WRAPPER);
            return self.records_of_text(&literal.json, mark, each);
        }
        if let Some(told) = quoted(text, &reason) {
            return self.records_of_text(&told, Some(salvage::UNKNOWN_WRAPPER), each);
        }
        let pieces = Search { is_settled: terminated, ..Search::of(text, tears) }.pieces();
        if pieces.list.is_empty() {
            if let Some(row) = framing::among_lines(text).filter(|row| holds_event(row, true)) {
                return self.records_of_text(&row, Some(salvage::UNKNOWN_WRAPPER), each);
            }
            tears.reject(text);
            let reason = pieces.reason.or_else(|| foreign(text)).unwrap_or_else(|| named(reason, text));
            return each(Record { position, bytes, decoded: Decoded::Reject(reason), terminated });
        }
        let (mut at, mut done) = (position, 0);
        for piece in pieces.list {
            at = at.after(&bytes[done..piece.at.start]);
            done = piece.at.start;
            // Only what ends where the source ends can be half of a longer record.
            let terminated = terminated || piece.at.end < bytes.len();
            piece.decode(&mut |decoded| {
                each(Record { position: at, bytes: &bytes[piece.at.clone()], decoded, terminated });
            });
        }
    }

    /// The same for what it tells as JSON; one reject, for `reason`, when no event is in that.
    pub(super) fn records_told(self, told: &str, reason: Reason, each: &mut dyn FnMut(Record<'_>)) {
        let Self { position, bytes, terminated, tears } = self;
        // What is torn is counted when the records are given out.
        let untold = Tears::default();
        let pieces = Search::of(told, &untold).pieces();
        if !pieces.list.is_empty() {
            return self.records_of_text(told, None, each);
        }
        tears.reject(told);
        let reason = pieces.reason.or_else(|| foreign(told)).unwrap_or(reason);
        each(Record { position, bytes, decoded: Decoded::Reject(reason), terminated });
    }

    /// The same for what its text turned out to be: all records have the place of the whole.
    pub(super) fn records_of_text(self, text: &str, mark: Mark, each: &mut dyn FnMut(Record<'_>)) {
        let tears = self.tears;
        self.records_of(Search::of(text, tears), mark, each);
    }

    fn records_of(self, text: Search<'_>, mark: Mark, each: &mut dyn FnMut(Record<'_>)) {
        let Self { position, bytes, terminated, .. } = self;
        search::decode_text(text, mark, &mut |decoded| {
            each(Record { position, bytes, decoded, terminated });
        });
    }
}

/// What is no JSON tells as a literal of another language, if there are events in that, and whether it stands behind a header.
fn literal(text: &str, reason: &Reason) -> Option<(Literal, bool)> {
    let may_be = matches!(reason, Reason::NotJson { .. }) && mentions_event(text.as_bytes());
    let header = if may_be { header::header(text).filter(|header| !header.is_part) } else { None };
    let bare = header.map_or(text, |header| &text[header.length..]);
    let literal = may_be.then(|| literal::read(bare)).flatten()?;
    holds_event(&literal.json, true).then_some((literal, bare.len() < text.len()))
}

/// What is JSON but for bytes that are written as hexadecimal numbers, if there are events in it.
fn hexadecimal(text: &str, reason: &Reason) -> Option<String> {
    let may_be = matches!(reason, Reason::NotJson { .. }) && mentions_event(text.as_bytes());
    may_be.then(|| quoted::hexadecimal(text)).flatten().filter(|told| holds_event(told, true))
}

/// What is no JSON, and holds some in quotation marks, if there are events in that.
fn quoted(text: &str, reason: &Reason) -> Option<String> {
    let may_be = matches!(reason, Reason::NotJson { .. }) && mentions_event(text.as_bytes());
    let holds_event = |json: &str| holds_event(json, true);
    may_be.then(|| quoted::told(text, holds_event).or_else(|| markup::told(text, holds_event))).flatten()
}

/// Why bytes are no event.
pub(super) fn rejected(bytes: &[u8]) -> Reason {
    match std::str::from_utf8(bytes) {
        _ if bytes.len() > MAX_RECORD_BYTES => Reason::TooLong { limit: MAX_RECORD_BYTES },
        Err(error) => Reason::InvalidUtf8 { valid_up_to: error.valid_up_to() },
        Ok(text) => Event::decode(text).err().unwrap_or(Reason::Torn),
    }
}

/// The reason, with the audit id of an event that was torn or damaged behind it: a padded body must not hide what was done.
fn named(reason: Reason, text: &str) -> Reason {
    match (reason, audit_id(text)) {
        (Reason::Torn, Some(audit_id)) => Reason::TornEvent { audit_id },
        (Reason::NotJson { .. }, Some(audit_id)) if begins_event(text.as_bytes()) => {
            Reason::Damaged { audit_id: Some(audit_id) }
        }
        (reason, _) => reason,
    }
}

/// The audit id at the beginning of a record that need not be whole.
pub(super) fn audit_id(text: &str) -> Option<String> {
    let mut audit_id = None;
    // Members that are whole come before the error.
    let _ = json::members(text, &mut |key, value| {
        if key == "auditID" {
            audit_id = json::string(value);
        }
    });
    audit_id.map(Into::into)
}

/// That a record ends before its end.
pub(super) fn torn(text: &str) -> Reason {
    named(Reason::Torn, text)
}

/// Why a record is none of ours that does not mention an audit event.
fn foreign(text: &str) -> Option<Reason> {
    let text = text.trim_ascii_start();
    if let Some(what) = shown(text) {
        return Some(Reason::Foreign { what });
    }
    let repaired = with_values(text);
    let object = search::first_value(repaired.as_deref().unwrap_or(text)).filter(|value| json::is_object(value))?;
    match search::open_object(object) {
        Some(opened) => opened.err(),
        None if Event::decode(object).err() == Some(NO_TIME) => None,
        None => search::other_words(object),
    }
}

/// What a line is that only shows a log.
fn shown(text: &str) -> Option<&'static str> {
    let mut letters = text.chars();
    let (first, second) = (letters.next()?, letters.next()?);
    let is_markup = first == '<' && (second.is_ascii_alphabetic() || "/!?".contains(second)) && text.contains('>');
    if is_markup {
        return Some("a line of HTML or XML; export the log itself as CSV or JSON");
    }
    let is_ruby = first == '"' && text.contains("\" => ");
    is_ruby
        .then_some("a line of Logstash's `rubydebug`, which only shows events; write them with the codec `json_lines`")
}

/// A text with `null` where members have no value: Rancher writes `"requestBody":,` for a body that is empty. It is good for telling
/// whose record it is, and for nothing else.
fn with_values(text: &str) -> Option<String> {
    let lacks = |end: &str| memchr::memmem::find(text.as_bytes(), end.as_bytes()).is_some();
    (text.starts_with('{') && (lacks("\":,") || lacks("\":}")))
        .then(|| text.replace("\":,", "\":null,").replace("\":}", "\":null}"))
}

/// Whether a value is a text that looks packed.
pub(super) fn is_packed(value: &str) -> bool {
    let Some(text) = value.strip_prefix('"') else { return false };
    SHAPES.iter().any(|shape| matches!(shape.opener, Opener::Packed(magic, _) if text.starts_with(magic)))
}

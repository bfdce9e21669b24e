//! The search for events in a text, in whatever wrapper.
//!
//! Before an object is searched, the openers of all shapes are asked for it; what an opener knows, it answers for.
//!
//! Bodies are written by clients, who can put into a ConfigMap what looks like an audit event, and so are user agents and
//! names. So nothing is searched that is an event itself, even when it is torn, cut, or lacks a time; nothing that looks like
//! a record of a request in other words; nothing under a name of what clients send. What is read stands
//! under names that collectors use, behind headers that they write, and the text is whole; anything else that is found
//! is marked (see [`crate::salvage`]). And behind damage only what cannot be inside of a value of the torn record is found at all.

mod piece;

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

use super::chain::Chain;
use super::copies::without_copies;
use super::header;
use super::nested::{Tears, is_open, is_packed};
use super::wrapper::{self, Looks, Standing};
use super::{Opener, SHAPES, cut, fluent_bit, journald, loki, mentions_event, packed, tables, typed};
use crate::container;
use crate::decode::NO_TIME;
use crate::event::Event;
use crate::json;
use crate::reject::Reason;
use crate::salvage;
use crate::shape::translated::Translated;

pub(super) use piece::{Content, Mark, Piece, decode_text};

/// Wrappers in wrappers that are opened. Real ones have four at most (OTLP: resource, scope, record, body).
const MAX_DEPTH: usize = 12;

/// What the shapes know of an object that the search is not to look into.
pub(super) fn open_object(object: &str) -> Option<Result<Translated, Reason>> {
    SHAPES.iter().find_map(|shape| match shape.opener {
        Opener::Object(open) => open(object),
        Opener::Foreign(what, is) if is(object) => Some(Err(Reason::Foreign { what })),
        _ => None,
    })
}

/// Why an object is no event that tells of a request, or is an object of Kubernetes.
pub(super) fn other_words(object: &str) -> Option<Reason> {
    match wrapper::looks(object) {
        Looks::Wrapper => None,
        Looks::Object => Some(Reason::Foreign { what: "an object of Kubernetes" }),
        Looks::Request => Some(Reason::OtherWords { audit_id: None }),
        // The decoder says what is missing.
        Looks::Record { .. } if json::member(object, "auditID").is_some() => None,
        Looks::Record { audit_id } => Some(Reason::OtherWords { audit_id }),
    }
}

/// The JSON string that a line is, when its text is an event and nothing else.
fn quoted_event(line: &str) -> Option<&str> {
    let quoted = line.trim_start_matches('\u{feff}').trim();
    let text = quoted.starts_with('"').then(|| json::string(quoted)).flatten()?;
    Event::decode(&text).is_ok().then_some(quoted)
}

/// The JSON value that `text` begins with, if it is whole.
pub(super) fn first_value(text: &str) -> Option<&str> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next()?.ok().map(RawValue::get)
}

/// What was found in one value.
pub(super) struct Found<'a> {
    pub(super) pieces: Vec<Piece<'a>>,
    /// Events were found as text, hence as the server wrote them, not as a collector rewrote them.
    pub(super) verbatim: bool,
    /// Whether they stand where collectors put events.
    pub(super) standing: Standing,
    /// Why there is none, when an opener could tell.
    pub(super) reason: Option<Reason>,
}

impl Found<'_> {
    fn nothing(reason: Option<Reason>) -> Self {
        Self { pieces: Vec::new(), verbatim: false, standing: Standing::Unknown, reason }
    }

    /// Marks what has no mark yet.
    fn mark(&mut self, mark: Mark) {
        self.pieces.iter_mut().for_each(|piece| piece.mark = piece.mark.or(mark));
    }

    /// Marks all of it as standing where nobody is known to put events.
    fn mark_unknown(&mut self) {
        self.mark(Some(salvage::UNKNOWN_WRAPPER));
    }

    /// Marks it when its text is indented: so klog writes the lines of a value, of which a client can have chosen some.
    fn marked_if(mut self, is_indented: bool) -> Self {
        if is_indented {
            self.mark_unknown();
        }
        self
    }
}

/// The records in a text.
#[derive(Default)]
pub(super) struct Pieces<'a> {
    /// In order; none when no event is among them.
    pub(super) list: Vec<Piece<'a>>,
    /// Why no event is among them, when an opener could tell.
    pub(super) reason: Option<Reason>,
}

/// Looks for events in one text.
#[derive(Clone, Copy)]
pub(super) struct Search<'l> {
    pub(super) line: &'l str,
    /// Packed text is unpacked. Inside of packed text it is not: no collector packs twice, only a bomb.
    pub(super) unpack: bool,
    /// The text is not the beginning of one that is still being written.
    pub(super) is_settled: bool,
    /// What was torn before it.
    pub(super) tears: &'l Tears,
}

/// Looks for events in what was packed.
pub(super) fn of_unpacked<'l>(text: &'l str, tears: &'l Tears) -> Search<'l> {
    Search { unpack: false, ..Search::of(text, tears) }
}

impl<'l> Search<'l> {
    pub(super) fn of(line: &'l str, tears: &'l Tears) -> Self {
        Self { line, unpack: true, is_settled: true, tears }
    }

    pub(super) fn pieces(self) -> Pieces<'l> {
        let line = self.line;
        if !mentions_event(line.as_bytes()) {
            return Pieces::default();
        }
        if header::is_klog(line) {
            let what = "a line of a component's own log, which holds text that clients chose";
            return Pieces { list: Vec::new(), reason: Some(Reason::Foreign { what }) };
        }
        if let Some(translated) = open_line(line) {
            let content = Content::Translated(Box::new(translated));
            return Pieces { list: vec![Piece { at: 0..line.len(), content, mark: self.tears.event() }], reason: None };
        }
        if let Some(event) = event_of_line(line) {
            let content = Content::Event(Cow::Owned(event));
            return Pieces { list: vec![Piece { at: 0..line.len(), content, mark: self.tears.event() }], reason: None };
        }
        if let Some(quoted) = quoted_event(line) {
            // As `jq` prints messages without `-r`; it may also be a string of a line that was split there.
            let mark = self.tears.event().or(Some(salvage::UNKNOWN_WRAPPER));
            return Pieces {
                list: vec![Piece { at: 0..line.len(), content: Content::Text(quoted), mark }],
                reason: None,
            };
        }
        let mut chain = Chain::new(self);
        chain.read();
        let Chain { mut list, reason, .. } = chain;
        if list.iter().all(|piece| piece.content.is_reject()) {
            list.clear();
        }
        if let [piece] = list.as_mut_slice() {
            // One event and nothing else: the record is the whole line.
            piece.at = 0..line.len();
        }
        Pieces { list, reason }
    }

    pub(super) fn value(self, value: &'l str, depth: usize) -> Found<'l> {
        if depth > MAX_DEPTH || !(mentions_event(value.as_bytes()) || is_packed(value)) {
            if value.starts_with('"') && is_open(value) {
                self.tears.reject(value);
            }
            return Found::nothing(None);
        }
        match value.as_bytes().first() {
            Some(b'{') => match Event::decode(value) {
                Ok(_) => self.found(value, Content::Event(Cow::Borrowed(value)), false),
                Err(reason) if reason == NO_TIME => Found::nothing(Some(reason)),
                Err(_) => {
                    let mut found = self.object(value, depth);
                    if !found.pieces.is_empty() {
                        found.mark(container::of_wrapper(value));
                    }
                    found
                }
            },
            Some(b'[') => self.list(value, depth),
            Some(b'"') => self.text(value, depth),
            _ => Found::nothing(None),
        }
    }

    /// One piece, whose place is that of `value`.
    fn found(self, value: &'l str, content: Content<'l>, verbatim: bool) -> Found<'l> {
        let mark = self.tears.event();
        let pieces = vec![Piece { at: self.place(value), content, mark }];
        Found { pieces, verbatim, standing: Standing::Known, reason: None }
    }

    /// What a value tells in another way than as JSON, which may not be all of it.
    fn told(self, value: &'l str, text: String, is_all: bool) -> Found<'l> {
        let fresh = Tears::default();
        let pieces = Search { unpack: self.unpack, ..Search::of(&text, &fresh) }.pieces();
        if pieces.list.is_empty() {
            self.tears.reject(&text);
            return Found::nothing(pieces.reason);
        }
        let mut found = self.found(value, Content::Told(text), true);
        if !is_all {
            found.mark_unknown();
        }
        found
    }

    /// What an opener makes of the object; else what its members hold.
    fn object(self, object: &'l str, depth: usize) -> Found<'l> {
        // The names of members are those of an event there, and their values are none.
        if (typed::may_be(object) || tables::may_be_columns(object))
            && let Some(found) = self.rows(object)
        {
            return found;
        }
        match open_object(object) {
            Some(Ok(translated)) => {
                return self.found(object, Content::Translated(Box::new(translated)), true);
            }
            Some(Err(reason)) => return Found::nothing(Some(reason)),
            None => (),
        }
        if let Some(found) = self.rows(object) {
            return found;
        }
        match wrapper::looks(object) {
            Looks::Wrapper => self.members(object, depth),
            Looks::Object | Looks::Request => Found::nothing(other_words(object)),
            Looks::Record { audit_id } => self.original(object, audit_id.as_deref()),
        }
    }

    /// The event that a collector keeps as the server wrote it, beside its own version.
    fn original(self, object: &'l str, audit_id: Option<&str>) -> Found<'l> {
        let mut original = None;
        let _ = json::members(object, &mut |key, value| {
            if original.is_none() && wrapper::standing(&key) == Standing::Known {
                let is_same = |event: &Event<'_>| audit_id.is_none_or(|id| event.audit_id.as_deref() == Some(id));
                let text = json::string(value);
                let event = text.as_deref().and_then(|text| Event::decode(text).ok());
                original = event.filter(is_same).map(|_| value);
            }
        });
        let text = original.and_then(|value| Some((value, json::string(value)?)));
        match text {
            Some((value, text)) => self.found(value, Content::Event(text), true),
            None => Found::nothing(other_words(object)),
        }
    }

    fn members(self, object: &'l str, depth: usize) -> Found<'l> {
        let (mut members, mut reason) = (Vec::new(), None);
        let pair = wrapper::name_of_pair(object);
        let mut origin = wrapper::Origin::default();
        // What cannot be read as an object holds nothing; the line is then a reject.
        let _ = json::members(object, &mut |key, value| {
            origin.note(&key, value);
            let name = pair.as_deref().filter(|_| key.eq_ignore_ascii_case("value")).unwrap_or(&key);
            let standing = wrapper::standing(name);
            if standing == Standing::Client {
                return;
            }
            let was_torn = !self.tears.is_none();
            let mut found = match journald::message(&key, value) {
                Some((text, is_all)) => self.told(value, text, is_all),
                None => self.value(value, depth + 1),
            };
            if !found.verbatim {
                found.pieces.iter_mut().for_each(|piece| restore(&key, piece));
            }
            reason = reason.take().or(found.reason.take());
            if found.pieces.is_empty() && standing == Standing::Known && begins_torn(value) {
                found = self.torn_text(object, value, &mut reason);
                if !was_torn {
                    // Its own end is what is missing: that says more of it than the tear which it leaves for others.
                    found.pieces.iter_mut().for_each(|piece| piece.mark = None);
                }
            }
            if standing == Standing::Unknown {
                found.standing = Standing::Unknown;
                found.mark_unknown();
            }
            if !found.pieces.is_empty() {
                members.push(found);
            }
        });
        // Where a collector put the event, text in its other members is what it is: text.
        if members.iter().any(|found| found.standing == Standing::Known) {
            members.retain(|found| found.standing == Standing::Known);
        }
        if origin.is_component_log() {
            members.iter_mut().for_each(Found::mark_unknown);
        }
        match members.len() {
            0 => Found::nothing(reason),
            1 => members.swap_remove(0),
            _ => without_copies(members),
        }
    }

    /// What is left of an event whose end is missing, in a record that tells its own time.
    fn torn_text(self, object: &'l str, text: &'l str, reason: &mut Option<Reason>) -> Found<'l> {
        match cut::open(text, wrapper::time_of(object).as_deref()) {
            Some(Ok(translated)) => self.found(text, Content::Translated(Box::new(translated)), true),
            Some(Err(why)) => {
                *reason = reason.take().or(Some(why));
                Found::nothing(None)
            }
            None => Found::nothing(None),
        }
    }

    /// The rows of a table, when one of them holds an event.
    fn rows(self, table: &'l str) -> Option<Found<'l>> {
        let rows = SHAPES.iter().find_map(|shape| match shape.opener {
            Opener::Rows(rows) => rows(table),
            _ => None,
        })?;
        let mut all = Found { standing: Standing::Known, verbatim: true, ..Found::nothing(None) };
        for (row, told) in rows {
            let fresh = Tears::default();
            let pieces = Search { unpack: self.unpack, ..Search::of(&told, &fresh) }.pieces();
            let content = if pieces.list.is_empty() {
                self.tears.reject(&told);
                let missing = "audit event in this row";
                Content::Reject(pieces.reason.unwrap_or(Reason::NotAuditEvent { missing }))
            } else {
                Content::Told(told)
            };
            let mark = if content.is_reject() { None } else { self.tears.event() };
            all.pieces.push(Piece { at: self.place(row), content, mark });
        }
        all.pieces.iter().any(|piece| !piece.content.is_reject()).then_some(all)
    }

    /// All items; those without an event are rejects when others have one.
    fn list(self, list: &'l str, depth: usize) -> Found<'l> {
        if let Some(found) = self.rows(list) {
            return found;
        }
        let Ok(mut items) = serde_json::from_str::<Vec<&RawValue>>(list) else { return Found::nothing(None) };
        if let [time, line, metadata] = items.as_slice()
            && loki::is_entry(time.get(), line.get(), metadata.get())
        {
            items.truncate(2);
        }
        if let [time, record] = items.as_slice()
            && fluent_bit::is_entry(time.get(), record.get())
        {
            items.remove(0);
        }
        self.items(items.into_iter().map(RawValue::get), depth)
    }

    pub(super) fn items(self, items: impl Iterator<Item = &'l str>, depth: usize) -> Found<'l> {
        let mut all = Found::nothing(None);
        let mut any = false;
        for item in items {
            let found = self.value(item, depth + 1);
            if found.pieces.is_empty() {
                self.tears.reject(item);
            }
            any |= !found.pieces.is_empty();
            all.verbatim |= found.verbatim;
            if found.pieces.is_empty() && (item.starts_with(['{', '[']) || mentions_event(item.as_bytes())) {
                let missing = "audit event in this item of a list";
                let reason = found.reason.clone().unwrap_or(Reason::NotAuditEvent { missing });
                all.pieces.push(Piece { at: self.place(item), content: Content::Reject(reason), mark: None });
            } else if !found.pieces.is_empty() {
                all.standing = all.standing.min(found.standing);
            }
            all.reason = all.reason.or(found.reason);
            all.pieces.extend(found.pieces);
        }
        if any { all } else { Found::nothing(all.reason) }
    }

    /// A text that is an event, or holds some.
    fn text(self, quoted: &'l str, depth: usize) -> Found<'l> {
        let Some(text) = json::string(quoted) else { return Found::nothing(None) };
        let is_indented = text.starts_with('\t');
        if Event::decode(&text).is_ok() {
            return self.found(quoted, Content::Event(text), true).marked_if(is_indented);
        }
        for (unpack, unpacked) in packed::openings(&text).filter(|_| self.unpack) {
            match unpacked {
                Ok(inner) if of_unpacked(&inner, &Tears::default()).pieces().list.is_empty() => (),
                Ok(_) => return self.found(quoted, Content::Packed(quoted, unpack), true),
                Err(reason) => return Found::nothing(Some(reason)),
            }
        }
        // Text in text in text: each layer of escapes makes it shorter, so this ends before `MAX_DEPTH`.
        let fresh = Tears::default();
        let inner = Search { line: &text, is_settled: true, tears: &fresh, ..self };
        let pieces = if depth < MAX_DEPTH { inner.pieces() } else { Pieces::default() };
        if pieces.list.is_empty() {
            self.tears.reject(&text);
            return Found::nothing(pieces.reason);
        }
        self.found(quoted, Content::Text(quoted), true).marked_if(is_indented)
    }

    /// Where in the line a slice of it stands.
    fn place(self, slice: &str) -> Range<usize> {
        let start = slice.as_ptr().addr() - self.line.as_ptr().addr();
        start..start + slice.len()
    }
}

/// Whether a JSON string is the beginning of an event that breaks off.
fn begins_torn(value: &str) -> bool {
    value.starts_with("\"{\\\"kind\\\":\\\"Event\\\",\\\"apiVersion\\\":\\\"audit.k8s.io/")
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

/// The event that a field of a line of text holds.
fn event_of_line(line: &str) -> Option<String> {
    SHAPES.iter().find_map(|shape| match shape.opener {
        Opener::Text(open) => open(line),
        _ => None,
    })
}

/// The event that a line of text stands for.
fn open_line(line: &str) -> Option<Translated> {
    SHAPES.iter().find_map(|shape| match shape.opener {
        Opener::Line(open) => open(line),
        _ => None,
    })
}

#[cfg(test)]
mod tests;

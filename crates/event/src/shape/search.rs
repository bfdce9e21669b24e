//! The search for events in a text, in whatever wrapper.
//!
//! Before an object is searched, the openers of all shapes are asked for it; what an opener knows, it answers for.
//!
//! Bodies are written by clients, who can put into a ConfigMap what looks like an audit event, and so are user agents and
//! names. So nothing is searched that is an event itself, even when it is torn, cut, or lacks a time; nothing that looks like
//! a record of a request in other words; nothing under a name of what clients send. What is read stands
//! under names that collectors use, behind headers that they write, and the text is whole; anything else that is found
//! is marked (see [`crate::salvage`]). And behind damage only what cannot be inside of a value of the torn record is found at all.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

use super::chain::Chain;
use super::copies::without_copies;
use super::header;
use super::nested::{Tears, is_open, is_packed};
use super::wrapper::{self, Looks, Standing};
use super::{Decoded, Opener, SHAPES, cut, mentions_event};
use crate::decode::NO_TIME;
use crate::event::Event;
use crate::json;
use crate::reject::Reason;
use crate::salvage;
use crate::shape::translated::Translated;

/// Wrappers in wrappers that are opened. Real ones have four at most (OTLP: resource, scope, record, body).
const MAX_DEPTH: usize = 12;

/// A mark of [`crate::salvage`], for what was not simply read.
pub(super) type Mark = Option<&'static str>;

/// A part of a record: a record of its own, or several in one place.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// Where it stands.
    pub(super) at: Range<usize>,
    pub(super) content: Content<'a>,
    pub(super) mark: Mark,
}

impl Piece<'_> {
    /// Gives what it is to `each`: one event or reject, or all that a text holds.
    pub(super) fn decode(&self, each: &mut dyn FnMut(Decoded<'_>)) {
        self.content.decode(self.mark, each);
    }
}

/// What a piece is.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// The JSON of an event.
    Event(Cow<'a, str>),
    /// What a collector made of an event, undone.
    Translated(Box<Translated>),
    /// A JSON string with records in it.
    Text(&'a str),
    /// JSON that a row tells, with records in it.
    Told(String),
    /// A JSON string with packed text in it. It is unpacked again when its turn comes, so that one is in memory at a time.
    Packed(&'a str, fn(&str) -> Option<Result<String, Reason>>),
    /// No event.
    Reject(Reason),
}

impl Content<'_> {
    pub(super) fn is_reject(&self) -> bool {
        matches!(self, Self::Reject(_))
    }

    fn decode(&self, mark: Mark, each: &mut dyn FnMut(Decoded<'_>)) {
        let tears = Tears::default();
        match self {
            Self::Event(json) => each(marked(Event::decode(json), mark)),
            Self::Translated(translated) => match &translated.part {
                Some(part) if !part.is_first() => {
                    each(Decoded::Reject(Reason::FurtherPart { part: part.marked(mark) }));
                }
                _ => each(marked(translated.event(), mark)),
            },
            Self::Text(quoted) => {
                decode_text(Search::of(&json::string(quoted).unwrap_or_default(), &tears), mark, each);
            }
            Self::Told(told) => decode_text(Search::of(told, &tears), mark, each),
            Self::Packed(quoted, unpack) => match unpack(&json::string(quoted).unwrap_or_default()) {
                Some(Ok(text)) => decode_text(Search { unpack: false, ..Search::of(&text, &tears) }, mark, each),
                Some(Err(reason)) => each(Decoded::Reject(reason)),
                None => each(Decoded::Reject(Reason::Torn)),
            },
            Self::Reject(reason) => each(Decoded::Reject(reason.clone())),
        }
    }
}

fn marked<'a>(event: Result<Event<'a>, Reason>, mark: Mark) -> Decoded<'a> {
    match event {
        Ok(mut event) => {
            if let Some(mark) = mark {
                event.salvaged = Some(Cow::Borrowed(mark));
                event.part.iter_mut().for_each(|part| part.mark = Some(mark));
            }
            Decoded::Event(event)
        }
        Err(reason) => Decoded::Reject(reason),
    }
}

/// All records of a text; those that are no event as one reject.
pub(super) fn decode_text(search: Search<'_>, mark: Mark, each: &mut dyn FnMut(Decoded<'_>)) {
    let mut rejected: u64 = 0;
    let mut each_but_rejects = |mut decoded: Decoded<'_>| match decoded {
        // A part can become an event yet.
        Decoded::Event(_) | Decoded::Reject(Reason::FurtherPart { .. }) => {
            decoded.mark(mark);
            each(decoded);
        }
        Decoded::Reject(_) => rejected += 1,
    };
    search.pieces().list.iter().for_each(|piece| piece.decode(&mut each_but_rejects));
    if rejected > 0 {
        each(Decoded::Reject(Reason::InText { records: rejected }));
    }
}

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

    /// Marks all of it as standing where nobody is known to put events.
    fn mark_unknown(&mut self) {
        self.pieces.iter_mut().for_each(|piece| piece.mark = piece.mark.or(Some(salvage::UNKNOWN_WRAPPER)));
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
                Err(_) => self.object(value, depth),
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

    /// What an opener makes of the object; else what its members hold.
    fn object(self, object: &'l str, depth: usize) -> Found<'l> {
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
            Looks::Object => Found::nothing(other_words(object)),
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
            let mut found = self.value(value, depth + 1);
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
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(list) else { return Found::nothing(None) };
        self.items(items.into_iter().map(RawValue::get), depth)
    }

    pub(super) fn items(self, items: impl Iterator<Item = &'l str>, depth: usize) -> Found<'l> {
        let mut all = Found::nothing(None);
        let mut any = false;
        for item in items {
            let found = self.value(item, depth + 1);
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
        for shape in SHAPES.iter().filter(|_| self.unpack) {
            let Opener::Packed(_, unpack) = shape.opener else { continue };
            match unpack(&text) {
                Some(Ok(inner))
                    if (Search { unpack: false, ..Search::of(&inner, &Tears::default()) }).pieces().list.is_empty() => {
                }
                Some(Ok(_)) => return self.found(quoted, Content::Packed(quoted, unpack), true),
                Some(Err(reason)) => return Found::nothing(Some(reason)),
                None => (),
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
    use crate::shape::nested::holds_event;

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
        for piece in Search::of(line, &Tears::default()).pieces().list {
            assert!(piece.at.start >= end, "pieces do not overlap");
            end = piece.at.end;
            piece.decode(&mut |decoded| match decoded {
                Decoded::Event(event) => events.push(event.audit_id.unwrap().into_owned()),
                Decoded::Reject(_) => rejects.push(line[piece.at.clone()].to_owned()),
            });
        }
        (events, rejects)
    }

    #[test]
    fn a_line_that_is_one_string_is_an_event_with_a_mark() {
        let line = quoted(&(event("a") + "\n"));
        let tears = Tears::default();
        let pieces = Search::of(&line, &tears).pieces();
        assert_eq!((found(&line).0, pieces.list[0].mark), (vec!["a".to_owned()], Some(salvage::UNKNOWN_WRAPPER)));
        // Part of something else, or more than an event.
        for line in [format!("{line},"), format!("\"x\",{line}"), quoted(&format!("x {}", event("a")))] {
            assert!(found(&line).0.is_empty(), "{line}");
        }
    }

    #[test]
    fn the_log_of_a_component_adds_no_event_without_a_mark() {
        let (whole, indented) = (quoted(&event("a")), quoted(&format!("\t{}\n", event("a"))));
        let mark = |line: &str| {
            let tears = Tears::default();
            let pieces = Search::of(line, &tears).pieces();
            assert_eq!(found(line).0, ["a"], "{line}");
            pieces.list[0].mark
        };
        for line in [
            format!("{{\"ts\":1.5,\"caller\":\"x.go:1\",\"msg\":{whole},\"v\":0}}"),
            format!("{{\"time\":\"x\",\"category\":\"kube-apiserver\",\"properties\":{{\"log\":{whole}}}}}"),
            format!("{{\"message\":{whole},\"logStreamName\":\"kube-apiserver-0a\"}}"),
            format!("{{\"log\":{indented},\"stream\":\"stderr\"}}"),
            format!("{{\"MESSAGE\":{indented}}}"),
            format!("2026-11-21T20:37:37Z stderr F \t{}", event("a")),
            format!("<14>1 2026-11-21T20:37:37Z cp-1 audit - - - \t{}", event("a")),
            format!("Nov 21 20:37:37 cp-1 audit[1]: \t{}", event("a")),
        ] {
            assert!(mark(&line).is_some(), "{line}");
        }
        for line in [
            format!("{{\"level\":\"info\",\"ts\":1.5,\"caller\":\"x.go:1\",\"msg\":{whole}}}"),
            format!("{{\"time\":\"x\",\"category\":\"kube-audit-admin\",\"properties\":{{\"log\":{whole}}}}}"),
            format!("{{\"message\":{whole},\"logStreamName\":\"kube-apiserver-audit-0a\"}}"),
            format!("2026-11-21T20:37:37Z stdout F {}", event("a")),
        ] {
            assert_eq!(mark(&line), None, "{line}");
        }
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
            assert_eq!(
                Search::of(&line, &Tears::default()).pieces().list[0].at,
                0..line.len(),
                "the record is the whole line"
            );
        }
    }

    #[test]
    fn members_that_hold_different_events_are_all_records() {
        let (a, b) = (event("a"), event("b"));
        for line in [
            format!("{{\"one\":{a},\"two\":{b}}}"),
            format!("{{\"one\":[{a}],\"two\":[{b}]}}"),
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
        assert_eq!(found(&(twice + &event("c"))), (vec!["c".to_owned()], vec![torn.clone(), torn.clone()]));
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

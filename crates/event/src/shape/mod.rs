//! The shapes audit logs come in, recognised by content.
//!
//! Three questions are kept apart, because collectors combine their answers freely:
//!
//! - How is a source cut into records? That is its [`framing`]: lines, documents of several lines, or lines
//!   that a container runtime split. It is told from the beginning of the source, unless the shape has only one.
//! - What wraps an event? That is its [`Shape`]: one small module each, with one entry in [`SHAPES`]. An entry
//!   names what a source is, and says how to undo it where a collector changed the event itself
//!   (its `Opener`).
//! - Where in a record do events stand? [`nested`] searches for them, in any wrapper, and asks *every* opener of the table,
//!   not only that of the shape that was recognised.
//!
//! So a name can be wrong, and a source can change its shape half-way, without losing an event: the name goes
//! to the ledger, and nothing but the framing depends on it. `--shape` forces an entry. Adding a shape touches its own
//! file and the table.
//!
//! **Where a record stands.** Records come in the order in which they begin, and no two overlap, but for two cases: the
//! events of one packed text (base64 and gzip) all have the place of that text, and what was written between the parts
//! of a split line stands inside the place of that line. Every byte belongs to a record, apart from line ends, blank space,
//! byte order marks, and the text of a wrapper that several records share.

mod chain;
mod copies;
mod cut;
mod framing;
mod har;
mod head;
mod header;
mod markup;
mod nested;
mod packed;
mod prefix;
mod quoted;
mod readable;
mod request_path;
mod search;
mod split;
mod sql;
mod translated;
mod wrapper;

mod aks;
mod bigquery;
mod cloudwatch_events;
mod cloudwatch_lines;
mod cloudwatch_subscription;
mod core_events;
mod cri;
mod csv;
mod docker;
mod elastic;
mod event_list;
mod fields;
mod filebeat;
mod fluent_bit;
mod fluentd;
mod gke;
mod graylog;
mod journald;
mod json_array;
mod json_documents;
mod json_lines;
mod legacy;
mod loki;
mod old_api;
mod other_tools;
mod otlp;
mod panther;
mod prefixed_lines;
mod pubsub;
mod rancher;
mod siem;
mod splunk;
mod syslog;
mod tables;
mod tree;
mod typed;
mod unknown;
mod viaq;
mod wrapped_json;
mod yaml;

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;

use crate::event::Event;
use crate::reject::Reason;

use framing::Framing;
use head::Head;
use translated::Translated;

pub use split::{Joined, Part, Parts, Settled};
pub(crate) use viaq::LEVEL_MEMBERS;

/// Longest record that is decoded, in bytes.
///
/// The server's own log cannot hold a longer one: its rotation refuses a write larger than
/// `--audit-log-maxsize`, which is 100 MB unless it is raised.
pub const MAX_RECORD_BYTES: usize = 100 * 1024 * 1024;

/// Bytes that are kept of a record longer than [`MAX_RECORD_BYTES`].
pub const KEPT_OF_TOO_LONG_BYTES: usize = 1024 * 1024;

/// What Windows tools put in front of UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// All shapes, most specific first: a source has the first one that recognises it. The last takes everything.
pub static SHAPES: [&Shape; 40] = [
    &csv::SHAPE,
    &yaml::SHAPE,
    &splunk::SHAPE,
    &cri::SHAPE,
    &docker::SHAPE,
    &legacy::SHAPE,
    &siem::SHAPE,
    &syslog::SHAPE,
    &fluentd::SHAPE,
    &loki::SHAPE,
    &cloudwatch_subscription::SHAPE,
    &pubsub::SHAPE,
    &journald::SHAPE,
    &cloudwatch_lines::SHAPE,
    &prefixed_lines::SHAPE,
    &har::SHAPE,
    &gke::SHAPE,
    &bigquery::SHAPE,
    &tables::SHAPE,
    &typed::SHAPE,
    &cloudwatch_events::SHAPE,
    &aks::SHAPE,
    &otlp::SHAPE,
    &elastic::SHAPE,
    &filebeat::SHAPE,
    &graylog::SHAPE,
    &viaq::SHAPE,
    &panther::SHAPE,
    &fluent_bit::SHAPE,
    &rancher::SHAPE,
    &other_tools::SHAPE,
    &core_events::SHAPE,
    &fields::SHAPE,
    &event_list::SHAPE,
    &json_array::SHAPE,
    &json_documents::SHAPE,
    &old_api::SHAPE,
    &json_lines::SHAPE,
    &wrapped_json::SHAPE,
    &unknown::SHAPE,
];

/// What wraps the events of a source.
pub struct Shape {
    /// Name, as it stands in the ledger and as `--shape` takes it.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// Whether a source that begins so has this shape.
    recognises: fn(&Head) -> bool,
    /// How its records are cut, when there is only one way.
    framing: Option<&'static dyn Framing>,
    /// How an event is got out of it that the search would not find as the server wrote it.
    opener: Opener,
    /// Bytes that betray an event in it, beside those of [`mentions_event`].
    traces: &'static [&'static [u8]],
}

impl fmt::Debug for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Shape({})", self.name)
    }
}

/// How a shape undoes what a collector did to an event. Each is tried on whatever is no event as it is, in every
/// source; so each must be quick to see that it is not meant.
enum Opener {
    /// The event is in there as the server wrote it: the search finds it.
    Nested,
    /// The member of that name holds an event that was changed, and this changes it back.
    Member(&'static str, fn(&str) -> Cow<'_, str>),
    /// A JSON object stands for an event, or for what is left of one.
    Object(fn(&str) -> Option<Result<Translated, Reason>>),
    /// A line of text stands for an event.
    Line(fn(&str) -> Option<Translated>),
    /// A line of text holds an event as the server wrote it, and nothing else that is one.
    Text(fn(&str) -> Option<String>),
    /// A text that begins so holds other text, packed.
    Packed(&'static str, packed::Unpack),
    /// JSON stands for rows: each is a part of it, and the object that it tells.
    Rows(fn(&str) -> Option<Vec<RowOfTable<'_>>>),
    /// A JSON object of this kind is no audit event, and this is what it is.
    Foreign(&'static str, fn(&str) -> bool),
}

/// A part of JSON that is a row, and the object that it tells.
type RowOfTable<'a> = (&'a str, String);

/// How a source is to be read: the shape it has, and how its records are cut.
#[derive(Clone, Copy)]
pub struct Reading {
    /// The shape.
    pub shape: &'static Shape,
    framing: &'static dyn Framing,
}

impl fmt::Debug for Reading {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Reading({}, {})", self.shape.name, self.framing.name())
    }
}

impl Reading {
    /// Recognises how a source is to be read that begins with `head`.
    pub fn of(head: &[u8]) -> Self {
        let framing = framing::of(head);
        let head = Head::new(head, framing.spans_lines(), framing.name());
        let shape = SHAPES.iter().copied().find(|shape| (shape.recognises)(&head)).unwrap_or(&unknown::SHAPE);
        Self { shape, framing: shape.framing.unwrap_or(framing) }
    }

    /// The reading of a source that is said to have this shape.
    pub fn forced(shape: &'static Shape, head: &[u8]) -> Self {
        Self { shape, framing: shape.framing.unwrap_or_else(|| framing::of(head)) }
    }

    /// Length of the longest prefix of `bytes` that can be decoded without what follows it;
    /// 0 when there is none yet.
    pub fn cut(&self, bytes: &[u8]) -> usize {
        self.framing.cut(bytes)
    }

    /// Decodes a piece that [`Reading::cut`] cut, calling `each` with every record in order.
    ///
    /// `start` is the position of the piece, `last` says that the source ends with it.
    pub fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        self.framing.decode(piece, start, last, each);
    }

    /// The same, but lines are offered to `canonical` first, which says whether it took them: nearly all are as the server
    /// writes them, and need nothing of what this module can do.
    pub fn decode_beside(
        &self,
        piece: &[u8],
        start: Position,
        last: bool,
        canonical: Canonical<'_>,
        each: &mut dyn FnMut(Record<'_>),
    ) {
        self.framing.decode_beside(piece, start, last, canonical, each);
    }
}

/// The shape called `name`.
pub fn find(name: &str) -> Option<&'static Shape> {
    SHAPES.iter().copied().find(|shape| shape.name == name)
}

/// Takes lines that are as the server writes them; see [`crate::canonical`].
pub type Canonical<'f> = &'f mut dyn FnMut(&[u8], Position) -> bool;

/// Where in the decompressed source a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, counted from 1.
    pub line: i64,
    /// Offset in bytes.
    pub offset: i64,
}

impl Position {
    /// The beginning of a source.
    pub const START: Self = Self { line: 1, offset: 0 };

    /// The position after `bytes`.
    pub fn after(self, bytes: &[u8]) -> Self {
        Self {
            line: self.line + count(memchr::memchr_iter(b'\n', bytes).count()),
            offset: self.offset + count(bytes.len()),
        }
    }
}

/// A number of things in memory as the 64-bit number that columns hold.
fn count(things: usize) -> i64 {
    i64::try_from(things).unwrap_or(i64::MAX)
}

/// One record of a source: a non-blank line, or an item of a list. Parts of an entry that was split come as a record each, and
/// become one when [`Parts`] joins them.
#[derive(Debug)]
pub struct Record<'a> {
    /// Where it begins.
    pub position: Position,
    /// Its bytes, without the line ending.
    pub bytes: &'a [u8],
    /// What it is.
    pub decoded: Decoded<'a>,
    /// Whether the source goes on after it, so that it cannot be half of a longer record.
    pub terminated: bool,
}

/// What a record turned out to be.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly every record is an event, and a box for each would cost more")]
pub enum Decoded<'a> {
    /// An audit event.
    Event(Event<'a>),
    /// Not an audit event.
    Reject(Reason),
}

impl Decoded<'_> {
    /// Marks what has no mark yet; see [`crate::salvage`].
    fn mark(&mut self, mark: Option<&'static str>) {
        let part = match self {
            Self::Event(event) => {
                event.salvaged = event.salvaged.take().or(mark.map(Cow::Borrowed));
                event.part.as_mut()
            }
            Self::Reject(Reason::FurtherPart { part }) => Some(part),
            Self::Reject(_) => None,
        };
        if let Some(part) = part {
            part.mark = part.mark.or(mark);
        }
    }
}

/// Whether `bytes` hold a trace of an audit event, whole or torn, in whatever wrapper.
///
/// This is how a folder's audit logs are told from its other files. Policies and prose name the API
/// group too, so what counts is the member `auditID`, plain or escaped inside a JSON string, the
/// beginning of an event as the server writes it, and what the shapes know that carry neither.
pub fn mentions_event(bytes: &[u8]) -> bool {
    holds_trace(bytes) || packed::begins_with_trace(bytes)
}

/// The same, of what stands there as it is.
fn holds_trace(bytes: &[u8]) -> bool {
    const TRACES: [&[u8]; 7] = [
        b"\"auditID\"",
        b"auditID\\",
        b"'auditID'",
        b" auditID=\"",
        b"auditID&quot;",
        b"auditID&#34;",
        b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/",
    ];
    let own = SHAPES.iter().flat_map(|shape| shape.traces);
    TRACES.iter().chain(own).any(|trace| memmem::find(bytes, trace).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_log_is_told_from_other_files() {
        assert!(mentions_event(br#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Me"#));
        assert!(mentions_event(br#"{"log":"{\"level\":\"Metadata\",\"auditID\":\"x\"}"}"#));
        assert!(mentions_event(br#"{"log":"{\"log\":\"{\\\"auditID\\\":1}\"}"}"#));
        assert!(!mentions_event(b"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n"));
        assert!(!mentions_event(br#"{"t":"2026-11-21T20:37:37Z","step":"01-anon-probe"}"#));
    }

    #[test]
    fn the_last_shape_takes_everything() {
        assert_eq!(Reading::of(b"\x00\xff garbage").shape.name, "unknown");
        assert_eq!(Reading::of(b"").shape.name, "unknown");
    }

    #[test]
    fn names_are_unique_words_for_the_command_line() {
        let mut names: Vec<_> = SHAPES.iter().map(|shape| shape.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SHAPES.len());
        for shape in SHAPES {
            assert!(shape.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
            assert!(!shape.summary.is_empty() && !shape.summary.ends_with('.'), "{}", shape.name);
            assert_eq!(find(shape.name).map(|found| found.name), Some(shape.name));
        }
    }
}

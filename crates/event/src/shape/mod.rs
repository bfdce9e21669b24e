//! The shapes audit logs come in, recognised by content.
//!
//! Each shape is one module with one entry in [`SHAPES`]; adding one touches that file and that table.
//! A shape cuts a stream into pieces that can be decoded apart, and decodes a piece into records.

mod container_log;
mod dotted;
mod json_documents;
mod json_lines;
mod nested;

use memchr::memmem;

use crate::event::Event;
use crate::reject::Reason;

pub use container_log::CONTAINER_LOG;
pub use json_documents::JSON_DOCUMENTS;
pub use json_lines::JSON_LINES;

/// Longest record that is decoded, in bytes.
///
/// The server's own log cannot hold a longer one: its rotation refuses a write larger than
/// `--audit-log-maxsize`, which is 100 MB unless it is raised.
pub const MAX_RECORD_BYTES: usize = 100 * 1024 * 1024;

/// Bytes that are kept of a record longer than [`MAX_RECORD_BYTES`].
pub const KEPT_OF_TOO_LONG_BYTES: usize = 1024 * 1024;

/// What Windows tools put in front of UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// All shapes, most specific first. The last one takes what no other recognises.
pub const SHAPES: &[&dyn Shape] = &[&CONTAINER_LOG, &JSON_DOCUMENTS, &JSON_LINES];

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

/// One record of a source: a non-blank line, or an item of a list.
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

/// A way in which events are written into a file.
pub trait Shape: Sync {
    /// Name, as it stands in the ledger.
    fn name(&self) -> &'static str;

    /// Whether a source that begins with `head` has this shape.
    fn recognises(&self, head: &[u8]) -> bool;

    /// Length of the longest prefix of `bytes` that can be decoded without what follows it;
    /// 0 when there is none yet.
    fn cut(&self, bytes: &[u8]) -> usize;

    /// Decodes a piece that [`Shape::cut`] cut, calling `each` with every record in order.
    ///
    /// `start` is the position of the piece, `last` says that the source ends with it.
    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>));
}

/// The shape of a source that begins with `head`.
pub fn recognise(head: &[u8]) -> &'static dyn Shape {
    SHAPES.iter().copied().find(|shape| shape.recognises(head)).unwrap_or(&JSON_LINES)
}

/// Whether `bytes` hold a trace of an audit event, whole or torn, in whatever wrapper.
///
/// This is how a folder's audit logs are told from its other files. Policies and prose name the API
/// group too, so what counts is the member `auditID`, plain or escaped inside a JSON string, the
/// beginning of an event as the server writes it, and that of a line of the legacy text format.
pub fn mentions_event(bytes: &[u8]) -> bool {
    const TRACES: [&[u8]; 4] =
        [b"\"auditID\"", b"auditID\\\"", b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/", b" AUDIT: id=\""];
    TRACES.iter().any(|trace| memmem::find(bytes, trace).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_log_is_told_from_other_files() {
        assert!(mentions_event(br#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Me"#));
        assert!(mentions_event(br#"{"log":"{\"level\":\"Metadata\",\"auditID\":\"x\"}"}"#));
        assert!(!mentions_event(b"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n"));
        assert!(!mentions_event(br#"{"t":"2026-11-21T20:37:37Z","step":"01-anon-probe"}"#));
    }

    #[test]
    fn the_last_shape_takes_everything() {
        assert_eq!(recognise(b"\x00\xff garbage").name(), "json-lines");
        assert_eq!(recognise(b"").name(), "json-lines");
    }
}

//! JSON documents of more than one line: pretty-printed events, one after the other, and exports that
//! are one large object or array with the events inside.

use super::scan::{RECORD_SEPARATOR, Steps};
use super::{Framing, lines};
use crate::shape::nested;
use crate::shape::{BYTE_ORDER_MARK, Position, Record};

/// The framing of pretty-printed events and exports.
pub(in crate::shape) static DOCUMENTS: Documents = Documents;

/// See [`DOCUMENTS`].
#[derive(Debug)]
pub(in crate::shape) struct Documents;

/// Whether a source begins with a document whose first line goes on in the next, or with several in one line.
///
/// A log whose first line is torn does not: what follows there is a line that is whole by itself.
pub(super) fn recognises(head: &[u8]) -> bool {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    let head = head.strip_prefix(&[RECORD_SEPARATOR]).unwrap_or(head);
    let end = memchr::memchr(b'\n', head);
    let line = head[..end.unwrap_or(head.len())].trim_ascii_end();
    if !matches!(line, [b'{' | b'[', ..]) || nested::begins_event(line) {
        return false;
    }
    let first = end_of_first(line);
    if let Some(first) = first {
        return matches!(line[first..].trim_ascii_start(), [b'{' | b'[', ..]);
    }
    let Some(end) = end.filter(|_| is_unfinished(line)) else { return false };
    let next = head[end..].trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_bare = line.iter().all(|byte| b"{[ \t".contains(byte));
    is_bare || !(next.starts_with(b"{") && Depth::of(next).ends_whole)
}

impl Framing for Documents {
    fn name(&self) -> &'static str {
        "documents"
    }

    fn spans_lines(&self) -> bool {
        true
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        lines::boundary(bytes, true)
    }

    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        lines::decode(Steps::new(piece, false, true), piece, (start, last), &mut |_, _| false, each);
    }
}

/// Where the first document of a line ends.
fn end_of_first(line: &[u8]) -> Option<usize> {
    let mut scan = Depth::default();
    line.iter().position(|byte| scan.step(*byte)).map(|at| at + 1)
}

/// Whether a line opens more than it closes, and does not end inside of a text.
fn is_unfinished(line: &[u8]) -> bool {
    let depth = Depth::of(line);
    depth.open > 0 && !depth.in_text
}

/// How deep in a document a place is. Braces inside of texts do not count.
#[derive(Default)]
struct Depth {
    open: usize,
    in_text: bool,
    escaped: bool,
    /// The last byte ended a document.
    ends_whole: bool,
}

impl Depth {
    /// The depth behind `bytes`.
    fn of(bytes: &[u8]) -> Self {
        let mut depth = Self::default();
        for byte in bytes.trim_ascii_end() {
            depth.ends_whole = depth.step(*byte);
        }
        depth
    }

    /// Goes on by a byte; whether a document ends with it.
    fn step(&mut self, byte: u8) -> bool {
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => (),
            }
            return false;
        }
        match byte {
            b'"' => self.in_text = self.open > 0,
            b'{' | b'[' => self.open += 1,
            b'}' | b']' if self.open > 0 => {
                self.open -= 1;
                return self.open == 0;
            }
            _ => (),
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Decoded, Reading};

    const EVENT: &str = r#"{
  "level": "Metadata",
  "auditID": "a}]\"{",
  "user": {},
  "stageTimestamp": "2026-11-21T20:37:37.000000Z"
}"#;

    fn records(text: &str) -> Vec<(i64, i64, usize, bool)> {
        let mut seen = Vec::new();
        DOCUMENTS.decode(text.as_bytes(), Position::START, true, &mut |record| {
            let event = matches!(record.decoded, Decoded::Event(_));
            seen.push((record.position.line, record.position.offset, record.bytes.len(), event));
        });
        seen
    }

    #[test]
    fn documents_are_recognised_and_lines_are_not() {
        for head in [
            EVENT,
            "[\n  {}\n]",
            "{\"events\": [\n",
            "[\n{}\n]",
            "{\"kind\": \"List\",\n\"items\": []}",
            "{\"messageType\":\"CONTROL_MESSAGE\"}{\"messageType\":",
        ] {
            assert!(Reading::of(head.as_bytes()).framing.spans_lines(), "{head}");
        }
        for head in [
            "{}\n{}\n",
            "x\n{",
            "{\"a\": \"to\n{}",
            "",
            "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"user\":{\n{}",
            "{\"log\":{\n{\"log\":{}}\n",
            "{\"a\":1,\n{\"a\":1,\"b\":2}\n",
            "{\"a\":1},\n{\"a\":1},\n",
        ] {
            assert!(!Reading::of(head.as_bytes()).framing.spans_lines(), "{head}");
        }
    }

    #[test]
    fn a_cut_is_behind_a_whole_document() {
        let two = format!("{EVENT}\n{EVENT}\n{{\"level\": [");
        assert_eq!(DOCUMENTS.cut(two.as_bytes()), 2 * EVENT.len() + 1);
        assert_eq!(DOCUMENTS.cut(b"[\n{}, {}"), 0);
        // PowerShell writes a byte order mark in front of what it redirects into a file.
        let marked = format!("\u{feff}{two}");
        assert_eq!(DOCUMENTS.cut(marked.as_bytes()), 3 + 2 * EVENT.len() + 1);
        assert_eq!(DOCUMENTS.cut(format!("\u{feff}{}", &EVENT[..60]).as_bytes()), 0);
    }

    #[test]
    fn every_document_is_a_record_where_it_stands() {
        let length = EVENT.len();
        let offset = |number: usize| i64::try_from(number * (length + 1)).unwrap();
        let text = format!("{EVENT}\n{EVENT}\n{{\n\"other\": 1}}\n{}", &EVENT[..40]);
        assert_eq!(
            records(&text),
            [
                (1, 0, length, true),
                (7, offset(1), length, true),
                (13, offset(2), 13, false),
                (15, offset(2) + 14, 40, false),
            ]
        );
        let list = format!("{{\"items\": [\n{EVENT},\n{EVENT}\n]}}\n");
        assert_eq!(
            records(&list).iter().map(|record| (record.0, record.3)).collect::<Vec<_>>(),
            [(2, true), (8, true)]
        );
        assert_eq!(records("{\n\"no\": \"event\"}"), [(1, 0, 16, false)]);
        assert_eq!(records(" \n "), []);
    }
}

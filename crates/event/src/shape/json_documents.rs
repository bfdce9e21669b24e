//! JSON documents of more than one line: pretty-printed events, one after the other, and exports that
//! are one large object or array with the events inside.

use super::nested::{self, Nested};
use super::{BYTE_ORDER_MARK, MAX_RECORD_BYTES, Position, Record, Shape};

/// The shape of pretty-printed events and exports.
pub const JSON_DOCUMENTS: JsonDocuments = JsonDocuments;

/// See [`JSON_DOCUMENTS`].
#[derive(Debug, Clone, Copy)]
pub struct JsonDocuments;

impl Shape for JsonDocuments {
    fn name(&self) -> &'static str {
        "json-documents"
    }

    /// A document whose first line goes on in the next. A log whose first line is torn does not: what
    /// follows there is a line that is whole by itself.
    fn recognises(&self, head: &[u8]) -> bool {
        let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
        let Some(end) = memchr::memchr(b'\n', head) else { return false };
        let (line, rest) = (head[..end].trim_ascii_end(), head[end..].trim_ascii_start());
        if !matches!(line, [b'{' | b'[', ..]) || !is_unfinished(line) || nested::begins_event(line) {
            return false;
        }
        let next = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let is_bare = line.iter().all(|byte| b"{[ \t".contains(byte));
        is_bare || !(next.starts_with(b"{") && Depth::of(next).ends_whole)
    }

    /// Behind the last document that is whole.
    fn cut(&self, bytes: &[u8]) -> usize {
        let mut scan = Depth::default();
        let mut end = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if scan.step(*byte) {
                end = at + 1;
            }
        }
        end
    }

    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        let too_long = piece.len() > MAX_RECORD_BYTES;
        let mark = if start.offset == 0 && piece.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let kept = piece[mark..].trim_ascii();
        if kept.is_empty() {
            return;
        }
        let before = piece.len() - piece[mark..].trim_ascii_start().len();
        let nested = Nested {
            position: start.after(&piece[..before]),
            bytes: kept,
            terminated: !last || self.cut(kept) == kept.len(),
        };
        nested.records(too_long, nested::rejected(kept), each);
    }
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
    use crate::shape::{Decoded, recognise};

    const EVENT: &str = r#"{
  "level": "Metadata",
  "auditID": "a}]\"{",
  "user": {},
  "stageTimestamp": "2026-11-21T20:37:37.000000Z"
}"#;

    fn records(text: &str) -> Vec<(i64, i64, usize, bool)> {
        let mut seen = Vec::new();
        JSON_DOCUMENTS.decode(text.as_bytes(), Position::START, true, &mut |record| {
            let event = matches!(record.decoded, Decoded::Event(_));
            seen.push((record.position.line, record.position.offset, record.bytes.len(), event));
        });
        seen
    }

    #[test]
    fn documents_are_recognised_and_lines_are_not() {
        let shape = |head: &str| recognise(head.as_bytes()).name();
        assert_eq!(shape(EVENT), "json-documents");
        assert_eq!(shape("[\n  {}\n]"), "json-documents");
        assert_eq!(shape("{\"events\": [\n"), "json-documents");
        assert_eq!(shape("[\n{}\n]"), "json-documents");
        assert_eq!(shape("{\"kind\": \"List\",\n\"items\": []}"), "json-documents");
        let torn = [
            "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"user\":{\n{}",
            "{\"log\":{\n{\"log\":{}}\n",
            "{\"a\":1,\n{\"a\":1,\"b\":2}\n",
        ];
        for head in ["{}\n{}\n", "x\n{", "{\"a\": \"to\n{}", ""].iter().chain(&torn) {
            assert_eq!(shape(head), "json-lines", "{head}");
        }
    }

    #[test]
    fn a_cut_is_behind_a_whole_document() {
        let two = format!("{EVENT}\n{EVENT}\n{{\"level\": [");
        assert_eq!(JSON_DOCUMENTS.cut(two.as_bytes()), 2 * EVENT.len() + 1);
        assert_eq!(JSON_DOCUMENTS.cut(b"[\n{}, {}"), 0);
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
                (14, offset(2) + 13, 41, false),
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

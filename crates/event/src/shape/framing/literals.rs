//! Objects of several lines that are no JSON: as JavaScript, Python and Ruby print them (`rubydebug` of Logstash, `pprint`), JSON5, and
//! JSON with comments. Each object, alone or in a list at the margin, is a record; commas, brackets of the list and comments between
//! them are the text of a wrapper.
//!
//! A text in quotation marks ends in its line in all of these. So what is torn in one goes on to a line at which the next object can
//! begin. So does an object that ends by its brackets and cannot be read: with quotation marks of another kind, of which JavaScript has
//! some, a client chose where it seems to end. The next events behind either are marked.

use super::Framing;
use super::torn::{self, Places};
use crate::literal;
use crate::shape::nested::{Nested, holds_event, rejected};
use crate::shape::prefix::{End, Prefix};
use crate::shape::{BYTE_ORDER_MARK, MAX_RECORD_BYTES, Position, Record, mentions_event};

/// The framing of literals.
pub(super) static LITERALS: Literals = Literals;

/// See [`LITERALS`].
#[derive(Debug)]
pub(in crate::shape) struct Literals;

/// Whether a source begins with such an object, or with a list of them, that goes on behind its first line.
pub(super) fn recognises(head: &[u8]) -> bool {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let comment = behind_blanks(head, 0);
    let has_comment = head[..comment].contains(&b'/');
    if !matches!(head.get(comment), Some(b'{' | b'[')) || !mentions_event(head) {
        return false;
    }
    if !has_comment && !matches!(Prefix::new().read(&head[comment..]), Some(End::Broken(_))) {
        return false;
    }
    let start = between(head, comment);
    let Step::Whole(end) = object(head, start) else { return false };
    // What is whole in its line a source of lines can hold as well.
    let is_listed = head[comment] == b'[' && !head[comment..end].ends_with(b"]");
    let spans_lines = head[start..end].contains(&b'\n') || is_listed;
    let Ok(text) = std::str::from_utf8(&head[start..end]) else { return false };
    let is_json = || has_comment && holds_event(text, true);
    spans_lines && (is_json() || literal::read(text).is_some_and(|literal| holds_event(&literal.json, true)))
}

/// Behind blanks and comments.
fn behind_blanks(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        let rest = &bytes[at..];
        at += match rest {
            [byte, ..] if byte.is_ascii_whitespace() => 1,
            [b'/', b'/', ..] => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            [b'/', b'*', ..] => memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2),
            _ => return at,
        };
    }
}

/// Behind all that stands between objects.
fn between(bytes: &[u8], from: usize) -> usize {
    let mut at = behind_blanks(bytes, from);
    while matches!(bytes.get(at), Some(b',' | b'[' | b']')) {
        at = behind_blanks(bytes, at + 1);
    }
    at
}

/// What stands at the beginning of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// An object that ends in front of this place.
    Whole(usize),
    /// Something that breaks off in front of this place.
    Torn(usize),
    /// An object that may go on.
    GoesOn,
}

/// Reads the object that begins at `start`, by its brackets and quotation marks alone.
fn object(bytes: &[u8], start: usize) -> Step {
    let line_end = |from: usize| memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |length| from + length);
    if bytes.get(start) != Some(&b'{') {
        return Step::Torn(line_end(start));
    }
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => {
                depth -= 1;
                if depth == 0 {
                    return Step::Whole(at + 1);
                }
            }
            b'"' | b'\'' => match text_end(bytes, at) {
                Step::Whole(end) => at = end - 1,
                other => return other,
            },
            b'/' if matches!(bytes.get(at + 1), Some(b'/' | b'*')) => {
                at = behind_blanks(bytes, at);
                continue;
            }
            _ => (),
        }
        at += 1;
    }
    Step::GoesOn
}

/// Reads the text whose quotation mark stands at `start`.
fn text_end(bytes: &[u8], start: usize) -> Step {
    let quote = bytes[start];
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'\n') => return Step::Torn(at),
            Some(byte) if *byte == quote => return Step::Whole(at + 1),
            Some(_) => at += 1,
            None => return Step::GoesOn,
        }
    }
}

/// The records of a piece, and whether each is whole.
fn records(piece: &[u8], from: usize, last: bool) -> Places {
    let (mut records, mut at) = (Places::new(), from);
    loop {
        let start = between(piece, at);
        if start >= piece.len() {
            return records;
        }
        let (end, is_whole) = match object(piece, start) {
            Step::Whole(end) if is_readable(&piece[start..end]) => (end, true),
            Step::Whole(end) => (next_object(piece, start, end), false),
            Step::Torn(end) if end < piece.len() || last => (next_object(piece, start, end), false),
            _ if last => (next_object(piece, start, start), false),
            _ => return records,
        };
        if !(is_whole || last || end < piece.len()) {
            // It may go on behind the piece.
            return records;
        }
        records.push((start..end, is_whole));
        at = end;
    }
}

/// Whether an object is one as a whole: JSON, or a literal.
fn is_readable(object: &[u8]) -> bool {
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    std::str::from_utf8(object).is_ok_and(|text| is_json(text) || literal::read(text).is_some())
}

/// Where the next object can begin behind what is torn: at a line that is indented as the torn one, and begins with a brace.
fn next_object(bytes: &[u8], start: usize, torn: usize) -> usize {
    let line_start = memchr::memrchr(b'\n', &bytes[..start]).map_or(0, |newline| newline + 1);
    let indent = &bytes[line_start..start];
    let mut at = torn;
    while let Some(length) = memchr::memchr(b'\n', &bytes[at..]) {
        let line = at + length + 1;
        if bytes[line..].strip_prefix(indent).is_some_and(|rest| rest.starts_with(b"{")) {
            return line + indent.len();
        }
        at = line;
    }
    bytes.len()
}

impl Framing for Literals {
    fn name(&self) -> &'static str {
        "literals"
    }

    fn spans_lines(&self) -> bool {
        true
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        torn::cut(bytes, records)
    }

    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        torn::decode(piece, start, last, records, each, |record, whole, each| {
            let (bytes, is_whole) = (record.bytes, whole.is_some());
            let record = Nested { terminated: record.terminated || is_whole, ..record };
            // In what is torn a client can have written anything.
            let is_closed = !is_whole || bytes.len() > MAX_RECORD_BYTES;
            let reason = if is_whole { rejected(bytes) } else { rejected(bytes).or_torn() };
            record.records(is_closed, reason, each);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salvage;
    use crate::shape::{Decoded, Reading};

    const EVENT: &str = "{\n  level: \"Metadata\", // as the policy says\n  auditID: \"a}]'\",\n  user: {},\n  stageTimestamp: \"2026-11-21T20:37:37.000000Z\",\n}";

    /// (line, whether it is an event, its mark) of every record.
    fn read(text: &str) -> Vec<(i64, bool, Option<String>)> {
        let reading = Reading::of(text.as_bytes());
        assert_eq!(reading.framing.name(), "literals", "{text}");
        let mut seen = Vec::new();
        reading.decode(text.as_bytes(), Position::START, true, &mut |record| {
            let mark = match &record.decoded {
                Decoded::Event(event) => event.salvaged.as_ref().map(ToString::to_string),
                Decoded::Reject(_) => None,
            };
            seen.push((record.position.line, matches!(record.decoded, Decoded::Event(_)), mark));
        });
        seen
    }

    #[test]
    fn objects_are_records_alone_and_in_lists() {
        assert_eq!(read(&format!("{EVENT}\n{EVENT}\n")), [(1, true, None), (7, true, None)]);
        assert_eq!(read(&format!("/* a\n list */ [\n{EVENT},\n{EVENT},\n]\n")), [(3, true, None), (9, true, None)]);
        let json = r#"{"level":"Metadata","auditID":"a","user":{},"stageTimestamp":"2026-11-21T20:37:37.000000Z"}"#;
        assert_eq!(read(&format!("// audit\n[\n  {json}, // one\n  {json}\n]\n")), [(3, true, None), (4, true, None)]);
        let behind = Some(salvage::BEHIND_DAMAGE.to_owned());
        let torn = EVENT.replace("\"a}]'\"", "\"a");
        assert_eq!(
            read(&format!("{EVENT}\n{torn}\n{EVENT}\n")),
            [(1, true, None), (7, false, None), (13, true, behind)]
        );
    }

    /// As JavaScript prints a text with both quotation marks in it.
    #[test]
    fn an_object_that_a_client_ended_marks_what_is_behind_it() {
        let fake = EVENT.replace("a}]'", "FAKE").replace("// as the policy says", "").replace('\n', " ");
        let evil = EVENT.replace("\"a}]'\"", &format!("`'\"'\"}}, {fake}`"));
        let found = read(&format!("{EVENT}\n{evil}\n{EVENT}\n"));
        assert!(found.iter().filter(|(_, is_event, mark)| *is_event && mark.is_none()).count() == 1, "{found:?}");
        assert_eq!(LITERALS.cut(format!("{EVENT}\n{evil}\n{EVENT}\n").as_bytes()), EVENT.len());
    }

    #[test]
    fn the_next_events_behind_what_is_torn_are_marked_and_never_cut_off_from_it() {
        let torn = EVENT.replace("\"a}]'\"", "\"a");
        let text = |behind: usize| format!("{EVENT}\n{torn}\n{}{{\n", format!("{EVENT}\n").repeat(behind));
        let marks: Vec<bool> = read(&text(6)).iter().map(|(_, _, mark)| mark.is_some()).collect();
        assert_eq!(marks, [false, false, true, true, true, true, false, false, false]);
        let to_the_torn = EVENT.len() + 1 + torn.len() + 1;
        for (behind, cut) in [(0, EVENT.len()), (3, EVENT.len()), (4, to_the_torn + 4 * (EVENT.len() + 1) - 1)] {
            assert_eq!(LITERALS.cut(text(behind).as_bytes()), cut, "{behind}");
        }
    }

    #[test]
    fn json_is_none_of_them() {
        for head in [
            r#"{"auditID":"a"}"#,
            "{\n  \"auditID\": \"a\"\n}\n",
            "[\n  {\"auditID\": \"a\"},\n",
            "{\"auditID\":\"a\n{\"auditID\":\"b\"}\n",
            "// x\n",
            "{auditID: a}\n",
        ] {
            assert!(!recognises(head.as_bytes()), "{head}");
        }
    }

    #[test]
    fn a_cut_is_behind_a_whole_object() {
        let two = format!("{EVENT}\n{EVENT}\n{{\n level: \"x");
        assert_eq!(LITERALS.cut(two.as_bytes()), 2 * EVENT.len() + 1);
        assert_eq!(LITERALS.cut(&EVENT.as_bytes()[..40]), 0);
    }
}

//! A record a line, as the API server writes it, and as most collectors do.

use std::borrow::Cow;

use super::Framing;
use crate::event::Event;
use crate::reject::Reason;
use crate::shape::nested::{Nested, Tears, is_open};
use crate::shape::{BYTE_ORDER_MARK, Canonical, Decoded, MAX_RECORD_BYTES, Position, Record, count};

/// The framing of the API server's own log file.
pub(in crate::shape) static LINES: Lines = Lines;

/// Lines that are looked back at for one behind which the next line is a record for certain.
const MAX_LOOK_BACK: usize = 64;

/// See [`LINES`].
#[derive(Debug)]
pub(in crate::shape) struct Lines;

impl Framing for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn spans_lines(&self) -> bool {
        false
    }

    /// Behind the last line that does not leave open what the next one is.
    fn cut(&self, bytes: &[u8]) -> usize {
        let Some(newline) = memchr::memrchr(b'\n', bytes) else { return 0 };
        let mut end = newline;
        for _ in 0..MAX_LOOK_BACK {
            let start = memchr::memrchr(b'\n', &bytes[..end]).map_or(0, |before| before + 1);
            if !leaves_open(&bytes[start..end]) {
                return end + 1;
            }
            if start == 0 {
                return 0;
            }
            end = start - 1;
        }
        newline + 1
    }

    // Lines end at `\n` only: U+0085 stands raw in real user agents, and U+2028 could.
    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        self.decode_beside(piece, start, last, &mut |_, _| false, each);
    }

    fn decode_beside(
        &self,
        piece: &[u8],
        start: Position,
        last: bool,
        canonical: Canonical<'_>,
        each: &mut dyn FnMut(Record<'_>),
    ) {
        let mut position = start;
        let mut rest = piece;
        let tears = Tears::default();
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest);
            let (line, after) = match end {
                Some(newline) => (&rest[..newline], &rest[newline + 1..]),
                None => (rest, &rest[rest.len()..]),
            };
            let mut bytes = line.strip_suffix(b"\r").unwrap_or(line);
            let mut begin = position;
            if position.offset == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
                bytes = &bytes[BYTE_ORDER_MARK.len()..];
                begin.offset += count(BYTE_ORDER_MARK.len());
            }
            // Behind a tear an event is not as the server wrote it, however it looks.
            let is_taken = bytes.first() == Some(&b'{') && tears.is_none() && canonical(bytes, begin);
            if !is_taken && !bytes.iter().all(u8::is_ascii_whitespace) {
                let terminated = end.is_some() || !last;
                records_of_line(Nested { position: begin, bytes, terminated, tears: &tears }, each);
            }
            position = Position {
                line: position.line + i64::from(end.is_some()),
                offset: position.offset + count(rest.len() - after.len()),
            };
            rest = after;
        }
    }
}

/// Whether a record was torn at the end of this line so that the next one could be a part of it.
fn leaves_open(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|text| is_open(text) && Event::decode(text).is_err())
}

/// One event, or the records of a line that wraps some, or one reject.
fn records_of_line(line: Nested<'_>, each: &mut dyn FnMut(Record<'_>)) {
    let Nested { position, bytes, terminated, tears } = line;
    match decode_line(bytes) {
        Ok(mut event) => {
            event.salvaged = tears.event().map(Cow::Borrowed).or(event.salvaged);
            each(Record { position, bytes, decoded: Decoded::Event(event), terminated });
        }
        Err(reason) => line.records(bytes.len() > MAX_RECORD_BYTES, reason, each),
    }
}

fn decode_line(bytes: &[u8]) -> Result<Event<'_>, Reason> {
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(Reason::TooLong { limit: MAX_RECORD_BYTES });
    }
    match std::str::from_utf8(bytes) {
        Err(error) => Err(Reason::InvalidUtf8 { valid_up_to: error.valid_up_to() }),
        Ok(text) => Event::decode(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str =
        r#"{"level":"Metadata","auditID":"a","user":{},"requestReceivedTimestamp":"2026-11-21T20:37:37.000000Z"}"#;

    /// (line, offset, length, what) of every record.
    fn records(log: &[u8]) -> Vec<(i64, i64, usize, String)> {
        let mut seen = Vec::new();
        LINES.decode(log, Position::START, true, &mut |record| {
            let what = match &record.decoded {
                Decoded::Event(_) => "event".to_owned(),
                Decoded::Reject(reason) => reason.to_string(),
            };
            seen.push((record.position.line, record.position.offset, record.bytes.len(), what));
        });
        seen
    }

    #[test]
    fn byte_order_mark_crlf_and_blank_lines_are_no_part_of_a_record() {
        let log = format!("\u{feff}{EVENT}\r\n\r\n  \n{EVENT}\r\n");
        let length = EVENT.len();
        let second = i64::try_from(3 + length + 2 + 2 + 3).unwrap();
        assert_eq!(
            records(log.as_bytes()),
            [(1, 3, length, "event".to_owned()), (4, second, length, "event".to_owned())]
        );
    }

    #[test]
    fn damage_is_told_apart() {
        let mut log = EVENT.as_bytes()[..20].to_vec();
        log.extend_from_slice(b"\n\xff\xfe\nnoise\n");
        log.extend_from_slice(EVENT.as_bytes());
        let what: Vec<_> = records(&log).into_iter().map(|record| record.3).collect();
        assert_eq!(
            what,
            [
                "torn: the record ends inside a JSON value",
                "not UTF-8: invalid byte at column 1",
                "not a JSON object: expected ident at column 2",
                "event",
            ]
        );
    }

    #[test]
    fn only_the_very_last_line_can_be_unterminated() {
        let mut terminated = Vec::new();
        let log = format!("{EVENT}\n{EVENT}");
        LINES.decode(log.as_bytes(), Position::START, true, &mut |record| terminated.push(record.terminated));
        assert_eq!(terminated, [true, false]);
    }

    #[test]
    fn a_next_line_character_does_not_end_a_line() {
        let log = EVENT.replace("\"a\"", "\"a\u{85}b\u{2028}c\"");
        assert_eq!(records(log.as_bytes()).len(), 1);
    }
}

//! Messages of syslog that stand one behind the other, each with its length in front of it (RFC 6587), as a TCP receiver stores what
//! came; and netstrings. A message may hold line ends. What a client sent cannot begin a message: its length counts.

use super::Framing;
use crate::reject::Reason;
use crate::shape::header::counted;
use crate::shape::nested::{Nested, Tears, rejected};
use crate::shape::{MAX_RECORD_BYTES, Position, Record, mentions_event};

/// The framing of syslog over TCP.
pub(super) static COUNTED: Counted = Counted;

/// See [`COUNTED`].
#[derive(Debug)]
pub(in crate::shape) struct Counted;

/// Whether a source begins with a message that is as long as it says, and another behind it, or its end.
pub(super) fn recognises(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let Some((length, _)) = counted(head).filter(|_| mentions_event(head)) else { return false };
    match head.get(length..) {
        // The first one is longer than the beginning that is known.
        None => true,
        Some(rest) => {
            let rest = rest.trim_ascii_start();
            rest.is_empty() || counted(rest).is_some() || rest.len() < 12 && rest[0].is_ascii_digit()
        }
    }
}

/// Where the record at the beginning of `bytes` ends, and whether it is a whole message; `None` when more has to be known.
fn end(bytes: &[u8], last: bool) -> Option<(usize, bool)> {
    match counted(bytes).filter(|(length, _)| *length <= MAX_RECORD_BYTES) {
        Some((length, _)) if length <= bytes.len() => Some((length, true)),
        Some(_) => last.then_some((bytes.len(), false)),
        // The length is not there: the next line can begin with one.
        None => match memchr::memchr(b'\n', bytes) {
            Some(newline) => Some((newline, false)),
            None => last.then_some((bytes.len(), false)),
        },
    }
}

impl Framing for Counted {
    fn name(&self) -> &'static str {
        "counted"
    }

    fn spans_lines(&self) -> bool {
        true
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let blank = bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            // Digits that may go on are no length yet.
            match end(&bytes[at + blank..], false) {
                Some((length, _)) if blank + length > 0 => at += blank + length,
                _ => return at,
            }
        }
    }

    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        let (mut position, mut done, mut at) = (start, 0, 0);
        let tears = Tears::default();
        loop {
            at += piece[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if at >= piece.len() {
                return;
            }
            let Some((length, is_whole)) = end(&piece[at..], true) else { return };
            position = position.after(&piece[done..at]);
            done = at;
            let bytes = piece[at..at + length].trim_ascii_end();
            // What ends a netstring is none of its record.
            let bytes = if is_whole { bytes.strip_suffix(b",").unwrap_or(bytes) } else { bytes };
            at += length;
            let terminated = is_whole || !last || at < piece.len();
            let record = Nested { position, bytes, terminated, tears: &tears };
            if is_whole {
                record.records(bytes.len() > MAX_RECORD_BYTES, rejected(bytes), each);
            } else {
                // Without its length nothing tells what of it a client sent.
                record.records(true, rejected(bytes).or_torn(), each);
            }
        }
    }
}

impl Reason {
    /// That of a record whose end is missing, when nothing else is wrong with it.
    pub(super) fn or_torn(self) -> Self {
        match self {
            Self::InvalidUtf8 { .. } | Self::TooLong { .. } => self,
            _ => Self::Torn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_end_where_they_say() {
        let text = b"12 <1>auditID: x\n12 <1>\"auditID\"\n\nx <1>";
        assert!(!recognises(b"12 <1>hello") && !recognises(b"x"));
        assert!(recognises(b"13 <1>\"auditID\" 12 <1>23") && !recognises(b"13 <1>\"auditID\" x <1>"));
        assert_eq!(end(text, false), Some((15, true)));
        assert_eq!(end(b"99 <1>x", false), None);
        assert_eq!(end(b"99 <1>x", true), Some((7, false)));
        assert_eq!(end(b"x <1>y\n", false), Some((6, false)));
        let netstrings = b"13:{\"auditID\":1},12:{\"auditID\":},14:{\"auditID\":1}x";
        assert!(recognises(netstrings) && !recognises(b"12:{\"auditID\":1}x") && !recognises(b"13:\"auditID\":1x,"));
        assert_eq!((end(netstrings, false), end(&netstrings[17..], false)), (Some((17, true)), Some((16, true))));
        assert_eq!(end(&netstrings[33..], true), Some((17, false)));
        assert_eq!(COUNTED.cut(b"12 <1>auditID:  12 <1>auditID 9"), 31);
    }
}

//! Packed text with a line end after so many letters, as `base64` and `openssl` print it: lines of one width, the last one of what
//! is left.

use super::Framing;
use crate::shape::nested::{Nested, Tears, rejected};
use crate::shape::packed::{self, is_base64};
use crate::shape::{BYTE_ORDER_MARK, MAX_RECORD_BYTES, Position, Record};

/// The framing of wrapped base64.
pub(super) static WRAPPED: Wrapped = Wrapped;

/// See [`WRAPPED`].
#[derive(Debug)]
pub(in crate::shape) struct Wrapped;

/// Longest line that is a part of a longer text: the programs print 64 or 76 letters, and no packed event is as short as this.
const MAX_WIDTH: usize = 128;

/// Whether a source begins with packed text of several lines.
pub(super) fn recognises(head: &[u8]) -> bool {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return false };
    let is_part = |line: &[u8]| !line.is_empty() && line.len() <= first.len() && is_base64(line);
    first.len() <= MAX_WIDTH && packed::begins(first) && is_part(first) && is_part(second)
}

/// Where the record at the beginning of `bytes` ends; `None` when more has to be known.
fn end(bytes: &[u8], last: bool) -> Option<usize> {
    let (mut at, mut width) = (0, None);
    while at < bytes.len() {
        let end = match memchr::memchr(b'\n', &bytes[at..]) {
            Some(newline) => at + newline,
            None if last => bytes.len(),
            None => return None,
        };
        let line = bytes[at..end].trim_ascii_end();
        let is_part = !line.is_empty() && is_base64(line);
        match width {
            None if !is_part => return Some(end),
            Some(width) if !is_part || line.len() > width => return Some(at),
            Some(width) if line.len() < width => return Some(end),
            Some(_) => (),
            None => width = Some(line.len()),
        }
        at = end + 1;
    }
    last.then_some(bytes.len())
}

impl Framing for Wrapped {
    fn name(&self) -> &'static str {
        "wrapped"
    }

    fn spans_lines(&self) -> bool {
        true
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let blank = bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            match end(&bytes[at + blank..], false) {
                Some(length) if length > 0 => at += blank + length,
                _ => return at,
            }
        }
    }

    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        let (mut position, mut done, mut at) = (start, 0, 0);
        let tears = Tears::default();
        if start.offset == 0 && piece.starts_with(BYTE_ORDER_MARK) {
            at = BYTE_ORDER_MARK.len();
        }
        loop {
            at += piece[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let Some(length) = end(&piece[at..], true).filter(|length| *length > 0) else { return };
            position = position.after(&piece[done..at]);
            done = at;
            let bytes = piece[at..at + length].trim_ascii_end();
            at += length;
            let terminated = !last || at < piece.len();
            let record = Nested { position, bytes, terminated, tears: &tears };
            record.records(bytes.len() > MAX_RECORD_BYTES, rejected(bytes), each);
        }
    }
}

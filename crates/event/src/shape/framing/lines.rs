//! A record a line, as the API server writes it, and as most collectors do.

use std::borrow::Cow;
use std::ops::Range;

use super::Framing;
use super::scan::{Step, Steps, stands_alone};
use crate::event::Event;
use crate::reject::Reason;
use crate::salvage;
use crate::shape::header::is_beside;
use crate::shape::nested::{Nested, Tears, is_open};
use crate::shape::readable::readable;
use crate::shape::{BYTE_ORDER_MARK, Canonical, Decoded, MAX_RECORD_BYTES, Position, Record, mentions_event};

/// The framing of the API server's own log file.
pub(in crate::shape) static LINES: Lines = Lines;

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

    fn cut(&self, bytes: &[u8]) -> usize {
        let Some(newline) = memchr::memrchr(b'\n', bytes) else { return 0 };
        let start = memchr::memrchr(b'\n', &bytes[..newline]).map_or(0, |before| before + 1);
        // Nearly always the last line is a record by itself. Else all is looked at.
        if stands_alone(bytes, &(start..newline)) && !leaves_open(bytes[start..newline].trim_ascii()) {
            return newline + 1;
        }
        boundary(bytes, false)
    }

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
        decode(Steps::new(piece, false, false), piece, (start, last), canonical, each);
    }
}

/// Behind the last record that is certain to end there.
pub(super) fn boundary(bytes: &[u8], splits_lines: bool) -> usize {
    let mut steps = Steps::new(bytes, true, splits_lines);
    if bytes.starts_with(BYTE_ORDER_MARK) {
        // As when it is decoded: what stands behind the mark begins a document all the same.
        steps.skip(BYTE_ORDER_MARK.len());
    }
    let mut boundary = 0;
    while let Some(step) = steps.next() {
        let (Step::Line { at, .. } | Step::Document { at, .. }) = step;
        if steps.is_settled() && !leaves_open(&bytes[at]) {
            boundary = steps.at();
        }
    }
    // Blank lines are no part of anything.
    let is_line = boundary == 0 || bytes[boundary - 1] == b'\n';
    let blank = memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
    match bytes.get(boundary..blank) {
        Some(rest) if is_line && rest.trim_ascii().is_empty() => blank,
        _ => boundary,
    }
}

/// Decodes a piece, record by record. Lines end at `\n` only: U+0085 stands raw in real user agents, and U+2028 could.
pub(super) fn decode(
    mut steps: Steps<'_>,
    piece: &[u8],
    (start, last): (Position, bool),
    canonical: Canonical<'_>,
    each: &mut dyn FnMut(Record<'_>),
) {
    let (mut position, mut done) = (start, 0);
    let tears = Tears::default();
    if start.offset == 0 && piece.starts_with(BYTE_ORDER_MARK) {
        steps.skip(BYTE_ORDER_MARK.len());
    }
    while let Some(step) = steps.next() {
        let (Step::Line { at, .. } | Step::Document { at, .. }) = &step;
        position = position.after(&piece[done..at.start]);
        done = at.start;
        let bytes = &piece[at.clone()];
        if is_beside(bytes) {
            continue;
        }
        // Behind a tear an event is not as the server wrote it, however it looks.
        if matches!(step, Step::Line { mark: None, .. })
            && bytes.first() == Some(&b'{')
            && tears.is_none()
            && canonical(bytes, position)
        {
            continue;
        }
        let is_whole = matches!(step, Step::Document { is_whole: true, .. });
        let terminated = is_whole || steps.at() < piece.len() || piece.ends_with(b"\n") || !last;
        let record = Nested { position, bytes, terminated, tears: &tears };
        let mark = match step {
            Step::Line { mark: Some(mark), .. } | Step::Document { mark: Some(mark), .. } => Some(mark),
            _ => is_indented(piece, at).then_some(salvage::UNKNOWN_WRAPPER),
        };
        match mark {
            Some(mark) => records_of(record, &mut |mut record| {
                record.decoded.mark(Some(mark));
                each(record);
            }),
            None => records_of(record, each),
        }
    }
}

/// Whether a record is indented. No collector indents lines, nor documents; but in YAML a text that a client sent stands so, line by
/// line as it is, and nothing else tells it from a record when the beginning of the source is missing.
fn is_indented(piece: &[u8], at: &Range<usize>) -> bool {
    let line = memchr::memrchr(b'\n', &piece[..at.start]).map_or(0, |newline| newline + 1);
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    piece[line..at.start].iter().all(is_blank) && piece.get(line).is_some_and(is_blank)
}

/// Whether a record was torn at the end of this line so that the next one could be a part of it.
fn leaves_open(line: &[u8]) -> bool {
    let (text, _) = readable(line);
    is_open(&text) && Event::decode(&text).is_err()
}

/// One event, or the records of a record that wraps some, or one reject.
fn records_of(line: Nested<'_>, each: &mut dyn FnMut(Record<'_>)) {
    let Nested { position, bytes, terminated, tears } = line;
    if let (Cow::Owned(text), mark) = readable(bytes)
        && mentions_event(bytes)
    {
        // Every byte has its place, so a part of the text tells which bytes were read.
        return records_of(Nested { bytes: text.as_bytes(), ..line }, &mut |mut record| {
            let start = record.bytes.as_ptr().addr() - text.as_ptr().addr();
            let bytes = &bytes[start..start + record.bytes.len()];
            if std::str::from_utf8(bytes).is_err() {
                record.decoded.mark(mark);
            }
            each(Record { bytes, ..record });
        });
    }
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

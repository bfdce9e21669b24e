//! Records that are told from one another before they are read, and of which some are torn: behind these the next ones are marked.

use std::ops::Range;

use crate::shape::nested::{Behind, Nested, Tears};
use crate::shape::{BYTE_ORDER_MARK, Position, Record};

/// Where each record of a piece stands, and whether it is whole.
pub(super) type Places = Vec<(Range<usize>, bool)>;

/// Length of the byte order mark at the beginning.
fn mark_length(bytes: &[u8]) -> usize {
    if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

/// Behind the last record that is whole, and of which none in front would be marked if it came in the next piece. `places` tells
/// the records of a piece from a place on, and whether the source ends there.
pub(super) fn cut(bytes: &[u8], places: impl Fn(&[u8], usize, bool) -> Places) -> usize {
    let (mut cut, mut behind) = (0, Behind::default());
    for (at, is_whole) in places(bytes, mark_length(bytes), false) {
        behind.next(is_whole);
        if behind.is_over() {
            cut = at.end;
        }
    }
    cut
}

/// Gives each record of a piece to `read`: itself, its bytes with the blanks behind them if it is whole, and who takes the events in it.
pub(super) fn decode(
    piece: &[u8],
    start: Position,
    last: bool,
    places: impl Fn(&[u8], usize, bool) -> Places,
    each: &mut dyn FnMut(Record<'_>),
    read: impl Fn(Nested<'_>, Option<&[u8]>, &mut dyn FnMut(Record<'_>)),
) {
    let from = if start.offset == 0 { mark_length(piece) } else { 0 };
    let (mut position, mut done, mut behind) = (start, 0, Behind::default());
    let tears = Tears::default();
    for (at, is_whole) in places(piece, from, true) {
        position = position.after(&piece[done..at.start]);
        done = at.start;
        let terminated = !last || at.end < piece.len();
        let bytes = &piece[at];
        let record = Nested { position, bytes: bytes.trim_ascii_end(), terminated, tears: &tears };
        let mark = behind.next(is_whole);
        read(record, is_whole.then_some(bytes), &mut |mut record| {
            record.decoded.mark(mark);
            each(record);
        });
    }
}

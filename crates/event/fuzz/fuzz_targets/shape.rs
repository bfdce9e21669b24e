//! Any bytes in any shape: records come in order and stay within the source, and a piece is cut where the shape says.
//! The first byte chooses the shape.
#![no_main]

use kforensic_event::shape::{Position, SHAPES};
use kforensic_event::{Decoded, Reading, Redactor};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let redactor = Redactor::new(&[7; 32]);
    let shape = SHAPES[usize::from(*choice) % SHAPES.len()];
    for reading in [Reading::of(bytes), Reading::forced(shape, bytes)] {
        let cut = reading.cut(bytes);
        assert!(cut <= bytes.len());
        let mut start = Position::START;
        for (piece, last) in [(&bytes[..cut], false), (&bytes[cut..], true)] {
            let begin = start.offset;
            let (mut place, mut any) = (begin, false);
            reading.decode(piece, start, last, &mut |record| {
                any = true;
                assert!(record.position.offset >= place, "records are in the order in which they begin");
                place = record.position.offset;
                let end = place + i64::try_from(record.bytes.len()).expect("a small record");
                assert!(end <= begin + i64::try_from(piece.len()).expect("a small input"), "a record ends in its piece");
                if let Decoded::Event(mut event) = record.decoded {
                    assert!(event.event_time.is_some() && event.audit_id.is_some());
                    redactor.event(&mut event);
                }
            });
            let blank = piece.trim_ascii().is_empty() || piece == b"\xef\xbb\xbf";
            assert!(any || blank || piece.starts_with(b"\xef\xbb\xbf"), "what is not blank is a record");
            start = start.after(piece);
        }
    }
});

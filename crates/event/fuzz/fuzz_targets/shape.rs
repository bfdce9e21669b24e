//! Any bytes in any shape: records come in order and do not overlap, and a chunk is cut where the shape says.
//! The first byte chooses the shape.
#![no_main]

use kforensic_event::shape::{Position, SHAPES, recognise};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let _ = recognise(bytes);
    let shape = SHAPES[usize::from(*choice) % SHAPES.len()];
    assert!(shape.cut(bytes) <= bytes.len());
    let cut = shape.cut(bytes);
    let mut start = Position::START;
    for (part, last) in [(&bytes[..cut], false), (&bytes[cut..], true)] {
        let mut end = start.offset;
        shape.decode(part, start, last, &mut |record| {
            assert!(record.position.offset >= end, "records are in order and do not overlap");
            end = record.position.offset + i64::try_from(record.bytes.len()).expect("a small record");
            assert!(end <= i64::try_from(bytes.len()).expect("a small input"), "a record ends within the source");
        });
        start = start.after(part);
    }
});

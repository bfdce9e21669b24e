//! Nothing that is known: no event in the first 64 KiB. It is read line by line; what is an event is one, the rest is kept as rejects.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "unknown",
    summary: "no event at the beginning; read line by line",
    recognises: |_| true,
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

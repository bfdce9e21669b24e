//! JSON of a collector that has no shape of its own here, with events in it. The search finds them all the same.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "wrapped-json",
    summary: "events somewhere in JSON of another collector",
    recognises: |head| head.mentions_event,
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

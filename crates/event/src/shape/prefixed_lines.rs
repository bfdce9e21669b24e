//! Lines with some text in front of the event: the name of the node (`oc adm node-logs`), of a file (`grep`),
//! a time, or whatever else a script has put there.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "prefixed-lines",
    summary: "an event a line, with text in front of it",
    recognises: |head| head.mentions_event && !head.prefix.trim().is_empty(),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

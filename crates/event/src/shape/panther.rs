//! An event in Panther's data lake: members of its own that begin with `p_`, times as `2022-11-29 00:09:04.38`.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "panther",
    summary: "Panther: the event with p_ fields beside its own",
    recognises: |head| head.has("auditID") && head.has_name("p_"),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

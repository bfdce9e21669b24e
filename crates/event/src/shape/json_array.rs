//! One JSON array of events, as `jq -s` makes it.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "json-array",
    summary: "one JSON array of events",
    recognises: |head| head.is_list && head.has("auditID"),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

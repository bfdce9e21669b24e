//! Events as JSON documents of several lines, or several in one line: pretty-printed, or without line ends.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "json-documents",
    summary: "events pretty-printed or one behind the other",
    recognises: |head| head.spans_lines && head.has("auditID"),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

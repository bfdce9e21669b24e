//! The API server's own log file: one event a line.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "json-lines",
    summary: "an event a line, as the API server writes it",
    recognises: |head| head.has("auditID"),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

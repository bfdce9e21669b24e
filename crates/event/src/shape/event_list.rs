//! What the API server posts to an audit webhook: one `EventList`, whose items carry neither `kind` nor `apiVersion`.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "event-list",
    summary: "EventList, as a webhook receives it",
    recognises: |head| head.has("items.auditID"),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

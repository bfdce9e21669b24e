//! An export of a Splunk search: the event is the text `result._raw`.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "splunk",
    summary: "Splunk: a search exported as JSON",
    recognises: |head| head.has("result._raw") || head.has("results._raw") || head.has("_raw"),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

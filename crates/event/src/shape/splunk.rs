//! An export of a Splunk search as JSON or XML: the event is the text `_raw` of a result.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "splunk",
    summary: "Splunk: a search exported as JSON or XML",
    recognises: |head| head.framing == "xml" || head.has("result._raw") || head.has("results._raw") || head.has("_raw"),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

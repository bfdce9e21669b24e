//! Answers of AWS CloudWatch's `get-log-events` and `filter-log-events`: `{"events":[{"timestamp":…,"message":"{…}"}]}`.
//!
//! CloudWatch cuts messages over 256 KB and puts `[Truncated...]` behind them; see [`cut`].

use super::{Opener, Shape, cut};

pub(super) static SHAPE: Shape = Shape {
    name: "cloudwatch-events",
    summary: "AWS CloudWatch, get-log-events or filter-log-events",
    recognises: |head| head.has("events.message") || (head.has("message") && head.has("ingestionTime")),
    framing: None,
    opener: Opener::Object(open),
    traces: &[],
};

/// An event that was cut, in the `message` of a record with a `timestamp` in milliseconds.
fn open(record: &str) -> Option<Result<super::Translated, crate::reject::Reason>> {
    memchr::memmem::find(record.as_bytes(), cut::CLOUDWATCH_MARK.as_bytes())?;
    let message = crate::json::member(record, "message").filter(|text| text.ends_with(cut::CLOUDWATCH_MARK))?;
    let millis: Option<i64> = crate::json::member(record, "timestamp").and_then(|time| time.parse().ok());
    let time = millis.and_then(|millis| millis.checked_mul(1_000)).map(crate::time::render);
    cut::open(message, time.as_deref())
}

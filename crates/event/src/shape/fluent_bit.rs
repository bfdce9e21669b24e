//! Fluent Bit, and Fluentd's other outputs: the line as the text `log` (or `message`), beside Kubernetes metadata or
//! whatever else was added.

use serde_json::Number;
use serde_json::value::RawValue;

use super::{Opener, Shape, mentions_event};

pub(super) static SHAPE: Shape = Shape {
    name: "fluent-bit",
    summary: "Fluent Bit or Fluentd: the event in `log`",
    recognises: |head| {
        let text = ["log", "_source.log", "_source.message"].iter().any(|path| head.has(path) && !head.has("log.file"));
        head.mentions_event && (text || (head.has("message") && head.has("kubernetes")))
    },
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

/// Whether a list is a record with its time and metadata in front of it, `[[1795293421.108, {}], {"log":"…"}]`.
pub(super) fn is_entry(time: &str, record: &str) -> bool {
    let is_time = |pair: (Number, &RawValue)| pair.1.get().starts_with('{');
    record.starts_with('{') && !mentions_event(time.as_bytes()) && serde_json::from_str(time).is_ok_and(is_time)
}

//! Fluent Bit, and Fluentd's other outputs: the line as the text `log` (or `message`), beside Kubernetes metadata or
//! whatever else was added.

use super::{Opener, Shape};

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

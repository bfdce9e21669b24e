//! Filebeat and others of the Beats family: the event is the text `message`, or `event.original`.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "filebeat",
    summary: "Filebeat: the event in `message` or `event.original`",
    recognises: |head| {
        let text = head.has("message") || head.has("event.original");
        text && head.has("@timestamp")
            && ["@metadata.beat", "agent.type", "input.type", "ecs.version"].iter().any(|path| head.has(path))
    },
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

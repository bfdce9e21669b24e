//! OpenTelemetry's log data as JSON: `resourceLogs[].scopeLogs[].logRecords[].body.stringValue`.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "otlp",
    summary: "OpenTelemetry (OTLP) as JSON",
    recognises: |head| head.has("resourceLogs.scopeLogs") || head.has("scopeLogs.logRecords"),
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

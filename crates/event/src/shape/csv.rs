//! Tables exported as text, with any delimiter: the event in a cell (CloudWatch Logs Insights, Log Analytics, Splunk, Grafana,
//! Datadog, Graylog, Sumo Logic), or its members as columns (Kibana, AKSAudit); see [`super::fields`].

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "csv",
    summary: "tables exported as text, with any delimiter: the event in a cell, or its members as columns",
    recognises: |head| head.framing == "rows",
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

//! Exports of Grafana Loki: answers of its HTTP API (`data.result[].values`), and what `logcli` prints, as
//! JSON lines (`line`, `labels`, `timestamp`) or as text (`<time> {job="audit"} <line>`).

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "loki",
    summary: "Grafana Loki: an answer of its API, or the output of logcli",
    recognises: |head| {
        let labels = head.prefix.split_once(' ').is_some_and(|(time, rest)| {
            crate::time::parse(time).is_some() && rest.starts_with('{') && rest.trim_end().ends_with('}')
        });
        let line = head.has("line") && head.has("labels") && head.has("timestamp");
        labels || line || head.has("data.result.values") || head.has("streams.values")
    },
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

/// Whether a list is a line with its time and its structured metadata, which Loki adds when it is asked to tell labels apart.
pub(super) fn is_entry(time: &str, line: &str, metadata: &str) -> bool {
    let digits = time.strip_prefix('"').and_then(|time| time.strip_suffix('"'));
    let is_time = digits.is_some_and(|digits| digits.len() >= 19 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    is_time && line.starts_with('"') && metadata.starts_with('{')
}

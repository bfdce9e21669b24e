//! What Fluentd's `out_file` writes: time, tag and record, with tabs between them.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "fluentd",
    summary: "Fluentd's out_file: time, tag and record, tab-separated",
    recognises: |head| head.prefix.ends_with('\t') && head.prefix.matches('\t').count() == 2,
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

//! What Docker's `json-file` driver writes when the API server logs to standard output:
//! `{"log":"…\n","stream":"stdout","time":"…"}`. Lines over 16 KiB are split, and only the last part ends with a line end.

use super::{Opener, Shape, framing};

pub(super) static SHAPE: Shape = Shape {
    name: "docker",
    summary: "Docker's json-file and fluentd drivers: lines in `log`, long ones split",
    recognises: |head| framing::docker_part(head.line.as_bytes()).is_some(),
    framing: Some(&framing::PARTS),
    opener: Opener::Nested,
    traces: &[],
};

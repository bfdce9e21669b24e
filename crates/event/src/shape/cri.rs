//! What containerd and CRI-O write when the API server logs to standard output:
//! `2026-11-21T20:37:37.365950123Z stdout F {…}`. Lines over 16 KiB are split.

use super::{Opener, Shape, framing};

pub(super) static SHAPE: Shape = Shape {
    name: "cri",
    summary: "containerd or CRI-O: `<time> stdout F <line>`, long lines split",
    recognises: |head| framing::cri_part(head.line.as_bytes()).is_some(),
    framing: Some(&framing::PARTS),
    opener: Opener::Nested,
    traces: &[],
};

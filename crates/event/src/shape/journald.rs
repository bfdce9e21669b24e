//! `journalctl -o json`: the event is the text `MESSAGE`.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "journald",
    summary: "journald: `journalctl -o json`",
    recognises: |head| {
        head.has("MESSAGE") && (head.has("__REALTIME_TIMESTAMP") || head.has("_BOOT_ID") || head.has("__CURSOR"))
    },
    framing: None,
    opener: Opener::Nested,
    traces: &[],
};

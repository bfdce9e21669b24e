//! `journalctl -o json`, and `-o export`, which is told as that (`framing::entries`): the event is the text `MESSAGE`, or a list of its bytes, as journalctl writes what is long or not all text.

use super::{Opener, Shape};
use crate::json;

pub(super) static SHAPE: Shape = Shape {
    name: "journald",
    summary: "journald: `journalctl -o json` or `-o export`",
    recognises: |head| {
        head.framing == "entries"
            || head.has("MESSAGE") && (head.has("__REALTIME_TIMESTAMP") || head.has("_BOOT_ID") || head.has("__CURSOR"))
    },
    framing: None,
    opener: Opener::Nested,
    // How an event begins as bytes, in newer and older versions: `{"kind":`.
    traces: &[b"[123,34,107,105,110,100,34,58,", b"[ 123, 34, 107, 105, 110, 100, 34, 58, "],
};

/// The text that a list of bytes is, if one stands under this name, and whether it was all text.
pub(super) fn message(name: &str, value: &str) -> Option<(String, bool)> {
    if name != "MESSAGE" || !value.starts_with('[') {
        return None;
    }
    let mut bytes = Some(Vec::new());
    json::elements(value, &mut |item| match (item.parse::<u8>(), bytes.as_mut()) {
        (Ok(byte), Some(bytes)) => bytes.push(byte),
        _ => bytes = None,
    })
    .ok()?;
    Some(match String::from_utf8(bytes?) {
        Ok(text) => (text, true),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), false),
    })
}

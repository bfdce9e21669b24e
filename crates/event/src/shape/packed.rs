//! Text that is packed, in base64, and is a record by itself: the payload of a message, as a queue or a function hands it over.
//!
//! What unpacks it are the openers of the shapes; here stands how it is told from other text, and what was printed with a
//! line end after so many letters.

use std::borrow::Cow;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;

use super::nested::Tears;
use super::search;
use super::{Opener, SHAPES, holds_trace};
use crate::json;
use crate::reject::Reason;
use crate::time;

/// How base64 of gzip begins: its magic number, and deflate, the only method there is.
pub(super) const GZIP: &str = "H4sI";

/// Unpacked bytes in which a trace of an event is looked for. What wraps an event is shorter.
const LOOKED_AT_BYTES: u64 = 64 * 1024;

/// What undoes it.
pub(super) type Unpack = fn(&str) -> Option<Result<String, Reason>>;

/// What the shapes that know of packed text make of it.
pub(super) fn openings(text: &str) -> impl Iterator<Item = (Unpack, Result<String, Reason>)> {
    SHAPES.iter().filter_map(move |shape| match shape.opener {
        Opener::Packed(magic, unpack) if text.starts_with(magic) => Some((unpack, unpack(text)?)),
        _ => None,
    })
}

/// Whether a text has letters of base64 only.
pub(super) fn is_base64(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte))
}

/// Whether a text begins as packed text does.
pub(super) fn begins(text: &[u8]) -> bool {
    let is_known = |opener: &Opener| matches!(opener, Opener::Packed(magic, _) if text.starts_with(magic.as_bytes()));
    SHAPES.iter().any(|shape| is_known(&shape.opener))
}

/// Bytes of a time, as it stands in front of a message, at most.
const MAX_TIME_BYTES: usize = 40;

/// A line without the time of the message that it is: who prints what a queue held puts it there.
fn without_time(line: &[u8]) -> &[u8] {
    let head = &line[..line.len().min(MAX_TIME_BYTES)];
    let Some(end) = head.iter().position(|byte| b" \t".contains(byte)) else { return line };
    let is_time = std::str::from_utf8(&head[..end]).is_ok_and(|text| time::parse(text).is_some());
    if is_time { line[end..].trim_ascii_start() } else { line }
}

/// What a record holds that is packed text and nothing else, in quotation marks or none, or behind a time; or why nothing of it
/// can be read.
pub(super) fn told(record: &str) -> Option<Result<String, Reason>> {
    let record = record.trim_start_matches('\u{feff}').trim_ascii();
    let record = std::str::from_utf8(without_time(record.as_bytes())).unwrap_or(record);
    let quoted = record.starts_with("\"H4sI").then(|| json::string(record)).flatten();
    let text = quoted.as_deref().unwrap_or(record);
    if !begins(text.as_bytes()) {
        return None;
    }
    let text = match text.contains(['\r', '\n']) {
        true => Cow::Owned(text.lines().map(str::trim_ascii).collect()),
        false => Cow::Borrowed(text),
    };
    if !is_base64(text.as_bytes()) {
        return None;
    }
    let (_, unpacked) = openings(&text).next()?;
    Some(unpacked.and_then(|unpacked| match search::of_unpacked(&unpacked, &Tears::default()).pieces() {
        pieces if !pieces.list.is_empty() => Ok(unpacked),
        pieces => Err(pieces.reason.unwrap_or(Reason::NotAuditEvent { missing: "audit event in this packed text" })),
    }))
}

/// Whether a source that begins so is base64 of gzip with a trace of an event in it.
pub(super) fn begins_with_trace(head: &[u8]) -> bool {
    let head = without_time(head.strip_prefix(super::BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start());
    let head = head.strip_prefix(b"\"").unwrap_or(head);
    if !head.starts_with(GZIP.as_bytes()) {
        return false;
    }
    let lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut text: Vec<u8> = lines.take_while(|line| is_base64(line)).flatten().copied().collect();
    if text.is_empty() {
        // One line, longer than what is known of it, or with its quotation mark.
        text = head.iter().copied().take_while(|byte| is_base64(&[*byte])).collect();
    }
    // A text ends behind `=`, and others may follow.
    text.split(|byte| *byte == b'=').any(|text| {
        let gzip = STANDARD.decode(&text[..text.len() / 4 * 4]).unwrap_or_default();
        let mut unpacked = Vec::new();
        // It is cut off, which is an error; what came before it counts.
        let _ = MultiGzDecoder::new(gzip.as_slice()).take(LOOKED_AT_BYTES).read_to_end(&mut unpacked);
        holds_trace(&unpacked)
    })
}

//! Manifests that are packed: gzip as base64 (Rancher's `objectset.rio.cattle.io/applied`, releases of Helm), JSON, YAML and PEM as base64.

use std::io::Read;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;

use super::text::run;

/// Shortest text that is taken for gzip as base64, in bytes.
const MIN_GZIP_BYTES: usize = 20;

/// Shortest text as base64 that can hold a Secret.
const MIN_TEXT_BYTES: usize = 32;

/// Longest content that is looked at: what is longer is taken for a secret.
const MAX_UNPACKED_BYTES: u64 = 16 * 1024 * 1024;

pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte)
}

/// What base64 in any of its forms stands for.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let bare = text.iter().rposition(|byte| *byte != b'=').map_or(&text[..0], |at| &text[..=at]);
    let decoded = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(bare));
    decoded.or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok()
}

/// Whether what was packed may hold values of a Secret.
fn holds_secret(content: &[u8]) -> bool {
    ["Secret", "\"stringData\"", "stringData:", "PRIVATE KEY"]
        .iter()
        .any(|word| memmem::find(content, word.as_bytes()).is_some())
}

/// A text of gzip as base64, unless it can be read and holds no Secret.
pub(super) fn gzip_with_secret(text: &[u8], start: usize) -> Option<Range<usize>> {
    let end = run(text, start, is_base64);
    if end - start < MIN_GZIP_BYTES {
        return None;
    }
    let mut content = Vec::new();
    let read = decode(&text[start..end]).map(|packed| {
        flate2::read::MultiGzDecoder::new(packed.as_slice()).take(MAX_UNPACKED_BYTES).read_to_end(&mut content)
    });
    let is_whole = matches!(read, Some(Ok(length)) if (length as u64) < MAX_UNPACKED_BYTES);
    (!is_whole || holds_secret(&content)).then_some(start..end)
}

/// What tells that a manifest, a kubeconfig or PEM holds secret values.
const SECRETS: [&[u8]; 9] = [
    b"\"Secret\"",
    b"\"stringData\"",
    b"kind: Secret",
    b"stringData:",
    b"client-key-data",
    b"PRIVATE KEY-",
    b" token:",
    b" password:",
    b" id-token:",
];

/// A text of JSON, YAML or PEM as base64 that holds a secret.
pub(super) fn text_with_secret(text: &[u8], start: usize) -> Option<Range<usize>> {
    let end = run(text, start, is_base64);
    if end - start < MIN_TEXT_BYTES {
        return None;
    }
    // A text that is torn is read as far as it goes.
    let length = (end - start) / 4 * 4;
    let content = decode(&text[start..end]).or_else(|| decode(&text[start..start + length]))?;
    SECRETS.iter().any(|word| memmem::find(&content, word).is_some()).then_some(start..end)
}

//! Text with bytes in it that are no UTF-8.
//!
//! A client can send such bytes in the body of a PATCH, which the server writes into the log as they came, and carries out. So a
//! record is not given up for them: each is read as a question mark, so that all else stands where it stood, and the events are
//! marked. The server itself writes nothing else that is not UTF-8; where there is more of it, a collector changed the text.

use std::borrow::Cow;

use super::search::Mark;
use crate::salvage::NOT_UTF8;

/// The text, and the mark of what is read from it.
pub(super) fn readable(bytes: &[u8]) -> (Cow<'_, str>, Mark) {
    let (mut text, mut is_whole) = (String::new(), true);
    for chunk in bytes.utf8_chunks() {
        if is_whole && chunk.valid().len() == bytes.len() {
            return (Cow::Borrowed(chunk.valid()), None);
        }
        is_whole = false;
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    let mark = (!is_whole).then_some(NOT_UTF8);
    (Cow::Owned(text), mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_keeps_its_place() {
        assert!(matches!(readable("é".as_bytes()), (Cow::Borrowed("é"), None)));
        assert_eq!(readable(b""), (Cow::Borrowed(""), None));
        for (bytes, text) in [(b"a\xffb\xc3".as_slice(), "a?b?"), (b"\xe2\x82x", "??x"), (b"\xed\xa0\x80", "???")] {
            assert_eq!(readable(bytes), (Cow::Owned(text.to_owned()), Some(NOT_UTF8)));
        }
    }
}

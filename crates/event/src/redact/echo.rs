//! What a server quotes of a body in its message: `error found in #10 byte of ...|…|..., bigger context ...|…|...`,
//! `Invalid value: "…"`.

use std::borrow::Cow;

use super::{About, Edit, Redactor, apply, into_text};

/// What stands in front of a value that is quoted.
const INVALID: &[u8] = b"nvalid value: ";

impl Redactor {
    /// Finds what a message about a Secret quotes of its body, in order.
    pub(super) fn echoes(&self, text: &[u8]) -> Vec<Edit> {
        let mut edits: Vec<Edit> = Vec::new();
        if let Some(start) = memchr::memmem::find(text, b"...|") {
            let start = start + b"...|".len();
            // To the last of the marks: the message quotes twice, the second time more.
            let end = memchr::memmem::rfind(&text[start..], b"|...").map_or(text.len(), |at| start + at);
            let end = end.min(start + ends(&text[start..]));
            if end > start && !text[start..].starts_with(super::REDACTED.as_bytes()) {
                let with = self.value(&text[start..end]).into_bytes();
                edits.push(Edit { at: start..end, with, values: 1 });
            }
        }
        for at in memchr::memmem::find_iter(text, INVALID) {
            let start = at + INVALID.len();
            let quotes = text[start..].iter().take_while(|byte| matches!(byte, b'"' | b'\\')).count();
            let inner = start + quotes;
            let quote = &text[start..inner];
            let length = if quotes == 0 { None } else { memchr::memmem::find(&text[inner..], quote) };
            let end = length.map_or(text.len(), |length| inner + length);
            let is_new = edits.last().is_none_or(|last| last.at.end <= inner);
            if quotes > 0 && end > inner && is_new && !text[inner..].starts_with(super::REDACTED.as_bytes()) {
                let with = self.value(&text[inner..end]).into_bytes();
                edits.push(Edit { at: inner..end, with, values: 1 });
            }
        }
        edits.sort_by_key(|edit| edit.at.start);
        edits
    }

    /// Replaces what a message quotes, and a manifest in it.
    pub(super) fn message(&self, message: &mut Cow<'_, str>, about: About) -> u32 {
        let text = message.as_bytes();
        let echoes = if about == About::Secrets { self.echoes(text) } else { Vec::new() };
        let (echoed, echoes) = apply(text, echoes);
        let is_manifest = memchr::memmem::find(&echoed, b"Secret").is_some();
        let foreign = if is_manifest { self.foreign(&echoed, about) } else { Vec::new() };
        let (redacted, others) = apply(&echoed, foreign);
        if echoes + others > 0 {
            let redacted = into_text(redacted.into_owned());
            *message = Cow::Owned(redacted);
        }
        echoes + others
    }
}

/// Where a JSON string ends that a text is the rest of, in a record that is no event.
fn ends(text: &[u8]) -> usize {
    memchr::memmem::find(text, b"\",\"").unwrap_or(text.len())
}

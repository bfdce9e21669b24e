//! What a server quotes of a body in its message: `error found in #10 byte of ...|…|..., bigger context ...|…|...`,
//! `Invalid value: "…"`, and without quotation marks.

use std::borrow::Cow;

use super::{About, Edit, Redactor, apply, into_text};

/// What stands in front of a value that is quoted.
const VALUE: &[u8] = b" value: ";

/// What is said of it, in front of that.
const SAID: [&[u8]; 3] = [b"nvalid", b"nsupported", b"uplicate"];

/// Longest value without quotation marks that is a number or a word, and no secret.
const MAX_PLAIN_BYTES: usize = 5;

impl Redactor {
    /// Finds what a message about a Secret quotes of its body, in order: in the message itself, or in a text that it may stand in.
    pub(super) fn echoes(&self, text: &[u8], is_message: bool) -> Vec<Edit> {
        let mut edits: Vec<Edit> = Vec::new();
        if let Some(start) = memchr::memmem::find(text, b"...|") {
            let start = start + b"...|".len();
            // To the last of the marks: the message quotes twice, the second time more.
            let end = memchr::memmem::rfind(&text[start..], b"|...").map_or(text.len(), |at| start + at);
            let end = if is_message { end } else { end.min(start + ends(&text[start..], &text[..start])) };
            if end > start && !text[start..].starts_with(super::REDACTED.as_bytes()) {
                let with = self.value(&text[start..end]).into_bytes();
                edits.push(Edit { at: start..end, with, values: 1 });
            }
        }
        for at in memchr::memmem::find_iter(text, VALUE) {
            if !SAID.iter().any(|said| text[..at].ends_with(said)) {
                continue;
            }
            let start = at + VALUE.len();
            let escapes = text[start..].iter().take_while(|byte| **byte == b'\\').count();
            let is_quoted = text.get(start + escapes) == Some(&b'"');
            let inner = if is_quoted { start + escapes + 1 } else { start };
            // What was quoted before goes on behind it: nothing is looked at twice.
            if edits.last().is_some_and(|last| last.at.end > inner) {
                continue;
            }
            let end = match is_quoted {
                true => inner + quotation_ends(&text[inner..], escapes).unwrap_or(text.len() - inner),
                // Nothing says where it ends.
                false if is_plain(&text[inner..]) => continue,
                false if is_message => text.len(),
                false => inner + string_ends(&text[inner..], &text[..inner]),
            };
            if end > inner && !text[inner..].starts_with(super::REDACTED.as_bytes()) {
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
        let echoes = if about == About::Secrets { self.echoes(text, true) } else { Vec::new() };
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

/// Where the quotation ends whose first quotation mark has so many backslashes in front of it: at the first mark of the same depth, or of
/// a lesser one. What is quoted in it has more, and a backslash in front of its end is doubled.
fn quotation_ends(text: &[u8], escapes: usize) -> Option<usize> {
    memchr::memchr_iter(b'"', text).find_map(|at| {
        let before = text[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        let more = before.checked_sub(escapes);
        more.is_none_or(|more| more % (2 * (escapes + 1)) == 0).then(|| at - before.min(escapes))
    })
}

/// Whether a value without quotation marks is a number or a short word, such as `true`, with what is wrong with it behind it.
fn is_plain(text: &[u8]) -> bool {
    let word = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')).count();
    (1..=MAX_PLAIN_BYTES).contains(&word) && text[word..].starts_with(b": ")
}

/// Where the string ends that a place is in, in a text that may be JSON, or JSON in JSON.
fn string_ends(text: &[u8], before: &[u8]) -> usize {
    let opens = memchr::memrchr_iter(b'"', before).find_map(|quote| {
        let escapes = before[..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
        before[..quote - escapes].trim_ascii_end().ends_with(b":").then_some(escapes)
    });
    opens.and_then(|escapes| quotation_ends(text, escapes)).unwrap_or(text.len())
}

/// Where a message ends that began `before`, in a text that may be JSON with the message as a string in it. There all quotation marks in
/// the message are escaped, and behind its end something else of the record stands; where it is no JSON, nothing says where it ends.
fn ends(text: &[u8], before: &[u8]) -> usize {
    let Some(mark) = memchr::memchr(b'"', text) else { return text.len() };
    let is_escaped = mark > 0 && text[mark - 1] == b'\\';
    let is_member = memchr::memmem::find(before, b"\":").is_some();
    if is_escaped || is_member { quotation_ends(text, 0).unwrap_or(text.len()) } else { text.len() }
}

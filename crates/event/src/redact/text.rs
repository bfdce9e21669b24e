//! Credentials in text that has no structure: tokens, and what headers and query strings say they are.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{Edit, Redactor};

/// What a credential can be recognised by, without the letters whose case varies: JSON Web Tokens, headers,
/// query parameters. Their order is that of the arms in [`credential`].
const SIGNS: [&str; 11] = [
    "eyJ",
    "earer",
    "EARER",
    "uthorization",
    "UTHORIZATION",
    "oken=",
    "OKEN=",
    "ecret=",
    "assword=",
    "pi_key=",
    "pikey=",
];

/// Shortest text that can hold a credential, with its sign: `?token=x`.
pub(super) const MIN_BYTES: usize = 8;

/// Shortest text behind `Bearer` that is a token and not the next word of a sentence, when it has a digit in it.
const MIN_TOKEN_BYTES: usize = 8;

/// The same without a digit.
const MIN_WORD_BYTES: usize = 24;

/// Finds all signs at once. No sign is a part of another, so the kind of match changes nothing but the speed: only the search
/// for leftmost matches looks at 16 bytes in one step.
pub(super) fn signs() -> AhoCorasick {
    match AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(SIGNS) {
        Ok(signs) => signs,
        Err(error) => unreachable!("a few short words can be searched for: {error}"),
    }
}

impl Redactor {
    /// Finds credentials, in order.
    pub(super) fn in_text(&self, text: &[u8]) -> Vec<Edit> {
        let found = self.signs.find_iter(text);
        let mut found: Vec<Range<usize>> =
            found.filter_map(|sign| credential(text, sign.pattern().as_usize(), sign.range())).collect();
        found.sort_by_key(|range| (range.start, range.end));
        let mut edits: Vec<Edit> = Vec::new();
        for at in found {
            if edits.last().is_none_or(|last| last.at.end <= at.start) {
                edits.push(Edit { with: self.value(&text[at.clone()]).into_bytes(), at, values: 1 });
            }
        }
        edits
    }
}

/// Shortest text that is taken for packed, in bytes.
const MIN_PACKED_BYTES: usize = 32;

impl Redactor {
    /// Finds texts that are base64 of gzip, in order: nobody has looked for secrets in them.
    pub(super) fn packed(&self, text: &[u8]) -> Vec<Edit> {
        let mut edits: Vec<Edit> = Vec::new();
        // The magic number of gzip and its only method, in base64.
        for start in memchr::memmem::find_iter(text, b"H4sI") {
            let end = run(text, start, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
            let is_new = edits.last().is_none_or(|last| last.at.end <= start);
            if is_new && end - start >= MIN_PACKED_BYTES {
                let with = self.value(&text[start..end]).into_bytes();
                edits.push(Edit { at: start..end, with, values: 1 });
            }
        }
        edits
    }
}

/// The credential that the sign at `at` announces.
fn credential(text: &[u8], sign: usize, at: Range<usize>) -> Option<Range<usize>> {
    match sign {
        0 => json_web_token(text, at.start),
        1 | 2 => behind_bearer(text, at.end),
        3 | 4 => behind_basic(text, at.end),
        _ => parameter(text, at),
    }
}

/// Where the bytes that are so, from `from` on, end.
fn run(text: &[u8], from: usize, is: impl Fn(u8) -> bool) -> usize {
    text[from..].iter().position(|byte| !is(*byte)).map_or(text.len(), |length| from + length)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// `token68` of RFC 9110.
fn is_token(byte: u8) -> bool {
    is_base64url(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'=')
}

/// Where a token begins that seems to begin at `start`: of `\u002eyJ` in JSON the `e` belongs to an escape, which is taken
/// as a whole. Behind a backslash that is itself escaped the same letters are no escape.
fn outside_of_escape(text: &[u8], start: usize) -> usize {
    let Some(backslash) = start.checked_sub(5) else { return start };
    let [b'\\', b'u', digits @ ..] = &text[backslash..start] else { return start };
    let backslashes = text[..=backslash].iter().rev().take_while(|byte| **byte == b'\\').count();
    if digits.iter().all(u8::is_ascii_hexdigit) && backslashes % 2 == 1 { backslash } else { start }
}

/// Two parts that are base64 of `{"`, and the signature if there is one.
fn json_web_token(text: &[u8], start: usize) -> Option<Range<usize>> {
    let header = run(text, start, is_base64url);
    if !text[header..].starts_with(b".eyJ") {
        return None;
    }
    let claims = run(text, header + 1, is_base64url);
    let end = if text.get(claims) == Some(&b'.') { run(text, claims + 1, is_base64url) } else { claims };
    Some(outside_of_escape(text, start)..end)
}

/// The token behind `Bearer`, which may be encoded for a URI.
fn behind_bearer(text: &[u8], from: usize) -> Option<Range<usize>> {
    let start = behind_blanks(text, from);
    let end = run(text, start, is_token);
    let token = &text[start..end];
    let shortest = if token.iter().any(u8::is_ascii_digit) { MIN_TOKEN_BYTES } else { MIN_WORD_BYTES };
    (start > from && token.len() >= shortest).then_some(start..end)
}

/// The credentials of `Authorization: Basic …`, written as text, as JSON or in a URI.
fn behind_basic(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut start = from;
    while let Some(byte) = text.get(start) {
        match byte {
            b':' | b'=' | b'"' | b'\\' | b'[' | b' ' | b'+' => start += 1,
            b'%' if text[start..].starts_with(b"%3A") || text[start..].starts_with(b"%20") => start += 3,
            _ => break,
        }
    }
    let scheme = text.get(start..start + 5)?;
    let begin = behind_blanks(text, start + 5);
    let end = run(text, begin, is_token);
    (scheme.eq_ignore_ascii_case(b"basic") && begin > start + 5 && end > begin).then_some(begin..end)
}

/// Behind blanks as text and URIs write them.
fn behind_blanks(text: &[u8], mut at: usize) -> usize {
    loop {
        match &text[at..] {
            [b' ' | b'+', ..] => at += 1,
            rest if rest.starts_with(b"%20") || rest.starts_with(b"%2B") => at += 3,
            _ => return at,
        }
    }
}

/// The value of a query parameter whose name ends as `sign` does, such as `access_token=`.
fn parameter(text: &[u8], sign: Range<usize>) -> Option<Range<usize>> {
    let name = text[..sign.start].iter().rposition(|byte| !is_base64url(*byte)).map_or(0, |before| before + 1);
    let before = &text[..name];
    // `&` is `\u0026` in JSON that the API server writes, which looks like a part of the name.
    let begins = before.ends_with(b"?") || before.ends_with(b"&") || text[..sign.start].ends_with(b"\\u0026");
    let begins = begins || (before.ends_with(b"\\") && text[name..].starts_with(b"u0026"));
    let end = run(text, sign.end, |byte| byte > b' ' && !b"&\"\\#'<>".contains(&byte));
    (begins && end > sign.end).then_some(sign.end..end)
}

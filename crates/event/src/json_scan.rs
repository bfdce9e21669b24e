//! Walking over JSON text without building anything: where strings and values end, and that they are valid.
//!
//! What is accepted is what `serde_json` accepts when it skips a value: the grammar of RFC 8259, escapes included, but
//! not whether two of them make a pair. What goes deeper than [`MAX_DEPTH`] is not looked at.

/// Objects and arrays in one another: a bit for each.
const MAX_DEPTH: u32 = 120;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Where the plain part of a string that begins at `at` ends: at a quote, a backslash, a control character, or the end.
pub(crate) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    // Eight bytes at once: subtracting borrows into the high bit of the first byte that is too small. Bits above it can be
    // wrong, so only the lowest counts.
    while let Some(block) = bytes.get(at..at + 8).and_then(|block| <[u8; 8]>::try_from(block).ok()) {
        let word = u64::from_le_bytes(block);
        let (quote, backslash) = (word ^ (ONES * 0x22), word ^ (ONES * 0x5c));
        let small = word.wrapping_sub(ONES * 0x20) & !word;
        let special = small | (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash);
        let special = special & HIGHS;
        if special != 0 {
            return at + (special.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    bytes[at..].iter().position(is_special).map_or(bytes.len(), |found| at + found)
}

/// Behind the closing quote of the string whose text begins at `at`, and whether it holds escapes.
pub(crate) fn string_end(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut escapes = false;
    loop {
        at = plain_end(bytes, at);
        match bytes.get(at)? {
            b'"' => return Some((at + 1, escapes)),
            b'\\' => match bytes.get(at + 1)? {
                b'u' => {
                    let digits = bytes.get(at + 2..at + 6)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    at += 6;
                }
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                _ => return None,
            },
            _ => return None,
        }
        escapes = true;
    }
}

/// Appends the text of a string that stands between quotation marks as `content`; `None` where it has an escape that the server
/// does not write: half of a surrogate pair, and what is none. `out` may then have a part of it.
///
/// Each decision of RBAC gives a reason full of quotation marks: with `serde_json`, which makes a `String` of each, that took 3.5 %
/// of an ingest.
pub(crate) fn unescape(mut content: &[u8], out: &mut Vec<u8>) -> Option<()> {
    // No escape is shorter than what it stands for.
    out.reserve(content.len());
    while let Some(plain) = memchr::memchr(b'\\', content) {
        out.extend_from_slice(&content[..plain]);
        let (letter, rest) = content.get(plain + 1..)?.split_first()?;
        content = rest;
        out.push(match letter {
            b'"' | b'\\' | b'/' => *letter,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (digits, rest) = content.split_at_checked(4)?;
                let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
                let letter = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
                content = rest;
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return None,
        });
    }
    out.extend_from_slice(content);
    Some(())
}

/// Behind the value that begins at `at`.
pub(crate) fn value_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    // The innermost object or array is the lowest bit: 1 for an object.
    let (mut open, mut depth) = (0_u128, 0);
    loop {
        match bytes.get(at)? {
            opening @ (b'{' | b'[') => {
                let is_object = *opening == b'{';
                at = blank_end(bytes, at + 1);
                if bytes.get(at)? != &(if is_object { b'}' } else { b']' }) {
                    if depth == MAX_DEPTH {
                        return None;
                    }
                    (open, depth) = (open << 1 | u128::from(is_object), depth + 1);
                    if is_object {
                        at = key_end(bytes, at)?;
                    }
                    continue;
                }
                at += 1;
            }
            b'"' => at = string_end(bytes, at + 1)?.0,
            b't' => at = literal_end(bytes, at, b"true")?,
            b'f' => at = literal_end(bytes, at, b"false")?,
            b'n' => at = literal_end(bytes, at, b"null")?,
            _ => at = number_end(bytes, at)?,
        }
        loop {
            if depth == 0 {
                return Some(at);
            }
            at = blank_end(bytes, at);
            match (bytes.get(at)?, open & 1) {
                (b',', 1) => {
                    at = key_end(bytes, blank_end(bytes, at + 1))?;
                    break;
                }
                (b',', _) => {
                    at = blank_end(bytes, at + 1);
                    break;
                }
                (b'}', 1) | (b']', 0) => (open, depth, at) = (open >> 1, depth - 1, at + 1),
                _ => return None,
            }
        }
    }
}

/// Where a value begins, behind the key at `at`.
fn key_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at)? != &b'"' {
        return None;
    }
    let colon = blank_end(bytes, string_end(bytes, at + 1)?.0);
    (bytes.get(colon)? == &b':').then(|| blank_end(bytes, colon + 1))
}

fn blank_end(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

fn literal_end(bytes: &[u8], at: usize, literal: &[u8]) -> Option<usize> {
    bytes[at..].starts_with(literal).then_some(at + literal.len())
}

fn digits_end(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then_some(at + digits)
}

fn number_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at)? == &b'-' {
        at += 1;
    }
    at = if bytes.get(at)? == &b'0' { at + 1 } else { digits_end(bytes, at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits_end(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        at = digits_end(bytes, at)?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agrees(text: &str) {
        let ours = value_end(text.as_bytes(), 0).is_some_and(|end| end == text.len());
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok_and(|raw| raw.get() == text);
        assert_eq!(ours, theirs, "{text}");
    }

    #[test]
    fn what_is_valid_is_what_serde_says() {
        for text in [
            "{}",
            "[]",
            "[1,]",
            "{\"a\":}",
            "{\"a\" : [ 1 , -0.5e+7 ] }",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e999",
            "nul",
            "null",
            "true",
            "falsee",
            "\"\\ud800\"",
            "\"\\u12g4\"",
            "\"a\\x\"",
            "\"\u{7f}é\u{1f600}\"",
            "\"\t\"",
            "[[{}],{\"\":\"\"}]",
            "{\"a\":1,}",
            "{,}",
            "[1 2]",
            "{\"a\" 1}",
            "{1:2}",
            "\"",
            "",
            "{\"a\":1}}",
            "[{]}",
            "-01",
            "1.5E-3",
        ] {
            agrees(text);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_read_otherwise_than_by_serde(text in "[\\[\\]{}\",:\\\\ua0-9e.+ \\-tn\u{1}é]{0,40}") {
            agrees(&text);
        }
    }

    /// What is between the quotation marks, unescaped.
    fn unescaped(content: &str) -> Option<String> {
        let mut out = b"before ".to_vec();
        unescape(content.as_bytes(), &mut out)?;
        Some(String::from_utf8(out).unwrap().strip_prefix("before ").unwrap().to_owned())
    }

    #[test]
    fn every_escape_is_undone() {
        let all = r#"a\u0026b\"\\\/\b\f\n\r\t\u003C\u2028\u00e9 é"#;
        assert_eq!(unescaped(all).unwrap(), "a&b\"\\/\u{8}\u{c}\n\r\t<\u{2028}é é");
        for bad in [r"\ud83d\ude00", r"\ud800", r"\u12", r"\u+123", r"\x", "\\"] {
            assert_eq!(unescaped(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn texts_are_those_of_serde(content in "([a-zé/]|\\\\[\\\\\"/bfnrtu]|\\\\u[0-9a-fA-F]{4}|\\\\u00[0-9a-f]{2}){0,12}") {
            let theirs = serde_json::from_str::<String>(&format!("\"{content}\"")).ok();
            match unescaped(&content) {
                Some(ours) => prop_assert_eq!(Some(ours), theirs),
                // What is left to serde: surrogates, and what is no escape.
                None => prop_assert!(theirs.is_none_or(|text| text.chars().any(|letter| letter as u32 > 0xffff))),
            }
        }
    }

    #[test]
    fn depth_has_a_limit() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(value_end(deep(120).as_bytes(), 0), Some(240));
        assert_eq!(value_end(deep(200_000).as_bytes(), 0), None);
    }
}

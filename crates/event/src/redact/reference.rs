//! What stands where a secret would, and is none: the name of a variable that holds it. `password=${PASSWORD}`, `$(TOKEN)`,
//! `{{ .Values.password }}`.
//!
//! Only a value that is nothing else counts. With a default (`${X:-hunter2}`), with text around it (`${X}hunter2`) or with a
//! command in it (`$(echo hunter2)`) it can be the secret itself.

/// Longest reference that is looked at, in bytes.
const MAX_BYTES: usize = 200;

/// What may stand between two references.
const BETWEEN: &[u8] = b":/@._-";

/// Where a value ends that begins at `start`, when `ends` tells which bytes end one: brackets of references in it do not.
pub(super) fn end_of_value(text: &[u8], start: usize, ends: impl Fn(&[u8]) -> bool) -> usize {
    let mut at = start;
    while at < text.len() {
        let rest = &text[at..text.len().min(at + MAX_BYTES)];
        let close: Option<&[u8]> = match rest {
            [b'$', b'{', ..] => Some(b"}"),
            [b'$', b'(', ..] => Some(b")"),
            [b'{', b'{', ..] => Some(b"}}"),
            _ => None,
        };
        let inner = close.and_then(|close| Some(memchr::memmem::find(rest, close)? + close.len()));
        match inner.filter(|length| !rest[..*length].iter().any(|byte| b"\"'\\\n".contains(byte))) {
            Some(length) => at += length,
            None if ends(&text[at..]) => return at,
            None => at += 1,
        }
    }
    text.len()
}

/// Whether the value at `start` consists of references: behind the last of them it ends.
pub(super) fn is_value(text: &[u8], start: usize) -> bool {
    let text = &text[start..text.len().min(start + MAX_BYTES)];
    let Some(mut end) = reference(text) else { return false };
    loop {
        let rest = &text[end..];
        if ends_value(rest) {
            return true;
        }
        let between = usize::from(BETWEEN.contains(&rest[0]));
        match reference(&rest[between..]) {
            Some(length) => end += between + length,
            None => return false,
        }
    }
}

fn ends_value(rest: &[u8]) -> bool {
    rest.first().is_none_or(|byte| *byte <= b' ' || b"\"'\\,;&)]|#<>`".contains(byte))
}

/// The length of the reference that a text begins with.
fn reference(text: &[u8]) -> Option<usize> {
    let name = |from: usize| {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = text[from..].iter().take_while(|byte| is_name(byte)).count();
        let begins = text.get(from).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
        begins.then_some(from + length)
    };
    match text {
        [b'$', b'{', ..] => name(2).filter(|end| text.get(*end) == Some(&b'}')).map(|end| end + 1),
        [b'$', b'(', ..] => name(2).filter(|end| text.get(*end) == Some(&b')')).map(|end| end + 1),
        // Without brackets only a variable of an environment is told from a password with a dollar in it.
        [b'$', ..] => name(1).filter(|end| !text[1..*end].iter().any(u8::is_ascii_lowercase) && *end > 3),
        [b'{', b'{', ..] => template(text),
        _ => None,
    }
}

/// An expression of a template without a literal: fields, variables, functions in a pipe.
fn template(text: &[u8]) -> Option<usize> {
    let end = memchr::memmem::find(text, b"}}")?;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.$| -".contains(byte);
    let inner = &text[2..end];
    // A number is a literal.
    let mut words = inner.split(|byte| b" |".contains(byte)).map(|word| word.strip_prefix(b"-").unwrap_or(word));
    let is_names = words.all(|word| !word.first().is_some_and(u8::is_ascii_digit));
    let is_some = inner.iter().any(u8::is_ascii_alphabetic);
    (is_some && is_names && inner.iter().all(is_part)).then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_value_that_is_nothing_but_references_is_none() {
        for reference in [
            "${PASSWORD}",
            "${password}",
            "$(DB_PASSWORD)",
            "$PASSWORD",
            "{{ .Values.password }}",
            "{{.x}}",
            "{{- $secret | b64enc -}}",
            "{{ db_password }}",
            "${USER}:${PASSWORD}",
            "${A}${B}\"",
            "${PASSWORD}&x=1",
        ] {
            assert!(is_value(reference.as_bytes(), 0), "{reference}");
        }
        for secret in [
            "",
            "$",
            "${}",
            "${x}realsecret",
            "realsecret${x}",
            "${x:-realsecret}",
            "${x}:realsecret",
            "${x}-",
            "$(echo realsecret)",
            "$(realsecret",
            "$realsecret1",
            "$2y$10$abcdefghijklmnop",
            "$A",
            "{{ \"realsecret\" }}",
            "{{ 12345678 }}",
            "{{ .x }}realsecret",
            "{{ }}",
            "{{ .x",
            "{realsecret}",
        ] {
            assert!(!is_value(secret.as_bytes(), 0), "{secret}");
        }
        let end = |text: &str| end_of_value(text.as_bytes(), 0, |rest| b" }),".contains(&rest[0]));
        assert_eq!((end("${x}y, z"), end("$(a b)c)"), end("{{ .x }} y"), end("x} y"), end("${x")), (5, 7, 8, 1, 3));
    }
}

//! Lines that are no JSON, and hold it in quotation marks of their own: an `INSERT` of SQL, as `mysqldump`, `pg_dump --inserts` and
//! SQLite's `.dump` write them, logfmt (`time=… level=info msg="{\"kind\":…}"`), a text as Python prints it, and what TOML assigns.
//!
//! Each is told as JSON as a whole or not at all. Such a line can stand in the log of any program, with text of a client in it, so
//! what is found in one is marked.

use super::sql::rows;
use crate::json;
use crate::literal;

/// Most members of one line.
const MAX_MEMBERS: usize = 2_000;

/// What a line tells, as JSON: an object, or the rows of a statement as a list of them.
pub(super) fn told(line: &str, holds_event: impl Fn(&str) -> bool) -> Option<String> {
    let line = line.trim_ascii();
    let told = |json: Option<String>| json.filter(|json| holds_event(json));
    // Standard SQL doubles an apostrophe and nothing else; MySQL and `E'…'` escape by backslashes. JSON is JSON in one of them only.
    told(rows(line, false))
        .or_else(|| told(rows(line, true)))
        .or_else(|| told(logfmt(line)))
        .or_else(|| told(text(line)))
        .or_else(|| told(assigned(line)))
}

/// A line in which every quotation mark of a text, and every byte that is no plain letter, is written as `\x22`, as nginx does in its
/// logs: JSON as a whole, or texts of it.
pub(super) fn hexadecimal(line: &str) -> Option<String> {
    let is_all = line.starts_with(r"{\x22") || line.starts_with(r"[{\x22");
    if !(is_all || line.starts_with('{') && line.contains(r"\x22")) {
        return None;
    }
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let byte = rest.get(at + 2..at + 4).filter(|_| rest[at..].starts_with(r"\x"));
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte @ (b'"' | b'\\')) if !is_all => out.extend_from_slice(&[b'\\', byte]),
            Some(byte @ ..0x20) if !is_all => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            Some(byte) => out.push(byte),
            // Beside it stand escapes of JSON itself.
            None if !is_all => {
                out.extend_from_slice(rest.get(at..at + 2)?.as_bytes());
                rest = &rest[at + 2..];
                continue;
            }
            None => return None,
        }
        rest = &rest[at + 4..];
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).ok()
}

/// What a text in quotation marks stands for, which can be all of a line: `'{"kind":"Event"}'`, `b'{"kind":"Event"}'`.
fn text(line: &str) -> Option<String> {
    let bytes = line.strip_prefix('b');
    let text = bytes.unwrap_or(line);
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inner = text[1..].strip_suffix(quote)?;
    // Bytes are not letters.
    let is_plain = !(bytes.is_some() && inner.contains("\\x"));
    (is_plain && text_end(&text[1..], quote) == Some(inner.len())).then(|| literal::unescaped(inner)).flatten()
}

/// The one member of a line such as `message = "{\"kind\":\"Event\"}"`.
fn assigned(line: &str) -> Option<String> {
    let (name, value) = line.split_once(" = ")?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-\"".contains(&byte));
    let value = text(value).filter(|_| is_name && value.starts_with('"'))?;
    let mut out = String::from("{");
    json::push_string(&mut out, name.trim_matches('"'));
    out.push(':');
    json::push_string(&mut out, &value);
    out.push('}');
    Some(out)
}

/// The members of a line of logfmt as an object; `None` when a name comes twice, because a value that was not escaped may have written it.
fn logfmt(line: &str) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut out = String::from("{");
    let mut rest = line;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || "_.-@/".contains(letter)))?;
        let name = &rest[..end];
        let behind = rest[end..].strip_prefix('=').filter(|_| !name.is_empty() && names.len() < MAX_MEMBERS)?;
        if names.contains(&name) {
            return None;
        }
        if !names.is_empty() {
            out.push(',');
        }
        names.push(name);
        json::push_string(&mut out, name);
        out.push(':');
        let behind = match behind.strip_prefix('"') {
            Some(quoted) => {
                let end = text_end(quoted, '"')?;
                json::push_string(&mut out, &literal::unescaped(&quoted[..end])?);
                &quoted[end + 1..]
            }
            None => {
                let end = behind.find(' ').unwrap_or(behind.len());
                if behind[..end].contains(['"', '=', '{']) {
                    return None;
                }
                json::push_string(&mut out, &behind[..end]);
                &behind[end..]
            }
        };
        if !(behind.is_empty() || behind.starts_with(' ')) {
            return None;
        }
        rest = behind.trim_start_matches(' ');
    }
    out.push('}');
    (names.len() > 1).then_some(out)
}

/// Where the quotation mark stands that ends a text.
fn text_end(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, letter)| {
        let is_end = letter == quote && !escaped;
        escaped = letter == '\\' && !escaped;
        is_end.then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_logfmt_are_told_as_an_object() {
        let line = r#"time=2026-11-21T20:37:37Z level=info msg="{\"a\":\"\u00fc\\n\"}" k8s.pod="x y" empty="" n="#;
        let expected = r#"{"time":"2026-11-21T20:37:37Z","level":"info","msg":"{\"a\":\"ü\\n\"}","k8s.pod":"x y","empty":"","n":""}"#;
        assert_eq!(logfmt(line).as_deref(), Some(expected));
        for none in
            ["a=1", "a=1 a=2", "a=1 b", "a=1 b=\"x", "a=1 b=\"x\"y", "a=1 b={\"x\":1}", "{\"a\":1}", "=1 a=1", ""]
        {
            assert_eq!(logfmt(none), None, "{none}");
        }
    }

    #[test]
    fn texts_are_told_as_what_they_stand_for() {
        assert_eq!(text(r#"'{"a":"it\'s \\"x\\""}'"#).unwrap(), r#"{"a":"it's \"x\""}"#);
        assert_eq!(text(r#"b'{"a":1}'"#).unwrap(), r#"{"a":1}"#);
        assert_eq!(assigned(r#"message = "{\"a\":1}""#).unwrap(), r#"{"message":"{\"a\":1}"}"#);
        for none in ["'a' 'b'", "'a", r"b'\xe2'", "x", "", "'"] {
            assert_eq!(text(none), None, "{none}");
        }
        assert_eq!(assigned("x y = \"a\""), None);
        assert_eq!(hexadecimal(r"{\x22a\x22:\x22\xC3\xBC\x5C\x22\x22}").unwrap(), r#"{"a":"ü\""}"#);
        assert_eq!(hexadecimal(r#"{"a":"\x22\x5C\x0A\xC3\xBC\n"}"#).unwrap(), r#"{"a":"\"\\\u000aü\n"}"#);
        for none in [r"{\x22a\x22:\n}", r"{\x22a\xZZ", r"x \x22", r"{\x22\xC3"] {
            assert_eq!(hexadecimal(none), None, "{none}");
        }
    }
}

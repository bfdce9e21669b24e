//! Credentials in URIs: parameters whose names say so, under any percent-encoding; user and password in front of a host;
//! arguments of commands.

use std::borrow::Cow;
use std::ops::Range;

use super::named::is_credential_name;
use super::reference;

/// Names of parameters, beside those that end as [`is_credential_name`] says, without `-`, `_` and `.`. None of the API server's
/// own is among them.
const PARAMETERS: [&str; 15] = [
    "sig",
    "signature",
    "xamzsignature",
    "xgoogsignature",
    "xamzcredential",
    "pwd",
    "pass",
    "jwt",
    "session",
    "sessionid",
    "code",
    "key",
    "auth",
    "credential",
    "assertion",
];

/// Longest name of a parameter that is looked at, in bytes as they are written.
const MAX_NAME_BYTES: usize = 96;

/// Rounds of percent-encoding that are undone.
const MAX_ROUNDS: usize = 4;

/// Programs whose `-p` takes a password.
const DASH_P: [&[u8]; 4] = [b"mysql", b"mariadb", b"sshpass", b"mysqldump"];

/// Bytes in front of a parameter in which its program is looked for.
const PROGRAM_BYTES: usize = 400;

/// Calls `each` with every place where a name can end: `=` as it is or percent-encoded, as the range of what stands for it.
pub(super) fn equals(text: &[u8], each: &mut dyn FnMut(Range<usize>) -> bool) {
    for at in memchr::memchr2_iter(b'=', b'%', text) {
        let end = if text[at] == b'=' { Some(at + 1) } else { encoded(text, at, b'D') };
        if let Some(end) = end
            && each(at..end)
        {
            return;
        }
    }
}

/// Behind a byte of the third column of ASCII that is percent-encoded, once or more often: `%3D`, `%253D`.
fn encoded(text: &[u8], at: usize, low: u8) -> Option<usize> {
    let mut digits = at + 1;
    while text[digits..].starts_with(b"25") {
        digits += 2;
    }
    match text.get(digits..digits + 2)? {
        [b'3', digit] if digit.eq_ignore_ascii_case(&low) => Some(digits + 2),
        _ => None,
    }
}

/// The name in front of `end`, and where it begins.
fn name(text: &[u8], end: usize) -> Range<usize> {
    let from = end.saturating_sub(MAX_NAME_BYTES);
    let start = text[from..end].iter().rposition(|byte| !is_name(*byte)).map_or(from, |at| from + at + 1);
    // `&` is `\u0026` in JSON that the API server writes, which looks like a part of the name.
    let escaped = text[..start].ends_with(b"\\") && text[start..end].starts_with(b"u0026");
    if escaped { start + 5..end } else { start..end }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'%' | b'~')
}

/// A name without percent-encoding.
fn decoded(name: &[u8]) -> Cow<'_, [u8]> {
    let mut name = Cow::Borrowed(name);
    for _ in 0..MAX_ROUNDS {
        if memchr::memchr(b'%', &name).is_none() {
            break;
        }
        let mut out = Vec::with_capacity(name.len());
        let mut rest: &[u8] = &name;
        while let Some((byte, behind)) = rest.split_first() {
            let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            match digits.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(value) => {
                    out.push(value);
                    rest = &behind[2..];
                }
                None => {
                    out.push(*byte);
                    rest = behind;
                }
            }
        }
        name = Cow::Owned(out);
    }
    name
}

/// What the name in front of a `=` says about the value behind it.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Says {
    Nothing,
    /// The name ends as those of credentials do, wherever it stands.
    Credential,
    /// It is one as the name of a parameter.
    Parameter,
    /// An argument of a command.
    Command,
}

/// What stands in front of the `=` at `sign` says, and where the name begins.
pub(super) fn says(text: &[u8], sign: usize) -> (Says, usize) {
    let at = name(text, sign);
    // Most names are short words that end in none of the letters that matter.
    let name = decoded(&text[at.clone()]);
    // A whole query can be encoded: the name begins behind its last separator.
    let last = name.iter().rposition(|byte| b"?&;#=/ \"'".contains(byte)).map_or(0, |at| at + 1);
    let is_inside = last > 0;
    let name = &name[last..];
    let bare: Vec<u8> = name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    if bare == b"command" {
        return (Says::Command, at.start);
    }
    if is_credential_name(name) || bare.ends_with(b"secret") {
        return (Says::Credential, at.start);
    }
    let is_parameter = PARAMETERS.iter().any(|parameter| bare == parameter.as_bytes());
    let before = &text[..at.start];
    let begins = is_inside || begins_parameter(before);
    (if is_parameter && begins { Says::Parameter } else { Says::Nothing }, at.start)
}

/// Whether a parameter begins behind some text.
fn begins_parameter(before: &[u8]) -> bool {
    matches!(before.last(), Some(b'?' | b'&' | b';' | b'#')) || before.ends_with(b"u0026")
}

/// The value of the parameter whose `=` is at `sign`, when it is a credential.
pub(super) fn credential(text: &[u8], sign: Range<usize>) -> Option<Range<usize>> {
    let (says, name) = says(text, sign.start);
    let end = end_of_value(text, sign.end);
    let is_there = end > sign.end
        && !text[sign.end..].starts_with(super::REDACTED.as_bytes())
        && !reference::is_value(text, sign.end);
    match says {
        _ if !is_there => None,
        Says::Nothing => None,
        Says::Parameter => Some(sign.end..end),
        Says::Credential => {
            let bare = !text[..name].is_empty() && text[name - 1] == b' ' && !text[name..].starts_with(b"--");
            // Behind a blank it may be prose, or a log that is none of ours.
            (!bare || end - sign.end >= 6).then_some(sign.end..end)
        }
        Says::Command => argument(text, name, sign.end..end),
    }
}

fn end_of_value(text: &[u8], start: usize) -> usize {
    let whole = text.len() - start;
    reference::end_of_value(text, start, |rest| {
        let ends = rest[0] <= b' ' || b"&;\"\\#'<>,)}]".contains(&rest[0]);
        // `%26` and `%3B` end a value in an encoded query, `%20` and `%22` one in a command.
        let encoded =
            [b"%26", b"%3B", b"%3b", b"%20", b"%22", b"%27", b"%0A"].iter().any(|word| rest.starts_with(*word));
        ends || (encoded && rest.len() < whole)
    })
}

/// An argument of a command, whose parameter `command=` begins at `name`: a credential when the argument before it says so, or
/// when it is the password of a program that takes it so.
fn argument(text: &[u8], name: usize, value: Range<usize>) -> Option<Range<usize>> {
    let from = name.saturating_sub(PROGRAM_BYTES);
    let before = &text[from..name];
    let argument = &text[value.clone()];
    if argument.starts_with(b"-p") && argument.len() > 2 && DASH_P.iter().any(|name| is_in(before, name)) {
        return Some(value.start + 2..value.end);
    }
    let before = before.strip_suffix(b"&").or_else(|| before.strip_suffix(b"\\u0026")).unwrap_or(before);
    let last = before.iter().rposition(|byte| *byte == b'=').map_or(before, |at| &before[at + 1..]);
    let is_option = last.starts_with(b"-") && !argument.starts_with(b"-");
    let option = decoded(last);
    let says = is_option && !option.contains(&b'=') && (is_credential_name(&option) || option.ends_with(b"secret"));
    let dash_p = last == b"-p" && is_in(before, b"sshpass");
    (says || dash_p).then_some(value)
}

fn is_in(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(text, word).is_some()
}

/// Whether a record may hold the credential of a parameter: as [`credential`], with less care.
pub(super) fn may_hold(record: &[u8]) -> bool {
    let mut found = false;
    equals(record, &mut |sign| {
        found = match says(record, sign.start) {
            (Says::Nothing, _) => false,
            (Says::Command, name) => {
                let before = &record[name.saturating_sub(PROGRAM_BYTES)..name];
                let last = before.iter().rposition(|byte| *byte == b'=').map_or(before, |at| &before[at + 1..]);
                last.starts_with(b"-") || record[sign.end..].starts_with(b"-p")
            }
            _ => true,
        };
        found
    });
    found
}

/// The password in front of a host, from behind the `//`: `https://user:password@host`.
pub(super) fn password(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut colon = None;
    let mut at = from;
    while let Some(byte) = text.get(at) {
        let (is_colon, is_at, length) = match byte {
            b':' => (true, false, 1),
            b'@' => (false, true, 1),
            b'%' if text[at..].starts_with(b"%3A") || text[at..].starts_with(b"%3a") => (true, false, 3),
            b'%' if text[at..].starts_with(b"%40") => (false, true, 3),
            b'%' if text[at..].starts_with(b"%2F") || text[at..].starts_with(b"%2f") => return None,
            // `&` in JSON that the API server writes.
            b'\\' if text[at..].starts_with(b"\\u00") => (false, false, 6),
            byte if *byte <= b' ' || b"/?#\"'<>\\".contains(byte) => return None,
            _ => (false, false, 1),
        };
        if is_at {
            let start: usize = colon?;
            let is_new = at > start
                && !text[start..].starts_with(super::REDACTED.as_bytes())
                && !reference::is_value(&text[..at], start);
            return is_new.then_some(start..at);
        }
        if is_colon && colon.is_none() {
            colon = Some(at + length);
        }
        at += length;
    }
    None
}

//! Values that a name in front of them gives away: `token: …`, `"password":"…"`, `X-Vault-Token: …`, `api_key=…`, however the
//! quotation marks are written (JSON in JSON, CSV, HTML, percent-encoding, Python, Go).

use std::ops::Range;

/// Shortest value behind a name that is taken for a credential: `"token":"c"` is none.
const MIN_VALUE_BYTES: usize = 6;

/// Shortest value without quotation marks and digits, which could be the next word of a sentence.
const MIN_WORD_BYTES: usize = 24;

/// Bytes around a member in which the kind of its object is looked for.
const AROUND_BYTES: usize = 2_000;

/// Ends of names whose values are credentials, without `-`, `_` and `.`, in lower case.
const NAMES: [&str; 25] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "keydata",
    "clientsecret",
    "apisecret",
    "appsecret",
    "sharedsecret",
    "consumersecret",
    "webhooksecret",
    "signingsecret",
    "cookiesecret",
    "tokensecretvalue",
    "authtoken",
    "secretaccesskey",
    "authorization",
    "cookie",
    "dbpass",
    "userpass",
    "secretid",
];

/// A value behind a name.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) at: Range<usize>,
    quoted: bool,
    /// The name begins a line, as it does in YAML.
    begins_line: bool,
}

impl Named {
    /// Whether the value is long and odd enough for a credential.
    pub(super) fn is_credential(&self, text: &[u8]) -> bool {
        let value = &text[self.at.clone()];
        let has_digit = value.iter().any(u8::is_ascii_digit);
        let long = value.len() >= MIN_VALUE_BYTES && (self.quoted || self.begins_line || has_digit);
        (long || value.len() >= MIN_WORD_BYTES) && !value.starts_with(super::REDACTED.as_bytes())
    }
}

/// Whether a name, as it is written, is that of a credential.
pub(super) fn is_credential_name(name: &[u8]) -> bool {
    let bare: Vec<u8> = name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    // Variables of an environment.
    let is_variable = [b"_SECRET".as_slice(), b"_PASS", b"_PWD"].iter().any(|end| name.ends_with(end));
    is_variable || NAMES.iter().any(|end| bare.ends_with(end.as_bytes()))
}

/// The value of a member of some name that holds a word such as `token`, which stands at `word`.
pub(super) fn value(text: &[u8], word: Range<usize>) -> Option<Named> {
    let rest = &text[word.end..];
    let name_end = word.end + rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len());
    let before = &text[..word.start];
    let name = before.iter().rposition(|byte| !is_name(*byte)).map_or(0, |at| at + 1);
    let word = &text[name..name_end];
    if !(is_credential_name(word) || word.eq_ignore_ascii_case(b"secret") && is_oauth_client(text, name)) {
        return None;
    }
    let (at, _) = quotes(text, name_end);
    let mut from = behind_separator(text, blanks(text, at))?;
    // The values of headers are lists.
    if text.get(from) == Some(&b'[') {
        from = blanks(text, from + 1);
    }
    let (start, delimiter) = quotes(text, from);
    let quoted = start > from;
    let end = if quoted {
        end_of_quoted(text, start, &text[delimiter])
    } else {
        start + text[start..].iter().position(|byte| ends_word(*byte)).unwrap_or(text.len() - start)
    };
    (end > start).then_some(Named { at: start..end, quoted, begins_line: begins_line(&text[..name]) })
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn ends_word(byte: u8) -> bool {
    byte <= b' ' || b"\"'\\,;&)}]<>|{[`".contains(&byte)
}

/// Whether what is before a name ends a line, or is the mark of a list item in YAML.
fn begins_line(before: &[u8]) -> bool {
    let bare = before.trim_ascii_end();
    let bare = bare.strip_suffix(b"-").unwrap_or(bare);
    let bare = bare.strip_suffix(b"-").unwrap_or(bare).trim_ascii_end();
    let blank = &before[bare.len()..];
    bare.is_empty() || blank.contains(&b'\n') || bare.ends_with(b"\\n") || bare.ends_with(b"\"")
}

/// Behind quotation marks in whatever writing, and where the last group of them stands.
fn quotes(text: &[u8], from: usize) -> (usize, Range<usize>) {
    const WORDS: [&[u8]; 9] =
        [b"&quot;", b"&#34;", b"&#39;", b"&#x22;", b"%22", b"%27", b"%5C", b"%5c", b"\\u0026quot;"];
    let mut at = from;
    loop {
        let rest = &text[at..];
        match rest.first() {
            Some(b'"' | b'\'' | b'\\' | b'`') if !rest.starts_with(b"\\u") && !rest.starts_with(b"\\n") => at += 1,
            _ => match WORDS.iter().find(|word| rest.starts_with(word)) {
                Some(word) => at += word.len(),
                None => return (at, from..at),
            },
        }
    }
}

fn blanks(text: &[u8], mut at: usize) -> usize {
    loop {
        match &text[at..] {
            [b' ' | b'\t' | b'+', ..] => at += 1,
            rest if rest.starts_with(b"%20") => at += 3,
            rest if rest.starts_with(b"\\t") => at += 2,
            _ => return at,
        }
    }
}

/// Where the value of a name begins: behind a separator, or in the next member, as in `{"name":"TOKEN","value":"…"}`.
fn behind_separator(text: &[u8], at: usize) -> Option<usize> {
    if let Some(at) = separator(text, at) {
        return Some(blanks(text, at));
    }
    let behind = text[at..].strip_prefix(b",")?.trim_ascii_start();
    let at = text.len() - behind.len();
    let word = quotes(text, at).0;
    let (at, _) = quotes(text, word + text[word..].strip_prefix(b"value").map(|_| b"value".len())?);
    let at = blanks(text, separator(text, blanks(text, at))?);
    // As OpenTelemetry writes it.
    let Some(inner) = text[at..].strip_prefix(b"{") else { return Some(at) };
    let word = quotes(text, text.len() - inner.len()).0;
    let (at, _) = quotes(text, word + text[word..].strip_prefix(b"stringValue").map(|_| b"stringValue".len())?);
    Some(blanks(text, separator(text, blanks(text, at))?))
}

/// Whether a text around some place is about a client of OpenShift's OAuth server, whose `secret` is one.
fn is_oauth_client(text: &[u8], at: usize) -> bool {
    let around = &text[at.saturating_sub(AROUND_BYTES)..text.len().min(at + AROUND_BYTES)];
    memchr::memmem::find(around, b"OAuthClient").is_some()
}

/// Behind what stands between a name and its value.
fn separator(text: &[u8], at: usize) -> Option<usize> {
    const WORDS: [&[u8]; 9] = [b"=>", b":=", b":", b"=", b"%3A", b"%3a", b"%3D", b"%3d", b"&#58;"];
    WORDS.iter().find(|word| text[at..].starts_with(word)).map(|word| at + word.len())
}

/// Where a value ends that begins behind `delimiter`.
fn end_of_quoted(text: &[u8], start: usize, delimiter: &[u8]) -> usize {
    let mut at = start;
    while let Some(found) = memchr::memmem::find(&text[at..], delimiter) {
        let end = at + found;
        let backslashes = text[start..end].iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 0 {
            return end;
        }
        at = end + 1;
    }
    text.len()
}

//! Credentials in text that has no structure: tokens, keys, and what names, headers and query strings say they are.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{Edit, Redactor, named, packed, uri};

/// What announces a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// A JSON Web Token, or JSON as base64.
    Json,
    /// YAML of Kubernetes, or PEM, as base64.
    Packed,
    Bearer,
    Authorization,
    /// A part of a name.
    Name,
    PrivateKey,
    /// gzip as base64.
    Gzip,
    /// A token of OpenShift.
    Sha256,
    /// What stands in front of a host.
    Slashes,
    /// What `auths` of a registry holds.
    Auth,
    /// An escape in JSON that a sign could hide behind. It is none itself.
    Escape,
}

/// What a credential can be recognised by. Letters whose case varies are left out, or there in each case.
const SIGNS: [(&str, Sign); 50] = [
    ("eyJ", Sign::Json),
    ("YXBpVmVyc2lvbj", Sign::Packed),
    ("LS0tLS1CRUdJTi", Sign::Packed),
    ("earer", Sign::Bearer),
    ("EARER", Sign::Bearer),
    ("uthorization", Sign::Authorization),
    ("UTHORIZATION", Sign::Authorization),
    ("oken", Sign::Name),
    ("OKEN", Sign::Name),
    ("assword", Sign::Name),
    ("ASSWORD", Sign::Name),
    ("asswd", Sign::Name),
    ("ASSWD", Sign::Name),
    ("assphrase", Sign::Name),
    ("ASSPHRASE", Sign::Name),
    ("ecret", Sign::Name),
    ("ECRET", Sign::Name),
    ("pi_key", Sign::Name),
    ("pi-key", Sign::Name),
    ("piKey", Sign::Name),
    ("pikey", Sign::Name),
    ("pi-Key", Sign::Name),
    ("_PASS", Sign::Name),
    ("_PWD", Sign::Name),
    ("_PAT", Sign::Name),
    ("PI_KEY", Sign::Name),
    ("PI-KEY", Sign::Name),
    ("PIKEY", Sign::Name),
    ("ccess_key", Sign::Name),
    ("ccess-key", Sign::Name),
    ("ccessKey", Sign::Name),
    ("CCESS_KEY", Sign::Name),
    ("rivate_key", Sign::Name),
    ("rivateKey", Sign::Name),
    ("RIVATE_KEY", Sign::Name),
    ("key-data", Sign::Name),
    ("REDENTIAL", Sign::Name),
    ("CREDS", Sign::Name),
    ("ookie", Sign::Name),
    ("RIVATE KEY-", Sign::PrivateKey),
    ("H4sI", Sign::Gzip),
    ("sha256~", Sign::Sha256),
    ("://", Sign::Slashes),
    (":\\/", Sign::Slashes),
    (":/\\", Sign::Slashes),
    ("%2F%2F", Sign::Slashes),
    ("%2f%2f", Sign::Slashes),
    ("\"auth\"", Sign::Auth),
    ("\"auth\\", Sign::Auth),
    ("\\u00", Sign::Escape),
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
    match AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(SIGNS.map(|(word, _)| word)) {
        Ok(signs) => signs,
        Err(error) => unreachable!("a few short words can be searched for: {error}"),
    }
}

impl Redactor {
    /// Finds credentials, in order.
    pub(super) fn in_text(&self, text: &[u8]) -> Vec<Edit> {
        self.edits(text, self.credentials(text))
    }

    /// Finds credentials in JSON text, in order. What is left is JSON: a body that is none would be read by nobody, and a
    /// client could hide what it asks for behind a number that is called a password. So a credential ends with the string
    /// that it stands in at the latest (a mark of quotation may never be closed in it), one that would begin behind
    /// its string is none (`"x?token=":200`), and a number is replaced by a string.
    pub(super) fn in_json(&self, text: &[u8]) -> Vec<Edit> {
        let mut found = self.credentials(text);
        if found.is_empty() {
            return Vec::new();
        }
        let strings = strings(text);
        let string_at = |at: usize| {
            let before = strings.partition_point(|string| string.start <= at);
            strings[..before].last().filter(|string| at < string.end)
        };
        for at in &mut found {
            match string_at(at.start) {
                Some(string) => at.end = at.end.min(string.end),
                None => *at = number(text, at.start),
            }
        }
        found.retain(|at| !at.is_empty());
        let mut edits = self.edits(text, found);
        for edit in edits.iter_mut().filter(|edit| string_at(edit.at.start).is_none()) {
            edit.with.insert(0, b'"');
            edit.with.push(b'"');
        }
        edits
    }

    /// Where credentials stand, in no order.
    fn credentials(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = self
            .signs
            .find_iter(text)
            .flat_map(|sign| {
                let announced = credential(text, SIGNS[sign.pattern().as_usize()].1, sign.range());
                [announced, overlapping(text, sign.end())].into_iter().flatten()
            })
            .collect();
        uri::equals(text, &mut |sign| {
            found.extend(uri::credential(text, sign));
            false
        });
        found
    }

    /// What replaces credentials.
    fn edits(&self, text: &[u8], mut found: Vec<Range<usize>>) -> Vec<Edit> {
        // The longest of those that begin at one place.
        found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut edits: Vec<Edit> = Vec::new();
        for at in found {
            match edits.last_mut() {
                Some(last) if at.start < last.at.end && at.end > last.at.end => {
                    // They overlap: both are replaced as one.
                    last.at.end = at.end;
                    last.with = self.value(&text[last.at.clone()]).into_bytes();
                }
                Some(last) if at.start < last.at.end => (),
                _ => edits.push(Edit { with: self.value(&text[at.clone()]).into_bytes(), at, values: 1 }),
            }
        }
        edits
    }

    /// Whether an event may hold a secret value: `false` promises that [`Redactor::event`] changes nothing in what
    /// [`Event::decode`](crate::Event::decode) makes of this JSON text.
    ///
    /// It reads the text twice, in steps of 16 bytes, and looks closer only where a word stands that means
    /// something. Typical events without bodies have none; so this decides about most events, before anything is decoded.
    ///
    /// ```
    /// use kforensic_event::redact::Redactor;
    ///
    /// let redactor = Redactor::new(&[0; 32]);
    /// assert!(!redactor.may_hold_secret(br#"{"requestURI":"/api/v1/pods?limit=500","verb":"list"}"#));
    /// assert!(redactor.may_hold_secret(br#"{"requestURI":"/proxy?token=hunter2"}"#));
    /// ```
    pub fn may_hold_secret(&self, record: &[u8]) -> bool {
        let may = |sign: aho_corasick::Match| {
            may_be(record, SIGNS[sign.pattern().as_usize()].1, sign.range())
                || overlapping(record, sign.end()).is_some()
        };
        self.signs.find_iter(record).any(may) || uri::may_hold(record)
    }
}

/// Whether the sign at `at` in the JSON of an event may announce a secret. Nothing that counts on where a text ends
/// is asked: escapes make it look shorter.
fn may_be(record: &[u8], sign: Sign, at: Range<usize>) -> bool {
    match sign {
        Sign::Json => {
            record[at.start..].iter().take(MIN_PACKED_JSON_BYTES).filter(|byte| packed::is_base64(**byte)).count()
                >= MIN_PACKED_JSON_BYTES
                || json_web_token(record, at.start).is_some()
        }
        Sign::Bearer => behind_bearer(record, at.end).is_some(),
        // The annotations of nearly every event: `authorization.k8s.io/decision`.
        Sign::Authorization => record.get(at.end) != Some(&b'.'),
        Sign::Name => {
            is_request_for_secrets(record, &at)
                || named::value(record, at.clone()).is_some()
                || behind_bearer(record, at.end).is_some()
        }
        Sign::Slashes if record[at.clone()].contains(&b'\\') => true,
        // However many slashes there are: behind all of them, as the search for the password does.
        Sign::Slashes => record[behind_slashes(record, at.end)..]
            .iter()
            .take_while(|byte| **byte > b' ' && !b"/?#\"'<>".contains(byte))
            .any(|byte| matches!(byte, b'@' | b'%')),
        Sign::PrivateKey | Sign::Gzip | Sign::Packed | Sign::Sha256 | Sign::Auth => true,
        Sign::Escape => !matches!(record.get(at.end..at.end + 2), Some(b"26" | b"3c" | b"3e" | b"3C" | b"3E")),
    }
}

/// Whether a word belongs to a request for secrets or tokens, or to the kind of one: their bodies are searched by structure.
fn is_request_for_secrets(record: &[u8], word: &Range<usize>) -> bool {
    let first = word.start.checked_sub(1).and_then(|at| record.get(at));
    let before = word.start.checked_sub(2).and_then(|at| record.get(at));
    let (is_word, rest) = (before.is_none_or(|byte| !byte.is_ascii_alphanumeric()), &record[word.end..]);
    match first {
        // `Secret`, `SecretList`, `ClusterSecret`
        Some(b'S') => true,
        Some(b's') => is_word && (rest.starts_with(b"s") || rest.starts_with(b"\"")),
        Some(b'T') => rest.starts_with(b"Re"),
        Some(b't') => is_word && (rest.starts_with(b"reviews") || matches!(rest.first(), Some(b'"' | b'?' | b'\\'))),
        _ => false,
    }
}

/// Shortest JSON as base64 that can hold a Secret.
const MIN_PACKED_JSON_BYTES: usize = 32;

/// The credential that the sign at `at` announces.
fn credential(text: &[u8], sign: Sign, at: Range<usize>) -> Option<Range<usize>> {
    match sign {
        Sign::Json => json_web_token(text, at.start).or_else(|| packed::text_with_secret(text, at.start)),
        Sign::Packed => packed::text_with_secret(text, at.start),
        Sign::Bearer => behind_bearer(text, at.end),
        Sign::Authorization => behind_authorization(text, at.end).or_else(|| credential(text, Sign::Name, at)),
        Sign::Name => named::value(text, at.clone())
            .filter(|named| named.is_credential(text))
            .map(|named| named.at)
            .or_else(|| behind_word(text, at)),
        Sign::PrivateKey => Some(private_key(text, at.end)).filter(|key| !key.is_empty()),
        Sign::Gzip => packed::gzip_with_secret(text, at.start),
        Sign::Sha256 => {
            let end = run(text, at.end, is_base64url);
            (end - at.end >= MIN_TOKEN_BYTES).then_some(at.end..end)
        }
        Sign::Slashes => uri::password(text, behind_slashes(text, at.end)),
        Sign::Auth => registry_login(text, at.end),
        Sign::Escape => None,
    }
}

/// Where the strings of a JSON text stand, without their quotes, in order.
fn strings(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for quote in memchr::memchr_iter(b'"', text) {
        let is_escaped = text[..quote].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
        match start {
            None => start = Some(quote + 1),
            Some(begin) if !is_escaped => {
                found.push(begin..quote);
                start = None;
            }
            Some(_) => {}
        }
    }
    found
}

/// The JSON number that the byte at `at` belongs to; empty when there is none. Words such as `true` are nobody's credential.
fn number(text: &[u8], at: usize) -> Range<usize> {
    let is_of_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let start = text[..at].iter().rposition(|byte| !is_of_number(*byte)).map_or(0, |before| before + 1);
    let end = run(text, at, is_of_number);
    if text[start..end].iter().any(u8::is_ascii_digit) { start..end } else { at..at }
}

/// Behind slashes, which may be escaped.
fn behind_slashes(text: &[u8], from: usize) -> usize {
    run(text, from, |byte| byte == b'/' || byte == b'\\')
}

/// Where the bytes that are so, from `from` on, end.
pub(super) fn run(text: &[u8], from: usize, is: impl Fn(u8) -> bool) -> usize {
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

/// The token that begins with the last letters of another sign, which was found in its place: `apikeyJhbGci…`.
fn overlapping(text: &[u8], end: usize) -> Option<Range<usize>> {
    let begins = [end.checked_sub(2)?, end - 1].into_iter();
    begins.filter(|at| text[*at..].starts_with(b"eyJ")).find_map(|at| json_web_token(text, at))
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

/// What stands behind the word `token`, when it does not look like a word.
fn behind_word(text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    let is_token = matches!(&text[word.clone()], b"oken" | b"OKEN");
    behind_bearer(text, word.end).filter(|_| is_token)
}

/// The credentials behind `Authorization:` and a scheme, written as text, as JSON or in a URI.
fn behind_authorization(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut start = from;
    while let Some(byte) = text.get(start) {
        match byte {
            b':' | b'=' | b'"' | b'\\' | b'[' | b' ' | b'+' => start += 1,
            b'%' if text[start..].len() >= 3
                && [b"%3A", b"%3a", b"%3D", b"%3d", b"%20", b"%22"]
                    .iter()
                    .any(|word| text[start..].starts_with(*word)) =>
            {
                start += 3;
            }
            _ => break,
        }
    }
    let scheme = run(text, start, |byte| byte.is_ascii_alphabetic());
    let begin = behind_blanks(text, scheme);
    let end = run(text, begin, is_token);
    let known = ["basic", "bearer", "token", "apikey", "negotiate"]
        .iter()
        .any(|name| text[start..scheme].eq_ignore_ascii_case(name.as_bytes()));
    (start > from && known && begin > scheme && end > begin).then_some(begin..end)
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

/// A private key in PEM, from behind the word `KEY-` to its end.
fn private_key(text: &[u8], from: usize) -> Range<usize> {
    let start = run(text, from, |byte| byte == b'-');
    let end = memchr::memmem::find(&text[start..], b"-----END").map_or(text.len(), |at| start + at);
    // What ends the text around it is kept.
    let end = end.min(run(text, start, |byte| byte != b'"' && byte != b'\''));
    // A backslash belongs to the quotation mark behind it.
    let end = start + text[start..end].iter().rposition(|byte| *byte != b'\\').map_or(0, |last| last + 1);
    let is_done = memchr::memmem::find(&text[start..end], super::REDACTED.as_bytes()).is_some();
    if is_done || !text[start..end].iter().any(u8::is_ascii_alphanumeric) { start..start } else { start..end }
}

/// A login of a registry, as base64 of `user:password`: the value of a member `auth`.
fn registry_login(text: &[u8], from: usize) -> Option<Range<usize>> {
    let start = run(text, from, |byte| b"\\\":' ".contains(&byte));
    let end = run(text, start, packed::is_base64);
    let login = packed::decode(&text[start..end])?;
    (start > from && login.contains(&b':') && end - start >= 8).then_some(start..end)
}

/// Shortest text that is taken for packed, in bytes.
const MIN_PACKED_BYTES: usize = 20;

/// Shortest run of base64 that is taken for a value, where nobody knows what it belongs to.
const MIN_RUN_BYTES: usize = 100;

impl Redactor {
    /// Finds, in a rejected record, texts that are base64 of gzip: nobody has looked for secrets in them; and long runs of base64,
    /// which can be the middle of a value whose name stands in another record.
    pub(super) fn packed(&self, text: &[u8]) -> Vec<Edit> {
        let mut edits: Vec<Edit> = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let end = run(text, at, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
            let word = &text[at..end];
            let gzip = memchr::memmem::find(word, b"H4sI").filter(|start| word.len() - start >= MIN_PACKED_BYTES);
            let is_value = word.len() >= MIN_RUN_BYTES
                && word.iter().any(u8::is_ascii_digit)
                && word.iter().any(u8::is_ascii_uppercase)
                && word.iter().any(u8::is_ascii_lowercase);
            if let Some(start) = if is_value { Some(0) } else { gzip } {
                let with = self.value(&word[start..]).into_bytes();
                edits.push(Edit { at: at + start..end, with, values: 1 });
            }
            at = end.max(at + 1);
        }
        edits
    }
}

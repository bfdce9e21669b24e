//! Values that are secrets are replaced before they reach the case.
//!
//! An audit log at level Request or above holds live credentials: the data of Secrets, the tokens that a
//! TokenRequest answers with. Each such value becomes `redacted:` and the first 16 hex digits of its
//! HMAC-SHA-256 under a key of the case: equal values can still be matched within the case, keys and structure
//! stay, and who holds the case without its key learns nothing. What counts as a secret value:
//!
//! - `data` and `stringData` of a Secret, wherever it stands: as the body, in a SecretList, a List, the rows of a
//!   Table, in JSON that is a string; in merge patches and JSON patches of secrets;
//! - the annotation `kubectl.kubernetes.io/last-applied-configuration` of a Secret, as a whole;
//! - `token` of a TokenRequest or TokenReview;
//! - a manifest of a Secret in any text, as JSON, YAML, or packed (gzip and base64);
//! - what a server quotes of a body in the message of an answer about Secrets;
//! - JSON Web Tokens, private keys, what follows `Bearer` or `Authorization:`, passwords in front of a host, and the values of
//!   members, parameters, headers and arguments whose names say what they are (`password`, `access_token=`, `--token`),
//!   in any text of the event; but not the name of a variable in the place of a secret (`${PASSWORD}`).
//!
//! Rejected records are searched too, torn as they may be; where it cannot be told what a value belongs to,
//! it is taken for a secret: the source still has it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use hmac::{Hmac, KeyInit, Mac};
use memchr::memmem;
use sha2::Sha256;

use crate::event::Event;

mod echo;
mod foreign;
mod named;
mod packed;
mod reference;
mod scan;
mod text;
mod uri;

/// What stands before the hash of a value that was replaced.
pub const REDACTED: &str = "redacted:";

/// Length of a key in bytes.
pub const KEY_BYTES: usize = 32;

/// Bytes of the hash that are written: 16 hex digits.
const HASH_BYTES: usize = 8;

/// Replaces secret values, under the key of one case.
#[derive(Clone)]
pub struct Redactor {
    mac: Hmac<Sha256>,
    /// Finds what may be a credential in plain text.
    signs: AhoCorasick,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Redactor(key)")
    }
}

/// A part of a text that is replaced.
#[derive(Debug)]
struct Edit {
    at: Range<usize>,
    with: Vec<u8>,
    /// Secret values in it.
    values: u32,
}

/// What a text is about, as far as that tells which of its values are secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// A request for Secrets.
    Secrets,
    /// A request that carries a token in a member of that name.
    Token,
    /// A request for something else.
    Else,
    /// A rejected record.
    Unknown,
}

impl Redactor {
    /// A redactor with that key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        // HMAC fills a short key up with zeros.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..KEY_BYTES].copy_from_slice(key);
        Self { mac: Hmac::new(&block), signs: text::signs() }
    }

    /// What stands in the case instead of a secret value.
    ///
    /// ```
    /// use kforensic_event::redact::Redactor;
    ///
    /// let redactor = Redactor::new(&[0; 32]);
    /// assert_eq!(redactor.value(b"hunter2"), "redacted:48d1763b879fda85");
    /// ```
    pub fn value(&self, value: &[u8]) -> String {
        let hash = self.mac.clone().chain_update(value).finalize().into_bytes();
        hash[..HASH_BYTES].iter().fold(REDACTED.to_owned(), |mut text, byte| {
            use fmt::Write;
            // Writing into a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Replaces the secret values of an event. Returns how many there were.
    pub fn event(&self, event: &mut Event<'_>) -> u32 {
        let about = About::of(event);
        let mut values = 0;
        for body in [&mut event.request_object, &mut event.response_object, &mut event.annotations] {
            values += self.json(body, about);
        }
        if let Some(other) = &mut event.other {
            let mut text = Some(Cow::Borrowed(other.as_str()));
            values += self.json(&mut text, about);
            if let Some(Cow::Owned(redacted)) = text {
                *other = redacted;
            }
        }
        for body in [&mut event.status.details, &mut event.user.extra, &mut event.impersonated.extra] {
            values += self.json(body, About::Else);
        }
        if about == About::Secrets {
            values += self.json(&mut event.status.details, about);
        }
        if let Some(message) = &mut event.status.message {
            values += self.message(message, about);
        }
        values + self.texts(event)
    }

    /// The bytes of a rejected record without its secret values, and how many there were.
    pub fn reject<'a>(&self, record: &'a [u8]) -> (Cow<'a, [u8]>, u32) {
        if let Some((redacted, values)) = self.wide(record) {
            return (Cow::Owned(redacted), values);
        }
        let (foreign, others) = apply(record, self.foreign(record, About::Unknown));
        let (json, values) = apply(&foreign, self.scan(&foreign, About::Unknown));
        let (echoed, echoes) = apply(&json, self.echoes(&json, false));
        let (plain, credentials) = apply(&echoed, self.in_text(&echoed));
        let (plain, packed) = apply(&plain, self.packed(&plain));
        match values + others + echoes + credentials + packed {
            0 => (Cow::Borrowed(record), 0),
            values => (Cow::Owned(plain.into_owned()), values),
        }
    }

    /// Replaces the secret values of JSON text.
    fn json(&self, json: &mut Option<Cow<'_, str>>, about: About) -> u32 {
        let Some(text) = json else { return 0 };
        let mut values = 0;
        if about != About::Else || names_a_secret(text.as_bytes()) {
            let (redacted, count) = apply(text.as_bytes(), self.scan(text.as_bytes(), about));
            if count > 0 {
                *text = Cow::Owned(into_text(redacted.into_owned()));
                values += count;
            }
        }
        values + Self::credentials_of(text, |text| self.in_json(text))
    }

    /// Replaces credentials in plain text.
    fn text(&self, text: &mut Cow<'_, str>) -> u32 {
        Self::credentials_of(text, |text| self.in_text(text))
    }

    /// Replaces the credentials that `find` finds.
    fn credentials_of(text: &mut Cow<'_, str>, find: impl FnOnce(&[u8]) -> Vec<Edit>) -> u32 {
        if text.len() < text::MIN_BYTES {
            return 0;
        }
        let edits = find(text.as_bytes());
        if edits.is_empty() {
            return 0;
        }
        let (redacted, count) = apply(text.as_bytes(), edits);
        *text = Cow::Owned(into_text(redacted.into_owned()));
        count
    }

    /// Replaces credentials in all texts of an event. Only the audit id is left alone: an event is found by it.
    fn texts(&self, event: &mut Event<'_>) -> u32 {
        let Event { user, impersonated, status, object, annotated, .. } = event;
        let users = [user, impersonated].into_iter().flat_map(|user| {
            let groups = user.groups.iter_mut().flatten();
            let known = [&mut user.name, &mut user.uid, &mut user.credential_id, &mut user.pod_name, &mut user.pod_uid];
            known.into_iter().flatten().chain(&mut user.node_name).chain(groups)
        });
        let texts = [
            &mut event.request_uri,
            &mut event.user_agent,
            &mut event.verb,
            &mut event.stage,
            &mut event.level,
            &mut event.impersonation_constraint,
            &mut event.cluster,
            &mut status.status,
            &mut status.message,
            &mut status.reason,
            &mut annotated.decision,
            &mut annotated.decision_reason,
            &mut annotated.issued_credential_id,
            // A path gives a request each of these.
            &mut object.name,
            &mut object.namespace,
            &mut object.resource,
            &mut object.subresource,
            &mut object.api_group,
            &mut object.api_version,
            &mut object.uid,
            &mut object.resource_version,
        ];
        let addresses = event.source_ips.iter_mut().flatten();
        users.chain(texts.into_iter().flatten()).chain(addresses).map(|text| self.text(text)).sum()
    }
}

impl About {
    fn of(event: &Event<'_>) -> Self {
        let resource = event.resource().unwrap_or_default();
        let subresource = event.object.subresource.as_deref().unwrap_or_default();
        let path = event.request_uri.as_deref().unwrap_or_default().split('?').next().unwrap_or_default();
        let asks_for = |segment: &str| path.split('/').any(|part| part == segment);
        if resource == "secrets" || asks_for("secrets") {
            Self::Secrets
        } else if (resource == "serviceaccounts" && subresource == "token")
            || resource == "tokenreviews"
            || path.ends_with("/token")
            || asks_for("tokenreviews")
        {
            Self::Token
        } else {
            Self::Else
        }
    }
}

/// Whether JSON that is about something else may hold a Secret or a token all the same.
fn names_a_secret(json: &[u8]) -> bool {
    let has = |word: &[u8]| memmem::find(json, word).is_some();
    // A client can write a kind in escapes: `\u0053ecret`.
    has(b"Secret")
        || has(b"\"TokenRe")
        || memmem::find_iter(json, b"\\u00")
            .any(|at| json.get(at + 4).is_some_and(|digit| (b'4'..=b'7').contains(digit)))
}

/// A text with edits, which are in order and do not overlap; and how many secret values they replace.
fn apply(text: &[u8], edits: Vec<Edit>) -> (Cow<'_, [u8]>, u32) {
    if edits.is_empty() {
        return (Cow::Borrowed(text), 0);
    }
    let mut out = Vec::with_capacity(text.len());
    let (mut done, mut values) = (0, 0);
    for edit in edits {
        out.extend_from_slice(&text[done..edit.at.start]);
        out.extend_from_slice(&edit.with);
        done = edit.at.end;
        values += edit.values;
    }
    out.extend_from_slice(&text[done..]);
    (Cow::Owned(out), values)
}

/// Text was cut only between characters, so this does not lose any.
fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests;

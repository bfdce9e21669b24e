//! What a certificate, or the request for one, says: to whom it is, and its fingerprint.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Longest certificate that is read, in bytes; those of Kubernetes have about one thousand.
const MAX_BYTES: usize = 64 << 10;

/// To whom a certificate is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// User, by the common name.
    pub user: Option<String>,
    /// Groups, by the organisations.
    pub groups: Vec<String>,
}

/// The subject of a request for a certificate, as `spec.request` holds it: base64 of PEM.
pub fn subject_of_request(request: &str) -> Option<Subject> {
    let der = der(request)?;
    // CertificationRequest, CertificationRequestInfo, version, subject
    let (_, request, _) = element(&der)?;
    let (_, info, _) = element(request)?;
    let (_, _, rest) = element(info)?;
    let (0x30, name, _) = element(rest)? else { return None };
    Some(subject(name))
}

/// The fingerprint that the server gives as credential id since 1.32, of `status.certificate`: `X509SHA256=…`.
pub fn credential_of(certificate: &str) -> Option<String> {
    use std::fmt::Write as _;
    let mut id = "X509SHA256=".to_owned();
    for byte in Sha256::digest(der(certificate)?) {
        // Writing into a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    Some(id)
}

/// The first block of a PEM text, which is in base64 itself.
fn der(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let pem = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (_, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).ok()
}

/// Tag and content of the first element, and what is behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

fn subject(mut names: &[u8]) -> Subject {
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
    let mut subject = Subject::default();
    while let Some((_, mut set, rest)) = element(names) {
        names = rest;
        while let Some((_, pair, rest)) = element(set) {
            set = rest;
            let Some((0x06, id, value)) = element(pair) else { continue };
            let Some((_, text, _)) = element(value) else { continue };
            let text = String::from_utf8_lossy(text).into_owned();
            match id {
                COMMON_NAME => subject.user = Some(text),
                ORGANISATION => subject.groups.push(text),
                _ => (),
            }
        }
    }
    subject
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_is_read_from_the_request() {
        // `openssl req -new -newkey ed25519 -nodes -subj "/O=system:masters/CN=backdoor"`
        let der = [
            &[
                0x30, 0x38, 0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x2b, 0x31, 0x17, 0x30, 0x15, 0x06, 0x03, 0x55, 0x04,
                0x0a, 0x0c, 0x0e,
            ][..],
            b"system:masters",
            &[0x31, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x07],
            b"backdo\xff",
            &[0x30, 0x00, 0xa0, 0x00, 0x00, 0x00],
        ]
        .concat();
        let pem = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            STANDARD.encode(&der)
        );
        let found = subject_of_request(&STANDARD.encode(pem)).unwrap();
        assert_eq!(found.groups, ["system:masters"]);
        assert_eq!(found.user.as_deref(), Some("backdo\u{fffd}"));
        for text in ["", "x", "LS0t", &"A".repeat(100_000)] {
            assert!(subject_of_request(text).is_none() && credential_of(text).is_none());
        }
    }
}

//! What is left out although it may be an audit log: it looks like one in another spelling or encoding, or is of a kind
//! that nobody here can look into. Whoever trusts an answer must know of it.

use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::sources::binary::Binary;
use crate::sources::closed::Closed;

/// Members of an audit event, by their words: collectors and exports write them in any case, together or with something
/// between them. Two different ones are no accident.
const MEMBERS: [&[&str]; 12] = [
    &["audit", "id"],
    &["request", "received", "time"],
    &["stage", "timestamp"],
    &["request", "uri"],
    &["source", "ips"],
    &["object", "ref"],
    &["response", "status"],
    &["impersonated", "user"],
    &["proto", "payload"],
    &["principal", "email"],
    &["response", "complete"],
    &["authorization", "k8s", "io"],
];

/// Parts of `"auditID"`, `protoPayload`, `authorization.k8s.io` and `requestReceivedTimestamp` in base64, wherever they
/// begin in their group of three bytes. One is enough.
const PACKED: [&str; 12] = [
    "ImF1ZGl0SUQi",
    "JhdWRpdElEI",
    "iYXVkaXRJRC",
    "cHJvdG9QYXlsb2Fk",
    "Byb3RvUGF5bG9hZ",
    "wcm90b1BheWxvYW",
    "YXV0aG9yaXphdGlvbi5rOHMuaW",
    "F1dGhvcml6YXRpb24uazhzLmlv",
    "hdXRob3JpemF0aW9uLms4cy5pb",
    "cmVxdWVzdFJlY2VpdmVkVGltZXN0YW1w",
    "JlcXVlc3RSZWNlaXZlZFRpbWVzdGFtc",
    "yZXF1ZXN0UmVjZWl2ZWRUaW1lc3RhbX",
];

/// Finds all words at once, in any case, and in UTF-16 and UTF-32, where zeros stand between the letters.
static WORDS: LazyLock<(Option<AhoCorasick>, Vec<usize>)> = LazyLock::new(|| {
    let (mut patterns, mut members) = (Vec::new(), Vec::new());
    for (number, words) in MEMBERS.iter().enumerate() {
        let spellings = ["", "_", "-", ".", " "].map(|between| words.join(between).into_bytes());
        let wide = [1, 3].map(|zeros| {
            let letters = words.concat().into_bytes();
            let last = letters.len() - 1;
            letters
                .iter()
                .enumerate()
                .flat_map(|(at, letter)| {
                    std::iter::once(*letter).chain(std::iter::repeat_n(0, if at < last { zeros } else { 0 }))
                })
                .collect::<Vec<u8>>()
        });
        for pattern in spellings.into_iter().chain(wide) {
            patterns.push(pattern);
            members.push(number);
        }
    }
    (AhoCorasick::builder().ascii_case_insensitive(true).build(&patterns).ok(), members)
});

/// Looks for signs of an audit log in content that comes piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Doubt {
    /// The members that were seen, a bit for each.
    seen: u16,
    is_packed: bool,
    has_begun: bool,
    closed: Option<&'static Closed>,
}

impl Doubt {
    /// Looks at the next piece.
    pub(crate) fn look(&mut self, piece: &[u8]) {
        if !self.has_begun && !piece.is_empty() {
            self.has_begun = true;
            self.closed = Binary::of(piece).and_then(Closed::of);
        }
        if self.is_enough() {
            return;
        }
        let (words, members) = &*WORDS;
        for found in words.iter().flat_map(|words| words.find_iter(piece)) {
            self.seen |= 1 << members[found.pattern().as_usize()];
        }
        self.is_packed |= PACKED.iter().any(|part| memchr::memmem::find(piece, part.as_bytes()).is_some());
    }

    fn is_enough(&self) -> bool {
        self.is_packed || self.seen.count_ones() > 1
    }

    /// Why what was looked at may be a log; `None` when nothing speaks for it.
    pub(crate) fn reason(&self) -> Option<String> {
        if let Some(closed) = self.closed.filter(|closed| closed.is_opaque || self.is_enough()) {
            return Some(format!("not opened: {}", closed.what));
        }
        self.is_enough().then(|| "it looks like an audit log, and no event is found in it".to_owned())
    }
}

/// Whether a file that cannot be opened has the name of a log.
pub(crate) fn is_named_like_a_log(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    name.contains("audit") || name.contains(".log") || name.ends_with(".jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(content: &[u8]) -> Option<String> {
        let mut doubt = Doubt::default();
        content.chunks(1000).for_each(|piece| doubt.look(piece));
        doubt.reason()
    }

    #[test]
    fn logs_in_another_spelling_or_encoding_are_doubtful() {
        let line = r#"{"AuditId":"x","RequestUri":"/api","Stage":"ResponseComplete"}"#;
        let utf16: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf32: Vec<u8> = line.chars().flat_map(|letter| u32::from(letter).to_be_bytes()).collect();
        for log in [
            line.as_bytes(),
            br#"audit_id=1 request_uri=/x"#,
            b"- audit.id: 1\n  stage timestamp: 2",
            br#"[{"message":{"data":"eyJpbnNlcnRJZCI6MSwicHJvdG9QYXlsb2FkIjp7fX0="}}]"#,
            &utf16,
            &utf32,
        ] {
            assert!(reason(log).is_some(), "{}", String::from_utf8_lossy(log));
        }
        assert_eq!(
            reason(b"7z\xbc\xaf\x27\x1c\0\x04").unwrap(),
            "not opened: a 7z archive; unpack it and ingest what is in it"
        );
        for other in [
            &b"apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\n"[..],
            br#"{"t":"2026-11-21T20:37:37Z","step":"01-anon-probe"}"#,
            br#"type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e auid=0 audit_id=5"#,
            b"GET /healthz 200",
            b"",
        ] {
            assert_eq!(reason(other), None, "{}", String::from_utf8_lossy(other));
        }
    }
}

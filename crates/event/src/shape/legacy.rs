//! The text format of `--audit-log-format=legacy`:
//! `<time> AUDIT: id="…" stage="…" ip="…" method="…" user="…" groups="…" as="…" asgroups="…" user-agent="…" namespace="…" uri="…" response="…"`.
//!
//! What it leaves out stays out: level, bodies, annotations, uid, stage time, and all source addresses but the first. That one
//! comes from X-Forwarded-For when the client sends it, so it can be forged: it is the one of `source_ips`, and `source_ip`, the
//! peer, is NULL. The object is read from the path, by the server's rules. The line itself is kept and comes back when the event
//! is rebuilt.

use std::borrow::Cow;

use memchr::memmem;

use super::header;
use super::request_path::PathObject;
use super::translated::{Object, Translated, quoted};
use super::{Opener, Shape};

/// What stands behind the time.
const MARK: &str = " AUDIT: id=\"";

/// What stands for what there is not.
const PLACEHOLDERS: [&str; 5] = ["<none>", "<self>", "<lookup>", "<deferred>", "<unknown>"];

pub(super) static SHAPE: Shape = Shape {
    name: "legacy",
    summary: "the text format of --audit-log-format=legacy",
    recognises: |head| head.line.contains(MARK) && !head.line.starts_with('{'),
    framing: None,
    opener: Opener::Line(open),
    traces: &[MARK.as_bytes(), b" AUDIT: id=\\"],
};

fn open(line: &str) -> Option<Translated> {
    // In JSON the quotation mark behind `id=` would be escaped, so this is no part of a value.
    let mark = memmem::find(line.as_bytes(), MARK.as_bytes())?;
    // A prefix may stand before the time.
    let time = line[..mark].rsplit(' ').next().filter(|time| crate::time::parse(time).is_some())?;
    // What stands before the time is what a collector puts there: text of another program can hold what clients sent.
    let before = &line[..mark - time.len()];
    let is_header = header::header(&format!("{before}{{}}")).is_some_and(|header| header.length == before.len());
    if !is_header {
        return None;
    }
    let fields = fields(&line[mark + " AUDIT: ".len()..])?;
    let field = |name: &str| fields.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_ref());
    // The last field: without it the line is torn.
    let response = field("response")?;
    let known = |name: &str| field(name).filter(|value| !PLACEHOLDERS.contains(value));
    let groups = |name: &str| known(name).and_then(texts);
    let mut event = Object::default();
    event.text("auditID", Some(field("id")?));
    event.text("stage", Some(field("stage")?));
    event.text("requestURI", field("uri"));
    event.text("verb", field("method"));
    event.object("user", user(known("user"), groups("groups").as_deref()));
    event.object_if_any("impersonatedUser", user(known("as"), groups("asgroups").as_deref()));
    event.raw("sourceIPs", known("ip").map(|ip| format!("[{}]", quoted(ip))).as_deref());
    event.text("userAgent", field("user-agent"));
    let object = field("uri").and_then(PathObject::of_uri);
    event.object_if_any("objectRef", object.as_ref().map(PathObject::object_ref).unwrap_or_default());
    let mut status = Object::default();
    if let Some(code) = Some(response).filter(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))
    {
        status.raw("metadata", Some("{}"));
        status.raw("code", Some(code));
    }
    event.object_if_any("responseStatus", status);
    event.text("requestReceivedTimestamp", Some(time));
    Some(Translated {
        json: event.finish(),
        original: quoted(line),
        is_cut: false,
        any_level: true,
        peer_unknown: true,
        has_other_words: false,
        cluster: None,
        part: None,
    })
}

fn user(name: Option<&str>, groups: Option<&str>) -> Object {
    let mut user = Object::default();
    user.text("username", name);
    user.raw("groups", groups);
    user
}

/// The fields of a line: `name="value"`, the value as Go's `%q` writes it. `None` unless the line is whole.
fn fields(mut rest: &str) -> Option<Vec<(&str, Cow<'_, str>)>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (name, behind) = rest.split_once('=')?;
        let (value, behind) = unquote(behind)?;
        fields.push((name, value));
        rest = behind.trim_start();
    }
    Some(fields)
}

/// A list as the server writes it, `"a","b"`, as JSON.
fn texts(list: &str) -> Option<String> {
    let (mut rest, mut json) = (list, String::from("["));
    while !rest.is_empty() {
        let (text, behind) = unquote(rest)?;
        json.push_str(&quoted(&text));
        rest = match behind.strip_prefix(',') {
            Some(behind) => {
                json.push(',');
                behind
            }
            None => behind,
        };
    }
    Some(json + "]")
}

/// The text that `quoted` begins with, in Go's syntax, and what is behind it.
fn unquote(quoted: &str) -> Option<(Cow<'_, str>, &str)> {
    let inner = quoted.strip_prefix('"')?;
    let mut bytes = Vec::new();
    let mut chars = inner.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' if bytes.len() == at => return Some((Cow::Borrowed(&inner[..at]), &inner[at + 1..])),
            '"' => return Some((Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()), &inner[at + 1..])),
            '\\' => {
                let mut digits = |count: usize| {
                    let digits: String = (0..count).filter_map(|_| chars.next()).map(|(_, digit)| digit).collect();
                    u32::from_str_radix(&digits, 16).ok()
                };
                // `\x..` is a byte that is no character by itself.
                let escaped = match inner[at + 1..].chars().next()? {
                    'x' => {
                        digits(1);
                        bytes.push(u8::try_from(digits(2)?).ok()?);
                        continue;
                    }
                    'u' => {
                        digits(1);
                        char::from_u32(digits(4)?)?
                    }
                    'U' => {
                        digits(1);
                        char::from_u32(digits(8)?)?
                    }
                    simple => {
                        digits(1);
                        match simple {
                            'a' => '\x07',
                            'b' => '\x08',
                            'f' => '\x0c',
                            'n' => '\n',
                            'r' => '\r',
                            't' => '\t',
                            'v' => '\x0b',
                            '"' | '\\' | '\'' => simple,
                            _ => return None,
                        }
                    }
                };
                bytes.extend_from_slice(escaped.encode_utf8(&mut [0; 4]).as_bytes());
            }
            char => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"2026-11-21T20:18:35.365469634Z AUDIT: id="a" stage="ResponseComplete" ip="10.0.0.9" method="list" user="kubernetes-admin" groups="\"system:masters\",\"a\\\"b\"" as="jane" asgroups="\"devs\"" user-agent="ua \"q\" \u00e9\x07" namespace="<none>" uri="/api/v1/secrets?limit=5" response="403""#;

    #[test]
    fn a_line_becomes_an_event_that_gives_the_line_back() {
        let translated = open(LINE).unwrap();
        let event = translated.event().unwrap();
        assert_eq!(event.audit_id.as_deref(), Some("a"));
        assert_eq!(event.event_time.map(crate::time::render).as_deref(), Some("2026-11-21T20:18:35.365469Z"));
        assert_eq!((event.level, event.stage_time), (None, None));
        assert_eq!(event.user.groups, Some(vec!["system:masters".into(), "a\"b".into()]));
        assert_eq!(event.impersonated.name.as_deref(), Some("jane"));
        assert_eq!(event.user_agent.as_deref(), Some("ua \"q\" é\u{7}"));
        assert_eq!((event.object.resource.as_deref(), event.status.code), (Some("secrets"), Some(403)));
        let other: serde_json::Value = serde_json::from_str(event.other.as_ref().unwrap()).unwrap();
        assert_eq!(other, serde_json::json!({ "$event": LINE }));
    }

    #[test]
    fn the_only_address_is_not_taken_for_the_peer() {
        let translated = open(LINE).unwrap();
        let event = translated.event().unwrap();
        assert_eq!(event.source_ips, Some(vec!["10.0.0.9".into()]));
        assert_eq!(event.source_ip(), None);
    }

    #[test]
    fn placeholders_are_nothing_and_a_prefix_may_stand_before() {
        let line = r#"node-1 2026-11-21T20:18:35Z AUDIT: id="a" stage="RequestReceived" ip="<unknown>" method="get" user="<none>" groups="<none>" as="<self>" asgroups="<lookup>" user-agent="" namespace="<none>" uri="/healthz" response="<deferred>""#;
        let translated = open(line).unwrap();
        let event = translated.event().unwrap();
        assert_eq!((event.user.name, event.impersonated.name, event.source_ips), (None, None, None));
        assert_eq!((event.status.code, event.object.resource), (None, None));
        assert_eq!(event.request_uri.as_deref(), Some("/healthz"));
    }

    #[test]
    fn what_is_torn_or_no_line_is_none() {
        for length in 0..LINE.len() {
            assert!(open(&LINE[..length]).is_none(), "{length}");
        }
        assert!(open("yesterday AUDIT: id=\"a\" stage=\"x\"").is_none());
    }
}

//! Events whose end a collector cut off: AKS at 16 KiB, CloudWatch at 256 KB.
//!
//! The server writes who asked for what before the bodies, and the bodies are what makes an event long. So the members that
//! are whole become an event, which says who, what, from where and with which status. What is behind the cut is missing: a body,
//! the annotations with the decision, and the times. The record's own time stands for them; it lies behind the request's by
//! the time that the request took. The column `other` marks such an event with `$cut` and holds the text that is left, word for word.

use super::prefix::Prefix;
use super::translated::{Object, Translated, quoted};
use crate::json;
use crate::reject::Reason;

/// How a message ends, as JSON, that CloudWatch cut.
pub(super) const CLOUDWATCH_MARK: &str = "[Truncated...]\"";

/// What is left of the event whose JSON is the JSON string `text`, in a record of that `time`; `None` when it is whole or never
/// was an event, the reason when too little is left.
pub(super) fn open(text: &str, time: Option<&str>) -> Option<Result<Translated, Reason>> {
    let text = json::string(text)?;
    // Damage in the middle could make members of a body look like those of the event.
    let left = text.strip_suffix(CLOUDWATCH_MARK.trim_end_matches('"')).unwrap_or(&text);
    if Prefix::new().read(left.as_bytes()).is_some() {
        return None;
    }
    let mut members: Vec<(String, &str)> = Vec::new();
    if json::members(&text, &mut |key, value| members.push((key.into_owned(), value))).is_ok() {
        return None;
    }
    // A number that was cut looks like another number.
    members.retain(|(_, value)| value.ends_with(['"', '}', ']']));
    let value = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let is_event = json::string(value("kind")?)? == "Event" && value("apiVersion")?.contains("audit.k8s.io");
    if !is_event {
        return None;
    }
    let audit_id = value("auditID").and_then(json::string);
    let has = |name| value(name).is_some();
    if audit_id.is_none() || !has("user") || !has("level") || !(has("requestReceivedTimestamp") || time.is_some()) {
        return Some(Err(Reason::Cut { audit_id: audit_id.map(Into::into) }));
    }
    let mut event = Object::default();
    members.iter().for_each(|(key, value)| event.raw(key, Some(value)));
    if !has("requestReceivedTimestamp") {
        event.text("requestReceivedTimestamp", time);
    }
    let translated = Translated {
        json: event.finish(),
        original: quoted(&text),
        is_cut: true,
        any_level: false,
        peer_unknown: false,
        has_other_words: false,
        cluster: None,
        part: None,
    };
    // A time that cannot be read, or a user that is none.
    if translated.event().is_err() {
        return Some(Err(Reason::Cut { audit_id: audit_id.map(Into::into) }));
    }
    Some(Ok(translated))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/secrets","verb":"list","user":{"username":"mallory"},"sourceIPs":["10.0.0.9"],"objectRef":{"resource":"secrets","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":200},"responseObject":{"items":[{"data":{"x":"aaaa"}}]},"requestReceivedTimestamp":"2026-11-21T20:37:37.000000Z","stageTimestamp":"2026-11-21T20:37:38.000000Z"}"#;

    fn cut(length: usize) -> Option<Result<Translated, Reason>> {
        open(&quoted(&EVENT[..length]), Some("2026-11-21T20:37:39.123456789Z"))
    }

    #[test]
    fn what_was_whole_is_an_event_that_is_marked() {
        let length = EVENT.find("aaaa").unwrap();
        let translated = cut(length).unwrap().unwrap();
        let event = translated.event().unwrap();
        assert_eq!(event.user.name.as_deref(), Some("mallory"));
        assert_eq!((event.status.code, event.resource()), (Some(200), Some("secrets")));
        assert_eq!(event.event_time.map(crate::time::render).as_deref(), Some("2026-11-21T20:37:39.123456Z"));
        assert_eq!((event.stage_time, event.response_object.is_none()), (None, true));
        let other: serde_json::Value = serde_json::from_str(&event.other.unwrap()).unwrap();
        assert_eq!(other, serde_json::json!({"$event": &EVENT[..length], "$cut": true}));
        // Behind the bodies the event has its own time.
        let translated = cut(EVENT.len() - 20).unwrap().unwrap();
        let event = translated.event().unwrap();
        assert_eq!(event.event_time.map(crate::time::render).as_deref(), Some("2026-11-21T20:37:37.000000Z"));
    }

    #[test]
    fn too_little_is_a_reject_that_names_the_event() {
        for length in 0..EVENT.len() {
            let has_user = length >= EVENT.find(",\"sourceIPs").unwrap();
            let has_id = length >= EVENT.find(",\"stage\"").unwrap();
            match cut(length) {
                Some(Ok(_)) => assert!(has_user, "{length}"),
                Some(Err(Reason::Cut { audit_id })) => {
                    assert_eq!((audit_id.is_some(), has_user), (has_id, false), "{length}");
                }
                Some(Err(other)) => panic!("{other}"),
                None => assert!(!has_id, "{length}"),
            }
        }
        assert!(open(&quoted(EVENT), None).is_none(), "a whole event needs no help");
        assert!(open(&quoted("I0521 klog"), None).is_none());
    }
}

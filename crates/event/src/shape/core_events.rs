//! Events of core v1, or of `events.k8s.io`, as `kubectl get events -o json` gives them: what happened to objects, not who
//! asked the API server for what.

use super::{Opener, Shape};

pub(super) static SHAPE: Shape = Shape {
    name: "core-events",
    summary: "Events of core v1 (kubectl get events): kept, but no audit events",
    recognises: |head| {
        is_core(head.text("kind"), head.text("apiVersion"))
            || is_core(head.text("items.kind"), head.text("items.apiVersion"))
    },
    framing: None,
    opener: Opener::Foreign("an Event of core v1 (`kubectl get events`)", is_core_event),
    traces: &[],
};

fn is_core(kind: &str, api_version: &str) -> bool {
    matches!(kind, "Event" | "EventList") && (api_version == "v1" || api_version.starts_with("events.k8s.io/"))
}

fn is_core_event(object: &str) -> bool {
    let (mut kind, mut api_version, mut items) = (None, None, None);
    let whole = crate::json::members(object, &mut |key, value| match key.as_ref() {
        "kind" => kind = crate::json::string(value),
        "apiVersion" => api_version = crate::json::string(value),
        "items" => items = value.get(1..),
        _ => (),
    });
    // `kubectl get events -o json` calls its list `List`.
    if whole.is_ok() && kind.as_deref() == Some("List") {
        let items = serde_json::Deserializer::from_str(items.unwrap_or_default());
        let first = items.into_iter::<&serde_json::value::RawValue>().next();
        return first.and_then(Result::ok).is_some_and(|item| is_core_event(item.get()));
    }
    whole.is_ok() && is_core(&kind.unwrap_or_default(), &api_version.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_events_are_told_from_audit_events() {
        let event = r#"{"apiVersion":"v1","kind":"Event","metadata":{"name":"x"},"message":"Scaled up"}"#;
        assert!(is_core_event(event));
        assert!(is_core_event(&format!("{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{event}]}}")));
        assert!(!is_core_event(&event.replace("\"v1\"", "\"audit.k8s.io/v1\"")));
        assert!(!is_core_event("{\"kind\":\"List\",\"items\":[]}") && !is_core_event("{"));
    }
}

//! Events as Elastic stores them, in the field `kubernetes.audit`: the dots of their keys are replaced
//! (`authorization_k8s_io/decision`), because a dot in a key means a nested object to it, and an event
//! without annotations has an empty object of them, which the server never writes.
//!
//! The part of such a key before the slash is a DNS name, which cannot hold an underscore. So the way
//! back is not a guess.

use std::borrow::Cow;

use super::{Opener, Shape};
use crate::json;
use crate::keys;

pub(super) static SHAPE: Shape = Shape {
    name: "elastic-agent",
    summary: "Elastic Agent: events as objects in `kubernetes.audit`, the dots in their keys replaced",
    recognises: |head| head.has("kubernetes.audit") || head.has("_source.kubernetes.audit"),
    framing: None,
    opener: Opener::Member("audit", restored),
    traces: &[],
};

/// An audit event with the keys of its annotations and of its users' extras as the server wrote them.
fn restored(event: &str) -> Cow<'_, str> {
    let (mut out, mut changed) = (String::with_capacity(event.len()), false);
    let is_added = |key: &str, value: &str| key == "annotations" && value == "{}";
    let left_out = rewrite(event, &mut out, &is_added, &mut |key, value, out| match key {
        "annotations" => changed |= rewrite_keys(value, out),
        "user" | "impersonatedUser" => {
            rewrite(value, out, &|_, _| false, &mut |key, value, out| match key {
                "extra" => changed |= rewrite_keys(value, out),
                _ => out.push_str(value),
            });
        }
        _ => out.push_str(value),
    });
    if changed || left_out { Cow::Owned(out) } else { Cow::Borrowed(event) }
}

/// Writes an object again without what `is_added`, its values by `write`; anything else as it is. Whether some were left out.
fn rewrite(
    object: &str,
    out: &mut String,
    is_added: &dyn Fn(&str, &str) -> bool,
    write: &mut dyn FnMut(&str, &str, &mut String),
) -> bool {
    let (start, mut first, mut left_out) = (out.len(), true, false);
    out.push('{');
    let whole = json::members(object, &mut |key, value| {
        if is_added(&key, value) {
            left_out = true;
            return;
        }
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        json::push_string(out, &key);
        out.push(':');
        write(&key, value, out);
    });
    match whole {
        Ok(()) => out.push('}'),
        Err(_) => {
            out.truncate(start);
            out.push_str(object);
            left_out = false;
        }
    }
    left_out
}

/// Writes an object again with dots in its keys; whether any key changed.
fn rewrite_keys(object: &str, out: &mut String) -> bool {
    let restored = keys::with_dots(object);
    out.push_str(restored.as_deref().unwrap_or(object));
    restored.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_come_back_where_only_a_dns_name_can_stand() {
        let event = r#"{"user":{"extra":{"authentication_kubernetes_io/credential-id":["JTI=x"]}},"annotations":{"authorization_k8s_io/decision":"allow","my_key":"a_b/c"}}"#;
        let expected = r#"{"user":{"extra":{"authentication.kubernetes.io/credential-id":["JTI=x"]}},"annotations":{"authorization.k8s.io/decision":"allow","my_key":"a_b/c"}}"#;
        assert_eq!(restored(event), expected);
        for untouched in [expected, r#"{"annotations":[1],"user":7}"#, "{}"] {
            assert_eq!(restored(untouched), untouched);
        }
        assert_eq!(restored(r#"{"a":1,"annotations":{},"b":2}"#), r#"{"a":1,"b":2}"#);
    }

    #[test]
    fn only_what_elastic_adds_is_left_out() {
        let event = r#"{"user":{"annotations":{},"extra":{"a_b/c":[]}},"annotations":{}}"#;
        assert_eq!(restored(event), r#"{"user":{"annotations":{},"extra":{"a.b/c":[]}}}"#);
    }
}

//! Wrappers in which tools leave a log, written from its lines: shared by the tests that compare values and those that plant events.
#![allow(dead_code, reason = "every program uses its own part of this")]

use serde_json::Value;

/// A time of a collector.
const TIME: &str = "2026-11-21T20:37:37.365950+00:00";

/// The stream in which EKS keeps the audit log.
const STREAM: &str = "kube-apiserver-audit-9001184c2a7f";

/// A log in a wrapper, of its lines and of the events that they are.
pub(crate) type Wrap = fn(&[String], &[Value]) -> String;

/// Wrappers that keep every value, by name.
pub(crate) const WRAPPERS: &[(&str, Wrap)] = &[
    ("flow YAML, an item a line", |_, events| each(events, |event| format!("- {}\n", flow(event)))),
    ("flow YAML, documents", |_, events| {
        each(events, |event| format!("--- {}\n", flow(event).replace(", ", ",\n    ")))
    }),
    ("flow YAML, a list", |_, events| {
        format!("[{}]\n", each(events, |event| flow(event) + ", ").trim_end_matches(", "))
    }),
    ("flow YAML in block YAML", |_, events| each(events, |event| format!("---\n{}", half_flow(event)))),
];

fn each<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    items.iter().map(one).collect()
}

/// A value in YAML's brackets, names without quotation marks.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let name = |name: &str| {
                let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
                if is_plain {
                    name.to_owned()
                } else {
                    format!("'{}'", name.replace('\'', "''").replace('\n', "\n\n    "))
                }
            };
            let members = members.iter().map(|(key, value)| format!("{}: {}", name(key), flow(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// The members a line each, what they hold in brackets: what PyYAML makes of an event.
fn half_flow(event: &Value) -> String {
    let members = event.as_object().into_iter().flatten();
    members.map(|(name, value)| format!("{name}: {}\n", flow(value))).collect()
}

//! What changed between two times, and the way back as YAML.

use std::fmt::Write as _;

use serde_json::Value;

use super::authorize::label;
use super::replay::{Known, Object, ObjectKey, ObjectKind, Replay};
use super::rule::Rule;
use crate::manifest::{items, text};
use crate::yaml;

/// Members that the server keeps, or that do not matter for what is allowed.
const NOT_COMPARED: [&str; 8] = [
    "managedFields",
    "resourceVersion",
    "uid",
    "creationTimestamp",
    "generation",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It is another.
    Changed,
    /// Something was done to it that the log does not tell.
    Unknown,
}

impl How {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        }
    }
}

/// An object that differs between two times.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which.
    pub key: ObjectKey,
    /// What became of it.
    pub how: How,
    /// As it was.
    pub before: Option<Value>,
    /// As it is.
    pub after: Option<Value>,
    /// What changed it last, between the times.
    pub known: Known,
    /// When.
    pub time: Option<i64>,
    /// Lines that went (`-`) and came (`+`).
    pub lines: Vec<String>,
}

/// What differs between two times, by name. The earlier one comes first.
pub fn changes(replay: &Replay, from: i64, to: i64) -> Vec<Change> {
    let mut found = Vec::new();
    for key in replay.keys() {
        let ((before, _), (after, _)) = (replay.at(key, from), replay.at(key, to));
        let last = replay.moments(key).filter(|(time, ..)| *time > from && *time <= to).last();
        let (before, after) = (clean(&before), clean(&after));
        let how = match (&before, &after) {
            (Some(None), Some(None)) => continue,
            (Some(None), Some(Some(_))) => How::Added,
            (Some(Some(_)), Some(None)) => How::Removed,
            (Some(Some(old)), Some(Some(new))) if old == new => continue,
            (Some(Some(_)), Some(Some(_))) => How::Changed,
            // What is unknown at both times and was not touched between them is no change.
            _ if last.is_none() => continue,
            _ => How::Unknown,
        };
        let (before, after) = (before.flatten(), after.flatten());
        let lines = lines(before.as_ref(), after.as_ref());
        found.push(Change {
            key: key.clone(),
            how,
            lines,
            before,
            after,
            known: last.map_or(Known::Unknown, |(_, _, known)| known.clone()),
            time: last.map(|(time, ..)| time),
        });
    }
    found.sort_by(|left, right| (left.time, &left.key).cmp(&(right.time, &right.key)));
    found
}

/// An object without what the server keeps; `Some(None)` when it was not there, `None` when it is unknown.
#[expect(clippy::option_option, reason = "unknown, absent and known are three things")]
fn clean(object: &Object) -> Option<Option<Value>> {
    match object {
        Object::Unknown => None,
        Object::Absent => Some(None),
        Object::Is(object) => Some(Some(without_server_fields(object))),
    }
}

/// An object as one would apply it.
pub(crate) fn without_server_fields(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, value| !NOT_COMPARED.contains(&name.as_str()) && !value.is_null());
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    object
}

/// What an object gives, a line each.
fn content(object: &Value) -> Vec<String> {
    let mut lines: Vec<String> = Rule::all_of(object).iter().map(|rule| format!("rule {}", rule.text())).collect();
    if let Some(role) = text(object, "/roleRef/name") {
        lines.push(format!("role {}/{role}", text(object, "/roleRef/kind").unwrap_or("?")));
    }
    for subject in items(object, "/subjects") {
        let parts = ["/kind", "/namespace", "/name"].into_iter().filter_map(|path| text(subject, path));
        lines.push(format!("subject {}", parts.collect::<Vec<_>>().join("/")));
    }
    lines.sort();
    lines
}

fn lines(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let (before, after) = (before.map(content).unwrap_or_default(), after.map(content).unwrap_or_default());
    let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
    gone.chain(after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"))).collect()
}

/// The way back: what `kubectl apply -f -` restores, and as comments what is to be deleted.
pub fn way_back(changes: &[Change]) -> String {
    let mut out = String::new();
    for change in changes {
        let what = yaml::text(&label(&change.key));
        // Writing into a string cannot fail.
        let _ = match (change.how, &change.before) {
            (How::Added, _) => writeln!(out, "# {what} was added; to remove it:\n{}", deletion(&change.key)),
            (How::Unknown, _) => writeln!(out, "# {what} was changed, and what it was is not known"),
            (How::Changed, Some(before)) if role_differs(change) => {
                // The role of a binding cannot be changed.
                writeln!(
                    out,
                    "# {what} has another role now; first remove it:\n{}\n---\n{}",
                    deletion(&change.key),
                    manifest(&change.key, before)
                )
            }
            (_, Some(before)) => {
                writeln!(out, "# {what} was {}\n---\n{}", change.how.name(), manifest(&change.key, before))
            }
            (_, None) => Ok(()),
        };
    }
    out
}

fn role_differs(change: &Change) -> bool {
    let role = |object: &Option<Value>| object.as_ref().and_then(|object| object.get("roleRef").cloned());
    role(&change.before) != role(&change.after)
}

/// A command that deletes an object, as a comment.
fn deletion(key: &ObjectKey) -> String {
    delete_command(key.kind.resource(), &key.namespace, &key.name)
        .map_or_else(|| "#   (its name is no word for a command line)".to_owned(), |command| format!("#   {command}"))
}

/// `kubectl delete …`; `None` when a name holds what no command line should.
pub(crate) fn delete_command(resource: &str, namespace: &str, name: &str) -> Option<String> {
    let in_namespace = match namespace {
        "" => String::new(),
        namespace => format!(" -n {}", yaml::shell_word(namespace)?),
    };
    let resource = yaml::shell_word(resource)?;
    // What begins with a dash is a name behind `--` only: `kubectl delete clusterroles --all` would remove them all.
    match name.strip_prefix('-') {
        None => Some(format!("kubectl delete {resource} {}{in_namespace}", yaml::shell_word(name)?)),
        Some(_) => {
            let quoted = yaml::shell_word(&format!("x{name}"))?;
            let name = quoted.replacen('x', "", 1);
            Some(format!("kubectl delete {resource}{in_namespace} -- {name}"))
        }
    }
}

/// An object as a document that can be applied.
pub(crate) fn manifest(key: &ObjectKey, object: &Value) -> String {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.entry("apiVersion").or_insert_with(|| Value::from(api_version(key.kind)));
        members.entry("kind").or_insert_with(|| Value::from(key.kind.name()));
        let metadata = members.entry("metadata").or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("name".to_owned(), Value::from(key.name.clone()));
            if !key.namespace.is_empty() {
                metadata.insert("namespace".to_owned(), Value::from(key.namespace.clone()));
            }
        }
    }
    yaml::document(&object)
}

fn api_version(kind: ObjectKind) -> &'static str {
    if kind == ObjectKind::ServiceAccount { "v1" } else { "rbac.authorization.k8s.io/v1" }
}

//! A body as a list of objects: an object is a list of itself, a JSON Patch one of the values at its paths.

use std::borrow::Cow;

use kforensic_event::json;

use super::object::Object;
use crate::json::written;

/// Levels of a path that are followed. A client chooses how many there are.
const PATH_PARTS_MAX: usize = 32;

/// The objects of a body; `None` when it is neither an object nor a list.
///
/// An operation of a JSON Patch that sets `/spec/containers/0/image` becomes `{"spec":{"containers":[{"image":…}]}}`, and is
/// read like a merge patch.
pub(super) fn parts(body: &str) -> Option<Vec<Cow<'_, str>>> {
    match Object::of(body) {
        Some(_) => Some(vec![Cow::Borrowed(body)]),
        None => Some(operations(body)?.iter().filter_map(as_object).map(Cow::Owned).collect()),
    }
}

/// What a JSON Patch puts somewhere.
pub(super) struct Operation<'a> {
    /// Where, as it is written; empty for the whole object.
    pub(super) path: Cow<'a, str>,
    /// What, as it stands there.
    pub(super) value: &'a str,
}

/// The operations that add or replace something; `None` when the body is no list. `move` and `copy` carry no value.
pub(super) fn operations(body: &str) -> Option<Vec<Operation<'_>>> {
    let mut found = Vec::new();
    let mut each = |operation| {
        let Some(operation) = Object::of(operation) else { return };
        let puts = operation.text("op").is_some_and(|op| op == "add" || op == "replace");
        if let Some(value) = operation.get("value").filter(|_| puts) {
            found.push(Operation { path: operation.text("path").unwrap_or_default(), value });
        }
    };
    json::elements(body, &mut each).ok()?;
    Some(found)
}

/// The paths that the operations of a JSON Patch take something away from.
pub(super) fn removals(body: &str) -> Vec<Cow<'_, str>> {
    let mut found = Vec::new();
    let mut each = |operation| {
        let Some(operation) = Object::of(operation) else { return };
        found.extend(match operation.text("op").as_deref() {
            Some("remove") => operation.text("path"),
            Some("move") => operation.text("from"),
            _ => None,
        });
    };
    // What is no list has no operations.
    let _ = json::elements(body, &mut each);
    found
}

/// A part of a path as it was before it was escaped (RFC 6901).
pub(super) fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// Whether a part of a path is a place in a list.
pub(super) fn is_place(part: &str) -> bool {
    part == "-" || !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn as_object(operation: &Operation<'_>) -> Option<String> {
    let names: Vec<&str> = operation.path.split('/').collect();
    (names.len() <= PATH_PARTS_MAX).then(|| {
        names[1..].iter().rev().fold(written(operation.value).into_owned(), |value, name| {
            if is_place(name) {
                return format!("[{value}]");
            }
            let mut part = "{".to_owned();
            json::push_string(&mut part, &unescaped(name));
            part.push(':');
            part.push_str(&value);
            part.push('}');
            part
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_becomes_what_a_merge_patch_would_be() {
        let patch = r#"[
            {"op":"replace","path":"/spec/containers/0/image","value":"evil"}, {"op":"add","path":"/metadata/labels/a~1b","value":1},
            {"op":"remove","path":"/spec"}, {"op":"add","path":"","value":{"kind":"Pod"}}, {"op":"test"}, 7]"#;
        assert_eq!(
            parts(patch).unwrap(),
            [
                r#"{"spec":{"containers":[{"image":"evil"}]}}"#,
                r#"{"metadata":{"labels":{"a/b":1}}}"#,
                r#"{"kind":"Pod"}"#
            ]
        );
        assert_eq!(parts(r#"{"a":1}"#).unwrap(), [r#"{"a":1}"#]);
        assert_eq!((parts("7"), parts("\"x\""), parts("")), (None, None, None));
        let deep = format!(r#"[{{"op":"add","path":"{}","value":1}}]"#, "/a".repeat(32));
        assert!(parts(&deep).unwrap().is_empty());
    }
}

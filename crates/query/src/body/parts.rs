//! A body as a list of objects: an object is a list of itself, a JSON Patch one of the values at its paths.

use std::borrow::Cow;

use kforensic_event::json;

use super::object::{Object, elements};
use crate::json::written;

/// Levels of a path that are followed. A client chooses how many there are.
const PATH_PARTS_MAX: usize = 32;

/// The objects of a body; `None` when it is neither an object nor a list.
///
/// An operation of a JSON Patch that sets `/spec/containers/0/image` becomes `{"spec":{"containers":[{"image":…}]}}`, and is
/// read like a merge patch. `move` and `copy` carry no value.
pub(super) fn parts(body: &str) -> Option<Vec<Cow<'_, str>>> {
    match body.trim_ascii_start().as_bytes().first()? {
        b'{' => Object::of(body).map(|_| vec![Cow::Borrowed(body)]),
        b'[' => Some(elements(body).into_iter().filter_map(operation).map(Cow::Owned).collect()),
        _ => None,
    }
}

fn operation(operation: &str) -> Option<String> {
    let operation = Object::of(operation)?;
    operation.text("op").filter(|op| op == "add" || op == "replace")?;
    let value = operation.get("value")?;
    let path = operation.text("path").unwrap_or_default();
    let names: Vec<&str> = path.split('/').collect();
    (names.len() <= PATH_PARTS_MAX).then(|| {
        names[1..].iter().rev().fold(written(value).into_owned(), |value, name| {
            let is_place = *name == "-" || !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
            if is_place {
                return format!("[{value}]");
            }
            let mut part = "{".to_owned();
            json::push_string(&mut part, &name.replace("~1", "/").replace("~0", "~"));
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

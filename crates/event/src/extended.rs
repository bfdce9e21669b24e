//! Numbers as MongoDB's Extended JSON writes them: `{"$numberInt":"3"}`, `{"$numberLong":"5"}`, `{"$numberDouble":"0.5"}`.
//!
//! A client of Kubernetes can send an object with such a member too. So bodies are read in this way only in a record that is
//! certain to come from MongoDB: its own id, times or status are written with their types ([`is_id`], [`is_time`],
//! [`has_number`]).

use memchr::memmem;
use serde_json::value::RawValue;

use crate::json;

/// Nesting of a body that is looked into.
const MAX_DEPTH: usize = 64;

/// How the name of every such type begins.
pub(crate) const NUMBER: &[u8] = b"\"$number";

/// Whether the member `_id` of a record is what MongoDB makes of it: `{"$oid":"65a0…"}`.
pub(crate) fn is_id(value: &str) -> bool {
    let is_hex = |id: &str| id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    only(value).is_some_and(|(name, id)| name == "$oid" && json::string(id).is_some_and(|id| is_hex(&id)))
}

/// Whether a time is written with its type: `{"$date":…}`.
pub(crate) fn is_time(value: &str) -> bool {
    value.starts_with('{') && only(value).is_some_and(|(name, _)| name == "$date")
}

/// Whether a `responseStatus` has its code as such a number.
pub(crate) fn has_number(status: &str) -> bool {
    memmem::find(status.as_bytes(), NUMBER).is_some()
        && json::member(status, "code").is_some_and(|code| number(code).is_some())
}

/// A body with its numbers as JSON writes them; `None` when it has none with a type.
pub(crate) fn with_numbers(body: &str) -> Option<String> {
    memmem::find(body.as_bytes(), NUMBER)?;
    let mut out = String::with_capacity(body.len());
    let is_changed = rewrite(body, &mut out, MAX_DEPTH);
    (is_changed && serde_json::from_str::<&RawValue>(&out).is_ok()).then_some(out)
}

/// The one member of an object.
fn only(object: &str) -> Option<(String, &str)> {
    let (mut found, mut count) = (None, 0);
    json::members(object, &mut |name, value| {
        count += 1;
        found = Some((name.into_owned(), value));
    })
    .ok()?;
    found.filter(|_| count == 1)
}

/// A number that its type stands around, as JSON writes it. `NaN` and `Infinity` are none there.
fn number(object: &str) -> Option<String> {
    let (kind, value) = only(object).filter(|_| object.starts_with('{'))?;
    let text = json::string(value)?;
    match kind.as_str() {
        "$numberInt" | "$numberLong" => text.parse::<i64>().ok().map(|number| number.to_string()),
        "$numberDouble" | "$numberDecimal" => {
            serde_json::from_str::<serde_json::Number>(&text).ok()?;
            // The shell keeps whole numbers as doubles, and the server writes them without a fraction.
            Some(text.strip_suffix(".0").unwrap_or(&text).to_owned())
        }
        _ => None,
    }
}

/// Writes a value again, `depth` levels deep; whether any number had a type.
fn rewrite(value: &str, out: &mut String, depth: usize) -> bool {
    if depth == 0 || memmem::find(value.as_bytes(), NUMBER).is_none() {
        out.push_str(value);
        return false;
    }
    if let Some(number) = number(value) {
        out.push_str(&number);
        return true;
    }
    let (start, mut changed, mut first) = (out.len(), false, true);
    let is_whole = match value.as_bytes().first() {
        Some(b'{') => {
            out.push('{');
            let whole = json::members(value, &mut |key, value| {
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                json::push_string(out, &key);
                out.push(':');
                changed |= rewrite(value, out, depth - 1);
            });
            out.push('}');
            whole.is_ok()
        }
        Some(b'[') => {
            out.push('[');
            let whole = json::elements(value, &mut |item| {
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                changed |= rewrite(item, out, depth - 1);
            });
            out.push(']');
            whole.is_ok()
        }
        _ => false,
    };
    if !is_whole {
        out.truncate(start);
        out.push_str(value);
        return false;
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_their_types_and_nothing_else_changes() {
        for (body, expected) in [
            (r#"{"a":{"$numberInt":"-3"}}"#, Some(r#"{"a":-3}"#)),
            (r#"{"a":[{"$numberLong":"9007199254740993"},"x"]}"#, Some(r#"{"a":[9007199254740993,"x"]}"#)),
            (r#"[{ "b" : {"$numberDouble":"0.5"}},{"c":null}]"#, Some(r#"[{"b":0.5},{"c":null}]"#)),
            (r#"{"a":{"$numberDouble":"3.0"},"b":{"$numberDecimal":"1E+3"}}"#, Some(r#"{"a":3,"b":1E+3}"#)),
            (r#"{"a":{"$numberInt":"1"},"b":{"$numberInt":"x"}}"#, Some(r#"{"a":1,"b":{"$numberInt":"x"}}"#)),
            // None of these is such a number.
            (r#"{"a":{"$numberDouble":"NaN"}}"#, None),
            (r#"{"a":{"$numberInt":"1","b":2}}"#, None),
            (r#"{"a":{"$numberInt":1}}"#, None),
            (r#"{"a":{"$numberLong":"99999999999999999999"}}"#, None),
            (r#"{"a":"{\"$numberInt\":\"1\"}"}"#, None),
            (r#"{"a":1}"#, None),
        ] {
            assert_eq!(with_numbers(body).as_deref(), expected, "{body}");
        }
        let deep = format!("{}{{\"$numberInt\":\"1\"}}{}", "[".repeat(80), "]".repeat(80));
        assert_eq!(with_numbers(&deep), None);
    }

    #[test]
    fn what_mongodb_writes_is_told_from_what_looks_alike() {
        assert!(is_id(r#"{"$oid":"65a000000000000000000001"}"#));
        for none in [r#""65a000000000000000000001""#, r#"{"$oid":"x"}"#, r#"{"$oid":"65a000000000000000000001","a":1}"#]
        {
            assert!(!is_id(none), "{none}");
        }
        assert!(is_time(r#"{"$date":{"$numberLong":"1"}}"#) && !is_time(r#"{"seconds":1}"#) && !is_time("\"x\""));
        assert!(has_number(r#"{"code":{"$numberInt":"403"}}"#) && !has_number(r#"{"code":403,"x":"$number"}"#));
    }
}

//! Numbers and times as MongoDB's Extended JSON writes them: `{"$numberInt":"3"}`, `{"$numberLong":"5"}`, `{"$numberDouble":"0.5"}`,
//! `{"$date":"2026-11-21T20:37:37Z"}`.
//!
//! A client of Kubernetes can send an object with such a member too. So bodies are read in this way only in a record that is
//! certain to come from MongoDB: its own id, times or status are written with their types ([`is_id`], [`is_time`],
//! [`has_number`]).

use memchr::memmem;

use crate::json::{self, Rewrite, Told};
use crate::time;

/// Nesting of a body that is looked into.
const MAX_DEPTH: usize = 64;

/// How the name of every type of a number begins.
pub(crate) const NUMBER: &[u8] = b"\"$number";

/// The name of the type of a time.
const DATE: &[u8] = b"\"$date\"";

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

/// A body with its numbers and times as the server writes them; `None` when it has none with a type.
pub(crate) fn without_types(body: &str) -> Option<String> {
    if !may_have_types(body) {
        return None;
    }
    json::rewritten(body, MAX_DEPTH, Types)
}

fn may_have_types(value: &str) -> bool {
    [NUMBER, DATE].iter().any(|name| memmem::find(value.as_bytes(), name).is_some())
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

/// A time in a text, as the server writes it: without a fraction, or with six digits of one.
fn date(object: &str) -> Option<String> {
    let (_, value) = only(object).filter(|(name, _)| object.starts_with('{') && name == "$date")?;
    let micros = match json::string(value) {
        Some(text) => time::parse(&text)?,
        None => number(value)?.parse::<i64>().ok()?.checked_mul(1_000)?,
    };
    let mut text = String::new();
    json::push_string(&mut text, &time::render(micros).replace(".000000Z", "Z"));
    Some(text)
}

/// What types become.
#[derive(Clone, Copy)]
struct Types;

impl Rewrite for Types {
    fn value(self, value: &str) -> Told {
        if !may_have_types(value) {
            return Told::Kept;
        }
        number(value).or_else(|| date(value)).map_or(Told::Within, Told::Replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_lose_their_types_and_nothing_else_changes() {
        for (body, expected) in [
            (r#"{"a":{"$numberInt":"-3"}}"#, Some(r#"{"a":-3}"#)),
            (r#"{"a":[{"$numberLong":"9007199254740993"},"x"]}"#, Some(r#"{"a":[9007199254740993,"x"]}"#)),
            (r#"[{ "b" : {"$numberDouble":"0.5"}},{"c":null}]"#, Some(r#"[{"b":0.5},{"c":null}]"#)),
            (r#"{"a":{"$numberDouble":"3.0"},"b":{"$numberDecimal":"1E+3"}}"#, Some(r#"{"a":3,"b":1E+3}"#)),
            (r#"{"a":{"$numberInt":"1"},"b":{"$numberInt":"x"}}"#, Some(r#"{"a":1,"b":{"$numberInt":"x"}}"#)),
            (r#"{"t":{"$date":"2026-11-21T20:37:37Z"}}"#, Some(r#"{"t":"2026-11-21T20:37:37Z"}"#)),
            (r#"{"t":{"$date":"2026-11-21T20:37:37.5Z"}}"#, Some(r#"{"t":"2026-11-21T20:37:37.500000Z"}"#)),
            (r#"{"t":{"$date":{"$numberLong":"1795293457000"}}}"#, Some(r#"{"t":"2026-11-21T20:37:37Z"}"#)),
            // None of these is such a number, nor such a time.
            (r#"{"t":{"$date":"now"}}"#, None),
            (r#"{"t":{"$date":"2026-11-21T20:37:37Z","x":1}}"#, None),
            (r#"{"a":{"$numberDouble":"NaN"}}"#, None),
            (r#"{"a":{"$numberInt":"1","b":2}}"#, None),
            (r#"{"a":{"$numberInt":1}}"#, None),
            (r#"{"a":{"$numberLong":"99999999999999999999"}}"#, None),
            (r#"{"a":"{\"$numberInt\":\"1\"}"}"#, None),
            (r#"{"a":1}"#, None),
        ] {
            assert_eq!(without_types(body).as_deref(), expected, "{body}");
        }
        let deep = format!("{}{{\"$numberInt\":\"1\"}}{}", "[".repeat(80), "]".repeat(80));
        assert_eq!(without_types(&deep), None);
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

//! Reading the body of a request as the API server does: of members with one name the last counts.
//!
//! Nothing is built: an object is the places of its members, and what nobody asks for is never looked into.

use std::borrow::Cow;

use kforensic_event::json;

/// The members of a JSON object, in order.
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Object<'a> {
    /// The object that `text` is, and `None` when it is anything else.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let mut members = Vec::new();
        json::members(text, &mut |name, value| members.push((name, value))).ok()?;
        Some(Self(members))
    }

    /// The last member of that name, as it stands there.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(member, _)| member == name).map(|(_, value)| *value)
    }

    /// The member as text, when it is a string with something in it.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(text)
    }

    /// The member, when it is an object.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        self.get(name).and_then(Self::of)
    }

    /// The objects in the list that the member is.
    pub(super) fn objects(&self, name: &str) -> impl Iterator<Item = Self> {
        self.elements(name).into_iter().filter_map(Self::of)
    }

    /// The elements of the list that the member is.
    pub(super) fn elements(&self, name: &str) -> Vec<&'a str> {
        self.get(name).map(elements).unwrap_or_default()
    }

    /// Whether the member is `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// All names with their values, in order; doubles too.
    pub(super) fn members(&self) -> &[(Cow<'a, str>, &'a str)] {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The elements of a JSON list; none when `list` is anything else.
pub(super) fn elements(list: &str) -> Vec<&str> {
    let mut found = Vec::new();
    match json::elements(list, &mut |element| found.push(element)) {
        Ok(()) => found,
        Err(_) => Vec::new(),
    }
}

/// A JSON string with something in it.
pub(super) fn text(value: &str) -> Option<Cow<'_, str>> {
    json::string(value).filter(|text| !text.is_empty())
}

/// A value as a person reads it: a string without its quotes, all else as it stands there; `None` for `null`.
pub(super) fn plain(value: &str) -> Option<Cow<'_, str>> {
    match value {
        "null" => None,
        _ if value.starts_with('"') => json::string(value),
        _ => Some(Cow::Borrowed(value)),
    }
}

/// A body in which every half of a surrogate pair that stands alone is U+FFFD, as in the server. It is valid JSON, but no
/// text can hold it: one in a label would hide the whole body.
pub(super) fn repaired(body: &str) -> Cow<'_, str> {
    let escape = |at: usize| {
        let digits = body.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut out, mut kept, mut at) = (String::new(), 0, 0);
    while let Some(found) = memchr::memchr(b'\\', &body.as_bytes()[at..]) {
        let start = at + found;
        at = match escape(start) {
            Some(0xd800..=0xdbff) if matches!(escape(start + 6), Some(0xdc00..=0xdfff)) => start + 12,
            Some(0xd800..=0xdfff) => {
                out.push_str(&body[kept..start]);
                out.push_str("\\ufffd");
                kept = start + 6;
                kept
            }
            // Every other escape is two bytes long or has letters behind them that are no escape; the second byte may be the
            // first of a longer character, in what is no JSON.
            _ => start + 1 + body[start + 1..].chars().next().map_or(0, char::len_utf8),
        };
    }
    if kept == 0 {
        return Cow::Borrowed(body);
    }
    out.push_str(&body[kept..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_members_counts() {
        let object = Object::of(r#"{"a":1,"b":[{"x":true},7,{"x":false}],"\u0061":"two"}"#).unwrap();
        assert_eq!(object.text("a").as_deref(), Some("two"));
        assert_eq!(object.objects("b").map(|item| item.is_true("x")).collect::<Vec<_>>(), [true, false]);
        assert_eq!(object.members().len(), 3);
        assert!(Object::of("[1]").is_none() && Object::of("{\"a\":1").is_none());
        assert_eq!((plain("\"x\""), plain("null"), plain("0.5")), (Some("x".into()), None, Some("0.5".into())));
    }

    #[test]
    fn halves_of_pairs_are_replaced_and_pairs_stay() {
        for (body, good) in [
            (r#"{"a":"plain"}"#, r#"{"a":"plain"}"#),
            (r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"\ud83d\ude00"}"#),
            (r#"{"a":"\ud83d","b":"\uDE00x\ud83d\ude00"}"#, r#"{"a":"\ufffd","b":"\ufffdx\ud83d\ude00"}"#),
            (r#"{"a":"\\ud83d\n\\\ud83d"}"#, r#"{"a":"\\ud83d\n\\\ufffd"}"#),
            ("\\", "\\"),
            ("\\ü\\ud8", "\\ü\\ud8"),
        ] {
            assert_eq!(repaired(body), good, "{body}");
        }
    }
}

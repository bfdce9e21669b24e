//! Reading JSON without building it: members of an object as raw slices, and strings.
//!
//! Values stay slices of the record (`RawValue`), so that what has no column of its own can be kept
//! byte for byte, and nothing is allocated for the parts that are only copied.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Calls `each` with every member of the JSON object `text`, in order, duplicates included.
///
/// # Errors
/// When `text` is not exactly one JSON object; the error's column counts bytes from 1.
pub fn members<'a>(text: &'a str, each: &mut dyn FnMut(Cow<'a, str>, &'a str)) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(Members(each))?;
    json.end()
}

/// The first member called `name` of a JSON object, as it stands there.
pub fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let mut found = None;
    members(object, &mut |key, value| found = found.or((key == name).then_some(value))).ok()?;
    found
}

/// The strings of a JSON array, or `None` when `text` is anything else than an array of strings.
pub fn strings(text: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let list = json.deserialize_seq(Strings).ok()?;
    json.end().ok()?;
    Some(list)
}

/// Calls `each` with every element of the JSON array `text`, in order.
///
/// # Errors
/// When `text` is not exactly one JSON array; the error's column counts bytes from 1.
pub fn elements<'a>(text: &'a str, each: &mut dyn FnMut(&'a str)) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_seq(Elements(each))?;
    json.end()
}

/// The value of the JSON string `text` (quotes included), or `None` when it is another kind of
/// value, or a string that Unicode cannot hold (a lone surrogate such as `"\ud800"`).
pub fn string(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(text).ok().map(Cow::Owned)
}

/// Whether `text` is a JSON object; `text` must be one valid JSON value.
pub fn is_object(text: &str) -> bool {
    text.starts_with('{')
}

/// Appends `value` to `out` as a JSON string.
pub fn push_string(out: &mut String, value: &str) {
    // Serialising a `&str` cannot fail; an empty string would only make the result visibly wrong.
    out.push_str(&serde_json::to_string(value).unwrap_or_default());
}

/// What becomes of a value that is written again.
pub(crate) enum Told {
    /// It stays as it is, with all that is in it.
    Kept,
    /// This stands in its place.
    Replaced(String),
    /// It is written again, with what becomes of its keys and values.
    Within,
}

/// What becomes of the keys and values of an object or a list.
pub(crate) trait Rewrite: Copy {
    /// The key in the place of that one, if it is another.
    fn key(self, _: &str) -> Option<String> {
        None
    }

    fn value(self, _: &str) -> Told {
        Told::Within
    }

    /// What holds in a value behind a key, as it stands now.
    fn behind(self, _key: &str, _value: &str) -> Self {
        self
    }

    /// What holds in the items of a list.
    fn item(self) -> Self {
        self
    }
}

/// Writes a value again, `levels` objects and lists deep; `None` when nothing in it becomes another.
pub(crate) fn rewritten(value: &str, levels: usize, rewrite: impl Rewrite) -> Option<String> {
    let mut writer = Writer { out: String::with_capacity(value.len()), is_changed: false };
    writer.value(value, levels, rewrite);
    (writer.is_changed && serde_json::from_str::<&RawValue>(&writer.out).is_ok()).then_some(writer.out)
}

struct Writer {
    out: String,
    is_changed: bool,
}

impl Writer {
    fn value(&mut self, value: &str, levels: usize, rewrite: impl Rewrite) {
        match rewrite.value(value) {
            Told::Replaced(other) => {
                self.out.push_str(&other);
                self.is_changed = true;
            }
            Told::Within if levels > 0 => self.within(value, levels - 1, rewrite),
            Told::Within | Told::Kept => self.out.push_str(value),
        }
    }

    /// An object or a list. What cannot be read stays as it is, and so does any other value.
    fn within(&mut self, value: &str, levels: usize, rewrite: impl Rewrite) {
        let (start, was_changed) = (self.out.len(), self.is_changed);
        let read = match value.as_bytes().first() {
            Some(b'{') => {
                self.out.push('{');
                let read = members(value, &mut |key, value| {
                    self.separate(start);
                    let other = rewrite.key(&key);
                    self.is_changed |= other.is_some();
                    let key = other.as_deref().unwrap_or(&key);
                    push_string(&mut self.out, key);
                    self.out.push(':');
                    self.value(value, levels, rewrite.behind(key, value));
                });
                self.out.push('}');
                read.is_ok()
            }
            Some(b'[') => {
                self.out.push('[');
                let read = elements(value, &mut |item| {
                    self.separate(start);
                    self.value(item, levels, rewrite.item());
                });
                self.out.push(']');
                read.is_ok()
            }
            _ => false,
        };
        if !read {
            self.out.truncate(start);
            self.out.push_str(value);
            self.is_changed = was_changed;
        }
    }

    /// A comma, unless what began at `start` holds nothing yet.
    fn separate(&mut self, start: usize) {
        if self.out.len() > start + 1 {
            self.out.push(',');
        }
    }
}

struct Members<'f, 'a>(&'f mut dyn FnMut(Cow<'a, str>, &'a str));

impl<'a> Visitor<'a> for Members<'_, 'a> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key::<Text<'a>>()? {
            let value: &'a RawValue = map.next_value()?;
            (self.0)(key, value.get());
        }
        Ok(())
    }
}

struct Elements<'f, 'a>(&'f mut dyn FnMut(&'a str));

impl<'a> Visitor<'a> for Elements<'_, 'a> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(value) = seq.next_element::<&'a RawValue>()? {
            (self.0)(value.get());
        }
        Ok(())
    }
}

struct Strings;

impl<'a> Visitor<'a> for Strings {
    type Value = Vec<Cow<'a, str>>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array of strings")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Text(item)) = seq.next_element::<Text<'a>>()? {
            list.push(item);
        }
        Ok(list)
    }
}

/// A string that borrows from the input unless it holds escapes (serde's own `Cow` always copies).
struct Text<'a>(Cow<'a, str>);

impl<'a> serde::Deserialize<'a> for Text<'a> {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'a> Visitor<'a> for TextVisitor {
    type Value = Text<'a>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, value: &'a str) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Owned(value.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_order_duplicates_and_bytes() {
        let mut seen = Vec::new();
        members(r#" {"a" : [1, 2],"b\u0063":{"x":1e999},"a":"\ud800"} "#, &mut |key, value| {
            seen.push((key.into_owned(), value));
        })
        .unwrap();
        let expected = [("a", "[1, 2]"), ("bc", r#"{"x":1e999}"#), ("a", r#""\ud800""#)];
        assert_eq!(seen, expected.map(|(key, value)| (key.to_owned(), value)));
    }

    #[test]
    fn elements_keep_order_and_bytes() {
        let mut seen = Vec::new();
        elements(r#" [1, {"a" : 2} ,"\ud800", [ ]] "#, &mut |value| seen.push(value)).unwrap();
        assert_eq!(seen, ["1", r#"{"a" : 2}"#, r#""\ud800""#, "[ ]"]);
        for bad in ["", "{}", "[1", "[1] 2"] {
            assert!(elements(bad, &mut |_| ()).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_whole_objects_are_objects() {
        for bad in ["", "[]", "7", "{} {}", r#"{"a":1"#, r#"{"a":}"#] {
            assert!(members(bad, &mut |_, _| ()).is_err(), "{bad}");
        }
    }

    #[test]
    fn strings_are_unescaped_and_lone_surrogates_refused() {
        assert_eq!(string(r#""/api?a=1\u0026b""#).as_deref(), Some("/api?a=1&b"));
        assert_eq!(string(r#""plain""#).as_deref(), Some("plain"));
        assert_eq!(string("7"), None);
        assert_eq!(string(r#""\ud800""#), None);
        assert_eq!(strings(r#"["a","b\n"]"#), Some(vec!["a".into(), "b\n".into()]));
        assert_eq!(strings(r#"["a",1]"#), None);
    }

    #[test]
    fn a_million_levels_of_nesting_do_not_overflow_the_stack() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(1_000_000), "]".repeat(1_000_000));
        let mut length = 0;
        members(&deep, &mut |_, value| length = value.len()).unwrap();
        assert_eq!(length, 2_000_000);
    }
}

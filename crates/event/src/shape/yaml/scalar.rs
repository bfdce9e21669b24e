//! Values and keys without brackets, as they stand in a line of a block.

use super::flow::Flow;
use crate::json;

/// The name of the anchor that a text begins with, and what is behind it.
pub(super) fn anchor(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('&')?;
    let end = text.find(' ').unwrap_or(text.len());
    Some((&text[..end], text[end..].trim_start()))
}

/// The key that a line begins with, and what is behind its colon.
pub(super) fn key(content: &str) -> Option<(String, &str)> {
    if content.starts_with(['"', '\'']) {
        let mut flow = Flow { text: content, at: 0, out: String::new() };
        flow.value(0).ok()?;
        let rest = content[flow.at..].trim_start().strip_prefix(':')?;
        return (rest.is_empty() || rest.starts_with(' '))
            .then_some(())
            .and_then(|()| Some((json::string(&flow.out)?.into_owned(), rest.trim_start())));
    }
    if content.starts_with(['{', '[', '|', '>', '&', '*', '!', '?', '#']) {
        return None;
    }
    let at = content.find(": ").or_else(|| content.strip_suffix(':').map(str::len))?;
    Some((content[..at].trim_end().to_owned(), content[at + 1..].trim_start()))
}

/// A text without the comment at its end.
pub(super) fn without_comment(text: &str) -> &str {
    if text.starts_with(['"', '\'', '{', '[']) {
        return text;
    }
    let end = if text.starts_with('#') { 0 } else { text.find(" #").unwrap_or(text.len()) };
    text[..end].trim_end()
}

/// Lines of a folded text: a line end is a blank, an empty line a line end.
pub(super) fn folded(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        match line.as_str() {
            "" => text.push('\n'),
            _ if text.is_empty() || text.ends_with('\n') => text.push_str(line),
            _ => {
                text.push(' ');
                text.push_str(line);
            }
        }
    }
    text
}

/// Writes a scalar without quotation marks: a number, a word that means something, or a text.
pub(super) fn push_plain(out: &mut String, value: &str) {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => out.push_str("null"),
        "true" | "True" | "TRUE" => out.push_str("true"),
        "false" | "False" | "FALSE" => out.push_str("false"),
        // A number that JSON writes in the same way. What has an exponent and no point is a text to those who write YAML 1.1, such as
        // the beginning of a commit's hash, and the servers' objects hold no such numbers.
        _ if (value.contains('.') || !value.contains(['e', 'E']))
            && serde_json::from_str::<serde_json::Number>(value).is_ok() =>
        {
            out.push_str(value);
        }
        _ => json::push_string(out, value),
    }
}

/// What a tag says of a value that is written as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// It is what it would be without quotation marks: `!!int "200"`.
    Plain,
    /// It is a text, whatever it looks like.
    Text,
}

/// The tag that a value begins with, and the value behind it; `None` for tags that are refused.
pub(super) fn tagged(text: &str) -> Option<(Tag, &str)> {
    let (tag, value) = text.split_once(' ')?;
    let tag = match tag {
        "!!int" | "!!float" | "!!bool" | "!!null" => Tag::Plain,
        "!!str" | "!!timestamp" => Tag::Text,
        _ => return None,
    };
    let value = value.trim_start();
    (!value.is_empty() && !value.starts_with(['!', '&', '*', '{', '['])).then_some((tag, value))
}

impl Tag {
    /// Makes of the JSON of a value, which was written to `out` from `start` on, what the tag says.
    pub(super) fn apply(self, out: &mut String, start: usize) -> Result<(), &'static str> {
        let written = out.split_off(start);
        let text = json::string(&written);
        match (self, text.as_deref()) {
            (Self::Plain, Some(text)) => push_plain(out, text),
            (Self::Text, None) => json::push_string(out, &written),
            (Self::Plain, None) | (Self::Text, Some(_)) => out.push_str(&written),
        }
        let is_plain = !out[start..].starts_with('"');
        if self == Self::Plain && !is_plain { Err("a tag that its value is not") } else { Ok(()) }
    }
}

//! Lines of XML and HTML with events in their text: `<payload><![CDATA[{…}]]></payload>`, `<Data>{&quot;kind&quot;:…}</Data>`, a page that
//! shows a log between `<pre>` and `</pre>`.
//!
//! What such a document is nobody knows, so all that is found in one is marked.

use super::framing::without_entities;
use crate::json;

/// How a part begins whose text stands as it is.
const AS_IT_IS: &str = "<![CDATA[";

/// The texts of a line that may be events, as a list of JSON.
pub(super) fn told(line: &str, holds_event: impl Fn(&str) -> bool) -> Option<String> {
    let line = line.trim_ascii();
    let is_markup = line.starts_with('<') && line.contains('>');
    if !(is_markup || line.starts_with("{&quot;") || line.starts_with("{&#34;")) {
        return None;
    }
    let mut out = String::from("[");
    for text in texts(line)? {
        if out.len() > 1 {
            out.push(',');
        }
        json::push_string(&mut out, &text);
    }
    out.push(']');
    holds_event(&out).then_some(out)
}

/// The texts of a line that begin as JSON does; `None` where a tag or a part has no end.
fn texts(line: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut push = |text: String| {
        if text.trim_ascii_start().starts_with(['{', '[']) {
            found.push(text);
        }
    };
    let mut rest = line;
    while !rest.is_empty() {
        if let Some(part) = rest.strip_prefix(AS_IT_IS) {
            let (text, behind) = part.split_once("]]>")?;
            push(text.to_owned());
            rest = behind;
        } else if rest.starts_with('<') {
            rest = rest.split_once('>')?.1;
        } else {
            let (text, behind) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
            push(without_entities(text)?);
            rest = behind;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_as_they_were() {
        let told = |line: &str| told(line, |_| true);
        let line =
            r#"<e id="1"><t>1</t><p><![CDATA[{"a":"<&amp;"}]]></p><d>{&quot;a&quot;:&quot;&lt;&#39;&quot;}</d></e>"#;
        assert_eq!(told(line).unwrap(), r#"["{\"a\":\"<&amp;\"}","{\"a\":\"<'\"}"]"#);
        assert_eq!(told("{&quot;a&quot;:1}</pre>").unwrap(), r#"["{\"a\":1}"]"#);
        for none in [r#"{"a":"&quot;"}"#, "<p><![CDATA[{}", "<p>{&nope;}</p>", "x <p>{}</p>", "<p"] {
            assert_eq!(told(none), None, "{none}");
        }
    }
}

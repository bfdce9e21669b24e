//! Splunk's XML: results with fields. Each result is a record; it is told as JSON, with the fields as members, and searched like any
//! other wrapper.
//!
//! What a client sent cannot break out of its field: every `<` and `&` of a value is written as an entity, which is undone here.

use std::ops::Range;

use memchr::memmem;

use super::Framing;
use crate::json;
use crate::reject::Reason;
use crate::shape::nested::{Nested, Tears};
use crate::shape::{BYTE_ORDER_MARK, MAX_RECORD_BYTES, Position, Record};

/// The framing of Splunk's XML.
pub(super) static XML: Xml = Xml;

/// See [`XML`].
#[derive(Debug)]
pub(in crate::shape) struct Xml;

const BEGINS: &[u8] = b"<result ";
const ENDS: &[u8] = b"</result>";

/// Whether a source begins as Splunk writes results.
pub(super) fn recognises(head: &[u8]) -> bool {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    let behind_declaration = match head.strip_prefix(b"<?xml") {
        Some(rest) => memmem::find(rest, b"?>").map_or(&[][..], |end| rest[end + 2..].trim_ascii_start()),
        None => head,
    };
    behind_declaration.starts_with(b"<results ") && memmem::find(head, BEGINS).is_some()
}

/// The results in a text, whole or torn; what stands between them is the text of the wrapper.
fn results(text: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(start) = memmem::find(&text[at..], BEGINS).map(|begins| at + begins) {
        let rest = &text[start + BEGINS.len()..];
        // Where the next one begins, one that has no end was torn.
        let next = memmem::find(rest, BEGINS).unwrap_or(rest.len());
        let end = memmem::find(&rest[..next], ENDS).map_or(next, |end| end + ENDS.len());
        at = start + BEGINS.len() + end;
        found.push(start..at);
    }
    found
}

impl Framing for Xml {
    fn name(&self) -> &'static str {
        "xml"
    }

    fn spans_lines(&self) -> bool {
        true
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        memmem::rfind(bytes, ENDS).map_or(0, |end| end + ENDS.len())
    }

    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        let (mut position, mut done) = (start, 0);
        let tears = Tears::default();
        for place in results(piece) {
            let bytes = piece[place.clone()].trim_ascii_end();
            position = position.after(&piece[done..place.start]);
            done = place.start;
            let terminated = !last || bytes.ends_with(ENDS);
            let record = Nested { position, bytes, terminated, tears: &tears };
            let told = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_RECORD_BYTES).and_then(object);
            match told {
                Some(object) => {
                    record.records_told(&object, Reason::NotAuditEvent { missing: "audit event in this result" }, each);
                }
                None => record.records(true, Reason::Torn, each),
            }
        }
    }
}

/// A result as a JSON object: the text of every field, several values as lines.
fn object(result: &str) -> Option<String> {
    let mut object = String::from("{");
    let mut rest = result.strip_suffix("</result>")?;
    while let Some((_, field)) = rest.split_once("<field k=") {
        let quote = field.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (name, behind) = field[1..].split_once(quote)?;
        let (content, behind) = behind.split_once('>')?.1.split_once("</field>")?;
        rest = behind;
        let values: Vec<String> = values(content)?;
        if object.len() > 1 {
            object.push(',');
        }
        json::push_string(&mut object, &text(name)?);
        object.push(':');
        json::push_string(&mut object, &values.join("\n"));
    }
    object.push('}');
    Some(object)
}

/// The values of a field: `<v …>` for the raw event, `<value><text>` for others.
fn values(content: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = content;
    while let Some(start) = ["<v>", "<v ", "<text>"].iter().filter_map(|tag| rest.find(tag)).min() {
        let tag = &rest[start..];
        let end = if tag.starts_with("<text>") { "</text>" } else { "</v>" };
        let (value, behind) = tag.split_once('>')?.1.split_once(end)?;
        found.push(text(value)?);
        rest = behind;
    }
    Some(found)
}

/// A text without its entities, and without the marks that Splunk puts around what was searched for.
pub(in crate::shape) fn text(written: &str) -> Option<String> {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find(['&', '<']) {
        out.push_str(&rest[..at]);
        let special = &rest[at..];
        if special.starts_with("<sg ") || special.starts_with("</sg>") {
            rest = special.split_once('>')?.1;
            continue;
        }
        let (entity, behind) = special.strip_prefix('&')?.split_once(';')?;
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = entity.strip_prefix('#')?;
                let number = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => number.parse(),
                };
                char::from_u32(number.ok()?)?
            }
        });
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_as_they_were() {
        let result = "<result offset='0'>\n <field k='_time'>\n <value><text>a&amp;b</text></value>\n </field>\n <field k=\"x\"><value><text>1</text></value><value><text>2</text></value></field><field k='_raw'><v xml:space='preserve' trunc='0'>{\"a\":\"&lt;&#39;&#x41;<sg h=\"1\">sec</sg>ret\\\"\"}</v></field></result>";
        let told: serde_json::Value = serde_json::from_str(&object(result).unwrap()).unwrap();
        let expected = serde_json::json!({"_time": "a&b", "x": "1\n2", "_raw": "{\"a\":\"<'Asecret\\\"\"}"});
        assert_eq!(told, expected);
        for torn in ["<result offset='0'>", "<result><field k='a'><v>&nbsp;</v></field></result>", "<field></result>"] {
            assert!(object(torn).is_none_or(|object| object == "{}"), "{torn}");
        }
    }

    #[test]
    fn results_follow_one_another_and_a_torn_one_ends_where_the_next_begins() {
        let text = b"<results preview='0'>\n<meta/>\n<result offset='0'>a</result>\n<result offset='1'>b\n<result offset='2'>c</result>\n<result offset='3'>d";
        let found: Vec<&[u8]> = results(text).into_iter().map(|place| text[place].trim_ascii_end()).collect();
        assert_eq!(
            found,
            [
                &b"<result offset='0'>a</result>"[..],
                b"<result offset='1'>b",
                b"<result offset='2'>c</result>",
                b"<result offset='3'>d"
            ]
        );
        assert!(recognises(b"<?xml version='1.0' encoding='UTF-8'?>\n<results preview='0'>\n<result offset='0'>"));
        assert!(!recognises(b"<?xml version='1.0'?>\n<log><result offset='0'>") && !recognises(b"<result offset='0'>"));
    }
}

//! Values as Python, JavaScript and Ruby print them (`{'kind': 'Event', 'code': None}`, `"annotations": NaN`, `{"kind"=>"Event"}`),
//! told as JSON.
//!
//! A log that went through `print`, `str`, `json.dumps` of a table with gaps, `rubydebug` of Logstash, or JSON5 looks so. A text is told as a whole or not at all: one
//! word that is none of these, one bracket too few, and it is no literal. Texts in quotation marks hold no control
//! characters, as in JSON.

use std::fmt;

use crate::json;
use crate::time;

/// Brackets in brackets that are opened.
const MAX_DEPTH: usize = 100;

/// Longest text that is looked at, in bytes. `repr` of one event is some kilobytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A literal, told as JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) json: String,
    /// Texts of it stood in single quotation marks. JSON does not escape these, so such a literal can stand, whole, in any text
    /// that a client sent.
    pub(crate) is_quoted_singly: bool,
}

/// The JSON of a whole text that is an object or list, but no JSON; `None` when it is JSON, or anything else.
pub(crate) fn read(text: &str) -> Option<Literal> {
    let text = text.trim_ascii();
    let is_closed = (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'));
    if !is_closed || text.len() > MAX_BYTES {
        return None;
    }
    let mut reader = Reader { text, at: 0, out: String::with_capacity(text.len()), single: false, other: false };
    reader.value(0)?;
    reader.blank();
    (reader.at == text.len() && reader.other).then_some(Literal { json: reader.out, is_quoted_singly: reader.single })
}

/// A text in quotation marks: as JSON, which it is, or as what it stands for.
enum Text<'a> {
    Json(&'a str),
    Told(String),
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(quoted) => out.write_str(&json::string(quoted).unwrap_or_default()),
            Self::Told(text) => out.write_str(text),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    out: String,
    single: bool,
    /// Something was not JSON.
    other: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Reads over blank space, and over comments as JavaScript has them.
    fn blank(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let blank = rest.len() - rest.trim_ascii_start().len();
            let comment = match &rest[blank..] {
                line if line.starts_with("//") => line.find('\n').unwrap_or(line.len()),
                block if block.starts_with("/*") => block.find("*/").map_or(block.len(), |end| end + 2),
                _ => 0,
            };
            self.at += blank + comment;
            self.other |= comment > 0;
            if comment == 0 {
                return;
            }
        }
    }

    /// Takes a byte, behind blank space, if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        self.blank();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.blank();
        match self.peek()? {
            _ if depth > MAX_DEPTH => None,
            b'{' => self.items(b'}', depth, true),
            b'[' => self.items(b']', depth, false),
            b'(' => {
                self.other = true;
                self.items(b')', depth, false)
            }
            b'"' | b'\'' => self.string(),
            _ => self.word(),
        }
    }

    fn items(&mut self, close: u8, depth: usize, named: bool) -> Option<()> {
        self.at += 1;
        let (open, end) = if named { ('{', '}') } else { ('[', ']') };
        self.out.push(open);
        let mut first = true;
        while !self.takes(close) {
            if !first {
                if !self.takes(b',') {
                    return None;
                }
                // A tuple of one ends with a comma, and so may any list.
                if self.takes(close) {
                    self.other = true;
                    break;
                }
                self.out.push(',');
            }
            first = false;
            if named {
                self.blank();
                self.name()?;
                if !(self.takes(b':') || self.arrow()) {
                    return None;
                }
                self.out.push(':');
            } else if close == b']' {
                self.number_of_item();
            }
            self.value(depth + 1)?;
        }
        self.out.push(end);
        Some(())
    }

    /// The name of a member, in quotation marks or, in JavaScript, without any.
    fn name(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$');
        let bare = &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())];
        if bare.is_empty() || bare.starts_with(|first: char| first.is_ascii_digit()) {
            return self.string();
        }
        self.at += bare.len();
        json::push_string(&mut self.out, bare);
        self.other = true;
        Some(())
    }

    /// What Ruby writes between a name and its value.
    fn arrow(&mut self) -> bool {
        self.blank();
        let is_next = self.text[self.at..].starts_with("=>");
        self.at += if is_next { 2 } else { 0 };
        self.other |= is_next;
        is_next
    }

    /// The number that `rubydebug` writes in front of an item: `[0] `.
    fn number_of_item(&mut self) {
        self.blank();
        let rest = &self.text.as_bytes()[self.at..];
        let digits = rest.iter().skip(1).take(9).take_while(|byte| byte.is_ascii_digit()).count();
        let is_number = rest.first() == Some(&b'[') && digits > 0 && rest[digits + 1..].starts_with(b"] ");
        let behind = rest.get(digits + 3..).unwrap_or_default().trim_ascii_start();
        if is_number && !behind.starts_with(b",") && !behind.starts_with(b"]") {
            self.at += digits + 3;
            self.other = true;
        }
    }

    fn string(&mut self) -> Option<()> {
        let first = self.quoted()?;
        let mut all: Option<String> = None;
        // `pprint` of Python breaks long texts, each part in a line of its own.
        while let Some(next) = self.continued() {
            self.at = next;
            let part = self.quoted()?;
            all.get_or_insert_with(|| first.to_string()).push_str(&part.to_string());
        }
        self.other |= all.is_some() || matches!(first, Text::Told(_));
        match (all, first) {
            (Some(text), _) | (None, Text::Told(text)) => json::push_string(&mut self.out, &text),
            (None, Text::Json(quoted)) => self.out.push_str(quoted),
        }
        Some(())
    }

    /// Where a text goes on that has just ended.
    fn continued(&self) -> Option<usize> {
        let rest = &self.text[self.at..];
        let next = rest.trim_ascii_start();
        let blank = &rest[..rest.len() - next.len()];
        (blank.contains('\n') && next.starts_with(['"', '\''])).then_some(self.text.len() - next.len())
    }

    /// A text in quotation marks.
    fn quoted(&mut self) -> Option<Text<'a>> {
        let quote = self.peek().filter(|byte| matches!(byte, b'"' | b'\''))?;
        let start = self.at + 1;
        let mut end = start;
        loop {
            match *self.text.as_bytes().get(end)? {
                byte if byte == quote => break,
                b'\\' => end += 2,
                byte if byte < b' ' => return None,
                _ => end += 1,
            }
        }
        let inner = self.text.get(start..end)?;
        self.at = end + 1;
        self.single |= quote == b'\'';
        let written = &self.text[start - 1..=end];
        if quote == b'"' && serde_json::from_str::<serde::de::IgnoredAny>(written).is_ok() {
            return Some(Text::Json(written));
        }
        Some(Text::Told(unescaped(inner)?))
    }

    fn word(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.' | '_');
        let word = &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())];
        self.at += word.len();
        let told = match word {
            "true" | "false" | "null" => word,
            "True" => "true",
            "False" => "false",
            "None" | "nil" | "NaN" | "nan" | "NaT" | "undefined" | "Infinity" | "-Infinity" | "inf" | "-inf" => "null",
            number if serde_json::from_str::<serde_json::Number>(number).is_ok() => number,
            _ => return self.instant(rest),
        };
        self.other |= told != word;
        self.out.push_str(told);
        Some(())
    }
}

impl<'a> Reader<'a> {
    /// A time that `rubydebug` writes without quotation marks, of which `word` read a part.
    fn instant(&mut self, rest: &'a str) -> Option<()> {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.' | ':');
        let instant = &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())];
        time::parse(instant)?;
        self.at = self.text.len() - rest.len() + instant.len();
        json::push_string(&mut self.out, instant);
        self.other = true;
        Some(())
    }
}

/// A text without its escapes, which are those of Python, JavaScript and Ruby; `None` for any other.
pub(crate) fn unescaped(inner: &str) -> Option<String> {
    let mut out = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        let digits = match letters.next()? {
            'n' => Err('\n'),
            'r' => Err('\r'),
            't' => Err('\t'),
            'b' => Err('\u{8}'),
            'f' => Err('\u{c}'),
            'a' => Err('\u{7}'),
            'v' => Err('\u{b}'),
            'e' => Err('\u{1b}'),
            // Ruby escapes the first, which would begin a value.
            kept @ ('#' | '\\' | '\'' | '"' | '/') => Err(kept),
            'x' => Ok(2),
            'u' => Ok(4),
            'U' => Ok(8),
            _ => return None,
        };
        out.push(match digits {
            Err(letter) => letter,
            Ok(count) => {
                let digits: String = match letters.as_str().strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                    Some((digits, rest)) if count == 4 => {
                        letters = rest.chars();
                        digits.to_owned()
                    }
                    _ => letters.by_ref().take(count).collect(),
                };
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
            }
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_prints_is_told() {
        for (text, expected) in [
            ("{'a': 'b', 'c': None, \"d'\": [True, (1, 2.5), (3,)]}", r#"{"a":"b","c":null,"d'":[true,[1,2.5],[3]]}"#),
            (r#"{'a': 'it\'s "so"\n\x41\u20ac\U0001F980'}"#, "{\"a\":\"it's \\\"so\\\"\\nA€🦀\"}"),
            (r#"{"a": NaN, "b": "x\u0026", "c": -Infinity}"#, r#"{"a":null,"b":"x\u0026","c":null}"#),
            ("{'a': 'b '\n      \"c' \"\n      'd', 'e': \"f\"}", r#"{"a":"b c' d","e":"f"}"#),
            ("{a: 1, // one\n /* two */ b: [2 /* 2 */]} ", r#"{"a":1,"b":[2]}"#),
            ("[{'a': {}}, []]", r#"[{"a":{}},[]]"#),
            ("{kind: 'Event', $n: [1, 2,], }", r#"{"kind":"Event","$n":[1,2]}"#),
            (
                "{\"a\"=>nil, \"b\" => {\"c\"=>\"x \\#{y} \\u0026\\e\\u{1F980}\"}}",
                "{\"a\":null,\"b\":{\"c\":\"x #{y} &\\u001b🦀\"}}",
            ),
            (
                "{\n    \"@timestamp\" => 2026-11-21T20:37:37.365Z,\n  \"ips\" => [\n [0] \"10.0.0.9\",\n [1] [\n [0] 7\n ]\n ],\n \"e\" => [],\n \"n\" => [[0], [1]]\n}",
                r#"{"@timestamp":"2026-11-21T20:37:37.365Z","ips":["10.0.0.9",[7]],"e":[],"n":[[0],[1]]}"#,
            ),
        ] {
            let literal = read(text).unwrap();
            assert_eq!(literal.json, expected, "{text}");
            assert_eq!(literal.is_quoted_singly, text.contains('\''), "{text}");
        }
    }

    #[test]
    fn json_and_what_is_no_whole_literal_are_none() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for text in [
            r#"{"a":1}"#,
            "{'a': 1",
            "{'a' 1}",
            "{'a': b}",
            "{a: b}",
            "{a-b: 1}",
            "{1: 1}",
            "{'a' = 1}",
            "{'a' => 'b', 'c'}",
            "[,]",
            "{,}",
            "[1,,]",
            "{'a': 2026-13-01T00:00:00Z}",
            "{'a': '\\u{110000}'}",
            "{'a': 'b' 'c'}",
            "{'a': 'b\n'}",
            "{'a': 1} {'b': 2}",
            "{'a': '\\q'}",
            "{'a': '\\ud800'}",
            "{resource=secrets, namespace=prod}",
            "@{a=b}",
            "'a'",
            "{\"a\":\"text{\"kind\":\"Event\"}",
            deep.as_str(),
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

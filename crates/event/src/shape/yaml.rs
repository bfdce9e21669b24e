//! YAML as JSON, as far as tools write it: block and flow style, quoted and plain scalars of several lines, block scalars. Aliases
//! are replaced by what they stand for (`gcloud` writes a body that comes twice so), up to a limit: one line of aliases can
//! stand for gigabytes. Tags are refused.
//!
//! Written here because a crate for YAML brings its own hash map, whose features make every build of Arrow a second one.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Opener, Shape};
use crate::json;

pub(super) static SHAPE: Shape = Shape {
    name: "yaml",
    summary: "YAML: gcloud logging read, lists of events",
    recognises: |head| head.framing == "yaml",
    framing: None,
    opener: Opener::Nested,
    traces: &[
        b"\nauditID: ",
        b"\n  auditID: ",
        b"- auditID: ",
        b"serviceName: k8s.io",
        b"serviceName: \"k8s.io\"",
        b"serviceName: 'k8s.io'",
    ],
};

/// What a document may become with its aliases replaced, in bytes, and as a multiple of its length.
const MAX_TOLD_BYTES: (usize, usize) = (1024 * 1024, 4);

/// Lists and objects in one another that are read.
const MAX_DEPTH: usize = 100;

/// What is wrong with a text, and at which byte, counted from 1.
type Wrong = (String, usize);

/// A document as JSON.
pub(super) fn to_json(text: &str) -> Result<String, Wrong> {
    let mut lines = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        lines.push(Line { text: line.trim_end().to_owned(), offset });
        offset += line.len();
    }
    let limit = MAX_TOLD_BYTES.0 + text.len() * MAX_TOLD_BYTES.1;
    let mut reader =
        Reader { lines, at: 0, depth: 0, out: String::with_capacity(text.len()), anchors: BTreeMap::new(), limit };
    reader.skip();
    if reader.line().is_some_and(|line| line.text.starts_with("---")) {
        let line = &mut reader.lines[reader.at];
        line.text.replace_range(..3, "   ");
        reader.skip();
    }
    let indent = reader.line().map_or(0, Line::indent);
    reader.node(indent)?;
    reader.skip();
    match reader.line() {
        Some(line) if line.text != "..." => Err(("text behind the document".to_owned(), line.offset + 1)),
        _ => Ok(reader.out),
    }
}

/// A line without the blanks at its end.
struct Line {
    text: String,
    offset: usize,
}

impl Line {
    fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    fn content(&self) -> &str {
        self.text.trim_start_matches(' ')
    }

    fn is_item(&self) -> bool {
        self.content() == "-" || self.content().starts_with("- ")
    }
}

struct Reader {
    lines: Vec<Line>,
    at: usize,
    depth: usize,
    out: String,
    /// Where the values stand in the output that aliases can stand for.
    anchors: BTreeMap<String, Range<usize>>,
    /// Longest output.
    limit: usize,
}

impl Reader {
    fn line(&self) -> Option<&Line> {
        self.lines.get(self.at)
    }

    /// Reads over blank lines and comments.
    fn skip(&mut self) {
        while self.line().is_some_and(|line| line.content().is_empty() || line.content().starts_with('#')) {
            self.at += 1;
        }
    }

    fn wrong<T>(&self, what: &str) -> Result<T, Wrong> {
        let end = self.lines.last().map_or(0, |line| line.offset + line.text.len());
        Err((what.to_owned(), self.line().map_or(end, |line| line.offset) + 1))
    }

    /// The value that stands in the lines from here on that are indented by `indent`.
    fn node(&mut self, indent: usize) -> Result<(), Wrong> {
        self.skip();
        let Some(line) = self.line().filter(|line| line.indent() >= indent) else {
            self.out.push_str("null");
            return Ok(());
        };
        if self.depth >= MAX_DEPTH {
            return self.wrong("nested too deep");
        }
        let (indent, is_item, content) = (line.indent(), line.is_item(), line.content().to_owned());
        self.depth += 1;
        if is_item {
            self.list(indent)?;
        } else if key(&content).is_some() {
            self.object(indent)?;
        } else {
            self.at += 1;
            self.scalar(&content, indent)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn list(&mut self, indent: usize) -> Result<(), Wrong> {
        self.out.push('[');
        let mut first = true;
        loop {
            self.skip();
            let Some(line) = self.lines.get_mut(self.at).filter(|line| line.indent() == indent && line.is_item())
            else {
                break;
            };
            // What is behind the mark is a line of its own, that much deeper.
            line.text.replace_range(indent..=indent, " ");
            let anchor = anchor(line.content()).map(|(name, rest)| (name.to_owned(), rest.len()));
            if let Some((_, rest)) = anchor {
                let length = line.text.len() - rest;
                line.text.replace_range(..length, &" ".repeat(length));
                line.text.truncate(line.text.trim_end().len());
            }
            if line.content().is_empty() {
                self.at += 1;
            }
            if !std::mem::take(&mut first) {
                self.out.push(',');
            }
            let start = self.out.len();
            self.node(indent + 1)?;
            self.anchors.extend(anchor.map(|(name, _)| (name, start..self.out.len())));
        }
        self.out.push(']');
        Ok(())
    }

    fn object(&mut self, indent: usize) -> Result<(), Wrong> {
        self.out.push('{');
        let mut first = true;
        loop {
            self.skip();
            let Some(line) = self.line().filter(|line| line.indent() == indent && !line.is_item()) else { break };
            if line.text == "..." {
                break;
            }
            let Some((name, rest)) = key(line.content()) else { return self.wrong("a line without a key") };
            let (name, rest) = (name, rest.to_owned());
            if !std::mem::take(&mut first) {
                self.out.push(',');
            }
            json::push_string(&mut self.out, &name);
            self.out.push(':');
            self.at += 1;
            let (anchor, rest) = match anchor(&rest) {
                Some((anchor, rest)) => (Some(anchor.to_owned()), rest),
                None => (None, rest.as_str()),
            };
            let start = self.out.len();
            self.member(without_comment(rest), indent)?;
            self.anchors.extend(anchor.map(|name| (name, start..self.out.len())));
        }
        self.out.push('}');
        Ok(())
    }

    /// The value of a member, which begins behind its key unless that is empty.
    fn member(&mut self, rest: &str, indent: usize) -> Result<(), Wrong> {
        if !rest.is_empty() {
            return self.scalar(rest, indent + 1);
        }
        self.skip();
        match self.line() {
            Some(line) if line.indent() > indent => self.node(indent + 1),
            // A list may stand as deep as its key.
            Some(line) if line.indent() == indent && line.is_item() => self.node(indent),
            _ => {
                self.out.push_str("null");
                Ok(())
            }
        }
    }

    /// What an alias stands for.
    fn alias(&mut self, name: &str) -> Result<(), Wrong> {
        let known = self.anchors.get(name).cloned();
        match known {
            Some(at) if self.out.len() + at.len() <= self.limit => {
                let told = self.out[at].to_owned();
                self.out.push_str(&told);
                Ok(())
            }
            Some(_) => self.wrong("aliases that stand for too much"),
            None => self.wrong("an alias for nothing"),
        }
    }

    /// A value that begins in a line that was read, and may go on in lines that are indented by `indent`.
    fn scalar(&mut self, begins: &str, indent: usize) -> Result<(), Wrong> {
        match begins.as_bytes().first() {
            Some(b'|' | b'>') => self.block(begins, indent),
            Some(b'"' | b'\'' | b'{' | b'[') => self.delimited(begins),
            Some(b'*') => self.alias(begins[1..].trim_end()),
            Some(b'&' | b'!' | b'@' | b'`' | b'%') => {
                self.at -= 1;
                self.wrong("a tag, or a reserved character")
            }
            _ => {
                let mut text = without_comment(begins).to_owned();
                while let Some(line) = self.line().filter(|line| line.indent() >= indent && !line.text.is_empty()) {
                    text.push(' ');
                    text.push_str(without_comment(line.content()));
                    self.at += 1;
                }
                push_plain(&mut self.out, text.trim());
                Ok(())
            }
        }
    }

    /// Text behind `|` or `>`.
    fn block(&mut self, header: &str, indent: usize) -> Result<(), Wrong> {
        let deepest = |line: &&Line| !line.text.is_empty();
        let own = self.lines[self.at..].iter().find(deepest).map_or(0, Line::indent);
        if own < indent {
            json::push_string(&mut self.out, "");
            return Ok(());
        }
        let mut lines: Vec<String> = Vec::new();
        while let Some(line) = self.line().filter(|line| line.text.is_empty() || line.indent() >= own) {
            lines.push(line.text.get(own..).unwrap_or_default().to_owned());
            self.at += 1;
        }
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        let mut text = if header.starts_with('|') { lines.join("\n") } else { folded(&lines) };
        if !header.contains('-') {
            text.push('\n');
        }
        json::push_string(&mut self.out, &text);
        Ok(())
    }

    /// A text in quotation marks, or a list or object in brackets.
    fn delimited(&mut self, begins: &str) -> Result<(), Wrong> {
        let mut lines = vec![begins.to_owned()];
        let joined = |lines: &[String]| match begins.starts_with(['"', '\'']) {
            true => folded_quoted(lines),
            false => lines.join("\n"),
        };
        loop {
            let text = joined(&lines);
            let mut flow = Flow { text: &text, at: 0, out: String::new() };
            match flow.value(self.depth) {
                Ok(()) => {
                    // Lines behind its own were tried with it: what goes on there is the next member.
                    let (mut few, mut used) = (0, lines.len());
                    while few + 1 < used {
                        let middle = usize::midpoint(few, used);
                        *(if joined(&lines[..middle]).len() >= flow.at { &mut used } else { &mut few }) = middle;
                    }
                    let own = joined(&lines[..used]);
                    if !without_comment(own.get(flow.at..).unwrap_or_default().trim()).is_empty() {
                        return self.wrong("text behind a value");
                    }
                    self.at -= lines.len() - used;
                    self.out.push_str(&flow.out);
                    return Ok(());
                }
                Err(Unfinished::Wrong(what)) => return self.wrong(what),
                Err(Unfinished::GoesOn) => (),
            }
            // As many lines as there are now: a long text is tried a few times, not for each of its lines.
            let more = lines.len();
            for _ in 0..more {
                let Some(line) = self.line() else { break };
                lines.push(line.content().to_owned());
                self.at += 1;
            }
            if lines.len() == more {
                return self.wrong("a value without an end");
            }
        }
    }
}

/// The name of the anchor that a text begins with, and what is behind it.
fn anchor(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('&')?;
    let end = text.find(' ').unwrap_or(text.len());
    Some((&text[..end], text[end..].trim_start()))
}

/// The key that a line begins with, and what is behind its colon.
fn key(content: &str) -> Option<(String, &str)> {
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
fn without_comment(text: &str) -> &str {
    if text.starts_with(['"', '\'']) {
        return text;
    }
    let end = if text.starts_with('#') { 0 } else { text.find(" #").unwrap_or(text.len()) };
    text[..end].trim_end()
}

/// Lines of a folded text: a line end is a blank, an empty line a line end.
fn folded(lines: &[String]) -> String {
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

/// The same for lines in quotation marks, where a backslash at the end of a line leaves its end out.
fn folded_quoted(lines: &[String]) -> String {
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some(open) = text.strip_suffix('\\').filter(|open| !open.ends_with('\\') && lines[0].starts_with('"')) {
            text.truncate(open.len());
        } else if number > 0 && !text.ends_with('\n') && !line.is_empty() {
            text.push(' ');
        }
        if line.is_empty() { text.push('\n') } else { text.push_str(line) }
    }
    text
}

/// Writes a scalar without quotation marks: a number, a word that means something, or a text.
fn push_plain(out: &mut String, value: &str) {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => out.push_str("null"),
        "true" | "True" | "TRUE" => out.push_str("true"),
        "false" | "False" | "FALSE" => out.push_str("false"),
        // A number that JSON writes in the same way.
        _ if serde_json::from_str::<serde_json::Number>(value).is_ok() => out.push_str(value),
        _ => json::push_string(out, value),
    }
}

/// Why a value in brackets or quotation marks is not whole.
enum Unfinished {
    GoesOn,
    Wrong(&'static str),
}

/// Reads values in brackets and quotation marks.
struct Flow<'a> {
    text: &'a str,
    at: usize,
    out: String,
}

impl Flow<'_> {
    fn blanks(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text.as_bytes().get(self.at).copied()
    }

    fn value(&mut self, depth: usize) -> Result<(), Unfinished> {
        if depth > MAX_DEPTH {
            return Err(Unfinished::Wrong("nested too deep"));
        }
        match self.blanks().ok_or(Unfinished::GoesOn)? {
            b'{' => self.members(b'}', depth),
            b'[' => self.members(b']', depth),
            b'"' => self.double_quoted(),
            b'\'' => self.single_quoted(),
            b'&' | b'*' | b'!' => Err(Unfinished::Wrong("an anchor, an alias or a tag")),
            _ => {
                let rest = &self.text[self.at..];
                let ends = rest.find([',', ']', '}', '{', '[', '\n']).unwrap_or(rest.len());
                let end = rest[..ends].find(": ").unwrap_or(ends);
                let value = rest[..end].trim_end();
                let value = value.strip_suffix(':').unwrap_or(value);
                self.at += value.len();
                push_plain(&mut self.out, value);
                Ok(())
            }
        }
    }

    /// What stands between brackets.
    fn members(&mut self, close: u8, depth: usize) -> Result<(), Unfinished> {
        self.out.push(if close == b'}' { '{' } else { '[' });
        self.at += 1;
        let mut first = true;
        loop {
            if self.blanks().ok_or(Unfinished::GoesOn)? == close {
                self.at += 1;
                self.out.push(char::from(close));
                return Ok(());
            }
            if !std::mem::take(&mut first) {
                self.out.push(',');
            }
            if close == b'}' {
                let start = self.out.len();
                self.value(depth + 1)?;
                if !self.out[start..].starts_with('"') {
                    let name = self.out.split_off(start);
                    if name.starts_with(['{', '[']) {
                        return Err(Unfinished::Wrong("a key that is no text"));
                    }
                    json::push_string(&mut self.out, &name);
                }
                self.out.push(':');
                match self.blanks().ok_or(Unfinished::GoesOn)? {
                    b':' => {
                        self.at += 1;
                        self.value(depth + 1)?;
                    }
                    b',' | b'}' => self.out.push_str("null"),
                    _ => return Err(Unfinished::Wrong("a key without a value")),
                }
            } else {
                self.value(depth + 1)?;
            }
            match self.blanks().ok_or(Unfinished::GoesOn)? {
                b',' => self.at += 1,
                byte if byte == close => (),
                _ => return Err(Unfinished::Wrong("neither a comma nor the end of brackets")),
            }
        }
    }

    fn single_quoted(&mut self) -> Result<(), Unfinished> {
        let mut value = String::new();
        let mut rest = &self.text[self.at + 1..];
        loop {
            let end = rest.find('\'').ok_or(Unfinished::GoesOn)?;
            value.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(behind) => {
                    value.push('\'');
                    rest = behind;
                }
                None => break,
            }
        }
        self.at = self.text.len() - rest.len();
        json::push_string(&mut self.out, &value);
        Ok(())
    }

    fn double_quoted(&mut self) -> Result<(), Unfinished> {
        let mut value = String::new();
        let mut chars = self.text[self.at + 1..].char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    self.at += at + 2;
                    json::push_string(&mut self.out, &value);
                    return Ok(());
                }
                '\\' => {
                    let (_, escape) = chars.next().ok_or(Unfinished::GoesOn)?;
                    let digits = match escape {
                        'x' => 2,
                        'u' => 4,
                        'U' => 8,
                        _ => 0,
                    };
                    if digits > 0 {
                        let code: String = (&mut chars).take(digits).map(|(_, digit)| digit).collect();
                        let char = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                        value.push(char.unwrap_or(char::REPLACEMENT_CHARACTER));
                        continue;
                    }
                    value.push(match escape {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        '0' => '\0',
                        'b' => '\u{8}',
                        'f' => '\u{c}',
                        'a' => '\u{7}',
                        'v' => '\u{b}',
                        'e' => '\u{1b}',
                        'N' => '\u{85}',
                        '_' => '\u{a0}',
                        'L' => '\u{2028}',
                        'P' => '\u{2029}',
                        other => other,
                    });
                }
                other => value.push(other),
            }
        }
        Err(Unfinished::GoesOn)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_value_of_several_lines_ends_where_it_ends() {
        let yaml = "a: 'one\n  two\n  three'\nb: 1\nc: {x: 1,\n  y: 2,\n  z: 3}\nd: \"p\n  q\n  r\n  s\n  t\"\ne: 2\nf: 3\ng: 4\n";
        let told: serde_json::Value = serde_json::from_str(&super::to_json(yaml).unwrap()).unwrap();
        let expected = serde_json::json!({"a": "one two three", "b": 1, "c": {"x": 1, "y": 2, "z": 3}, "d": "p q r s t", "e": 2, "f": 3, "g": 4});
        assert_eq!(told, expected);
        assert!(super::to_json("a: 'one\n  two' three\nb: 1\n").is_err());
    }

    use super::*;

    #[test]
    fn yaml_is_told_as_json() {
        for (text, expected) in [
            ("a: 1\nb:\n- x\n- 'y: z'\nc: {d: [true, ~]}\n", r#"{"a":1,"b":["x","y: z"],"c":{"d":[true,null]}}"#),
            (
                "'@type': t\nlong: 'RBAC: allowed by \"ops\" of\n  ClusterRole'\n",
                r#"{"@type":"t","long":"RBAC: allowed by \"ops\" of ClusterRole"}"#,
            ),
            (
                "- a: |\n    x\n    y\n  time: 2026-11-21T20:37:37.000000Z\n",
                r#"[{"a":"x\ny\n","time":"2026-11-21T20:37:37.000000Z"}]"#,
            ),
            (
                "a: 007\nb: 1.50\nc: \"1\"\nd:\ne: x # no\nf: a#b\n",
                r#"{"a":"007","b":1.50,"c":"1","d":null,"e":"x","f":"a#b"}"#,
            ),
            (
                "---\na: plain text\n  goes on\nb: \"q\\u0041\\\n  r\"\nc: >-\n  x\n  y\n",
                r#"{"a":"plain text goes on","b":"qAr","c":"x y"}"#,
            ),
            ("- - 1\n  - 2\n-\n  a: {}\n- {\"a\":\n  [1,\n   2]}\n", r#"[[1,2],{"a":{}},{"a":[1,2]}]"#),
            (
                "- granted: true\n  list:\n  - a: 'it''s'\n    b: x:y\n",
                r#"[{"granted":true,"list":[{"a":"it's","b":"x:y"}]}]"#,
            ),
        ] {
            assert_eq!(to_json(text).unwrap(), expected, "{text}");
            assert!(serde_json::from_str::<serde_json::Value>(expected).is_ok());
        }
        let mut bomb = "a0: &a0 \"0123456789\"\n".to_owned();
        (0..30).for_each(|n| bomb += &format!("a{}: &a{}\n- *a{n}\n- *a{n}\n", n + 1, n + 1));
        assert!(to_json(&bomb).unwrap_err().0.contains("too much"));
        for wrong in ["a: !x [1]\n", "b: *x\n", "a: [1", "a: 'x", "a: 1\nnothing\n", "a: {b: 1}}\n"] {
            assert!(to_json(wrong).is_err(), "{wrong}");
        }
        assert!(to_json(&"[".repeat(100_000)).is_err() && to_json(&"- ".repeat(100_000)).is_err());
        assert!(crate::shape::mentions_event(b"kind: Event\nauditID: a\n"));
    }
}

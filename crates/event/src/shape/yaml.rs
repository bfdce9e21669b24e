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
        b", auditID: ",
        b"{auditID: ",
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
        lines.push(Line { text: line.trim_end_matches(BLANK).to_owned(), offset });
        offset += line.len();
    }
    let limit = MAX_TOLD_BYTES.0 + text.len() * MAX_TOLD_BYTES.1;
    let mut reader = Reader {
        text,
        lines,
        at: 0,
        depth: 0,
        out: String::with_capacity(text.len()),
        anchors: BTreeMap::new(),
        limit,
    };
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

/// Blank space of YAML: a next-line character or a no-break space is text.
const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

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

struct Reader<'a> {
    text: &'a str,
    lines: Vec<Line>,
    at: usize,
    depth: usize,
    out: String,
    /// Where the values stand in the output that aliases can stand for.
    anchors: BTreeMap<String, Range<usize>>,
    /// Longest output.
    limit: usize,
}

impl Reader<'_> {
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
            // The blanks at the end of a line belong to the text, too.
            let written = self.text[line.offset..].split('\n').next().unwrap_or_default();
            lines.push(written.trim_end_matches('\r').get(own..).unwrap_or_default().to_owned());
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
        loop {
            let text = lines.join("\n");
            let mut flow = Flow { text: &text, at: 0, out: String::new() };
            match flow.value(self.depth) {
                Ok(()) => {
                    // Lines behind its own were tried with it: what goes on there is the next member.
                    let (mut few, mut used) = (0, lines.len());
                    while few + 1 < used {
                        let middle = usize::midpoint(few, used);
                        *(if lines[..middle].iter().map(|line| line.len() + 1).sum::<usize>() > flow.at {
                            &mut used
                        } else {
                            &mut few
                        }) = middle;
                    }
                    let own = lines[..used].join("\n");
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
    if text.starts_with(['"', '\'', '{', '[']) {
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

/// Goes on in the next line of a text in quotation marks, which `rest` begins with the end of this one: a line end is a blank, an
/// empty line a line end. What is left of `rest`.
fn fold<'a>(value: &mut String, written: usize, rest: &'a str) -> &'a str {
    // Blanks that an escape wrote stay.
    let kept = value[written..].trim_end_matches([' ', '\t']).len();
    value.truncate(written + kept);
    let next = rest.trim_start_matches(BLANK);
    let lines = rest[..rest.len() - next.len()].matches('\n').count();
    match lines {
        1 => value.push(' '),
        _ => (1..lines).for_each(|_| value.push('\n')),
    }
    next
}

/// Writes a scalar without quotation marks: a number, a word that means something, or a text.
fn push_plain(out: &mut String, value: &str) {
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

/// Where a text without quotation marks ends between brackets; `None` when it may go on behind `text`.
fn plain_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let ends = |at: usize| match bytes[at] {
        b',' | b'[' | b']' | b'{' | b'}' => true,
        b':' => matches!(bytes.get(at + 1), Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b']' | b'}')),
        b'#' => at > 0 && bytes[at - 1].is_ascii_whitespace(),
        _ => false,
    };
    (0..bytes.len()).find(|at| ends(*at))
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
    /// Reads over blank space and comments.
    fn blanks(&mut self) -> Option<u8> {
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.len() - rest.trim_start_matches(BLANK).len();
            let rest = &self.text[self.at..];
            if !(rest.starts_with('#') && self.text[..self.at].ends_with(BLANK)) {
                return rest.as_bytes().first().copied();
            }
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
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
                let end = plain_end(rest).ok_or(Unfinished::GoesOn)?;
                let lines: Vec<&str> = rest[..end].split('\n').map(|line| line.trim_matches(BLANK)).collect();
                self.at += end;
                push_plain(&mut self.out, lines.join(" ").trim());
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
            let end = rest.find(['\'', '\n']).ok_or(Unfinished::GoesOn)?;
            let start = value.len();
            value.push_str(&rest[..end]);
            if rest[end..].starts_with('\n') {
                rest = fold(&mut value, start, &rest[end..]);
                continue;
            }
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
        let mut rest = &self.text[self.at + 1..];
        loop {
            let end = rest.find(['"', '\\', '\n']).ok_or(Unfinished::GoesOn)?;
            let start = value.len();
            value.push_str(&rest[..end]);
            let special = &rest[end..];
            match special.as_bytes()[0] {
                b'\n' => rest = fold(&mut value, start, special),
                b'"' => {
                    self.at = self.text.len() - special.len() + 1;
                    json::push_string(&mut self.out, &value);
                    return Ok(());
                }
                // The end of the line is none of the text.
                _ if special.starts_with("\\\n") => {
                    let next = special[2..].trim_start_matches([' ', '\t', '\r']);
                    let blank = next.len() - next.trim_start_matches(BLANK).len();
                    (0..next[..blank].matches('\n').count()).for_each(|_| value.push('\n'));
                    rest = next.trim_start_matches(BLANK);
                }
                _ => rest = escape(&mut value, &special[1..])?,
            }
        }
    }
}

/// Writes what an escape stands for that `rest` begins with, behind its backslash; what is left of it.
fn escape<'a>(value: &mut String, rest: &'a str) -> Result<&'a str, Unfinished> {
    let letter = rest.chars().next().ok_or(Unfinished::GoesOn)?;
    let rest = &rest[letter.len_utf8()..];
    let digits = match letter {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    if digits > 0 {
        let code = rest.get(..digits).ok_or(Unfinished::GoesOn)?;
        let unit = u32::from_str_radix(code, 16).map_err(|_| Unfinished::Wrong("an escape that is none"))?;
        // The second half of a pair, as in JSON: the AWS CLI of old wrote what is beyond 16 bits so.
        let second = rest[digits..].strip_prefix("\\u").and_then(|rest| u32::from_str_radix(rest.get(..4)?, 16).ok());
        if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (unit, second) {
            let char = char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            value.push(char.unwrap_or(char::REPLACEMENT_CHARACTER));
            return Ok(&rest[digits + 6..]);
        }
        value.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        return Ok(&rest[digits..]);
    }
    value.push(match letter {
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
    Ok(rest)
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

    /// As PyYAML and ruamel write what is longer than their 80 columns.
    #[test]
    fn what_is_folded_is_told_as_it_was() {
        for (text, expected) in [
            (
                "{a: 'RBAC:\n    allowed by \"x\"', b: [one two\n    three, 'x\n\n    y'], c: d:e}",
                r#"{"a":"RBAC: allowed by \"x\"","b":["one two three","x\ny"],"c":"d:e"}"#,
            ),
            ("- {a: \"p\\\n  \\ q \\\n  r\\U0001F980\\ud83e\\udd80\"}\n- {b: }\n", r#"[{"a":"p q r🦀🦀"},{"b":null}]"#),
            ("a: |\n  x \n  y\u{a0}\nb: 'p\u{85}'\n", "{\"a\":\"x \\ny\u{a0}\\n\",\"b\":\"p\u{85}\"}"),
            ("a: {b: \"x #y\", # no\n  c: 'd #e'} # no\n", r#"{"a":{"b":"x #y","c":"d #e"}}"#),
            ("a: 12e5\nb: 1.5e3\nc: -7\n", r#"{"a":"12e5","b":1.5e3,"c":-7}"#),
        ] {
            assert_eq!(to_json(text).unwrap(), expected, "{text}");
        }
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

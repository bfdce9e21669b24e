//! YAML as JSON, as far as tools write it: block and flow style, quoted and plain scalars of several lines, block scalars. Aliases
//! are replaced by what they stand for (`gcloud` writes a body that comes twice so), up to a limit: one line of aliases can
//! stand for gigabytes. Tags are refused, but for those of plain values, which `PyYAML` writes when it quotes everything (`!!int "200"`).
//!
//! Written here because a crate for YAML brings its own hash map, whose features make every build of Arrow a second one.

mod flow;
mod scalar;

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Opener, Shape};
use crate::json;

use flow::{Flow, Unfinished};
use scalar::{anchor, folded, key, push_plain, tagged, without_comment};

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
            Some(b'!') if let Some((tag, value)) = tagged(begins) => {
                let start = self.out.len();
                self.scalar(value, indent)?;
                tag.apply(&mut self.out, start).or_else(|what| self.wrong(what))
            }
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

#[cfg(test)]
mod tests;

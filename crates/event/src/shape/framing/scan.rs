//! Where records begin and end in a source of lines, of JSON documents of several lines, or of both: `cat a.log b.json` changes
//! from one to the other, and so do exports that were put together.
//!
//! A document that is torn, because it breaks off or stops to be JSON, ends where the next record can begin: at a line with a brace
//! that is indented no deeper than the torn one, for printers indent what is inside of a record. So one torn event does
//! not swallow the whole ones behind it. What stands behind it as an item of a list, with a comma or a bracket
//! after it, can be inside of a body of the torn one, where lists are not indented; it says so.

use std::ops::Range;

use crate::salvage;
use crate::shape::header::is_head;
use crate::shape::nested::begins_event;
use crate::shape::prefix::{End, Prefix};
use crate::shape::wrapper::{self, Looks};

/// Bytes in which the next record is looked for behind a torn document.
const MAX_TORN_BYTES: usize = 16 * 1024 * 1024;

/// How many times as much may be read as there is, when documents are torn again and again, before lines are taken for lines.
const MAX_READS: usize = 64;

/// One step through a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A line, and the mark of what is salvaged from it.
    Line { at: Range<usize>, mark: Option<&'static str> },
    /// A document, whole or torn, and the mark of what is salvaged from it.
    Document { at: Range<usize>, is_whole: bool, mark: Option<&'static str> },
}

/// The steps through a piece of a source.
#[derive(Debug)]
pub(super) struct Steps<'a> {
    bytes: &'a [u8],
    /// The source goes on behind the bytes.
    goes_on: bool,
    /// Documents that follow one another in a line are records of their own.
    splits_lines: bool,
    at: usize,
    /// What comes next stands behind what is left of a document.
    mark: Option<&'static str>,
    /// Bytes that may still be read more than once.
    budget: usize,
}

impl<'a> Steps<'a> {
    pub(super) fn new(bytes: &'a [u8], goes_on: bool, splits_lines: bool) -> Self {
        let budget = bytes.len().saturating_mul(MAX_READS).saturating_add(1 << 20);
        Self { bytes, goes_on, splits_lines, at: 0, mark: None, budget }
    }

    /// Begins behind a byte order mark.
    pub(super) fn skip(&mut self, length: usize) {
        self.at += length;
    }

    /// Where the next record begins, or blank space before it.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What comes next does not depend on what was torn before it.
    pub(super) fn is_settled(&self) -> bool {
        self.mark.is_none()
    }

    /// The next record; `None` at the end, or where more has to be known.
    pub(super) fn next(&mut self) -> Option<Step> {
        let bytes = self.bytes;
        let blank = bytes[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let start = self.at + blank;
        if start >= bytes.len() {
            return None;
        }
        let line_end = |from: usize| memchr::memchr(b'\n', &bytes[from..]).map(|length| from + length);
        let mut newline = line_end(start);
        let line = &bytes[start..newline.unwrap_or(bytes.len())];
        let mut open = line.iter().take_while(|byte| is_before(**byte)).count();
        if is_head(line)
            && let Some(head_end) = newline
        {
            // The document in the next line and its head are one record.
            match bytes.get(head_end + 1) {
                None if self.goes_on => return None,
                Some(b'{') => (open, newline) = (head_end + 1 - start, line_end(head_end + 1)),
                _ => (),
            }
        }
        let end = newline.unwrap_or(bytes.len());
        let line = &bytes[start..end];
        let is_document = matches!(line.get(open), Some(b'{' | b'[')) && self.budget > 0;
        if !is_document || (begins_event(&line[open..]) && !self.splits_lines) {
            return self.line(start, newline);
        }
        let from = start + open;
        let ended = Prefix::new().read(&bytes[from..]);
        let reached = match ended {
            Some(End::Whole(length)) => return self.whole(start, from + length, newline),
            Some(End::Broken(at)) => from + at,
            None => bytes.len(),
        };
        self.budget = self.budget.saturating_sub(reached - start);
        // A line that is more than a bracket, and behind which no document goes on, was torn as a line.
        let next_end =
            memchr::memchr(b'\n', &bytes[bytes.len().min(end + 1)..]).map_or(bytes.len(), |next| end + 1 + next);
        let is_bare = line[open..].iter().all(|byte| is_before(*byte) || b"{[\r".contains(byte));
        if reached <= end || (!is_bare && reached <= next_end && reached < bytes.len()) {
            return self.line(start, newline);
        }
        self.torn((start, from), reached, end, newline)
    }

    /// A line by itself.
    fn line(&mut self, start: usize, newline: Option<usize>) -> Option<Step> {
        if newline.is_none() && self.goes_on {
            return None;
        }
        let bytes = self.bytes;
        let end = newline.unwrap_or(bytes.len());
        let start = self.line_start(start);
        self.at = newline.map_or(end, |newline| newline + 1);
        let mark = if stands_alone(bytes, &(start..end)) { self.mark.take() } else { None };
        Some(Step::Line { at: start..end - usize::from(bytes[start..end].ends_with(b"\r")), mark })
    }

    /// Where a line begins that holds `start`: all of it counts, unless something else stood in it before.
    fn line_start(&self, start: usize) -> usize {
        let line_start = memchr::memrchr(b'\n', &self.bytes[..start]).map_or(0, |newline| newline + 1);
        if self.splits_lines { start } else { line_start.max(self.at) }
    }

    /// A document that ends before `end`.
    fn whole(&mut self, start: usize, end: usize, newline: Option<usize>) -> Option<Step> {
        let bytes = self.bytes;
        let line_end = newline.unwrap_or(bytes.len());
        let is_one_line = end <= line_end;
        let rest = if is_one_line { bytes[end..line_end].trim_ascii() } else { &[] };
        let goes_on_in_line = matches!(rest.first(), Some(b',' | b'{' | b'['));
        if is_one_line && !(self.splits_lines && (rest.is_empty() || goes_on_in_line)) {
            return self.line(start, newline);
        }
        let blank = bytes[end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let next = bytes.get(end + blank);
        if next.is_none() && self.goes_on {
            return None;
        }
        let mark = match next {
            // An item of a list whose beginning is not there.
            Some(b',' | b']' | b'}') => Some(salvage::TORN_LIST),
            _ => self.mark.take(),
        };
        let end = if next == Some(&b',') { end + blank + 1 } else { end };
        self.at = end;
        Some(Step::Document { at: start..end, is_whole: true, mark })
    }

    /// A document that stops to be one at `reached`, or has no end, in another line than it began; the record begins at `start`, the
    /// document at `from`.
    fn torn(
        &mut self,
        (start, from): (usize, usize),
        reached: usize,
        line_end: usize,
        newline: Option<usize>,
    ) -> Option<Step> {
        let bytes = self.bytes;
        let limit = self.limit(from, line_end);
        let line_start = self.line_start(start);
        let mut at = line_end + 1;
        let mut next = None;
        while at < bytes.len() && at - start < MAX_TORN_BYTES {
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            let is_behind = end >= reached && begins_line(&bytes[at..end]);
            if is_behind || begins_record(&bytes[at..end]).is_some_and(|indent| indent <= limit) {
                next = Some(at);
                break;
            }
            at = end + 1;
        }
        match next {
            Some(next) => {
                // Before the break it could be a value of the torn one; with something between them, what is left of it.
                let broke_there = reached >= next && bytes[next..reached].iter().all(u8::is_ascii_whitespace);
                let broke_before = reached < next && !bytes[reached..next].contains(&b'\n') || reached + 1 == next;
                self.mark = (!broke_there && !broke_before).then_some(salvage::BEHIND_DAMAGE);
                self.at = next;
                Some(Step::Document { at: trimmed(bytes, start..next, line_start), is_whole: false, mark: None })
            }
            None if self.goes_on && at - start < MAX_TORN_BYTES => None,
            None if at - start < MAX_TORN_BYTES => {
                self.at = bytes.len();
                Some(Step::Document { at: trimmed(bytes, start..bytes.len(), line_start), is_whole: false, mark: None })
            }
            None => self.line(start, newline),
        }
    }

    /// How deep the next record can be indented: as deep as this one, or as the items of this list.
    fn limit(&self, start: usize, line_end: usize) -> usize {
        let bytes = self.bytes;
        let line_start = memchr::memrchr(b'\n', &bytes[..start]).map_or(0, |newline| newline + 1);
        let own = begins_record(&bytes[line_start..line_end]).unwrap_or(0);
        let head = &bytes[start..bytes.len().min(start + 4096)];
        let is_list = match head.iter().find(|byte| !is_before(**byte)) {
            Some(b'[') => true,
            _ => {
                let head = String::from_utf8_lossy(head);
                wrapper::looks(head.trim_start_matches(|letter| u8::try_from(letter).is_ok_and(is_before)))
                    == Looks::Wrapper
            }
        };
        if !is_list {
            return own;
        }
        let mut lines = bytes[line_end..].split(|byte| *byte == b'\n').skip(1);
        lines.find_map(begins_record).unwrap_or(own)
    }
}

/// Whether a line begins a record and ends it, whatever stands before it and behind it: no document that began before it can
/// hold it, and none that begins in it goes on behind it. Where a piece of a source ends, and what is told of the lines behind a torn document, both
/// follow from this alone.
pub(super) fn stands_alone(bytes: &[u8], at: &Range<usize>) -> bool {
    let line = &bytes[at.clone()];
    let is_at_margin = at.start == 0 || bytes[at.start - 1] == b'\n';
    // A value stands in a document behind one of these only; what else follows breaks it, and ends it as the torn one that it is.
    let is_value = || matches!(bytes[..at.start].trim_ascii_end().last(), Some(b',' | b'[' | b':'));
    let is_record =
        || begins_event(line) || (begins_line(line) && !is_head(line)) || (line.starts_with(b"{") && ends_in(line));
    is_at_margin && is_record() && !is_value()
}

/// Whether the document that a line begins with is whole in it, or broken.
fn ends_in(line: &[u8]) -> bool {
    Prefix::new().read(line).is_some()
}

/// What stands in front of each text of a sequence (RFC 7464).
pub(super) const RECORD_SEPARATOR: u8 = 0x1e;

/// Whether a byte can stand in front of a record in its line.
fn is_before(byte: u8) -> bool {
    matches!(byte, b',' | b' ' | b'\t' | RECORD_SEPARATOR)
}

/// How deep a line is indented that begins with a bracket.
fn begins_record(line: &[u8]) -> Option<usize> {
    let line = line.strip_prefix(&[RECORD_SEPARATOR]).unwrap_or(line);
    let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    matches!(line.get(indent), Some(b'{' | b'[')).then_some(indent)
}

/// Whether a line begins with a word or a priority, as those of collectors and components do; a document's begin with blank space,
/// brackets or quotation marks.
fn begins_line(line: &[u8]) -> bool {
    line.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'<') && line.contains(&b' ')
}

/// A torn document without the blank space behind it; one of a single line is what a line is, because where its piece
/// ends decides which of both it is taken for.
fn trimmed(bytes: &[u8], at: Range<usize>, line_start: usize) -> Range<usize> {
    let torn = &bytes[at.clone()];
    let length = torn.trim_ascii_end().len();
    let line = memchr::memchr(b'\n', torn).map_or(torn, |newline| &torn[..newline]);
    if length > line.len() {
        return at.start..at.start + length;
    }
    line_start..at.start + line.strip_suffix(b"\r").unwrap_or(line).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a text: what they are, and whether they are whole documents, torn ones, or lines.
    fn steps(text: &str) -> Vec<(&str, &'static str, Option<&'static str>)> {
        let mut steps = Steps::new(text.as_bytes(), false, false);
        let mut found = Vec::new();
        while let Some(step) = steps.next() {
            found.push(match step {
                Step::Line { at, mark } => (&text[at], "line", mark),
                Step::Document { at, is_whole: true, mark } => (&text[at], "whole", mark),
                Step::Document { at, mark, .. } => (&text[at], "torn", mark),
            });
        }
        found
    }

    #[test]
    fn lines_and_documents_follow_one_another() {
        let text = "{\"a\":1}\nklog\n{\n \"b\": {\n  \"c\": 1\n }\n}\n{\"d\":1}{\"e\":1}\n[\n 1\n]\n";
        let expected = [
            ("{\"a\":1}", "line", None),
            ("klog", "line", None),
            ("{\n \"b\": {\n  \"c\": 1\n }\n}", "whole", None),
            ("{\"d\":1}{\"e\":1}", "line", None),
            ("[\n 1\n]", "whole", None),
        ];
        assert_eq!(steps(text), expected);
    }

    #[test]
    fn a_torn_document_ends_where_the_next_record_begins() {
        let whole = "{\n \"b\": [\n  {}\n ]\n}";
        for (torn, mark) in [
            ("{\n \"auditID\": \"x", None),
            ("{\n \"auditID\": 7,", None),
            ("{\n \"auditID\": {", None),
            // Where a value can follow, it could be one.
            ("{\n \"auditID\": 7, \"requestURI\": ", Some(salvage::BEHIND_DAMAGE)),
            // Something is missing in the middle of it.
            ("{\n \"auditID\": \"x\n  \"y\": 1\n }", Some(salvage::BEHIND_DAMAGE)),
        ] {
            let text = format!("{torn}\n{whole}\n{whole}\n");
            let expected = [(torn.trim_end(), "torn", None), (whole, "whole", mark), (whole, "whole", None)];
            assert_eq!(steps(&text), expected, "{torn}");
        }
    }

    #[test]
    fn items_behind_a_torn_one_are_found_and_say_what_they_are() {
        let item = "{\n   \"a\": [\n    {\n     \"x\": 1\n    }\n   ]\n  }";
        let torn = "{\n   \"auditID\": \"x\n";
        let text = format!("[\n  {item},\n  {torn}  {item},\n  {item}\n]\n");
        let marks: Vec<_> = steps(&text).into_iter().map(|(_, what, mark)| (what, mark)).collect();
        let of_list = ("whole", Some(salvage::TORN_LIST));
        assert_eq!(marks, [("torn", None), of_list, ("torn", None), of_list, of_list, ("line", None)]);
    }

    #[test]
    fn documents_that_are_torn_again_and_again_end() {
        let text = "{\"a\":\n".repeat(20_000);
        assert_eq!(steps(&text).len(), 20_000);
    }
}

//! What the beginning of a source shows of its shape: the first record that mentions an event, the text in
//! front of its JSON, and the paths of its members.
//!
//! Only names of members at their exact place count, never text inside of values: what a client sends cannot
//! change what its log is taken for, as long as the collector's own members come first or stand beside the event's.

use std::collections::BTreeMap;

use super::{BYTE_ORDER_MARK, mentions_event};
use crate::json;

/// Members of members whose paths are kept. Lists count too: the texts of OTLP lie nine deep.
const MAX_DEPTH: usize = 9;

/// Paths that are kept.
const MAX_PATHS: usize = 2_000;

/// The beginning of a source.
pub(super) struct Head {
    /// The first line that mentions an event.
    pub(super) line: String,
    /// What stands in front of the JSON of the first record that mentions an event; all of it when it is no JSON.
    pub(super) prefix: String,
    /// That record is a list.
    pub(super) is_list: bool,
    /// Records can have several lines.
    pub(super) spans_lines: bool,
    /// How records are cut.
    pub(super) framing: &'static str,
    /// The record mentions an event.
    pub(super) mentions_event: bool,
    /// Paths of members, such as `records.properties.log`, with the value where it is a text. Lists are left out of a path.
    paths: BTreeMap<String, String>,
}

impl Head {
    pub(super) fn new(head: &[u8], spans_lines: bool, framing: &'static str) -> Self {
        let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
        let mut lines = head.split(|byte| *byte == b'\n');
        let record = match spans_lines {
            true => head,
            false => {
                let first = lines.clone().find(|line| !line.trim_ascii().is_empty());
                lines.find(|line| mentions_event(line)).or(first).unwrap_or_default()
            }
        };
        let text = String::from_utf8_lossy(record);
        let text = text.trim_start_matches(['\0', ' ', '\t', '\r', '\n']);
        let start = match text.starts_with(['{', '[']) {
            true => 0,
            false => text.find("{\"").unwrap_or(text.len()),
        };
        let (prefix, json) = text.split_at(start);
        Self {
            line: text.to_owned(),
            prefix: prefix.to_owned(),
            is_list: json.starts_with('['),
            spans_lines,
            framing,
            mentions_event: mentions_event(record),
            paths: paths(json),
        }
    }

    /// All paths.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.paths.keys().map(String::as_str)
    }

    /// Whether a member stands at `path`.
    pub(super) fn has(&self, path: &str) -> bool {
        self.paths.contains_key(path)
    }

    /// Whether a member of the record itself has a name that begins so.
    pub(super) fn has_name(&self, beginning: &str) -> bool {
        self.paths.keys().any(|path| path.starts_with(beginning) && !path.contains('.'))
    }

    /// The text at `path`, or nothing.
    pub(super) fn text(&self, path: &str) -> &str {
        self.paths.get(path).map_or("", String::as_str)
    }
}

/// The paths of the members of JSON that may be cut off anywhere, and need not be one document.
fn paths(json: &str) -> BTreeMap<String, String> {
    let bytes = json.as_bytes();
    let mut found = BTreeMap::new();
    // For every open object or list: whether it is an object, and the path of the member that is being read.
    let mut open: Vec<(bool, String)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() && found.len() < MAX_PATHS {
        match bytes[at] {
            b'{' | b'[' => {
                let path = open.last().map(|(_, path)| path.clone()).unwrap_or_default();
                open.push((bytes[at] == b'{', path));
            }
            b'}' | b']' => _ = open.pop(),
            b'"' => {
                let Some(end) = end_of_string(bytes, at) else { break };
                let after = bytes[end..].iter().position(|byte| !byte.is_ascii_whitespace()).map(|blank| end + blank);
                let is_key = after.is_some_and(|after| bytes[after] == b':');
                let depth = open.len();
                let parent = depth.checked_sub(2).map(|parent| open[parent].1.clone()).unwrap_or_default();
                match open.last_mut() {
                    Some((true, path)) if is_key && depth <= MAX_DEPTH => {
                        let name = json::string(&json[at..end]).unwrap_or_default();
                        *path = if parent.is_empty() { name.into_owned() } else { format!("{parent}.{name}") };
                        found.entry(path.clone()).or_default();
                    }
                    Some((true, path)) if !is_key => {
                        let value = json::string(&json[at..end]).unwrap_or_default();
                        found.entry(path.clone()).and_modify(|text: &mut String| {
                            if text.is_empty() {
                                *text = value.chars().take(64).collect();
                            }
                        });
                    }
                    _ => (),
                }
                at = end;
                continue;
            }
            _ => (),
        }
        at += 1;
    }
    found
}

/// Where the string ends that begins at `start`; `None` when it is cut off.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_what_is_cut_off() {
        let found = paths(r#"[{"a":{"b":[{"c":"x","d.e":1},{"f":"{\"g\":1}"}]}}, {"kind": "K", "cut": {"in": "si"#);
        let expected = ["a", "a.b", "a.b.c", "a.b.d.e", "a.b.f", "cut", "cut.in", "kind"];
        assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), expected);
        assert_eq!((found["a.b.c"].as_str(), found["kind"].as_str()), ("x", "K"));
    }

    #[test]
    fn the_first_record_that_mentions_an_event_tells() {
        let head = Head::new(b"I0521 klog\n\0\0node-1 {\"auditID\":\"a\"}\n", false, "");
        assert_eq!((head.prefix.as_str(), head.has("auditID"), head.is_list), ("node-1 ", true, false));
        let head = Head::new(b"\xef\xbb\xbf[\n {\"auditID\":", true, "");
        assert!(head.is_list && head.has("auditID") && head.prefix.is_empty());
        assert_eq!(Head::new(b"\nonly text\n", false, "").prefix, "only text");
    }
}

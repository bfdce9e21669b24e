//! YAML: documents behind `---` (`gcloud logging read`), or the items of a list (khi, `kubectl … -o yaml`). Each document, and
//! each item of a list that stands at the margin, is a record; it is told as JSON and searched like any other wrapper.

use std::ops::Range;

use memchr::memmem;

use super::Framing;
use crate::reject::Reason;
use crate::shape::nested::{Nested, Tears};
use crate::shape::{BYTE_ORDER_MARK, MAX_RECORD_BYTES, Position, Record, fields, wrapper, yaml};

/// The framing of YAML.
pub(in crate::shape) static YAML: Yaml = Yaml;

/// See [`YAML`].
#[derive(Debug)]
pub(in crate::shape) struct Yaml;

/// Lines in front of a list, and behind it, that are the text of its wrapper: `items:`, `kind: List`.
const MAX_WRAPPER_BYTES: usize = 1_000;

/// Whether a source begins with YAML in which an event, or an entry of Cloud Audit Logs, stands.
pub(super) fn recognises(head: &[u8]) -> bool {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let is_text = |line: &&[u8]| !line.is_empty() && !line.starts_with(b"#");
    let Some(first) = lines.clone().find(is_text) else { return false };
    let key = first.strip_prefix(b"- ").unwrap_or(first);
    let name = key.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"_.@-/'\"".contains(byte)));
    let is_key = name.is_some_and(|end| end > 0 && key[end] == b':' && matches!(key.get(end + 1), None | Some(b' ')));
    let begins = first == b"---" || first == b"-" || is_key || is_flow(first) || begins_text(first);
    if begins && lines.clone().any(is_flow) && memmem::find(head, b"auditID: ").is_some() {
        return true;
    }
    let marks = |line: &[u8]| {
        let bare = line.trim_ascii_start();
        let bare = bare.strip_prefix(b"- ").unwrap_or(bare);
        let service = bare.strip_prefix(b"serviceName: ");
        const GOOGLES: [&[u8]; 3] = [b"k8s.io", b"\"k8s.io\"", b"'k8s.io'"];
        // `auditID`, `AuditId` of Azure's tables; the AWS CLI writes the event into a text, and folds it.
        let is_id = is_named(bare, b"auditID") && !bare.ends_with(b",");
        let mut cell = bare.splitn(2, |byte| *byte == b':');
        let name = std::str::from_utf8(cell.next().unwrap_or_default()).unwrap_or_default();
        let text = cell.next().unwrap_or_default();
        let is_text = text.starts_with(b" '{\"kind\":\"Event\"") || text.starts_with(b" \"{\\\"kind\\\":\\\"Event\\\"");
        is_id
            || service.is_some_and(|name| GOOGLES.contains(&name))
            || (is_text && fields::may_hold_event(name.trim_matches(['\'', '"'])))
            || begins_text(line)
    };
    begins && (lines.clone().any(marks) || lines.clone().zip(lines.skip(1)).any(|(key, text)| begins_block(key, text)))
}

/// Whether a line is the key of a text in the lines behind it, and that text an event: `message: |`.
fn begins_block(key: &[u8], text: &[u8]) -> bool {
    let key = key.trim_ascii_start();
    let key = key.strip_prefix(b"- ").unwrap_or(key);
    let header = key.iter().rposition(|byte| *byte == b' ');
    let Some((name, b" |" | b" |-" | b" |+" | b" >" | b" >-")) = header.map(|at| key.split_at(at)) else {
        return false;
    };
    let name = name.strip_suffix(b":").and_then(|name| std::str::from_utf8(name).ok());
    let is_event = text.starts_with(b" ") && text.trim_ascii_start().starts_with(b"{\"kind\":\"Event\"");
    is_event && name.is_some_and(|name| fields::may_hold_event(name.trim_matches(['\'', '"'])))
}

/// Whether a line is a member of that name, in any case, and in quotation marks or without. JSON that is printed over several lines
/// looks the same, but for the comma behind nearly every member.
fn is_named(line: &[u8], name: &[u8]) -> bool {
    let quote = line.first().filter(|byte| matches!(byte, b'"' | b'\''));
    let bare = &line[usize::from(quote.is_some())..];
    let Some((written, rest)) = bare.split_at_checked(name.len()) else { return false };
    let rest = match quote {
        Some(quote) => rest.strip_prefix(&[*quote]),
        None => Some(rest),
    };
    written.eq_ignore_ascii_case(name) && rest.is_some_and(|rest| rest == b":" || rest.starts_with(b": "))
}

/// Whether a source begins with objects in brackets, or with a list of them, which look like documents of JSON at first.
pub(super) fn is_in_brackets(head: &[u8]) -> bool {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    head.starts_with(b"[") && recognises(head) || is_flow(head) && recognises(head)
}

/// Whether a line begins an object in brackets, `- {kind: Event, …`. In JSON, its first name would stand in double quotation marks. What
/// JavaScript prints has every text in single ones, in which a backslash means something else than in YAML.
fn is_flow(line: &[u8]) -> bool {
    let item = line.strip_prefix(b"- ").or_else(|| line.strip_prefix(b"--- ")).unwrap_or(line);
    let list = item.strip_prefix(b"[").unwrap_or(item);
    let Some(name) = list.strip_prefix(b"{") else { return false };
    let end = name.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"_.@-/'".contains(byte)));
    end.is_some_and(|end| end > 0 && name[end..].starts_with(b": ") && !name[end..].starts_with(b": '"))
}

/// Whether an item of a list is an event as text.
fn begins_text(line: &[u8]) -> bool {
    line.starts_with(b"- '{\"kind\":\"Event\"") || line.starts_with(b"- \"{\\\"kind\\\":\\\"Event\\\"")
}

/// The place in a document.
#[derive(Default)]
struct Margin {
    /// Whether a list at the margin is one of its members.
    in_list: bool,
    /// Whether the document is a list itself.
    is_list: bool,
    /// Whether it has members at the margin, and so is none.
    has_members: bool,
    /// Whether one of them was a list of records.
    has_records: bool,
}

impl Margin {
    /// Goes on by a line; whether a document or an item begins with it.
    fn starts(&mut self, line: &[u8]) -> bool {
        if line.starts_with(b"---") {
            *self = Self::default();
            return true;
        }
        if line.starts_with(b"- ") || line.trim_ascii_end() == b"-" {
            // A tear ends no list: in a document that is an event, an item at the margin is a part of it, whatever stands between.
            self.is_list |= !self.has_members;
            return !self.in_list && (self.has_records || self.is_list);
        }
        if !matches!(line.first(), None | Some(b' ' | b'\t' | b'#' | b'\r' | b'\n')) {
            // PyYAML does not indent lists: what stands behind a name without a value is a part of that member, and a client chooses the
            // items of a JSON patch. Only behind the names that collectors give to lists of records they are records.
            let name = opens_list(line.trim_ascii_end());
            let of_records = name.map(|name| matches!(wrapper::standing(name), wrapper::Standing::Known));
            self.in_list = of_records == Some(false);
            self.has_records |= of_records == Some(true);
            self.has_members |= !self.is_list;
        }
        false
    }
}

/// The name of a member whose value can be a list in the lines behind it: nothing stands behind its name but an anchor or a tag.
fn opens_list(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?;
    let (name, value) = line.strip_suffix(':').map(|name| (name, "")).or_else(|| line.split_once(": "))?;
    let is_bare = value.split(' ').all(|word| word.is_empty() || word.starts_with(['&', '!', '#']));
    is_bare.then(|| name.trim_matches(['"', '\'']))
}

/// Whether a line belongs to what is in front of it: it is blank, deeper, or a comment.
fn goes_on(line: &[u8]) -> bool {
    line.trim_ascii().is_empty() || matches!(line[0], b' ' | b'\t' | b'#' | b'}' | b']' | b'\'' | b'"')
}

/// The chunks of a text: each a document, an item, or the text of a wrapper.
fn chunks(text: &[u8]) -> Vec<Range<usize>> {
    let mut chunks: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    let mut margin = Margin::default();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let is_item = chunks
            .last()
            .is_some_and(|chunk| text[chunk.clone()].starts_with(b"-") && !text[chunk.clone()].starts_with(b"---"));
        let begins = margin.starts(line) || chunks.is_empty() || (is_item && !goes_on(line));
        match chunks.last_mut() {
            Some(chunk) if !begins => chunk.end = at + line.len(),
            _ => chunks.push(at..at + line.len()),
        }
        at += line.len();
    }
    chunks
}

impl Framing for Yaml {
    fn name(&self) -> &'static str {
        "yaml"
    }

    fn spans_lines(&self) -> bool {
        true
    }

    /// In front of the last line that begins a document or an item.
    fn cut(&self, bytes: &[u8]) -> usize {
        let end = memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
        let mut cut = 0;
        let mut at = 0;
        let mut margin = Margin::default();
        for line in bytes[..end].split_inclusive(|byte| *byte == b'\n') {
            if margin.starts(line) {
                cut = at;
            }
            at += line.len();
        }
        cut
    }

    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        let mark = if start.offset == 0 && piece.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let (mut position, mut done) = (start, 0);
        let tears = Tears::default();
        let chunks: Vec<Range<usize>> =
            chunks(&piece[mark..]).into_iter().map(|chunk| mark + chunk.start..mark + chunk.end).collect();
        for chunk in chunks {
            let bytes = piece[chunk.clone()].trim_ascii_end();
            let bare = bytes.strip_prefix(b"---").unwrap_or(bytes).trim_ascii();
            if bare.is_empty() || is_wrapper(bare) {
                continue;
            }
            position = position.after(&piece[done..chunk.start]);
            done = chunk.start;
            let terminated = !last || chunk.end < piece.len() || piece.ends_with(b"\n");
            let record = Nested { position, bytes, terminated, tears: &tears };
            if bytes.len() > MAX_RECORD_BYTES {
                record.records(true, Reason::TooLong { limit: MAX_RECORD_BYTES }, each);
                continue;
            }
            let missing = "audit event in this document";
            match std::str::from_utf8(bytes).map(yaml::to_json) {
                Ok(Ok(json)) => record.records_told(&json, Reason::NotAuditEvent { missing }, each),
                Ok(Err((message, column))) => record.records(false, Reason::NotYaml { message, column }, each),
                Err(error) => record.records(true, Reason::InvalidUtf8 { valid_up_to: error.valid_up_to() }, each),
            }
        }
    }
}

/// Members beside the list of events whose values are a word or a number: Kubernetes' own, and what the AWS CLI tells of an answer.
const AROUND: [&[u8]; 15] = [
    b"kind:",
    b"apiVersion:",
    b"resourceVersion:",
    b"selfLink:",
    b"nextToken:",
    b"nextForwardToken:",
    b"nextBackwardToken:",
    b"queryLanguage:",
    b"status:",
    b"recordsMatched:",
    b"recordsScanned:",
    b"bytesScanned:",
    b"estimated",
    // Where a search looked, beside what it found.
    b"logStreamName:",
    b"searchedCompletely:",
];

/// Whether a text is what stands around a list: its members are few, and none of them holds anything.
fn is_wrapper(text: &[u8]) -> bool {
    let is_name = |line: &[u8]| {
        let line: Vec<u8> = line.trim_ascii().iter().filter(|byte| !b"'\"".contains(byte)).copied().collect();
        let line = line.strip_prefix(b"- ").unwrap_or(&line);
        let is = |word: &[u8]| line.starts_with(word);
        line.is_empty()
            || line == b"items:"
            || line == b"metadata:"
            || line == b"metadata: {}"
            || (AROUND.iter().any(|name| is(name))
                && line.iter().all(|byte| byte.is_ascii_alphanumeric() || b": ./-_=+!".contains(byte)))
            || line == b"searchedLogStreams: []"
            || line == b"searchedLogStreams:"
            || line == b"statistics:"
            || line == b"results:"
            || line == b"events:"
            || line == b"records:"
            || is(b"#")
            || line == b"..."
    };
    text.len() < MAX_WRAPPER_BYTES && text.split(|byte| *byte == b'\n').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Decoded, Reading};

    const EVENT: &str = "kind: Event\napiVersion: audit.k8s.io/v1\nlevel: Metadata\nauditID: a\nuser:\n  username: bob\nstageTimestamp: '2026-11-21T20:37:37.000000Z'\n";

    fn item() -> String {
        EVENT
            .lines()
            .enumerate()
            .map(|(number, line)| format!("{}{line}\n", if number == 0 { "- " } else { "  " }))
            .collect()
    }

    /// (line, whether it is an event) of every record.
    fn records(text: &str) -> Vec<(i64, bool)> {
        let reading = Reading::of(text.as_bytes());
        assert_eq!(reading.framing.name(), "yaml", "{text}");
        let mut seen = Vec::new();
        reading.decode(text.as_bytes(), Position::START, true, &mut |record| {
            seen.push((record.position.line, matches!(record.decoded, Decoded::Event(_))));
        });
        seen
    }

    #[test]
    fn documents_and_items_are_records() {
        assert_eq!(records(EVENT), [(1, true)]);
        assert_eq!(records(&format!("---\n{EVENT}---\n{EVENT}")), [(1, true), (9, true)]);
        assert_eq!(records(&item().repeat(3)), [(1, true), (8, true), (15, true)]);
        let list =
            format!("apiVersion: audit.k8s.io/v1\nitems:\n{}kind: EventList\nmetadata: {{}}\n", item().repeat(2));
        assert_eq!(records(&list), [(3, true), (10, true)]);
        let torn = format!("---\n{EVENT}---\nkind: [Ev\n---\n{EVENT}");
        assert_eq!(records(&torn), [(1, true), (9, false), (11, true)]);
    }

    /// The items of a patch that a client sent, as PyYAML writes them: at the margin, behind the name of the body.
    #[test]
    fn a_list_in_an_event_is_a_part_of_it() {
        let patch = item().replace("auditID: a", "auditID: FAKE").repeat(2);
        for name in
            ["requestObject:", "\"requestObject\":", "'requestObject': &id001", "requestObject: !!python/tuple", "x:"]
        {
            let evil = format!("{EVENT}{name}\n{patch}verb: patch\n");
            assert_eq!(chunks(evil.as_bytes()).len(), 1, "{name}");
            assert_eq!(YAML.cut(evil.as_bytes()), 0, "{name}");
        }
        assert_eq!(chunks(format!("events:\n{patch}").as_bytes()).len(), 3);
        // Nor does a tear make records of them: only the next document is one again.
        let torn = format!("---\n{EVENT}requestObject:\n{}rce: secrets\n{patch}verb: patch\n---\n{EVENT}", item());
        assert_eq!(chunks(torn.as_bytes()).len(), 2);
        assert_eq!(YAML.cut(torn.as_bytes()), torn.len() - EVENT.len() - 4);
        // In a list of records the others are still there.
        let torn = format!("items:\n{}rce: secrets\n{}", item(), item());
        assert_eq!(records(&torn), [(2, true), (9, false), (10, true)]);
        let torn = format!("{}rce: secrets\n{}", item(), item().repeat(2));
        assert_eq!(records(&torn), [(1, true), (8, false), (9, true), (16, true)]);
    }

    #[test]
    fn a_cut_is_in_front_of_a_document() {
        let two = format!("---\n{EVENT}---\n{EVENT}");
        assert_eq!(YAML.cut(two.as_bytes()), EVENT.len() + 4);
        assert_eq!(YAML.cut(EVENT.as_bytes()), 0);
    }
}

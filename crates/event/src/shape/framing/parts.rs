//! What a container runtime writes when the API server logs to standard output: a line of text, or, when
//! it is longer than 16 KiB, several parts of one, each in a line of its own.
//!
//! A CRI (containerd, CRI-O) writes `<time> stdout P <text>` for a part and `F` for the last; Docker writes
//! `{"log":"<text>","stream":…,"time":…}`, and only the last part ends with a line end. Parts are joined by stream. Docker's `fluentd`
//! driver numbers the parts of a text, and gives all of them one id: none may be missing.
//! Other lines can stand between them: those of the other stream, and, where several writers were merged, whole lines of
//! the same one. The joined record spans from its first part to its last; what stands between them are records of
//! their own inside of it. Parts that give no event together are rejects, each by itself.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::Framing;
use crate::container;
use crate::event::Event;
use crate::json;
use crate::shape::nested::{self, Nested, Tears};
use crate::shape::readable::readable;
use crate::shape::{Decoded, MAX_RECORD_BYTES, Position, Record, mentions_event};

/// The framing of the logs of a container runtime.
pub(in crate::shape) static PARTS: Parts = Parts;

/// Lines that are looked back at for a part whose rest is still to come.
const MAX_LOOK_BACK: usize = 64;

/// Whole lines between the parts of one text, of the same stream, before its rest is given up.
const MAX_BETWEEN: usize = 16;

/// See [`PARTS`].
#[derive(Debug)]
pub(in crate::shape) struct Parts;

impl Framing for Parts {
    fn name(&self) -> &'static str {
        "container-log"
    }

    fn spans_lines(&self) -> bool {
        false
    }

    /// Behind the last line at which no stream has a part whose rest is still to come.
    fn cut(&self, bytes: &[u8]) -> usize {
        let Some(newline) = memchr::memrchr(b'\n', bytes) else { return 0 };
        let mut cut = newline + 1;
        let (mut seen, mut looked) = (HashSet::new(), 0);
        let mut end = newline;
        loop {
            let start = memchr::memrchr(b'\n', &bytes[..end]).map_or(0, |before| before + 1);
            if let Some(part) = part(&bytes[start..end]) {
                if !part.is_last && !seen.contains(&part.text_of) {
                    // The rest of this part is to come: it belongs to the next piece, and what is behind it.
                    cut = start;
                    looked = 0;
                    seen.clear();
                } else {
                    seen.insert(part.text_of);
                }
            }
            looked += 1;
            let is_settled = seen.contains(&TextOf::Stdout) && seen.contains(&TextOf::Stderr);
            if start == 0 || cut == 0 || is_settled || looked > MAX_LOOK_BACK {
                return cut;
            }
            end = start - 1;
        }
    }

    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        let lines = Lines::of(piece);
        let tears = Tears::default();
        let mut place = Place { position: start, at: 0, piece, tears: &tears };
        for (number, line) in lines.list.iter().enumerate() {
            let terminated = |line: &Range<usize>| line.end < piece.len() || !last;
            match lines.joined.get(&number) {
                Some(parts) => {
                    let end = &lines.list[parts[parts.len() - 1]];
                    let bytes = lines.bytes(parts);
                    let (text, mark) = readable(&bytes);
                    // Docker's `fluentd` driver says beside a text which container printed it.
                    let first = std::str::from_utf8(&piece[line.clone()]).unwrap_or_default();
                    let container = first.starts_with('{').then(|| container::of_wrapper(first)).flatten();
                    place.joined(line.start..end.end, &text, terminated(end), &mut |mut record| {
                        record.decoded.mark(mark.or(container));
                        each(record);
                    });
                }
                None if lines.taken.contains(&number) => (),
                None => place.line(line.clone(), terminated(line), each),
            }
        }
    }
}

/// The lines of a piece, and which of them are parts of one text.
struct Lines<'a> {
    piece: &'a [u8],
    list: Vec<Range<usize>>,
    /// Numbers of the lines that make one event, in order, by the number of the first.
    joined: HashMap<usize, Vec<usize>>,
    /// Lines that are part of one of these.
    taken: HashSet<usize>,
}

impl<'a> Lines<'a> {
    fn of(piece: &'a [u8]) -> Self {
        let mut lines = Self { piece, list: Vec::new(), joined: HashMap::new(), taken: HashSet::new() };
        // Parts of each text whose rest has not come, and lines of its stream in between.
        let mut waiting: HashMap<TextOf, (Vec<usize>, usize)> = HashMap::new();
        let mut from = 0;
        while from < piece.len() {
            let end = memchr::memchr(b'\n', &piece[from..]).map_or(piece.len(), |length| from + length);
            lines.list.push(from..end - usize::from(piece[from..end].ends_with(b"\r")));
            let number = lines.list.len() - 1;
            if let Some(part) = part(&piece[lines.list[number].clone()]) {
                let (parts, between) = waiting.entry(part.text_of).or_default();
                if !part.is_last {
                    parts.push(number);
                } else if !parts.is_empty() {
                    match lines.join(parts, number) {
                        Some(joined) => {
                            lines.taken.extend(&joined);
                            lines.joined.insert(joined[0], joined);
                            (*parts, *between) = (Vec::new(), 0);
                        }
                        None if *between < MAX_BETWEEN => *between += 1,
                        None => (*parts, *between) = (Vec::new(), 0),
                    }
                }
            }
            from = end + 1;
        }
        lines
    }

    /// The parts that give an event together with the last one. Earlier ones may be what a crash left; then the event can
    /// begin in a part of its own, or inside of one.
    fn join(&self, parts: &[usize], last: usize) -> Option<Vec<usize>> {
        let all: Vec<usize> = parts.iter().copied().chain([last]).collect();
        let numbers: Vec<Option<u64>> = all.iter().filter_map(|line| Some(self.part(*line)?.number)).collect();
        if numbers.iter().any(Option::is_some) {
            let is_whole = numbers.into_iter().zip(1..).all(|(number, expected)| number == Some(expected));
            return (is_whole && nested::holds_event(&readable(&self.bytes(&all)).0, false)).then_some(all);
        }
        let candidates: Vec<Vec<usize>> = (0..parts.len())
            .filter(|from| *from == 0 || mentions_event(&self.piece[self.list[parts[*from]].clone()]))
            .map(|from| parts[from..].iter().copied().chain([last]).collect())
            .collect();
        let holds = |numbers: &Vec<usize>, damage| nested::holds_event(&readable(&self.bytes(numbers)).0, damage);
        let glued = || candidates.iter().find(|numbers| holds(numbers, true)).filter(|_| !holds(&vec![last], true));
        candidates.iter().find(|numbers| holds(numbers, false)).or_else(glued).cloned()
    }

    /// The text of lines. A CRI can split a line inside of a character.
    fn bytes(&self, numbers: &[usize]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in numbers.iter().filter_map(|number| self.part(*number)) {
            bytes.extend_from_slice(&part.text);
        }
        bytes
    }

    fn part(&self, number: usize) -> Option<Part<'a>> {
        part(&self.piece[self.list[number].clone()])
    }
}

/// A line of a container's log.
pub(in crate::shape) struct Part<'a> {
    text_of: TextOf,
    text: Cow<'a, [u8]>,
    is_last: bool,
    /// Which part of its text it is, where the runtime counts them.
    number: Option<u64>,
}

/// What tells the parts of a text from those of others.
#[derive(Debug, PartialEq, Eq, Hash)]
enum TextOf {
    Stdout,
    Stderr,
    /// The id of the text, or of a container that printed a short one.
    Id(String),
}

impl TextOf {
    fn stream(stream: &[u8]) -> Self {
        if stream == b"stderr" { Self::Stderr } else { Self::Stdout }
    }
}

fn part(line: &[u8]) -> Option<Part<'_>> {
    if line.starts_with(b"{") { docker_part(line) } else { cri_part(line) }
}

/// A line as a CRI writes it.
pub(in crate::shape) fn cri_part(line: &[u8]) -> Option<Part<'_>> {
    let mut fields = line.strip_suffix(b"\r").unwrap_or(line).splitn(4, |byte| *byte == b' ');
    let (time, stream, tags, text) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let is_time = time.len() > 19 && time[10] == b'T' && crate::time::parse(std::str::from_utf8(time).ok()?).is_some();
    // More tags may follow, each behind a colon.
    let tag = tags.split(|byte| *byte == b':').next()?;
    if !is_time || !matches!(stream, b"stdout" | b"stderr") || !matches!(tag, b"P" | b"F") {
        return None;
    }
    Some(Part { text_of: TextOf::stream(stream), text: Cow::Borrowed(text), is_last: tag == b"F", number: None })
}

/// A line as Docker's `json-file` driver writes it, or what is kept of one of its `fluentd` driver.
pub(in crate::shape) fn docker_part(line: &[u8]) -> Option<Part<'_>> {
    let (mut log, mut stream, mut others) = (None, None, 0);
    let (mut container, mut numbered) = (None, Numbered::default());
    json::members(std::str::from_utf8(line).ok()?, &mut |key, value| match key.as_ref() {
        "log" => log = json::string(value),
        "stream" => stream = json::string(value),
        // Docker adds `time`, and `attrs` when it is asked to.
        "time" | "attrs" => (),
        "container_id" => container = json::string(value),
        key => others += u32::from(!numbered.takes(key, value)),
    })
    .ok()?;
    let text = log?;
    let (text_of, is_last, number) = match (stream, container) {
        // Fluentd and its filters add what they like.
        (None, Some(container)) if numbered.has_source => match numbered.part() {
            Some((id, number)) => (TextOf::Id(id), numbered.is_last, Some(number)),
            None => (TextOf::Id(container.into_owned()), true, None),
        },
        (Some(stream), None) if others == 0 => (TextOf::stream(stream.as_bytes()), text.ends_with('\n'), None),
        _ => return None,
    };
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    Some(Part { text_of, is_last, text, number })
}

/// What Docker's `fluentd` driver says of a part.
#[derive(Default)]
struct Numbered {
    has_source: bool,
    is_part: bool,
    is_last: bool,
    id: Option<String>,
    number: Option<u64>,
}

impl Numbered {
    /// Whether a member is one of these.
    fn takes(&mut self, key: &str, value: &str) -> bool {
        let text = json::string(value).unwrap_or(Cow::Borrowed(value));
        match key {
            "source" => self.has_source = matches!(text.as_ref(), "stdout" | "stderr"),
            "partial_message" => self.is_part = text == "true",
            "partial_last" => self.is_last = text == "true",
            "partial_id" => self.id = Some(text.into_owned()),
            "partial_ordinal" => self.number = text.parse().ok(),
            _ => return false,
        }
        true
    }

    /// The id of the text, and which part of it this is.
    fn part(&mut self) -> Option<(String, u64)> {
        Some((self.id.take().filter(|_| self.is_part)?, self.number?))
    }
}

/// A place in a piece that moves forward.
struct Place<'a> {
    position: Position,
    at: usize,
    piece: &'a [u8],
    tears: &'a Tears,
}

impl Place<'_> {
    fn move_to(&mut self, at: usize) -> Position {
        self.position = self.position.after(&self.piece[self.at..at]);
        self.at = at;
        self.position
    }

    /// A line by itself.
    fn line(&mut self, at: Range<usize>, terminated: bool, each: &mut dyn FnMut(Record<'_>)) {
        let (position, bytes) = (self.move_to(at.start), &self.piece[at]);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let nested = Nested { position, bytes, terminated, tears: self.tears };
        nested.records(bytes.len() > MAX_RECORD_BYTES, nested::rejected(bytes), each);
    }

    /// A text that stood in several lines.
    fn joined(&mut self, at: Range<usize>, text: &str, terminated: bool, each: &mut dyn FnMut(Record<'_>)) {
        let (position, bytes) = (self.move_to(at.start), &self.piece[at]);
        match Event::decode(text) {
            Ok(event) => each(Record { position, bytes, decoded: Decoded::Event(event), terminated }),
            Err(_) => {
                Nested { position, bytes, terminated, tears: &Tears::default() }.records_of_text(text, None, each);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Reading;

    const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","user":{"username":"é"},"stageTimestamp":"2026-11-21T20:37:37.000000Z"}"#;

    /// (line, length, whether it is an event) of every record.
    fn records(log: &[u8], last: bool) -> Vec<(i64, usize, bool)> {
        let mut seen = Vec::new();
        PARTS.decode(log, Position::START, last, &mut |record| {
            seen.push((record.position.line, record.bytes.len(), matches!(record.decoded, Decoded::Event(_))));
        });
        seen
    }

    /// (line, whether it is an event) of every record.
    fn kinds(log: &str) -> Vec<(i64, bool)> {
        records(log.as_bytes(), true).into_iter().map(|(line, _, is_event)| (line, is_event)).collect()
    }

    fn cri(stream: &str, tag: &str, text: &str) -> String {
        format!("2026-11-21T20:37:37.365950123Z {stream} {tag} {text}\n")
    }

    fn docker(stream: &str, text: &str) -> String {
        format!("{}\n", serde_json::json!({"log": text, "stream": stream, "time": "t"}))
    }

    #[test]
    fn parts_are_joined_and_the_record_spans_them() {
        let (one, two) = EVENT.split_at(60);
        let log = cri("stdout", "F", EVENT) + &cri("stdout", "P", one) + &cri("stdout", "F", two);
        let whole = cri("stdout", "F", EVENT).len();
        assert_eq!(Reading::of(log.as_bytes()).shape.name, "cri");
        assert_eq!(records(log.as_bytes(), true), [(1, whole - 1, true), (2, log.len() - whole - 1, true)]);
        let log =
            docker("stdout", one) + &docker("stdout", &format!("{two}\n")) + &docker("stdout", &format!("{EVENT}\n"));
        assert_eq!(Reading::of(log.as_bytes()).shape.name, "docker");
        assert_eq!(kinds(&log), [(1, true), (3, true)]);
    }

    /// As Docker's `fluentd` driver tells the parts of a text, of which `left_out` is missing.
    fn fluentd(text: &str, id: &str, container: &str, left_out: usize) -> Vec<String> {
        let parts = text.as_bytes().chunks(40).collect::<Vec<_>>();
        let count = parts.len();
        let part = |(number, part): (usize, &&[u8])| {
            let last = if number + 1 == count { "true" } else { "false" };
            serde_json::json!({
                "container_id": "c", "container_name": container, "source": "stdout",
                "log": std::str::from_utf8(part).unwrap(), "partial_message": "true", "partial_id": id,
                "partial_ordinal": (number + 1).to_string(), "partial_last": last,
            })
            .to_string()
                + "\n"
        };
        parts.iter().enumerate().filter(|(number, _)| *number != left_out).map(part).collect()
    }

    #[test]
    fn parts_that_are_numbered_are_joined_by_their_id_and_none_may_be_missing() {
        let text = EVENT.replace('é', "e");
        let (one, two) = (fluentd(&text, "1", "/kube-apiserver", 99), fluentd(&text, "2", "/kube-apiserver", 99));
        let mixed: String = one.iter().zip(&two).flat_map(|(one, two)| [one.as_str(), two]).collect();
        assert_eq!(kinds(&mixed), [(1, true), (2, true)]);
        assert_eq!(PARTS.cut(mixed.as_bytes()), mixed.len());
        let begun = one.concat() + &two[..2].concat();
        assert_eq!(PARTS.cut(begun.as_bytes()), one.concat().len());
        // What fits without its middle part is another event.
        let padded = text.replace("\"a\"", &format!("\"{}\"", "a".repeat(80)));
        for left_out in 0..3 {
            let log = fluentd(&padded, "1", "/kube-apiserver", left_out).concat();
            assert!(kinds(&log).iter().all(|(_, is_event)| !is_event), "{left_out}");
        }
        let mut marks = Vec::new();
        let log = one.concat() + &fluentd(&text, "3", "/web", 99).concat();
        assert_eq!(Reading::of(log.as_bytes()).shape.name, "docker");
        PARTS.decode(log.as_bytes(), Position::START, true, &mut |record| match record.decoded {
            Decoded::Event(event) => marks.push(event.salvaged.map(Cow::into_owned)),
            Decoded::Reject(reason) => panic!("{reason}"),
        });
        assert_eq!(marks, [None, Some(crate::salvage::OTHER_CONTAINER.to_owned())]);
    }

    #[test]
    fn what_stands_between_parts_keeps_its_own_record() {
        let (one, rest) = EVENT.split_at(60);
        let (two, three) = rest.split_at(30);
        let klog = "I0521 quota admission";
        let log = cri("stdout", "P", one)
            + &cri("stderr", "F", klog)
            + &cri("stdout", "P", two)
            + &cri("stdout", "F", EVENT)
            + &cri("stdout", "F", klog)
            + &cri("stderr", "P", one)
            + &cri("stdout", "F", three)
            + &cri("stderr", "F", rest);
        let expected = [(1, true), (2, false), (4, true), (5, false), (6, true)];
        assert_eq!(kinds(&log), expected);
        let log = docker("stdout", one) + &docker("stderr", "klog\n") + &docker("stdout", &format!("{rest}\n"));
        assert_eq!(kinds(&log), [(1, true), (2, false)]);
    }

    #[test]
    fn a_line_split_inside_of_a_character_is_joined() {
        let middle = EVENT.find('é').unwrap() + 1;
        let mut log = b"2026-11-21T20:37:37.365950123Z stdout P ".to_vec();
        log.extend_from_slice(&EVENT.as_bytes()[..middle]);
        log.extend_from_slice(b"\n2026-11-21T20:37:37.365950123Z stdout F ");
        log.extend_from_slice(&EVENT.as_bytes()[middle..]);
        log.push(b'\n');
        assert_eq!(records(&log, true), [(1, log.len() - 1, true)]);
    }

    #[test]
    fn parts_without_their_rest_are_rejects() {
        let (one, two) = EVENT.split_at(60);
        let log = cri("stdout", "P", one) + &cri("stderr", "F", "I0521 klog") + &cri("stdout", "F", "x");
        assert_eq!(kinds(&log), [(1, false), (2, false), (3, false)]);
        assert_eq!(records(cri("stdout", "P", one).as_bytes(), true).len(), 1);
        assert_eq!(records(b"\n \nnoise\n", true), [(3, 5, false)]);
        // What a crash left does not spoil what follows.
        let log = cri("stdout", "P", one) + &cri("stdout", "P", one) + &cri("stdout", "F", two);
        assert_eq!(kinds(&log), [(1, false), (2, true)]);
    }

    #[test]
    fn a_cut_never_parts_an_event() {
        let (whole, part) = (cri("stdout", "F", "x"), cri("stdout", "P", "y"));
        let other = cri("stderr", "F", "z");
        let cut = |log: String| PARTS.cut(log.as_bytes());
        assert_eq!(cut(whole.clone() + &part), whole.len());
        assert_eq!(cut(whole.clone() + &part + "2026"), whole.len());
        assert_eq!(cut(whole.clone() + &part + &other), whole.len());
        assert_eq!(cut(other.clone() + &whole + &part + &other + &part + &other), other.len() + whole.len());
        assert_eq!(cut(whole.clone() + &part + &other + &whole), 2 * whole.len() + part.len() + other.len());
        assert_eq!(cut(part), 0);
        assert_eq!(PARTS.cut(b"noise\nmore"), 6);
    }
}

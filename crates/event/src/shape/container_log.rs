//! What a container runtime writes when the API server logs to standard output: a line of text, or, when
//! it is longer than 16 KiB, several parts of one, each in a line of its own.
//!
//! A CRI (containerd, CRI-O) writes `<time> stdout P <text>` for a part and `F` for the last; Docker writes
//! `{"log":"<text>","stream":…,"time":…}`, and only the last part ends with a line end. Parts are joined when
//! they follow one another. Those that do not are rejects, as are lines that hold no event.

use std::borrow::Cow;
use std::ops::Range;

use super::nested::{self, Nested};
use super::{Decoded, MAX_RECORD_BYTES, Position, Record, Shape};
use crate::event::Event;
use crate::json;

/// The shape of the logs of a container runtime.
pub const CONTAINER_LOG: ContainerLog = ContainerLog;

/// See [`CONTAINER_LOG`].
#[derive(Debug, Clone, Copy)]
pub struct ContainerLog;

impl Shape for ContainerLog {
    fn name(&self) -> &'static str {
        "container-log"
    }

    fn recognises(&self, head: &[u8]) -> bool {
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        std::str::from_utf8(line).is_ok_and(|line| part(line).is_some())
    }

    /// Behind the last line that ends an event.
    fn cut(&self, bytes: &[u8]) -> usize {
        let mut end = bytes.len();
        while let Some(newline) = memchr::memrchr(b'\n', &bytes[..end]) {
            let start = memchr::memrchr(b'\n', &bytes[..newline]).map_or(0, |before| before + 1);
            let line = std::str::from_utf8(&bytes[start..newline]).unwrap_or_default();
            if part(line).is_none_or(|part| part.is_last) {
                return newline + 1;
            }
            end = newline;
        }
        0
    }

    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        let mut parts: Vec<(Range<usize>, Part<'_>)> = Vec::new();
        let mut place = Place { position: start, at: 0, piece };
        let mut from = 0;
        while from < piece.len() {
            let end = memchr::memchr(b'\n', &piece[from..]).map_or(piece.len(), |length| from + length);
            let line = from..end - usize::from(piece[from..end].ends_with(b"\r"));
            let terminated = end < piece.len() || !last;
            from = end + 1;
            let text = std::str::from_utf8(&piece[line.clone()]).unwrap_or_default();
            let part = part(text);
            let goes_on = |before: &Part<'_>| part.as_ref().is_some_and(|part| part.stream == before.stream);
            if parts.last().is_some_and(|(_, before)| !goes_on(before)) {
                // The rest of them is missing: each part is a record that is no event.
                parts.drain(..).for_each(|(at, _)| place.line(at, true, each));
            }
            match part {
                None => place.line(line, terminated, each),
                Some(part) => {
                    let ends = part.is_last;
                    parts.push((line, part));
                    if ends {
                        place.parts(&parts, terminated, each);
                        parts.clear();
                    }
                }
            }
        }
        parts.drain(..).for_each(|(at, _)| place.line(at, !last, each));
    }
}

/// A line of a container's log.
struct Part<'a> {
    stream: Cow<'a, str>,
    text: Cow<'a, str>,
    is_last: bool,
}

fn part(line: &str) -> Option<Part<'_>> {
    if line.starts_with('{') { docker_part(line) } else { cri_part(line) }
}

fn cri_part(line: &str) -> Option<Part<'_>> {
    let mut fields = line.splitn(4, ' ');
    let (time, stream, tags, text) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let is_time = time.len() > 19 && time.as_bytes()[10] == b'T' && crate::time::parse(time).is_some();
    // More tags may follow, each behind a colon.
    let tag = tags.split(':').next()?;
    if !is_time || !matches!(stream, "stdout" | "stderr") || !matches!(tag, "P" | "F") {
        return None;
    }
    Some(Part { stream: stream.into(), text: text.into(), is_last: tag == "F" })
}

fn docker_part(line: &str) -> Option<Part<'_>> {
    let (mut log, mut stream, mut others) = (None, None, 0);
    json::members(line, &mut |key, value| match key.as_ref() {
        "log" => log = json::string(value),
        "stream" => stream = json::string(value),
        // Docker adds `time`, and `attrs` when it is asked to.
        "time" | "attrs" => (),
        _ => others += 1,
    })
    .ok()?;
    let text = log.filter(|_| others == 0)?;
    Some(Part { stream: stream?, is_last: text.ends_with('\n'), text })
}

/// A place in a piece that moves forward.
struct Place<'a> {
    position: Position,
    at: usize,
    piece: &'a [u8],
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
        let nested = Nested { position, bytes, terminated };
        nested.records(bytes.len() > MAX_RECORD_BYTES, nested::rejected(bytes), each);
    }

    /// The parts of one text, the last of them included.
    fn parts(&mut self, parts: &[(Range<usize>, Part<'_>)], terminated: bool, each: &mut dyn FnMut(Record<'_>)) {
        let [(first, _), .., (end, _)] = parts else {
            // Most lines are whole.
            return parts.iter().for_each(|(at, _)| self.line(at.clone(), terminated, each));
        };
        let text: String = parts.iter().map(|(_, part)| part.text.as_ref()).collect();
        match Event::decode(&text) {
            Ok(event) => {
                let (position, bytes) = (self.move_to(first.start), &self.piece[first.start..end.end]);
                each(Record { position, bytes, decoded: Decoded::Event(event), terminated });
            }
            Err(_) => parts.iter().for_each(|(at, _)| self.line(at.clone(), terminated, each)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::recognise;

    const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","user":{},"stageTimestamp":"2026-11-21T20:37:37.000000Z"}"#;

    /// (line, length, whether it is an event) of every record.
    fn records(log: &str, last: bool) -> Vec<(i64, usize, bool)> {
        let mut seen = Vec::new();
        CONTAINER_LOG.decode(log.as_bytes(), Position::START, last, &mut |record| {
            seen.push((record.position.line, record.bytes.len(), matches!(record.decoded, Decoded::Event(_))));
        });
        seen
    }

    fn cri(stream: &str, tag: &str, text: &str) -> String {
        format!("2026-11-21T20:37:37.365950123Z {stream} {tag} {text}\n")
    }

    #[test]
    fn parts_are_joined_and_the_record_spans_them() {
        let (one, two) = EVENT.split_at(60);
        let log = cri("stdout", "F", EVENT) + &cri("stdout", "P", one) + &cri("stdout", "F", two);
        let whole = cri("stdout", "F", EVENT).len();
        assert_eq!(recognise(log.as_bytes()).name(), "container-log");
        assert_eq!(records(&log, true), [(1, whole - 1, true), (2, log.len() - whole - 1, true)]);
        let docker = |text: &str| format!("{}\n", serde_json::json!({"log": text, "stream": "stdout", "time": "t"}));
        let log = docker(one) + &docker(&format!("{two}\n")) + &docker(&format!("{EVENT}\n"));
        assert_eq!(recognise(log.as_bytes()).name(), "container-log");
        assert_eq!(
            records(&log, true).iter().map(|record| (record.0, record.2)).collect::<Vec<_>>(),
            [(1, true), (3, true)]
        );
    }

    #[test]
    fn parts_without_their_rest_are_rejects() {
        let (one, two) = EVENT.split_at(60);
        let log = cri("stdout", "P", one) + &cri("stderr", "F", "I0521 klog") + &cri("stdout", "F", two);
        assert_eq!(records(&log, true).iter().map(|record| record.2).collect::<Vec<_>>(), [false, false, false]);
        assert_eq!(records(&cri("stdout", "P", one), true).len(), 1);
        assert_eq!(records("\n \nnoise\n", true), [(3, 5, false)]);
    }

    #[test]
    fn a_cut_never_parts_an_event() {
        let log = cri("stdout", "F", "x") + &cri("stdout", "P", "y");
        assert_eq!(CONTAINER_LOG.cut(log.as_bytes()), cri("stdout", "F", "x").len());
        assert_eq!(CONTAINER_LOG.cut((log + "2026").as_bytes()), cri("stdout", "F", "x").len());
        assert_eq!(CONTAINER_LOG.cut(cri("stdout", "P", "y").as_bytes()), 0);
        assert_eq!(CONTAINER_LOG.cut(b"noise\nmore"), 6);
    }
}

//! Entries of a journal as `journalctl -o export` writes them, and `systemd-journal-remote` takes them: fields a line each, and an
//! empty line behind the last. A field whose value has line ends, or is not all text, is its name, a line end, the length as
//! 64 bits with the lowest byte first, the value, and a line end. So no value can begin a field.
//!
//! An entry is told as the object that `journalctl -o json` writes of it. Where a length is wrong nobody knows what of the entry is a
//! value: it goes on to a line at which the next one can begin, and the next events are marked.

use memchr::memmem;
use serde_json::{Map, Value};

use super::Framing;
use super::torn::{self, Places};
use crate::reject::Reason;
use crate::shape::nested::{Nested, rejected};
use crate::shape::{BYTE_ORDER_MARK, MAX_RECORD_BYTES, Position, Record};

/// The framing of a journal's export.
pub(super) static ENTRIES: Entries = Entries;

/// See [`ENTRIES`].
#[derive(Debug)]
pub(in crate::shape) struct Entries;

/// How an entry begins.
const BEGINNING: &[u8] = b"__CURSOR=";

/// Longest name of a field; journald takes no longer one.
const MAX_NAME_BYTES: usize = 64;

/// Bytes of a length.
const LENGTH_BYTES: usize = 8;

/// Whether a source begins with an entry.
pub(super) fn recognises(head: &[u8]) -> bool {
    head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start().starts_with(BEGINNING)
}

/// What stands at the beginning of an entry.
enum Step {
    /// An entry that ends in front of this place.
    Whole(usize),
    /// An entry that cannot be read on from here.
    Torn(usize),
    /// An entry that may go on.
    GoesOn,
}

/// Whether a field can have this name.
fn is_name(name: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    (1..=MAX_NAME_BYTES).contains(&name.len()) && name.iter().all(is_letter)
}

/// Reads the entry that begins at `start`, giving its fields to `each`. At the end of a source the last line may lack its end.
fn entry<'a>(bytes: &'a [u8], start: usize, last: bool, each: &mut dyn FnMut(&'a [u8], &'a [u8])) -> Step {
    let mut at = start;
    loop {
        let line_end = match memchr::memchr(b'\n', &bytes[at..]) {
            Some(length) => at + length,
            None if last => bytes.len(),
            None => return Step::GoesOn,
        };
        let line = &bytes[at..line_end];
        if line.is_empty() {
            return Step::Whole(bytes.len().min(line_end + 1));
        }
        if let Some(equals) = memchr::memchr(b'=', line).filter(|equals| is_name(&line[..*equals])) {
            each(&line[..equals], &line[equals + 1..]);
            at = bytes.len().min(line_end + 1);
            continue;
        }
        if !is_name(line) {
            return Step::Torn(at);
        }
        let rest = &bytes[bytes.len().min(line_end + 1)..];
        let Some((length, rest)) = rest.split_first_chunk::<LENGTH_BYTES>() else { return Step::GoesOn };
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length > MAX_RECORD_BYTES {
            return Step::Torn(at);
        }
        match rest.get(length) {
            Some(b'\n') => each(line, &rest[..length]),
            Some(_) => return Step::Torn(at),
            None => return Step::GoesOn,
        }
        at = line_end + 1 + LENGTH_BYTES + length + 1;
    }
}

/// Where the next entry can begin behind what is torn.
fn next_entry(bytes: &[u8], torn: usize) -> Option<usize> {
    let lines = memmem::find_iter(&bytes[torn..], BEGINNING).map(|at| torn + at);
    lines.into_iter().find(|at| *at > torn && bytes[at - 1] == b'\n')
}

/// The entries of a piece, and whether each is whole.
fn records(piece: &[u8], from: usize, last: bool) -> Places {
    let (mut records, mut at) = (Places::new(), from);
    loop {
        let start = at + piece[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if start >= piece.len() {
            return records;
        }
        let (end, is_whole) = match entry(piece, start, last, &mut |_, _| ()) {
            Step::Whole(end) => (Some(end), true),
            Step::Torn(torn) => (next_entry(piece, torn), false),
            Step::GoesOn => (last.then(|| next_entry(piece, start)).flatten(), false),
        };
        match end {
            Some(end) => records.push((start..end, is_whole)),
            None if last => records.push((start..piece.len(), false)),
            None => return records,
        }
        at = end.unwrap_or(piece.len());
    }
}

/// An entry as `journalctl -o json` writes it: what is not all text as a list of its bytes.
fn told(entry_bytes: &[u8]) -> String {
    let mut fields = Map::new();
    entry(entry_bytes, 0, true, &mut |name, value| {
        let value = match std::str::from_utf8(value) {
            Ok(text) => Value::from(text),
            Err(_) => Value::from(value),
        };
        // A field that comes again is another value of it.
        match fields.entry(String::from_utf8_lossy(name)) {
            serde_json::map::Entry::Vacant(field) => _ = field.insert(value),
            serde_json::map::Entry::Occupied(mut field) => match field.get_mut() {
                Value::Array(values) if values.iter().all(|value| !value.is_number()) => values.push(value),
                first => *first = Value::from(vec![first.take(), value]),
            },
        }
    });
    Value::Object(fields).to_string()
}

impl Framing for Entries {
    fn name(&self) -> &'static str {
        "entries"
    }

    fn spans_lines(&self) -> bool {
        true
    }

    fn cut(&self, bytes: &[u8]) -> usize {
        torn::cut(bytes, records)
    }

    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>)) {
        torn::decode(piece, start, last, records, each, |record, whole, each| {
            // The empty line behind it may be there still.
            let record = Nested { terminated: record.terminated || piece.ends_with(b"\n\n"), ..record };
            if let Some(entry) = whole.filter(|entry| entry.len() <= MAX_RECORD_BYTES) {
                let missing = "audit event in this entry of a journal";
                record.records_told(&told(entry), Reason::NotAuditEvent { missing }, each);
            } else {
                // In what is torn a client can have written anything.
                record.records(true, rejected(record.bytes).or_torn(), each);
            }
        });
    }
}

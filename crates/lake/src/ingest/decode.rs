//! One chunk of a source, decoded: its rows, and what tells them from rows already stored.

use std::borrow::Cow;
use std::cell::RefCell;

use kforensic_event::canonical::{Canonical, Taken};
use kforensic_event::shape::{KEPT_OF_TOO_LONG_BYTES, MAX_RECORD_BYTES, Part, Position, Settled};
use kforensic_event::{
    Decoded, Event, Fingerprint, Keyed, Origin, Reading, Reason, Record, Redactor, Row, Rows, assumed, partition,
    request, time,
};
use sha2::{Digest, Sha256};

use crate::ground::hash::hex;
use crate::ingest::dedup::{PREFIX_HASH, reject_fingerprint};
use crate::sources::content::{Chunk, Problem};
use crate::table::data_file::Partition;
use crate::table::ledger::SecretValues;

/// What all chunks of all sources are decoded with.
#[derive(Debug, Clone)]
pub(crate) struct Decoder {
    pub(crate) keyed: Keyed,
    pub(crate) redactor: Redactor,
    pub(crate) secret_values: SecretValues,
}

/// A decoded chunk.
#[derive(Debug, Default)]
pub(crate) struct DecodedChunk {
    pub(crate) rows: Rows,
    /// What is known of each row.
    pub(crate) marks: Vec<Mark>,
    /// Partitions of the rows.
    pub(crate) partitions: Vec<Partition>,
    /// Times of the earliest and the latest event in microseconds since 1970.
    pub(crate) times: Option<(i64, i64)>,
    /// Records that the query of an export matched, when the chunk says it.
    pub(crate) matched: Option<u64>,
    /// Where the source is to be read on when it has grown, if not at its end.
    pub(crate) torn: Option<Box<Torn>>,
    /// Parts of entries that were split: the others may be in other chunks.
    pub(crate) parts: Vec<(Part, Standing)>,
}

/// Where the record of a part stands, and what a reject of it would be made of.
#[derive(Debug)]
pub(crate) struct Standing {
    position: Position,
    length: i64,
    bytes: Vec<u8>,
    /// Hash of all content up to its end.
    prefix: [u8; 32],
}

/// What tells a row from all others, and where it goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    /// Number of its partition in the chunk.
    pub(crate) partition: usize,
    /// Length of its record in bytes.
    pub(crate) length: i64,
    /// Secret values that were replaced in it.
    pub(crate) redacted: u32,
    pub(crate) identity: Identity,
}

/// What a row is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Identity {
    /// An event: its request and its stage.
    Event(Taken),
    /// A reject: the hash of all content up to its end, and what it is.
    Reject(Fingerprint, &'static str),
}

/// The last record of a source, when it may be half of one.
#[derive(Debug)]
pub(crate) struct Torn {
    pub(crate) start: Position,
    /// SHA-256 of all content before it.
    pub(crate) before_sha256: [u8; 32],
}

impl Decoder {
    /// Decodes a chunk of a source that comes from `origin`.
    pub(crate) fn decode(&self, chunk: Chunk, reading: Reading, origin: &Origin) -> DecodedChunk {
        let length = chunk.bytes.len();
        let mut decoded = DecodedChunk { rows: Rows::new(length), ..DecodedChunk::default() };
        let canonical = Canonical::new(&self.keyed, length, origin, &mut decoded.rows);
        let taking = RefCell::new(Taking { decoder: self, origin, piece: &chunk.bytes, canonical, decoded });
        let mut place = Place { hash: chunk.before.clone(), start: chunk.start.offset, hashed: 0, bytes: &chunk.bytes };
        match &chunk.problem {
            Some(Problem::TooLong { length }) => {
                let reason = Reason::TooLong { limit: MAX_RECORD_BYTES };
                let prefix = place.hash_before(chunk.start.offset + *length);
                taking.borrow_mut().reject(prefix, chunk.start, &chunk.bytes, *length, &reason);
            }
            Some(Problem::Closed { what, length }) => {
                let prefix = place.hash_before(chunk.start.offset + *length);
                let reason = Reason::Closed { what };
                taking.borrow_mut().reject(prefix, chunk.start, &chunk.bytes, *length, &reason);
            }
            problem => {
                let unreadable = match problem {
                    Some(Problem::Unreadable { message }) => Some(Reason::Unreadable { message: message.clone() }),
                    _ => None,
                };
                let mut reported = false;
                reading.decode_beside(
                    &chunk.bytes,
                    chunk.start,
                    chunk.last,
                    &mut |line, position| taking.borrow_mut().line(line, chunk.start, position),
                    &mut |record| reported = taking.borrow_mut().record(&mut place, record, unreadable.as_ref()),
                );
                if let Some(reason) = unreadable.filter(|_| !reported) {
                    let end = chunk.start.after(&chunk.bytes);
                    taking.borrow_mut().reject(place.hash_before(end.offset), end, &[], 0, &reason);
                }
            }
        }
        let mut decoded = taking.into_inner().decoded;
        decoded.matched = matched(reading, &chunk.bytes);
        decoded.rows.set_piece(chunk.bytes);
        decoded
    }

    /// The rows of parts that were joined, or given up, of a source that comes from `origin`.
    pub(crate) fn settled(&self, settled: Vec<Settled<Standing>>, origin: &Origin) -> DecodedChunk {
        let mut decoded = DecodedChunk { rows: Rows::new(0), ..DecodedChunk::default() };
        let canonical = Canonical::new(&self.keyed, 0, origin, &mut decoded.rows);
        let mut taking = Taking { decoder: self, origin, piece: &[], canonical, decoded };
        for settled in settled {
            match settled {
                Settled::Event(joined, of) => {
                    // The event stands where the first of its parts does.
                    let first = of.iter().min_by_key(|part| part.position.offset);
                    if let (Some(first), Ok(event)) = (first, joined.event()) {
                        taking.event(event, first.position, first.length);
                    }
                }
                Settled::Reject(reason, Standing { position, length, bytes, prefix }) => {
                    taking.reject(prefix, position, &bytes, length, &reason);
                }
            }
        }
        taking.decoded.rows.set_piece(Vec::new());
        taking.decoded
    }
}

/// How many records the query of an export matched, in the words of CloudWatch Logs Insights and BigQuery: it may hold only the
/// first thousand of them. In such an export events are texts, whose quotation marks are escaped.
fn matched(reading: Reading, chunk: &[u8]) -> Option<u64> {
    const NAMES: [&[u8]; 2] = [b"\"recordsMatched\"", b"\"totalRows\""];
    if reading.shape.name != "tables" {
        return None;
    }
    let at = NAMES.iter().find_map(|name| Some(memchr::memmem::rfind(chunk, name)? + name.len()))?;
    let behind = chunk[at..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let behind = behind.strip_prefix(b"\"").unwrap_or(behind);
    let digits = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&behind[..digits]).ok()?.parse().ok()
}

/// The hash of all content up to any place of a chunk, computed from the left to the right.
struct Place<'a> {
    hash: Sha256,
    /// Offset of the chunk in the source.
    start: i64,
    /// Bytes of the chunk that are hashed already.
    hashed: usize,
    bytes: &'a [u8],
}

impl Place<'_> {
    /// Hash of all content before `offset`, which must not lie before the last one asked for.
    fn hash_before(&mut self, offset: i64) -> [u8; 32] {
        let end = usize::try_from(offset - self.start).unwrap_or(0).min(self.bytes.len());
        self.hash.update(&self.bytes[self.hashed.min(end)..end]);
        self.hashed = self.hashed.max(end);
        self.hash.clone().finalize().into()
    }
}

struct Taking<'d> {
    decoder: &'d Decoder,
    origin: &'d Origin,
    /// The bytes of the chunk.
    piece: &'d [u8],
    canonical: Canonical<'d>,
    decoded: DecodedChunk,
}

impl Taking<'_> {
    /// Adds the event of a line, when it is as the server writes it, where the server writes it, and holds no secret.
    fn line(&mut self, line: &[u8], chunk: Position, position: Position) -> bool {
        if self.origin.mark.is_some() || self.decoder.redactor.may_hold_secret(line) {
            return false;
        }
        let at = usize::try_from(position.offset - chunk.offset).unwrap_or_default();
        let Some(taken) = self.canonical.read(line, at, position, &mut self.decoded.rows) else { return false };
        let length = i64::try_from(line.len()).unwrap_or(i64::MAX);
        self.mark(taken, length, 0);
        true
    }

    /// Adds a record; whether it was rejected because the source cannot be read on after it.
    fn record(&mut self, place: &mut Place<'_>, record: Record<'_>, unreadable: Option<&Reason>) -> bool {
        let length = i64::try_from(record.bytes.len()).unwrap_or(i64::MAX);
        match record.decoded {
            Decoded::Event(Event { part: Some(part), .. }) | Decoded::Reject(Reason::FurtherPart { part }) => {
                let prefix = place.hash_before(record.position.offset + length);
                let standing = Standing { position: record.position, length, bytes: record.bytes.to_vec(), prefix };
                self.decoded.parts.push((*part, standing));
                false
            }
            Decoded::Event(event) => {
                self.event(event, record.position, length);
                false
            }
            Decoded::Reject(reason) => {
                let cut_off = if record.terminated { None } else { unreadable };
                if !record.terminated {
                    let before_sha256 = place.hash_before(record.position.offset);
                    self.decoded.torn = Some(Box::new(Torn { start: record.position, before_sha256 }));
                }
                let kept = match reason {
                    Reason::TooLong { .. } => &record.bytes[..record.bytes.len().min(KEPT_OF_TOO_LONG_BYTES)],
                    _ => record.bytes,
                };
                let prefix = place.hash_before(record.position.offset + length);
                self.reject(prefix, record.position, kept, length, cut_off.unwrap_or(&reason));
                cut_off.is_some()
            }
        }
    }

    fn event(&mut self, mut event: Event<'_>, position: Position, length: i64) {
        let redacted = match self.decoder.secret_values {
            SecretValues::Redacted => self.decoder.redactor.event(&mut event),
            SecretValues::Kept => 0,
        };
        event.salvaged = event.salvaged.take().or(self.origin.mark.map(Cow::Borrowed));
        // An event without a time is no event: see `Event::decode`.
        let time = event.event_time.unwrap_or_default();
        let rank = request::stage_rank(event.stage.as_deref());
        let taken = Taken {
            request: self.decoder.keyed.request(event.audit_id.as_deref().unwrap_or_default().as_bytes()),
            time,
            is_time_assumed: event.assumed.iter().flatten().any(|what| what == assumed::EVENT_TIME),
            rank,
            goes_on: request::goes_on(rank, event.status_code().map(i64::from)),
            partition: self.origin.folders.of_resource(event.resource()),
        };
        let origin = self.origin;
        let row = Row { event: Some(&event), reject: None, redacted, note: None, origin, position, length };
        self.decoded.rows.push(self.piece, &row);
        self.mark(taken, length, redacted);
    }

    fn mark(&mut self, taken: Taken, length: i64, redacted: u32) {
        let (first, last) = self.decoded.times.get_or_insert((taken.time, taken.time));
        *first = taken.time.min(*first);
        *last = taken.time.max(*last);
        let partition = Partition { day: Some(time::day(taken.time)), resource: taken.partition };
        self.add(partition, Identity::Event(taken), length, redacted);
    }

    fn add(&mut self, partition: Partition, identity: Identity, length: i64, redacted: u32) {
        let partitions = &mut self.decoded.partitions;
        let number = partitions.iter().position(|known| *known == partition).unwrap_or_else(|| {
            partitions.push(partition);
            partitions.len() - 1
        });
        self.decoded.marks.push(Mark { partition: number, length, redacted, identity });
    }

    /// Adds a reject; `prefix` is the hash of all content up to its end.
    fn reject(&mut self, prefix: [u8; 32], position: Position, raw: &[u8], length: i64, reason: &Reason) {
        let note = format!("{{\"{PREFIX_HASH}\":\"{}\"}}", hex(&prefix));
        let (reason, kind) = (reason.to_string(), reason.kind());
        let (raw, redacted) = match self.decoder.secret_values {
            SecretValues::Redacted => self.decoder.redactor.reject(raw),
            SecretValues::Kept => (Cow::Borrowed(raw), 0),
        };
        let row = Row {
            event: None,
            reject: Some((&reason, &raw)),
            redacted,
            note: Some(&note),
            origin: self.origin,
            position,
            length,
        };
        self.decoded.rows.push(self.piece, &row);
        let partition = Partition { day: None, resource: partition::REJECTED };
        self.add(partition, Identity::Reject(reject_fingerprint(prefix), kind), length, redacted);
    }
}

/// The earlier and the later of two spans of time.
pub(crate) fn join(left: Option<(i64, i64)>, right: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (left, right) {
        (Some(left), Some(right)) => Some((left.0.min(right.0), left.1.max(right.1))),
        (left, right) => left.or(right),
    }
}

/// A span of time as RFC 3339.
pub(crate) fn render(times: Option<(i64, i64)>) -> (Option<String>, Option<String>) {
    (times.map(|(first, _)| time::render(first)), times.map(|(_, last)| time::render(last)))
}

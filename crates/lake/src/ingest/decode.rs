//! One chunk of a source, decoded: rows by partition, and what tells them from rows already stored.

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use kforensic_event::shape::{KEPT_OF_TOO_LONG_BYTES, MAX_RECORD_BYTES, Position};
use kforensic_event::{Decoded, Event, Keyed, Origin, Reading, Reason, Record, Redactor, Row, RowBuilder, time};
use sha2::{Digest, Sha256};

use crate::ground::error::LakeError;
use crate::ground::hash::hex;
use crate::ingest::dedup::{Identity, PREFIX_HASH};
use crate::sources::content::{Chunk, Problem};
use crate::table::data_file::{Partition, row_bytes};
use crate::table::ledger::SecretValues;

/// What all chunks of all sources are decoded with.
#[derive(Debug, Clone)]
pub(crate) struct Decoder {
    pub(crate) schema: SchemaRef,
    pub(crate) keyed: Keyed,
    pub(crate) redactor: Redactor,
    pub(crate) secret_values: SecretValues,
}

/// A decoded chunk.
#[derive(Debug, Default)]
pub(crate) struct DecodedChunk {
    pub(crate) parts: Vec<Part>,
    /// Times of the earliest and the latest event in microseconds since 1970.
    pub(crate) times: Option<(i64, i64)>,
    /// Where the source is to be read on when it has grown, if not at its end.
    pub(crate) torn: Option<Torn>,
}

/// Rows of one partition, in the order of their records.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) partition: Partition,
    pub(crate) batch: RecordBatch,
    pub(crate) identities: Vec<Identity>,
    /// About how much memory the rows take.
    pub(crate) bytes: usize,
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
    pub(crate) fn decode(&self, chunk: &Chunk, reading: Reading, origin: &Origin) -> Result<DecodedChunk, LakeError> {
        let mut rows = Rows { decoder: self, origin, open: BTreeMap::new(), times: None, torn: None };
        let mut place = Place { hash: chunk.before.clone(), start: chunk.start.offset, hashed: 0, bytes: &chunk.bytes };
        match &chunk.problem {
            Some(Problem::TooLong { length }) => {
                let reason = Reason::TooLong { limit: MAX_RECORD_BYTES };
                rows.reject(&mut place, chunk.start, &chunk.bytes, *length, &reason);
            }
            problem => {
                let unreadable = match problem {
                    Some(Problem::Unreadable { message }) => Some(Reason::Unreadable { message: message.clone() }),
                    _ => None,
                };
                let mut reported = false;
                reading.decode(&chunk.bytes, chunk.start, chunk.last, &mut |record| {
                    reported = rows.record(&mut place, record, unreadable.as_ref());
                });
                if let Some(reason) = unreadable.filter(|_| !reported) {
                    rows.reject(&mut place, chunk.start.after(&chunk.bytes), &[], 0, &reason);
                }
            }
        }
        rows.finish()
    }
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

struct Rows<'d> {
    decoder: &'d Decoder,
    origin: &'d Origin,
    open: BTreeMap<Partition, OpenPart>,
    times: Option<(i64, i64)>,
    torn: Option<Torn>,
}

struct OpenPart {
    builder: RowBuilder,
    identities: Vec<Identity>,
    bytes: usize,
}

impl Rows<'_> {
    /// Adds a record; whether it was rejected because the source cannot be read on after it.
    fn record(&mut self, place: &mut Place<'_>, record: Record<'_>, unreadable: Option<&Reason>) -> bool {
        let length = i64::try_from(record.bytes.len()).unwrap_or(i64::MAX);
        match record.decoded {
            Decoded::Event(event) => {
                self.event(event, record.position, length);
                false
            }
            Decoded::Reject(reason) => {
                let cut_off = if record.terminated { None } else { unreadable };
                if !record.terminated {
                    let before_sha256 = place.hash_before(record.position.offset);
                    self.torn = Some(Torn { start: record.position, before_sha256 });
                }
                let kept = match reason {
                    Reason::TooLong { .. } => &record.bytes[..record.bytes.len().min(KEPT_OF_TOO_LONG_BYTES)],
                    _ => record.bytes,
                };
                self.reject(place, record.position, kept, length, cut_off.unwrap_or(&reason));
                cut_off.is_some()
            }
        }
    }

    /// Adds an event. Its identity is that of the redacted event, so that a copy of it is found whether
    /// secret values were kept or not.
    fn event(&mut self, mut event: Event<'_>, position: Position, length: i64) {
        let Decoder { keyed, redactor, secret_values, .. } = self.decoder;
        let origin = self.origin;
        let kept = (*secret_values == SecretValues::Kept).then(|| event.clone());
        let redacted = redactor.event(&mut event);
        let row =
            |event, redacted| Row { event: Some(event), reject: None, redacted, note: None, origin, position, length };
        // An event without a time is no event: see `Event::decode`.
        let time = event.event_time.unwrap_or_default();
        let audit_id = event.audit_id.as_deref().unwrap_or_default();
        let stage = event.stage.as_deref().unwrap_or_default();
        let fingerprint = keyed.of_row(&row(&event, redacted));
        let identity = Identity { key: keyed.key(audit_id, stage, time), time, fingerprint };
        let (first, last) = self.times.get_or_insert((time, time));
        *first = time.min(*first);
        *last = time.max(*last);
        match &kept {
            Some(kept) => self.push(&row(kept, 0), identity),
            None => self.push(&row(&event, redacted), identity),
        }
    }

    fn reject(&mut self, place: &mut Place<'_>, position: Position, raw: &[u8], length: i64, reason: &Reason) {
        let prefix = place.hash_before(position.offset + length);
        let note = format!("{{\"{PREFIX_HASH}\":\"{}\"}}", hex(&prefix));
        let reason = reason.to_string();
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
        self.push(&row, Identity::of_reject(prefix));
    }

    fn push(&mut self, row: &Row<'_>, identity: Identity) {
        let partition = Partition { day: row.day(), resource: row.resource_partition() };
        let part = self.open.entry(partition).or_insert_with(|| OpenPart {
            builder: RowBuilder::new(self.decoder.schema.clone()),
            identities: Vec::new(),
            bytes: 0,
        });
        part.builder.push(row);
        part.identities.push(identity);
        part.bytes += row_bytes(row.length);
    }

    fn finish(self) -> Result<DecodedChunk, LakeError> {
        let parts = self.open.into_iter().map(|(partition, part)| {
            let batch = part.builder.finish()?;
            Ok(Part { partition, batch, identities: part.identities, bytes: part.bytes })
        });
        Ok(DecodedChunk { parts: parts.collect::<Result<_, LakeError>>()?, times: self.times, torn: self.torn })
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

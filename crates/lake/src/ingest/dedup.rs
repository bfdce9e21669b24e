//! Which records are stored already.
//!
//! An event is a duplicate when an equal one is stored, in this run or before. Equal events are of the same request, so
//! what is looked at first is a hash of the audit id; only when a request is met again whose stage is there already
//! are fingerprints computed, from the rows. Of the files of earlier runs only those are looked at whose partition and
//! time span an event falls into. So a log that goes on where the last one ended costs next to nothing, and the copy of a
//! log one reading of what it copies.
//!
//! A reject is a duplicate when it is the same record of a copy of the same log: the hash of all
//! content up to its end is the same.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use kforensic_event::shape::Position;
use kforensic_event::{COLUMNS, Cell, Event, Fingerprint, Keyed, Origin, Redactor, Row, Rows, rebuild};

use crate::ground::error::LakeError;
use crate::table::read::{self, Cells};
use crate::table::seen::Seen;
use crate::table::snapshot::DataFile;

/// Name, in the column `other` of a reject, of the hash of all content up to its end.
pub(crate) const PREFIX_HASH: &str = "prefix_sha256";

/// Identity of a reject, from the hash of all content up to its end.
pub(crate) fn reject_fingerprint(prefix_sha256: [u8; 32]) -> Fingerprint {
    let mut half = [0; 16];
    half.copy_from_slice(&prefix_sha256[..16]);
    u128::from_le_bytes(half)
}

/// Hashes are uniform already: hashing them again would only cost time.
#[derive(Debug, Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of a uniform hash is uniform")]
    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }
}

/// A set of hashes.
pub(crate) type Set<T> = HashSet<T, BuildHasherDefault<AsIs>>;
/// Something for each hash.
pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<AsIs>>;

/// How stored events are told apart.
#[derive(Debug)]
pub(crate) struct Hashes {
    pub(crate) keyed: Keyed,
    pub(crate) redactor: Redactor,
    /// Ids of the sources whose secret values were kept.
    pub(crate) with_secret_values: HashSet<String>,
}

impl Hashes {
    /// Fingerprint of an event from its row: that of the redacted event, whatever was stored.
    pub(crate) fn of_cells(&self, cells: &Cells<'_>) -> Fingerprint {
        let cell = |name: &str| {
            let found = cells.iter().find(|(column, _)| column.name == name);
            found.map_or(Cell::Null, |(_, cell)| cell.clone())
        };
        let kept = !self.with_secret_values.is_empty()
            && cell("source_id").text().is_some_and(|id| self.with_secret_values.contains(id));
        if kept
            && let Ok(text) = rebuild(&cell)
            && let Ok(mut event) = Event::decode(&text)
        {
            let redacted = self.redactor.event(&mut event);
            let (origin, position) = (Origin::default(), Position::START);
            let row =
                Row { event: Some(&event), reject: None, redacted, note: None, origin: &origin, position, length: 0 };
            return self.keyed.of_row(&row);
        }
        self.keyed.of_cells(cells.iter().map(|(column, cell)| (column.kind, column.part, cell.clone())))
    }

    /// Fingerprint of an event that is not stored yet.
    pub(crate) fn of_row(&self, rows: &Rows, row: usize) -> Fingerprint {
        let cells: Vec<_> = COLUMNS.iter().zip(rows.cells(row)).collect();
        self.of_cells(&cells)
    }
}

/// A file that was written before, in an earlier run or in this one, loaded as far as it was needed.
#[derive(Debug)]
pub(crate) struct EarlierFile {
    pub(crate) file: DataFile,
    /// It is part of the case already.
    pub(crate) is_committed: bool,
    /// It may hold events with an assumed time, whose requests have another.
    pub(crate) has_assumed_times: bool,
    /// It was written in this run, so long ago that what is in it is not in memory any more.
    pub(crate) is_forgotten: bool,
    requests: Option<Set<u64>>,
    fingerprints: Option<Set<Fingerprint>>,
    /// Requests of it that have got another event: their rows are to be written anew.
    pub(crate) lifted: Set<u64>,
}

impl EarlierFile {
    pub(crate) fn new(file: DataFile, is_committed: bool) -> Self {
        // Nobody knows of a file without a summary.
        let has_assumed_times =
            is_committed && file.seen.as_deref().and_then(Seen::from_tag).is_none_or(|seen| seen.marked.assumed > 0);
        Self {
            file,
            is_committed,
            has_assumed_times,
            is_forgotten: false,
            requests: None,
            fingerprints: None,
            lifted: Set::default(),
        }
    }

    /// Whether its requests were read already.
    pub(crate) fn is_loaded(&self) -> bool {
        self.requests.is_some()
    }

    /// Whether it may hold events of that time.
    pub(crate) fn spans(&self, time: i64) -> bool {
        self.file.stats.event_time.is_none_or(|(min, max)| (min..=max).contains(&time))
    }

    /// Whether it holds events of a request (or of one whose hash is the same).
    pub(crate) fn has_request(&mut self, hashes: &Hashes, request: u64) -> Result<bool, LakeError> {
        let requests = match &self.requests {
            Some(requests) => requests,
            None => self.requests.insert(event_requests(&self.file, &hashes.keyed)?),
        };
        Ok(requests.contains(&request))
    }

    /// Whether it holds an equal event.
    pub(crate) fn has_event(&mut self, hashes: &Hashes, fingerprint: Fingerprint) -> Result<bool, LakeError> {
        let fingerprints = match &self.fingerprints {
            Some(fingerprints) => fingerprints,
            None => {
                let mut all = Set::default();
                read::rows(&self.file, None, &mut |cells| _ = all.insert(hashes.of_cells(cells)))?;
                self.fingerprints.insert(all)
            }
        };
        Ok(fingerprints.contains(&fingerprint))
    }

    /// Whether it holds the same reject.
    pub(crate) fn has_reject(&mut self, fingerprint: Fingerprint) -> Result<bool, LakeError> {
        let rejects = match &self.fingerprints {
            Some(rejects) => rejects,
            None => self.fingerprints.insert(reject_hashes(&self.file)?),
        };
        Ok(rejects.contains(&fingerprint))
    }
}

fn event_requests(file: &DataFile, keyed: &Keyed) -> Result<Set<u64>, LakeError> {
    let mut requests = Set::default();
    read::rows(file, Some(&["audit_id"]), &mut |cells| {
        let id = cells.first().and_then(|(_, cell)| cell.text()).unwrap_or_default();
        requests.insert(keyed.request(id.as_bytes()));
    })?;
    Ok(requests)
}

fn reject_hashes(file: &DataFile) -> Result<Set<Fingerprint>, LakeError> {
    let mut hashes = Set::default();
    read::rows(file, Some(&["other"]), &mut |cells| {
        let note = cells.first().and_then(|(_, cell)| cell.text()).unwrap_or("null");
        let note: serde_json::Value = serde_json::from_str(note).unwrap_or_default();
        if let Some(hash) = note[PREFIX_HASH].as_str().and_then(parse_hash) {
            hashes.insert(reject_fingerprint(hash));
        }
    })?;
    Ok(hashes)
}

fn parse_hash(hex: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

//! Which records are stored already.
//!
//! An event is a duplicate when an equal one is stored, in this run or before. Events of this run are
//! known by their fingerprints. Of the files of earlier runs only those are looked at whose partition
//! and time span an event falls into, and first only by key (audit id, stage, time); their
//! fingerprints are computed from their rows once a key is met again. So a log that goes on where the
//! last one ended costs next to nothing, and the copy of a log one reading of what it copies.
//!
//! A reject is a duplicate when it is the same record of a copy of the same log: the hash of all
//! content up to its end is the same.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::RecordBatch;
use kforensic_event::shape::Position;
use kforensic_event::{COLUMNS, Cell, Column, Event, Fingerprint, Keyed, Origin, Redactor, Row, columns, rebuild};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::ground::error::LakeError;
use crate::table::data_file::Partition;
use crate::table::snapshot::{DataFile, Snapshot};

/// Name, in the column `other` of a reject, of the hash of all content up to its end.
pub(crate) const PREFIX_HASH: &str = "prefix_sha256";

/// What tells a record from all others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    /// Cheap first look; see [`Keyed::key`].
    pub(crate) key: u64,
    /// Time of the event; 0 for a reject.
    pub(crate) time: i64,
    pub(crate) fingerprint: Fingerprint,
}

impl Identity {
    /// Identity of a reject, from the hash of all content up to its end.
    pub(crate) fn of_reject(prefix_sha256: [u8; 32]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&prefix_sha256[..16]);
        Self { key: 0, time: 0, fingerprint: u128::from_le_bytes(half) }
    }
}

/// Hashes are uniform already: hashing them again would only cost time.
#[derive(Debug, Default)]
struct AsIs(u64);

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

type Set<T> = HashSet<T, BuildHasherDefault<AsIs>>;

/// The records that are stored.
#[derive(Debug)]
pub(crate) struct Stored {
    hashes: Hashes,
    fresh: Set<Fingerprint>,
    earlier: BTreeMap<Partition, Vec<EarlierFile>>,
}

/// How stored events are told apart.
#[derive(Debug)]
struct Hashes {
    keyed: Keyed,
    redactor: Redactor,
    /// Ids of the sources whose secret values were kept.
    with_secret_values: HashSet<String>,
}

impl Hashes {
    /// Fingerprint of a stored event: that of the redacted event, whatever was stored.
    fn of_stored(&self, cells: &Cells<'_>) -> Fingerprint {
        let cell = |name: &str| {
            let found = cells.iter().find(|(column, _)| column.name == name);
            found.map_or(Cell::Null, |(_, cell)| cell.clone())
        };
        let kept = cell("source_id").text().is_some_and(|id| self.with_secret_values.contains(id));
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
}

/// A file of an earlier run, loaded as far as it was needed.
#[derive(Debug)]
struct EarlierFile {
    file: DataFile,
    keys: Option<Set<u64>>,
    fingerprints: Option<Set<Fingerprint>>,
}

impl Stored {
    pub(crate) fn new(keyed: Keyed, redactor: Redactor, snapshot: Option<&Snapshot>) -> Self {
        let mut earlier: BTreeMap<Partition, Vec<EarlierFile>> = BTreeMap::new();
        for file in snapshot.into_iter().flat_map(|snapshot| &snapshot.files) {
            if let Some(partition) = Partition::of_file(file) {
                let file = EarlierFile { file: file.clone(), keys: None, fingerprints: None };
                earlier.entry(partition).or_default().push(file);
            }
        }
        let kept = snapshot.into_iter().flat_map(Snapshot::with_secret_values);
        let with_secret_values = kept.map(|source| source.source_id.clone()).collect();
        let hashes = Hashes { keyed, redactor, with_secret_values };
        Self { hashes, fresh: Set::default(), earlier }
    }

    /// Whether the record is stored; from now on it is.
    pub(crate) fn insert(&mut self, partition: Partition, identity: &Identity) -> Result<bool, LakeError> {
        if !self.fresh.insert(identity.fingerprint) {
            return Ok(true);
        }
        for file in self.earlier.get_mut(&partition).into_iter().flatten() {
            if file.holds(&self.hashes, partition, identity)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl EarlierFile {
    fn holds(&mut self, hashes: &Hashes, partition: Partition, identity: &Identity) -> Result<bool, LakeError> {
        if partition.is_rejects() {
            let rejects = match &self.fingerprints {
                Some(rejects) => rejects,
                None => self.fingerprints.insert(reject_hashes(&self.file)?),
            };
            return Ok(rejects.contains(&identity.fingerprint));
        }
        if self.file.stats.event_time.is_some_and(|(min, max)| identity.time < min || identity.time > max) {
            return Ok(false);
        }
        let keys = match &self.keys {
            Some(keys) => keys,
            None => self.keys.insert(event_keys(&self.file, &hashes.keyed)?),
        };
        if !keys.contains(&identity.key) {
            return Ok(false);
        }
        let fingerprints = match &self.fingerprints {
            Some(fingerprints) => fingerprints,
            None => self.fingerprints.insert(event_fingerprints(&self.file, hashes)?),
        };
        Ok(fingerprints.contains(&identity.fingerprint))
    }
}

fn event_keys(file: &DataFile, keyed: &Keyed) -> Result<Set<u64>, LakeError> {
    let mut keys = Set::default();
    read(file, Some(&["event_time", "audit_id", "stage"]), &mut |cells| {
        let [time, id, stage] = cells else { return };
        keys.insert(keyed.key(
            id.1.text().unwrap_or_default(),
            stage.1.text().unwrap_or_default(),
            time.1.int().unwrap_or_default(),
        ));
    })?;
    Ok(keys)
}

fn event_fingerprints(file: &DataFile, hashes: &Hashes) -> Result<Set<Fingerprint>, LakeError> {
    let mut fingerprints = Set::default();
    read(file, None, &mut |cells| _ = fingerprints.insert(hashes.of_stored(cells)))?;
    Ok(fingerprints)
}

fn reject_hashes(file: &DataFile) -> Result<Set<Fingerprint>, LakeError> {
    let mut hashes = Set::default();
    read(file, Some(&["other"]), &mut |cells| {
        let note = cells.first().and_then(|(_, cell)| cell.text()).unwrap_or("null");
        let note: serde_json::Value = serde_json::from_str(note).unwrap_or_default();
        if let Some(hash) = note[PREFIX_HASH].as_str().and_then(parse_hash) {
            hashes.insert(Identity::of_reject(hash).fingerprint);
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

/// The cells of a row, with their columns.
type Cells<'a> = [(&'static Column, Cell<'a>)];

/// Opens a file, which must have the columns of the table.
pub(crate) fn open(file: &DataFile) -> Result<ParquetRecordBatchReaderBuilder<File>, LakeError> {
    let open = File::open(&file.path).map_err(LakeError::io("open", &file.path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(open).map_err(LakeError::parquet("read", &file.path))?;
    match *builder.schema().fields() == *columns::schema().fields() {
        true => Ok(builder),
        false => Err(other_columns(file)),
    }
}

fn other_columns(file: &DataFile) -> LakeError {
    LakeError::Altered { problem: format!("`{}` does not have the columns of the table", file.name) }
}

/// Calls `each` with the named columns of every row (all, when none are named), in the order of the table.
pub(crate) fn read(file: &DataFile, names: Option<&[&str]>, each: &mut dyn FnMut(&Cells<'_>)) -> Result<(), LakeError> {
    let builder = open(file)?;
    let wanted: Vec<usize> =
        (0..COLUMNS.len()).filter(|at| names.is_none_or(|names| names.contains(&COLUMNS[*at].name))).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied());
    let reader = builder.with_projection(mask).build().map_err(LakeError::parquet("read", &file.path))?;
    for batch in reader {
        let batch: RecordBatch = batch?;
        if batch.num_columns() != wanted.len() {
            return Err(other_columns(file));
        }
        let mut cells = Vec::with_capacity(wanted.len());
        for row in 0..batch.num_rows() {
            cells.clear();
            cells.extend(wanted.iter().enumerate().map(|(at, column)| {
                let column = &COLUMNS[*column];
                (column, Cell::read(batch.column(at), column.kind, row))
            }));
            each(&cells);
        }
    }
    Ok(())
}

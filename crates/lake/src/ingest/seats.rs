//! The rows of a run, by partition, until they are in files: what is stored already, and what belongs to one request.
//!
//! Rows wait as spans of the pieces that they were decoded from; when those take too much memory, each partition's rows
//! are copied out of them, once, into columns. When the columns take too much, a file is written: of a partition that
//! nothing has come for lately, else of the largest. So memory does not depend on the size of the logs, and a day's rows
//! of a partition come into one file as long as a day fits into the memory.
//!
//! **All events of a request lie in one file**, so that the fold ([`kforensic_event::request`]) can be done when the file is
//! written. An event whose request goes on is held back from a file that is written while more is read. When an event
//! comes for a request that is in a file already, of this run or an earlier one, the rows of that request are *lifted* at
//! the end: the file is written anew without them, and they go with the new event. A file of the case is so replaced in
//! the commit of this run.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use kforensic_event::canonical::Taken;
use kforensic_event::{COLUMNS, Cell, Fingerprint, Rows, columns, partition};

use crate::ground::error::LakeError;
use crate::ground::journal::Scratch;
use crate::ingest::decode::{DecodedChunk, Identity};
use crate::ingest::dedup::{EarlierFile, Hashes, Map, Set};
use crate::table::data_file::{FILE_BYTES, Output, Partition, file_name, row_bytes};
use crate::table::read;
use crate::table::snapshot::{DataFile, Snapshot};
use crate::table::stats::FileStats;

/// Memory of pieces whose rows wait to be gathered, in bytes.
const PIECES_BYTES: usize = 48 * 1024 * 1024;

/// Memory of all gathered rows that wait for their files, in bytes. Beyond it, files are written.
const GATHERED_BYTES: usize = 72 * 1024 * 1024;

/// Memory of all rows of a file, in bytes, beyond which another one is begun.
const MAX_FILE_BYTES: usize = 512 * 1024 * 1024;

/// A day is over when that many chunks (of 2 MiB) came without a row of it.
const IDLE_CHUNKS: u64 = 16;

const EVENT_TIME: usize = columns::at("event_time");
const ASSUMED: usize = columns::at("assumed");
const AUDIT_ID: usize = columns::at("audit_id");
const RESOURCE: usize = columns::at("resource");

/// What is known of a request: a bit for each stage seen (by its rank), and these.
mod state {
    /// It does not go on.
    pub(super) const CLOSED: u8 = 1 << 5;
    /// Events of it lie in a file of the case.
    pub(super) const TOUCHED: u8 = 1 << 6;
    /// Events of it lie in a file of this run.
    pub(super) const FLUSHED: u8 = 1 << 7;
}

/// Rows that are to be copied out of their pieces.
pub(crate) type Waiting = Vec<(Arc<Rows>, usize)>;

/// Rows that go into a file.
pub(crate) struct Append {
    pub(crate) output: Arc<Output>,
    pub(crate) ticket: u64,
    /// The rows, in the order in which they were read.
    pub(crate) batches: Vec<RecordBatch>,
    /// About how much memory they take.
    pub(crate) bytes: usize,
    /// The file ends with them.
    pub(crate) is_last: bool,
}

/// What the seats have others do.
pub(crate) trait Hands {
    /// Makes a batch of each list of rows, on all cores; in the order of the lists.
    fn gather(&mut self, lists: Vec<Waiting>) -> Result<Vec<RecordBatch>, LakeError>;
    /// Writes rows into a file, some time.
    fn append(&mut self, append: Append) -> Result<(), LakeError>;
    /// Waits until all is written.
    fn settle(&mut self) -> Result<(), LakeError>;
    /// Forgets a file that was written, because others take its rows.
    fn take_back(&mut self, name: &str) -> Result<(), LakeError>;
}

/// See the module.
pub(crate) struct Seats<'s> {
    hashes: Hashes,
    seats: Vec<Seat>,
    /// Numbers of the seats.
    numbers: BTreeMap<Partition, usize>,
    /// Pieces with rows that wait.
    pieces: Vec<Arc<Rows>>,
    pieces_bytes: usize,
    gathered_bytes: usize,
    /// Number of the commit, and of the next file in it.
    version: u64,
    files: usize,
    staging: &'s Scratch,
    chunks: u64,
    /// Number of the chunk that had the last row of a day.
    last_of_day: BTreeMap<Option<i32>, u64>,
}

/// The rows of one partition.
struct Seat {
    partition: Partition,
    requests: Map<u64, u8>,
    waiting: Vec<(usize, usize, u64)>,
    waiting_bytes: usize,
    blocks: Vec<Block>,
    gathered_bytes: usize,
    files: Vec<EarlierFile>,
    /// Fingerprints of the rows of this run, once they were asked for.
    exact: Option<Set<Fingerprint>>,
    /// Rejects of this run.
    rejects: Set<Fingerprint>,
    /// The file that is being written; it is the last of `files`.
    output: Option<OpenOutput>,
}

struct OpenOutput {
    output: Arc<Output>,
    /// The next ticket.
    ticket: u64,
    /// About how much memory its rows take.
    bytes: usize,
}

/// Gathered rows, with the request of each (0 for a reject).
struct Block {
    batch: RecordBatch,
    requests: Vec<u64>,
}

/// What a chunk's rows came to.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) events: u64,
    pub(crate) rejected: u64,
    pub(crate) duplicates: u64,
    pub(crate) redacted: u64,
    /// Rejects by what they are.
    pub(crate) reasons: BTreeMap<&'static str, u64>,
}

impl Counted {
    pub(crate) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.rejected += other.rejected;
        self.duplicates += other.duplicates;
        self.redacted += other.redacted;
        for (reason, records) in &other.reasons {
            *self.reasons.entry(reason).or_default() += records;
        }
    }
}

impl<'s> Seats<'s> {
    pub(crate) fn new(hashes: Hashes, snapshot: Option<&Snapshot>, version: u64, staging: &'s Scratch) -> Self {
        let mut seats = Self {
            hashes,
            seats: Vec::new(),
            numbers: BTreeMap::new(),
            pieces: Vec::new(),
            pieces_bytes: 0,
            gathered_bytes: 0,
            version,
            files: 0,
            staging,
            chunks: 0,
            last_of_day: BTreeMap::new(),
        };
        for file in snapshot.into_iter().flat_map(|snapshot| &snapshot.files) {
            if let Some(partition) = Partition::of_file(file) {
                let seat = seats.number(partition);
                seats.seats[seat].files.push(EarlierFile::new(file.clone(), true));
            }
        }
        seats
    }

    /// The number of the seat of a partition.
    fn number(&mut self, partition: Partition) -> usize {
        *self.numbers.entry(partition).or_insert_with(|| {
            self.seats.push(Seat::new(partition));
            self.seats.len() - 1
        })
    }

    /// Takes up the rows of a chunk, but for those that are stored already.
    pub(crate) fn take(&mut self, chunk: DecodedChunk, hands: &mut dyn Hands) -> Result<Counted, LakeError> {
        self.chunks += 1;
        let mut taken = Counted::default();
        let rows = Arc::new(chunk.rows);
        let piece = self.pieces.len();
        self.pieces.push(Arc::clone(&rows));
        for partition in &chunk.partitions {
            self.last_of_day.insert(partition.day, self.chunks);
        }
        let numbers: Vec<usize> = chunk.partitions.iter().map(|partition| self.number(*partition)).collect();
        for (row, mark) in chunk.marks.iter().enumerate() {
            let seat = &mut self.seats[numbers[mark.partition]];
            let place = Place { pieces: &self.pieces, piece, row };
            let (request, is_stored) = match mark.identity {
                Identity::Event(event) => (event.request, seat.insert(&self.hashes, event, place, hands)?),
                Identity::Reject(reject, _) => (0, seat.insert_reject(reject)?),
            };
            if is_stored {
                taken.duplicates += 1;
                continue;
            }
            match mark.identity {
                Identity::Event(_) => taken.events += 1,
                Identity::Reject(_, reason) => {
                    taken.rejected += 1;
                    *taken.reasons.entry(reason).or_default() += 1;
                }
            }
            taken.redacted += u64::from(mark.redacted);
            seat.waiting.push((piece, row, request));
            seat.waiting_bytes += row_bytes(mark.length);
        }
        if taken.events + taken.rejected == 0 {
            self.pieces.pop();
            return Ok(taken);
        }
        self.pieces_bytes += rows.memory_bytes();
        if self.pieces_bytes > PIECES_BYTES {
            self.gather(hands)?;
        }
        Ok(taken)
    }

    /// Copies all rows out of their pieces, and writes files when they take too much memory.
    fn gather(&mut self, hands: &mut dyn Hands) -> Result<(), LakeError> {
        let pieces = std::mem::take(&mut self.pieces);
        self.pieces_bytes = 0;
        let mut full: Vec<&mut Seat> = self.seats.iter_mut().filter(|seat| !seat.waiting.is_empty()).collect();
        let lists = full.iter_mut().map(|seat| {
            // In the order of the file: what needs not be merged with more is written as it is. Rows come in the order of
            // their places in the sources, which a stable sort keeps.
            let time = |at: &(usize, usize, u64)| pieces[at.0].int(at.1, EVENT_TIME).unwrap_or(i64::MIN);
            if seat.partition.resource == partition::OTHER {
                let resource = |at: &(usize, usize, u64)| pieces[at.0].text(at.1, RESOURCE).unwrap_or_default();
                seat.waiting.sort_by_cached_key(|at| (resource(at).to_owned(), time(at)));
            } else {
                seat.waiting.sort_by_cached_key(time);
            }
            seat.waiting.iter().map(|(piece, row, _)| (Arc::clone(&pieces[*piece]), *row)).collect()
        });
        let lists = lists.collect();
        for (seat, batch) in full.into_iter().zip(hands.gather(lists)?) {
            let requests = std::mem::take(&mut seat.waiting).into_iter().map(|(.., request)| request).collect();
            seat.blocks.push(Block { batch, requests });
            let bytes = std::mem::take(&mut seat.waiting_bytes);
            seat.gathered_bytes += bytes;
            self.gathered_bytes += bytes;
        }
        drop(pieces);
        for seat in 0..self.seats.len() {
            if self.seats[seat].gathered_bytes >= FILE_BYTES {
                self.flush(seat, Flush::Closed, hands)?;
            }
        }
        while self.gathered_bytes > GATHERED_BYTES {
            let waiting = || (0..self.seats.len()).filter(|seat| self.seats[*seat].gathered_bytes > 0);
            let last = |seat: &usize| self.last_of_day.get(&self.seats[*seat].partition.day).copied().unwrap_or(0);
            let idle = waiting().find(|seat| last(seat) + IDLE_CHUNKS < self.chunks);
            let largest = || waiting().max_by_key(|seat| self.seats[*seat].gathered_bytes);
            match (idle, largest()) {
                (Some(seat), _) => self.flush(seat, Flush::Idle, hands)?,
                (None, Some(seat)) => self.flush(seat, Flush::Closed, hands)?,
                (None, None) => break,
            }
        }
        Ok(())
    }

    /// Writes the gathered rows of a partition into its file.
    fn flush(&mut self, seat: usize, which: Flush, hands: &mut dyn Hands) -> Result<(), LakeError> {
        let seat = &mut self.seats[seat];
        let before = seat.gathered_bytes;
        let (batches, requests) = seat.take_blocks(which)?;
        let bytes = before - seat.gathered_bytes;
        self.gathered_bytes -= bytes;
        if !requests.is_empty() {
            if seat.output.is_none() {
                seat.begin(file_name(self.version, self.files), self.staging)?;
                self.files += 1;
            }
            let has_assumed = batches.iter().any(|batch| batch.column(ASSUMED).null_count() < batch.num_rows());
            seat.note_written(times(&batches), has_assumed, &requests);
        }
        let is_last = which != Flush::Closed || seat.output.as_ref().is_some_and(|open| open.bytes > MAX_FILE_BYTES);
        if let Some(open) = &mut seat.output {
            let (output, ticket) = (Arc::clone(&open.output), open.ticket);
            open.ticket += 1;
            open.bytes += bytes;
            hands.append(Append { output, ticket, batches, bytes, is_last })?;
        }
        if is_last {
            seat.output = None;
        }
        if which == Flush::Idle && seat.waiting.is_empty() {
            // What comes later asks the files.
            (seat.requests, seat.exact) = (Map::default(), None);
            seat.files.iter_mut().for_each(|file| file.is_forgotten = true);
        }
        Ok(())
    }

    /// Writes all that is left. Returns the files of the case that others take the place of.
    pub(crate) fn finish(&mut self, hands: &mut dyn Hands) -> Result<Vec<DataFile>, LakeError> {
        self.gather(hands)?;
        let mut replaced = Vec::new();
        for seat in self.seats.iter_mut().filter(|seat| seat.files.iter().any(|file| !file.lifted.is_empty())) {
            seat.close(hands)?;
        }
        let seats: Vec<usize> = self.numbers.values().copied().collect();
        for seat in seats {
            self.lift(seat, &mut replaced, hands)?;
            self.flush(seat, Flush::Last, hands)?;
        }
        Ok(replaced)
    }

    /// Takes the rows of requests that have got another event out of the files of a partition.
    fn lift(&mut self, seat: usize, replaced: &mut Vec<DataFile>, hands: &mut dyn Hands) -> Result<(), LakeError> {
        let seat = &mut self.seats[seat];
        let partition = seat.partition;
        for EarlierFile { file, is_committed, lifted, .. } in std::mem::take(&mut seat.files) {
            if lifted.is_empty() {
                continue;
            }
            if is_committed {
                read::check_hash(&file)?;
            }
            let mut rest = Vec::new();
            for batch in read::batches(&file, None)? {
                let batch = batch?;
                let requests = requests_of(&batch, &self.hashes);
                let mask: BooleanArray = requests.iter().map(|request| Some(lifted.contains(request))).collect();
                let block = Block { batch, requests };
                let (taken, left) = block.split(&mask)?;
                seat.blocks.push(taken);
                rest.push(left.batch);
            }
            if rest.iter().any(|batch| batch.num_rows() > 0) {
                let name = file_name(self.version, self.files);
                self.files += 1;
                let output = Arc::new(Output::create(partition, name, self.staging)?);
                hands.append(Append { output, ticket: 0, batches: rest, bytes: 1, is_last: true })?;
            }
            match is_committed {
                true => replaced.push(file),
                false => hands.take_back(&file.name)?,
            }
        }
        Ok(())
    }
}

/// Which rows of a partition a file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flush {
    /// Those of requests that do not go on.
    Closed,
    /// All: nothing has come for long.
    Idle,
    /// All: nothing comes any more.
    Last,
}

/// Where a row is that is being taken up.
#[derive(Clone, Copy)]
struct Place<'a> {
    pieces: &'a [Arc<Rows>],
    piece: usize,
    row: usize,
}

impl Seat {
    fn new(partition: Partition) -> Self {
        Self {
            partition,
            requests: Map::default(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            blocks: Vec::new(),
            gathered_bytes: 0,
            files: Vec::new(),
            exact: None,
            rejects: Set::default(),
            output: None,
        }
    }

    /// Begins a file.
    fn begin(&mut self, name: String, staging: &Scratch) -> Result<(), LakeError> {
        let file = DataFile {
            path: staging.dir().join(&name),
            name: name.clone(),
            size_bytes: 0,
            sha256: String::new(),
            day: self.partition.day,
            resource_partition: self.partition.resource.to_owned(),
            stats: FileStats { rows: 0, event_time: Some((i64::MAX, i64::MIN)) },
            memory_bytes: 0,
            columns: Arc::from([]),
            seen: None,
            sent: None,
        };
        self.files.push(EarlierFile::new(file, false));
        let output = Arc::new(Output::create(self.partition, name, staging)?);
        self.output = Some(OpenOutput { output, ticket: 0, bytes: 0 });
        Ok(())
    }

    /// Rows of that time, and of these requests, go into the file that is open.
    fn note_written(&mut self, times: Option<(i64, i64)>, has_assumed: bool, requests: &[u64]) {
        let Some(written) = self.files.last_mut() else { return };
        written.has_assumed_times |= has_assumed;
        let stats = &mut written.file.stats;
        stats.event_time = stats.event_time.zip(times).map(|(span, more)| (span.0.min(more.0), span.1.max(more.1)));
        let touched = |request: &&u64| self.requests.get(request).is_some_and(|state| state & state::TOUCHED != 0);
        written.lifted.extend(requests.iter().filter(touched));
    }

    /// Ends the file that is open, if there is one, and waits until it can be read.
    fn close(&mut self, hands: &mut dyn Hands) -> Result<(), LakeError> {
        if let Some(OpenOutput { output, ticket, .. }) = self.output.take() {
            hands.append(Append { output, ticket, batches: Vec::new(), bytes: 0, is_last: true })?;
        }
        hands.settle()
    }

    /// Whether the event is stored; from now on it is.
    fn insert(
        &mut self,
        hashes: &Hashes,
        event: Taken,
        place: Place<'_>,
        hands: &mut dyn Hands,
    ) -> Result<bool, LakeError> {
        let known = self.requests.get(&event.request).copied().unwrap_or_default();
        let bit = 1 << event.rank;
        let in_files = self.files_with(hashes, event, known, hands)?;
        let met = known & bit != 0;
        if met || !in_files.is_empty() || self.exact.is_some() {
            let fingerprint = hashes.of_row(&place.pieces[place.piece], place.row);
            for file in &in_files {
                if self.files[*file].has_event(hashes, fingerprint)? {
                    return Ok(true);
                }
            }
            if met && self.exact.is_none() {
                self.exact = Some(self.fingerprints(hashes, place.pieces));
            }
            if self.exact.as_mut().is_some_and(|exact| !exact.insert(fingerprint)) {
                return Ok(true);
            }
        }
        let mut state = known | bit;
        if !event.goes_on {
            state |= state::CLOSED;
        }
        for file in in_files {
            self.files[file].lifted.insert(event.request);
            state |= state::TOUCHED;
        }
        self.requests.insert(event.request, state);
        Ok(false)
    }

    /// Files that hold events of the same request.
    fn files_with(
        &mut self,
        hashes: &Hashes,
        event: Taken,
        known: u8,
        hands: &mut dyn Hands,
    ) -> Result<Vec<usize>, LakeError> {
        // What was written in this run is known here, unless it was long ago.
        let is_asked = |file: &EarlierFile| {
            (file.is_committed || file.is_forgotten || known & state::FLUSHED != 0)
                && (file.spans(event.time) || event.is_time_assumed || file.has_assumed_times)
        };
        let is_unread = |file: &EarlierFile| !file.is_committed && is_asked(file) && !file.is_loaded();
        if self.output.is_some() && self.files.last().is_some_and(is_unread) {
            self.close(hands)?;
        } else if self.files.iter().any(is_unread) {
            hands.settle()?;
        }
        let mut found = Vec::new();
        for (number, file) in self.files.iter_mut().enumerate().filter(|(_, file)| is_asked(file)) {
            if file.has_request(hashes, event.request)? {
                found.push(number);
            }
        }
        Ok(found)
    }

    /// Whether the reject is stored; from now on it is.
    fn insert_reject(&mut self, reject: Fingerprint) -> Result<bool, LakeError> {
        if !self.rejects.insert(reject) {
            return Ok(true);
        }
        for file in self.files.iter_mut().filter(|file| file.is_committed) {
            if file.has_reject(reject)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Fingerprints of all rows that are in memory.
    fn fingerprints(&self, hashes: &Hashes, pieces: &[Arc<Rows>]) -> Set<Fingerprint> {
        let mut all: Set<Fingerprint> =
            self.waiting.iter().map(|(piece, row, _)| hashes.of_row(&pieces[*piece], *row)).collect();
        for Block { batch, .. } in &self.blocks {
            for row in 0..batch.num_rows() {
                let cells: Vec<_> = COLUMNS
                    .iter()
                    .zip(batch.columns())
                    .map(|(column, array)| (column, Cell::read(array, column.kind, row)))
                    .collect();
                all.insert(hashes.of_cells(&cells));
            }
        }
        all
    }

    /// The gathered rows that a file is made of, with their requests; the others stay.
    fn take_blocks(&mut self, which: Flush) -> Result<(Vec<RecordBatch>, Vec<u64>), LakeError> {
        let (mut batches, mut requests, mut held) = (Vec::new(), Vec::new(), Vec::new());
        let total: usize = self.blocks.iter().map(|block| block.requests.len()).sum();
        let waits = |request: &u64| {
            let state = self.requests.get(request).copied().unwrap_or(state::CLOSED);
            state & state::CLOSED == 0 || state & state::TOUCHED != 0
        };
        let open = self.blocks.iter().flat_map(|block| &block.requests).filter(|request| waits(request)).count();
        // A log whose requests never end is not held back: the memory has a limit.
        let holds = which == Flush::Closed && open * 2 < total;
        for block in std::mem::take(&mut self.blocks) {
            if holds && block.requests.iter().any(&waits) {
                let mask: BooleanArray = block.requests.iter().map(|request| Some(waits(request))).collect();
                let (stays, goes) = block.split(&mask)?;
                held.push(stays);
                batches.push(goes.batch);
                requests.extend(goes.requests);
            } else {
                batches.push(block.batch);
                requests.extend(block.requests);
            }
        }
        for request in &requests {
            if let Some(state) = self.requests.get_mut(request) {
                *state |= state::FLUSHED;
            }
        }
        // Rows are of all sizes; the share of those that stay is near enough.
        let stays: usize = held.iter().map(|block| block.requests.len()).sum();
        self.gathered_bytes = (self.gathered_bytes as u128 * stays as u128 / total.max(1) as u128) as usize;
        self.blocks = held;
        Ok((batches, requests))
    }
}

impl Block {
    /// The rows where `mask` is true, and the others.
    fn split(&self, mask: &BooleanArray) -> Result<(Self, Self), LakeError> {
        let part = |mask: &BooleanArray| -> Result<Self, LakeError> {
            let requests = self.requests.iter().zip(mask.values()).filter(|(_, is)| *is).map(|(request, _)| *request);
            Ok(Self { batch: filter_record_batch(&self.batch, mask)?, requests: requests.collect() })
        };
        Ok((part(mask)?, part(&arrow::compute::not(mask)?)?))
    }
}

fn requests_of(batch: &RecordBatch, hashes: &Hashes) -> Vec<u64> {
    let ids = batch.column(AUDIT_ID).as_string::<i32>();
    (0..batch.num_rows()).map(|row| hashes.keyed.request(ids.value(row).as_bytes())).collect()
}

fn times(batches: &[RecordBatch]) -> Option<(i64, i64)> {
    let spans = batches.iter().filter_map(|batch| {
        let times = batch.column(EVENT_TIME).as_primitive::<TimestampMicrosecondType>();
        Some((arrow::compute::min(times)?, arrow::compute::max(times)?))
    });
    spans.reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)))
}

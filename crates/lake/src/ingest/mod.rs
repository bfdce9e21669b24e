//! One ingest: inputs in, one commit out.

pub(crate) mod decode;
pub(crate) mod dedup;
mod flow;
mod pipeline;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::Int32Type;
use kforensic_event::{Keyed, Origin, Redactor, Shape, columns};

use crate::case::Writer;
use crate::case::key::Key;
use crate::case::originals;
use crate::ground::error::LakeError;
use crate::ground::hash::hex;
use crate::ground::progress::Progress;
use crate::ingest::decode::{DecodedChunk, Decoder};
use crate::ingest::dedup::Stored;
use crate::ingest::pipeline::{Planned, Sequence, Shared, SourceRead};
use crate::sources::content::head_sha256;
use crate::sources::copies::KnownSources;
use crate::sources::discover::{Input, discover};
use crate::sources::survey::{Found, survey};
use crate::table::data_file::{FILE_BYTES, Job, Partition, file_name};
use crate::table::ledger::Skipped;
use crate::table::ledger::{LedgerEntry, Operation, Redaction, SecretValues};
use crate::table::log::{Add, Change};
use crate::table::stats::FileStats;

/// Memory of all rows that wait for their files, in bytes. Beyond it the largest file is written.
const BUFFERED_BYTES: usize = 128 * 1024 * 1024;

/// Memory that a batch takes beside its rows, in bytes: buffers and their owners, of some sixty columns. A hundred
/// thousand sources of one event each make as many batches.
const BATCH_OVERHEAD_BYTES: usize = 32 * 1024;

/// Batches of at most that many rows are put together while they wait, as soon as there are as many of them.
const SMALL_BATCH_ROWS: usize = 256;

/// Memory of the rows that are being encoded, in bytes.
const ENCODING_BYTES: usize = 96 * 1024 * 1024;

/// What is to be ingested, and how it is labelled.
#[derive(Debug, Clone, Default)]
pub struct IngestOptions {
    /// Files, folders, and `-` for standard input.
    pub paths: Vec<PathBuf>,
    /// Cluster that the logs come from, when their paths do not tell.
    pub cluster: Option<String>,
    /// Host that the logs come from, when their paths do not tell.
    pub host: Option<String>,
    /// The shape that all inputs have, when it is not to be recognised by their content.
    pub shape: Option<&'static Shape>,
    /// Threads that decode and encode.
    pub threads: usize,
    /// Whether values that are secrets are replaced.
    pub secret_values: SecretValues,
    /// Whether the case is to keep a copy of every source that is read.
    pub keep_originals: bool,
    /// The command line, for the ledger.
    pub arguments: Vec<String>,
    /// The present time in milliseconds since 1970, for the ledger.
    pub now_ms: i64,
}

/// What an ingest did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Accounts of all inputs, in order.
    pub sources: Vec<LedgerEntry>,
    /// Files of the given folders that were left out.
    pub skipped: Vec<Skipped>,
    /// Sums over all sources.
    pub records: u64,
    /// Records stored as events.
    pub events: u64,
    /// Records that were stored already.
    pub duplicates: u64,
    /// Records that are no audit event, stored word for word.
    pub rejected: u64,
    /// Secret values that were replaced in what was stored.
    pub redacted: u64,
    /// Stored bytes of all inputs.
    pub bytes: u64,
    /// Number of the commit; `None` when there was nothing new.
    pub version: Option<u64>,
    /// Fingerprint of the case.
    pub fingerprint: String,
}

/// Reads all inputs into the case, in one commit.
///
/// # Errors
/// When a path does not exist, an input cannot be opened or the case cannot be written; the case is
/// then as it was before. [`LakeError::NothingToRead`] when no input holds a trace of an audit event.
pub fn ingest(writer: &Writer, options: &IngestOptions, progress: &Progress) -> Result<Report, LakeError> {
    let (inputs, mut skipped) = discover(&options.paths, Some(writer.case().root()))?;
    let known = KnownSources::new(writer.snapshot.as_ref());
    let (inputs, pipes) = survey(inputs, &mut skipped, &known, &writer.staging.scratch, progress)?;
    if inputs.is_empty() {
        let like_logs = skipped.iter().filter(|skipped| skipped.may_be_log).count();
        return Err(LakeError::NothingToRead { skipped: skipped.len(), like_logs });
    }
    progress.set_total(inputs.iter().filter_map(|found| found.input.size_bytes()).sum());
    let version = writer.next_version();
    let sources = plan(inputs, options, version);
    let key = Key::of_case(writer.case().root(), &writer.staging, writer.snapshot.as_ref())?;
    let redaction = Redaction { key_sha256: key.sha256(), values: options.secret_values };
    let redactor = Redactor::new(&key.bytes);
    let keyed = Keyed::random();
    let shared = Shared {
        decoder: Decoder {
            schema: columns::schema(),
            keyed: keyed.clone(),
            redactor: redactor.clone(),
            secret_values: options.secret_values,
        },
        known,
        pipes: Mutex::new(pipes),
        staging: &writer.staging.scratch,
        shape: options.shape,
        threads: options.threads,
        keep_originals: options.keep_originals,
        modification_time_ms: options.now_ms,
        progress,
    };
    let mut taking = Taking {
        stored: Stored::new(keyed, redactor, writer.snapshot.as_ref()),
        buffers: BTreeMap::new(),
        buffered_bytes: 0,
        version,
        files: 0,
        counts: sources.iter().map(|_| Counts::default()).collect(),
        entries: Vec::with_capacity(sources.len()),
        progress,
    };
    let mut adds = pipeline::run(&shared, &sources, &mut taking)?;
    adds.sort_by(|left, right| left.path.cmp(&right.path));
    originals::share(writer.snapshot.as_ref(), taking.entries.iter_mut().map(|source| &mut source.entry));
    let (report, known) = report(taking.entries, skipped);
    check_accounts(&report, &adds)?;
    commit(writer, options, redaction, report, &known, adds)
}

fn plan(inputs: Vec<Found>, options: &IngestOptions, version: u64) -> Vec<Planned> {
    let id = |number: usize| format!("{version}-{number}");
    let origin = |number: usize, input: &Input| Origin {
        source_id: id(number),
        cluster: options.cluster.clone().or_else(|| input.cluster()),
        host: options.host.clone().or_else(|| input.host()),
    };
    let mut planned: Vec<Planned> = Vec::with_capacity(inputs.len());
    for (number, Found { input, copy, aside, sha256, unread }) in inputs.into_iter().enumerate() {
        planned.push(Planned { origin: origin(number, &input), input, archive: None, copy, aside, sha256, unread });
    }
    // An archive stands behind its logs.
    let mut archive = None;
    for source in planned.iter_mut().rev() {
        match source.input {
            Input::Member { .. } => source.archive.clone_from(&archive),
            _ => archive = Some(source.origin.source_id.clone()),
        }
    }
    planned
}

/// The accounts of all sources, and which of them (by number) had been read before, so that they are not committed.
fn report(read: Vec<SourceRead>, skipped: Vec<Skipped>) -> (Report, Vec<usize>) {
    let known = read.iter().enumerate().filter(|(_, source)| source.known).map(|(number, _)| number).collect();
    let sources: Vec<LedgerEntry> = read.into_iter().map(|source| source.entry).collect();
    let sum = |of: fn(&LedgerEntry) -> u64| sources.iter().map(of).sum();
    let report = Report {
        records: sum(|entry| entry.records),
        events: sum(|entry| entry.events),
        duplicates: sum(|entry| entry.duplicates),
        rejected: sum(|entry| entry.rejected),
        redacted: sum(|entry| entry.redacted),
        bytes: sum(|entry| if entry.archive.is_some() { 0 } else { entry.size_bytes }),
        sources,
        skipped,
        version: None,
        fingerprint: String::new(),
    };
    (report, known)
}

/// `records = events + duplicates + rejected`, for every source, and the files hold exactly what was not a duplicate.
fn check_accounts(report: &Report, adds: &[Add]) -> Result<(), LakeError> {
    if let Some(entry) = report.sources.iter().find(|entry| !entry.adds_up()) {
        return Err(LakeError::Accounts { problem: format!("the records of `{}`", entry.name) });
    }
    let rows: u64 = adds.iter().map(|add| FileStats::from_delta(&add.stats).rows).sum();
    if rows != report.events + report.rejected {
        let problem = format!("{rows} rows for {} events and {} rejects", report.events, report.rejected);
        return Err(LakeError::Accounts { problem });
    }
    Ok(())
}

fn commit(
    writer: &Writer,
    options: &IngestOptions,
    redaction: Redaction,
    mut report: Report,
    known: &[usize],
    adds: Vec<Add>,
) -> Result<Report, LakeError> {
    let before = writer.snapshot.as_ref();
    if known.len() == report.sources.len() {
        report.fingerprint = before.map(|snapshot| snapshot.fingerprint.clone()).unwrap_or_default();
        return Ok(report);
    }
    // Accounts can be many: they are moved into the commit and back, not copied.
    let mut apart = Vec::with_capacity(known.len());
    for number in known.iter().rev() {
        apart.push((*number, report.sources.remove(*number)));
    }
    let mut operation = Operation {
        command: "ingest".to_owned(),
        arguments: options.arguments.clone(),
        redaction: Some(redaction),
        sources: std::mem::take(&mut report.sources),
        skipped: std::mem::take(&mut report.skipped),
        ..Operation::default()
    };
    originals::publish(writer.case().root(), &writer.staging, &operation.sources)?;
    let change = Change { adds, removes: Vec::new() };
    report.fingerprint = writer.commit(&mut operation, &change, options.now_ms)?;
    report.version = Some(writer.next_version());
    (report.sources, report.skipped) = (operation.sources, operation.skipped);
    for (number, entry) in apart.into_iter().rev() {
        report.sources.insert(number, entry);
    }
    Ok(report)
}

/// Takes up decoded chunks: counts, leaves duplicates out, and gathers rows into files.
struct Taking<'a> {
    stored: Stored,
    buffers: BTreeMap<Partition, Buffer>,
    buffered_bytes: usize,
    version: u64,
    files: usize,
    counts: Vec<Counts>,
    entries: Vec<SourceRead>,
    progress: &'a Progress,
}

/// Rows that wait for their file.
#[derive(Default)]
struct Buffer {
    batches: Vec<RecordBatch>,
    bytes: usize,
    /// How many batches at the end are small.
    small: usize,
}

impl Buffer {
    /// Puts the small batches at the end together; returns how much memory that frees, in bytes.
    fn gather(&mut self) -> Result<usize, LakeError> {
        if self.small < 2 {
            return Ok(0);
        }
        let small = self.batches.split_off(self.batches.len() - self.small);
        self.batches.push(concat_batches(&columns::schema(), &small)?);
        self.small = 0;
        Ok((small.len() - 1) * BATCH_OVERHEAD_BYTES)
    }
}

#[derive(Debug, Default)]
struct Counts {
    events: u64,
    duplicates: u64,
    rejected: u64,
    redacted: u64,
    records: u64,
    times: Option<(i64, i64)>,
    torn: Option<decode::Torn>,
}

impl Sequence for Taking<'_> {
    fn chunk(&mut self, source: usize, chunk: DecodedChunk) -> Result<Vec<Job>, LakeError> {
        let mut full = Vec::new();
        for part in chunk.parts {
            let mut keep = Vec::with_capacity(part.identities.len());
            for identity in &part.identities {
                keep.push(!self.stored.insert(part.partition, identity)?);
            }
            let kept = keep.iter().filter(|keep| **keep).count();
            let counts = &mut self.counts[source];
            counts.records += keep.len() as u64;
            counts.duplicates += (keep.len() - kept) as u64;
            if part.partition.is_rejects() {
                counts.rejected += kept as u64;
            } else {
                counts.events += kept as u64;
                self.progress.add_events(kept as u64);
            }
            if kept == 0 {
                continue;
            }
            let batch = match kept == keep.len() {
                true => part.batch,
                false => filter_record_batch(&part.batch, &BooleanArray::from(keep))?,
            };
            self.counts[source].redacted += redacted(&batch);
            let buffer = self.buffers.entry(part.partition).or_default();
            buffer.small = if batch.num_rows() <= SMALL_BATCH_ROWS { buffer.small + 1 } else { 0 };
            buffer.batches.push(batch);
            buffer.bytes += part.bytes;
            self.buffered_bytes += part.bytes + BATCH_OVERHEAD_BYTES;
            if buffer.small >= SMALL_BATCH_ROWS {
                self.buffered_bytes -= buffer.gather()?;
            }
            if buffer.bytes >= FILE_BYTES {
                full.extend(self.take(part.partition));
            }
        }
        let counts = &mut self.counts[source];
        counts.times = decode::join(counts.times, chunk.times);
        counts.torn = chunk.torn;
        if self.buffered_bytes > BUFFERED_BYTES {
            for buffer in self.buffers.values_mut() {
                self.buffered_bytes -= buffer.gather()?;
            }
        }
        while self.buffered_bytes > BUFFERED_BYTES {
            let largest = self.buffers.iter().max_by_key(|(_, buffer)| buffer.bytes).map(|(partition, _)| *partition);
            full.extend(largest.and_then(|partition| self.take(partition)));
        }
        Ok(full)
    }

    fn source(&mut self, source: usize, mut read: SourceRead) -> Result<(), LakeError> {
        let counts = std::mem::take(&mut self.counts[source]);
        if !read.known {
            let entry = &mut read.entry;
            (entry.records, entry.events) = (counts.records, counts.events);
            (entry.duplicates, entry.rejected) = (counts.duplicates, counts.rejected);
            entry.redacted = counts.redacted;
            (entry.first_event, entry.last_event) = decode::render(counts.times);
            if let Some(torn) = counts.torn {
                // A torn last record may be completed: a longer copy is read on before it.
                entry.resume.bytes = u64::try_from(torn.start.offset).unwrap_or(0);
                entry.resume.line = torn.start.line;
                entry.resume.sha256 = hex(&torn.before_sha256);
                entry.resume.head_sha256 = head_sha256(&read.head, entry.resume.bytes);
            }
        }
        read.head = Vec::new();
        self.entries.push(read);
        Ok(())
    }

    fn finish(&mut self) -> Vec<Job> {
        let partitions: Vec<Partition> = self.buffers.keys().copied().collect();
        partitions.into_iter().filter_map(|partition| self.take(partition)).collect()
    }

    fn encode_budget(&self) -> usize {
        ENCODING_BYTES
    }
}

/// Secret values that were replaced in the rows of a batch.
fn redacted(batch: &RecordBatch) -> u64 {
    let column = batch.column_by_name("redacted").and_then(|column| column.as_primitive_opt::<Int32Type>());
    let values = column.and_then(arrow::compute::sum).unwrap_or_default();
    u64::try_from(values).unwrap_or_default()
}

impl Taking<'_> {
    /// Makes a file of the rows of a partition.
    fn take(&mut self, partition: Partition) -> Option<Job> {
        let buffer = self.buffers.remove(&partition)?;
        self.buffered_bytes -= buffer.bytes + buffer.batches.len() * BATCH_OVERHEAD_BYTES;
        let file_name = file_name(self.version, self.files);
        self.files += 1;
        Some(Job { partition, file_name, batches: buffer.batches, bytes: buffer.bytes })
    }
}

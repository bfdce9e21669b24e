//! One ingest: inputs in, one commit out.

mod account;
pub(crate) mod decode;
pub(crate) mod dedup;
mod flow;
mod pipeline;
mod reader;
mod remembering;
pub(crate) mod seats;
mod sequencer;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Mutex;

use kforensic_event::partition::Folders;
use kforensic_event::shape::{Parts, Settled};
use kforensic_event::{Keyed, Origin, Redactor, Shape, columns, container};

use crate::case::Writer;
use crate::case::key::Key;
use crate::case::originals;
use crate::ground::error::LakeError;
use crate::ground::hash::hex;
use crate::ground::progress::Progress;
use crate::ingest::decode::{DecodedChunk, Decoder, Standing};
use crate::ingest::dedup::Hashes;
use crate::ingest::pipeline::{Planned, Sequence, Shared, SourceRead};
use crate::ingest::remembering::Remembering;
use crate::ingest::seats::{Counted, Hands, Seats};
use crate::sources::content::head_sha256;
use crate::sources::copies::KnownSources;
use crate::sources::discover::{Input, discover};
use crate::sources::survey::{Found, survey};
use crate::table::ledger::{LedgerEntry, Operation, Redaction, SecretValues, Skipped};
use crate::table::log::{Add, Change, Remove};
use crate::table::snapshot::{DataFile, Snapshot};
use crate::table::stats::FileStats;

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
    /// Where hashes of files that were read whole are remembered, outside of the case, so that a file that was left alone
    /// is not read again; nowhere when it is `None`.
    pub memory: Option<PathBuf>,
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
    let mut memory = Remembering::begin(writer, options);
    let known = KnownSources::new(writer.snapshot.as_ref()).with_memory(memory.recollection.as_ref());
    let (inputs, pipes) = survey(inputs, &mut skipped, &known, &writer.staging.scratch, progress)?;
    if inputs.is_empty() {
        let like_logs = skipped.iter().filter(|skipped| skipped.may_be_log).count();
        let first = skipped
            .iter()
            .find(|skipped| skipped.may_be_log)
            .map(|skipped| (skipped.name.clone(), skipped.reason.clone()));
        return Err(LakeError::NothingToRead { skipped: skipped.len(), like_logs, first });
    }
    progress.set_total(inputs.iter().filter_map(|found| found.input.size_bytes()).sum());
    let version = writer.next_version();
    let folders = writer.folders();
    let sources = plan(inputs, options, version, folders);
    memory.look(&sources);
    let key = Key::of_case(writer.case().root(), &writer.staging, writer.snapshot.as_ref())?;
    let redaction = Redaction { key_sha256: key.sha256(), values: options.secret_values };
    let redactor = Redactor::new(&key.bytes);
    let keyed = Keyed::random();
    let mut with_secret_values: HashSet<String> =
        writer.snapshot.iter().flat_map(Snapshot::with_secret_values).map(|source| source.source_id.clone()).collect();
    if options.secret_values == SecretValues::Kept {
        with_secret_values.extend(sources.iter().map(|source| source.origin.source_id.clone()));
    }
    let shared = Shared {
        decoder: Decoder { keyed: keyed.clone(), redactor: redactor.clone(), secret_values: options.secret_values },
        schema: columns::schema(),
        known,
        pipes: Mutex::new(pipes),
        staging: &writer.staging.scratch,
        shape: options.shape,
        threads: options.threads,
        keep_originals: options.keep_originals,
        modification_time_ms: options.now_ms,
        progress,
    };
    let hashes = Hashes { keyed, redactor, with_secret_values };
    let mut taking = Taking {
        decoder: &shared.decoder,
        sources: &sources,
        parts: Parts::default(),
        seats: Seats::new(hashes, writer.snapshot.as_ref(), version, &writer.staging.scratch),
        replaced: Vec::new(),
        counts: sources.iter().map(|_| Counts::default()).collect(),
        entries: Vec::with_capacity(sources.len()),
        progress,
    };
    let mut adds = pipeline::run(&shared, &sources, &mut taking)?;
    adds.sort_by(|left, right| left.path.cmp(&right.path));
    originals::share(writer.snapshot.as_ref(), taking.entries.iter_mut().map(|source| &mut source.entry));
    let (report, known) = report(taking.entries, skipped);
    check_accounts(&report, &adds, &taking.replaced)?;
    let removes = taking.replaced.iter().map(|file| Remove::of(file, options.now_ms, true)).collect();
    let report = commit(writer, options, redaction, report, &known, &Change { adds, removes })?;
    memory.end(&report);
    Ok(report)
}

fn plan(inputs: Vec<Found>, options: &IngestOptions, version: u64, folders: Folders) -> Vec<Planned> {
    let id = |number: usize| format!("{version}-{number}");
    let origin = |number: usize, input: &Input| Origin {
        source_id: id(number),
        cluster: options.cluster.clone().or_else(|| input.cluster()),
        host: options.host.clone().or_else(|| input.host()),
        mark: container::of_path(&input.name()),
        folders,
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
fn check_accounts(report: &Report, adds: &[Add], replaced: &[DataFile]) -> Result<(), LakeError> {
    if let Some(entry) = report.sources.iter().find(|entry| !entry.adds_up()) {
        return Err(LakeError::Accounts { problem: format!("the records of `{}`", entry.name) });
    }
    let rows: u64 = adds.iter().map(|add| FileStats::from_delta(&add.stats).rows).sum();
    let before: u64 = replaced.iter().map(|file| file.stats.rows).sum();
    if rows != report.events + report.rejected + before {
        let (events, rejected) = (report.events, report.rejected);
        let problem =
            format!("{rows} rows for {events} events, {rejected} rejects and {before} rows of replaced files");
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
    change: &Change,
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
    report.fingerprint = writer.commit(&mut operation, change, options.now_ms)?;
    report.version = Some(writer.next_version());
    (report.sources, report.skipped) = (operation.sources, operation.skipped);
    for (number, entry) in apart.into_iter().rev() {
        report.sources.insert(number, entry);
    }
    Ok(report)
}

/// Takes up decoded chunks, and counts.
struct Taking<'a> {
    decoder: &'a Decoder,
    sources: &'a [Planned],
    /// Parts of split entries of the source that is being read.
    parts: Parts<Standing>,
    seats: Seats<'a>,
    /// Files of the case whose rows others take.
    replaced: Vec<DataFile>,
    counts: Vec<Counts>,
    entries: Vec<SourceRead>,
    progress: &'a Progress,
}

#[derive(Debug, Default)]
struct Counts {
    rows: Counted,
    times: Option<(i64, i64)>,
    matched: Option<u64>,
    torn: Option<Box<decode::Torn>>,
}

impl Taking<'_> {
    /// Takes up the rows of parts that were joined or given up.
    fn settled(
        &mut self,
        source: usize,
        settled: Vec<Settled<Standing>>,
        hands: &mut dyn Hands,
    ) -> Result<(), LakeError> {
        if settled.is_empty() {
            return Ok(());
        }
        let chunk = self.decoder.settled(settled, &self.sources[source].origin);
        self.rows(source, chunk, hands)
    }

    fn rows(&mut self, source: usize, chunk: DecodedChunk, hands: &mut dyn Hands) -> Result<(), LakeError> {
        let counts = &mut self.counts[source];
        counts.times = decode::join(counts.times, chunk.times);
        let taken = self.seats.take(chunk, hands)?;
        self.progress.add_events(taken.events);
        self.counts[source].rows.add(&taken);
        Ok(())
    }
}

impl Sequence for Taking<'_> {
    fn chunk(&mut self, source: usize, mut chunk: DecodedChunk, hands: &mut dyn Hands) -> Result<(), LakeError> {
        let counts = &mut self.counts[source];
        counts.matched = chunk.matched.or(counts.matched);
        counts.torn = chunk.torn.take();
        let parts = std::mem::take(&mut chunk.parts);
        self.rows(source, chunk, hands)?;
        for (part, standing) in parts {
            let settled = self.parts.take(part, standing);
            self.settled(source, settled, hands)?;
        }
        Ok(())
    }

    fn source(&mut self, source: usize, mut read: SourceRead, hands: &mut dyn Hands) -> Result<(), LakeError> {
        let settled = self.parts.finish();
        self.settled(source, settled, hands)?;
        let counts = std::mem::take(&mut self.counts[source]);
        if !read.known {
            let entry = &mut read.entry;
            let Counted { events, rejected, duplicates, redacted, reasons } = counts.rows;
            entry.records = events + rejected + duplicates;
            entry.matched = counts.matched;
            (entry.events, entry.rejected, entry.duplicates, entry.redacted) = (events, rejected, duplicates, redacted);
            entry.reasons = reasons.into_iter().map(|(reason, records)| (reason.to_owned(), records)).collect();
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

    fn finish(&mut self, hands: &mut dyn Hands) -> Result<(), LakeError> {
        self.replaced = self.seats.finish(hands)?;
        Ok(())
    }
}

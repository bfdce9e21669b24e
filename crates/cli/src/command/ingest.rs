//! `kforensic ingest`

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use kforensic_event::{Shape, shape};
use kforensic_lake::{
    Compaction, IngestOptions, LakeError, LedgerEntry, Progress, Report, SMALL_FILES_PER_PARTITION, SecretValues,
    UpkeepOptions,
};
use kforensic_report::{Format, Layout, RowLayout};
use serde_json::json;

use crate::answer;
use crate::args::{GraceArgs, IngestArgs, Labels, ReadingArgs};
use crate::checks;
use crate::command::{Outcome, case_folder, compact, prune, triage};
use crate::error::CliError;
use crate::inquiry::snapshots;
use crate::interrupt::Interrupt;
use crate::message::{self, named};
use crate::progress::ProgressLine;
use crate::terminal;

/// Reads logs into the case and prints the accounts.
pub(crate) fn run(case: Option<&PathBuf>, args: &IngestArgs, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let case = case_folder(case);
    snapshots::keep(&case, &args.snapshot, args.taken.as_deref())?;
    if args.paths.is_empty() {
        return Ok(Outcome::Done);
    }
    let start = Instant::now();
    let shape = args.shape.as_deref().and_then(shape::find);
    let ingested = ingest(&case, &args.paths, &args.labels, &args.reading, shape, args.keep_originals, interrupt)?;
    let elapsed = start.elapsed();
    match args.format.as_str() {
        "json" => print_json(&ingested, elapsed)?,
        _ => print_table(&ingested, &case, elapsed, args.verbose)?,
    }
    for message in reservations(&ingested.report, args.keep_originals) {
        message::warning(&message);
    }
    let outcome = ingested.outcome()?;
    let is_watched = args.format == "table" && std::io::stdout().is_terminal();
    if is_watched && !args.quiet {
        triage::after_ingest(&case, interrupt)?;
    }
    Ok(outcome)
}

/// What an ingest did, and the compaction that may follow it.
pub(crate) struct Ingested {
    pub(crate) report: Report,
    compaction: Result<Compaction, LakeError>,
    /// What the user should know about earlier prunings, for each source that they concern.
    pruned: Vec<String>,
}

impl Ingested {
    /// How the command ends: the accounts are right even when the small files could not be merged.
    pub(crate) fn outcome(self) -> Result<Outcome, CliError> {
        self.compaction.map_err(CliError::Upkeep)?;
        let is_all_read = self.report.rejected == 0 && !self.report.skipped.iter().any(|skipped| skipped.may_be_log);
        Ok(if is_all_read { Outcome::Done } else { Outcome::LinesRejected })
    }

    /// The compaction that was committed.
    fn compacted(&self) -> Option<&Compaction> {
        self.compaction.as_ref().ok().filter(|compaction| compaction.version.is_some())
    }

    /// Fingerprint of the case after all that was committed.
    fn fingerprint(&self) -> &str {
        self.compacted().map_or(&self.report.fingerprint, |compaction| &compaction.fingerprint)
    }
}

/// What the accounts alone do not make plain.
pub(crate) fn reservations(report: &Report, keep_originals: bool) -> Vec<String> {
    let changed = report.sources.iter().filter(|entry| !entry.is_known()).filter_map(|entry| {
        let how = entry.changed_while_read.as_ref()?;
        Some(format!("`{}` was changed while it was read: {how}; what was read is in the case", entry.name))
    });
    let unread = report.skipped.iter().filter(|skipped| skipped.may_be_log).count();
    let unread = (unread > 0).then(|| {
        format!(
            "{unread} of what was left out may be audit logs that are not in the case; `kforensic status` lists them"
        )
    });
    // What is in an archive is kept with it.
    let files = report.sources.iter().filter(|entry| entry.archive.is_none());
    let not_kept = files.filter(|entry| keep_originals && entry.original.is_none());
    let not_kept =
        not_kept.map(|entry| format!("no copy is kept of `{}`: it was read before, without one", entry.name));
    changed.chain(unread).chain(not_kept).collect()
}

/// Reads logs into the case in that folder, and shows how far it is.
pub(crate) fn ingest(
    case: &Path,
    paths: &[PathBuf],
    labels: &Labels,
    reading: &ReadingArgs,
    shape: Option<&'static Shape>,
    keep_originals: bool,
    interrupt: &Interrupt,
) -> Result<Ingested, CliError> {
    // Before the case is made: a typing error should leave nothing behind.
    if let Some(path) = paths.iter().find(|path| path.as_os_str() != "-" && !path.exists()) {
        return Err(kforensic_lake::LakeError::no_such_path(path).into());
    }
    let now = chrono::Utc::now();
    let mut writer = compact::writer(case, now)?;
    let options = IngestOptions {
        paths: paths.to_vec(),
        cluster: labels.cluster.clone(),
        host: labels.host.clone(),
        shape,
        threads: reading.threads.unwrap_or_else(compact::cores),
        secret_values: match reading.keep_secret_values {
            true => SecretValues::Kept,
            false => SecretValues::Redacted,
        },
        keep_originals,
        memory: checks::memory(),
        arguments: compact::arguments(),
        now_ms: now.timestamp_millis(),
    };
    let progress = Arc::new(Progress::default());
    let cancelled = Arc::clone(&progress);
    interrupt.on(move || cancelled.cancel());
    let line = ProgressLine::show(&progress);
    let report = kforensic_lake::ingest(&writer, &options, &progress)?;
    let pruned = prune::notes(&writer, &report);
    let upkeep =
        UpkeepOptions { threads: options.threads, ..compact::options(&GraceArgs::default(), now.timestamp_millis())? };
    line.merges();
    let refreshed = report.version.map_or(Ok(()), |_| writer.refresh());
    let compaction =
        refreshed.and_then(|()| kforensic_lake::compact(&writer, SMALL_FILES_PER_PARTITION, &upkeep, &progress));
    drop(line);
    Ok(Ingested { report, compaction, pruned })
}

fn print_json(ingested: &Ingested, elapsed: Duration) -> Result<(), CliError> {
    let report = &ingested.report;
    let accounts = json!({
        "sources": report.sources,
        "skipped": report.skipped,
        "records": report.records,
        "events": report.events,
        "duplicates": report.duplicates,
        "rejected": report.rejected,
        "redacted": report.redacted,
        "bytes": report.bytes,
        "version": report.version,
        "compaction": ingested.compacted(),
        "fingerprint": ingested.fingerprint(),
        "elapsed_ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
    });
    message::print_json(&accounts)
}

/// Sources of one ingest that a screen has room for; more are told by `status`, or with `--verbose`.
const LISTED_MAX: usize = 12;

fn print_table(ingested: &Ingested, case: &Path, elapsed: Duration, is_verbose: bool) -> Result<(), CliError> {
    let report = &ingested.report;
    let is_short = std::io::stdout().is_terminal() && !is_verbose;
    if !is_short || report.sources.len() <= LISTED_MAX {
        let batch = accounts(&report.sources);
        let mut out = std::io::stdout().lock();
        let layout = Layout { rows: RowLayout::Lines, ..terminal::stdout_layout() };
        let mut sink = Format::Table.writer(batch.schema(), layout, &mut out)?;
        sink.write_batch(&batch)?;
        sink.finish()?;
        out.flush().map_err(kforensic_report::ReportError::from)?;
    }
    let told = if is_short { LISTED_MAX } else { usize::MAX };
    for skipped in report.skipped.iter().take(told) {
        message::note(&format!("left out `{}`: {}", skipped.name, skipped.reason));
    }
    if let Some(more) = report.skipped.len().checked_sub(told).filter(|more| *more > 0) {
        message::note(&format!("left out {more} files more: `kforensic status` lists them"));
    }
    for entry in &report.sources {
        if let Some((missing, matched)) = entry.not_exported().zip(entry.matched) {
            message::note(&format!(
                "the query of `{}` matched {matched} records, and {missing} of them are not in it",
                entry.name
            ));
        }
    }
    for note in &ingested.pruned {
        message::note(note);
    }
    if report.redacted > 0 {
        message::note(&format!("{} secret values were replaced by keyed hashes", report.redacted));
    }
    message::plain(&summary(ingested, case, elapsed));
    if report.rejected > 0 {
        message::warning(&format!(
            "{} of {} {}; kept word for word in the case: `kforensic sql \"FROM rejects\"`",
            report.rejected,
            answer::count_of(report.records, "record"),
            if report.rejected == 1 { "is no audit event" } else { "are no audit events" }
        ));
        for (reason, records) in reasons(&report.sources).iter().take(REASONS_MAX) {
            message::note(&format!("{records} of them: {reason}"));
        }
    }
    Ok(())
}

/// Reasons that are told behind an ingest; `status` lists all.
const REASONS_MAX: usize = 3;

/// What the rejects of all sources are, the most frequent first.
fn reasons(sources: &[LedgerEntry]) -> Vec<(&str, u64)> {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, records) in sources.iter().flat_map(|source| &source.reasons) {
        *reasons.entry(reason).or_default() += records;
    }
    let mut reasons: Vec<(&str, u64)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, records)| Reverse(*records));
    reasons
}

/// The accounts of the sources as a table.
pub(crate) fn accounts(sources: &[LedgerEntry]) -> RecordBatch {
    let numbers =
        |of: fn(&LedgerEntry) -> u64| -> ArrayRef { Arc::new(sources.iter().map(of).collect::<UInt64Array>()) };
    let texts = |of: &dyn Fn(&LedgerEntry) -> Option<String>| -> ArrayRef {
        Arc::new(sources.iter().map(of).collect::<StringArray>())
    };
    let columns = [
        ("source", texts(&|entry| Some(entry.name.clone()))),
        ("records", numbers(|entry| entry.records)),
        ("events", numbers(|entry| entry.events)),
        ("duplicates", numbers(|entry| entry.duplicates)),
        ("rejected", numbers(|entry| entry.rejected)),
        ("first_event", texts(&|entry| entry.first_event.as_deref().map(message::time))),
        ("last_event", texts(&|entry| entry.last_event.as_deref().map(message::time))),
        ("sha256", texts(&|entry| entry.sha256.get(..12).map(str::to_owned))),
        ("note", texts(&note)),
    ];
    match RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))) {
        Ok(batch) => batch,
        Err(error) => unreachable!("columns made of the same sources have the same length: {error}"),
    }
}

fn note(entry: &LedgerEntry) -> Option<String> {
    let continues = entry.continues.as_ref().map(|continues| match entry.is_known() {
        true => format!("read before, as source {continues}"),
        false => format!("goes on behind source {continues}"),
    });
    let changed = entry.changed_while_read.as_ref().map(|_| "changed while it was read".to_owned());
    continues.into_iter().chain(changed).reduce(|notes, note| format!("{notes}; {note}"))
}

fn summary(ingested: &Ingested, case: &Path, elapsed: Duration) -> String {
    let report = &ingested.report;
    let seconds = elapsed.as_secs_f64();
    let content: u64 = report.sources.iter().map(|entry| entry.content_bytes - entry.continues_bytes).sum();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = content as f64 / 1e6 / seconds.max(0.001);
    let state = match report.version {
        Some(version) => format!("commit {version} of `{}`", named(&case.to_string_lossy())),
        None => format!("nothing new for `{}`", named(&case.to_string_lossy())),
    };
    let merged = ingested.compacted().map(|compaction| format!("; {}", compact::summary(compaction)));
    format!(
        "{} of {} = {} + {} + {} rejected; {seconds:.2} s, {rate:.0} MB/s of log\n{state}{}, fingerprint {}",
        answer::count_of(report.records, "record"),
        answer::count_of(report.sources.len() as u64, "source"),
        answer::count_of(report.events, "event"),
        answer::count_of(report.duplicates, "duplicate"),
        report.rejected,
        merged.unwrap_or_default(),
        ingested.fingerprint()
    )
}

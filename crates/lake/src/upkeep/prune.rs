//! Taking events out of a case that are older than it is to keep.
//!
//! What was taken out stands in the ledger for ever, by source: the account of a source is then what
//! is in the table and what was pruned. Sources stay known, so that reading one again brings nothing back.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use kforensic_event::{columns, time};
use serde::Serialize;

use crate::case::Writer;
use crate::ground::error::LakeError;
use crate::ground::progress::Progress;
use crate::ingest::decode::{join, render};
use crate::table::data_file::file_name;
use crate::table::ledger::Operation;
use crate::table::ledger::Pruned;
use crate::table::ledger::PrunedSource;
use crate::table::log::{Change, Remove};
use crate::table::read::{self, check_hash, partition_of};
use crate::table::snapshot::{DataFile, Snapshot};
use crate::upkeep::rewrite::{Rewrite, UpkeepOptions, rewrite_all};
use crate::upkeep::sweep::{Swept, sweep};

/// What a prune did and where the case stands.
#[derive(Debug, Clone, Default, Serialize, PartialEq, Eq)]
pub struct Pruning {
    /// What was pruned.
    #[serde(flatten)]
    pub pruned: Pruned,
    /// Number of the commit; `None` when there was nothing to prune.
    pub version: Option<u64>,
    /// Fingerprint of the case.
    pub fingerprint: String,
    /// What became of files that were removed, now or before.
    #[serde(flatten)]
    pub swept: Swept,
}

impl Pruned {
    /// Whether there is nothing to prune.
    pub fn is_empty(&self) -> bool {
        self.events == 0 && self.rejected == 0
    }
}

/// What a prune of everything before that instant (in microseconds since 1970) would take out.
///
/// # Errors
/// When a file is not what was committed.
pub fn prunable(snapshot: &Snapshot, before: i64) -> Result<Pruned, LakeError> {
    Ok(plan(snapshot, &Old::new(snapshot, before))?.pruned)
}

/// Takes out all events before that instant (in microseconds since 1970), in one commit.
///
/// Rejects have no time. They go with their source, when all its events are from before; the rejects of
/// a source without any event stay.
///
/// # Errors
/// When there is no case, a file is not what was committed, or the case cannot be written; it is then as it was before.
pub fn prune(writer: &Writer, before: i64, options: &UpkeepOptions, progress: &Progress) -> Result<Pruning, LakeError> {
    let no_case = || LakeError::NotACase { path: writer.case().root().to_owned() };
    let snapshot = writer.snapshot.as_ref().ok_or_else(no_case)?;
    let old = Old::new(snapshot, before);
    let plan = plan(snapshot, &old)?;
    let mut done = Pruning { pruned: plan.pruned, fingerprint: snapshot.fingerprint.clone(), ..Pruning::default() };
    let mut change = Change::default();
    if !done.pruned.is_empty() {
        let mut rewrites = Vec::with_capacity(plan.rewritten.len());
        for (number, (file, rows)) in plan.rewritten.iter().enumerate() {
            let file_name = file_name(writer.next_version(), number);
            rewrites.push(Rewrite { partition: partition_of(file)?, files: vec![file], file_name, rows: *rows });
        }
        let adds = rewrite_all(&rewrites, &|batch| Some(old.kept(batch)), writer, options, progress)?;
        let removed = plan.whole.iter().chain(plan.rewritten.iter().map(|(file, _)| file));
        let removes = removed.map(|file| Remove::of(file, options.now_ms, true)).collect();
        change = Change { adds, removes };
        let mut operation = Operation {
            command: "prune".to_owned(),
            arguments: options.arguments.clone(),
            pruned: Some(done.pruned.clone()),
            ..Operation::default()
        };
        done.fingerprint = writer.commit(&mut operation, &change, options.now_ms)?;
        done.version = Some(writer.next_version());
    }
    done.swept = sweep(writer, &change, options)?;
    Ok(done)
}

/// What is older than a case is to keep.
struct Old<'a> {
    /// In microseconds since 1970.
    before: i64,
    /// Sources all of whose events are.
    sources: HashSet<&'a str>,
}

impl<'a> Old<'a> {
    fn new(snapshot: &'a Snapshot, before: i64) -> Self {
        let sources = snapshot.sources().filter(|source| {
            let last = source.last_event.as_deref().and_then(time::parse);
            last.is_some_and(|last| last < before)
        });
        Self { before, sources: sources.map(|source| source.source_id.as_str()).collect() }
    }

    /// Whether a row goes: by its time, and by its source when it has none.
    fn holds(&self, event_time: Option<i64>, source_id: &str) -> bool {
        event_time.map_or_else(|| self.sources.contains(source_id), |time| time < self.before)
    }

    /// Which rows of a batch stay.
    fn kept(&self, batch: &RecordBatch) -> BooleanArray {
        let times = batch.column(columns::at("event_time")).as_primitive::<TimestampMicrosecondType>();
        let sources = batch.column(columns::at("source_id")).as_string::<i32>();
        let time = |row: usize| times.is_valid(row).then(|| times.value(row));
        (0..batch.num_rows()).map(|row| Some(!self.holds(time(row), sources.value(row)))).collect()
    }
}

/// What is to be done with which file.
#[derive(Default)]
struct Plan<'a> {
    pruned: Pruned,
    whole: Vec<&'a DataFile>,
    /// With the number of rows that stay.
    rewritten: Vec<(&'a DataFile, u64)>,
}

fn plan<'a>(snapshot: &'a Snapshot, old: &Old<'_>) -> Result<Plan<'a>, LakeError> {
    let mut plan = Plan::default();
    let mut times = None;
    let mut sources: BTreeMap<(u64, u64, String), PrunedSource> = BTreeMap::new();
    for file in &snapshot.files {
        if file.stats.event_time.is_some_and(|(first, _)| first >= old.before) {
            continue;
        }
        check_hash(file)?;
        let (mut gone, mut kept) = (0_u64, 0_u64);
        read::rows(file, Some(&["event_time", "source_id"]), &mut |cells| {
            let [time, source] = cells else { return };
            let (time, source) = (time.1.int(), source.1.text().unwrap_or_default());
            if !old.holds(time, source) {
                kept += 1;
                return;
            }
            gone += 1;
            times = join(times, time.map(|time| (time, time)));
            let (commit, number) = crate::table::data_file::source_order(source);
            let account = sources.entry((commit, number, source.to_owned())).or_default();
            *(if file.is_rejects() { &mut account.rejected } else { &mut account.events }) += 1;
        })?;
        match (gone, kept) {
            (0, _) => (),
            (_, 0) => {
                plan.pruned.files += 1;
                plan.pruned.bytes += file.size_bytes;
                plan.whole.push(file);
            }
            _ => {
                plan.pruned.rewritten_files += 1;
                plan.pruned.rewritten_bytes += file.size_bytes;
                plan.rewritten.push((file, kept));
            }
        }
    }
    let named = sources.into_iter().map(|((.., source_id), account)| PrunedSource { source_id, ..account });
    plan.pruned.sources = named.collect();
    plan.pruned.before = time::render(old.before);
    plan.pruned.events = plan.pruned.sources.iter().map(|source| source.events).sum();
    plan.pruned.rejected = plan.pruned.sources.iter().map(|source| source.rejected).sum();
    (plan.pruned.first_event, plan.pruned.last_event) = render(times);
    Ok(plan)
}

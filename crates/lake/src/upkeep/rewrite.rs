//! Writing rows of committed files into new files, which replace them in one commit.
//!
//! A file is hashed before it is read: what somebody altered must not get a new hash, and with it the
//! ledger's word that it is right.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use crate::case::Writer;
use crate::ground::error::LakeError;
use crate::ground::progress::Progress;
use crate::table::data_file::{Partition, encode};
use crate::table::log::Add;
use crate::table::read::{self, check_hash};
use crate::table::snapshot::DataFile;
use crate::table::stats::FileStats;

/// Files that are written at the same time. Each takes the memory of its rows twice, about 128 MiB.
const MAX_WORKERS: usize = 2;

/// How the upkeep of a case runs.
#[derive(Debug, Clone, Default)]
pub struct UpkeepOptions {
    /// How long a removed file stays for those who still read it, in milliseconds; see [`crate::GRACE_MS`].
    pub grace_ms: i64,
    /// Threads that read and write files.
    pub threads: usize,
    /// The command line, for the ledger.
    pub arguments: Vec<String>,
    /// The present time in milliseconds since 1970, for the ledger and the grace.
    pub now_ms: i64,
}

/// Files whose rows become one new file.
#[derive(Debug)]
pub(crate) struct Rewrite<'a> {
    pub(crate) partition: Partition,
    pub(crate) files: Vec<&'a DataFile>,
    /// Name of the new file, without its folder.
    pub(crate) file_name: String,
    /// Rows that it must have.
    pub(crate) rows: u64,
}

/// Which rows of a batch are kept; `None` for all.
pub(crate) type Keep<'k> = dyn Fn(&RecordBatch) -> Option<BooleanArray> + Sync + 'k;

/// Writes all new files into `staging`; returns them in the order of their names.
pub(crate) fn rewrite_all(
    rewrites: &[Rewrite<'_>],
    keep: &Keep<'_>,
    writer: &Writer,
    options: &UpkeepOptions,
    progress: &Progress,
) -> Result<Vec<Add>, LakeError> {
    let bytes = rewrites.iter().flat_map(|rewrite| &rewrite.files).map(|file| file.size_bytes).sum();
    progress.add_total(bytes);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(rewrites.len()));
    let add = |result| done.lock().unwrap_or_else(PoisonError::into_inner).push(result);
    thread::scope(|scope| {
        for _ in 0..options.threads.clamp(1, MAX_WORKERS).min(rewrites.len()) {
            scope.spawn(|| {
                while let Some(rewrite) = rewrites.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let written = rewrite.write(keep, writer, options, progress);
                    if written.is_err() {
                        // The others need not begin another file.
                        next.store(rewrites.len(), Ordering::Relaxed);
                    }
                    add(written);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut adds = done.into_iter().collect::<Result<Vec<Add>, LakeError>>()?;
    adds.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(adds)
}

impl Rewrite<'_> {
    fn write(
        &self,
        keep: &Keep<'_>,
        writer: &Writer,
        options: &UpkeepOptions,
        progress: &Progress,
    ) -> Result<Add, LakeError> {
        let mut batches = Vec::new();
        for file in &self.files {
            check_hash(file)?;
            for batch in read::batches(file, None)? {
                if progress.is_cancelled() {
                    return Err(LakeError::Interrupted);
                }
                let batch = batch?;
                let batch = match keep(&batch) {
                    Some(kept) => filter_record_batch(&batch, &kept)?,
                    None => batch,
                };
                progress.add_events(batch.num_rows() as u64);
                batches.push(batch);
            }
            progress.add_bytes(file.size_bytes);
        }
        let add = encode(self.partition, self.file_name.clone(), batches, &writer.staging.scratch, options.now_ms)?;
        let rows = FileStats::from_delta(&add.stats).rows;
        if rows != self.rows {
            let problem = format!("{rows} rows in `{}` instead of {}", add.path, self.rows);
            return Err(LakeError::Accounts { problem });
        }
        Ok(add)
    }
}

//! Merging small files into files of the normal size: many small ingests leave many, and each costs a query time.
//!
//! Rows are neither changed nor lost, only sorted together. All files are replaced in one commit.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::case::Writer;
use crate::ground::error::LakeError;
use crate::ground::progress::Progress;
use crate::table::data_file::{FILE_BYTES, Partition, file_name};
use crate::table::ledger::Compacted;
use crate::table::ledger::Operation;
use crate::table::log::{Change, Remove};
use crate::table::snapshot::{DataFile, Snapshot};
use crate::upkeep::rewrite::{Rewrite, UpkeepOptions, rewrite_all};
use crate::upkeep::sweep::{Swept, sweep};

/// Memory of the rows of a small file, in bytes, at most: any two small files fit into one, so every merge leaves fewer
/// files, and what a merge fills is small no more.
const SMALL_FILE_BYTES: u64 = FILE_BYTES as u64 / 2;

/// Small files that a partition may have before an ingest is followed by a compaction of the case.
pub const SMALL_FILES_PER_PARTITION: usize = 8;

/// What a compaction did and where the case stands.
#[derive(Debug, Clone, Default, Serialize, PartialEq, Eq)]
pub struct Compaction {
    /// What was merged.
    #[serde(flatten)]
    pub compacted: Compacted,
    /// Number of the commit; `None` when there was nothing to merge.
    pub version: Option<u64>,
    /// Fingerprint of the case.
    pub fingerprint: String,
    /// What became of files that were removed, now or before.
    #[serde(flatten)]
    pub swept: Swept,
}

/// Merges the small files of all partitions, in one commit, when at least one partition has more than `allowed` of them.
/// Files of earlier versions, which have fewer columns, are written anew whenever there are any.
///
/// # Errors
/// When there is no case, a file is not what was committed, or the case cannot be written; it is then as it was before.
pub fn compact(
    writer: &Writer,
    allowed: usize,
    options: &UpkeepOptions,
    progress: &Progress,
) -> Result<Compaction, LakeError> {
    let no_case = || LakeError::NotACase { path: writer.case().root().to_owned() };
    let snapshot = writer.snapshot.as_ref().ok_or_else(no_case)?;
    let rewrites = plan(snapshot, allowed, writer.next_version());
    let mut done = Compaction { fingerprint: snapshot.fingerprint.clone(), ..Compaction::default() };
    let mut change = Change::default();
    if !rewrites.is_empty() {
        let mut adds = rewrite_all(&rewrites, &|_| None, writer, options, progress)?;
        // Other readers of the log need not look at rows again that only moved.
        adds.iter_mut().for_each(|add| add.data_change = false);
        let merged = || rewrites.iter().flat_map(|rewrite| &rewrite.files);
        done.compacted = Compacted {
            files_before: merged().count() as u64,
            files_after: adds.len() as u64,
            bytes_before: merged().map(|file| file.size_bytes).sum(),
            bytes_after: adds.iter().map(|add| add.size).sum(),
            rows: rewrites.iter().map(|rewrite| rewrite.rows).sum(),
        };
        let removes = merged().map(|file| Remove::of(file, options.now_ms, false)).collect();
        change = Change { adds, removes };
        let mut operation = Operation {
            command: "compact".to_owned(),
            arguments: options.arguments.clone(),
            compacted: Some(done.compacted.clone()),
            ..Operation::default()
        };
        done.fingerprint = writer.commit(&mut operation, &change, options.now_ms)?;
        done.version = Some(writer.next_version());
    }
    done.swept = sweep(writer, &change, options)?;
    Ok(done)
}

/// What is to be merged: small files that follow each other in time, as many as fit into a file of the normal size.
fn plan(snapshot: &Snapshot, allowed: usize, version: u64) -> Vec<Rewrite<'_>> {
    let mut partitions: BTreeMap<Partition, Vec<&DataFile>> = BTreeMap::new();
    let mut early: BTreeMap<Partition, Vec<&DataFile>> = BTreeMap::new();
    for file in &snapshot.files {
        let Some(partition) = Partition::of_file(file) else { continue };
        if file.lacks_columns() {
            early.entry(partition).or_default().push(file);
        } else if file.memory_bytes < SMALL_FILE_BYTES {
            partitions.entry(partition).or_default().push(file);
        }
    }
    if early.is_empty() && partitions.values().all(|files| files.len() <= allowed) {
        return Vec::new();
    }
    // Events of a request may lie in several of the files of an earlier version: they become one.
    let mut groups: Vec<(Partition, Vec<&DataFile>)> = early.into_iter().collect();
    let anew = groups.len();
    for (partition, mut files) in partitions {
        files.sort_by_key(|file| (file.stats.event_time, &file.name));
        let mut bytes = u64::MAX;
        for file in files {
            bytes = bytes.saturating_add(file.memory_bytes);
            match groups[anew..].last_mut().filter(|_| bytes <= FILE_BYTES as u64) {
                Some((_, group)) => group.push(file),
                None => {
                    bytes = file.memory_bytes;
                    groups.push((partition, vec![file]));
                }
            }
        }
    }
    groups.retain(|(_, files)| files.len() > 1 || files.iter().any(|file| file.lacks_columns()));
    let numbered = groups.into_iter().enumerate();
    numbered
        .map(|(number, (partition, files))| Rewrite {
            partition,
            rows: files.iter().map(|file| file.stats.rows).sum(),
            files,
            file_name: file_name(version, number),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::stats::FileStats;

    fn snapshot(files: &[(u64, i64, &str)]) -> Snapshot {
        let file = |(number, (mib, time, partition)): (usize, &(u64, i64, &str))| DataFile {
            path: std::path::PathBuf::new(),
            name: format!("{number:03}"),
            size_bytes: 1,
            sha256: String::new(),
            day: Some(0),
            resource_partition: (*partition).to_owned(),
            stats: FileStats { rows: 1, event_time: Some((*time, *time)) },
            memory_bytes: mib << 20,
            columns: std::sync::Arc::from([]),
            seen: None,
            sent: None,
        };
        Snapshot { files: files.iter().enumerate().map(file).collect(), ..Snapshot::default() }
    }

    fn planned(files: &[(u64, i64, &str)], allowed: usize) -> Vec<String> {
        let snapshot = snapshot(files);
        let names =
            |rewrite: &Rewrite<'_>| rewrite.files.iter().map(|file| file.name.clone()).collect::<Vec<_>>().join("+");
        plan(&snapshot, allowed, 7).iter().map(names).collect()
    }

    #[test]
    fn small_files_are_merged_in_the_order_of_time_up_to_the_normal_size() {
        let files = [(20, 5, "pods"), (31, 1, "pods"), (32, 2, "pods"), (30, 3, "pods"), (20, 4, "pods")];
        assert_eq!(planned(&files, 1), ["001+003", "004+000"], "32 MiB is a normal file");
    }

    #[test]
    fn nothing_is_merged_across_partitions_or_alone() {
        let files = [(1, 1, "pods"), (1, 2, "secrets"), (1, 3, "secrets"), (1, 4, "from-another-version")];
        assert_eq!(planned(&files, 1), ["001+002"]);
        assert!(planned(&files[..2], 1).is_empty());
    }

    #[test]
    fn one_crowded_partition_has_all_merged() {
        let mut files = vec![(1, 0, "secrets"); 2];
        files.extend(vec![(1, 0, "pods"); SMALL_FILES_PER_PARTITION]);
        assert!(planned(&files, SMALL_FILES_PER_PARTITION).is_empty());
        files.push((1, 0, "pods"));
        assert_eq!(planned(&files, SMALL_FILES_PER_PARTITION).len(), 2);
    }
}

//! How the transaction log is read: commit for commit, each held against its seal and against the one before.
//!
//! A case of years has tens of megabytes of log, and every command reads it. So commits are hashed and parsed beside each
//! other; what they do to the table is applied in their order.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::FORMAT_VERSION;
use crate::ground::error::LakeError;
use crate::ground::hash::hex;
use crate::table::ledger::Operation;
use crate::table::log::{Action, CommitInfo, Protocol, READER_VERSION, Remove, commit_name, seal, versions};
use crate::table::snapshot::{DataFile, RemovedFile, Snapshot};
use crate::table::stats::FileStats;

/// How much more memory rows take than their file, where that was not noted.
const USUAL_RATIO: u64 = 16;

/// Fewer commits are read one after the other: to start threads takes longer.
const FEW_COMMITS: usize = 4;

/// A file that becomes part of the table, as far as it is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddRead<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow)]
    partition_values: PartitionValues<'a>,
    size: u64,
    #[serde(borrow)]
    stats: Cow<'a, str>,
    #[serde(borrow)]
    tags: Tags<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PartitionValues<'a> {
    #[serde(borrow)]
    date: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resource_partition: Option<Cow<'a, str>>,
}

/// The tags that we write; see [`crate::table::data_file`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tags<'a> {
    #[serde(borrow)]
    sha256: Cow<'a, str>,
    #[serde(borrow)]
    memory_bytes: Cow<'a, str>,
    seen: Option<String>,
    sent: Option<String>,
}

/// What a commit does, in its order.
enum Deed {
    Protocol(Protocol),
    Metadata(Value),
    Add(DataFile),
    Remove(Remove),
}

/// The files of the table while it is read. A log names most of them in their order, so they stand as they come.
#[derive(Default)]
struct Files {
    files: Vec<Option<DataFile>>,
    /// Where each stands, by its name.
    places: HashMap<String, usize>,
}

impl Files {
    fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    fn add(&mut self, file: DataFile) {
        self.places.insert(file.name.clone(), self.files.len());
        self.files.push(Some(file));
    }

    fn remove(&mut self, name: &str) -> Option<DataFile> {
        self.files[self.places.remove(name)?].take()
    }

    fn in_order(self) -> Vec<DataFile> {
        let mut files: Vec<DataFile> = self.files.into_iter().flatten().collect();
        files.sort_by(|left, right| left.name.cmp(&right.name));
        files
    }
}

impl From<Vec<DataFile>> for Files {
    fn from(files: Vec<DataFile>) -> Self {
        let places = files.iter().enumerate().map(|(at, file)| (file.name.clone(), at)).collect();
        Self { files: files.into_iter().map(Some).collect(), places }
    }
}

/// A commit that carries its own seal.
struct Commit {
    operation: Operation,
    timestamp_ms: i64,
    sha256: String,
    deeds: Vec<Deed>,
}

/// Reads the log in `log_dir` and checks its hash chain; of a log that was read before, only what came after `read`.
///
/// # Errors
/// When a commit is missing, cannot be read, or is not the one that its successor was written on.
pub(crate) fn replay(events_dir: &Path, log_dir: &Path, read: Option<Snapshot>) -> Result<Snapshot, LakeError> {
    let mut snapshot = read.unwrap_or_default();
    let mut files = Files::from(std::mem::take(&mut snapshot.files));
    let known = snapshot.operations.len();
    let new: Vec<u64> = versions(log_dir)?.into_iter().skip(known).collect();
    // Up to the first that is missing.
    let there = (known as u64..).zip(&new).take_while(|(expected, version)| expected == *version).count();
    for (version, commit) in (known as u64..).zip(commits(events_dir, log_dir, &new[..there])) {
        let commit = commit?;
        let previous = (version > 0).then_some(&snapshot.fingerprint);
        if commit.operation.previous_sha256.as_ref() != previous {
            let before = version.saturating_sub(1);
            return Err(LakeError::Altered {
                problem: format!("commit {before} is not the one that commit {version} was written on"),
            });
        }
        for deed in commit.deeds {
            apply(deed, version, &mut files, &mut snapshot)?;
        }
        snapshot.operations.push(commit.operation);
        snapshot.commit_times_ms.push(commit.timestamp_ms);
        snapshot.version = version;
        snapshot.fingerprint = commit.sha256;
    }
    if there < new.len() {
        return Err(LakeError::Altered { problem: format!("commit {} is missing from its log", known + there) });
    }
    snapshot.files = files.in_order();
    Ok(snapshot)
}

/// Reads the commits of these numbers, several at a time; in their order.
fn commits(events_dir: &Path, log_dir: &Path, versions: &[u64]) -> Vec<Result<Commit, LakeError>> {
    let read_all = |versions: &[u64]| -> Vec<Result<Commit, LakeError>> {
        versions.iter().map(|version| read(events_dir, &log_dir.join(commit_name(*version)), *version)).collect()
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    if versions.len() < FEW_COMMITS || threads < 2 {
        return read_all(versions);
    }
    thread::scope(|scope| {
        let parts = versions.chunks(versions.len().div_ceil(threads));
        let parts: Vec<_> = parts.map(|part| scope.spawn(move || read_all(part))).collect();
        let joined = parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.flatten().collect()
    })
}

/// Reads a commit, and believes nothing of it unless it is as it was written.
fn read(events_dir: &Path, path: &Path, version: u64) -> Result<Commit, LakeError> {
    let bytes = fs::read(path).map_err(LakeError::io("read", path))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| LakeError::Altered { problem: format!("commit {version} is not text") })?;
    // A later format may have members that this version does not know, but its first line says so.
    let first: FirstLine = text.lines().next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    check_format(&first, version)?;
    let (mut info, mut deeds) = (None, Vec::new());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let action: Action<'_, AddRead<'_>> = serde_json::from_str(line)
            .map_err(|error| LakeError::Unsupported { version, problem: error.to_string() })?;
        info = info.or(action.commit_info);
        deeds.extend(action.protocol.map(Deed::Protocol));
        deeds.extend(action.meta_data.map(Deed::Metadata));
        deeds.extend(action.add.map(|add| Deed::Add(data_file(events_dir, add))));
        deeds.extend(action.remove.map(Deed::Remove));
    }
    let Some(CommitInfo { timestamp: timestamp_ms, kforensic, .. }) = info else {
        return Err(LakeError::Unsupported { version, problem: "it was not written by kforensic".to_owned() });
    };
    let operation = kforensic.into_owned();
    if seal(text, &operation.seal) != operation.seal {
        return Err(LakeError::Altered { problem: format!("`{}` is not as it was written", path.display()) });
    }
    Ok(Commit { operation, timestamp_ms, sha256: hex(&Sha256::digest(&bytes)), deeds })
}

fn apply(deed: Deed, version: u64, files: &mut Files, snapshot: &mut Snapshot) -> Result<(), LakeError> {
    match deed {
        Deed::Protocol(Protocol { min_reader_version, .. }) if min_reader_version > READER_VERSION => {
            let problem = format!("it asks for reader version {min_reader_version} of the Delta protocol");
            return Err(LakeError::Unsupported { version, problem });
        }
        Deed::Protocol(_) => (),
        Deed::Metadata(metadata) => {
            let schema = metadata["schemaString"].as_str().unwrap_or_default();
            let schema: Value = serde_json::from_str(schema).unwrap_or_default();
            let names = schema["fields"].as_array().into_iter().flatten().filter_map(|field| field["name"].as_str());
            snapshot.columns = names.map(str::to_owned).collect();
            snapshot.metadata = Some(metadata);
        }
        Deed::Add(mut file) => {
            file.columns = Arc::clone(&snapshot.columns);
            // A name that comes back would be deleted with the file that had it first.
            if snapshot.removed.contains_key(&file.name) || files.has(&file.name) {
                return Err(LakeError::Altered { problem: format!("commit {version} adds `{}` once more", file.name) });
            }
            files.add(file);
        }
        Deed::Remove(Remove { path, deletion_timestamp, .. }) => {
            let Some(DataFile { sha256, .. }) = files.remove(&path) else {
                let problem = format!("commit {version} removes `{path}`, which is not part of the case");
                return Err(LakeError::Altered { problem });
            };
            snapshot.removed.insert(path, RemovedFile { removed_ms: deletion_timestamp, sha256 });
        }
    }
    Ok(())
}

/// What every version of kforensic writes first.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FirstLine {
    commit_info: FirstInfo,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FirstInfo {
    kforensic: WrittenBy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WrittenBy {
    format: Option<u32>,
    tool_version: String,
}

/// Fails when a commit was written by a version of kforensic whose layout this one does not know.
fn check_format(first: &FirstLine, version: u64) -> Result<(), LakeError> {
    let WrittenBy { format: Some(format), tool_version } = &first.commit_info.kforensic else { return Ok(()) };
    let problem = match format.cmp(&FORMAT_VERSION) {
        Ordering::Equal => return Ok(()),
        Ordering::Greater => format!(
            "its format is {format}, written by kforensic {tool_version}; this version reads format {FORMAT_VERSION}"
        ),
        Ordering::Less => format!("its format is {format}, which was never released: ingest the logs into a new case"),
    };
    Err(LakeError::Unsupported { version, problem })
}

/// A file as its commit has it; which columns it has the table says at that time.
fn data_file(events_dir: &Path, add: AddRead<'_>) -> DataFile {
    let AddRead { path, partition_values, size, stats, tags } = add;
    let day = partition_values.date.and_then(|date| date.parse::<chrono::NaiveDate>().ok());
    let epoch = chrono::NaiveDate::default();
    DataFile {
        path: events_dir.join(&*path),
        size_bytes: size,
        sha256: tags.sha256.into_owned(),
        // Days since 1970 of any date that chrono can hold fit 32 bits.
        day: day.and_then(|day| i32::try_from((day - epoch).num_days()).ok()),
        resource_partition: partition_values.resource_partition.unwrap_or_default().into_owned(),
        stats: FileStats::from_delta(&stats),
        memory_bytes: tags.memory_bytes.parse().unwrap_or_else(|_| size.saturating_mul(USUAL_RATIO)),
        columns: Arc::from([]),
        seen: tags.seen,
        sent: tags.sent,
        name: path.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(name: &str) -> Deed {
        let line = format!(
            r#"{{"path":"{name}","partitionValues":{{"date":"1970-01-03","resource_partition":"pods","x":null}},"size":7,"modificationTime":0,"dataChange":true,"stats":"{{\"numRecords\":4}}","tags":{{"seen":"a\"b","x":"y"}}}}"#
        );
        Deed::Add(data_file(Path::new("/case"), serde_json::from_str(&line).unwrap()))
    }

    fn remove(name: &str) -> Deed {
        let Deed::Add(file) = add(name) else { unreachable!() };
        Deed::Remove(Remove::of(&file, 5, false))
    }

    /// What a log of these deeds makes of the table: its files, or what is wrong.
    fn table(deeds: Vec<Deed>) -> Result<Vec<String>, String> {
        let (mut files, mut snapshot) = (Files::default(), Snapshot::default());
        for deed in deeds {
            apply(deed, 3, &mut files, &mut snapshot).map_err(|error| error.to_string())?;
        }
        Ok(files.in_order().into_iter().map(|file| file.name).collect())
    }

    #[test]
    fn a_name_never_comes_back() {
        assert_eq!(table(vec![add("a"), add("b"), remove("a")]), Ok(vec!["b".to_owned()]));
        for deeds in [vec![add("a"), add("a")], vec![add("a"), remove("a"), add("a")]] {
            assert_eq!(table(deeds).unwrap_err(), "the case has been altered: commit 3 adds `a` once more");
        }
        for deeds in [vec![remove("a")], vec![add("a"), remove("a"), remove("a")]] {
            let problem = "the case has been altered: commit 3 removes `a`, which is not part of the case";
            assert_eq!(table(deeds).unwrap_err(), problem);
        }
    }

    #[test]
    fn a_file_is_read_as_far_as_it_is_told() {
        let Deed::Add(file) = add("a") else { unreachable!() };
        assert_eq!((file.path.as_path(), file.name.as_str()), (Path::new("/case/a"), "a"));
        assert_eq!((file.day, file.resource_partition.as_str(), file.size_bytes), (Some(2), "pods", 7));
        assert_eq!((file.stats.rows, file.memory_bytes), (4, 7 * USUAL_RATIO));
        assert_eq!((file.seen.as_deref(), file.sent, file.sha256.as_str()), (Some("a\"b"), None, ""));
    }
}

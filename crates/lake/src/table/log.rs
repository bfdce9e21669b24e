//! The transaction log of the table: Delta Lake protocol, reader version 1, writer version 2.
//!
//! Written by hand because neither `delta_kernel` nor `deltalake` lets us tag files with hashes and
//! chain the commits, and both bring a network stack or a second arrow. Readers that others wrote
//! prove in the tests that it is Delta.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kforensic_event::time;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::FORMAT_VERSION;
use crate::ground::durable::put_if_absent;
use crate::ground::durable::set_read_only;
use crate::ground::durable::sync_dir;
use crate::ground::error::LakeError;
use crate::ground::hash::hex;
use crate::table::ledger::Operation;
use crate::table::seen::SEEN;
use crate::table::sent::SENT;
use crate::table::snapshot::{DataFile, RemovedFile, Snapshot};
use crate::table::stats::{FileStats, delta_schema};

/// Highest versions of the protocol that this module understands.
const READER_VERSION: u32 = 1;
const WRITER_VERSION: u32 = 2;

/// Columns that name the folders, outermost first.
const PARTITION_COLUMNS: [&str; 2] = ["date", "resource_partition"];

/// Tag of a file: about how much memory its rows take.
pub(crate) const MEMORY_BYTES: &str = "memory_bytes";

/// How much more memory rows take than their file, where that was not noted.
const USUAL_RATIO: u64 = 16;

/// A line of a commit; exactly one member is set.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Action<'o> {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    commit_info: Option<CommitInfo<'o>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    protocol: Option<Protocol>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    meta_data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    txn: Option<Txn>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    add: Option<Add>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    remove: Option<Remove>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommitInfo<'o> {
    /// Milliseconds since 1970.
    timestamp: i64,
    operation: String,
    operation_parameters: BTreeMap<String, String>,
    engine_info: String,
    is_blind_append: bool,
    kforensic: Cow<'o, Operation>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Protocol {
    min_reader_version: u32,
    min_writer_version: u32,
}

/// Makes a source exactly-once for other writers of the table, should there ever be one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Txn {
    app_id: String,
    version: i64,
}

/// A file that becomes part of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Add {
    pub(crate) path: String,
    pub(crate) partition_values: BTreeMap<String, Option<String>>,
    pub(crate) size: u64,
    pub(crate) modification_time: i64,
    pub(crate) data_change: bool,
    pub(crate) stats: String,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A file that is no longer part of the table. It stays on disk while readers may still use it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remove {
    path: String,
    /// Milliseconds since 1970.
    deletion_timestamp: i64,
    /// False when its rows live on in other files.
    data_change: bool,
    extended_file_metadata: bool,
    partition_values: BTreeMap<String, Option<String>>,
    size: u64,
}

impl Remove {
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn of(file: &DataFile, now_ms: i64, data_change: bool) -> Self {
        Self {
            path: file.name.clone(),
            deletion_timestamp: now_ms,
            data_change,
            extended_file_metadata: true,
            partition_values: partition_values(file.day, &file.resource_partition),
            size: file.size_bytes,
        }
    }
}

/// What a commit does to the files of the table.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) adds: Vec<Add>,
    pub(crate) removes: Vec<Remove>,
}

/// The folder of a file, as the protocol has it.
pub(crate) fn partition_values(day: Option<i32>, resource: &str) -> BTreeMap<String, Option<String>> {
    let [date, resource_partition] = PARTITION_COLUMNS.map(str::to_owned);
    BTreeMap::from([(date, day.map(time::render_day)), (resource_partition, Some(resource.to_owned()))])
}

/// Name of the file of a commit.
pub(crate) fn commit_name(version: u64) -> String {
    format!("{version:020}.json")
}

/// Reads the log in `log_dir` and checks its hash chain; of a log that was read before, only what came after `read`.
///
/// # Errors
/// When a commit is missing, cannot be read, or is not the one that its successor was written on.
pub(crate) fn replay(events_dir: &Path, log_dir: &Path, read: Option<Snapshot>) -> Result<Snapshot, LakeError> {
    let mut snapshot = read.unwrap_or_default();
    let mut files: HashMap<String, DataFile> = snapshot.files.drain(..).map(|file| (file.name.clone(), file)).collect();
    let versions = versions(log_dir)?;
    for (expected, version) in versions.iter().copied().enumerate().skip(snapshot.operations.len()) {
        if version != expected as u64 {
            return Err(LakeError::Altered { problem: format!("commit {expected} is missing from its log") });
        }
        let path = log_dir.join(commit_name(version));
        let bytes = fs::read(&path).map_err(LakeError::io("read", &path))?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| LakeError::Altered { problem: format!("commit {version} is not text") })?;
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let actions = lines.map(serde_json::from_str);
        // A later format may have members that this version does not know, but its first line says so.
        let first: FirstLine = text.lines().next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        check_format(&first, version)?;
        let mut actions: Vec<Action> = actions
            .collect::<Result<_, _>>()
            .map_err(|error: serde_json::Error| LakeError::Unsupported { version, problem: error.to_string() })?;
        let info = actions.iter_mut().find_map(|action| action.commit_info.take());
        let Some(CommitInfo { timestamp: timestamp_ms, kforensic, .. }) = info else {
            return Err(LakeError::Unsupported { version, problem: "it was not written by kforensic".to_owned() });
        };
        let operation = kforensic.into_owned();
        // Before anything is believed that it says.
        if seal(text, &operation.seal) != operation.seal {
            return Err(LakeError::Altered { problem: format!("`{}` is not as it was written", path.display()) });
        }
        let previous = (version > 0).then_some(&snapshot.fingerprint);
        if operation.previous_sha256.as_ref() != previous {
            let before = version.saturating_sub(1);
            return Err(LakeError::Altered {
                problem: format!("commit {before} is not the one that commit {version} was written on"),
            });
        }
        for action in actions {
            apply(action, version, events_dir, &mut files, &mut snapshot)?;
        }
        snapshot.operations.push(operation);
        snapshot.commit_times_ms.push(timestamp_ms);
        snapshot.version = version;
        snapshot.fingerprint = hex(&Sha256::digest(&bytes));
    }
    snapshot.files = files.into_values().collect();
    snapshot.files.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(snapshot)
}

fn apply(
    action: Action<'_>,
    version: u64,
    events_dir: &Path,
    files: &mut HashMap<String, DataFile>,
    snapshot: &mut Snapshot,
) -> Result<(), LakeError> {
    if let Some(Protocol { min_reader_version, .. }) = action.protocol
        && min_reader_version > READER_VERSION
    {
        let problem = format!("it asks for reader version {min_reader_version} of the Delta protocol");
        return Err(LakeError::Unsupported { version, problem });
    }
    if let Some(metadata) = action.meta_data {
        let schema = metadata["schemaString"].as_str().unwrap_or_default();
        let schema: Value = serde_json::from_str(schema).unwrap_or_default();
        let names = schema["fields"].as_array().into_iter().flatten().filter_map(|field| field["name"].as_str());
        snapshot.columns = names.map(str::to_owned).collect();
        snapshot.metadata = Some(metadata);
    }
    if let Some(add) = action.add {
        // A name that comes back would be deleted with the file that had it first.
        if snapshot.removed.contains_key(&add.path) || files.contains_key(&add.path) {
            return Err(LakeError::Altered { problem: format!("commit {version} adds `{}` once more", add.path) });
        }
        files.insert(add.path.clone(), data_file(events_dir, add, &snapshot.columns));
    }
    if let Some(Remove { path, deletion_timestamp, .. }) = action.remove {
        let Some(DataFile { sha256, .. }) = files.remove(&path) else {
            let problem = format!("commit {version} removes `{path}`, which is not part of the case");
            return Err(LakeError::Altered { problem });
        };
        snapshot.removed.insert(path, RemovedFile { removed_ms: deletion_timestamp, sha256 });
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

fn data_file(events_dir: &Path, mut add: Add, columns: &Arc<[String]>) -> DataFile {
    let (seen, sent) = (add.tags.remove(SEEN), add.tags.remove(SENT));
    let value = |name: &str| add.partition_values.get(name).cloned().flatten();
    let day = value("date").and_then(|date| date.parse::<chrono::NaiveDate>().ok());
    let epoch = chrono::NaiveDate::default();
    DataFile {
        path: events_dir.join(&add.path),
        size_bytes: add.size,
        sha256: add.tags.get("sha256").cloned().unwrap_or_default(),
        // Days since 1970 of any date that chrono can hold fit 32 bits.
        day: day.and_then(|day| i32::try_from((day - epoch).num_days()).ok()),
        resource_partition: value("resource_partition").unwrap_or_default(),
        stats: FileStats::from_delta(&add.stats),
        memory_bytes: match add.tags.get(MEMORY_BYTES).and_then(|bytes| bytes.parse().ok()) {
            Some(bytes) => bytes,
            None => add.size.saturating_mul(USUAL_RATIO),
        },
        columns: Arc::clone(columns),
        seen,
        sent,
        name: add.path,
    }
}

/// Numbers of the commits in the log, in order.
pub(crate) fn versions(log_dir: &Path) -> Result<Vec<u64>, LakeError> {
    let mut versions = Vec::new();
    for entry in fs::read_dir(log_dir).map_err(LakeError::io("list", log_dir))? {
        let name = entry.map_err(LakeError::io("list", log_dir))?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".json")).filter(|stem| stem.len() == 20);
        if let Some(Ok(version)) = stem.map(str::parse) {
            versions.push(version);
        }
    }
    versions.sort_unstable();
    Ok(versions)
}

/// Writes a commit: all of it or nothing, and never over another. It is put together in a file that was made for it.
///
/// Returns the SHA-256 of the commit.
///
/// # Errors
/// When the commit exists already, or cannot be written and made durable.
pub(crate) fn commit(
    log_dir: &Path,
    (temporary, mut file): (PathBuf, fs::File),
    version: u64,
    timestamp_ms: i64,
    operation: &mut Operation,
    change: &Change,
    before: Option<&Snapshot>,
) -> Result<String, LakeError> {
    UNSEALED.clone_into(&mut operation.seal);
    let mut body = render(version, timestamp_ms, operation, change, before)
        .map_err(|error| LakeError::Accounts { problem: format!("the commit cannot be written: {error}") })?;
    operation.seal = seal(&body, UNSEALED);
    if let Some(at) = body.find(&sealed_as(UNSEALED)) {
        // A seal is as long as the zeros that it takes the place of.
        body.replace_range(at..at + sealed_as(UNSEALED).len(), &sealed_as(&operation.seal));
    }
    let target = log_dir.join(commit_name(version));
    file.write_all(body.as_bytes()).map_err(LakeError::io("write", &temporary))?;
    file.sync_all().map_err(LakeError::io("write", &temporary))?;
    put_if_absent(&temporary, &target).map_err(LakeError::io("commit", &target))?;
    set_read_only(&file, &target)?;
    sync_dir(log_dir)?;
    Ok(hex(&Sha256::digest(body.as_bytes())))
}

/// The seal of a commit that is not sealed yet.
const UNSEALED: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The member of a commit that holds its seal. No text in a commit can look like it: quotes are escaped there.
fn sealed_as(seal: &str) -> String {
    format!("\"seal\":\"{seal}\"")
}

/// The seal that belongs to a commit which carries `current`.
fn seal(commit: &str, current: &str) -> String {
    // Not copied: the commit of a large archive has tens of megabytes.
    let (before, after) = commit.split_once(&sealed_as(current)).unwrap_or((commit, ""));
    let mut hash = Sha256::new();
    hash.update(before);
    if before.len() < commit.len() {
        hash.update(sealed_as(UNSEALED));
        hash.update(after);
    }
    hex(&hash.finalize())
}

fn render(
    version: u64,
    timestamp_ms: i64,
    operation: &Operation,
    change: &Change,
    before: Option<&Snapshot>,
) -> Result<String, serde_json::Error> {
    let (name, parameters) = delta_operation(operation);
    let info = CommitInfo {
        timestamp: timestamp_ms,
        operation: name.to_owned(),
        operation_parameters: parameters,
        engine_info: format!("kforensic/{}", operation.tool_version),
        is_blind_append: change.removes.is_empty(),
        kforensic: Cow::Borrowed(operation),
    };
    let mut actions = vec![Action { commit_info: Some(info), ..Action::default() }];
    if version == 0 {
        let protocol = Protocol { min_reader_version: READER_VERSION, min_writer_version: WRITER_VERSION };
        actions.push(Action { protocol: Some(protocol), ..Action::default() });
        actions.push(Action { meta_data: Some(metadata(timestamp_ms, operation)), ..Action::default() });
    } else if let Some(before) = before.filter(|before| !before.has_all_columns()) {
        // The table has got columns: from here on files have them, and those of before are NULL there.
        let mut metadata = before.metadata.clone().unwrap_or_default();
        metadata["schemaString"] = delta_schema().into();
        actions.push(Action { meta_data: Some(metadata), ..Action::default() });
    }
    for source in operation.sources.iter().filter(|source| source.archive.is_none()) {
        let txn = Txn { app_id: format!("kforensic/source/{}", source.sha256), version: 1 };
        actions.push(Action { txn: Some(txn), ..Action::default() });
    }
    let removes = change.removes.iter().cloned();
    actions.extend(removes.map(|remove| Action { remove: Some(remove), ..Action::default() }));
    let adds = change.adds.iter().cloned();
    actions.extend(adds.map(|add| Action { add: Some(add), ..Action::default() }));
    let mut body = Vec::new();
    for action in &actions {
        serde_json::to_writer(&mut body, action)?;
        body.push(b'\n');
    }
    String::from_utf8(body).map_err(serde::ser::Error::custom)
}

/// What other readers call the operation.
fn delta_operation(operation: &Operation) -> (&'static str, BTreeMap<String, String>) {
    let parameter = |name: &str, value: String| BTreeMap::from([(name.to_owned(), value)]);
    match (&operation.compacted, &operation.pruned) {
        (Some(_), _) => ("OPTIMIZE", parameter("predicate", "[]".to_owned())),
        (_, Some(pruned)) => ("DELETE", parameter("predicate", format!("[\"event_time < '{}'\"]", pruned.before))),
        (None, None) => ("WRITE", parameter("mode", "Append".to_owned())),
    }
}

fn metadata(timestamp_ms: i64, operation: &Operation) -> Value {
    // The protocol asks for a unique id: 128 bits of the hash of what makes this table.
    let mut hash = Sha256::new();
    hash.update(timestamp_ms.to_le_bytes());
    for source in &operation.sources {
        hash.update(&source.sha256);
    }
    let hex = hex(&hash.finalize());
    let id = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]);
    json!({
        "id": id,
        "name": "events",
        "description": "Kubernetes audit events, one row per stage of a request",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": delta_schema(),
        "partitionColumns": PARTITION_COLUMNS,
        "configuration": {"delta.appendOnly": "false"},
        "createdTime": timestamp_ms,
    })
}

/// The files below `events` that the log knows, in the table or not.
pub(crate) fn known_files(snapshot: &Snapshot) -> impl Iterator<Item = PathBuf> {
    let current = snapshot.files.iter().map(|file| PathBuf::from(&file.name));
    current.chain(snapshot.removed.keys().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> DataFile {
        DataFile {
            path: PathBuf::new(),
            name: name.to_owned(),
            size_bytes: 7,
            sha256: String::new(),
            day: Some(20_778),
            resource_partition: "pods".to_owned(),
            stats: FileStats::default(),
            memory_bytes: 0,
            columns: Arc::from([]),
            seen: None,
            sent: None,
        }
    }

    fn add(name: &str) -> Action<'_> {
        serde_json::from_value(json!({"add": {
            "path": name, "partitionValues": {}, "size": 7, "modificationTime": 0, "dataChange": true, "stats": "{}",
            "tags": {},
        }}))
        .unwrap()
    }

    fn remove(name: &str) -> Action<'_> {
        Action { remove: Some(Remove::of(&file(name), 5, false)), ..Action::default() }
    }

    /// What a log of these actions makes of the table: its files, or what is wrong.
    fn table(actions: Vec<Action<'_>>) -> Result<Vec<String>, String> {
        let (mut files, mut snapshot) = (HashMap::new(), Snapshot::default());
        for action in actions {
            apply(action, 3, Path::new(""), &mut files, &mut snapshot).map_err(|error| error.to_string())?;
        }
        let mut names: Vec<String> = files.into_keys().collect();
        names.sort();
        Ok(names)
    }

    #[test]
    fn a_name_never_comes_back() {
        assert_eq!(table(vec![add("a"), add("b"), remove("a")]), Ok(vec!["b".to_owned()]));
        for actions in [vec![add("a"), add("a")], vec![add("a"), remove("a"), add("a")]] {
            assert_eq!(table(actions).unwrap_err(), "the case has been altered: commit 3 adds `a` once more");
        }
        for actions in [vec![remove("a")], vec![add("a"), remove("a"), remove("a")]] {
            let problem = "the case has been altered: commit 3 removes `a`, which is not part of the case";
            assert_eq!(table(actions).unwrap_err(), problem);
        }
    }

    #[test]
    fn a_removed_file_is_written_as_the_protocol_has_it() {
        let written = serde_json::to_value(remove("x")).unwrap();
        let expected = json!({"remove": {
            "path": "x", "deletionTimestamp": 5, "dataChange": false, "extendedFileMetadata": true,
            "partitionValues": {"date": "2026-11-21", "resource_partition": "pods"}, "size": 7,
        }});
        assert_eq!(written, expected);
    }
}

//! The transaction log of the table: Delta Lake protocol, reader version 1, writer version 2.
//!
//! Written by hand because neither `delta_kernel` nor `deltalake` lets us tag files with hashes and
//! chain the commits, and both bring a network stack or a second arrow. Readers that others wrote
//! prove in the tests that it is Delta.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use kforensic_event::partition::Folders;
use kforensic_event::time;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ground::durable::put_if_absent;
use crate::ground::durable::set_read_only;
use crate::ground::durable::sync_dir;
use crate::ground::error::LakeError;
use crate::ground::hash::hex;
use crate::table::ledger::Operation;
use crate::table::snapshot::{DataFile, Snapshot};
use crate::table::stats::delta_schema;

/// Highest versions of the protocol that this module understands.
pub(super) const READER_VERSION: u32 = 1;
const WRITER_VERSION: u32 = 2;

/// Columns that name the folders, outermost first.
const PARTITION_COLUMNS: [&str; 2] = ["date", "resource_partition"];

/// Property of the table: which resources have a folder of their own, see [`Folders::to_text`].
pub(super) const FOLDERS: &str = "kforensic.folders";

/// Tag of a file: about how much memory its rows take.
pub(crate) const MEMORY_BYTES: &str = "memory_bytes";

/// A line of a commit; exactly one member is set. `A` is what is written or read of a file that is added.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Action<'o, A> {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) commit_info: Option<CommitInfo<'o>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) protocol: Option<Protocol>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) meta_data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    txn: Option<Txn>,
    #[serde(skip_serializing_if = "Option::is_none", default = "Option::default")]
    pub(super) add: Option<A>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) remove: Option<Remove>,
}

impl<A> Default for Action<'_, A> {
    fn default() -> Self {
        Self { commit_info: None, protocol: None, meta_data: None, txn: None, add: None, remove: None }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommitInfo<'o> {
    /// Milliseconds since 1970.
    pub(super) timestamp: i64,
    operation: String,
    operation_parameters: BTreeMap<String, String>,
    engine_info: String,
    is_blind_append: bool,
    pub(super) kforensic: Cow<'o, Operation>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protocol {
    pub(super) min_reader_version: u32,
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
    pub(super) path: String,
    /// Milliseconds since 1970.
    pub(super) deletion_timestamp: i64,
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
pub(super) fn seal(commit: &str, current: &str) -> String {
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
    let mut actions: Vec<Action<'_, &Add>> = vec![Action { commit_info: Some(info), ..Action::default() }];
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
    let adds = change.adds.iter();
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
        "configuration": {"delta.appendOnly": "false", FOLDERS: Folders::NOW.to_text()},
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
    use std::sync::Arc;

    use super::*;
    use crate::table::stats::FileStats;

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

    #[test]
    fn a_removed_file_is_written_as_the_protocol_has_it() {
        let written =
            serde_json::to_value(Action::<Add> { remove: Some(Remove::of(&file("x"), 5, false)), ..Action::default() })
                .unwrap();
        let expected = json!({"remove": {
            "path": "x", "deletionTimestamp": 5, "dataChange": false, "extendedFileMetadata": true,
            "partitionValues": {"date": "2026-11-21", "resource_partition": "pods"}, "size": 7,
        }});
        assert_eq!(written, expected);
    }
}

//! The transaction log of the table: Delta Lake protocol, reader version 1, writer version 2.
//!
//! Written by hand because neither `delta_kernel` nor `deltalake` lets us tag files with hashes and
//! chain the commits, and both bring a network stack or a second arrow. Readers that others wrote
//! prove in the tests that it is Delta.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::FORMAT_VERSION;
use crate::error::LakeError;
use crate::ledger::Operation;
use crate::snapshot::{DataFile, Snapshot};
use crate::stats::{FileStats, delta_schema};

/// Highest versions of the protocol that this module understands.
const READER_VERSION: u32 = 1;
const WRITER_VERSION: u32 = 2;

/// Columns that name the folders, outermost first.
const PARTITION_COLUMNS: [&str; 2] = ["date", "resource_partition"];

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

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Remove {
    path: String,
}

/// Name of the file of a commit.
pub(crate) fn commit_name(version: u64) -> String {
    format!("{version:020}.json")
}

/// Reads the log in `log_dir` and checks its hash chain.
///
/// # Errors
/// When a commit is missing, cannot be read, or is not the one that its successor was written on.
pub(crate) fn replay(events_dir: &Path, log_dir: &Path) -> Result<Snapshot, LakeError> {
    let mut files: HashMap<String, Add> = HashMap::new();
    let mut snapshot = Snapshot::default();
    let versions = versions(log_dir)?;
    for (expected, version) in versions.iter().copied().enumerate() {
        if version != expected as u64 {
            return Err(LakeError::Altered { problem: format!("commit {expected} is missing from its log") });
        }
        let path = log_dir.join(commit_name(version));
        let bytes = fs::read(&path).map_err(LakeError::io("read", &path))?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| LakeError::Altered { problem: format!("commit {version} is not text") })?;
        let mut operation = None;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let action: Action = serde_json::from_str(line)
                .map_err(|error| LakeError::Unsupported { version, problem: error.to_string() })?;
            apply(action, version, &mut files, &mut snapshot.removed, &mut operation)?;
        }
        let Some(operation) = operation else {
            return Err(LakeError::Unsupported { version, problem: "it was not written by kforensic".to_owned() });
        };
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
        snapshot.operations.push(operation);
        snapshot.version = version;
        snapshot.fingerprint = hex(&Sha256::digest(&bytes));
    }
    snapshot.files = files.into_values().map(|add| data_file(events_dir, add)).collect();
    snapshot.files.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(snapshot)
}

fn apply(
    action: Action<'_>,
    version: u64,
    files: &mut HashMap<String, Add>,
    removed: &mut Vec<String>,
    operation: &mut Option<Operation>,
) -> Result<(), LakeError> {
    if let Some(info) = action.commit_info {
        if info.kforensic.format != FORMAT_VERSION {
            let problem = format!("layout {} instead of {FORMAT_VERSION}", info.kforensic.format);
            return Err(LakeError::Unsupported { version, problem });
        }
        *operation = Some(info.kforensic.into_owned());
    }
    if let Some(Protocol { min_reader_version, .. }) = action.protocol
        && min_reader_version > READER_VERSION
    {
        let problem = format!("it asks for reader version {min_reader_version} of the Delta protocol");
        return Err(LakeError::Unsupported { version, problem });
    }
    if let Some(add) = action.add {
        files.insert(add.path.clone(), add);
    }
    if let Some(remove) = action.remove {
        files.remove(&remove.path);
        removed.push(remove.path);
    }
    Ok(())
}

fn data_file(events_dir: &Path, add: Add) -> DataFile {
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

/// Writes a commit: all of it or nothing, and never over another.
///
/// Returns the SHA-256 of the commit.
///
/// # Errors
/// When the commit exists already, or cannot be written and made durable.
pub(crate) fn commit(
    log_dir: &Path,
    staging: &Path,
    version: u64,
    timestamp_ms: i64,
    operation: &mut Operation,
    adds: &[Add],
) -> Result<String, LakeError> {
    UNSEALED.clone_into(&mut operation.seal);
    let mut body = render(version, timestamp_ms, operation, adds)
        .map_err(|error| LakeError::Accounts { problem: format!("the commit cannot be written: {error}") })?;
    operation.seal = seal(&body, UNSEALED);
    if let Some(at) = body.find(&sealed_as(UNSEALED)) {
        // A seal is as long as the zeros that it takes the place of.
        body.replace_range(at..at + sealed_as(UNSEALED).len(), &sealed_as(&operation.seal));
    }
    let temporary = staging.join(commit_name(version));
    let target = log_dir.join(commit_name(version));
    let mut file = fs::File::create(&temporary).map_err(LakeError::io("create", &temporary))?;
    file.write_all(body.as_bytes()).map_err(LakeError::io("write", &temporary))?;
    set_read_only(&file, &temporary)?;
    file.sync_all().map_err(LakeError::io("write", &temporary))?;
    put_if_absent(&temporary, &target).map_err(LakeError::io("commit", &target))?;
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

/// Makes `temporary` appear as `target`, at once and whole, and never over another file.
fn put_if_absent(temporary: &Path, target: &Path) -> std::io::Result<()> {
    match fs::hard_link(temporary, target) {
        Ok(()) => fs::remove_file(temporary),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists || target.exists() => Err(error),
        // FAT and some network file systems have no hard links. The writer's lock keeps others out meanwhile.
        Err(_) => fs::rename(temporary, target),
    }
}

fn render(version: u64, timestamp_ms: i64, operation: &Operation, adds: &[Add]) -> Result<String, serde_json::Error> {
    let info = CommitInfo {
        timestamp: timestamp_ms,
        operation: "WRITE".to_owned(),
        operation_parameters: BTreeMap::from([("mode".to_owned(), "Append".to_owned())]),
        engine_info: format!("kforensic/{}", operation.tool_version),
        is_blind_append: true,
        kforensic: Cow::Borrowed(operation),
    };
    let mut actions = vec![Action { commit_info: Some(info), ..Action::default() }];
    if version == 0 {
        let protocol = Protocol { min_reader_version: READER_VERSION, min_writer_version: WRITER_VERSION };
        actions.push(Action { protocol: Some(protocol), ..Action::default() });
        actions.push(Action { meta_data: Some(metadata(timestamp_ms, operation)), ..Action::default() });
    }
    for source in operation.sources.iter().filter(|source| source.archive.is_none()) {
        let txn = Txn { app_id: format!("kforensic/source/{}", source.sha256), version: 1 };
        actions.push(Action { txn: Some(txn), ..Action::default() });
    }
    actions.extend(adds.iter().map(|add| Action { add: Some(add.clone()), ..Action::default() }));
    let mut body = Vec::new();
    for action in &actions {
        serde_json::to_writer(&mut body, action)?;
        body.push(b'\n');
    }
    String::from_utf8(body).map_err(serde::ser::Error::custom)
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

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), LakeError> {
    let open = fs::File::open(dir).map_err(LakeError::io("open", dir))?;
    open.sync_all().map_err(LakeError::io("write", dir))
}

/// Committed files are never rewritten: nobody gets the right to.
pub(crate) fn set_read_only(file: &fs::File, path: &Path) -> Result<(), LakeError> {
    let mut permissions = file.metadata().map_err(LakeError::io("read", path))?.permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o444);
    #[cfg(not(unix))]
    permissions.set_readonly(true);
    file.set_permissions(permissions).map_err(LakeError::io("protect", path))
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The files below `events` that the log knows, in the table or not.
pub(crate) fn known_files(snapshot: &Snapshot) -> impl Iterator<Item = PathBuf> {
    let current = snapshot.files.iter().map(|file| PathBuf::from(&file.name));
    current.chain(snapshot.removed.iter().map(PathBuf::from))
}

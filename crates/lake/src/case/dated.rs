//! Dated evidence: snapshots of the cluster's RBAC, kept as they were given, beside the table.
//!
//! A copy is named by its SHA-256 and stands in the ledger with the time it was taken. It is in place, and in the journal
//! of its writer, before the commit that names it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::case::staging::Move;
use crate::case::writer::Writer;
use crate::ground::error::LakeError;
use crate::ground::hash::hex;
use crate::table::ledger::{DatedFile, Operation};
use crate::table::log::Change;
use crate::table::snapshot::Snapshot;

/// Folder of the snapshots in the case.
pub(crate) const FOLDER: &str = "snapshots";

/// A file to keep.
#[derive(Debug, Clone)]
pub struct NewDated {
    /// Its name.
    pub name: String,
    /// When it was taken, RFC 3339.
    pub taken: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Keeps files in the case, in one commit. Those that are known with the same time are left out.
///
/// Returns what was kept, and the fingerprint of the case then.
///
/// # Errors
/// When the case cannot be written; it is then as it was before.
pub fn keep_dated(
    writer: &Writer,
    files: &[NewDated],
    arguments: Vec<String>,
    now_ms: i64,
) -> Result<(Vec<DatedFile>, String), LakeError> {
    let known: Vec<&DatedFile> = writer.snapshot.iter().flat_map(Snapshot::dated).collect();
    let mut kept: Vec<DatedFile> = Vec::new();
    let mut moves = Vec::new();
    for file in files {
        let sha256 = hex(&Sha256::digest(&file.bytes));
        let is_known = |one: &&DatedFile| one.sha256 == sha256 && one.taken == file.taken;
        if known.iter().copied().chain(&kept).any(|one| is_known(&one)) {
            continue;
        }
        let path = format!("{FOLDER}/{sha256}.json");
        if !kept.iter().any(|one| one.path == path) {
            moves.extend(stage(writer, &path, &sha256, &file.bytes)?);
        }
        let (name, taken, size_bytes) = (file.name.clone(), file.taken.clone(), file.bytes.len() as u64);
        kept.push(DatedFile { name, taken, sha256, size_bytes, path });
    }
    let before = writer.snapshot.as_ref().map(|snapshot| snapshot.fingerprint.clone()).unwrap_or_default();
    if kept.is_empty() {
        return Ok((kept, before));
    }
    writer.staging.publish(&moves)?;
    let mut operation =
        Operation { command: "snapshot".to_owned(), arguments, dated: kept.clone(), ..Operation::default() };
    let fingerprint = writer.commit(&mut operation, &Change::default(), now_ms)?;
    Ok((kept, fingerprint))
}

/// Stages a copy, to be moved to its place, unless it is there.
fn stage(writer: &Writer, path: &str, sha256: &str, bytes: &[u8]) -> Result<Option<Move>, LakeError> {
    let target = writer.case().root().join(path);
    // Whatever is there when a writer begins is named by a commit.
    if target.symlink_metadata().is_ok() {
        return Ok(None);
    }
    let from = format!("{sha256}.json");
    let (temporary, mut file) = writer.staging.scratch.create(&from)?;
    file.write_all(bytes).map_err(LakeError::io("write", &temporary))?;
    Ok(Some(Move { from, to: path.to_owned(), sha256: sha256.to_owned(), is_evidence: true }))
}

/// The bytes of a kept file, when they are what was committed.
///
/// # Errors
/// When it is missing or has been altered.
pub fn read_dated(root: &Path, file: &DatedFile) -> Result<Vec<u8>, LakeError> {
    let path = root.join(&file.path);
    let bytes = fs::read(&path).map_err(LakeError::io("read", &path))?;
    match hex(&Sha256::digest(&bytes)) == file.sha256 {
        true => Ok(bytes),
        false => Err(LakeError::Altered { problem: format!("`{}` is not as it was kept", path.display()) }),
    }
}

/// Where the kept files are.
pub(crate) fn paths(root: &Path, snapshot: &Snapshot) -> impl Iterator<Item = PathBuf> {
    snapshot.dated().map(|file| root.join(&file.path))
}

/// What is wrong with a kept file.
pub(crate) fn check(root: &Path, file: &DatedFile) -> Result<(), String> {
    read_dated(root, file).map(drop).map_err(|error| error.to_string())
}

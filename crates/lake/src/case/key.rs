//! The key under which secret values are hashed before they reach the case.
//!
//! It is random, belongs to one case, and stands beside the table in a file that only its owner can read.
//! The ledger holds its SHA-256, so that an altered key is noticed before two ingests disagree about it.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use kforensic_event::redact::KEY_BYTES;
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::case::staging::{Move, Staging};
use crate::ground::error::LakeError;
use crate::ground::hash::hex;
use crate::table::snapshot::Snapshot;

/// Name of the file in the case folder.
pub(crate) const KEY_FILE: &str = "redaction.key";

/// The key of a case.
pub(crate) struct Key {
    pub(crate) bytes: [u8; KEY_BYTES],
}

impl Key {
    /// Reads the key of the case in `root`, or makes one when nothing was ever ingested.
    ///
    /// # Errors
    /// When the key is missing, cannot be read, or is not the one that the ledger knows.
    pub(crate) fn of_case(root: &Path, staging: &Staging, snapshot: Option<&Snapshot>) -> Result<Self, LakeError> {
        let path = root.join(KEY_FILE);
        let known = snapshot.and_then(Snapshot::key_sha256);
        let key = match fs::read(&path) {
            Ok(bytes) => <[u8; KEY_BYTES]>::try_from(bytes).ok().map(|bytes| Self { bytes }),
            Err(error) if error.kind() == ErrorKind::NotFound && known.is_none() => Some(Self::make(&path, staging)?),
            Err(error) => return Err(LakeError::io("read", &path)(error)),
        };
        match key {
            Some(key) if known.is_none_or(|known| known == key.sha256()) => Ok(key),
            _ => Err(LakeError::Altered { problem: format!("`{}` is not the key of this case", path.display()) }),
        }
    }

    fn make(path: &Path, staging: &Staging) -> Result<Self, LakeError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| LakeError::io("make", path)(std::io::Error::other(error)))?;
        let (temporary, mut file) = staging.scratch.create(KEY_FILE)?;
        file.write_all(&bytes).map_err(LakeError::io("write", &temporary))?;
        let key = Self { bytes };
        let to = KEY_FILE.to_owned();
        let sha256 = key.sha256();
        staging.publish(&[Move { from: to.clone(), to, sha256, is_evidence: false }])?;
        Ok(key)
    }

    /// SHA-256 of the key, in hex, as it stands in the ledger. Of 256 random bits it reveals nothing.
    pub(crate) fn sha256(&self) -> String {
        hex(&Sha256::digest(self.bytes))
    }
}

/// The key of a case, to ask whether a value is in it.
///
/// # Errors
/// When it cannot be read, or is not the one that the ledger knows.
pub fn redaction_key(case: &Case, snapshot: &Snapshot) -> Result<[u8; KEY_BYTES], LakeError> {
    let path = case.root().join(KEY_FILE);
    let bytes = fs::read(&path).map_err(LakeError::io("read", &path))?;
    let is_known = snapshot.key_sha256() == Some(hex(&Sha256::digest(&bytes)).as_str());
    let key = <[u8; KEY_BYTES]>::try_from(bytes).ok().filter(|_| is_known);
    key.ok_or_else(|| LakeError::Altered { problem: format!("`{}` is not the key of this case", path.display()) })
}

/// What is wrong with the key of a case, if anything; `known` is its SHA-256 by the ledger.
pub(crate) fn check(root: &Path, known: &str) -> Option<(PathBuf, String)> {
    let path = root.join(KEY_FILE);
    let problem = match fs::read(&path) {
        Ok(bytes) => match hex(&Sha256::digest(&bytes)) {
            sha256 if sha256 == known => return None,
            sha256 => format!("has SHA-256 {sha256} instead of {known}"),
        },
        Err(error) => format!("cannot be read: {error}"),
    };
    Some((path, problem))
}

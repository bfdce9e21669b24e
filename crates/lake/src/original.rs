//! The original bytes of a record, read back from its source.
//!
//! They are given only when the source is proved to be the one that was read: its content must begin
//! with the very bytes whose SHA-256 stands in the ledger. A log that has grown since, was renamed or
//! compressed still begins with them.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::copies::HashWriter;
use crate::delta::hex;
use crate::ledger::LedgerEntry;
use crate::snapshot::Snapshot;
use crate::source::Stream;

/// Bytes of a record and the file that they were read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Name of the file.
    pub name: String,
    /// The record, without its line ending.
    pub bytes: Vec<u8>,
}

/// Why the original bytes cannot be had.
#[derive(Debug, Error)]
pub enum OriginalError {
    /// The ledger has no source of that id.
    #[error("the ledger has no source `{source_id}`")]
    NoSource {
        /// The id.
        source_id: String,
    },
    /// Standard input cannot be read again.
    #[error("the source was standard input, which cannot be read again")]
    Stdin,
    /// The source is not where it was.
    #[error("the source `{name}` cannot be read: {source}")]
    Gone {
        /// Its name.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// The source is not what it was.
    #[error("the source `{name}` is not what it was: its content does not begin with SHA-256 {expected}")]
    Changed {
        /// Its name.
        name: String,
        /// Hash of the content that was read, in hex.
        expected: String,
    },
}

/// Reads `length` bytes at `offset` of the content of a source.
///
/// When the source itself is not there any more, the later sources that it has grown into are tried.
///
/// # Errors
/// When neither the source nor one that goes on behind it is there unchanged; the error is about the source itself.
pub fn original(snapshot: &Snapshot, source_id: &str, offset: u64, length: u64) -> Result<Original, OriginalError> {
    let entry = |id: &str| snapshot.sources().find(|entry| entry.source_id == id);
    let source = entry(source_id).ok_or_else(|| OriginalError::NoSource { source_id: source_id.to_owned() })?;
    let first = read(source, &source.name, offset, length);
    if first.is_ok() {
        return first;
    }
    let mut family = BTreeSet::from([source_id]);
    for later in snapshot.sources() {
        if later.continues.as_deref().is_some_and(|earlier| family.contains(earlier)) {
            family.insert(&later.source_id);
            // What was read then must still be the beginning: the proof is about the source, not its successor.
            let found = read(source, &later.name, offset, length);
            if found.is_ok() {
                return found;
            }
        }
    }
    first
}

/// Reads from the file `name`, provided that it begins with the content of `source`.
fn read(source: &LedgerEntry, name: &str, offset: u64, length: u64) -> Result<Original, OriginalError> {
    if name == "-" {
        return Err(OriginalError::Stdin);
    }
    let gone = |source| OriginalError::Gone { name: name.to_owned(), source };
    let changed = || OriginalError::Changed { name: name.to_owned(), expected: source.content_sha256.clone() };
    let file = std::fs::File::open(PathBuf::from(name)).map_err(gone)?;
    let mut content = Stream::new(Box::new(file)).map_err(gone)?;
    let mut hash = Sha256::new();
    let mut copy = |bytes: u64| io::copy(&mut content.by_ref().take(bytes), &mut HashWriter(&mut hash)).map_err(gone);
    let before = copy(offset)?;
    let mut bytes = Vec::new();
    content.by_ref().take(length).read_to_end(&mut bytes).map_err(gone)?;
    hash.update(&bytes);
    let read = before + bytes.len() as u64;
    let after = source.content_bytes.checked_sub(read).ok_or_else(changed)?;
    let rest = io::copy(&mut content.take(after), &mut HashWriter(&mut hash)).map_err(gone)?;
    if rest != after || hex(&hash.finalize()) != source.content_sha256 {
        return Err(changed());
    }
    Ok(Original { name: name.to_owned(), bytes })
}

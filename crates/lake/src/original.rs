//! The original bytes of a record, read back from its source.
//!
//! They are given only when the source is proved to be the one that was read: its content must begin
//! with the very bytes whose SHA-256 stands in the ledger. A log that has grown since, was renamed or
//! compressed still begins with them; so does the copy that the case may keep.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::case::Case;
use crate::copies::HashWriter;
use crate::delta::hex;
use crate::kept;
use crate::ledger::LedgerEntry;
use crate::snapshot::Snapshot;
use crate::source::Stream;

/// Bytes of a record and the file that they were read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Name of the file; of the copy in the case when the source could not be used.
    pub name: String,
    /// Why the copy that the case keeps was used instead of the source.
    pub kept_because: Option<String>,
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
/// When the source itself is not there any more, the later sources that it has grown into are tried,
/// then the copies that the case keeps of any of them.
///
/// # Errors
/// When none of them is there unchanged; the error is about the source itself.
pub fn original(
    case: &Case,
    snapshot: &Snapshot,
    source_id: &str,
    offset: u64,
    length: u64,
) -> Result<Original, OriginalError> {
    let entry = |id: &str| snapshot.sources().find(|entry| entry.source_id == id);
    let source = entry(source_id).ok_or_else(|| OriginalError::NoSource { source_id: source_id.to_owned() })?;
    let record = Record { source, offset, length };
    let first = match record.read_file(&source.name) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    // What was read must be the beginning of a later source: the proof is about the source, not its successor.
    let family = family(snapshot, source);
    if let Some(found) = family.iter().skip(1).find_map(|later| record.read_file(&later.name).ok()) {
        return Ok(found);
    }
    for member in family.iter().filter(|member| member.original.is_some()) {
        if let Ok(stored) = kept::open(case.root(), member)
            && let Ok(found) = record.read(&kept::name(&member.sha256), stored)
        {
            return Ok(Original { kept_because: Some(first.to_string()), ..found });
        }
    }
    Err(first)
}

/// A source and the later ones that go on behind it, in order.
fn family<'a>(snapshot: &'a Snapshot, source: &'a LedgerEntry) -> Vec<&'a LedgerEntry> {
    let mut ids = BTreeSet::from([source.source_id.as_str()]);
    let mut family = vec![source];
    for later in snapshot.sources() {
        if later.continues.as_deref().is_some_and(|earlier| ids.contains(earlier)) {
            ids.insert(&later.source_id);
            family.push(later);
        }
    }
    family
}

/// Where a record stands.
struct Record<'a> {
    source: &'a LedgerEntry,
    offset: u64,
    length: u64,
}

impl Record<'_> {
    fn read_file(&self, name: &str) -> Result<Original, OriginalError> {
        if name == "-" {
            return Err(OriginalError::Stdin);
        }
        let gone = |source| OriginalError::Gone { name: name.to_owned(), source };
        let file = std::fs::File::open(PathBuf::from(name)).map_err(gone)?;
        self.read(name, Box::new(file))
    }

    /// Reads the record from the file `name`, provided that it begins with the content of the source.
    fn read(&self, name: &str, stored: Box<dyn Read + Send>) -> Result<Original, OriginalError> {
        let Self { source, offset, length } = *self;
        let gone = |source| OriginalError::Gone { name: name.to_owned(), source };
        let changed = || OriginalError::Changed { name: name.to_owned(), expected: source.content_sha256.clone() };
        let mut content = Stream::new(stored).map_err(gone)?;
        let mut hash = Sha256::new();
        let mut copy =
            |bytes: u64| io::copy(&mut content.by_ref().take(bytes), &mut HashWriter(&mut hash)).map_err(gone);
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
        Ok(Original { name: name.to_owned(), kept_because: None, bytes })
    }
}

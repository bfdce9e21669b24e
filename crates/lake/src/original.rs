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

use crate::archive::{self, Member, Visited, Visitor};
use crate::copies::HashWriter;
use crate::delta::hex;
use crate::error::LakeError;
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
    let read = |at: &LedgerEntry| {
        let archive = at
            .archive
            .as_deref()
            .map(|id| entry(id).ok_or_else(|| OriginalError::NoSource { source_id: id.to_owned() }));
        read(source, at, archive.transpose()?, offset, length)
    };
    let first = read(source);
    if first.is_ok() {
        return first;
    }
    let mut family = BTreeSet::from([source_id]);
    for later in snapshot.sources() {
        if later.continues.as_deref().is_some_and(|earlier| family.contains(earlier)) {
            family.insert(&later.source_id);
            // What was read then must still be the beginning: the proof is about the source, not its successor.
            let found = read(later);
            if found.is_ok() {
                return found;
            }
        }
    }
    first
}

/// Reads from the file of the source `at`, provided that it begins with the content of `source`.
fn read(
    source: &LedgerEntry,
    at: &LedgerEntry,
    archive: Option<&LedgerEntry>,
    offset: u64,
    length: u64,
) -> Result<Original, OriginalError> {
    let file = archive.unwrap_or(at);
    if file.name == "-" {
        return Err(OriginalError::Stdin);
    }
    let gone = |source| OriginalError::Gone { name: at.name.clone(), source };
    let Some(archive) = archive else {
        let file = std::fs::File::open(PathBuf::from(&at.name)).map_err(gone)?;
        let content = Stream::new(Box::new(file)).map_err(gone)?;
        return read_content(source, &at.name, content, offset, length);
    };
    let number = at.member.unwrap_or_default();
    let mut find =
        Find { number, each: &mut |content| read_content(source, &at.name, content, offset, length), found: None };
    let walked = archive::walk(archive.name.as_ref(), &std::env::temp_dir(), None, &mut find);
    walked.map_err(|error| gone(io::Error::other(error)))?;
    let missing = || gone(io::Error::new(io::ErrorKind::NotFound, "the archive does not hold it"));
    find.found.unwrap_or_else(|| Err(missing()))
}

/// Finds one member of an archive.
struct Find<'f> {
    number: u64,
    each: &'f mut dyn FnMut(Stream<'_>) -> Result<Original, OriginalError>,
    found: Option<Result<Original, OriginalError>>,
}

impl Visitor for Find<'_> {
    fn file(&mut self, member: &Member, content: Stream<'_>) -> Result<Visited, LakeError> {
        let is_this = member.number == self.number;
        if is_this {
            self.found = Some((self.each)(content));
        }
        Ok(Visited { goes_on: !is_this, reported: false })
    }

    fn left_out(&mut self, _member: &Member, _reason: &str) {}

    fn damaged(&mut self, _name: &str, _problem: &str) {}
}

fn read_content(
    source: &LedgerEntry,
    name: &str,
    mut content: Stream<'_>,
    offset: u64,
    length: u64,
) -> Result<Original, OriginalError> {
    let gone = |source| OriginalError::Gone { name: name.to_owned(), source };
    let changed = || OriginalError::Changed { name: name.to_owned(), expected: source.content_sha256.clone() };
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

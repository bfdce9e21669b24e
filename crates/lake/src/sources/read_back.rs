//! The original bytes of a record, read back from its source.
//!
//! They are given only when the source is proved to be the one that was read: its content must begin
//! with the very bytes whose SHA-256 stands in the ledger. A log that has grown since, was renamed or
//! compressed still begins with them; so does the copy that the case may keep.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::case::Case;
use crate::case::originals;
use crate::ground::error::LakeError;
use crate::ground::hash::hash_all;
use crate::ground::hash::hex;
use crate::sources::archive::{self, Member, Visited, Visitor};
use crate::sources::content::Stream;
use crate::table::ledger::LedgerEntry;
use crate::table::snapshot::Snapshot;

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
    let archive_of = |at: &LedgerEntry| at.archive.as_deref().and_then(entry);
    let record = Record { source, offset, length };
    let first = match record.read_source(source, archive_of(source)) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    // What was read must be the beginning of a later source: the proof is about the source, not its successor.
    let family = family(snapshot, source);
    if let Some(found) = family.iter().skip(1).find_map(|later| record.read_source(later, archive_of(later)).ok()) {
        return Ok(found);
    }
    let kept = family.iter().find_map(|at| record.read_kept(case, at, archive_of(at)));
    if let Some(found) = kept {
        return Ok(Original { kept_because: Some(first.to_string()), ..found });
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
    /// Reads the record from the file of the source `at`, or from the archive that it is in.
    fn read_source(&self, at: &LedgerEntry, archive: Option<&LedgerEntry>) -> Result<Original, OriginalError> {
        let file = archive.unwrap_or(at);
        if file.name == "-" {
            return Err(OriginalError::Stdin);
        }
        if archive.is_some() {
            return self.read_member(at, &at.name, &file.path());
        }
        let gone = |source| OriginalError::Gone { name: at.name.clone(), source };
        let file = std::fs::File::open(at.path()).map_err(gone)?;
        self.read_stored(&at.name, Box::new(file))
    }

    /// Reads the record from the copy that the case keeps of the source `at`, or of the archive that it is in.
    fn read_kept(&self, case: &Case, at: &LedgerEntry, archive: Option<&LedgerEntry>) -> Option<Original> {
        let file = archive.unwrap_or(at);
        file.original.as_ref()?;
        let mut stored = originals::open(case.root(), file).ok()?;
        let name = originals::name(&file.sha256);
        if archive.is_none() {
            return self.read_stored(&name, stored).ok();
        }
        // An archive is not read from its beginning to its end.
        let mut unpacked = tempfile::NamedTempFile::new().ok()?;
        io::copy(&mut stored, &mut unpacked).ok()?;
        self.read_member(at, &name, unpacked.path()).ok()
    }

    /// Reads the record from the member `at` of the archive in the file `path`.
    fn read_member(&self, at: &LedgerEntry, name: &str, path: &Path) -> Result<Original, OriginalError> {
        let gone = |source| OriginalError::Gone { name: name.to_owned(), source };
        let number = at.member.unwrap_or_default();
        let mut find = Find { number, each: &mut |content| self.read(name, content), found: None };
        let walked = archive::walk(path, &std::env::temp_dir(), None, &mut find);
        walked.map_err(|error| gone(io::Error::other(error)))?;
        let missing = || gone(io::Error::new(io::ErrorKind::NotFound, "the archive does not hold it"));
        find.found.unwrap_or_else(|| Err(missing()))
    }

    fn read_stored(&self, name: &str, stored: Box<dyn Read>) -> Result<Original, OriginalError> {
        let gone = |source| OriginalError::Gone { name: name.to_owned(), source };
        self.read(name, Stream::new(stored).map_err(gone)?)
    }

    /// Reads the record from what the file `name` holds, provided that it begins with the content of the source.
    fn read(&self, name: &str, mut content: Stream<'_>) -> Result<Original, OriginalError> {
        let Self { source, offset, length } = *self;
        let gone = |source| OriginalError::Gone { name: name.to_owned(), source };
        let changed = || OriginalError::Changed { name: name.to_owned(), expected: source.content_sha256.clone() };
        let mut hash = Sha256::new();
        let mut copy = |bytes: u64| hash_all(&mut content.by_ref().take(bytes), &mut hash).map_err(gone);
        let before = copy(offset)?;
        let mut bytes = Vec::new();
        content.by_ref().take(length).read_to_end(&mut bytes).map_err(gone)?;
        hash.update(&bytes);
        let read = before + bytes.len() as u64;
        let after = source.content_bytes.checked_sub(read).ok_or_else(changed)?;
        let rest = hash_all(&mut content.take(after), &mut hash).map_err(gone)?;
        if rest != after || hex(&hash.finalize()) != source.content_sha256 {
            return Err(changed());
        }
        Ok(Original { name: name.to_owned(), kept_because: None, bytes })
    }
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

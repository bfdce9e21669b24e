//! Which part of a source has been read before, under whatever name.
//!
//! `audit.log` grows, is renamed to `audit-<time>.log`, then compressed. So a source is known by its
//! content: when it begins with exactly the bytes of an earlier one, only the rest is read.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::ground::error::LakeError;
use crate::ground::hash::hash_all;
use crate::ground::hash::hex;
use crate::ground::hash::sha256_of_file;
use crate::ground::memory::Recollection;
use crate::ground::progress::Progress;
use crate::ground::stamp::Stamp;
use crate::sources::content::{COPY_HEAD_BYTES, Stream};
use crate::sources::discover::{LeftOut, TraceFinder};
use crate::table::ledger::{LedgerEntry, Resume};
use crate::table::snapshot::Snapshot;

/// The sources of a case, for looking up what has been read.
#[derive(Debug, Default)]
pub(crate) struct KnownSources {
    entries: Vec<LedgerEntry>,
    sizes: HashSet<u64>,
    by_sha256: HashMap<String, usize>,
    /// Hashes of files that were read before and left alone since.
    remembered: HashMap<Stamp, String>,
}

/// What is known of a file before it is read.
#[derive(Debug, Clone)]
pub(crate) enum Copy {
    /// Exactly this file has been read.
    Whole(Box<LedgerEntry>),
    /// It begins with what was read of the source of that id.
    Beginning(String, Resume),
    /// Nothing of it has been read, as far as its beginning tells.
    None,
}

/// What a look into a member of an archive tells.
#[derive(Debug)]
pub(crate) struct Looked {
    /// It holds a trace of an audit event, or could.
    pub(crate) is_log: bool,
    /// It cannot be read to its end.
    pub(crate) is_broken: bool,
    /// There is nothing in it.
    pub(crate) is_empty: bool,
    /// Why it is left out, when it is no log.
    pub(crate) left_out: LeftOut,
    pub(crate) copy: Copy,
}

/// Content that is looked at at once, in bytes.
const LOOK_BYTES: usize = 64 * 1024;

impl KnownSources {
    pub(crate) fn new(snapshot: Option<&Snapshot>) -> Self {
        let entries: Vec<LedgerEntry> = snapshot.into_iter().flat_map(Snapshot::sources).cloned().collect();
        Self {
            sizes: entries.iter().map(|entry| entry.size_bytes).collect(),
            by_sha256: entries.iter().enumerate().map(|(at, entry)| (entry.sha256.clone(), at)).collect(),
            entries,
            remembered: HashMap::new(),
        }
    }

    /// With what is remembered of files: a folder that did not change is not read again.
    pub(crate) fn with_memory(mut self, recollection: Option<&Recollection>) -> Self {
        let remembered = recollection.into_iter().flat_map(|recollection| &recollection.memory.sources);
        self.remembered = remembered.map(|known| (known.stamp.clone(), known.sha256.clone())).collect();
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether exactly this file has been read.
    pub(crate) fn holds_file(&self, path: &Path) -> Result<bool, LakeError> {
        Ok(self.whole(path)?.is_some())
    }

    /// The source that is exactly this file.
    fn whole(&self, path: &Path) -> Result<Option<&LedgerEntry>, LakeError> {
        let found = path.metadata().map_err(LakeError::io("read", path))?;
        if !self.sizes.contains(&found.len()) {
            return Ok(None);
        }
        let entry = |sha256: &String| self.by_sha256.get(sha256).map(|at| &self.entries[*at]);
        match self.remembered.get(&Stamp::of(&found)) {
            Some(sha256) => Ok(entry(sha256)),
            None => Ok(entry(&sha256_of_file(path).map_err(LakeError::io("read", path))?)),
        }
    }

    /// Looks into a member of an archive, which can be read only once: is it a log, and what of it has been read?
    pub(crate) fn look(&self, mut content: Stream<'_>, progress: &Progress) -> Looked {
        let mut candidates = self.candidates(content.peek(COPY_HEAD_BYTES));
        candidates.sort_by_key(|entry| entry.resume.bytes);
        let mut candidates = candidates.into_iter().peekable();
        let (mut traces, mut hash, mut read) = (TraceFinder::default(), Sha256::new(), 0_u64);
        let mut looked =
            Looked { is_log: false, is_broken: false, is_empty: false, left_out: traces.left_out(), copy: Copy::None };
        let mut buffer = vec![0; LOOK_BYTES];
        loop {
            while let Some(entry) = candidates.next_if(|entry| entry.resume.bytes <= read) {
                if hex(&hash.clone().finalize()) == entry.resume.sha256 {
                    looked.copy = Copy::Beginning(entry.source_id.clone(), entry.resume.clone());
                }
            }
            let until = candidates.peek().map_or(u64::MAX, |entry| entry.resume.bytes - read);
            // With nothing to compare it with, nothing more can be learned.
            if traces.found() && candidates.peek().is_none() && self.is_empty() {
                looked.is_log = true;
                return looked;
            }
            let part = usize::try_from(until).unwrap_or(usize::MAX).min(LOOK_BYTES);
            match content.read(&mut buffer[..part]) {
                Ok(0) => break,
                Ok(length) => {
                    traces.look(&buffer[..length]);
                    hash.update(&buffer[..length]);
                    read += length as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(_) => {
                    looked.is_broken = true;
                    break;
                }
            }
            if progress.is_cancelled() {
                break;
            }
        }
        // As in a folder, what is compressed and damaged can hide a log. Text that breaks off shows what it is.
        let is_compressed = !content.compression().is_none();
        looked.is_log = traces.found() || (looked.is_broken && is_compressed);
        looked.is_empty = read == 0;
        looked.left_out = traces.left_out();
        if let Ok((size, Some(hash))) = content.finish()
            && self.sizes.contains(&size)
            && let Some(entry) = self.by_sha256.get(&hex(&hash.finalize()))
        {
            looked.copy = Copy::Whole(Box::new(self.entries[*entry].clone()));
        }
        looked
    }

    /// Finds the longest part of the file at `path` that has been read before.
    pub(crate) fn find(&self, path: &Path) -> Result<Copy, LakeError> {
        if self.is_empty() {
            return Ok(Copy::None);
        }
        if let Some(entry) = self.whole(path)? {
            return Ok(Copy::Whole(Box::new(entry.clone())));
        }
        let mut stream = Stream::open_file(path)?;
        // What cannot be read is no copy as far as it goes; reading it for good reports why.
        let found = self.longest_beginning(&mut stream).unwrap_or(None);
        Ok(found.map_or(Copy::None, |entry| Copy::Beginning(entry.source_id.clone(), entry.resume.clone())))
    }

    fn longest_beginning(&self, stream: &mut Stream<'_>) -> io::Result<Option<&LedgerEntry>> {
        let mut head = Vec::with_capacity(COPY_HEAD_BYTES);
        stream.by_ref().take(COPY_HEAD_BYTES as u64).read_to_end(&mut head)?;
        let mut candidates: Vec<&LedgerEntry> = self.candidates(&head);
        candidates.sort_by_key(|entry| entry.resume.bytes);
        let mut hash = Sha256::new();
        let mut best = None;
        let mut read = 0;
        let mut content = io::Cursor::new(head).chain(stream);
        for entry in candidates {
            let missing = entry.resume.bytes - read;
            let copied = hash_all(&mut content.by_ref().take(missing), &mut hash)?;
            if copied < missing {
                break;
            }
            read += copied;
            if hex(&hash.clone().finalize()) == entry.resume.sha256 {
                best = Some(entry);
            }
        }
        Ok(best)
    }

    /// Sources whose first bytes are those of the file.
    fn candidates(&self, head: &[u8]) -> Vec<&LedgerEntry> {
        let mut hashes: HashMap<usize, String> = HashMap::new();
        self.entries
            .iter()
            .filter(|entry| {
                let length = usize::try_from(entry.resume.bytes).unwrap_or(usize::MAX).min(COPY_HEAD_BYTES);
                let Some(beginning) = head.get(..length).filter(|beginning| !beginning.is_empty()) else {
                    return false;
                };
                *hashes.entry(length).or_insert_with(|| hex(&Sha256::digest(beginning))) == entry.resume.head_sha256
            })
            .collect()
    }
}

//! Originals that the case keeps: the sources as they were when they were read, byte for byte.
//!
//! A copy is made of the very bytes that are hashed and decoded, while they are read, so that it
//! cannot differ from what the ledger says even when the source changes meanwhile. It is compressed,
//! named by the SHA-256 of the source, and in place before the commit that names it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use zstd::stream::{read::Decoder, write::Encoder};

use crate::case::staging::{Move, Staging};
use crate::ground::error::LakeError;
use crate::ground::hash::Hashing;
use crate::ground::hash::hex;
use crate::ground::hash::{hash_all, sha256_of_file};
use crate::ground::journal::Scratch;
use crate::table::ledger::KeptOriginal;
use crate::table::ledger::LedgerEntry;
use crate::table::snapshot::Snapshot;

/// Folder of the kept originals in the case.
pub(crate) const FOLDER: &str = "originals";

/// Audit logs shrink to a fifteenth at this level; a higher one would slow the reading down.
const ZSTD_LEVEL: i32 = 3;

/// A copy that is being made.
pub(crate) struct Keeping {
    path: PathBuf,
    copy: Arc<Mutex<Copying>>,
}

/// Hands on what it reads, and copies it.
struct Tee {
    inner: Box<dyn Read + Send>,
    copy: Arc<Mutex<Copying>>,
}

/// The compressed file; the first error of writing it, after which nothing is written any more.
struct Copying(io::Result<Encoder<'static, Hashing<File>>>);

impl Keeping {
    /// Begins a copy of what will be read of `inner`, and returns what to read instead of it.
    pub(crate) fn begin(
        staging: &Scratch,
        source_id: &str,
        inner: Box<dyn Read + Send>,
    ) -> Result<(Self, Box<dyn Read + Send>), LakeError> {
        Self::begin_at(staging.create(&staged(source_id))?, inner)
    }

    fn begin_at(
        (path, file): (PathBuf, File),
        inner: Box<dyn Read + Send>,
    ) -> Result<(Self, Box<dyn Read + Send>), LakeError> {
        let mut encoder = Encoder::new(Hashing::new(file), ZSTD_LEVEL).map_err(LakeError::io("write", &path))?;
        // So that `zstd -t` can test the copy without the ledger.
        encoder.include_checksum(true).map_err(LakeError::io("write", &path))?;
        let copy = Arc::new(Mutex::new(Copying(Ok(encoder))));
        Ok((Self { path, copy: Arc::clone(&copy) }, Box::new(Tee { inner, copy })))
    }

    /// Completes the copy of a source with that SHA-256, all of whose stored bytes have been read.
    ///
    /// # Errors
    /// When the copy could not be written, now or before.
    pub(crate) fn finish(self, source_sha256: &str) -> Result<KeptOriginal, LakeError> {
        let failed = || io::Error::other("the copy is finished already");
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let encoder = std::mem::replace(&mut copy.0, Err(failed()));
        let file = encoder.and_then(Encoder::finish).map_err(LakeError::io("write", &self.path))?;
        Ok(KeptOriginal { path: name(source_sha256), sha256: file.sha256(), size_bytes: file.bytes })
    }
}

/// Copies the file `path`, an archive that has been read: its bytes must still be those with that SHA-256.
///
/// # Errors
/// When they are not, the file cannot be read or the copy cannot be written.
pub(crate) fn keep_file(
    staging: &Scratch,
    source_id: &str,
    path: &Path,
    sha256: &str,
) -> Result<KeptOriginal, LakeError> {
    let file = File::open(path).map_err(LakeError::io("open", path))?;
    let (keeping, mut tee) = Keeping::begin(staging, source_id, Box::new(file))?;
    let mut hash = Sha256::new();
    hash_all(&mut tee, &mut hash).map_err(LakeError::io("read", path))?;
    if hex(&hash.finalize()) != sha256 {
        return Err(LakeError::SourceChanged { name: path.to_string_lossy().into_owned() });
    }
    keeping.finish(sha256)
}

impl Read for Tee {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        // An error of the copy is none of the source: it must not turn into a rejected record.
        if let Ok(encoder) = &mut copy.0
            && let Err(error) = encoder.write_all(&buffer[..read])
        {
            copy.0 = Err(error);
        }
        Ok(read)
    }
}

/// Gives sources with the same bytes the same copy: the first one.
pub(crate) fn share<'a>(snapshot: Option<&Snapshot>, new: impl Iterator<Item = &'a mut LedgerEntry>) {
    let earlier = snapshot.into_iter().flat_map(Snapshot::sources).filter_map(|entry| entry.original.clone());
    let mut by_path: BTreeMap<String, KeptOriginal> = earlier.map(|kept| (kept.path.clone(), kept)).collect();
    for original in new.filter_map(|entry| entry.original.as_mut()) {
        original.clone_from(by_path.entry(original.path.clone()).or_insert_with(|| original.clone()));
    }
}

/// Moves the copies of new sources into place, durably. They count only after the commit.
///
/// # Errors
/// When the place of a copy is taken by something that is not part of the case.
pub(crate) fn publish(root: &Path, staging: &Staging, new: &[LedgerEntry]) -> Result<(), LakeError> {
    let mut seen = BTreeSet::new();
    let mut moves = Vec::new();
    for entry in new {
        let Some(kept) = &entry.original else { continue };
        let to = name(&entry.sha256);
        // The same bytes stay once: whatever is there when a writer begins is named by a commit.
        if seen.insert(to.clone()) && root.join(&to).symlink_metadata().is_err() {
            let (from, sha256) = (staged(&entry.source_id), kept.sha256.clone());
            moves.push(Move { from, to, sha256, is_evidence: true });
        }
    }
    staging.publish(&moves)
}

/// Where the copies are that the ledger names.
pub(crate) fn paths(root: &Path, snapshot: &Snapshot) -> impl Iterator<Item = PathBuf> {
    snapshot.kept_originals().map(|(entry, _)| root.join(name(&entry.sha256)))
}

/// The stored bytes of a source, from its copy in the case.
pub(crate) fn open(root: &Path, entry: &LedgerEntry) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(root.join(name(&entry.sha256)))?;
    Ok(Box::new(Decoder::new(file)?))
}

/// Whether the copy is what the ledger says, and the source comes out of it.
///
/// Returns what is wrong otherwise.
pub(crate) fn check(root: &Path, entry: &LedgerEntry, kept: &KeptOriginal) -> Result<(), String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    if kept.path != name(&entry.sha256) {
        return Err(format!("is called `{}` in the ledger", kept.path));
    }
    let path = root.join(&kept.path);
    let size = path.metadata().map_err(unreadable)?.len();
    if size != kept.size_bytes {
        return Err(format!("has {size} bytes instead of {}", kept.size_bytes));
    }
    let sha256 = sha256_of_file(&path).map_err(unreadable)?;
    if sha256 != kept.sha256 {
        return Err(format!("has SHA-256 {sha256} instead of {}", kept.sha256));
    }
    let mut hash = Sha256::new();
    let mut content = open(root, entry).map_err(unreadable)?.take(entry.size_bytes + 1);
    let size = hash_all(&mut content, &mut hash).map_err(unreadable)?;
    let sha256 = hex(&hash.finalize());
    if (size, &sha256) != (entry.size_bytes, &entry.sha256) {
        return Err(format!("holds {size} bytes with SHA-256 {sha256}, which is not the source `{}`", entry.name));
    }
    Ok(())
}

/// Path of a copy in the case. It is made from the hash, so that no ledger can point out of the folder.
pub(crate) fn name(source_sha256: &str) -> String {
    let digits: String = source_sha256.chars().filter(char::is_ascii_hexdigit).collect();
    format!("{FOLDER}/{digits}.zst")
}

fn staged(source_id: &str) -> String {
    format!("original-{source_id}.zst")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: &[u8]) -> (tempfile::TempDir, LedgerEntry) {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::begin(folder.path(), "process 1").unwrap();
        let inner = Box::new(io::Cursor::new(bytes.to_vec()));
        let (keeping, mut tee) = Keeping::begin(&staging.scratch, "0-0", inner).unwrap();
        let mut read = Vec::new();
        tee.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
        let sha256 = hex(&Sha256::digest(bytes));
        let original = Some(keeping.finish(&sha256).unwrap());
        let size_bytes = bytes.len() as u64;
        let entry = LedgerEntry { source_id: "0-0".to_owned(), sha256, size_bytes, original, ..LedgerEntry::default() };
        publish(folder.path(), &staging, std::slice::from_ref(&entry)).unwrap();
        staging.settle();
        (folder, entry)
    }

    #[test]
    fn a_copy_gives_the_source_back() {
        for bytes in [&b""[..], b"one\ntwo\n", &[7; 3_000_000]] {
            let (folder, entry) = kept(bytes);
            let original = entry.original.clone().unwrap();
            assert_eq!(check(folder.path(), &entry, &original), Ok(()));
            let mut back = Vec::new();
            open(folder.path(), &entry).unwrap().read_to_end(&mut back).unwrap();
            assert_eq!(back, bytes);
            let other = LedgerEntry { size_bytes: entry.size_bytes + 1, ..entry };
            assert!(check(folder.path(), &other, &original).unwrap_err().contains("is not the source"));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_of_the_copy_and_not_of_the_source() {
        let bytes: Vec<u8> = (0..4_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let inner = Box::new(io::Cursor::new(bytes.clone()));
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (keeping, mut tee) = Keeping::begin_at(("/dev/full".into(), full), inner).unwrap();
        let mut read = Vec::new();
        tee.read_to_end(&mut read).unwrap();
        assert_eq!(read.len(), bytes.len());
        let error = keeping.finish("").unwrap_err().to_string();
        assert!(error.starts_with("cannot write `/dev/full`: No space left"), "{error}");
    }

    #[test]
    fn no_ledger_points_out_of_the_folder() {
        assert_eq!(name("../../etc/passwd"), "originals/ecad.zst");
    }
}

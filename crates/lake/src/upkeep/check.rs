//! Whether the files that an answer comes from are those that the ledger vouches for.
//!
//! A file is hashed once, and the result remembered outside of the case under all that changes with it
//! ([`crate::ground::stamp`]). When any of that differs, the file is hashed again.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::SystemTime;

use crate::ground::hash::sha256_of_file;
use crate::ground::memory::{MAX_REMEMBERED, Recollection, Remembered};
use crate::ground::stamp::Stamp;
use crate::table::snapshot::DataFile;

/// Whether the files of a case are checked before they answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Checks {
    /// They are; what was found is remembered in that folder, when there is one.
    All {
        /// For the results of checks; made when it is not there, for its owner alone. Never in the case.
        memory: Option<PathBuf>,
        /// Threads that hash.
        threads: usize,
    },
    /// Only their names and lengths are, because the user is in a hurry.
    #[default]
    Never,
}

/// What is wrong with a file.
#[derive(Debug)]
pub struct Mismatch {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: MismatchProblem,
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum MismatchProblem {
    /// It cannot be seen or read.
    Unreadable(io::Error),
    /// It is no regular file.
    NotAFile,
    /// It is not as long as it was, in bytes.
    Length {
        /// By the ledger.
        expected: u64,
        /// On disk.
        found: u64,
    },
    /// Its content is another; SHA-256 in hex.
    Content {
        /// By the ledger.
        expected: String,
        /// On disk.
        found: String,
    },
}

/// Files that were checked, as they were then.
#[derive(Debug, Default)]
pub struct Checked {
    files: Vec<(PathBuf, Stamp)>,
    /// How many of them were hashed now, and not remembered.
    pub hashed: usize,
}

impl Checked {
    /// A file that was changed since, if there is any: then what was read of it may be something else.
    pub fn changed_since(&self) -> Option<&Path> {
        let changed = |(path, stamp): &&(PathBuf, Stamp)| {
            path.metadata().ok().map(|found| Stamp::of(&found)).as_ref() != Some(stamp)
        };
        self.files.iter().find(changed).map(|(path, _)| path.as_path())
    }
}

/// Checks that `files` of one case are there and what the ledger says: their lengths, and their hashes as `checks` says.
///
/// # Errors
/// The first file that is not.
pub fn check_files(files: &[&DataFile], checks: &Checks) -> Result<Checked, Mismatch> {
    let mut checked = Checked { files: Vec::with_capacity(files.len()), hashed: 0 };
    for file in files {
        let stamp = stamp(file)?;
        checked.files.push((file.path.clone(), stamp));
    }
    let Checks::All { memory, threads } = checks else { return Ok(checked) };
    let recollection = memory.as_ref().and_then(|folder| Recollection::of(folder, &events_of(files)?));
    let now = SystemTime::now();
    let is_known = |file: &DataFile, stamp: &Stamp| {
        let known = recollection.as_ref().and_then(|recollection| recollection.memory.files.get(&file.name));
        known.is_some_and(|known| known.stamp == *stamp && known.sha256 == file.sha256)
    };
    let pairs = files.iter().copied().zip(checked.files.iter().map(|(_, stamp)| stamp));
    let unknown: Vec<(&DataFile, &Stamp)> = pairs.filter(|(file, stamp)| !is_known(file, stamp)).collect();
    hash_all(&unknown, *threads)?;
    if let Some(recollection) = recollection {
        remember(recollection, files, &unknown, now);
    }
    checked.hashed = unknown.len();
    Ok(checked)
}

/// Remembers what was hashed, but for what was written a moment ago: it could be written again without a sign of it.
fn remember(mut recollection: Recollection, files: &[&DataFile], hashed: &[(&DataFile, &Stamp)], now: SystemTime) {
    let memory = &mut recollection.memory;
    let mut is_new = false;
    for (file, stamp) in hashed.iter().filter(|(_, stamp)| stamp.is_settled(now)) {
        let known = Remembered { stamp: (*stamp).clone(), sha256: file.sha256.clone() };
        is_new |= memory.files.insert(file.name.clone(), known.clone()).as_ref() != Some(&known);
    }
    if is_new {
        if memory.files.len() > MAX_REMEMBERED + files.len() * 2 {
            // Most of them are merged and gone.
            let names: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
            memory.files.retain(|name, _| names.contains(name.as_str()));
        }
        recollection.keep(now);
    }
}

fn stamp(file: &DataFile) -> Result<Stamp, Mismatch> {
    let wrong = |problem| Mismatch { path: file.path.clone(), problem };
    let found = file.path.metadata().map_err(|error| wrong(MismatchProblem::Unreadable(error)))?;
    if !found.is_file() {
        return Err(wrong(MismatchProblem::NotAFile));
    }
    match file.size_bytes == found.len() {
        true => Ok(Stamp::of(&found)),
        false => Err(wrong(MismatchProblem::Length { expected: file.size_bytes, found: found.len() })),
    }
}

/// Hashes files, the first that is not what it was being the error whatever the number of threads.
fn hash_all(files: &[(&DataFile, &Stamp)], threads: usize) -> Result<(), Mismatch> {
    let next = AtomicUsize::new(0);
    let wrong: Mutex<Option<(usize, Mismatch)>> = Mutex::new(None);
    let work = || {
        while let Some((at, (file, _))) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            files.get(at).map(|file| (at, file))
        } {
            let Err(problem) = hash(file) else { continue };
            let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
            if wrong.as_ref().is_none_or(|(first, _)| at < *first) {
                *wrong = Some((at, Mismatch { path: file.path.clone(), problem }));
            }
            // Those before it are under way, those behind it are not needed.
            next.store(files.len(), Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(files.len()) {
            scope.spawn(work);
        }
        work();
    });
    match wrong.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, mismatch)) => Err(mismatch),
        None => Ok(()),
    }
}

fn hash(file: &DataFile) -> Result<(), MismatchProblem> {
    let found = sha256_of_file(&file.path).map_err(MismatchProblem::Unreadable)?;
    match found == file.sha256 {
        true => Ok(()),
        false => Err(MismatchProblem::Content { expected: file.sha256.clone(), found }),
    }
}

/// The folder of the data files of the case that these belong to.
fn events_of(files: &[&DataFile]) -> Option<PathBuf> {
    let file = files.first()?;
    Some(file.path.ancestors().nth(Path::new(&file.name).components().count())?.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::Duration;

    use sha2::{Digest, Sha256};

    use super::*;
    use crate::ground::hash::hex;
    use crate::ground::memory::FORGOTTEN_AFTER;
    use crate::ground::stamp::TICK;
    use crate::table::stats::FileStats;

    /// A case with files of that content, which were written a while ago.
    fn case(contents: &[&[u8]]) -> (tempfile::TempDir, Vec<DataFile>) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("case/events/day")).unwrap();
        let file = |(number, content): (usize, &&[u8])| {
            let name = format!("day/{number}.parquet");
            let path = folder.path().join("case/events").join(&name);
            fs::write(&path, content).unwrap();
            DataFile {
                path,
                name,
                size_bytes: content.len() as u64,
                sha256: hex(&Sha256::digest(content)),
                day: None,
                resource_partition: String::new(),
                stats: FileStats::default(),
                memory_bytes: 0,
                columns: std::sync::Arc::from([]),
                seen: None,
                sent: None,
            }
        };
        let files = contents.iter().enumerate().map(file).collect();
        thread::sleep(TICK * 2);
        (folder, files)
    }

    fn check(files: &[DataFile], memory: &Path) -> Result<Checked, Mismatch> {
        let checks = Checks::All { memory: Some(memory.to_owned()), threads: 2 };
        check_files(&files.iter().collect::<Vec<_>>(), &checks)
    }

    #[test]
    fn files_are_hashed_once_and_again_when_anything_of_them_differs() {
        let (folder, files) = case(&[b"bob", b"alice", b""]);
        let memory = folder.path().join("cache/kforensic");
        assert_eq!(check(&files, &memory).unwrap().hashed, 3);
        assert_eq!(check(&files, &memory).unwrap().hashed, 0);
        // The same length and the same time of the last change, as somebody would who alters evidence.
        let modified = files[0].path.metadata().unwrap().modified().unwrap();
        let checked = check(&files, &memory).unwrap();
        fs::write(&files[0].path, b"eve").unwrap();
        File::options().write(true).open(&files[0].path).unwrap().set_modified(modified).unwrap();
        assert_eq!(checked.changed_since(), Some(files[0].path.as_path()), "while an answer was made");
        let found = check(&files, &memory).unwrap_err();
        assert_eq!(found.path, files[0].path);
        assert!(matches!(found.problem, MismatchProblem::Content { .. }), "{found:?}");
        // Restored: hashed again, and not remembered while it could still be changed unseen.
        fs::write(&files[0].path, b"bob").unwrap();
        assert_eq!(check(&files, &memory).unwrap().hashed, 1);
        assert_eq!(check(&files, &memory).unwrap().hashed, 1);
        thread::sleep(TICK * 2);
        assert_eq!(check(&files, &memory).unwrap().hashed, 1);
        assert_eq!(check(&files, &memory).unwrap().hashed, 0);
        // What is not looked at stays remembered.
        assert_eq!(check(&files[1..2], &memory).unwrap().hashed, 0);
        assert_eq!(check(&files, &memory).unwrap().hashed, 0);
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_write_is_not_believed_and_nothing_is_written_into_the_case() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, files) = case(&[b"bob"]);
        let memory = folder.path().join("cache");
        assert_eq!(check(&files, &memory).unwrap().hashed, 1);
        assert_eq!(memory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&memory, fs::Permissions::from_mode(0o722)).unwrap();
        assert_eq!(check(&files, &memory).unwrap().hashed, 1);
        fs::set_permissions(&memory, fs::Permissions::from_mode(0o700)).unwrap();
        let remembered = fs::read_dir(&memory).unwrap().next().unwrap().unwrap().path();
        assert_eq!(remembered.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&remembered, "{").unwrap();
        assert_eq!(check(&files, &memory).unwrap().hashed, 1, "what is damaged is forgotten");
        assert_eq!(check(&files, &folder.path().join("case/events")).unwrap().hashed, 1);
        assert_eq!(fs::read_dir(folder.path().join("case/events")).unwrap().count(), 1);
    }

    #[test]
    fn results_of_cases_that_are_gone_and_old_ones_are_removed_and_nothing_else() {
        let (folder, files) = case(&[b"bob"]);
        let (gone, gone_files) = case(&[b"eve"]);
        let memory = folder.path().join("cache");
        check(&gone_files, &memory).unwrap();
        let names = || {
            let mut names: Vec<_> = fs::read_dir(&memory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let of_gone = names().remove(0);
        let old = memory.join(format!("checked-{}.json", "0".repeat(32)));
        let young = memory.join(format!("checked-{}.json", "1".repeat(32)));
        let others = ["history", "checked-x.json", "checked-0.json.bak"].map(|name| memory.join(name));
        let long_ago = SystemTime::now() - FORGOTTEN_AFTER - Duration::from_secs(60);
        for path in others.iter().chain([&old, &young]) {
            fs::write(path, "{}").unwrap();
            let is_young = *path == young;
            let written = if is_young { SystemTime::now() } else { long_ago };
            File::options().write(true).open(path).unwrap().set_modified(written).unwrap();
        }
        drop(gone);
        check(&files, &memory).unwrap();
        assert!(!memory.join(&of_gone).exists() && !old.exists(), "{:?}", names());
        assert!(others.iter().chain([&young]).all(|path| path.exists()), "{:?}", names());
        assert_eq!(names().len(), 5);
        // What belongs to a case that is there stays when another is asked.
        let (_other, other_files) = case(&[b"alice"]);
        check(&other_files, &memory).unwrap();
        assert_eq!(check(&files, &memory).unwrap().hashed, 0);
    }

    #[test]
    fn the_first_file_that_differs_is_named_whatever_the_threads() {
        let (folder, mut files) = case(&[b"a", b"b", b"c", b"d"]);
        for file in &mut files[1..] {
            file.sha256.clear();
        }
        for _ in 0..20 {
            assert_eq!(check(&files, folder.path()).unwrap_err().path, files[1].path);
        }
        fs::remove_file(&files[0].path).unwrap();
        let missing = check_files(&[&files[0]], &Checks::Never).unwrap_err();
        assert!(matches!(missing.problem, MismatchProblem::Unreadable(_)));
        fs::write(&files[0].path, "longer").unwrap();
        let longer = check_files(&[&files[0]], &Checks::Never).unwrap_err();
        assert!(matches!(longer.problem, MismatchProblem::Length { expected: 1, found: 6 }));
    }
}

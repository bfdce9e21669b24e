//! The journal of a writer: what it makes in the case, written down before it is made.
//!
//! Whatever lies in a case was committed, or was left by a writer that crashed, or is somebody else's. The log knows the
//! first; only this journal knows the second, and so what a later writer may delete. It lies in `staging/`, a line of
//! JSON for each name. A name in `staging/` is written when a file is begun; where files go in the table stands here,
//! with their hashes and durably, before the first of them is moved.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::ground::durable::create_private;
use crate::ground::error::LakeError;

/// Name of the journal in `staging/`.
pub(crate) const JOURNAL_FILE: &str = "journal.jsonl";

/// How every journal begins; what begins otherwise was not written by this program.
const MARK: &str = r#"{"journal":{"of":"kforensic""#;

/// Version of the form of a journal.
const FORMAT: u32 = 1;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line<'a> {
    /// The first one.
    Journal { of: &'a str, format: u32, holder: &'a str },
    /// A file of that name is about to be made in `staging/`.
    Staged(String),
    /// A file with that hash is about to get that place in the case.
    Placed { path: String, sha256: String },
}

/// A folder for files that are being written, whose journal knows them all.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: PathBuf,
    pub(crate) journal: Journal,
}

impl Scratch {
    /// Begins to use the folder `dir`, which has no journal, for the writer `holder`.
    pub(crate) fn begin(dir: &Path, holder: &str) -> Result<Self, LakeError> {
        Ok(Self { dir: dir.to_owned(), journal: Journal::begin(dir, holder)? })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes a file of that name, which only its owner may read: what is in it may be a source as it was.
    pub(crate) fn create(&self, name: &str) -> Result<(PathBuf, File), LakeError> {
        let path = self.dir.join(name);
        self.journal.stage(name)?;
        let file = create_private(&path).map_err(LakeError::io("create", &path))?;
        Ok((path, file))
    }
}

/// What a journal tells.
#[derive(Debug, Default, Clone)]
pub(crate) struct Told {
    /// Names in `staging/`.
    pub(crate) staged: BTreeSet<String>,
    /// Paths below the folder of the case, with the SHA-256 of what was put there.
    pub(crate) placed: BTreeMap<String, String>,
}

/// A journal that is being written.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    state: Mutex<(File, Told)>,
}

impl Journal {
    /// Begins the journal of the writer `holder` in the folder `staging`, which has none.
    pub(crate) fn begin(staging: &Path, holder: &str) -> Result<Self, LakeError> {
        let path = staging.join(JOURNAL_FILE);
        let file = create_private(&path).map_err(LakeError::io("create", &path))?;
        let journal = Self { path, state: Mutex::new((file, Told::default())) };
        journal.write(&[Line::Journal { of: "kforensic", format: FORMAT, holder }], |_| ())?;
        Ok(journal)
    }

    /// Notes that a file of that name is about to be made in `staging/`.
    pub(crate) fn stage(&self, name: &str) -> Result<(), LakeError> {
        self.write(&[Line::Staged(name.to_owned())], |told| _ = told.staged.insert(name.to_owned()))
    }

    /// Notes, durably, which files are about to get their places in the case: path and SHA-256 of each.
    pub(crate) fn place(&self, files: &[(String, String)]) -> Result<(), LakeError> {
        let line = |(path, sha256): &(String, String)| Line::Placed { path: path.clone(), sha256: sha256.clone() };
        let lines: Vec<Line<'_>> = files.iter().map(line).collect();
        self.write(&lines, |told| told.placed.extend(files.iter().cloned()))?;
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.sync_all().map_err(LakeError::io("write", &self.path))
    }

    /// What has been noted so far.
    pub(crate) fn told(&self) -> Told {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    fn write(&self, lines: &[Line<'_>], note: impl FnOnce(&mut Told)) -> Result<(), LakeError> {
        let mut text = Vec::new();
        for line in lines {
            let failed = |error: serde_json::Error| LakeError::io("write", &self.path)(error.into());
            serde_json::to_writer(&mut text, line).map_err(failed)?;
            text.push(b'\n');
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // One call, so that a crash leaves whole lines but for the last one.
        state.0.write_all(&text).map_err(LakeError::io("write", &self.path))?;
        note(&mut state.1);
        Ok(())
    }
}

impl Told {
    /// Reads the journal in the folder `staging`; `None` when there is none of ours.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(crate) fn read(staging: &Path) -> Result<Option<Self>, LakeError> {
        let path = staging.join(JOURNAL_FILE);
        if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Ok(None);
        }
        let bytes = fs::read(&path).map_err(LakeError::io("read", &path))?;
        Ok(Self::of(&bytes))
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let mark = MARK.as_bytes();
        // A crash in the first instant leaves less than the mark.
        if !bytes.starts_with(mark) {
            return mark.starts_with(bytes).then(Self::default);
        }
        let mut told = Self::default();
        for line in bytes.split(|byte| *byte == b'\n').skip(1) {
            // The last line can be torn: what it was to name was not made.
            match serde_json::from_slice(line) {
                Ok(Line::Staged(name)) => _ = told.staged.insert(name),
                Ok(Line::Placed { path, sha256 }) => _ = told.placed.insert(path, sha256),
                Ok(Line::Journal { .. }) | Err(_) => (),
            }
        }
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_back_and_a_torn_line_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::begin(folder.path(), "process 1").unwrap();
        journal.stage("0-0.parquet").unwrap();
        journal.place(&[("events/a".to_owned(), "ff".to_owned())]).unwrap();
        assert!(Journal::begin(folder.path(), "process 2").is_err(), "a journal is never written over");
        let told = Told::read(folder.path()).unwrap().unwrap();
        assert_eq!((told.staged.len(), told.placed["events/a"].as_str()), (1, "ff"));
        let bytes = fs::read(folder.path().join(JOURNAL_FILE)).unwrap();
        for end in 0..bytes.len() {
            let torn = Told::of(&bytes[..end]).unwrap();
            assert!(torn.staged.len() <= 1 && torn.placed.len() <= 1);
            // A path is either noted as a whole or not at all.
            assert!(torn.placed.keys().all(|path| path == "events/a"));
        }
    }

    #[test]
    fn a_file_of_somebody_else_is_no_journal() {
        assert!(Told::of(b"{\"staged\":\"mine.txt\"}\n").is_none());
        assert!(Told::of(b"{\"journal\":{\"of\":\"trading\"}}\n{\"staged\":\"x\"}").is_none());
        let folder = tempfile::tempdir().unwrap();
        assert!(Told::read(folder.path()).unwrap().is_none());
        fs::create_dir(folder.path().join(JOURNAL_FILE)).unwrap();
        assert!(Told::read(folder.path()).unwrap().is_none());
    }
}

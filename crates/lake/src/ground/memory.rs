//! Hashes of files that were read before, remembered outside of the case: in the user's cache folder, a file for a case.
//!
//! A hash is believed as long as nothing of the file's [`Stamp`] differs. Nobody else may be able to write to the folder: they could say
//! that a file is right.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ground::hash::hex;
use crate::ground::stamp::Stamp;

/// What is remembered of a case.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// Version of its form.
    format: u32,
    /// The folder of the files, when its path is text: with it gone, nobody asks for them any more.
    #[serde(default)]
    events: Option<String>,
    /// Data files, by their names in the log.
    pub(crate) files: HashMap<String, Remembered>,
    /// Sources that were read whole, oldest first.
    #[serde(default)]
    pub(crate) sources: Vec<Remembered>,
}

/// A file that was hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    pub(crate) stamp: Stamp,
    /// Of all of it, in hex.
    pub(crate) sha256: String,
}

/// Files that are remembered although nobody asks for them any more.
pub(crate) const MAX_REMEMBERED: usize = 10_000;

/// Version of the form of what is remembered.
const FORMAT: u32 = 1;

/// What is remembered of a case, and where.
#[derive(Debug)]
pub(crate) struct Recollection {
    place: PathBuf,
    events: PathBuf,
    pub(crate) memory: Memory,
}

impl Recollection {
    /// What `folder` holds of the case whose data files lie below `events`; `None` when that folder lies in the case, or when
    /// there can be none.
    pub(crate) fn of(folder: &Path, events: &Path) -> Option<Self> {
        let events = events.canonicalize().ok()?;
        // What it will lie in is there already, or is made; either tells whether that is the case.
        let nearest = folder.ancestors().find(|folder| folder.exists())?.canonicalize().ok()?;
        if events.parent().is_some_and(|case| nearest.starts_with(case)) {
            return None;
        }
        make_private(folder).ok()?;
        let name = hex(&Sha256::digest(events.as_os_str().as_encoded_bytes()));
        let place = folder.join(format!("checked-{}.json", &name[..32]));
        let memory = read(&place).unwrap_or_default();
        Some(Self { place, events, memory })
    }

    /// Writes it down. Without it, files are hashed again the next time.
    pub(crate) fn keep(mut self, now: SystemTime) {
        self.memory.format = FORMAT;
        self.memory.events = self.events.into_os_string().into_string().ok();
        let _ = write(&self.place, &self.memory);
        forget(&self.place, now);
    }
}

/// Makes a folder for its owner alone. One that others may write to is not taken: they could say that a file is right.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    if is_private(&folder.metadata()?) { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Whether nobody else can write to it.
#[cfg(unix)]
fn is_private(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.mode() & 0o022 == 0 && found.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

fn read(path: &Path) -> Option<Memory> {
    let file = File::open(path).ok()?;
    let found = file.metadata().ok()?;
    let is_ours = path.symlink_metadata().ok()?.is_file() && is_private(&found);
    let memory: Memory = serde_json::from_slice(&fs::read(path).ok().filter(|_| is_ours)?).ok()?;
    (memory.format == FORMAT).then_some(memory)
}

/// What was not written for so long is not asked for any more, or is soon made again.
pub(crate) const FORGOTTEN_AFTER: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Results of other cases that are looked at when one is written: every case that lives as long as one answer leaves some.
const MAX_LOOKED_AT: usize = 64;

/// Removes results beside the one at `path` whose case is gone, or that are old. At worst files are hashed once more: that of a case on
/// a disk that is not there now.
fn forget(path: &Path, now: SystemTime) {
    let Some(entries) = path.parent().and_then(|folder| fs::read_dir(folder).ok()) else { return };
    let mut others: Vec<_> =
        entries.flatten().filter(|entry| entry.path() != path && is_result(&entry.file_name())).collect();
    // Not always the same ones.
    let first = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.subsec_nanos() as usize);
    let middle = first % others.len().max(1);
    others.rotate_left(middle);
    for entry in others.iter().take(MAX_LOOKED_AT) {
        // Of a link, this is the link itself.
        let Some(found) = entry.metadata().ok().filter(fs::Metadata::is_file) else { continue };
        let age = found.modified().ok().and_then(|written| now.duration_since(written).ok()).unwrap_or_default();
        if age > FORGOTTEN_AFTER
            || read(&entry.path()).and_then(|memory| memory.events).is_some_and(|events| !Path::new(&events).exists())
        {
            // Another process may have been quicker.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file has the name of a result; nothing else in the folder is touched.
fn is_result(name: &std::ffi::OsStr) -> bool {
    let digits = name.to_str().and_then(|name| name.strip_prefix("checked-")?.strip_suffix(".json"));
    digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Writes it beside its place first: another process may be reading it.
fn write(path: &Path, memory: &Memory) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(memory)?)?;
    file.persist(path)?;
    Ok(())
}

//! Which files were read whole and left alone meanwhile: the next ingest of the same folder need not read them.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::case::Writer;
use crate::ground::memory::{Recollection, Remembered};
use crate::ground::stamp::Stamp;
use crate::ingest::pipeline::Planned;
use crate::ingest::{IngestOptions, Report};
use crate::sources::discover::Input;

/// Files that are worth it, in bytes: a smaller one is hashed in a millisecond.
const MIN_BYTES: u64 = 1 << 20;

/// Sources that are remembered, the newest.
const SOURCES_MAX: usize = 2_000;

/// What is remembered of a case, and its sources as they were before the first was read.
pub(super) struct Remembering<'a> {
    folder: Option<&'a Path>,
    events: PathBuf,
    begun: SystemTime,
    pub(super) recollection: Option<Recollection>,
    /// In the order of the accounts; `None` where it is no file of its own, or not worth it.
    stamps: Vec<Option<(PathBuf, Stamp)>>,
}

impl<'a> Remembering<'a> {
    pub(super) fn begin(writer: &Writer, options: &'a IngestOptions) -> Self {
        let (folder, events) = (options.memory.as_deref(), writer.case().root().join("events"));
        let recollection = folder.and_then(|folder| Recollection::of(folder, &events));
        Self { folder, events, begun: SystemTime::now(), recollection, stamps: Vec::new() }
    }

    /// Looks at the sources, before they are read.
    pub(super) fn look(&mut self, sources: &[Planned]) {
        if self.folder.is_none() {
            return;
        }
        let stamped = |source: &Planned| {
            let (Input::File(path) | Input::Archive(path)) = &source.input else { return None };
            let found = path.metadata().ok().filter(|found| found.is_file() && source.aside.is_none())?;
            let stamp = Stamp::of(&found);
            // What was written a moment ago could be written again without a sign of it.
            let is_worth_it = stamp.size >= MIN_BYTES && stamp.is_settled(self.begun);
            is_worth_it.then(|| (path.clone(), stamp))
        };
        self.stamps = sources.iter().map(stamped).collect();
    }

    /// Remembers what the accounts say of files that are still as they were.
    pub(super) fn end(self, report: &Report) {
        let read = self.stamps.into_iter().zip(&report.sources).filter_map(|(stamped, source)| {
            let (path, stamp) = stamped?;
            let is_as_it_was = Stamp::of(&path.metadata().ok()?) == stamp && stamp.size == source.size_bytes;
            is_as_it_was.then(|| Remembered { stamp, sha256: source.sha256.clone() })
        });
        let read: Vec<Remembered> = read.collect();
        // The first ingest makes the folder by which a case is known.
        let recollection = self.recollection.or_else(|| Recollection::of(self.folder?, &self.events));
        let Some(mut recollection) = recollection else { return };
        let sources = &mut recollection.memory.sources;
        if read.iter().all(|source| sources.contains(source)) {
            return;
        }
        sources.retain(|known| read.iter().all(|source| source.stamp != known.stamp));
        sources.extend(read);
        sources.drain(..sources.len().saturating_sub(SOURCES_MAX));
        recollection.keep(self.begun);
    }
}

//! Reading the sources of a file: cutting them into chunks on their way to the decoders, and their accounts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use crossbeam_channel::Sender;
use kforensic_event::Reading;
use kforensic_event::shape::Position;
use sha2::Sha256;

use crate::case::originals::{self, Keeping};
use crate::ground::error::LakeError;
use crate::ingest::account::{entry, fill_in, finished};
use crate::ingest::flow::Gate;
use crate::ingest::pipeline::{Decode, Message, Planned, Shared, SourceRead};
use crate::sources::archive::{self, Member, Visited, Visitor, Walked};
use crate::sources::content::{Chunk, Chunks, Problem, Stream};
use crate::sources::copies::Copy;
use crate::sources::discover::Input;
use crate::sources::survey::Problems;
use crate::sources::watch::Watch;
use crate::table::ledger::{LedgerEntry, Resume};

/// Reads one file after the other, on a thread of its own.
pub(super) struct Reader<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) gate: &'a Gate,
    pub(super) decoders: Sender<Decode>,
    pub(super) sequencer: Sender<Message>,
}

/// An input that is ready to be read.
struct Opened {
    /// Where it can be read a second time, which looking for copies needs.
    path: Option<PathBuf>,
    watch: Option<Watch>,
    stored: Box<dyn Read + Send>,
}

/// What goes along with the reading of a file; members of an archive have none of it.
#[derive(Default)]
struct Beside {
    keeping: Option<Keeping>,
    watch: Option<Watch>,
}

impl Reader<'_> {
    /// Reads the sources of a file; whether the next file is to be read.
    pub(super) fn read(&self, number: usize, file: &[Planned]) -> bool {
        let read = match file {
            [source] if !matches!(source.input, Input::Archive(_)) => self.single(number, source),
            _ => self.archive(number, file),
        };
        let goes_on = matches!(read, Ok(true));
        if let Err(error) = read {
            let _ = self.sequencer.send(Message::Failed(error));
        }
        goes_on
    }

    /// Reads a file that is one source; whether the run goes on.
    fn single(&self, number: usize, source: &Planned) -> Result<bool, LakeError> {
        let Opened { path, watch, mut stored } = self.open(number, &source.input)?;
        let copy = path.map_or(Ok(Copy::None), |path| self.shared.known.find(&path))?;
        let mut keeping = None;
        if self.shared.keep_originals && !matches!(copy, Copy::Whole(_)) {
            let (copy, tee) = Keeping::begin(self.shared.staging, &source.origin.source_id, stored)?;
            (keeping, stored) = (Some(copy), tee);
        }
        let stream = Stream::new(stored).map_err(LakeError::io("read", source.input.name().as_ref()))?;
        Ok(self.source(number, source, stream, copy, Beside { keeping, watch })?.is_some())
    }

    /// Reads the logs of an archive, and at last accounts for itself; whether the run goes on.
    fn archive(&self, first: usize, file: &[Planned]) -> Result<bool, LakeError> {
        let Some((itself, logs)) = file.split_last() else { return Ok(true) };
        let Input::Archive(path) = &itself.input else { return Ok(true) };
        let number = first + logs.len();
        let path: &Path = itself.aside.as_deref().unwrap_or(path);
        if logs.is_empty()
            && let Copy::Whole(known) = self.shared.known.find(path)?
        {
            self.report(number, 0, self.known(itself, &known));
            return Ok(true);
        }
        let mut reading = ReadMembers {
            reader: self,
            logs,
            first,
            read: 0,
            stopped: false,
            problems: Problems::unread(itself.unread),
        };
        let walked = archive::walk(path, self.shared.staging.dir(), Some(self.shared.progress), &mut reading)?;
        let ReadMembers { read, stopped, problems, .. } = reading;
        if stopped {
            return Ok(false);
        }
        // What is in it was numbered, and compared with what is known, when it was surveyed.
        let is_same = |walked: &Walked| read == logs.len() && itself.sha256.as_ref() == Some(&walked.sha256());
        let changed = || LakeError::SourceChanged { name: itself.input.name() };
        let walked = walked.filter(is_same).ok_or_else(changed)?;
        let original = match self.shared.keep_originals {
            true => Some(originals::keep_file(self.shared.staging, &itself.origin.source_id, path, &walked.sha256())?),
            false => None,
        };
        let mut chunks = 0;
        if let Some(message) = problems.text() {
            if !self.gate.enter(number) {
                return Ok(false);
            }
            self.problem(number, message, walked.hash.clone());
            chunks = 1;
        }
        let mut entry = entry(itself, &walked.compression.name(), walked.format.name());
        entry.original = original;
        fill_in(&mut entry, &finished(walked));
        self.report(number, chunks, SourceRead { entry, known: false, head: Vec::new() });
        Ok(true)
    }

    /// Sends what is wrong with an archive on its way. The hash of the file tells this reject from that of another.
    fn problem(&self, number: usize, message: String, hash: Sha256) {
        let chunk = Chunk {
            bytes: Vec::new(),
            start: Position::START,
            last: true,
            before: hash,
            problem: Some(Problem::Unreadable { message }),
        };
        let _ = self.decoders.send(Decode { source: number, number: 0, chunk, reading: Reading::of(&[]) });
    }

    /// Sends the account of a source on its way.
    fn report(&self, number: usize, chunks: usize, read: SourceRead) {
        // The sequencer is gone only when the run has failed.
        let _ = self.sequencer.send(Message::Read { source: number, chunks, read: Box::new(read) });
    }

    /// The account of a source all of which was read before, as `known`.
    fn known(&self, source: &Planned, known: &LedgerEntry) -> SourceRead {
        let mut entry = entry(source, &known.compression, &known.shape);
        let is_member = entry.archive.is_some();
        if !is_member {
            self.shared.progress.add_bytes(known.size_bytes);
        }
        entry = LedgerEntry {
            source_id: if is_member { entry.source_id } else { known.source_id.clone() },
            name: entry.name,
            archive: entry.archive,
            member: entry.member,
            continues: Some(known.source_id.clone()),
            continues_bytes: known.content_bytes,
            records: 0,
            events: 0,
            duplicates: 0,
            rejected: 0,
            reasons: BTreeMap::new(),
            redacted: 0,
            // How the other one was read, and that it is kept, is no matter of this one.
            original: known.original.clone().filter(|_| !is_member),
            changed_while_read: known.changed_while_read.clone().filter(|_| !is_member),
            ..known.clone()
        };
        // What is in an archive that is new has an account of its own: with it the archive stands for the source.
        SourceRead { entry, known: !is_member, head: Vec::new() }
    }

    /// Opens an input that is no archive.
    ///
    /// Standard input and other pipes are read once: when there is something to compare them with,
    /// they are written to a file first.
    fn open(&self, number: usize, input: &Input) -> Result<Opened, LakeError> {
        if let Input::File(path) = input
            && path.is_file()
        {
            let file = File::open(path).map_err(LakeError::io("open", path))?;
            let watch = Watch::begin(&file, path)?;
            return Ok(Opened { path: Some(path.clone()), watch: Some(watch), stored: Box::new(file) });
        }
        let pipe = self.shared.pipes.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        let missing = || LakeError::Accounts { problem: format!("`{}` was opened twice", input.name()) };
        let mut pipe = pipe.ok_or_else(missing)?;
        if self.shared.known.is_empty() {
            return Ok(Opened { path: None, watch: None, stored: pipe });
        }
        let (path, mut file) = self.shared.staging.create(&format!("pipe-{number}"))?;
        std::io::copy(&mut pipe, &mut file).map_err(LakeError::io("write", &path))?;
        let file = File::open(&path).map_err(LakeError::io("open", &path))?;
        Ok(Opened { path: Some(path), watch: None, stored: Box::new(file) })
    }

    /// Sends the chunks of a source, and then its account, on their way. Whether it could be read to its end; `None`
    /// when the run was stopped.
    fn source(
        &self,
        number: usize,
        source: &Planned,
        stream: Stream<'_>,
        copy: Copy,
        beside: Beside,
    ) -> Result<Option<bool>, LakeError> {
        if let Copy::Whole(known) = copy {
            self.report(number, 0, self.known(source, &known));
            return Ok(Some(true));
        }
        let name = source.input.name();
        let failed = |error| LakeError::io("read", name.as_ref())(error);
        // What is read of an archive is counted as the archive is read.
        let progress = source.archive.is_none().then_some(self.shared.progress);
        let count = |bytes| progress.into_iter().for_each(|progress| progress.add_bytes(bytes));
        let mut chunks = Chunks::new(stream, self.shared.shape);
        let mut entry = entry(source, &chunks.compression().name(), chunks.reading().shape.name);
        if let Copy::Beginning(source_id, resume) = copy {
            skip_known(&mut chunks, &resume, &name)?;
            entry.continues = Some(source_id);
            entry.continues_bytes = resume.bytes;
        }
        let reading = chunks.reading();
        let (mut sent, mut stored_bytes, mut whole) = (0, 0, true);
        while self.gate.enter(number) {
            let Some(chunk) = chunks.next() else {
                self.gate.turn_back(number);
                let finished = chunks.finish().map_err(failed)?;
                count(finished.stored_bytes - stored_bytes);
                fill_in(&mut entry, &finished);
                entry.original = beside.keeping.map(|copy| copy.finish(&entry.sha256)).transpose()?;
                entry.changed_while_read = beside.watch.and_then(|watch| watch.end(entry.size_bytes));
                self.report(number, sent, SourceRead { entry, known: false, head: finished.head });
                return Ok(Some(whole));
            };
            count(chunks.stored_bytes() - stored_bytes);
            stored_bytes = chunks.stored_bytes();
            self.gate.carry(number, chunk.bytes.len());
            whole &= !matches!(chunk.problem, Some(Problem::Unreadable { .. }));
            if self.decoders.send(Decode { source: number, number: sent, chunk, reading }).is_err() {
                return Ok(None);
            }
            sent += 1;
        }
        Ok(None)
    }
}

/// Goes on behind the beginning of a source that was found to be known.
///
/// The source may have changed since it was looked at: what is skipped must be what is known, or it would be lost.
fn skip_known(chunks: &mut Chunks<'_>, known: &Resume, name: &str) -> Result<(), LakeError> {
    let changed = || LakeError::SourceChanged { name: name.to_owned() };
    chunks.skip(known.bytes, known.line).map_err(|_| changed())?;
    if chunks.sha256_so_far() == known.sha256 { Ok(()) } else { Err(changed()) }
}

/// Reads those members of an archive that are sources.
struct ReadMembers<'a> {
    reader: &'a Reader<'a>,
    logs: &'a [Planned],
    /// Number of the first of them.
    first: usize,
    /// How many have been read.
    read: usize,
    /// The run was stopped.
    stopped: bool,
    problems: Problems,
}

impl Visitor for ReadMembers<'_> {
    fn file(&mut self, member: &Member, content: Stream<'_>) -> Result<Visited, LakeError> {
        let is_this = |source: &&Planned| match &source.input {
            Input::Member { number, name, .. } => *number == member.number && *name == member.name,
            _ => false,
        };
        let Some(source) = self.logs.get(self.read).filter(is_this) else {
            return Ok(Visited { goes_on: true, reported: false });
        };
        let copy = source.copy.clone().unwrap_or(Copy::None);
        let whole = self.reader.source(self.first + self.read, source, content, copy, Beside::default())?;
        self.read += 1;
        self.stopped = whole.is_none();
        Ok(Visited { goes_on: !self.stopped, reported: whole == Some(false) })
    }

    fn left_out(&mut self, _member: &Member, _reason: &str) {}

    fn damaged(&mut self, name: &str, problem: &str) {
        self.problems.add(name, problem);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn a_beginning_that_is_no_longer_the_known_one_is_not_skipped() {
        let sha256 = crate::ground::hash::hex(&Sha256::digest("one\ntwo\n"));
        let known = Resume { bytes: 8, line: 3, sha256, head_sha256: String::new() };
        let skip = |content: &str| {
            let stream = Stream::new(Box::new(Cursor::new(content.to_owned()))).unwrap();
            skip_known(&mut Chunks::new(stream, None), &known, "audit.log").map_err(|error| error.to_string())
        };
        assert_eq!(skip("one\ntwo\nthree\n"), Ok(()));
        let changed = Err("`audit.log` was changed while it was read; the case is as it was before".to_owned());
        // Replaced by another file of that length, and cut shorter, since it was found to be known.
        assert_eq!(skip("one\nTWO\nthree\n"), changed);
        assert_eq!(skip("one\n"), changed);
    }
}

//! Reading, decoding and encoding in parallel, with the same result as one after the other.
//!
//! Readers cut sources into chunks, workers decode chunks, gather rows and encode files, and one sequencer, on the calling
//! thread, takes the chunks up in the order of the sources. It alone decides what is a duplicate and where a file begins, so the case does not depend on the number of threads. Memory is bounded by the chunks a
//! source may have on their way ([`Gate`]) and by what the sequencer may hold and have encoded.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, never, select_biased, unbounded};
use kforensic_event::gather::gather;
use kforensic_event::shape::Position;
use kforensic_event::{Origin, Reading, Rows, Shape};
use sha2::{Digest, Sha256};

use crate::case::originals::{self, Keeping};
use crate::ground::error::LakeError;
use crate::ground::journal::Scratch;
use crate::ground::progress::Progress;
use crate::ingest::decode::{DecodedChunk, Decoder};
use crate::ingest::flow::Gate;
use crate::ingest::seats::{Append, Hands, Waiting};
use crate::sources::archive::{self, Member, Visited, Visitor, Walked};
use crate::sources::content::{Chunk, Chunks, Finished, Problem, Stream, head_sha256};
use crate::sources::copies::{Copy, KnownSources};
use crate::sources::discover::Input;
use crate::sources::survey::{Pipes, Problems};
use crate::sources::watch::Watch;
use crate::table::ledger::{LedgerEntry, Resume};
use crate::table::log::Add;

/// Sources that are read at the same time.
const MAX_READERS: usize = 4;

/// How long the sequencer waits before it looks whether it was asked to stop.
const POLL: Duration = Duration::from_millis(100);

/// What the stages share.
pub(crate) struct Shared<'a> {
    pub(crate) decoder: Decoder,
    pub(crate) schema: SchemaRef,
    pub(crate) known: KnownSources,
    pub(crate) pipes: Mutex<Pipes>,
    pub(crate) staging: &'a Scratch,
    /// The shape that all sources are said to have.
    pub(crate) shape: Option<&'static Shape>,
    pub(crate) threads: usize,
    pub(crate) keep_originals: bool,
    pub(crate) modification_time_ms: i64,
    pub(crate) progress: &'a Progress,
}

/// A source that is to be read.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) input: Input,
    pub(crate) origin: Origin,
    /// Id of the archive that it is in.
    pub(crate) archive: Option<String>,
    /// What of it has been read before, when that is known already.
    pub(crate) copy: Option<Copy>,
    /// Where an archive that came through a pipe has been put aside.
    pub(crate) aside: Option<Arc<Path>>,
    /// SHA-256 of an archive when its logs were looked for, in hex.
    pub(crate) sha256: Option<String>,
    /// Logs of an archive that are too many to be read.
    pub(crate) unread: usize,
}

/// What a source turned out to be, once it has been read.
#[derive(Debug)]
pub(crate) struct SourceRead {
    /// Its account without the counts.
    pub(crate) entry: LedgerEntry,
    /// Exactly this file was read before.
    pub(crate) known: bool,
    /// The first bytes of its content.
    pub(crate) head: Vec<u8>,
}

/// What the sequencer hears.
enum Message {
    Decoded { source: usize, number: usize, chunk: DecodedChunk },
    Read { source: usize, chunks: usize, read: Box<SourceRead> },
    Gathered { number: usize, batch: RecordBatch },
    Appended { add: Option<Box<Add>>, bytes: usize },
    Failed(LakeError),
}

struct Decode {
    source: usize,
    number: usize,
    chunk: Chunk,
    reading: Reading,
}

/// What the workers do apart from decoding.
enum Work {
    /// Makes a batch of rows; the number tells it from others.
    Gather(usize, Waiting),
    Append(Append),
}

/// Takes up what was read, in the order of the sources.
pub(crate) trait Sequence {
    /// The next chunk of the source of that number.
    fn chunk(&mut self, source: usize, chunk: DecodedChunk, hands: &mut dyn Hands) -> Result<(), LakeError>;
    /// The source is read to its end.
    fn source(&mut self, source: usize, read: SourceRead, hands: &mut dyn Hands) -> Result<(), LakeError>;
    /// All sources are read.
    fn finish(&mut self, hands: &mut dyn Hands) -> Result<(), LakeError>;
}

/// Bytes of rows that are being encoded, at most: files that wait for a core are held up.
const ENCODING_BYTES: usize = 48 * 1024 * 1024;

/// Reads all sources and gives them to `sequence`; returns the files that were written.
pub(crate) fn run(
    shared: &Shared<'_>,
    sources: &[Planned],
    sequence: &mut dyn Sequence,
) -> Result<Vec<Add>, LakeError> {
    let (to_sequencer, messages) = unbounded();
    let (to_decoders, decode_jobs) = unbounded::<Decode>();
    let (to_workers, work) = unbounded::<Work>();
    let gate = Gate::default();
    let next = AtomicUsize::new(0);
    let files = files(sources);
    thread::scope(|scope| {
        for _ in 0..shared.threads.clamp(1, MAX_READERS).min(files.len()) {
            let reader = Reader { shared, gate: &gate, decoders: to_decoders.clone(), sequencer: to_sequencer.clone() };
            let (next, files) = (&next, &files);
            scope.spawn(move || {
                while let Some((number, file)) = files.get(next.fetch_add(1, Ordering::Relaxed))
                    && reader.read(*number, file)
                {}
            });
        }
        drop(to_decoders);
        for _ in 0..shared.threads.max(1) {
            let (decode_jobs, work) = (decode_jobs.clone(), work.clone());
            let to_sequencer = to_sequencer.clone();
            scope.spawn(move || serve(shared, sources, decode_jobs, work, &to_sequencer));
        }
        drop((to_sequencer, decode_jobs, work));
        let mut sequencer = Sequencer {
            shared,
            messages,
            workers: to_workers,
            encoding_bytes: 0,
            adds: Vec::new(),
            gathered: BTreeMap::new(),
            decoded: BTreeMap::new(),
            read: HashMap::new(),
        };
        let result = sequencer.run(sources.len(), &gate, sequence);
        // Readers that wait for their turn must not wait for ever.
        gate.close();
        result.map(|()| sequencer.adds)
    })
}

/// The sources by the file that they are in, each with the number of its first: the logs of an archive are read one
/// after the other.
fn files(sources: &[Planned]) -> Vec<(usize, &[Planned])> {
    let mut number = 0;
    let files = sources.split_inclusive(|source| !matches!(source.input, Input::Member { .. }));
    let numbered = files.map(|file| {
        number += file.len();
        (number - file.len(), file)
    });
    numbered.collect()
}

/// Decodes, gathers and encodes until there is nothing left to do. Decoding comes last, because the rest holds the most
/// memory.
fn serve(
    shared: &Shared<'_>,
    sources: &[Planned],
    mut decode_jobs: Receiver<Decode>,
    mut work: Receiver<Work>,
    sequencer: &Sender<Message>,
) {
    let mut open = 2;
    while open > 0 {
        let message = select_biased! {
            recv(work) -> job => match job {
                Ok(job) => do_work(shared, job).unwrap_or_else(Message::Failed),
                Err(_) => {
                    work = never();
                    open -= 1;
                    continue;
                }
            },
            recv(decode_jobs) -> job => match job {
                Ok(Decode { source, number, chunk, reading }) => {
                    let chunk = shared.decoder.decode(chunk, reading, &sources[source].origin);
                    Message::Decoded { source, number, chunk }
                }
                Err(_) => {
                    decode_jobs = never();
                    open -= 1;
                    continue;
                }
            },
        };
        // The sequencer is gone only when the run has failed.
        let _ = sequencer.send(message);
    }
}

fn do_work(shared: &Shared<'_>, work: Work) -> Result<Message, LakeError> {
    Ok(match work {
        Work::Gather(number, waiting) => {
            let rows: Vec<(&Rows, usize)> = waiting.iter().map(|(rows, row)| (&**rows, *row)).collect();
            Message::Gathered { number, batch: gather(&shared.schema, &rows)? }
        }
        Work::Append(Append { output, ticket, batches, bytes, is_last }) => {
            output.append(ticket, batches, is_last)?;
            let add = is_last.then(|| output.close(ticket + 1, shared.modification_time_ms));
            Message::Appended { add: add.transpose()?.map(Box::new), bytes }
        }
    })
}

struct Reader<'a> {
    shared: &'a Shared<'a>,
    gate: &'a Gate,
    decoders: Sender<Decode>,
    sequencer: Sender<Message>,
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
    fn read(&self, number: usize, file: &[Planned]) -> bool {
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
        let mut entry = entry(itself, walked.compression, walked.format.name());
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
        let mut entry = entry(source, chunks.compression().name(), chunks.reading().shape.name);
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

fn entry(source: &Planned, compression: &str, shape: &str) -> LedgerEntry {
    LedgerEntry {
        source_id: source.origin.source_id.clone(),
        name: source.input.name(),
        path_bytes: source.input.path_bytes(),
        archive: source.archive.clone(),
        member: match source.input {
            Input::Member { number, .. } => Some(number),
            _ => None,
        },
        compression: compression.to_owned(),
        shape: shape.to_owned(),
        host: source.origin.host.clone(),
        cluster: source.origin.cluster.clone(),
        ..LedgerEntry::default()
    }
}

fn fill_in(entry: &mut LedgerEntry, finished: &Finished) {
    use crate::ground::hash::hex;
    entry.size_bytes = finished.stored_bytes;
    entry.sha256 = hex(&finished.sha256);
    entry.content_bytes = finished.content_bytes;
    entry.content_sha256 = hex(&finished.content_sha256);
    entry.resume = Resume {
        bytes: finished.content_bytes,
        line: finished.end.line,
        sha256: entry.content_sha256.clone(),
        head_sha256: head_sha256(&finished.head, finished.content_bytes),
    };
}

/// The account of an archive that has been walked: it has no content of its own.
fn finished(walked: Walked) -> Finished {
    Finished {
        stored_bytes: walked.size_bytes,
        sha256: walked.hash.finalize().into(),
        content_bytes: 0,
        content_sha256: Sha256::digest([]).into(),
        end: Position::START,
        head: Vec::new(),
    }
}

struct Sequencer<'a> {
    shared: &'a Shared<'a>,
    messages: Receiver<Message>,
    workers: Sender<Work>,
    encoding_bytes: usize,
    adds: Vec<Add>,
    gathered: BTreeMap<usize, RecordBatch>,
    /// Chunks whose turn has not come.
    decoded: BTreeMap<(usize, usize), DecodedChunk>,
    /// Sources that are read, with the number of their chunks.
    read: HashMap<usize, (usize, SourceRead)>,
}

impl Hands for Sequencer<'_> {
    fn gather(&mut self, lists: Vec<Waiting>) -> Result<Vec<RecordBatch>, LakeError> {
        let count = lists.len();
        let mut numbered: Vec<(usize, Waiting)> = lists.into_iter().enumerate().collect();
        // The longest first, so that no core waits long for another.
        numbered.sort_by_key(|(number, waiting)| (std::cmp::Reverse(waiting.len()), *number));
        for (number, waiting) in numbered {
            // Workers end only after this sender is dropped.
            let _ = self.workers.send(Work::Gather(number, waiting));
        }
        while self.gathered.len() < count {
            self.hear()?;
        }
        Ok(std::mem::take(&mut self.gathered).into_values().collect())
    }

    fn append(&mut self, append: Append) -> Result<(), LakeError> {
        let bytes = append.bytes.max(1);
        self.encoding_bytes += bytes;
        let _ = self.workers.send(Work::Append(Append { bytes, ..append }));
        // While a large record is encoded, which takes four times its memory, the next one is not read.
        while self.encoding_bytes > ENCODING_BYTES {
            self.hear()?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), LakeError> {
        while self.encoding_bytes > 0 {
            self.hear()?;
        }
        Ok(())
    }

    fn take_back(&mut self, name: &str) -> Result<(), LakeError> {
        self.settle()?;
        self.adds.retain(|add| add.path.rsplit('/').next() != Some(name));
        let path = self.shared.staging.dir().join(name);
        std::fs::remove_file(&path).map_err(LakeError::io("remove", &path))
    }
}

impl Sequencer<'_> {
    fn run(&mut self, sources: usize, gate: &Gate, sequence: &mut dyn Sequence) -> Result<(), LakeError> {
        for source in 0..sources {
            gate.turn(source);
            let mut number = 0;
            loop {
                if let Some(chunk) = self.decoded.remove(&(source, number)) {
                    sequence.chunk(source, chunk, self)?;
                    gate.leave(source);
                    number += 1;
                } else if self.read.get(&source).is_some_and(|(chunks, _)| *chunks == number) {
                    break;
                } else {
                    self.hear()?;
                }
            }
            if let Some((_, read)) = self.read.remove(&source) {
                sequence.source(source, read, self)?;
            }
        }
        sequence.finish(self)?;
        self.settle()
    }

    /// Takes in one message.
    fn hear(&mut self) -> Result<(), LakeError> {
        let message = loop {
            if self.shared.progress.is_cancelled() {
                return Err(LakeError::Interrupted);
            }
            match self.messages.recv_timeout(POLL) {
                Ok(message) => break message,
                Err(RecvTimeoutError::Timeout) => (),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(LakeError::Accounts { problem: "a source was not read to its end".to_owned() });
                }
            }
        };
        match message {
            Message::Decoded { source, number, chunk } => _ = self.decoded.insert((source, number), chunk),
            Message::Read { source, chunks, read } => _ = self.read.insert(source, (chunks, *read)),
            Message::Gathered { number, batch } => _ = self.gathered.insert(number, batch),
            Message::Appended { add, bytes } => {
                self.encoding_bytes -= bytes;
                self.adds.extend(add.map(|add| *add));
            }
            Message::Failed(error) => return Err(error),
        }
        Ok(())
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

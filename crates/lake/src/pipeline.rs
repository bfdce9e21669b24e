//! Reading, decoding and encoding in parallel, with the same result as one after the other.
//!
//! Readers cut sources into chunks, workers decode chunks, and one sequencer, on the calling thread,
//! takes them up in the order of the sources. It alone decides what is a duplicate and where a file
//! begins, so the case does not depend on the number of threads. Memory is bounded by the chunks a
//! source may have on their way ([`Gate`]) and by what the sequencer may hold and have encoded.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, never, select_biased, unbounded};
use kforensic_event::shape::Position;
use kforensic_event::{Origin, Shape};
use sha2::{Digest, Sha256};

use crate::archive::{self, Member, Visited, Visitor};
use crate::copies::{Copy, KnownSources};
use crate::decode::{DecodedChunk, Decoder};
use crate::delta::Add;
use crate::discover::Input;
use crate::encode::{self, Job};
use crate::error::LakeError;
use crate::gate::Gate;
use crate::ingest::Progress;
use crate::ledger::{LedgerEntry, Resume};
use crate::source::{Chunk, Chunks, Finished, Problem, Stream, head_sha256};
use crate::survey::{Pipes, Problems};

/// Sources that are read at the same time.
const MAX_READERS: usize = 4;

/// How long the sequencer waits before it looks whether it was asked to stop.
const POLL: Duration = Duration::from_millis(100);

/// What the stages share.
pub(crate) struct Shared<'a> {
    pub(crate) decoder: Decoder,
    pub(crate) known: KnownSources,
    pub(crate) pipes: Mutex<Pipes>,
    pub(crate) staging: PathBuf,
    pub(crate) threads: usize,
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
    Encoded { add: Box<Add>, bytes: usize },
    Failed(LakeError),
}

struct Decode {
    source: usize,
    number: usize,
    chunk: Chunk,
    shape: &'static dyn Shape,
}

/// Takes up what was read, in the order of the sources.
pub(crate) trait Sequence {
    /// The next chunk of the source of that number. Returns the files that are full.
    fn chunk(&mut self, source: usize, chunk: DecodedChunk) -> Result<Vec<Job>, LakeError>;
    /// The source is read to its end.
    fn source(&mut self, source: usize, read: SourceRead) -> Result<(), LakeError>;
    /// All sources are read. Returns the files that are left.
    fn finish(&mut self) -> Vec<Job>;
    /// Bytes of files that may wait to be encoded.
    fn encode_budget(&self) -> usize;
}

/// Reads all sources and gives them to `sequence`; returns the files that were written.
pub(crate) fn run(
    shared: &Shared<'_>,
    sources: &[Planned],
    sequence: &mut dyn Sequence,
) -> Result<Vec<Add>, LakeError> {
    let (to_sequencer, messages) = unbounded();
    let (to_decoders, decode_jobs) = unbounded::<Decode>();
    let (to_encoders, encode_jobs) = unbounded::<Job>();
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
            let (decode_jobs, encode_jobs) = (decode_jobs.clone(), encode_jobs.clone());
            let to_sequencer = to_sequencer.clone();
            scope.spawn(move || work(shared, sources, decode_jobs, encode_jobs, &to_sequencer));
        }
        drop((to_sequencer, decode_jobs, encode_jobs));
        let mut sequencer = Sequencer {
            shared,
            gate: &gate,
            messages,
            encoders: to_encoders,
            encoding_bytes: 0,
            adds: Vec::new(),
            decoded: BTreeMap::new(),
            read: HashMap::new(),
        };
        let result = sequencer.run(sources.len(), sequence);
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

/// Decodes and encodes until there is nothing left to do. Files go first, because they hold the most memory.
fn work(
    shared: &Shared<'_>,
    sources: &[Planned],
    mut decode_jobs: Receiver<Decode>,
    mut encode_jobs: Receiver<Job>,
    sequencer: &Sender<Message>,
) {
    let mut open = 2;
    while open > 0 {
        let message = select_biased! {
            recv(encode_jobs) -> job => match job {
                Ok(job) => encode::encode(&job, &shared.staging, shared.modification_time_ms)
                    .map_or_else(Message::Failed, |add| Message::Encoded { add: Box::new(add), bytes: job.bytes }),
                Err(_) => {
                    encode_jobs = never();
                    open -= 1;
                    continue;
                }
            },
            recv(decode_jobs) -> job => match job {
                Ok(Decode { source, number, chunk, shape }) => shared
                    .decoder
                    .decode(&chunk, shape, &sources[source].origin)
                    .map_or_else(Message::Failed, |chunk| Message::Decoded { source, number, chunk }),
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

struct Reader<'a> {
    shared: &'a Shared<'a>,
    gate: &'a Gate,
    decoders: Sender<Decode>,
    sequencer: Sender<Message>,
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
        let (path, stream) = self.open(number, &source.input)?;
        let copy = path.as_ref().map_or(Ok(Copy::None), |path| self.shared.known.find(path))?;
        Ok(self.source(number, source, stream, copy)?.is_some())
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
            let _ = self.sequencer.send(Message::Read {
                source: number,
                chunks: 0,
                read: Box::new(self.known(itself, &known)),
            });
            return Ok(true);
        }
        let changed = || LakeError::io("read", path)(std::io::Error::other("it changed while it was read"));
        let mut reading = ReadMembers {
            reader: self,
            logs,
            first,
            read: 0,
            stopped: false,
            problems: Problems::unread(itself.unread),
        };
        let walked = archive::walk(path, &self.shared.staging, Some(self.shared.progress), &mut reading)?;
        let ReadMembers { read, stopped, problems, .. } = reading;
        if stopped {
            return Ok(false);
        }
        let walked = walked.filter(|_| read == logs.len()).ok_or_else(changed)?;
        let mut chunks = 0;
        if let Some(message) = problems.text() {
            if !self.gate.enter(number) {
                return Ok(false);
            }
            // The hash of the file tells this reject from that of another archive.
            let chunk = Chunk {
                bytes: Vec::new(),
                start: Position::START,
                last: true,
                before: walked.hash.clone(),
                problem: Some(Problem::Unreadable { message }),
            };
            let shape = kforensic_event::shape::recognise(&[]);
            let _ = self.decoders.send(Decode { source: number, number: 0, chunk, shape });
            chunks = 1;
        }
        let finished = Finished {
            stored_bytes: walked.size_bytes,
            sha256: walked.hash.finalize().into(),
            content_bytes: 0,
            content_sha256: Sha256::digest([]).into(),
            end: Position::START,
            head: Vec::new(),
        };
        let mut entry = entry(itself, walked.compression, walked.format.name());
        fill_in(&mut entry, &finished);
        let read = Box::new(SourceRead { entry, known: false, head: Vec::new() });
        Ok(self.sequencer.send(Message::Read { source: number, chunks, read }).is_ok())
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
            ..known.clone()
        };
        // What is in an archive that is new has an account of its own: with it the archive stands for the source.
        SourceRead { entry, known: !is_member, head: Vec::new() }
    }

    /// Opens an input; with its path when it can be read twice, which looking for copies needs.
    ///
    /// Standard input and other pipes are read once: when there is something to compare them with,
    /// they are written to a file first.
    fn open(&self, number: usize, input: &Input) -> Result<(Option<PathBuf>, Stream<'static>), LakeError> {
        if let Input::File(path) = input
            && path.is_file()
        {
            return Ok((Some(path.clone()), Stream::open_file(path)?));
        }
        let pipe = self.shared.pipes.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        let missing = || LakeError::Accounts { problem: format!("`{}` was opened twice", input.name()) };
        let mut pipe = pipe.ok_or_else(missing)?;
        if self.shared.known.is_empty() {
            let name = input.name();
            return Ok((None, Stream::new(pipe).map_err(LakeError::io("read", name.as_ref()))?));
        }
        let path = self.shared.staging.join(format!("pipe-{number}"));
        let mut file = File::create(&path).map_err(LakeError::io("create", &path))?;
        std::io::copy(&mut pipe, &mut file).map_err(LakeError::io("write", &path))?;
        let stream = Stream::open_file(&path)?;
        Ok((Some(path), stream))
    }

    /// Sends the chunks of a source, and then its account, on their way. Whether it could be read to its end; `None`
    /// when the run was stopped.
    fn source(
        &self,
        number: usize,
        source: &Planned,
        stream: Stream<'_>,
        copy: Copy,
    ) -> Result<Option<bool>, LakeError> {
        let report = |chunks, read| {
            let _ = self.sequencer.send(Message::Read { source: number, chunks, read: Box::new(read) });
        };
        if let Copy::Whole(known) = copy {
            report(0, self.known(source, &known));
            return Ok(Some(true));
        }
        let failed = |error| LakeError::io("read", source.input.name().as_ref())(error);
        // What is read of an archive is counted as the archive is read.
        let progress = source.archive.is_none().then_some(self.shared.progress);
        let count = |bytes| progress.into_iter().for_each(|progress| progress.add_bytes(bytes));
        let mut chunks = Chunks::new(stream);
        let mut entry = entry(source, chunks.compression().name(), chunks.shape().name());
        if let Copy::Beginning(source_id, resume) = copy {
            chunks.skip(resume.bytes, resume.line).map_err(failed)?;
            entry.continues = Some(source_id);
            entry.continues_bytes = resume.bytes;
        }
        let shape = chunks.shape();
        let (mut sent, mut stored_bytes, mut whole) = (0, 0, true);
        while self.gate.enter(number) {
            let Some(chunk) = chunks.next() else {
                self.gate.turn_back(number);
                let finished = chunks.finish().map_err(failed)?;
                count(finished.stored_bytes - stored_bytes);
                fill_in(&mut entry, &finished);
                report(sent, SourceRead { entry, known: false, head: finished.head });
                return Ok(Some(whole));
            };
            count(chunks.stored_bytes() - stored_bytes);
            stored_bytes = chunks.stored_bytes();
            self.gate.carry(number, chunk.bytes.len());
            whole &= !matches!(chunk.problem, Some(Problem::Unreadable { .. }));
            if self.decoders.send(Decode { source: number, number: sent, chunk, shape }).is_err() {
                return Ok(None);
            }
            sent += 1;
        }
        Ok(None)
    }
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
        let whole = self.reader.source(self.first + self.read, source, content, copy)?;
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
    use crate::delta::hex;
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

struct Sequencer<'a> {
    shared: &'a Shared<'a>,
    gate: &'a Gate,
    messages: Receiver<Message>,
    encoders: Sender<Job>,
    encoding_bytes: usize,
    adds: Vec<Add>,
    /// Chunks whose turn has not come.
    decoded: BTreeMap<(usize, usize), DecodedChunk>,
    /// Sources that are read, with the number of their chunks.
    read: HashMap<usize, (usize, SourceRead)>,
}

impl Sequencer<'_> {
    fn run(&mut self, sources: usize, sequence: &mut dyn Sequence) -> Result<(), LakeError> {
        for source in 0..sources {
            self.gate.turn(source);
            let mut number = 0;
            loop {
                if let Some(chunk) = self.decoded.remove(&(source, number)) {
                    let files = sequence.chunk(source, chunk)?;
                    self.gate.leave(source);
                    self.encode(files, sequence.encode_budget())?;
                    number += 1;
                } else if self.read.get(&source).is_some_and(|(chunks, _)| *chunks == number) {
                    break;
                } else {
                    self.hear()?;
                }
            }
            if let Some((_, read)) = self.read.remove(&source) {
                sequence.source(source, read)?;
            }
        }
        for job in sequence.finish() {
            self.encode(vec![job], sequence.encode_budget())?;
        }
        while self.encoding_bytes > 0 {
            self.hear()?;
        }
        Ok(())
    }

    /// Has files encoded, and waits while too much of that is under way.
    fn encode(&mut self, jobs: Vec<Job>, budget: usize) -> Result<(), LakeError> {
        for job in jobs {
            self.encoding_bytes += job.bytes.max(1);
            let job = Job { bytes: job.bytes.max(1), ..job };
            // Workers end only after this sender is dropped.
            let _ = self.encoders.send(job);
            while self.encoding_bytes > budget {
                self.hear()?;
            }
        }
        Ok(())
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
            Message::Encoded { add, bytes } => {
                self.encoding_bytes -= bytes;
                self.adds.push(*add);
            }
            Message::Failed(error) => return Err(error),
        }
        Ok(())
    }
}

//! Reading, decoding and encoding in parallel, with the same result as one after the other.
//!
//! Readers cut sources into chunks, workers decode chunks, and one sequencer, on the calling thread,
//! takes them up in the order of the sources. It alone decides what is a duplicate and where a file
//! begins, so the case does not depend on the number of threads. Memory is bounded by the chunks a
//! source may have on their way ([`Gate`]) and by what the sequencer may hold and have encoded.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, never, select_biased, unbounded};
use kforensic_event::{Origin, Reading, Shape};

use crate::copies::{Copy, KnownSources};
use crate::decode::{DecodedChunk, Decoder};
use crate::delta::Add;
use crate::discover::Input;
use crate::encode::{self, Job};
use crate::error::LakeError;
use crate::ingest::Progress;
use crate::kept::Keeping;
use crate::ledger::{LedgerEntry, Resume};
use crate::source::{Chunk, Chunks, Finished, Stream, head_sha256};
use crate::watch::Watch;

/// Chunks of one source that may be on their way.
const CHUNKS_IN_FLIGHT: usize = 8;

/// Sources that are read at the same time.
const MAX_READERS: usize = 4;

/// How long the sequencer waits before it looks whether it was asked to stop.
const POLL: Duration = Duration::from_millis(100);

/// What the stages share.
pub(crate) struct Shared<'a> {
    pub(crate) decoder: Decoder,
    pub(crate) known: KnownSources,
    pub(crate) staging: PathBuf,
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
    reading: Reading,
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
    thread::scope(|scope| {
        for _ in 0..shared.threads.clamp(1, MAX_READERS).min(sources.len()) {
            let reader = Reader { shared, gate: &gate, decoders: to_decoders.clone(), sequencer: to_sequencer.clone() };
            let next = &next;
            scope.spawn(move || {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(source) = sources.get(number)
                    && reader.read(number, source)
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
                Ok(Decode { source, number, chunk, reading }) => shared
                    .decoder
                    .decode(&chunk, reading, &sources[source].origin)
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

/// An input that is ready to be read.
struct Opened {
    /// Where it can be read a second time, which looking for copies needs.
    path: Option<PathBuf>,
    watch: Option<Watch>,
    stored: Box<dyn Read + Send>,
}

impl Reader<'_> {
    /// Reads a source; whether the next one is to be read.
    fn read(&self, number: usize, source: &Planned) -> bool {
        let message = match self.chunks(number, source) {
            Ok(Some((chunks, read))) => Message::Read { source: number, chunks, read: Box::new(read) },
            Ok(None) => return false,
            Err(error) => Message::Failed(error),
        };
        let goes_on = !matches!(message, Message::Failed(_));
        let _ = self.sequencer.send(message);
        goes_on
    }

    /// Opens an input.
    fn open(&self, number: usize, input: &Input) -> Result<Opened, LakeError> {
        let open = |path: &Path| File::open(path).map_err(LakeError::io("open", path));
        match input {
            Input::File(path) if path.is_file() => {
                let file = open(path)?;
                let watch = Watch::begin(&file, path)?;
                Ok(Opened { path: Some(path.clone()), watch: Some(watch), stored: Box::new(file) })
            }
            Input::File(path) => self.open_pipe(number, Box::new(open(path)?)),
            Input::Stdin => self.open_pipe(number, Box::new(std::io::stdin())),
        }
    }

    /// Standard input and other pipes are read once: when there is something to compare them with,
    /// they are written to a file first.
    fn open_pipe(&self, number: usize, mut pipe: Box<dyn Read + Send>) -> Result<Opened, LakeError> {
        if self.shared.known.is_empty() {
            return Ok(Opened { path: None, watch: None, stored: pipe });
        }
        let path = self.shared.staging.join(format!("pipe-{number}"));
        let mut file = File::create(&path).map_err(LakeError::io("create", &path))?;
        std::io::copy(&mut pipe, &mut file).map_err(LakeError::io("write", &path))?;
        let file = File::open(&path).map_err(LakeError::io("open", &path))?;
        Ok(Opened { path: Some(path), watch: None, stored: Box::new(file) })
    }

    /// Sends the chunks of a source on their way; `None` when the run was stopped.
    fn chunks(&self, number: usize, source: &Planned) -> Result<Option<(usize, SourceRead)>, LakeError> {
        let name = source.input.name();
        let Opened { path, watch, mut stored } = self.open(number, &source.input)?;
        let copy = path.map_or(Ok(Copy::None), |path| self.shared.known.find(&path))?;
        if let Copy::Whole(known) = copy {
            self.shared.progress.add_bytes(known.size_bytes);
            return Ok(Some((0, known_source(*known, name))));
        }
        let mut keeping = None;
        if self.shared.keep_originals {
            let (copy, tee) = Keeping::begin(&self.shared.staging, &source.origin.source_id, stored)?;
            (keeping, stored) = (Some(copy), tee);
        }
        let failed = |error| LakeError::io("read", name.as_ref())(error);
        let mut chunks = Chunks::new(Stream::new(stored).map_err(failed)?, self.shared.shape);
        let mut entry = entry(source, &chunks);
        if let Copy::Beginning(source_id, resume) = copy {
            skip_known(&mut chunks, &resume, &name)?;
            entry.continues = Some(source_id);
            entry.continues_bytes = resume.bytes;
        }
        let reading = chunks.reading();
        let (mut sent, mut stored_bytes) = (0, 0);
        while self.gate.enter(number) {
            let Some(chunk) = chunks.next() else {
                let finished = chunks.finish().map_err(failed)?;
                self.shared.progress.add_bytes(finished.stored_bytes - stored_bytes);
                fill_in(&mut entry, &finished);
                entry.original = keeping.map(|copy| copy.finish(&entry.sha256)).transpose()?;
                entry.changed_while_read = watch.and_then(|watch| watch.end(entry.size_bytes));
                return Ok(Some((sent, SourceRead { entry, known: false, head: finished.head })));
            };
            self.shared.progress.add_bytes(chunks.stored_bytes() - stored_bytes);
            stored_bytes = chunks.stored_bytes();
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
fn skip_known(chunks: &mut Chunks, known: &Resume, name: &str) -> Result<(), LakeError> {
    let changed = || LakeError::SourceChanged { name: name.to_owned() };
    chunks.skip(known.bytes, known.line).map_err(|_| changed())?;
    if chunks.sha256_so_far() == known.sha256 { Ok(()) } else { Err(changed()) }
}

/// What becomes of a file that was read before.
fn known_source(known: LedgerEntry, name: String) -> SourceRead {
    let entry = LedgerEntry {
        name,
        continues: Some(known.source_id.clone()),
        continues_bytes: known.content_bytes,
        records: 0,
        events: 0,
        duplicates: 0,
        rejected: 0,
        ..known
    };
    SourceRead { entry, known: true, head: Vec::new() }
}

fn entry(source: &Planned, chunks: &Chunks) -> LedgerEntry {
    LedgerEntry {
        source_id: source.origin.source_id.clone(),
        name: source.input.name(),
        compression: chunks.compression().name().to_owned(),
        shape: chunks.reading().shape.name.to_owned(),
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

/// Lets a bounded number of chunks of every source be on their way.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    in_flight: HashMap<usize, usize>,
    closed: bool,
}

impl Gate {
    /// Waits until the source may send another chunk; false when the run was stopped.
    fn enter(&self, source: usize) -> bool {
        let mut state = self.lock();
        loop {
            if state.closed {
                return false;
            }
            let in_flight = state.in_flight.entry(source).or_default();
            if *in_flight < CHUNKS_IN_FLIGHT {
                *in_flight += 1;
                return true;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A chunk of the source has been taken up.
    fn leave(&self, source: usize) {
        if let Some(in_flight) = self.lock().in_flight.get_mut(&source) {
            *in_flight -= 1;
        }
        self.changed.notify_all();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        // A thread that panics while it holds the lock leaves two numbers behind that are both valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn a_beginning_that_is_no_longer_the_known_one_is_not_skipped() {
        let sha256 = crate::delta::hex(&Sha256::digest("one\ntwo\n"));
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

//! Reading, decoding and encoding in parallel, with the same result as one after the other.
//!
//! Readers cut sources into chunks, workers decode chunks, gather rows and encode files, and one sequencer, on the calling
//! thread, takes the chunks up in the order of the sources. It alone decides what is a duplicate and where a file begins, so the case does not depend on the number of threads. Memory is bounded by the chunks a
//! source may have on their way ([`Gate`]) and by what the sequencer may hold and have encoded.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use crossbeam_channel::{Receiver, Sender, never, select_biased, unbounded};
use kforensic_event::gather::gather;
use kforensic_event::{Origin, Reading, Rows, Shape};

use crate::ground::error::LakeError;
use crate::ground::journal::Scratch;
use crate::ground::progress::Progress;
use crate::ingest::decode::{DecodedChunk, Decoder};
use crate::ingest::flow::Gate;
use crate::ingest::reader::Reader;
use crate::ingest::seats::{Append, Hands, Waiting};
use crate::ingest::sequencer::Sequencer;
use crate::sources::content::Chunk;
use crate::sources::copies::{Copy, KnownSources};
use crate::sources::discover::Input;
use crate::sources::survey::Pipes;
use crate::table::ledger::LedgerEntry;
use crate::table::log::Add;

/// Sources that are read at the same time.
const MAX_READERS: usize = 4;

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
pub(super) enum Message {
    Decoded { source: usize, number: usize, chunk: DecodedChunk },
    Read { source: usize, chunks: usize, read: Box<SourceRead> },
    Gathered { number: usize, batch: RecordBatch },
    Appended { add: Option<Box<Add>>, bytes: usize },
    Failed(LakeError),
}

/// A chunk on its way to be decoded.
pub(super) struct Decode {
    pub(super) source: usize,
    pub(super) number: usize,
    pub(super) chunk: Chunk,
    pub(super) reading: Reading,
}

/// What the workers do apart from decoding.
pub(super) enum Work {
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
        let mut sequencer = Sequencer::new(shared, messages, to_workers);
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

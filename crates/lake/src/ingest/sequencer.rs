//! The one that takes up what others read, decoded and encoded at the same time, one after the other.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use arrow::array::RecordBatch;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::ground::error::LakeError;
use crate::ingest::decode::DecodedChunk;
use crate::ingest::flow::Gate;
use crate::ingest::pipeline::{Message, Sequence, Shared, SourceRead, Work};
use crate::ingest::seats::{Append, Hands, Waiting};
use crate::table::log::Add;

/// How long the sequencer waits before it looks whether it was asked to stop.
const POLL: Duration = Duration::from_millis(100);

/// Bytes of rows that are being encoded, at most: files that wait for a core are held up.
const ENCODING_BYTES: usize = 48 * 1024 * 1024;

/// Takes in what readers and workers send, and hands it on in the order of the sources.
pub(super) struct Sequencer<'a> {
    shared: &'a Shared<'a>,
    messages: Receiver<Message>,
    workers: Sender<Work>,
    encoding_bytes: usize,
    /// The files that were written.
    pub(super) adds: Vec<Add>,
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

impl<'a> Sequencer<'a> {
    /// Nothing has come yet.
    pub(super) fn new(shared: &'a Shared<'a>, messages: Receiver<Message>, workers: Sender<Work>) -> Self {
        Self {
            shared,
            messages,
            workers,
            encoding_bytes: 0,
            adds: Vec::new(),
            gathered: BTreeMap::new(),
            decoded: BTreeMap::new(),
            read: HashMap::new(),
        }
    }

    /// Hands on all of so many sources.
    pub(super) fn run(&mut self, sources: usize, gate: &Gate, sequence: &mut dyn Sequence) -> Result<(), LakeError> {
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

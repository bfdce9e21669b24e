//! Reading one source: decompressed, hashed, and cut into chunks that end where a record ends.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use kforensic_event::shape::{KEPT_OF_TOO_LONG_BYTES, MAX_RECORD_BYTES, Position};
use kforensic_event::{Reading, Shape};
use sha2::{Digest, Sha256};

use crate::ground::error::LakeError;
use crate::ground::hash::Hashing;
use crate::ground::hash::hex;
use crate::sources::binary::{Binary, SIGN_BYTES};
use crate::sources::closed::Closed;
use crate::sources::decompress::{Decompressor, Method};
use crate::sources::painted::{self, Painted};
use crate::sources::tables::{Format, Table};
use crate::sources::wide::{Encoding, Wide};

/// Bytes of a chunk: enough rows to amortise a batch, small enough to keep all cores busy.
pub(crate) const CHUNK_BYTES: usize = 2 * 1024 * 1024;

/// Bytes that tell the shape of a source.
const HEAD_BYTES: usize = 64 * 1024;

/// Bytes that are kept of a source of a kind that is not opened.
const KEPT_OF_CLOSED_BYTES: usize = 4096;

/// Length of the beginning by which copies of a log are recognised cheaply, in bytes.
pub(crate) const COPY_HEAD_BYTES: usize = 4096;

/// Layers that are undone, one in another: collectors compress what was rotated compressed, and tickets once more.
pub(crate) const MAX_LAYERS: usize = 4;

/// What was done to text, or to what holds it, before it was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    Compressed(Method),
    /// Text of more than one byte a character, and the length of its byte order mark.
    Wide(Encoding, usize),
    Table(Format),
    /// Text with colours.
    Painted,
}

impl Layer {
    fn of(head: &[u8]) -> Option<Self> {
        let sign = Binary::of(head)?;
        let compressed = Method::of(sign).map(Self::Compressed);
        let wide = || Encoding::of(head).map(|(encoding, mark)| Self::Wide(encoding, mark));
        compressed.or_else(wide).or_else(|| Format::of(sign).map(Self::Table))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Compressed(method) => method.name(),
            Self::Wide(encoding, _) => encoding.name(),
            Self::Table(format) => format.name(),
            Self::Painted => "colours",
        }
    }
}

/// How the bytes of a source are stored: the layers around its content, from the outside inwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Compression([Option<Layer>; MAX_LAYERS]);

impl Compression {
    /// The content is what is stored.
    pub(crate) fn is_none(self) -> bool {
        self.0[0].is_none()
    }

    /// `none`, `gzip`, and `gzip, zstd` for what was compressed by zstd first.
    pub(crate) fn name(self) -> String {
        let names: Vec<&str> = self.0.into_iter().flatten().map(Layer::name).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}

type Stored<'r> = Hashing<Box<dyn Read + 'r>>;

/// The content of a source, decompressed.
pub(crate) struct Stream<'r> {
    decoder: Decoder<'r>,
    compression: Compression,
    /// Content that was looked at before it is read, and how much of it has been read since.
    peeked: Vec<u8>,
    given: usize,
    /// What went wrong behind it, until it has been reported.
    failed: Option<io::Error>,
    /// It is part of an archive: that it ends early is the archive's trouble.
    is_part: bool,
}

/// What gives the content: what is stored, or a layer that is undone.
enum Decoder<'r> {
    Plain(Stored<'r>),
    Compressed(Box<Decompressor<Stream<'r>>>),
    Wide(Box<Wide<Stream<'r>>>),
    Table(Box<Table<Stream<'r>>>),
    Painted(Box<Painted<Stream<'r>>>),
}

impl<'r> Stream<'r> {
    /// Opens a source; its compression is recognised by content.
    pub(crate) fn new(stored: Box<dyn Read + 'r>) -> io::Result<Self> {
        let mut stream = Self::open(stored, false)?;
        match stream.failed.take_if(|_| stream.compression.is_none()) {
            Some(error) => Err(error),
            None => Ok(stream),
        }
    }

    /// Opens a source, and hashes what is stored even when the content is the same bytes. What cannot
    /// be read is reported when it is to be read.
    pub(crate) fn hashed(stored: Box<dyn Read + 'r>) -> io::Result<Self> {
        Self::open(stored, true)
    }

    /// Opens a member of an archive, of which there may be only the beginning.
    pub(crate) fn part(stored: Box<dyn Read + 'r>) -> io::Result<Self> {
        Ok(Self { is_part: true, ..Self::open(stored, true)? })
    }

    fn open(stored: Box<dyn Read + 'r>, hashed: bool) -> io::Result<Self> {
        let mut stream = Self::over(Decoder::Plain(Hashing::new(stored)), Compression::default());
        let mut is_text = false;
        for at in 0..MAX_LAYERS {
            let sign = if is_text { None } else { Layer::of(stream.peek(SIGN_BYTES)) };
            let Some(layer) = sign.or_else(|| stream.painted()) else { break };
            let mut compression = stream.compression;
            compression.0[at] = Some(layer);
            let decoder = match layer {
                Layer::Compressed(method) => Decoder::Compressed(Box::new(Decompressor::new(method, stream)?)),
                Layer::Wide(encoding, mark) => {
                    // The mark has told what it had to tell.
                    stream.read_exact(&mut [0; 4][..mark])?;
                    Decoder::Wide(Box::new(Wide::new(stream, encoding)))
                }
                Layer::Table(format) => Decoder::Table(Box::new(Table::new(stream, format))),
                Layer::Painted => Decoder::Painted(Box::new(Painted::new(stream))),
            };
            stream = Self::over(decoder, compression);
            // What comes out of others is text, which may have colours still.
            is_text = !matches!(layer, Layer::Compressed(_));
            if matches!(layer, Layer::Painted) {
                break;
            }
        }
        if let Decoder::Plain(stored) = &mut stream.decoder
            && !hashed
        {
            stored.hash = None;
        }
        Ok(stream)
    }

    /// The layer of a text with colours, if this is one.
    fn painted(&mut self) -> Option<Layer> {
        let head = self.peek(HEAD_BYTES);
        (Binary::of(head).is_none() && painted::recognises(head)).then_some(Layer::Painted)
    }

    fn over(decoder: Decoder<'r>, compression: Compression) -> Self {
        Self { decoder, compression, peeked: Vec::new(), given: 0, failed: None, is_part: false }
    }

    /// The first `wanted` bytes of the content, or all; they will be read all the same.
    pub(crate) fn peek(&mut self, wanted: usize) -> &[u8] {
        let missing = wanted.saturating_sub(self.peeked.len());
        if missing > 0 && self.failed.is_none() {
            let Self { decoder, peeked, .. } = self;
            self.failed = decoder.take(missing as u64).read_to_end(peeked).err();
        }
        &self.peeked[..wanted.min(self.peeked.len())]
    }

    pub(crate) fn open_file(path: &Path) -> Result<Self, LakeError> {
        let file = File::open(path).map_err(LakeError::io("open", path))?;
        Self::new(Box::new(file)).map_err(LakeError::io("read", path))
    }

    pub(crate) fn compression(&self) -> Compression {
        self.compression
    }

    fn stored(&self) -> &Stored<'r> {
        match &self.decoder {
            Decoder::Plain(stored) => stored,
            Decoder::Compressed(compressed) => compressed.stored().stored(),
            Decoder::Wide(wide) => wide.stored().stored(),
            Decoder::Table(table) => table.stored().stored(),
            Decoder::Painted(painted) => painted.stored().stored(),
        }
    }

    fn into_stored(self) -> Stored<'r> {
        match self.decoder {
            Decoder::Plain(stored) => stored,
            Decoder::Compressed(compressed) => compressed.into_stored().into_stored(),
            Decoder::Wide(wide) => wide.into_stored().into_stored(),
            Decoder::Table(table) => table.into_stored().into_stored(),
            Decoder::Painted(painted) => painted.into_stored().into_stored(),
        }
    }

    /// Stored bytes read so far.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.stored().bytes
    }

    /// Reads what is left of the stored bytes, and gives their number and hash;
    /// no hash when the content is the same bytes.
    pub(crate) fn finish(self) -> io::Result<(u64, Option<Sha256>)> {
        let is_part = self.is_part;
        let mut stored = self.into_stored();
        let rest = io::copy(&mut stored, &mut io::sink());
        if !is_part {
            rest?;
        }
        Ok((stored.bytes, stored.hash))
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given < self.peeked.len() {
            let part = buffer.len().min(self.peeked.len() - self.given);
            buffer[..part].copy_from_slice(&self.peeked[self.given..self.given + part]);
            self.given += part;
            return Ok(part);
        }
        self.failed.take().map_or_else(|| self.decoder.read(buffer), Err)
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stored) => stored.read(buffer),
            Self::Compressed(compressed) => compressed.read(buffer),
            Self::Wide(wide) => wide.read(buffer),
            Self::Table(table) => table.read(buffer),
            Self::Painted(painted) => painted.read(buffer),
        }
    }
}

/// A piece of a source that can be decoded apart from the others.
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    pub(crate) start: Position,
    /// The source ends with this chunk.
    pub(crate) last: bool,
    /// Hash of all content before this chunk: with it the place of a reject is told from any other.
    pub(crate) before: Sha256,
    /// What is wrong with this chunk as a whole.
    pub(crate) problem: Option<Problem>,
}

/// Why a chunk is not just a number of whole records.
pub(crate) enum Problem {
    /// It is the beginning of one record of that many bytes.
    TooLong { length: i64 },
    /// The source cannot be read on after it.
    Unreadable { message: String },
    /// It is the beginning of a source of that many bytes that is of a kind which is not opened.
    Closed { what: &'static str, length: i64 },
}

/// What is known of a source when it has been read to its end.
pub(crate) struct Finished {
    pub(crate) stored_bytes: u64,
    pub(crate) sha256: [u8; 32],
    pub(crate) content_bytes: u64,
    pub(crate) content_sha256: [u8; 32],
    /// Position behind the last byte.
    pub(crate) end: Position,
    /// The first [`COPY_HEAD_BYTES`] of the content, or all.
    pub(crate) head: Vec<u8>,
}

/// Cuts the content of a source into chunks.
pub(crate) struct Chunks<'r> {
    stream: Stream<'r>,
    reading: Reading,
    hash: Sha256,
    position: Position,
    /// Content that has been read and not handed out.
    pending: Vec<u8>,
    /// The first bytes of the content, by which a copy of this log is recognised.
    head: Vec<u8>,
    ended: bool,
    /// Why the content could not be read to its end, until it has been reported.
    broken: Option<String>,
    /// The kind of the content, when it is one that is not opened, until it has been reported.
    closed: Option<&'static Closed>,
}

impl<'r> Chunks<'r> {
    /// Begins at the start of the content, which has the shape that is `forced`, else the one that is recognised.
    pub(crate) fn new(stream: Stream<'r>, forced: Option<&'static Shape>) -> Self {
        let mut chunks = Self {
            stream,
            reading: Reading::of(&[]),
            hash: Sha256::new(),
            position: Position::START,
            pending: Vec::with_capacity(CHUNK_BYTES),
            head: Vec::new(),
            ended: false,
            broken: None,
            closed: None,
        };
        chunks.fill(HEAD_BYTES);
        chunks.closed = Binary::of(&chunks.pending).filter(|_| forced.is_none()).and_then(Closed::of);
        chunks.reading = match forced {
            Some(shape) => Reading::forced(shape, &chunks.pending),
            None => Reading::of(&chunks.pending),
        };
        let head = chunks.pending.len().min(COPY_HEAD_BYTES);
        chunks.head = chunks.pending[..head].to_vec();
        chunks
    }

    /// Reads until `wanted` bytes are pending, or the content ends.
    fn fill(&mut self, wanted: usize) {
        let missing = wanted.saturating_sub(self.pending.len());
        if self.ended || missing == 0 {
            return;
        }
        // What was read before an error is in the buffer all the same.
        match self.stream.by_ref().take(missing as u64).read_to_end(&mut self.pending) {
            Ok(read) => self.ended = read < missing,
            Err(error) => {
                self.ended = true;
                self.broken = Some(error.to_string());
            }
        }
    }

    /// Goes on behind a beginning of `bytes` bytes that was read before, with `line` as the next line.
    ///
    /// The beginning is read over, and hashed, so that the hash covers all of the content.
    pub(crate) fn skip(&mut self, bytes: u64, line: i64) -> io::Result<()> {
        let mut left = bytes;
        while left > 0 {
            self.fill(CHUNK_BYTES);
            if self.pending.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter"));
            }
            let part = usize::try_from(left).unwrap_or(usize::MAX).min(self.pending.len());
            self.hash.update(&self.pending[..part]);
            self.pending.drain(..part);
            left -= part as u64;
        }
        self.position = Position { line, offset: i64::try_from(bytes).unwrap_or(i64::MAX) };
        Ok(())
    }

    pub(crate) fn reading(&self) -> Reading {
        self.reading
    }

    /// SHA-256 of the content that has been handed out or skipped, in hex.
    pub(crate) fn sha256_so_far(&self) -> String {
        hex(&self.hash.clone().finalize())
    }

    pub(crate) fn compression(&self) -> Compression {
        self.stream.compression()
    }

    pub(crate) fn stored_bytes(&self) -> u64 {
        self.stream.stored_bytes()
    }

    /// The next chunk; `None` at the end of the content.
    pub(crate) fn next(&mut self) -> Option<Chunk> {
        if let Some(closed) = self.closed.take() {
            return Some(self.closed(closed));
        }
        let mut wanted = CHUNK_BYTES;
        loop {
            self.fill(wanted);
            if self.ended {
                let bytes = std::mem::take(&mut self.pending);
                let problem = self.broken.take().map(|message| Problem::Unreadable { message });
                let nothing = bytes.is_empty() && problem.is_none();
                return (!nothing).then(|| self.chunk(bytes, true, problem));
            }
            let cut = self.reading.cut(&self.pending);
            if cut > 0 {
                let mut rest = Vec::with_capacity(CHUNK_BYTES);
                rest.extend_from_slice(&self.pending[cut..]);
                let mut bytes = std::mem::replace(&mut self.pending, rest);
                bytes.truncate(cut);
                return Some(self.chunk(bytes, false, None));
            }
            if self.pending.len() > MAX_RECORD_BYTES {
                return Some(self.too_long());
            }
            wanted = (self.pending.len() * 2).min(MAX_RECORD_BYTES + CHUNK_BYTES);
        }
    }

    fn chunk(&mut self, bytes: Vec<u8>, last: bool, problem: Option<Problem>) -> Chunk {
        let before = self.hash.clone();
        self.hash.update(&bytes);
        let start = self.position;
        self.position = start.after(&bytes);
        Chunk { bytes, start, last, before, problem }
    }

    /// Reads over a source of a kind that is not opened, keeping its beginning.
    fn closed(&mut self, closed: &'static Closed) -> Chunk {
        let bytes = self.pending[..self.pending.len().min(KEPT_OF_CLOSED_BYTES)].to_vec();
        let (start, before) = (self.position, self.hash.clone());
        while !self.pending.is_empty() {
            self.hash.update(&self.pending);
            self.position = self.position.after(&self.pending);
            self.pending.clear();
            self.fill(CHUNK_BYTES);
        }
        let length = self.position.offset - start.offset;
        Chunk { bytes, start, last: true, before, problem: Some(Problem::Closed { what: closed.what, length }) }
    }

    /// Reads over a record that is too long, keeping its beginning.
    ///
    /// A hole of zeros, as it is left where a log is truncated under the server's hands, ends before its last zero: what stands
    /// behind it is no part of it, and tells by that zero what it stands behind.
    fn too_long(&mut self) -> Chunk {
        let mut bytes = self.pending[..KEPT_OF_TOO_LONG_BYTES].to_vec();
        bytes.shrink_to_fit();
        let is_hole = self.pending[KEPT_OF_TOO_LONG_BYTES..].iter().all(|byte| *byte == 0);
        let mut searched = KEPT_OF_TOO_LONG_BYTES;
        let (start, before) = (self.position, self.hash.clone());
        let mut length = 0;
        loop {
            let (end, part) = if is_hole {
                let end = self.pending[searched..].iter().position(|byte| *byte != 0).map(|zeros| searched + zeros);
                let last = if self.ended { self.pending.len() } else { self.pending.len() - 1 };
                searched = 1;
                match end {
                    // A line of zeros.
                    Some(end) if self.pending[end] == b'\n' => (Some(end), end + 1),
                    _ => (end.map(|end| end - 1), end.map_or(last, |end| end - 1)),
                }
            } else {
                let end = memchr::memchr(b'\n', &self.pending);
                (end, end.map_or(self.pending.len(), |newline| newline + 1))
            };
            length += i64::try_from(end.unwrap_or(part)).unwrap_or(i64::MAX);
            self.hash.update(&self.pending[..part]);
            self.position = self.position.after(&self.pending[..part]);
            self.pending.drain(..part);
            if end.is_some() || self.ended {
                return Chunk { bytes, start, last: self.ended, before, problem: Some(Problem::TooLong { length }) };
            }
            self.fill(CHUNK_BYTES);
        }
    }

    /// Reads what is left of the stored bytes, and sums up.
    pub(crate) fn finish(self) -> io::Result<Finished> {
        let content_sha256 = self.hash.finalize().into();
        let (stored_bytes, hash) = self.stream.finish()?;
        Ok(Finished {
            stored_bytes,
            sha256: hash.map_or(content_sha256, |hash| hash.finalize().into()),
            content_bytes: u64::try_from(self.position.offset).unwrap_or(0),
            content_sha256,
            end: self.position,
            head: self.head,
        })
    }
}

/// SHA-256, in hex, by which a copy of a log is recognised cheaply: that of the first
/// [`COPY_HEAD_BYTES`] of its first `bytes` bytes.
pub(crate) fn head_sha256(head: &[u8], bytes: u64) -> String {
    let length = usize::try_from(bytes).unwrap_or(usize::MAX).min(head.len());
    hex(&Sha256::digest(&head[..length]))
}

#[cfg(test)]
mod tests;

//! Decompression of gzip, zstd, xz and bzip2, each read to its very end: concatenated members, frames and
//! streams are one content, as they are for the tools that write them, and so is what stands behind them uncompressed.

use std::io::{self, BufRead, BufReader, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;

use crate::sources::binary::{Binary, SIGN_BYTES};

/// Longest window of zstd that is decoded, as a power of two: 128 MiB, what `zstd --long` and `-22` write,
/// and what other decoders take without being told.
const MAX_ZSTD_WINDOW_LOG: u32 = 27;

/// Memory for the dictionary of an xz stream, in KiB: `xz -9` needs 65 MiB.
const MAX_XZ_MEMORY_KIB: u32 = 128 * 1024;

/// Stored bytes that are read at once.
const READ_BYTES: usize = 128 * 1024;

/// A way of compressing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

impl Method {
    /// Recognises a compression by how what is stored begins.
    pub(crate) fn of(sign: Binary<'_>) -> Option<Self> {
        Some(match sign.head() {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or one that is to be skipped: pzstd and seekable zstd write them.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            // `BZh` and the level could be text; a block begins with the digits of pi, an empty file with those of its root.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Self::Bzip2,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }
}

/// Stored bytes, of which those that were looked at ahead are read first.
struct Ahead<R> {
    ahead: Vec<u8>,
    given: usize,
    stored: BufReader<R>,
}

impl<R: Read> Ahead<R> {
    /// Looks at the next `wanted` bytes, or all there are.
    fn look(&mut self, wanted: usize) -> io::Result<&[u8]> {
        self.ahead.drain(..self.given);
        self.given = 0;
        let missing = wanted.saturating_sub(self.ahead.len());
        self.stored.by_ref().take(missing as u64).read_to_end(&mut self.ahead)?;
        Ok(&self.ahead)
    }

    /// Reads over zeros, with which tapes and some programs fill up; whether anything follows.
    fn skip_zeros(&mut self) -> io::Result<bool> {
        loop {
            let bytes = self.fill_buf()?;
            if bytes.is_empty() {
                return Ok(false);
            }
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let is_all = zeros == bytes.len();
            self.consume(zeros);
            if !is_all {
                return Ok(true);
            }
        }
    }
}

impl<R: Read> BufRead for Ahead<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.given < self.ahead.len() {
            return Ok(&self.ahead[self.given..]);
        }
        self.stored.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        if self.given < self.ahead.len() {
            self.given += bytes;
        } else {
            self.stored.consume(bytes);
        }
    }
}

impl<R: Read> Read for Ahead<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.fill_buf()?;
        let read = bytes.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// One member, frame or stream of what is stored; or what stands behind it and is not compressed.
enum Part<R: Read> {
    Gzip(Box<GzDecoder<Ahead<R>>>),
    Zstd(zstd::stream::read::Decoder<'static, Ahead<R>>),
    Xz(Box<XzReader<Ahead<R>>>),
    Bzip2(BzDecoder<Ahead<R>>),
    Plain(Ahead<R>),
}

impl<R: Read> Part<R> {
    /// Begins to decompress; gives back what it was to read from when that cannot be.
    fn begin(method: Method, stored: Ahead<R>) -> Result<Self, (Self, io::Error)> {
        Ok(match method {
            Method::Gzip => Self::Gzip(Box::new(GzDecoder::new(stored))),
            Method::Zstd => {
                let begun = zstd::stream::read::Decoder::try_with_buffer(stored);
                let mut decoder = begun.map_err(|(stored, error)| (Self::Plain(stored), error))?.single_frame();
                match decoder.window_log_max(MAX_ZSTD_WINDOW_LOG) {
                    Ok(()) => Self::Zstd(decoder),
                    Err(error) => return Err((Self::Plain(decoder.finish()), error)),
                }
            }
            Method::Xz => Self::Xz(Box::new(XzReader::new_mem_limit(stored, false, MAX_XZ_MEMORY_KIB))),
            Method::Bzip2 => Self::Bzip2(BzDecoder::new(stored)),
        })
    }

    fn stored(&self) -> &Ahead<R> {
        match self {
            Self::Gzip(decoder) => decoder.get_ref(),
            Self::Zstd(decoder) => decoder.get_ref(),
            Self::Xz(decoder) => decoder.inner(),
            Self::Bzip2(decoder) => decoder.get_ref(),
            Self::Plain(stored) => stored,
        }
    }

    fn into_stored(self) -> Ahead<R> {
        match self {
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.finish(),
            Self::Xz(decoder) => decoder.into_inner(),
            Self::Bzip2(decoder) => decoder.into_inner(),
            Self::Plain(stored) => stored,
        }
    }
}

impl<R: Read> Read for Part<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Xz(decoder) => decoder.read(buffer),
            Self::Bzip2(decoder) => decoder.read(buffer),
            Self::Plain(stored) => stored.read(buffer),
        }
    }
}

/// Decompresses what `R` reads.
///
/// Behind a member anything may stand: another one, even of another method, or lines that somebody appended to a
/// compressed log. The latter are content as they are: they are in the file, and nobody else would tell of them.
pub(crate) struct Decompressor<R: Read> {
    /// `None` only while one part gives way to the next.
    part: Option<Part<R>>,
}

impl<R: Read> Decompressor<R> {
    pub(crate) fn new(method: Method, stored: R) -> io::Result<Self> {
        let stored = BufReader::with_capacity(READ_BYTES, stored);
        let part = Part::begin(method, Ahead { ahead: Vec::new(), given: 0, stored });
        Ok(Self { part: Some(part.map_err(|(_, error)| error)?) })
    }

    /// What it reads from.
    pub(crate) fn stored(&self) -> &R {
        match &self.part {
            Some(part) => part.stored().stored.get_ref(),
            None => unreachable!("a part has given way to another"),
        }
    }

    /// What it reads from, behind all that has been read of it.
    pub(crate) fn into_stored(self) -> R {
        match self.part {
            Some(part) => part.into_stored().stored.into_inner(),
            None => unreachable!("a part has given way to another"),
        }
    }

    /// Goes on behind a part that has ended; whether there is more.
    fn next_part(&mut self) -> io::Result<bool> {
        let Some(part) = self.part.take() else { return Ok(false) };
        let is_plain = matches!(part, Part::Plain(_));
        let mut stored = part.into_stored();
        let method = match is_plain {
            true => Ok(None),
            false => behind(&mut stored),
        };
        let (part, result) = match method {
            Ok(Some(Some(method))) => match Part::begin(method, stored) {
                Ok(part) => (part, Ok(true)),
                Err((part, error)) => (part, Err(error)),
            },
            Ok(more) => (Part::Plain(stored), Ok(more.is_some())),
            Err(error) => (Part::Plain(stored), Err(error)),
        };
        self.part = Some(part);
        result
    }
}

/// What stands behind a part: nothing, something compressed by a method, or something that is not compressed.
fn behind<R: Read>(stored: &mut Ahead<R>) -> io::Result<Option<Option<Method>>> {
    Ok(if stored.skip_zeros()? { Some(Binary::of(stored.look(SIGN_BYTES)?).and_then(Method::of)) } else { None })
}

impl<R: Read> Read for Decompressor<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(part) = &mut self.part else { return Ok(0) };
            let read = part.read(buffer)?;
            if read > 0 || buffer.is_empty() || !self.next_part()? {
                return Ok(read);
            }
        }
    }
}

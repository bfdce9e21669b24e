//! Decompression of gzip, zstd, xz and bzip2, each read to its very end: concatenated members, frames and
//! streams are one content, as they are for the tools that write them.

use std::io::{self, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

/// Longest window of zstd that is decoded, as a power of two: 128 MiB, what `zstd --long` and `-22` write,
/// and what other decoders take without being told.
const MAX_ZSTD_WINDOW_LOG: u32 = 27;

/// Memory for the dictionary of an xz stream, in KiB: `xz -9` needs 65 MiB.
const MAX_XZ_MEMORY_KIB: u32 = 128 * 1024;

/// Stored bytes that are read at once.
const READ_BYTES: usize = 128 * 1024;

/// Bytes by which every compression is told; see [`Method::of`].
pub(crate) const MAGIC_BYTES: usize = 10;

/// A way of compressing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

impl Method {
    /// Recognises a compression by the first [`MAGIC_BYTES`] of what is stored.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        Some(match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or one that is to be skipped: pzstd and seekable zstd write them.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            // `BZh` and the level could be text; a block begins with the digits of pi, an empty file with those of its root.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90] => Self::Bzip2,
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

/// Decompresses what `R` reads.
pub(crate) enum Decompressor<R: Read> {
    Gzip(Box<MultiGzDecoder<BufReader<R>>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<R>>),
    Xz(Box<XzReader<BufReader<R>>>),
    Bzip2(MultiBzDecoder<BufReader<R>>),
}

impl<R: Read> Decompressor<R> {
    pub(crate) fn new(method: Method, stored: R) -> io::Result<Self> {
        let stored = BufReader::with_capacity(READ_BYTES, stored);
        Ok(match method {
            Method::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(stored))),
            Method::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(stored)?;
                decoder.window_log_max(MAX_ZSTD_WINDOW_LOG)?;
                Self::Zstd(decoder)
            }
            Method::Xz => Self::Xz(Box::new(XzReader::new_mem_limit(stored, true, MAX_XZ_MEMORY_KIB))),
            Method::Bzip2 => Self::Bzip2(MultiBzDecoder::new(stored)),
        })
    }

    /// What it reads from.
    pub(crate) fn stored(&self) -> &R {
        match self {
            Self::Gzip(decoder) => decoder.get_ref().get_ref(),
            Self::Zstd(decoder) => decoder.get_ref().get_ref(),
            Self::Xz(decoder) => decoder.inner().get_ref(),
            Self::Bzip2(decoder) => decoder.get_ref().get_ref(),
        }
    }

    /// What it reads from, behind all that has been read of it.
    pub(crate) fn into_stored(self) -> R {
        match self {
            Self::Gzip(decoder) => decoder.into_inner().into_inner(),
            Self::Zstd(decoder) => decoder.into_inner().into_inner(),
            Self::Xz(decoder) => decoder.into_inner().into_inner(),
            Self::Bzip2(decoder) => decoder.into_inner().into_inner(),
        }
    }
}

impl<R: Read> Read for Decompressor<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Xz(decoder) => decoder.read(buffer),
            Self::Bzip2(decoder) => decoder.read(buffer),
        }
    }
}

//! Text of two or four bytes a character as UTF-8: Windows PowerShell's `>` writes UTF-16, with a byte order mark; other tools
//! leave that out. What is no character becomes U+FFFD, as it does in the server.

use std::io::{self, Read};

/// Stored bytes that are read at once.
const READ_BYTES: usize = 256 * 1024;

/// How characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf16Le,
    Utf16Be,
    Utf32Le,
    Utf32Be,
}

impl Encoding {
    /// The encoding of a text that begins so, and the length of its byte order mark, if it has one.
    pub(crate) fn of(head: &[u8]) -> Option<(Self, usize)> {
        match head {
            [0xff, 0xfe, 0, 0, ..] => return Some((Self::Utf32Le, 4)),
            [0, 0, 0xfe, 0xff, ..] => return Some((Self::Utf32Be, 4)),
            [0xff, 0xfe, ..] => return Some((Self::Utf16Le, 2)),
            [0xfe, 0xff, ..] => return Some((Self::Utf16Be, 2)),
            _ => (),
        }
        // Logs begin in ASCII: its bytes are told by where the zeros between them stand.
        let is_text = |byte: u8| (b' '..0x7f).contains(&byte) || matches!(byte, b'\t' | b'\r' | b'\n');
        let fits = |width: usize, at: usize| {
            head.len() >= 8
                && head.iter().enumerate().all(|(number, byte)| match number % width == at {
                    true => is_text(*byte),
                    false => *byte == 0,
                })
        };
        let encodings = [(4, 0, Self::Utf32Le), (4, 3, Self::Utf32Be), (2, 0, Self::Utf16Le), (2, 1, Self::Utf16Be)];
        encodings.into_iter().find(|(width, at, _)| fits(*width, *at)).map(|(_, _, encoding)| (encoding, 0))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Utf32Le => "utf-32le",
            Self::Utf32Be => "utf-32be",
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Utf16Le | Self::Utf16Be => 2,
            Self::Utf32Le | Self::Utf32Be => 4,
        }
    }

    /// The number that the bytes of a unit are.
    fn unit(self, bytes: &[u8]) -> u32 {
        let add = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        match self {
            Self::Utf16Be | Self::Utf32Be => bytes.iter().fold(0, add),
            Self::Utf16Le | Self::Utf32Le => bytes.iter().rev().fold(0, add),
        }
    }
}

/// Reads text as UTF-8.
pub(crate) struct Wide<R> {
    inner: R,
    encoding: Encoding,
    /// Bytes that are not decoded yet: a part of a unit, or the first half of a pair.
    undecoded: Vec<u8>,
    /// Text that has not been handed out, and how much of it has.
    text: Vec<u8>,
    given: usize,
}

impl<R: Read> Wide<R> {
    /// `inner` stands behind the byte order mark.
    pub(crate) fn new(inner: R, encoding: Encoding) -> Self {
        Self { inner, encoding, undecoded: Vec::new(), text: Vec::new(), given: 0 }
    }

    pub(crate) fn stored(&self) -> &R {
        &self.inner
    }

    pub(crate) fn into_stored(self) -> R {
        self.inner
    }

    /// Decodes the next bytes of the stream; whether there were any.
    fn refill(&mut self) -> io::Result<bool> {
        let mut bytes = std::mem::take(&mut self.undecoded);
        let read = self.inner.by_ref().take(READ_BYTES as u64).read_to_end(&mut bytes)?;
        let (ended, width) = (read == 0, self.encoding.width());
        let mut units: Vec<u32> = bytes.chunks_exact(width).map(|unit| self.encoding.unit(unit)).collect();
        let mut rest = bytes.len() - bytes.len() % width;
        if !ended && width == 2 && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            units.pop();
            rest -= width;
        }
        self.undecoded = bytes.split_off(rest);
        if ended && !self.undecoded.is_empty() {
            // A part of a unit at the end is no character either.
            self.undecoded.clear();
            units.push(0xfffd);
        }
        self.text = text(&units, width).into_bytes();
        self.given = 0;
        Ok(!ended || !self.text.is_empty())
    }
}

fn text(units: &[u32], width: usize) -> String {
    let unknown = char::REPLACEMENT_CHARACTER;
    if width == 4 {
        return units.iter().map(|unit| char::from_u32(*unit).unwrap_or(unknown)).collect();
    }
    // A unit of two bytes always fits.
    let units = units.iter().map(|unit| u16::try_from(*unit).unwrap_or(0xfffd));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(unknown)).collect()
}

impl<R: Read> Read for Wide<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if !self.refill()? {
                return Ok(0);
            }
        }
        let part = buffer.len().min(self.text.len() - self.given);
        buffer[..part].copy_from_slice(&self.text[self.given..self.given + part]);
        self.given += part;
        Ok(part)
    }
}

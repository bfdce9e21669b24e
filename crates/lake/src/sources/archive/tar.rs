//! Tar, in all its dialects: ustar, GNU, pax and the one of 1979.
//!
//! Headers are read by the crate `tar`; the way from one to the next is our own, because its own keeps a long
//! name in memory however long it is, and gives up at the first damaged header.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, Read};

use ::tar::{EntryType, Header, PaxExtensions};

use super::{Part, Walk};
use crate::ground::error::LakeError;
use crate::sources::binary::Binary;

/// Headers and contents begin at multiples of it.
const BLOCK_BYTES: usize = 512;

/// Longest name of a member that is kept, and longest pax header that is read; no file system has names a tenth as long.
const MAX_EXTENSION_BYTES: u64 = 64 * 1024;

type Block = [u8; BLOCK_BYTES];

/// Whether a file begins with the header of a member: its checksum is right.
pub(super) fn is_header(sign: Binary<'_>) -> bool {
    sign.head().first_chunk::<BLOCK_BYTES>().is_some_and(checksum_fits)
}

/// Whether a block is a header. Every header holds a NUL, so no text is one, whatever it adds up to.
fn is_header_block(block: &Block) -> bool {
    Binary::of(block).is_some_and(is_header)
}

fn checksum_fits(block: &Block) -> bool {
    let header = Header::from_byte_slice(block);
    let field = 148..156;
    // Some old programs summed up signed bytes.
    let sums = block.iter().enumerate().fold((0_i64, 0_i64), |(unsigned, signed), (at, byte)| {
        let byte = if field.contains(&at) { b' ' } else { *byte };
        (unsigned + i64::from(byte), signed + i64::from(byte.cast_signed()))
    });
    header.cksum().is_ok_and(|sum| i64::from(sum) == sums.0 || i64::from(sum) == sums.1)
}

/// What headers before a member say about it.
#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    size_bytes: Option<u64>,
    sparse: bool,
    /// They cannot be understood, so neither can the member.
    unreadable: bool,
}

/// A tar that is read from its beginning to its end.
struct Blocks<'r> {
    archive: &'r mut dyn Read,
    /// Where the next block begins.
    offset: u64,
    broken: Cell<Option<String>>,
    /// A block that was read too early.
    pending: Option<Block>,
}

/// Bytes that belong to no member: from a block that is no header to the next that is one, or is empty.
struct Lost<'b, 'r> {
    blocks: &'b mut Blocks<'r>,
    block: Block,
    length: usize,
    given: usize,
    /// Only the first block.
    is_one: bool,
}

impl Read for Lost<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.length && !self.is_one && self.length == BLOCK_BYTES {
            self.length = 0;
            self.given = 0;
            match self.blocks.next_part() {
                Some((block, BLOCK_BYTES)) if is_empty(&block) || is_header_block(&block) => {
                    self.blocks.put_back(block);
                }
                Some((block, length)) => (self.block, self.length) = (block, length),
                None => (),
            }
        }
        let part = buffer.len().min(self.length - self.given);
        buffer[..part].copy_from_slice(&self.block[self.given..self.given + part]);
        self.given += part;
        Ok(part)
    }
}

fn is_empty(block: &[u8]) -> bool {
    block.iter().all(|byte| *byte == 0)
}

impl Blocks<'_> {
    /// The next block; `None` at the end, and when it cannot be read.
    fn next(&mut self) -> Option<Block> {
        let (block, length) = self.next_part()?;
        if length < BLOCK_BYTES {
            self.broken.set(Some("the archive ends inside of a header".to_owned()));
            return None;
        }
        Some(block)
    }

    /// The next block, and how much of it is there: less than a whole one at the very end.
    fn next_part(&mut self) -> Option<(Block, usize)> {
        if let Some(block) = self.pending.take() {
            self.offset += BLOCK_BYTES as u64;
            return Some((block, BLOCK_BYTES));
        }
        let mut block = [0; BLOCK_BYTES];
        let mut filled = 0;
        while filled < BLOCK_BYTES {
            match self.archive.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return None,
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => {
                    self.broken.set(Some(error.to_string()));
                    return None;
                }
            }
        }
        self.offset += filled as u64;
        Some((block, filled))
    }

    /// Puts the block back that was read last.
    fn put_back(&mut self, block: Block) {
        self.offset -= BLOCK_BYTES as u64;
        self.pending = Some(block);
    }

    /// The beginning of the next `size` bytes; `None` when they are too many to keep.
    fn extension(&mut self, size: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.content(size, &mut |part| _ = part.take(MAX_EXTENSION_BYTES).read_to_end(&mut bytes));
        (size <= MAX_EXTENSION_BYTES).then_some(bytes)
    }

    /// Gives the next `size` bytes to `each`, reads over what it leaves, and the filling up to the next block.
    fn content(&mut self, size: u64, each: &mut dyn FnMut(&mut dyn Read)) {
        let filling = size.next_multiple_of(BLOCK_BYTES as u64) - size;
        let Self { archive, broken, .. } = self;
        let mut part = Part { archive: *archive, left: size, broken };
        each(&mut part);
        // An error is noted by the part; the filling at the very end of a file is left out by some programs.
        let _ = io::copy(&mut part, &mut io::sink());
        if let Some(problem) = broken.take() {
            broken.set(Some(problem));
            return;
        }
        let _ = io::copy(&mut self.archive.take(filling), &mut io::sink());
        self.offset += size + filling;
    }
}

impl Walk<'_> {
    /// Walks a tar. Behind its end another may begin (`cat a.tar b.tar`), and behind damage there may be whole members.
    pub(super) fn tar(&mut self, archive: &mut dyn Read, name: &str, depth: usize) -> Result<(), LakeError> {
        let mut blocks = Blocks { archive, offset: 0, broken: Cell::new(None), pending: None };
        let mut extensions = Extensions::default();
        let mut ended = false;
        self.told = false;
        while let Some((block, length)) = blocks.next_part() {
            if is_empty(&block[..length]) {
                ended = true;
                continue;
            }
            if length < BLOCK_BYTES || !is_header_block(&block) {
                self.lost((block, length), &mut blocks, (name, depth), ended)?;
                if self.stopped {
                    return Ok(());
                }
                continue;
            }
            ended = false;
            self.entry(&block, &mut blocks, &mut extensions, name, depth)?;
            if self.stopped {
                return Ok(());
            }
            if let Some(problem) = blocks.broken.take() {
                self.broken(name, &problem);
                return Ok(());
            }
            // What was told of a member that is whole was about its content.
            self.told = false;
        }
        match blocks.broken.take() {
            Some(problem) => self.broken(name, &problem),
            None if !ended => self.visitor.damaged(name, "the archive breaks off: the mark of its end is missing"),
            None => (),
        }
        Ok(())
    }

    /// Reads what belongs to no member: what stands behind the end of the archive, or a header that is damaged and, until the next
    /// one, what was the content of its member. It is read as a file of its own, so that no byte of it is lost.
    fn lost(
        &mut self,
        (block, length): (Block, usize),
        blocks: &mut Blocks<'_>,
        (archive, depth): (&str, usize),
        ended: bool,
    ) -> Result<(), LakeError> {
        let from = blocks.offset - length as u64;
        // A damaged header is no part of the text behind it. Behind the end of an archive another one may begin with it.
        let mut is_one = block[257..262] == *b"ustar";
        let problem = match ended && !is_one {
            true => format!("bytes behind its end, from byte {from}"),
            false if length < BLOCK_BYTES => "the archive ends inside of a header".to_owned(),
            false => format!("no header of a member at byte {from}"),
        };
        self.visitor.damaged(archive, &problem);
        let mut next = Some((block, length));
        while let Some((block, length)) = next.take() {
            let member = self.next(archive, format!("bytes from {}", blocks.offset - length as u64).as_bytes(), 0);
            let mut lost = Lost { blocks: &mut *blocks, block, length, given: 0, is_one };
            self.rest(&member, &mut lost, depth)?;
            io::copy(&mut lost, &mut io::sink()).map_err(LakeError::io("read", member.name.as_ref()))?;
            if !std::mem::take(&mut is_one) || self.stopped {
                break;
            }
            match blocks.next_part() {
                Some((block, BLOCK_BYTES)) if is_empty(&block) || is_header_block(&block) => blocks.put_back(block),
                found => next = found,
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        block: &Block,
        blocks: &mut Blocks<'_>,
        extensions: &mut Extensions,
        archive: &str,
        depth: usize,
    ) -> Result<(), LakeError> {
        let header = Header::from_byte_slice(block);
        let Ok(size) = header.entry_size() else {
            self.visitor.damaged(archive, &format!("a member without a size at byte {}", blocks.offset - 512));
            return Ok(());
        };
        let kind = header.entry_type();
        match kind {
            EntryType::GNULongName => {
                // The member's own header has the beginning of a name that is too long to be one.
                let name = blocks.extension(size);
                extensions.name = name.map(|name| name.split(|byte| *byte == 0).next().unwrap_or(&name).to_vec());
            }
            EntryType::XHeader => match blocks.extension(size) {
                Some(bytes) => extensions.read(&bytes),
                None => extensions.unreadable = true,
            },
            EntryType::GNULongLink | EntryType::XGlobalHeader => blocks.content(size, &mut |_| ()),
            _ => {
                let Extensions { name, size_bytes, sparse, unreadable } = std::mem::take(extensions);
                let size = size_bytes.unwrap_or(size);
                let name = name.map_or_else(|| header.path_bytes(), Cow::Owned);
                if kind == EntryType::Directory || (kind == EntryType::Regular && name.ends_with(b"/")) {
                    blocks.content(size, &mut |_| ());
                    return Ok(());
                }
                let member = self.next(archive, &name, size);
                let reason = if unreadable { Some("its extended header is too long") } else { odd(kind, sparse) };
                if let Some(reason) = reason {
                    self.visitor.left_out(&member, reason);
                    read_over(block, kind, size, blocks);
                    return Ok(());
                }
                let mut result = Ok(());
                blocks.content(size, &mut |part| result = self.file(&member, part, depth));
                return result;
            }
        }
        Ok(())
    }
}

const SPARSE: &str = "a sparse file; unpack it (`tar -xf`) and ingest that";

/// Why a member of that kind is not read.
fn odd(kind: EntryType, sparse: bool) -> Option<&'static str> {
    Some(match kind {
        _ if sparse => SPARSE,
        EntryType::Regular | EntryType::Continuous => return None,
        EntryType::GNUSparse => SPARSE,
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a link to another member",
        EntryType::Char | EntryType::Block | EntryType::Fifo => "not a regular file",
        _ => "a member of an unknown kind",
    })
}

/// Goes on behind a member that is not read. Links have a size in some archives, but no content.
fn read_over(header: &Block, kind: EntryType, size: u64, blocks: &mut Blocks<'_>) {
    if matches!(kind, EntryType::Symlink | EntryType::Link | EntryType::Char | EntryType::Block | EntryType::Fifo) {
        return;
    }
    // The map of an old sparse file goes on in blocks of its own.
    let mut goes_on = kind == EntryType::GNUSparse && header[482] != 0;
    while goes_on {
        let Some(map) = blocks.next() else { return };
        goes_on = map[504] != 0;
    }
    blocks.content(size, &mut |_| ());
}

impl Extensions {
    fn read(&mut self, pax: &[u8]) {
        for extension in PaxExtensions::new(pax) {
            let Ok(extension) = extension else {
                self.unreadable = true;
                return;
            };
            let value = extension.value_bytes();
            match extension.key_bytes() {
                b"path" => self.name = Some(value.to_vec()),
                b"size" => self.size_bytes = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok()),
                key => self.sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
    }
}

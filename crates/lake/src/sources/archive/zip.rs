//! Zip: what its central directory names, and all the rest of the file.
//!
//! A directory at the end of a file says where members are, and nothing else says that these are all: a member may be in
//! no directory, a whole zip may stand before another, lines may have been appended. So what the directory does not
//! account for is looked through from header to header, and what is none of a zip is read like a member.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use ::zip::read::{Config, ZipFileEntry, read_zipfile_from_stream_with_options};
use ::zip::unstable::read::ZipIterable;
use ::zip::{CompressionMethod, ZipReadOptions};
use flate2::bufread::DeflateDecoder;

use super::Walk;
use crate::ground::error::LakeError;

/// How records of a zip begin, and which they are.
const MEMBER: [u8; 4] = *b"PK\x03\x04";
const DIRECTORY_ENTRY: [u8; 4] = *b"PK\x01\x02";
const DIRECTORY_END: [u8; 4] = *b"PK\x05\x06";
const DIRECTORY_END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const EXTRA_DATA: [u8; 4] = *b"PK\x06\x08";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// Length of the part of a member's header that is always there.
const HEADER_BYTES: u64 = 30;

/// Bytes that are looked through at once for the next record.
const SCAN_BYTES: usize = 64 * 1024;

/// A part of the file: its first byte, and the one behind its last.
type Region = (u64, u64);

impl Walk<'_> {
    /// Walks a zip.
    pub(super) fn zip<R: Read + Seek>(&mut self, zip: &mut R, name: &str, depth: usize) -> Result<(), LakeError> {
        self.told = false;
        let mut known = Vec::new();
        self.zip_directory(zip, name, depth, &mut known)?;
        let Ok(length) = zip.seek(SeekFrom::End(0)) else { return Ok(()) };
        for gap in gaps(known, length) {
            if self.stopped {
                break;
            }
            if let Err(error) = self.zip_gap(zip, gap, name, depth)? {
                self.visitor.damaged(name, &error.to_string());
            }
        }
        Ok(())
    }

    /// Reads the members that the directory names; their regions go to `known`.
    fn zip_directory<R: Read + Seek>(
        &mut self,
        zip: &mut R,
        name: &str,
        depth: usize,
        known: &mut Vec<Region>,
    ) -> Result<(), LakeError> {
        let mut directory = match ZipIterable::try_new(&mut *zip, Config::default()) {
            Ok(directory) => directory,
            Err(error) => {
                self.visitor.damaged(name, &format!("{error}; its members are looked for one by one"));
                return Ok(());
            }
        };
        let files = match directory.files() {
            Ok(files) => files,
            Err(error) => {
                self.visitor.damaged(name, &error.to_string());
                return Ok(());
            }
        };
        while let Some(entry) = files.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.visitor.damaged(name, &format!("its directory cannot be read on: {error}"));
                    return Ok(());
                }
            };
            known.extend(region(files.reader_mut(), &entry));
            if entry.is_dir() {
                continue;
            }
            let member = self.next(name, entry.name_raw(), entry.size());
            if let Some(reason) = odd(entry.is_symlink(), entry.encrypted(), entry.compression()) {
                self.visitor.left_out(&member, &reason);
                continue;
            }
            match entry.with_reader(files.reader_mut(), ZipReadOptions::default()) {
                Ok(mut file) => self.file(&member, &mut file, depth)?,
                Err(error) => self.visitor.damaged(&member.name, &error.to_string()),
            }
            if self.stopped {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks through a part of the file that no directory accounts for.
    fn zip_gap<R: Read + Seek>(
        &mut self,
        zip: &mut R,
        (mut at, end): Region,
        name: &str,
        depth: usize,
    ) -> Result<io::Result<()>, LakeError> {
        macro_rules! io {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(error) => return Ok(Err(error)),
                }
            };
        }
        while at < end && !self.stopped {
            let record = io!(Record::at(zip, at, end));
            at = match record {
                Record::Member(header) => {
                    let (length, is_whole) = io!(header.length(zip, end));
                    self.zip_member(zip, at, &header, is_whole.then_some(length), name, depth)?;
                    let behind = header.content.saturating_add(length).min(end);
                    // What has been tried once is not tried again from the next place: that would take for ever.
                    if is_whole { behind } else { io!(next_record(zip, behind, end)) }
                }
                Record::Other(length) => at.saturating_add(length).min(end),
                Record::None => {
                    let next = io!(next_record(zip, at + 1, end));
                    if io!(holds_anything(zip, (at, next))) {
                        let label = format!("bytes {at} to {next} of the file");
                        let member = self.next(name, label.as_bytes(), next - at);
                        io!(zip.seek(SeekFrom::Start(at)));
                        self.file(&member, &mut zip.take(next - at), depth)?;
                    }
                    next
                }
            };
        }
        Ok(Ok(()))
    }

    /// Reads a member that no directory names, whose header stands at byte `at`; `length` is that of its stored content.
    fn zip_member<R: Read + Seek>(
        &mut self,
        zip: &mut R,
        at: u64,
        header: &Header,
        length: Option<u64>,
        name: &str,
        depth: usize,
    ) -> Result<(), LakeError> {
        if header.name.ends_with(b"/") {
            return Ok(());
        }
        let member = self.next(name, &header.name, header.size);
        let Some(length) = length else {
            self.visitor.left_out(&member, "its length is told nowhere");
            return Ok(());
        };
        if zip.seek(SeekFrom::Start(at)).is_err() {
            return Ok(());
        }
        let mut options = ZipReadOptions::default();
        if header.has_descriptor() {
            options = options.override_compressed_size(length).ignore_crc32(true);
        }
        match read_zipfile_from_stream_with_options(zip, options) {
            Ok(Some(mut file)) => match odd(file.is_symlink(), file.encrypted(), file.compression()) {
                Some(reason) => self.visitor.left_out(&member, &reason),
                None => self.file(&member, &mut file, depth)?,
            },
            Ok(None) => (),
            Err(error) => self.visitor.left_out(&member, &error.to_string()),
        }
        Ok(())
    }
}

/// What stands at a place of a zip.
enum Record {
    Member(Header),
    /// A record of that length about members.
    Other(u64),
    /// Nothing that belongs to a zip.
    None,
}

/// The header of a member.
struct Header {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    /// As the header gives them; both are zero when a descriptor behind the content does.
    stored_size: u64,
    size: u64,
    /// Where its content begins.
    content: u64,
}

impl Record {
    fn at<R: Read + Seek>(zip: &mut R, at: u64, end: u64) -> io::Result<Self> {
        zip.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        zip.by_ref().take((end - at).min(64)).read_to_end(&mut bytes)?;
        let number = |from: usize, length: usize| {
            let bytes = bytes.get(from..from + length)?;
            Some(bytes.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte)))
        };
        let short = |from| number(from, 2).unwrap_or(0);
        Ok(match bytes.first_chunk::<4>() {
            Some(&MEMBER) if bytes.len() >= 30 => return Header::read(zip, at, end, &bytes),
            Some(&DIRECTORY_ENTRY) => Self::Other(46 + short(28) + short(30) + short(32)),
            Some(&DIRECTORY_END) => Self::Other(22 + short(20)),
            Some(&DIRECTORY_END_64) => Self::Other(number(4, 8).unwrap_or(0).saturating_add(12)),
            Some(&LOCATOR_64) => Self::Other(20),
            Some(&EXTRA_DATA) => Self::Other(8 + number(4, 4).unwrap_or(0)),
            Some(&DESCRIPTOR) => {
                // Sizes have four bytes, or eight in a large zip.
                let is_long = bytes.len() > 24 && !bytes[16..].starts_with(b"PK") && bytes[24..].starts_with(b"PK");
                Self::Other(if is_long || bytes.len() == 24 { 24 } else { 16 })
            }
            _ => Self::None,
        })
    }
}

impl Header {
    fn read<R: Read + Seek>(zip: &mut R, at: u64, end: u64, fixed: &[u8]) -> io::Result<Record> {
        let short = |from: usize| u16::from_le_bytes([fixed[from], fixed[from + 1]]);
        let long = |from: usize| u64::from(short(from)) | (u64::from(short(from + 2)) << 16);
        let (name_bytes, extra_bytes) = (u64::from(short(26)), u64::from(short(28)));
        let content = at + HEADER_BYTES + name_bytes + extra_bytes;
        if content > end {
            return Ok(Record::None);
        }
        zip.seek(SeekFrom::Start(at + HEADER_BYTES))?;
        let (mut name, mut extra) = (Vec::new(), Vec::new());
        zip.by_ref().take(name_bytes).read_to_end(&mut name)?;
        zip.by_ref().take(extra_bytes).read_to_end(&mut extra)?;
        let (mut stored_size, mut size) = (long(18), long(22));
        if stored_size == u64::from(u32::MAX)
            && let Some((long_size, long_stored)) = sizes_64(&extra)
        {
            (size, stored_size) = (long_size, long_stored);
        }
        Ok(Record::Member(Self { name, flags: short(6), method: short(8), stored_size, size, content }))
    }

    fn has_descriptor(&self) -> bool {
        self.flags & 8 != 0
    }

    /// Length of its stored content, as far as it could be followed, and whether that is all of it.
    fn length<R: Read + Seek>(&self, zip: &mut R, end: u64) -> io::Result<(u64, bool)> {
        let left = end.saturating_sub(self.content);
        if !self.has_descriptor() || self.stored_size > 0 {
            return Ok((self.stored_size.min(left), true));
        }
        if self.method != 8 {
            return Ok((0, false));
        }
        // What is deflated says itself where it ends.
        zip.seek(SeekFrom::Start(self.content))?;
        let mut decoder = DeflateDecoder::new(BufReader::new(zip.by_ref().take(left)));
        let read = io::copy(&mut decoder, &mut io::sink());
        Ok((decoder.total_in(), read.is_ok()))
    }
}

/// Size and stored size in the extra field of a large member.
fn sizes_64(mut extra: &[u8]) -> Option<(u64, u64)> {
    while let [id_low, id_high, low, high, rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let (field, behind) = rest.split_at_checked(length)?;
        if [*id_low, *id_high] == [1, 0] {
            let (size, stored) = (field.first_chunk::<8>()?, field.get(8..16)?.first_chunk::<8>()?);
            return Some((u64::from_le_bytes(*size), u64::from_le_bytes(*stored)));
        }
        extra = behind;
    }
    None
}

/// The part of the file that a member of the directory takes: its header, its content, and a descriptor without a mark
/// behind it. One with a mark is a record like others.
fn region<R: Read + Seek>(zip: &mut R, entry: &ZipFileEntry<'_>) -> Option<Region> {
    let at = entry.header_start();
    let Ok(Record::Member(header)) = Record::at(zip, at, u64::MAX) else { return None };
    let end = header.content.checked_add(entry.compressed_size())?;
    let mut behind = Vec::new();
    if header.has_descriptor() && zip.seek(SeekFrom::Start(end)).is_ok() {
        zip.by_ref().take(20).read_to_end(&mut behind).ok()?;
    }
    let is_descriptor = behind.starts_with(&entry.crc32().to_le_bytes());
    let is_long = behind.len() == 20 && behind[4..12] == entry.compressed_size().to_le_bytes();
    let descriptor = if is_descriptor { if is_long { 20 } else { 12 } } else { 0 };
    Some((at, end + descriptor))
}

/// What no region covers of a file of that length.
fn gaps(mut known: Vec<Region>, length: u64) -> Vec<Region> {
    known.sort_unstable();
    let (mut gaps, mut at) = (Vec::new(), 0);
    for (begin, end) in known.into_iter().chain([(length, length)]) {
        if begin.min(length) > at {
            gaps.push((at, begin.min(length)));
        }
        at = at.max(end);
    }
    gaps
}

/// Where the next record of a zip begins, from `at` on; the end when there is none.
fn next_record<R: Read + Seek>(zip: &mut R, at: u64, end: u64) -> io::Result<u64> {
    let mut buffer = Vec::new();
    let mut from = at;
    while from < end {
        zip.seek(SeekFrom::Start(from))?;
        buffer.clear();
        zip.by_ref().take((end - from).min(SCAN_BYTES as u64)).read_to_end(&mut buffer)?;
        let is_record = |at: &usize| {
            let mark = buffer.get(*at..*at + 4);
            [MEMBER, DIRECTORY_ENTRY, DIRECTORY_END].iter().any(|record| mark == Some(record))
        };
        if let Some(found) = memchr::memmem::find_iter(&buffer, b"PK").find(is_record) {
            return Ok(from + found as u64);
        }
        if buffer.len() < SCAN_BYTES {
            break;
        }
        // A mark may lie across the border.
        from += (SCAN_BYTES - 3) as u64;
    }
    Ok(end)
}

/// Whether a part of the file is more than zeros, with which some programs fill up.
fn holds_anything<R: Read + Seek>(zip: &mut R, (at, end): Region) -> io::Result<bool> {
    zip.seek(SeekFrom::Start(at))?;
    let mut part = zip.by_ref().take(end - at);
    let mut buffer = vec![0; SCAN_BYTES];
    loop {
        match part.read(&mut buffer)? {
            0 => return Ok(false),
            read if buffer[..read].iter().any(|byte| *byte != 0) => return Ok(true),
            _ => (),
        }
    }
}

/// Why a member is not read.
fn odd(symlink: bool, encrypted: bool, method: CompressionMethod) -> Option<String> {
    match method {
        _ if encrypted => Some("encrypted; unpack it with its password and ingest that".to_owned()),
        _ if symlink => Some("a symbolic link".to_owned()),
        CompressionMethod::Stored
        | CompressionMethod::Deflated
        | CompressionMethod::Deflate64
        | CompressionMethod::Bzip2
        | CompressionMethod::Zstd => None,
        other => Some(format!("compressed by a method that is not supported: {other}")),
    }
}

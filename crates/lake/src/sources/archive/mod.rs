//! Archives: tar and zip, recognised by content, compressed or not, and walked member by member.
//!
//! Nothing is unpacked: members are read where they stand, and their names are only text, so that an
//! absolute name or one with `..` leads nowhere. Members that are compressed are opened, and archives in
//! archives too, to a depth. What cannot be read is told to the [`Visitor`]. A walk is the same whenever the
//! bytes are the same: the number of a member says which one it is.

mod tar;
mod zip;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::ground::error::LakeError;
use crate::ground::hash::hash_all;
use crate::ground::hash::hex;
use crate::ground::names;
use crate::ground::progress::Progress;
use crate::sources::binary::{Binary, SIGN_BYTES};
use crate::sources::content::{Compression, Stream};

/// Archives in archives that are opened: a must-gather in the zip of a ticket has two.
const MAX_ARCHIVE_DEPTH: usize = 3;

/// What is kept in memory of a zip that is inside of something else, before a temporary file takes it.
const SPOOL_MEMORY_BYTES: usize = 8 * 1024 * 1024;

/// Largest zip inside of something else that is read: its directory stands at its end, so it has to be put aside.
const MAX_SPOOL_BYTES: u64 = 16 * 1024 * 1024 * 1024;

/// How members are held together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Tar,
    Zip,
}

impl Format {
    /// The format of an archive that begins so.
    pub(crate) fn of(sign: Binary<'_>) -> Option<Self> {
        match sign.head() {
            // A member, the end of an empty archive, the mark of one that could have been split.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => Some(Self::Zip),
            _ => tar::is_header(sign).then_some(Self::Tar),
        }
    }

    /// The format of what a stream holds, if it is an archive.
    pub(crate) fn of_stream(stream: &mut Stream<'_>) -> Option<Self> {
        Binary::of(stream.peek(SIGN_BYTES)).and_then(Self::of)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tar => "tar",
            Self::Zip => "zip",
        }
    }
}

/// A member of an archive, or of an archive in it.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Number in the walk, counted from 0.
    pub(crate) number: u64,
    /// Its name; behind that of the archive that it is in and a `!`, when that is a member itself.
    pub(crate) name: String,
    /// Size in bytes, as the archive gives it.
    pub(crate) size_bytes: u64,
}

/// What became of a member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visited {
    /// The walk goes on.
    pub(crate) goes_on: bool,
    /// That the member could not be read to its end has been told.
    pub(crate) reported: bool,
}

/// Is told of every member but folders.
pub(crate) trait Visitor {
    /// A file that is no archive.
    fn file(&mut self, member: &Member, content: Stream<'_>) -> Result<Visited, LakeError>;
    /// What belongs to no member, and is no archive: it is evidence whatever it is.
    fn rest(&mut self, member: &Member, content: Stream<'_>) -> Result<Visited, LakeError> {
        self.file(member, content)
    }
    /// A member that is no file, or cannot be opened.
    fn left_out(&mut self, member: &Member, reason: &str);
    /// Part of the archive itself, or of the archive `name` in it, cannot be read.
    fn damaged(&mut self, name: &str, problem: &str);
}

/// What is known of an archive that has been walked.
pub(crate) struct Walked {
    pub(crate) size_bytes: u64,
    /// Hash of the file.
    pub(crate) hash: Sha256,
    pub(crate) compression: Compression,
    pub(crate) format: Format,
}

impl Walked {
    /// SHA-256 of the file, in hex.
    pub(crate) fn sha256(&self) -> String {
        hex(&self.hash.clone().finalize())
    }
}

/// Walks the archive in the file `path`; `None` when it is none.
///
/// Zips inside of something else are put aside in a temporary file in the folder `spool`.
pub(crate) fn walk(
    path: &Path,
    spool: &Path,
    progress: Option<&Progress>,
    visitor: &mut dyn Visitor,
) -> Result<Option<Walked>, LakeError> {
    let failed = |error| LakeError::io("read", path)(error);
    let file = File::open(path).map_err(LakeError::io("open", path))?;
    let mut stream = Stream::hashed(Box::new(Watched { inner: file, progress })).map_err(failed)?;
    let Some(format) = Format::of_stream(&mut stream) else { return Ok(None) };
    let compression = stream.compression();
    let mut walk = Walk { visitor, spool, members: 0, told: false, stopped: false };
    let is_plain_zip = format == Format::Zip && compression.is_none();
    if is_plain_zip {
        drop(stream);
        let file = File::open(path).map_err(LakeError::io("open", path))?;
        walk.zip(&mut io::BufReader::new(Watched { inner: file, progress }), "", 1)?;
        let mut hash = Sha256::new();
        let mut file = File::open(path).map_err(LakeError::io("open", path))?;
        let size_bytes = hash_all(&mut file, &mut hash).map_err(failed)?;
        return Ok(Some(Walked { size_bytes, hash, compression, format }));
    }
    walk.archive(format, &mut stream, "", 1)?;
    let (size_bytes, hash) = stream.finish().map_err(failed)?;
    Ok(Some(Walked { size_bytes, hash: hash.unwrap_or_default(), compression, format }))
}

/// Counts what is read for who shows it, and stops when that is wanted.
struct Watched<'p, R> {
    inner: R,
    progress: Option<&'p Progress>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(progress) = self.progress {
            if progress.is_cancelled() {
                return Err(io::Error::other("interrupted"));
            }
            progress.add_bytes(read as u64);
        }
        Ok(read)
    }
}

impl<R: Seek> Seek for Watched<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// A walk under way.
struct Walk<'v> {
    visitor: &'v mut dyn Visitor,
    spool: &'v Path,
    /// Members seen so far.
    members: u64,
    /// The visitor told of the last member that it could not be read to its end.
    told: bool,
    /// The visitor has seen enough.
    stopped: bool,
}

impl Walk<'_> {
    fn archive(&mut self, format: Format, content: &mut Stream<'_>, name: &str, depth: usize) -> Result<(), LakeError> {
        match format {
            Format::Tar => self.tar(content, name, depth),
            Format::Zip => match self.put_aside(content) {
                Ok(mut zip) => self.zip(&mut zip, name, depth),
                Err(error) => {
                    self.visitor.damaged(name, &error.to_string());
                    Ok(())
                }
            },
        }
    }

    fn put_aside(&self, content: &mut Stream<'_>) -> io::Result<tempfile::SpooledTempFile> {
        let mut zip = tempfile::spooled_tempfile_in(SPOOL_MEMORY_BYTES, self.spool);
        let mut limited = content.take(MAX_SPOOL_BYTES);
        // What was there before an error is a truncated zip, which has whole members too.
        let copied = io::copy(&mut limited, &mut zip);
        if limited.limit() == 0 {
            return Err(io::Error::other(format!(
                "a zip of more than {MAX_SPOOL_BYTES} bytes inside of something else"
            )));
        }
        if copied.is_err() && zip.stream_position()? == 0 {
            copied?;
        }
        zip.rewind()?;
        Ok(zip)
    }

    /// The member that comes next.
    fn next(&mut self, archive: &str, name: &[u8], size_bytes: u64) -> Member {
        let number = self.members;
        self.members += 1;
        let name = names::shown_bytes(name);
        let name = if archive.is_empty() { name } else { format!("{archive}!{name}") };
        Member { number, name, size_bytes }
    }

    /// A member that is a file.
    fn file(&mut self, member: &Member, stored: &mut dyn Read, depth: usize) -> Result<(), LakeError> {
        self.content(member, stored, depth, false)
    }

    /// What belongs to no member.
    fn rest(&mut self, member: &Member, stored: &mut dyn Read, depth: usize) -> Result<(), LakeError> {
        self.content(member, stored, depth, true)
    }

    fn content(
        &mut self,
        member: &Member,
        stored: &mut dyn Read,
        depth: usize,
        is_rest: bool,
    ) -> Result<(), LakeError> {
        self.told = false;
        let mut content = match Stream::part(Box::new(stored)) {
            Ok(content) => content,
            Err(error) => {
                self.visitor.left_out(member, &error.to_string());
                return Ok(());
            }
        };
        match Format::of_stream(&mut content) {
            Some(_) if depth >= MAX_ARCHIVE_DEPTH => {
                let reason = format!("an archive inside of {depth} others: archives are opened to that depth");
                self.visitor.left_out(member, &reason);
            }
            Some(format) => self.archive(format, &mut content, &member.name, depth + 1)?,
            None => {
                let visited = match is_rest {
                    true => self.visitor.rest(member, content)?,
                    false => self.visitor.file(member, content)?,
                };
                self.told = visited.reported;
                self.stopped |= !visited.goes_on;
            }
        }
        Ok(())
    }

    /// The archive cannot be read on, because of `problem`; unless that was told with its last member.
    fn broken(&mut self, archive: &str, problem: &str) {
        if !self.told {
            self.visitor.damaged(archive, problem);
            self.told = true;
        }
    }
}

/// Reads a part of an archive, and takes note when the archive itself cannot be read on.
struct Part<'r> {
    archive: &'r mut dyn Read,
    left: u64,
    broken: &'r Cell<Option<String>>,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let error = match self.archive.read(&mut buffer[..wanted]) {
            Ok(0) => io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends inside of this member"),
            Ok(read) => {
                self.left -= read as u64;
                return Ok(read);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => error,
        };
        self.broken.set(Some(error.to_string()));
        Err(error)
    }
}

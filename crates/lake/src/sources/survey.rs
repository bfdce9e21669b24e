//! What is in the archives among the inputs: which members are audit logs, and which are known already.
//!
//! An archive is walked twice. This first time finds the logs, as [`crate::sources::discover`] does in a folder, so that
//! every log is a source of its own with a number; the second time, in an ingest, they are read.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ground::error::LakeError;
use crate::ground::journal::Scratch;
use crate::ground::progress::Progress;
use crate::sources::archive::{self, Format, Member, Visited, Visitor, Walked};
use crate::sources::content::Stream;
use crate::sources::copies::{Copy, KnownSources};
use crate::sources::discover::Input;
use crate::sources::discover::{LeftOut, NO_LOG};
use crate::table::ledger::Skipped;

/// Members of an archive that are left out and listed one by one; of more only the number is kept.
const MAX_LISTED_MEMBERS: usize = 1000;

/// Logs of one archive that are read: the account of each is kept in memory until the commit.
const MAX_LOGS_IN_ARCHIVE: usize = 200_000;

/// Problems of one archive that are told one by one.
const MAX_PROBLEMS: usize = 20;

/// An input as it is to be read.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) input: Input,
    /// What of it has been read before, when that is known already.
    pub(crate) copy: Option<Copy>,
    /// Where an archive that came through a pipe has been put aside.
    pub(crate) aside: Option<Arc<Path>>,
    /// SHA-256 of an archive whose logs were looked for, in hex.
    pub(crate) sha256: Option<String>,
    /// Logs of an archive that are too many to be read.
    pub(crate) unread: usize,
}

/// Pipes whose beginning has been looked at, by the number of their source.
pub(crate) type Pipes = HashMap<usize, Box<dyn Read + Send>>;

/// Beginning of a pipe that tells whether it is an archive: a block of bzip2 has to be whole to be decompressed.
const PIPE_HEAD_BYTES: u64 = 2 * 1024 * 1024;

/// Takes the place of every archive among `inputs` by its logs and, behind them, itself.
///
/// What is in them and is no log, and archives without any log, go to `skipped`.
///
/// # Errors
/// When an input cannot be opened, or an archive in a pipe not be put aside in `spool`.
pub(crate) fn survey(
    inputs: Vec<Input>,
    skipped: &mut Vec<Skipped>,
    known: &KnownSources,
    spool: &Scratch,
    progress: &Progress,
) -> Result<(Vec<Found>, Pipes), LakeError> {
    let (mut all, mut pipes) = (Vec::with_capacity(inputs.len()), Pipes::new());
    for input in inputs {
        let (path, aside) = match place(&input, spool, &format!("archive-{}", all.len()))? {
            Place::Archive(path) => (path, None),
            Place::Aside(path) => (PathBuf::from(input.name()), Some(Arc::from(path))),
            Place::File => {
                all.push(Found { input, copy: None, aside: None, sha256: None, unread: 0 });
                continue;
            }
            Place::Pipe(pipe) => {
                pipes.insert(all.len(), pipe);
                all.push(Found { input, copy: None, aside: None, sha256: None, unread: 0 });
                continue;
            }
        };
        let mut itself =
            Found { input: Input::Archive(path.clone()), copy: None, aside: aside.clone(), sha256: None, unread: 0 };
        let place: &Path = aside.as_deref().unwrap_or(&path);
        if known.holds_file(place)? {
            all.push(itself);
            continue;
        }
        let mut surveyor = Surveyor::new(known, progress);
        let walked = archive::walk(place, spool.dir(), None, &mut surveyor)?;
        if progress.is_cancelled() {
            return Err(LakeError::Interrupted);
        }
        itself.sha256 = walked.as_ref().map(Walked::sha256);
        itself.unread = surveyor.unread;
        let is_log = !surveyor.logs.is_empty() || surveyor.problems > 0;
        surveyor.list(&input, walked.as_ref(), is_log, skipped);
        if is_log {
            let archive: Arc<Path> = path.into();
            all.extend(surveyor.logs.into_iter().map(|(member, copy)| Found {
                input: Input::Member { archive: Arc::clone(&archive), name: member.name, number: member.number },
                copy: Some(copy),
                aside: None,
                sha256: None,
                unread: 0,
            }));
            all.push(itself);
        }
    }
    Ok((all, pipes))
}

/// Where the bytes of an input are.
enum Place {
    /// In a file that is no archive.
    File,
    Archive(PathBuf),
    /// In an archive that came through a pipe, and has been put aside.
    Aside(PathBuf),
    Pipe(Box<dyn Read + Send>),
}

/// Looks where an input is, and puts an archive that comes through a pipe aside in a file of the name `aside`.
fn place(input: &Input, spool: &Scratch, aside: &str) -> Result<Place, LakeError> {
    let mut pipe: Box<dyn Read + Send> = match input {
        Input::File(path) if path.is_file() => {
            return Ok(if is_archive(path)? { Place::Archive(path.clone()) } else { Place::File });
        }
        Input::File(path) | Input::Archive(path) => Box::new(File::open(path).map_err(LakeError::io("open", path))?),
        Input::Stdin | Input::Member { .. } => Box::new(std::io::stdin()),
    };
    let name = input.name();
    let failed = |error| LakeError::io("read", name.as_ref())(error);
    let mut head = Vec::new();
    pipe.by_ref().take(PIPE_HEAD_BYTES).read_to_end(&mut head).map_err(failed)?;
    if head.is_empty() && *input == Input::Stdin {
        // A pipeline whose first command failed, or no standard input at all: that is no log without events.
        return Err(LakeError::EmptyInput);
    }
    let is_archive = Format::of_stream(&mut Stream::hashed(Box::new(head.as_slice())).map_err(failed)?).is_some();
    let mut whole = io::Cursor::new(head).chain(pipe);
    if !is_archive {
        return Ok(Place::Pipe(Box::new(whole)));
    }
    let (aside, mut file) = spool.create(aside)?;
    io::copy(&mut whole, &mut file).map_err(LakeError::io("write", &aside))?;
    Ok(Place::Aside(aside))
}

/// Whether the file is an archive. Pipes are not looked into, because they can be read only once.
pub(crate) fn is_archive(path: &Path) -> Result<bool, LakeError> {
    Ok(path.is_file() && Format::of_stream(&mut Stream::open_file(path)?).is_some())
}

/// Whether an archive holds a trace of an audit event, or damage that could hide one.
pub(crate) fn archive_holds_events(path: &Path) -> Result<bool, LakeError> {
    let known = KnownSources::default();
    let progress = Progress::default();
    let mut surveyor = Surveyor::new(&known, &progress);
    archive::walk(path, &std::env::temp_dir(), None, &mut surveyor)?;
    Ok(!surveyor.logs.is_empty() || surveyor.problems > 0)
}

struct Surveyor<'k> {
    known: &'k KnownSources,
    progress: &'k Progress,
    logs: Vec<(Member, Copy)>,
    /// Members that are left out, the first of them.
    listed: Vec<(Member, LeftOut)>,
    /// Number and size of the others, by reason and whether they may be logs.
    unlisted: BTreeMap<(Cow<'static, str>, bool), (u64, u64)>,
    files: u64,
    /// It is a workbook.
    is_workbook: bool,
    /// Logs beyond the limit.
    unread: usize,
    problems: u64,
}

impl<'k> Surveyor<'k> {
    fn new(known: &'k KnownSources, progress: &'k Progress) -> Self {
        let (logs, listed, unlisted) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { known, progress, logs, listed, unlisted, files: 0, is_workbook: false, unread: 0, problems: 0 }
    }

    fn leave_out(&mut self, member: &Member, left_out: LeftOut) {
        if self.listed.len() < MAX_LISTED_MEMBERS {
            self.listed.push((member.clone(), left_out));
            return;
        }
        let (members, size_bytes) = self.unlisted.entry((left_out.reason, left_out.may_be_log)).or_default();
        *members += 1;
        *size_bytes = size_bytes.saturating_add(member.size_bytes);
    }

    /// Lists what is left out. An archive that is no log is left out as a whole, but for what nobody could look into.
    fn list(&mut self, archive: &Input, walked: Option<&Walked>, is_log: bool, skipped: &mut Vec<Skipped>) {
        let archive_name = archive.name();
        if !is_log {
            let size_bytes = walked.map_or(0, |walked| walked.size_bytes);
            let (reason, may_be_log) = match self.is_workbook {
                true => (WORKBOOK.to_owned(), true),
                false => (format!("{NO_LOG}: an archive of {} files without one", self.files), false),
            };
            skipped.push(Skipped { name: archive_name.clone(), size_bytes, reason, may_be_log });
        }
        let listed = std::mem::take(&mut self.listed);
        let is_told = |reason: &str| is_log || ![EMPTY, NO_LOG].contains(&reason);
        let listed = listed.into_iter().filter(|(_, left_out)| is_told(&left_out.reason));
        skipped.extend(listed.map(|(member, left_out)| Skipped {
            name: format!("{archive_name}!{}", member.name),
            size_bytes: member.size_bytes,
            reason: left_out.reason.into_owned(),
            may_be_log: left_out.may_be_log,
        }));
        let unlisted = self.unlisted.iter().filter(|((reason, _), _)| is_told(reason));
        skipped.extend(unlisted.map(|((reason, may_be_log), (members, size_bytes))| Skipped {
            name: format!("{archive_name}!…"),
            size_bytes: *size_bytes,
            reason: format!("{members} more members: {reason}"),
            may_be_log: *may_be_log,
        }));
    }
}

const CUT_OFF: &str = "it cannot be read to its end, and there is no trace of an audit event in what can";
const EMPTY: &str = "empty";

/// What a workbook of Excel is left out for.
const WORKBOOK: &str = "a workbook; save the sheet as CSV and ingest that";

/// Members that only such a one has.
const WORKBOOKS: [&str; 2] = ["xl/workbook.xml", "xl/workbook.bin"];

/// Why members are left out that have no content of their own.
const WITHOUT_CONTENT: [&str; 3] = ["a symbolic link", "a link to another member", "not a regular file"];

impl Visitor for Surveyor<'_> {
    fn file(&mut self, member: &Member, content: Stream<'_>) -> Result<Visited, LakeError> {
        self.files += 1;
        self.is_workbook |= WORKBOOKS.contains(&member.name.as_str());
        let looked = self.known.look(content, self.progress);
        match looked.is_log {
            true if self.logs.len() < MAX_LOGS_IN_ARCHIVE => self.logs.push((member.clone(), looked.copy)),
            true => {
                let reason = format!("an audit log, but not read: the archive holds more than {MAX_LOGS_IN_ARCHIVE}");
                self.leave_out(member, LeftOut { reason: reason.into(), may_be_log: true });
                self.unread += 1;
            }
            false if looked.is_broken && !looked.left_out.may_be_log => self.leave_out(member, LeftOut::plain(CUT_OFF)),
            // Must-gathers hold hundreds of empty logs of containers.
            false if looked.is_empty => self.leave_out(member, LeftOut::plain(EMPTY)),
            false => self.leave_out(member, looked.left_out),
        }
        Ok(Visited { goes_on: !self.progress.is_cancelled(), reported: looked.is_broken && looked.is_log })
    }

    fn rest(&mut self, member: &Member, content: Stream<'_>) -> Result<Visited, LakeError> {
        self.files += 1;
        let looked = self.known.look(content, self.progress);
        match self.logs.len() < MAX_LOGS_IN_ARCHIVE {
            true => self.logs.push((member.clone(), looked.copy)),
            false => self.unread += 1,
        }
        Ok(Visited { goes_on: !self.progress.is_cancelled(), reported: looked.is_broken })
    }

    fn left_out(&mut self, member: &Member, reason: &str) {
        // What cannot be looked into can be anything.
        let may_be_log = !WITHOUT_CONTENT.contains(&reason);
        self.leave_out(member, LeftOut { reason: reason.to_owned().into(), may_be_log });
    }

    fn damaged(&mut self, _name: &str, _problem: &str) {
        self.problems += 1;
    }
}

/// What is wrong with an archive as a whole, for its own reject.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    told: Vec<String>,
    more: usize,
}

impl Problems {
    /// What is wrong with an archive that holds more logs than can be read.
    pub(crate) fn unread(logs: usize) -> Self {
        let problem = format!("{logs} of its audit logs are not read: it holds more than {MAX_LOGS_IN_ARCHIVE}");
        Self { told: if logs > 0 { vec![problem] } else { Vec::new() }, more: 0 }
    }

    pub(crate) fn add(&mut self, name: &str, problem: &str) {
        if self.told.len() < MAX_PROBLEMS {
            self.told.push(if name.is_empty() { problem.to_owned() } else { format!("`{name}`: {problem}") });
        } else {
            self.more += 1;
        }
    }

    /// All of them as one text; `None` when there is none.
    pub(crate) fn text(&self) -> Option<String> {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        let all: Vec<&str> = self.told.iter().chain(&more).map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

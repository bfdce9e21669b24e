//! Which files are to be read, and what their paths tell.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kforensic_event::shape;
use walkdir::WalkDir;

use crate::case::{Case, inspect};
use crate::ground::error::LakeError;
use crate::ground::names;
use crate::sources::archive::Format;
use crate::sources::content::Stream;
use crate::sources::doubt::{self, Doubt};
use crate::table::ledger::Skipped;

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// A file in an archive.
    Member {
        /// The archive.
        archive: Arc<Path>,
        /// Its name in there; archives that are members themselves stand before it, with a `!`.
        name: String,
        /// Its number among the members.
        number: u64,
    },
    /// An archive, without the logs that are in it.
    Archive(PathBuf),
}

impl Input {
    /// How messages and the ledger call it.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) | Self::Archive(path) => names::shown(path),
            Self::Member { archive, name, .. } => format!("{}!{name}", names::shown(archive)),
        }
    }

    /// The bytes of its path in hex, when that is not UTF-8; see [`crate::LedgerEntry::path_bytes`].
    pub(crate) fn path_bytes(&self) -> Option<String> {
        match self {
            Self::File(path) | Self::Archive(path) => names::bytes_of(path),
            Self::Stdin | Self::Member { .. } => None,
        }
    }

    /// Size in bytes, when it can be known.
    pub fn size_bytes(&self) -> Option<u64> {
        match self {
            // What is read of an archive is counted with the archive.
            Self::Stdin | Self::Member { .. } => None,
            Self::File(path) | Self::Archive(path) => path.metadata().ok().map(|metadata| metadata.len()),
        }
    }

    /// The host that the path tells, as collectors lay logs out:
    /// `…/<host>/var/log/…` and must-gather's `audit_logs/<component>/<host>-audit-….log.gz`.
    ///
    /// In an archive the path inside of it is asked first.
    pub fn host(&self) -> Option<String> {
        self.paths().into_iter().find_map(host)
    }

    /// The cluster that the path tells: CloudWatch names its log group `/aws/eks/<cluster>/cluster`.
    pub fn cluster(&self) -> Option<String> {
        self.paths().into_iter().find_map(cluster)
    }

    /// The path of the file, from the innermost archive outwards.
    fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Stdin => Vec::new(),
            Self::File(path) | Self::Archive(path) => vec![path],
            Self::Member { archive, name, .. } => name.rsplit('!').map(Path::new).chain([archive.as_ref()]).collect(),
        }
    }
}

fn host(path: &Path) -> Option<String> {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let below_host = parts.windows(3).find(|window| window[1] == "var" && window[2] == "log");
    if let Some([host, ..]) = below_host
        && !["/", ".", "..", "rootfs", "root", "host", "private"].contains(host)
    {
        return Some((*host).to_owned());
    }
    let [.., folder, _component, file] = parts.as_slice() else { return None };
    let host = file.split_once("-audit").map(|(host, _)| host).filter(|host| !host.is_empty());
    (*folder == "audit_logs").then_some(host?.to_owned())
}

fn cluster(path: &Path) -> Option<String> {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let window = parts.windows(4).find(|parts| parts[0] == "aws" && parts[1] == "eks" && parts[3] == "cluster")?;
    Some(window[2].to_owned())
}

/// Finds the inputs that `paths` name: files as they are, folders with all below them, `-` for
/// standard input. In a folder, a file that holds no trace of an audit event is left out and listed;
/// a file that was named is never left out. The case in `own`, which is written to, is no evidence.
///
/// # Errors
/// When a path does not exist or a folder cannot be listed.
pub(crate) fn discover(paths: &[PathBuf], own: Option<&Path>) -> Result<(Vec<Input>, Vec<Skipped>), LakeError> {
    let mut found = Discovery {
        own: own.and_then(|own| own.canonicalize().ok()),
        given: paths.iter().filter_map(|path| path.canonicalize().ok()).collect(),
        inputs: Vec::new(),
        skipped: Vec::new(),
    };
    for path in paths {
        if path.as_os_str() == "-" {
            found.inputs.push(Input::Stdin);
        } else if path.is_dir() {
            found.walk(path)?;
        } else if path.exists() {
            found.inputs.push(Input::File(path.clone()));
        } else {
            return Err(LakeError::no_such_path(path));
        }
    }
    let mut seen = HashSet::new();
    // By the path itself: two names that are no text can look the same.
    found.inputs.retain(|input| match input {
        Input::File(path) => seen.insert(path.clone()),
        _ => seen.insert(PathBuf::from("-")),
    });
    Ok((found.inputs, found.skipped))
}

/// A search under way.
struct Discovery {
    /// The case that is written to.
    own: Option<PathBuf>,
    /// What was given, without links.
    given: Vec<PathBuf>,
    inputs: Vec<Input>,
    skipped: Vec<Skipped>,
}

impl Discovery {
    fn walk(&mut self, folder: &Path) -> Result<(), LakeError> {
        let mut walk = WalkDir::new(folder).sort_by_file_name().into_iter();
        // Files of cases that lie in the folder: they were evidence before they came there.
        let mut of_cases = HashSet::new();
        while let Some(entry) = walk.next() {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(folder).to_owned();
                LakeError::io("list", &path)(error.into())
            })?;
            let (path, kind) = (entry.path(), entry.file_type());
            if of_cases.contains(path) {
                continue;
            }
            let left_out = if kind.is_dir() {
                match self.case_at(path) {
                    CaseFound::Own => {
                        walk.skip_current_dir();
                        Some(LeftOut::plain("a case of kforensic"))
                    }
                    CaseFound::Another(files) => {
                        // What is none of its own is looked at: somebody may have hidden a log there.
                        of_cases.extend(files);
                        Some(LeftOut::plain("a case of kforensic"))
                    }
                    CaseFound::None => None,
                }
            } else if kind.is_symlink() {
                // A link can lead out of the evidence, or to a file that is read already.
                Some(self.link(path)?)
            } else if kind.is_file() {
                let left_out = look_into(path)?;
                if left_out.is_none() {
                    self.inputs.push(Input::File(path.to_owned()));
                }
                left_out
            } else {
                Some(LeftOut::plain("not a regular file"))
            };
            if let Some(LeftOut { reason, may_be_log }) = left_out {
                let size_bytes = entry.metadata().map_or(0, |metadata| metadata.len());
                let name = names::shown(path);
                self.skipped.push(Skipped { name, size_bytes, reason: reason.into_owned(), may_be_log });
            }
        }
        Ok(())
    }

    /// Whether a folder is a case that can be read, and its files then. One that cannot be read is a folder like any.
    fn case_at(&self, path: &Path) -> CaseFound {
        if self.own.is_some() && path.canonicalize().ok() == self.own {
            return CaseFound::Own;
        }
        match Case::open(path).and_then(|case| case.snapshot()) {
            Ok(snapshot) => CaseFound::Another(inspect::files(path, &snapshot)),
            Err(_) => CaseFound::None,
        }
    }

    /// Why a link is left out. Its target is read when it lies in what was given.
    fn link(&self, path: &Path) -> Result<LeftOut, LakeError> {
        let Ok(target) = path.canonicalize() else {
            let reason = "a symbolic link that leads nowhere";
            return Ok(LeftOut { reason: reason.into(), may_be_log: doubt::is_named_like_a_log(path) });
        };
        let is_read = self.given.iter().any(|given| target.starts_with(given));
        if !is_read && target.is_file() && look_into(&target)?.is_none() {
            let reason = "a symbolic link to a log that is not among what was given";
            return Ok(LeftOut { reason: reason.into(), may_be_log: true });
        }
        Ok(LeftOut::plain("a symbolic link"))
    }
}

enum CaseFound {
    None,
    /// The one that is written to.
    Own,
    /// Its files.
    Another(Vec<PathBuf>),
}

/// Why a file is left out.
#[derive(Debug, Clone)]
pub(crate) struct LeftOut {
    pub(crate) reason: Cow<'static, str>,
    pub(crate) may_be_log: bool,
}

impl LeftOut {
    pub(crate) fn plain(reason: &'static str) -> Self {
        Self { reason: reason.into(), may_be_log: false }
    }
}

/// Why a file of a folder is no log; `None` when it holds a trace of an audit event. A log shows one in its first line;
/// other files are read to their end, so that an event behind gigabytes of damage is still found.
fn look_into(path: &Path) -> Result<Option<LeftOut>, LakeError> {
    let mut stream = Stream::open_file(path)?;
    if Format::of_stream(&mut stream).is_some() {
        // What is in it is found out later, member by member.
        return Ok(None);
    }
    let mut traces = TraceFinder::default();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => traces.look(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            // Damaged compression: what it hides cannot be told from here, so the file counts as a log.
            Err(_) => return Ok(None),
        }
        if traces.found() {
            return Ok(None);
        }
    }
    // An empty file hides nothing, and may be a log that has just been rotated.
    let is_empty = path.metadata().is_ok_and(|metadata| metadata.len() == 0);
    Ok((!is_empty).then(|| traces.left_out()))
}

/// Why a file is left out that holds nothing like an audit log.
pub(crate) const NO_LOG: &str = "not an audit log: no trace of an audit event in it";

/// Looks for a trace of an audit event in content that comes piece by piece.
#[derive(Debug, Default)]
pub(crate) struct TraceFinder {
    /// The end of what came before.
    before: Vec<u8>,
    found: bool,
    doubt: Doubt,
}

impl TraceFinder {
    /// Longer than any trace, so that one across two pieces is seen.
    const OVERLAP_BYTES: usize = 64;

    /// Looks at the next piece.
    pub(crate) fn look(&mut self, piece: &[u8]) {
        if self.found {
            return;
        }
        self.before.extend_from_slice(&piece[..piece.len().min(Self::OVERLAP_BYTES)]);
        self.found = shape::mentions_event(&self.before) || shape::mentions_event(piece);
        if !self.found {
            self.doubt.look(&self.before);
            self.doubt.look(piece);
        }
        match piece.last_chunk::<{ Self::OVERLAP_BYTES }>() {
            Some(end) => self.before = end.to_vec(),
            None => _ = self.before.drain(..self.before.len().saturating_sub(Self::OVERLAP_BYTES)),
        }
    }

    /// Whether a trace was in any of them.
    pub(crate) fn found(&self) -> bool {
        self.found
    }

    /// Why what was looked at is left out, when no trace was in it.
    pub(crate) fn left_out(&self) -> LeftOut {
        match self.doubt.reason() {
            Some(reason) => LeftOut { reason: reason.into(), may_be_log: true },
            None => LeftOut::plain(NO_LOG),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_clusters_are_read_from_the_usual_layouts() {
        let host = |path: &str| Input::File(path.into()).host();
        assert_eq!(host("evidence/cp-1/var/log/kubernetes/audit/audit.log").as_deref(), Some("cp-1"));
        assert_eq!(host("/var/log/kubernetes/audit/audit.log"), None);
        assert_eq!(
            host("mg/audit_logs/kube-apiserver/master-0-audit-2024-01-02T03-04-05.678.log.gz").as_deref(),
            Some("master-0")
        );
        assert_eq!(host("audit_logs/kube-apiserver/audit.log"), None);
        assert_eq!(host("some/folder/web-1-audit.log"), None);
        let cluster = Input::File("dump/aws/eks/prod-eu/cluster/000000.gz".into()).cluster();
        assert_eq!(cluster.as_deref(), Some("prod-eu"));
    }
}

//! Which files are to be read, and what their paths tell.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kforensic_event::shape;
use walkdir::WalkDir;

use crate::case::Case;
use crate::ground::error::LakeError;
use crate::sources::archive::Format;
use crate::sources::content::Stream;
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
            Self::File(path) | Self::Archive(path) => path.to_string_lossy().into_owned(),
            Self::Member { archive, name, .. } => format!("{}!{name}", archive.to_string_lossy()),
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
/// a file that was named is never left out.
///
/// # Errors
/// When a path does not exist or a folder cannot be listed.
pub(crate) fn discover(paths: &[PathBuf]) -> Result<(Vec<Input>, Vec<Skipped>), LakeError> {
    let (mut inputs, mut skipped) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(Input::Stdin);
        } else if path.is_dir() {
            walk(path, &mut inputs, &mut skipped)?;
        } else if path.exists() {
            inputs.push(Input::File(path.clone()));
        } else {
            return Err(LakeError::NoSuchPath { path: path.clone() });
        }
    }
    let mut seen = std::collections::HashSet::new();
    inputs.retain(|input| seen.insert(input.name()));
    Ok((inputs, skipped))
}

fn walk(folder: &Path, inputs: &mut Vec<Input>, skipped: &mut Vec<Skipped>) -> Result<(), LakeError> {
    let mut walk = WalkDir::new(folder).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(folder).to_owned();
            LakeError::io("list", &path)(error.into())
        })?;
        let path = entry.path();
        let mut skip = |reason: &str| {
            let size_bytes = entry.metadata().map_or(0, |metadata| metadata.len());
            let name = path.to_string_lossy().into_owned();
            skipped.push(Skipped { name, size_bytes, reason: reason.to_owned() });
        };
        let kind = entry.file_type();
        if kind.is_dir() {
            if Case::is_case(path) {
                skip("a case of kforensic");
                walk.skip_current_dir();
            }
        } else if kind.is_symlink() {
            // A link can lead out of the evidence, or to a file that is read already.
            skip("a symbolic link");
        } else if !kind.is_file() {
            skip("not a regular file");
        } else if holds_audit_events(path)? {
            inputs.push(Input::File(path.to_owned()));
        } else {
            skip("not an audit log: no trace of an audit event in it");
        }
    }
    Ok(())
}

/// Whether a file holds a trace of an audit event. A log shows one in its first line; other files
/// are read to their end, so that an event behind gigabytes of damage is still found.
fn holds_audit_events(path: &Path) -> Result<bool, LakeError> {
    let mut stream = Stream::open_file(path)?;
    if Format::of_stream(&mut stream).is_some() {
        // What is in it is found out later, member by member.
        return Ok(true);
    }
    let mut traces = TraceFinder::default();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = match stream.read(&mut buffer) {
            Ok(0) => return Ok(path.metadata().is_ok_and(|metadata| metadata.len() == 0)),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            // Damaged compression: what it hides cannot be told from here, so the file counts as a log.
            Err(_) => return Ok(true),
        };
        traces.look(&buffer[..read]);
        if traces.found() {
            return Ok(true);
        }
    }
}

/// Looks for a trace of an audit event in content that comes piece by piece.
#[derive(Debug, Default)]
pub(crate) struct TraceFinder {
    /// The end of what came before.
    before: Vec<u8>,
    found: bool,
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
        match piece.last_chunk::<{ Self::OVERLAP_BYTES }>() {
            Some(end) => self.before = end.to_vec(),
            None => _ = self.before.drain(..self.before.len().saturating_sub(Self::OVERLAP_BYTES)),
        }
    }

    /// Whether a trace was in any of them.
    pub(crate) fn found(&self) -> bool {
        self.found
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

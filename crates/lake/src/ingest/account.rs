//! The account of a source, as the ledger keeps it.

use kforensic_event::shape::Position;
use sha2::{Digest, Sha256};

use crate::ground::hash::hex;
use crate::ingest::pipeline::Planned;
use crate::sources::archive::Walked;
use crate::sources::content::{Finished, head_sha256};
use crate::sources::discover::Input;
use crate::table::ledger::{LedgerEntry, Resume};

/// The account of a source without what only reading it tells.
pub(super) fn entry(source: &Planned, compression: &str, shape: &str) -> LedgerEntry {
    LedgerEntry {
        source_id: source.origin.source_id.clone(),
        name: source.input.name(),
        path_bytes: source.input.path_bytes(),
        archive: source.archive.clone(),
        member: match source.input {
            Input::Member { number, .. } => Some(number),
            _ => None,
        },
        compression: compression.to_owned(),
        shape: shape.to_owned(),
        host: source.origin.host.clone(),
        cluster: source.origin.cluster.clone(),
        ..LedgerEntry::default()
    }
}

/// Adds what reading it to its end told.
pub(super) fn fill_in(entry: &mut LedgerEntry, finished: &Finished) {
    entry.size_bytes = finished.stored_bytes;
    entry.sha256 = hex(&finished.sha256);
    entry.content_bytes = finished.content_bytes;
    entry.content_sha256 = hex(&finished.content_sha256);
    entry.resume = Resume {
        bytes: finished.content_bytes,
        line: finished.end.line,
        sha256: entry.content_sha256.clone(),
        head_sha256: head_sha256(&finished.head, finished.content_bytes),
    };
}

/// The account of an archive that has been walked: it has no content of its own.
pub(super) fn finished(walked: Walked) -> Finished {
    Finished {
        stored_bytes: walked.size_bytes,
        sha256: walked.hash.finalize().into(),
        content_bytes: 0,
        content_sha256: Sha256::digest([]).into(),
        end: Position::START,
        head: Vec::new(),
    }
}

//! The case on disk: the only writer of evidence.
//!
//! A case is a folder with one Delta Lake table, `events`, whose transaction log is also the ledger of
//! every source that was read, chained by hashes. An ingest is one commit: after a crash at any
//! instant the case is what it was before, or what it is after, never a mixture. Sources are only
//! read. Readers take the list of files from the log, and never wait for a writer.

mod case;
mod ground;
mod ingest;
mod sources;
mod table;
mod upkeep;

pub use case::dated::{NewDated, keep_dated, read_dated};
pub use case::key::redaction_key;
pub use case::{Case, Writer};
pub use ground::error::LakeError;
pub use ground::progress::Progress;
pub use ingest::{IngestOptions, Report, ingest};
pub use sources::discover::Input;
pub use sources::read_back::{Original, OriginalError, original};
pub use table::ledger::{
    Compacted, DatedFile, KeptOriginal, LedgerEntry, Operation, Pruned, PrunedSource, Redaction, SecretValues, Skipped,
};
pub use table::notes::{Note, Notes, Said};
pub use table::snapshot::{DataFile, RemovedFile, Snapshot};
pub use table::stats::FileStats;
pub use upkeep::audit::{Audited, Fate, audit, manifest, source_at};
pub use upkeep::check::{Checked, Checks, Mismatch, MismatchProblem, check_files};
pub use upkeep::compact::{Compaction, SMALL_FILES_PER_PARTITION, compact};
pub use upkeep::prune::{Pruning, prunable, prune};
pub use upkeep::rewrite::UpkeepOptions;
pub use upkeep::sweep::{GRACE_MS, Swept};
pub use upkeep::verify::{Problem, Verification, verify};

pub mod seen {
    //! What a data file holds, by what an audit policy tells apart, and from where.
    pub use crate::table::seen::{
        LOGIN_DECISION, Marked, REFUSED, RequestKind, SLOT, SLOTS, Seen, Slots, Tally, stage_bit,
    };
    pub use crate::table::seen_sum::SeenInDays;
    pub use crate::table::sent::Sent;
}

/// Version of the layout of the case folder; a case of another version is not opened.
pub const FORMAT_VERSION: u32 = 2;

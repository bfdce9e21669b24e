//! The case on disk: the only writer of evidence.
//!
//! A case is a folder with one Delta Lake table, `events`, whose transaction log is also the ledger of
//! every source that was read, chained by hashes. An ingest is one commit: after a crash at any
//! instant the case is what it was before, or what it is after, never a mixture. Sources are only
//! read. Readers take the list of files from the log, and never wait for a writer.

mod archive;
mod audit;
mod case;
mod compact;
mod copies;
mod decode;
mod decompress;
mod dedup;
mod delta;
mod discover;
mod encode;
mod error;
mod gate;
mod ingest;
mod kept;
mod key;
mod ledger;
mod original;
mod pipeline;
mod prune;
mod rewrite;
mod snapshot;
mod source;
mod staging;
mod stats;
mod survey;
mod sweep;
mod verify;
mod watch;

pub use audit::{Audited, Fate, audit, manifest};
pub use case::{Case, Writer};
pub use compact::{Compacted, Compaction, SMALL_FILES_PER_PARTITION, compact};
pub use discover::{Input, Skipped};
pub use error::LakeError;
pub use ingest::{IngestOptions, Progress, Report, ingest};
pub use kept::KeptOriginal;
pub use ledger::{LedgerEntry, Operation, Redaction, SecretValues};
pub use original::{Original, OriginalError, original};
pub use prune::{Pruned, PrunedSource, Pruning, prunable, prune};
pub use rewrite::UpkeepOptions;
pub use snapshot::{DataFile, RemovedFile, Snapshot};
pub use stats::FileStats;
pub use sweep::{GRACE_MS, Swept};
pub use verify::{Problem, Verification, verify};

/// Version of the layout of the case folder; a case of another version is not opened.
pub const FORMAT_VERSION: u32 = 2;

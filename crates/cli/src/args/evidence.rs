//! The options of commands that fill, keep and check the case.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use kforensic_event::shape::SHAPES;

/// Reads audit logs into the case, in one commit: after an interruption the case is as it was before.
///
/// Nothing is read twice: a log that has grown, was rotated or compressed adds only what is new, and
/// the copy of an event is counted, not stored. A line that is no audit event is kept word for word
/// with its place and the reason. Exit code 1 says that there were such lines.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic ingest /var/log/kubernetes/audit/\n  kforensic ingest evidence.tar.gz --cluster prod --case case-17\n  kubectl logs -n kube-system kube-apiserver-cp1 | kforensic ingest - --host cp1"
)]
pub(crate) struct IngestArgs {
    /// Files, folders (with all below them) or `-` for standard input; plain, compressed (gzip, zstd, xz, bzip2),
    /// or in archives (tar, zip)
    #[arg(required_unless_present = "snapshot", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Keep this snapshot of RBAC as dated evidence: what `kubectl get
    /// clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts -A -o json` printed; can be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot: Vec<PathBuf>,

    /// When the snapshots were taken [default: when each file was written]
    #[arg(long, value_name = "TIME", requires = "snapshot", allow_hyphen_values = true)]
    pub(crate) taken: Option<String>,

    #[command(flatten)]
    pub(crate) labels: Labels,

    #[command(flatten)]
    pub(crate) reading: ReadingArgs,

    /// The shape that all the files have [default: each as its content tells; `kforensic status` says which]
    #[arg(long, value_name = "NAME", value_parser = shapes())]
    pub(crate) shape: Option<String>,

    /// Keep a compressed copy of every source that is read in the case, with all secrets in it
    #[arg(long)]
    pub(crate) keep_originals: bool,

    /// Form of the accounts: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    pub(crate) format: String,

    /// Leave out the triage that follows on a terminal
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// On a terminal, list all the sources, however many, and all that was left out
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// The names of `--shape`, with what they mean.
fn shapes() -> PossibleValuesParser {
    PossibleValuesParser::new(SHAPES.iter().map(|shape| PossibleValue::new(shape.name).help(shape.summary)))
}

/// How the rows of an ingest are labelled.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Labels {
    /// Cluster that the logs come from [default: as their paths tell]
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,

    /// Host that the logs come from [default: as their paths tell]
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
}

/// How logs are read.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ReadingArgs {
    /// Threads to work with [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,

    /// Keep values that are secrets, such as the data of Secrets and tokens, instead of replacing them by keyed hashes
    #[arg(long)]
    pub(crate) keep_secret_values: bool,
}

/// Puts a word and a note on events, for the report and for Timesketch. Notes stand beside the evidence: its fingerprint
/// stays, and each note holds the hash of the one before, so that none can be changed or taken out without notice.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic tag 8a68baa0 --tag exfiltration --note \"all secrets of prod\"\n  kforensic tag 8a68baa0 62ca10be --tag seen\n  kforensic tag"
)]
pub(crate) struct TagArgs {
    /// The events, by audit id
    #[arg(value_name = "AUDIT_ID")]
    pub(crate) audit_ids: Vec<String>,

    /// The word; without one, the notes are listed
    #[arg(long, value_name = "WORD")]
    pub(crate) tag: Option<String>,

    /// What else there is to say
    #[arg(long, value_name = "TEXT", requires = "tag")]
    pub(crate) note: Option<String>,

    /// Who says so [default: the user]
    #[arg(long, value_name = "NAME", requires = "tag")]
    pub(crate) author: Option<String>,
}

/// Shows what the case holds: sources and their accounts, times, counts, files.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kforensic status\n  kforensic status --verbose\n  kforensic status --format json")]
pub(crate) struct StatusArgs {
    /// Also say how the evidence is kept from what a query may try
    #[arg(long)]
    pub(crate) verbose: bool,

    /// Form of the status: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    pub(crate) format: String,
}

/// Checks that the case is what its ledger says, byte for byte: the chain and seals of its log, hash and
/// rows of every file, no file too many, and every source's account.
///
/// Exit code 3 says that something differs; what it is, is named.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic verify\n  kforensic verify --sources /evidence/logs\n  kforensic verify --manifest hashes.txt"
)]
pub(crate) struct VerifyArgs {
    /// Audit the original sources too: every source of the case must be found below these paths,
    /// unchanged and under its name, and no other audit log
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) sources: Vec<PathBuf>,

    /// Check the signature of this report (its `.minisig` beside it) with `--key`, and that it is about this case
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) report: Option<PathBuf>,

    /// Public key of minisign that the report was signed for
    #[arg(long, value_name = "FILE", requires = "report")]
    pub(crate) key: Option<PathBuf>,

    /// Write the sources with size and SHA-256 to this file, as `hashdeep -a -k FILE` reads it
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// Replace the file of `--manifest` when it is there
    #[arg(long, requires = "manifest")]
    pub(crate) force: bool,

    /// Form of the result: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    pub(crate) format: String,
}

/// Merges the small files of every partition into files of the normal size, in one commit. Rows, answers and accounts
/// stay what they are.
///
/// An ingest does the same by itself when it leaves more than 8 small files in a partition.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic compact\n  kforensic --case case-17 compact\n  kforensic compact --format json"
)]
pub(crate) struct CompactArgs {
    #[command(flatten)]
    pub(crate) grace: GraceArgs,

    /// Form of the result: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    pub(crate) format: String,
}

/// Removes all events from before a time, in one commit, and the rejects of sources that are wholly from before.
///
/// What was removed stands in the ledger, by source; `status` shows it and `verify` counts it. The sources
/// stay known: reading them again brings nothing back. A copy of them in another wrapper would.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic prune --before 2026-01-01 --dry-run\n  kforensic prune --before 2026-01-01\n  kforensic prune --before 90d"
)]
pub(crate) struct PruneArgs {
    /// Remove the events of requests received before this time: RFC 3339, a date, or an age such as 30d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) before: String,

    /// Only say what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) grace: GraceArgs,

    /// Form of the result: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    pub(crate) format: String,
}

/// When removed files are deleted.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct GraceArgs {
    /// How long removed files stay for queries that still read them; the next ingest, compact or
    /// prune after that deletes them [default: 1h]
    ///
    /// `0s` deletes them at once: a query that runs meanwhile may fail.
    #[arg(long, value_name = "LENGTH")]
    pub(crate) grace: Option<String>,
}

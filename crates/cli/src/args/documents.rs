//! The options of commands that tell what the case is about.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use kforensic_report::Format;
use kforensic_report::document::{DocumentFormat, Level};

use super::{QueriesArgs, ReadingArgs, TrustArgs, WindowArgs};

/// Forms of a triage that are no formats of answers: the screen, and one finding a line as OCSF has it.
pub(crate) const SCREEN: &str = "screen";
pub(crate) const OCSF: &str = "ocsf";

/// The forms of a triage.
fn triage_forms() -> PossibleValuesParser {
    let formats = Format::ALL.iter().filter(|format| **format != Format::Table).map(|format| format.name());
    PossibleValuesParser::new([SCREEN].into_iter().chain(formats).chain([OCSF]).map(PossibleValue::new))
}

/// Asks all detections, and tells on one screen what the case is about: what is in it, who stands out, what happened,
/// what is left behind, what the log cannot tell, and what to ask next.
///
/// A finding is a detection with rows. Exit code 10 says that there are some at or above `--fail-on`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic triage\n  kforensic triage sample-logs/hardened\n  kforensic triage --since 24h --fail-on high --format jsonl"
)]
pub(crate) struct TriageArgs {
    /// Ingest these paths first: into --case, or else into a temporary case that is removed afterwards
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) window: WindowArgs,

    /// Exit with code 10 when there is a finding at least as bad as this
    #[arg(long, value_name = "LEVEL", value_parser = levels())]
    pub(crate) fail_on: Option<Level>,

    /// Form of the findings: the screen for people, or one row per finding; timesketch has one event per deed [default: as
    /// the name of the output file tells, else screen]
    #[arg(long, value_name = "FORMAT", value_parser = triage_forms())]
    pub(crate) format: Option<String>,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Replace the output file when it is there
    #[arg(long, requires = "output")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    #[command(flatten)]
    pub(crate) reading: ReadingArgs,

    #[command(flatten)]
    pub(crate) queries: QueriesArgs,
}

/// Makes a document of the case: what happened, what cannot be seen, every finding with its evidence, who stands out, the
/// account of the evidence and how to check it. One file, which needs nothing else and no network.
///
/// `--since last-report` goes on where the report of the same template ended: every event is in exactly one of them, also
/// what arrives late. Exit code 0 says that nothing is as bad as `--fail-on`, 10 that something is.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic report -o incident.html\n  kforensic report --template daily --since last-report --fail-on high -o today.md\n  kforensic report --print-template > mine.toml"
)]
pub(crate) struct ReportArgs {
    /// What the report is made of: `incident`, `daily`, or a file of your own
    #[arg(long, value_name = "NAME|FILE", default_value = "incident")]
    pub(crate) template: String,

    /// Print the template, to make one of your own of it
    #[arg(long)]
    pub(crate) print_template: bool,

    /// Form of the report [default: as the name of the output file tells, else html]
    #[arg(long, value_name = "FORMAT", value_parser = document_formats())]
    pub(crate) format: Option<DocumentFormat>,

    /// Write the report to this file instead of standard output; it appears when it is whole
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Replace the report, and what is written beside it, when they are there
    #[arg(long)]
    pub(crate) force: bool,

    /// Ingest these paths into the case first
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) ingest: Vec<PathBuf>,

    /// Write all rows of every finding to this folder, as CSV
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// Write a layer for MITRE's ATT&CK Navigator to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) navigator: Option<PathBuf>,

    /// Only what is new since this JSON report
    #[arg(long, value_name = "FILE")]
    pub(crate) new_since: Option<PathBuf>,

    /// Exit with code 10 when there is a finding at least as bad as this
    #[arg(long, value_name = "LEVEL", value_parser = levels())]
    pub(crate) fail_on: Option<Level>,

    /// Sign the report with this secret key of minisign; the signature stands beside it as FILE.minisig
    #[arg(long, value_name = "KEY")]
    pub(crate) sign: Option<PathBuf>,

    /// Show no progress; what is wrong is told all the same
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Follow this clue in the sections spread, rotate and rbac, as `kforensic spread` takes it; can be given several times
    /// [default: the identities against whom the findings speak most]
    #[arg(long, value_name = "SEED")]
    pub(crate) spread: Vec<String>,

    #[command(flatten)]
    pub(crate) window: WindowArgs,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    #[command(flatten)]
    pub(crate) reading: ReadingArgs,

    #[command(flatten)]
    pub(crate) queries: QueriesArgs,
}

/// The forms of documents by name, each with what it is for the help.
fn document_formats() -> impl TypedValueParser<Value = DocumentFormat> {
    let value = |format: &DocumentFormat| PossibleValue::new(format.name()).help(format.meaning());
    PossibleValuesParser::new(DocumentFormat::ALL.iter().map(value)).try_map(|name| name.parse::<DocumentFormat>())
}

/// The levels by name, the worst first.
fn levels() -> impl TypedValueParser<Value = Level> {
    let names = PossibleValuesParser::new(Level::ALL.map(|level| PossibleValue::new(level.name())));
    names.try_map(|name| Level::of(&name).ok_or("no such level"))
}

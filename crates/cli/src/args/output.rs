//! Where an answer goes, how it looks, and what is said about it.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use kforensic_report::Format;

/// Where the answer goes and how it looks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Form of the answer [default: as the name of the output file tells, else table]
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    pub(crate) format: Option<Format>,

    /// Write the answer to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Replace the output file when it exists already; never a source of the case
    #[arg(short = 'C', long, requires = "output")]
    pub(crate) force: bool,

    /// Table: every row on one line, however wide, instead of fitted to the terminal
    #[arg(long, conflicts_with = "vertical")]
    pub(crate) wide: bool,

    /// Table: every value on a line of its own
    #[arg(long)]
    pub(crate) vertical: bool,

    /// CSV and TSV: write text as it is, even where a spreadsheet would run it as a formula
    ///
    /// Without it, text that begins with = + - @, a tab or a line end gets a ' before it, and on a terminal
    /// control characters are escaped.
    #[arg(long)]
    pub(crate) raw_cells: bool,
}

/// The formats by name, each with what it is for the help.
fn formats() -> impl TypedValueParser<Value = Format> {
    let value = |format: &Format| PossibleValue::new(format.name()).help(format.meaning());
    PossibleValuesParser::new(Format::ALL.iter().map(value)).try_map(|name| name.parse::<Format>())
}

/// What is said about an answer besides its rows.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct WorthArgs {
    /// JSON: an object with the rows, the verdict on them and what they leave out, instead of the rows alone
    #[arg(long)]
    pub(crate) envelope: bool,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,

    /// Show what is trusted as well
    #[arg(long, conflicts_with = "trusted")]
    pub(crate) show_trusted: bool,
}

/// What the user trusts.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TrustArgs {
    /// Leave out what this file trusts [default: trusted.toml in the case, when it is there]
    ///
    /// Each entry has `query`, `reason`, `author`, `until`, and at least one of user, source_ip, user_agent, namespace,
    /// resource, name, verb, impersonated_user, cluster, host. What it hides is counted.
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted: Option<PathBuf>,
}

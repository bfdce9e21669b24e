//! The command line, as `--help` shows it.

mod asking;
mod documents;
mod evidence;
mod output;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::inquiry::args::{CanArgs, ObjectHistoryArgs, RbacArgs, RotateArgs, SpreadArgs, SweepArgs, WhoCanArgs};

pub(crate) use asking::*;
pub(crate) use documents::*;
pub(crate) use evidence::*;
pub(crate) use output::*;

/// Forensics on Kubernetes audit logs: who read which secret, who changed RBAC, who failed to authenticate.
///
/// A case is a folder that `kforensic ingest` fills from audit logs, and that every other command reads.
#[derive(Debug, Parser)]
#[command(name = "kforensic", version, disable_version_flag = true, max_term_width = 100)]
pub(crate) struct CommandLine {
    /// Print the version; with `--verbose` also the commit, DuckDB, the format of a case and the target
    #[arg(short = 'V', long)]
    pub(crate) version: bool,

    /// With `--version`: all that tells one build from another
    #[arg(long, requires = "version")]
    pub(crate) verbose: bool,

    /// The case [default: ./kforensic-case]
    #[arg(long, global = true, value_name = "DIR", env = "KFORENSIC_CASE", hide_env_values = true)]
    pub(crate) case: Option<PathBuf>,

    /// Do not hold the files of the case against their hashes before they answer; the answer says so
    #[arg(long, global = true)]
    pub(crate) no_check: bool,

    /// Show country, autonomous system and organisation behind addresses, by this MaxMind DB of your own, and let SQL ask
    /// `ip_info(address)`; can be given several times
    #[arg(long, global = true, value_name = "FILE.mmdb")]
    pub(crate) geoip: Vec<PathBuf>,

    /// Take this proxy's or load balancer's word for where a request came from: the last address before it counts as the
    /// source, and is marked as asserted; can be given several times
    #[arg(long, global = true, value_name = "ADDRESS|CIDR")]
    pub(crate) proxy: Vec<String>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read audit logs into the case, every line accounted for
    Ingest(IngestArgs),
    /// Tell on one screen what the case is about: who stands out, what happened, what cannot be seen
    Triage(TriageArgs),
    /// Answer a question with a canned query; without a name, list them
    Query(Box<QueryArgs>),
    /// Show what the case can tell and what it cannot, by resource, host and query; or what an audit policy would record
    Coverage(CoverageArgs),
    /// Show an event, and where in the evidence it stands
    Show(ShowArgs),
    /// Run one SQL statement that reads; the evidence cannot be changed by it
    Sql(SqlArgs),
    /// Ask one question after the other at a prompt, or from a script; also plain `kforensic` on a terminal
    Repl(ReplArgs),
    /// Explain the views and their columns; without a name, list them
    Describe(DescribeArgs),
    /// Make a document of the case: HTML, Markdown or JSON, once or day by day
    Report(Box<ReportArgs>),
    /// Find what else an intruder got into, from a clue
    Spread(SpreadArgs),
    /// List what to revoke, remove and replace after a breach
    Rotate(RotateArgs),
    /// Tell who had which rights at a time, and what changed between two
    Rbac(RbacArgs),
    /// List who could do something at a time, and who could come to it
    WhoCan(WhoCanArgs),
    /// List what a user could do at a time
    Can(CanArgs),
    /// Look for indicators of compromise
    Sweep(SweepArgs),
    /// Show the states of an object in time, and who changed what
    ObjectHistory(ObjectHistoryArgs),
    /// Put a word and a note on events, beside the evidence; without a word, list them
    Tag(TagArgs),
    /// Show what the case holds: sources and their accounts, times, counts, files
    Status(StatusArgs),
    /// Check that the case is what its ledger says, byte for byte
    Verify(VerifyArgs),
    /// Merge the small files that many ingests leave, so that queries open fewer
    Compact(CompactArgs),
    /// Remove the events from before a time; the ledger says for ever what was removed
    Prune(PruneArgs),
    /// Serve the case to a program, such as an agent, over the Model Context Protocol; it can only read
    Mcp(McpArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write the pages of all commands into a folder
    Man(ManArgs),
}

/// Asks one question after the other: SQL up to a semicolon, canned queries with `.run NAME`, other commands that begin
/// with a dot. The answer is kept as `last`, so that the next question can ask it.
///
/// In a pipe, `kforensic repl < script.sql` does the lines of the script and stops at the first error, with its exit code.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "Examples:\n  kforensic repl\n  kforensic repl < questions.sql\n  kforensic repl --keep-going < questions.sql"
)]
pub(crate) struct ReplArgs {
    /// In a script, tell errors and go on; the exit code is that of the first one
    #[arg(long)]
    pub(crate) keep_going: bool,

    #[command(flatten)]
    pub(crate) queries: QueriesArgs,
}

/// Serves the case over the Model Context Protocol (MCP) on standard input and output, for agents that help to investigate.
///
/// The tools are triage, coverage, list_queries, query, sql, describe and show. They read, behind the same gate and locks as
/// the commands of those names; every answer has its verdict, its account, and a bound, and says that values of a log are
/// data of whoever wrote into it. A client is told to start `kforensic --case DIR mcp`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kforensic mcp\n  kforensic --case case-17 mcp\n  kforensic mcp --time-limit 120")]
pub(crate) struct McpArgs {
    /// Stop a question that takes longer
    #[arg(long, value_name = "SECONDS", default_value_t = 50)]
    pub(crate) time_limit: u64,

    /// Serve a case that was ingested with --keep-secret-values, whose secrets every answer may then show
    #[arg(long)]
    pub(crate) with_secret_values: bool,

    #[command(flatten)]
    pub(crate) queries: QueriesArgs,
}

/// Prints the completions of a shell, to be put where the shell looks for them.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Prints the manual page, or writes the pages of all commands into a folder.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Folder for the pages of all commands, `kforensic-query.1` and so on
    pub(crate) folder: Option<PathBuf>,
}

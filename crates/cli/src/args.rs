//! The command line, as `--help` shows it.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_complete::ArgValueCompleter;
use kforensic_event::shape::SHAPES;
use kforensic_query::{TimeError, Window, window};
use kforensic_report::Format;
use kforensic_report::document::{DocumentFormat, Level};

use crate::completion;
use crate::inquiry::args::{CanArgs, ObjectHistoryArgs, RbacArgs, RotateArgs, SpreadArgs, SweepArgs, WhoCanArgs};

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

/// Answers a question with a canned query; without a name, lists them. `kforensic query NAME --help` explains one.
///
/// Times are RFC 3339 (`2026-11-21T20:37:00Z`), a date, or an age (`90s 15m 1h 7d 2w`, `m` is minutes).
/// An age counts back from now, or from `--now`; `--now last` is the newest event of the case.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic query secret prod/db-credentials\n  kforensic query rbac-changes --people --since 20:37 --until 20:50\n  kforensic query timeline --where \"user_agent LIKE 'curl%'\" -o timeline.csv"
)]
#[command(disable_help_flag = true)]
pub(crate) struct QueryArgs {
    /// Name of the query, such as secret-reads
    #[arg(add = ArgValueCompleter::new(completion::queries))]
    pub(crate) name: Option<String>,

    /// Whom or what it is about, for those that are about one: `actor bob`, `ip 10.0.0.7`, `secret prod/db`
    #[arg(add = ArgValueCompleter::new(completion::value))]
    pub(crate) value: Option<String>,

    /// List the queries about some words: in name, title or question, a resource, technique, group, kind or severity
    #[arg(long, value_name = "WORDS", conflicts_with = "name")]
    pub(crate) search: Option<String>,

    /// List the queries with the rows that each has in the case, and for whom
    #[arg(long, conflicts_with_all = ["name", "parameters", "limit", "show_sql", "explain", "envelope"])]
    pub(crate) hits: bool,

    #[command(flatten)]
    pub(crate) filter: FilterArgs,

    /// A parameter of the query's own, as its help lists them
    #[arg(short, long = "parameter", value_name = "NAME=VALUE", value_parser = assignment,
        add = ArgValueCompleter::new(completion::parameter))]
    pub(crate) parameters: Vec<(String, String)>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) worth: WorthArgs,

    /// Print the statement with its values, but without --limit, instead of running it; `kforensic sql` runs it
    #[arg(long, conflicts_with = "from")]
    pub(crate) show_sql: bool,

    /// Tell below the answer which part of the case it was read from: files, bytes and rows
    #[arg(long)]
    pub(crate) explain: bool,

    /// Ingest these paths first: into --case, or else into a temporary case that is removed afterwards
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) from: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) reading: ReadingArgs,

    #[command(flatten)]
    pub(crate) queries: QueriesArgs,

    /// Explain the query; without a name, this command
    #[arg(short, long)]
    pub(crate) help: bool,
}

/// Asks one question after the other: SQL up to a semicolon, canned queries with `.run NAME`, other commands that begin
/// with a dot. The answer is kept as `last`, so that the next question can ask it.
///
/// In a pipe, `kforensic repl < script.sql` does the lines of the script and stops at the first error, with its exit code.
#[derive(Debug, Default, Args)]
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

/// Where queries come from, besides the program.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct QueriesArgs {
    /// Folder with queries of your own, one .sql file each
    #[arg(long, value_name = "DIR", env = "KFORENSIC_QUERIES", hide_env_values = true)]
    pub(crate) queries: Option<PathBuf>,
}

/// Splits `name=value`.
fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a parameter is given as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Runs one SQL statement on the views of the case, such as `requests`, `events`, `rejects` and `sources`.
///
/// The SQL is DuckDB's. SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE, SHOW, EXPLAIN and EXPLAIN ANALYZE are run;
/// what writes, loads, attaches, reads files or changes settings is refused. `SHOW TABLES` lists the views, and
/// `DESCRIBE requests` the columns of one. Times are UTC.
///
/// A condition on `event_time` or `resource` that stands in the WHERE clause by itself spares the files that it
/// excludes.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic sql \"SELECT user_name, count(*) FROM requests GROUP BY 1 ORDER BY 2 DESC\"\n  kforensic sql \"SHOW TABLES\"\n  kforensic sql -f question.sql --format jsonl"
)]
pub(crate) struct SqlArgs {
    /// The statement; `-`, or nothing in a pipe, reads it from standard input
    #[arg(value_name = "SQL", conflicts_with = "file")]
    pub(crate) sql: Option<String>,

    /// Read the statement from this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// At most this many rows: the first, in the statement's own order; it ends there
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What narrows a canned query.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    /// Only requests received at this time or later
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,

    /// Only requests received before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,

    /// What ages count back from: a time, or `last` for the newest event [default: the present]
    #[arg(long, value_name = "TIME|last")]
    pub(crate) now: Option<String>,

    /// Only requests that this user sent
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(completion::of_case("user")))]
    pub(crate) user: Option<String>,

    /// Only requests in this namespace
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(completion::of_case("namespace")))]
    pub(crate) namespace: Option<String>,

    /// Only requests on this resource, in the plural, such as secrets
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(completion::of_case("resource")))]
    pub(crate) resource: Option<String>,

    /// Only requests on objects of this name
    #[arg(id = "object_name", long = "name", value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Only requests with this verb, such as get or create
    #[arg(long, value_name = "VERB", add = ArgValueCompleter::new(completion::of_case("verb")))]
    pub(crate) verb: Option<String>,

    /// Only requests from this address or network, or said to be, such as 10.0.0.0/8
    #[arg(long, value_name = "ADDRESS|CIDR", add = ArgValueCompleter::new(completion::of_case("source_ip")))]
    pub(crate) source_ip: Option<String>,

    /// Only requests with this outcome
    #[arg(long, value_name = "OUTCOME", value_parser = ["allowed", "denied", "failed", "unknown"])]
    pub(crate) outcome: Option<String>,

    /// Only logs of this cluster
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(completion::of_case("cluster")))]
    pub(crate) cluster: Option<String>,

    /// Only logs of this host
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(completion::of_case("host")))]
    pub(crate) host: Option<String>,

    /// Only requests of people, and of whom the log does not tell: no service accounts, nodes and components
    #[arg(long)]
    pub(crate) people: bool,

    /// Only requests for which this SQL condition holds, such as "user_agent LIKE 'curl%'"
    #[arg(long = "where", value_name = "EXPR", allow_hyphen_values = true)]
    pub(crate) condition: Option<String>,

    /// At most this many rows: the newest, newest last
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
}

impl FilterArgs {
    /// The window, and what its ages count from.
    pub(crate) fn window(&self, clock: i64, newest: Option<i64>) -> Result<(Window, i64), TimeError> {
        window::asked(self.since.as_deref(), self.until.as_deref(), self.now.as_deref(), clock, newest)
    }

    /// The filters that are given, by the names of their parameters.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = [
            ("since", &self.since),
            ("until", &self.until),
            ("user", &self.user),
            ("namespace", &self.namespace),
            ("resource", &self.resource),
            ("name", &self.name),
            ("verb", &self.verb),
            ("source_ip", &self.source_ip),
            ("outcome", &self.outcome),
            ("cluster", &self.cluster),
            ("host", &self.host),
        ];
        let people = self.people.then_some(("people", "true"));
        all.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?))).chain(people)
    }
}

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

/// Forms of a triage that are no formats of answers: the screen, and one finding a line as OCSF has it.
pub(crate) const SCREEN: &str = "screen";
pub(crate) const OCSF: &str = "ocsf";

/// The forms of a triage.
fn triage_forms() -> PossibleValuesParser {
    let formats = Format::ALL.iter().filter(|format| **format != Format::Table).map(|format| format.name());
    PossibleValuesParser::new([SCREEN].into_iter().chain(formats).chain([OCSF]).map(PossibleValue::new))
}

/// What is said about an answer besides its rows.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct WorthArgs {
    /// JSON: an object with the rows, the verdict on them and what they leave out, instead of the rows alone
    #[arg(long)]
    pub(crate) envelope: bool,

    /// Leave out what this file trusts [default: trusted.toml in the case, when it is there]
    ///
    /// Each entry has `query`, `reason`, `author`, `until`, and at least one of user, source_ip, user_agent, namespace,
    /// resource, name, verb, impersonated_user, cluster, host. What it hides is counted.
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted: Option<PathBuf>,

    /// Show what is trusted as well
    #[arg(long, conflicts_with = "trusted")]
    pub(crate) show_trusted: bool,
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
    pub(crate) reading: ReadingArgs,

    #[command(flatten)]
    pub(crate) queries: QueriesArgs,
}

/// The forms of documents by name, each with what it is for the help.
fn document_formats() -> impl TypedValueParser<Value = DocumentFormat> {
    let value = |format: &DocumentFormat| PossibleValue::new(format.name()).help(format.meaning());
    PossibleValuesParser::new(DocumentFormat::ALL.iter().map(value)).try_map(|name| name.parse::<DocumentFormat>())
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

/// Which part of the case is asked about.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Window")]
pub(crate) struct WindowArgs {
    /// Only requests received at this time or later
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,

    /// Only requests received before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,

    /// What ages count back from: a time, or `last` for the newest event [default: the present]
    #[arg(long, value_name = "TIME|last")]
    pub(crate) now: Option<String>,

    /// Only logs of this cluster
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,

    /// Only logs of this host
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
}

impl WindowArgs {
    /// The labels that are given, by the names of their parameters.
    pub(crate) fn labels(&self) -> Vec<(String, String)> {
        let all = [("cluster", &self.cluster), ("host", &self.host)];
        all.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.clone()?))).collect()
    }
}

/// The levels by name, the worst first.
fn levels() -> impl TypedValueParser<Value = Level> {
    let names = PossibleValuesParser::new(Level::ALL.map(|level| PossibleValue::new(level.name())));
    names.try_map(|name| Level::of(&name).ok_or("no such level"))
}

/// Shows what the case holds: sources and their accounts, times, counts, files.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Also say how the evidence is kept from what a query may try
    #[arg(long)]
    pub(crate) verbose: bool,

    /// Form of the status: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    pub(crate) format: String,
}

/// Shows what the case can tell and what it cannot: levels and stages of every resource, how whole the log of every host
/// is, and what each query could see.
///
/// With `--policy` it evaluates an audit policy as the API server does: what each rule wrote of this case, which queries it
/// would blind, and which rules would mend that. Without a case the policy is judged alone.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic coverage\n  kforensic coverage --gap 5m\n  kforensic coverage --policy audit-policy.yaml"
)]
pub(crate) struct CoverageArgs {
    /// Shortest pause of a host that is told, when it is also ten times as long as its pauses usually are
    #[arg(long, value_name = "LENGTH", default_value = crate::command::coverage::GAP)]
    pub(crate) gap: String,

    /// Evaluate this audit policy
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// Form of the answer: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    pub(crate) format: String,

    #[command(flatten)]
    pub(crate) queries: QueriesArgs,
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

/// Shows the events with an audit id, and where they stand: source, hash, line, bytes.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic show 8a68baa0\n  kforensic show 8a68baa0 --raw\n  kforensic show 8a68baa0 --stage ResponseComplete"
)]
pub(crate) struct ShowArgs {
    /// The audit id, as queries give it, or its beginning
    pub(crate) audit_id: String,

    /// Only the event of this stage, such as ResponseComplete
    #[arg(long, value_name = "STAGE")]
    pub(crate) stage: Option<String>,

    /// Print the original bytes, read back from the source after checking its hash
    ///
    /// When the source is gone or has changed, the event is rebuilt from the case instead, and the exit code is 3.
    #[arg(long)]
    pub(crate) raw: bool,
}

/// Explains what a row of a view is and what its columns mean; without a name, lists the views.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kforensic describe\n  kforensic describe requests\n  kforensic describe --format json"
)]
pub(crate) struct DescribeArgs {
    /// Name of the view, such as requests
    pub(crate) view: Option<String>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
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

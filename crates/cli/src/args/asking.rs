//! The options of commands that ask the case.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCompleter;
use kforensic_query::{TimeError, Window, window};

use super::{OutputArgs, ReadingArgs, WorthArgs};
use crate::completion;

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

/// When what is asked about happened.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TimesArgs {
    /// Only requests received at this time or later
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,

    /// Only requests received before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) until: Option<String>,

    /// What ages count back from: a time, or `last` for the newest event [default: the present]
    #[arg(long, value_name = "TIME|last")]
    pub(crate) now: Option<String>,
}

impl TimesArgs {
    /// The window, and what its ages count from: `now`, else `clock`.
    pub(crate) fn window(&self, clock: i64, newest: Option<i64>) -> Result<(Window, i64), TimeError> {
        window::asked(self.since.as_deref(), self.until.as_deref(), self.now.as_deref(), clock, newest)
    }

    /// Says what is wrong with it as far as that shows before a case is read.
    pub(crate) fn check(&self, clock: i64) -> Result<(), TimeError> {
        window::check(self.since.as_deref(), self.until.as_deref(), self.now.as_deref(), clock)
    }

    /// Whether it takes a case to tell what its times mean.
    pub(crate) fn rest_on_case(&self) -> bool {
        [&self.since, &self.until, &self.now].into_iter().flatten().any(|text| window::rests_on_case(text))
    }
}

/// What narrows a canned query.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    #[command(flatten)]
    pub(crate) times: TimesArgs,

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
        self.times.window(clock, newest)
    }

    /// The filters that are given, by the names of their parameters.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = [
            ("since", &self.times.since),
            ("until", &self.times.until),
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

/// Which part of the case is asked about.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Window")]
pub(crate) struct WindowArgs {
    #[command(flatten)]
    pub(crate) times: TimesArgs,

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

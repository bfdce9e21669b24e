//! Errors of commands: a message that says what happened, a hint that says what to do, an exit code.

use std::path::{Path, PathBuf};

use kforensic_event::RebuildError;
use kforensic_lake::LakeError;
use kforensic_query::catalogue::ValueError;
use kforensic_query::describe::UnknownView;
use kforensic_query::policy::PolicyError;
use kforensic_query::trust::TrustError;
use kforensic_query::{CatalogueError, FolderError, QueryError, Refusal, TimeError, UnknownQuery, library};
use kforensic_report::{Format, ReportError};
use thiserror::Error;

use crate::interrupt;
use crate::message;
use crate::repl::ReplError;

/// Why a command did not do what it was asked.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Lake(#[from] LakeError),
    #[error("the logs are ingested, but small files of the case could not be merged: {0}")]
    Upkeep(LakeError),
    #[error(transparent)]
    Query(QueryError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("cannot {action} `{path}`: {source}")]
    Output { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("`{path}` lies in the case, and evidence is never overwritten")]
    OutputInCase { path: PathBuf },
    #[error("`{path}` is the source `{source_name}` of the case, and evidence is never overwritten")]
    OutputIsSource { path: PathBuf, source_name: String },
    #[error("`{path}` exists already")]
    OutputExists { path: PathBuf },
    #[error("the manifest cannot name `{name}`: a line of it is no place for such a name")]
    ManifestName { name: String },
    #[error("`{path}` ends in `.{extension}`, which is no format that an answer can be written in")]
    UnknownExtension { path: PathBuf, extension: String },
    #[error("`{path}` ends in `.{extension}`, which is no form of a report")]
    UnknownReport { path: PathBuf, extension: String },
    #[error("`{option}` makes a difference to {wanted} only, and the answer is written as {format}")]
    NotForFormat { option: &'static str, wanted: &'static str, format: Format },
    #[error("Timesketch would not take `{path}`: the name must end in `.{extension}`")]
    TimesketchName { path: PathBuf, extension: &'static str },
    #[error("{format} is not text, and the output is a terminal")]
    BinaryOnTerminal { format: Format },
    #[error("the case cannot be made for a moment in `{path}`: {source}")]
    TemporaryCase { path: PathBuf, source: std::io::Error },
    #[error("no temporary folder can be made in `{path}`: {source}")]
    Spill { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error("`{path}` is no audit policy: {source}")]
    Policy { path: PathBuf, source: PolicyError },
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("the case has no event with audit id `{audit_id}`{}", stage.as_ref().map(|stage| format!(" of stage `{stage}`")).unwrap_or_default())]
    NoEvent { audit_id: String, stage: Option<String> },
    #[error("the audit ids of several events begin with `{prefix}`: {}", ids.join(", "))]
    ManyEvents { prefix: String, ids: Vec<String> },
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
    #[error("no query is named, only paths")]
    NoQuery,
    #[error("no query is about `{word}`")]
    NoQueryAbout { word: String },
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("no statement is given")]
    NoStatement,
    #[error("the template `{name}` cannot be used: {problem}")]
    Template { name: String, problem: String },
    #[error("`{path}` is no report to compare with: {problem}")]
    NoReport { path: PathBuf, problem: String },
    #[error("a report since the last one has no end in time")]
    UntilSinceReport,
    #[error("there is no file to sign")]
    NothingToSign,
    #[error("`{path}` cannot be used to sign or to check a signature: {problem}")]
    Key { path: PathBuf, problem: String },
    #[error("no event is named")]
    NothingToTag,
    #[error("cannot read `{path}`: {source}")]
    Input { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    UnknownQuery(#[from] UnknownQuery),
    #[error(transparent)]
    UnknownView(#[from] UnknownView),
    #[error(transparent)]
    Time(#[from] TimeError),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error(transparent)]
    Repl(#[from] ReplError),
    #[error("line {line}{}: {source}", path.as_ref().map(|path| format!(" of `{}`", path.display())).unwrap_or_default())]
    Line { line: usize, path: Option<PathBuf>, source: Box<CliError> },
    #[error(transparent)]
    Seed(#[from] kforensic_trace::spread::SeedError),
    #[error("`{path}` is no snapshot of RBAC: {source}")]
    Snapshot { path: PathBuf, source: kforensic_trace::rbac::SnapshotError },
    #[error(transparent)]
    Places(#[from] kforensic_query::places::PlacesError),
    #[error("`--proxy`: {0}")]
    Proxy(#[from] kforensic_query::proxies::NoNetwork),
    #[error("{problem}")]
    Form { problem: String },
    #[error(
        "the case keeps secret values of {sources} sources as they were logged, and a program that asks would see them"
    )]
    SecretValues { sources: usize },
    #[error("{problem}")]
    Argument { problem: String },
    #[error("the question took longer than {seconds} seconds, and was stopped")]
    TooLong { seconds: u64 },
    #[error("the client and this program do not understand one another: {problem}")]
    Protocol { problem: String },
    #[error("interrupted")]
    Interrupted,
}

impl From<QueryError> for CliError {
    fn from(error: QueryError) -> Self {
        match error {
            // A query ends when its rows cannot be written: why is what the user needs to know.
            QueryError::Sink(source) => match source.downcast::<ReportError>() {
                Ok(report) => Self::Report(*report),
                Err(source) => Self::Query(QueryError::Sink(source)),
            },
            error => Self::Query(error),
        }
    }
}

impl CliError {
    /// Whether it quotes files of the user's own, over several lines, and nothing from the evidence.
    pub(crate) fn is_about_own_text(&self) -> bool {
        matches!(self, Self::Catalogue(_) | Self::Folder(_))
    }

    /// What the user can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Repl(error) => return error.hint(),
            Self::Line { source, .. } => return source.hint(),
            Self::Lake(LakeError::NoSuchPath { path }) => return no_such_path(path),
            Self::Lake(LakeError::NothingToRead { first: Some((name, reason)), .. }) => {
                return Some(format!("`{}` may be a log: {reason}", message::named(name)));
            }
            Self::Lake(error) | Self::Upkeep(error) => return lake_hint(error).map(str::to_owned),
            Self::ManifestName { .. } => "`kforensic status --format json` lists all sources with their hashes",
            Self::UnknownExtension { .. } => {
                let known: Vec<String> = Format::extensions().map(|extension| format!(".{extension}")).collect();
                return Some(format!("choose one of {}, or name the format with `--format`", known.join(" ")));
            }
            Self::Policy { source, .. } => return policy_hint(source),
            Self::ManyEvents { .. } => "give more of it",
            Self::NoEvent { .. } => "audit ids stand in the last column of most answers",
            Self::Trust(_) => {
                "an entry begins with `[[trusted]]` and has `query`, `reason`, `author`, `until`, and whom or what it trusts"
            }
            Self::NoQueryAbout { .. } => "`kforensic query` lists all",
            Self::NoQuery => "the name comes first: `kforensic query NAME --from PATH…`",
            Self::Folder(FolderError::Taken { .. }) => "give the file another name",
            Self::Folder(FolderError::Refused { source, .. }) => return source.hint().map(str::to_owned),
            Self::Folder(_) => "queries/ of the source tree shows how a query is written",
            Self::Query(QueryError::UnknownParameter { query, near, .. }) => {
                return Some(unknown_parameter(query, near));
            }
            Self::Query(QueryError::UnknownView { query, views, .. }) => {
                return Some(match views.is_empty() {
                    true => format!("`{query}` has one view only; leave `-p view=…` out"),
                    false => format!(
                        "it has {}",
                        views.iter().map(|view| format!("`-p view={view}`")).collect::<Vec<_>>().join(", ")
                    ),
                });
            }
            Self::Query(QueryError::NoValue { query, value, takes }) => {
                return Some(no_value(query, value, takes.as_deref()));
            }
            Self::Value(ValueError::Resource { .. }) => "give `--resource pods --where \"subresource = 'exec'\"`",
            Self::UnknownView(unknown) => {
                let list = "`kforensic describe` lists all".to_owned();
                return Some(
                    unknown.near.first().map_or(list.clone(), |near| format!("did you mean `{near}`? {list}")),
                );
            }
            Self::NothingToTag => "audit ids stand in the last column of most answers",
            Self::NoStatement => {
                "write it behind `kforensic sql`, name a file with `-f FILE`, or send it through a pipe"
            }
            Self::Refused(refusal) => return refusal.hint().map(str::to_owned),
            Self::Query(QueryError::Statement(problem)) => return problem.hint().map(str::to_owned),
            Self::UnknownQuery(unknown) => return Some(unknown_query(unknown)),
            Self::Query(QueryError::Changed { .. }) => "`kforensic verify` says what of the case is right",
            Self::Query(
                QueryError::Missing { .. }
                | QueryError::Altered { .. }
                | QueryError::Rewritten { .. }
                | QueryError::Damaged { .. },
            ) => "the case is not what was written; ingest the sources into a new one",
            Self::Report(ReportError::NoTime { .. }) => {
                "an answer with `event_time`, or with `first_seen` and `last_seen`, can go to Timesketch"
            }
            Self::Query(QueryError::Library { .. }) => library::ADVICE,
            Self::Query(QueryError::Path { .. }) => "move the case to a folder with a plain name",
            _ => return self.hint_about_report().or_else(|| self.hint_about_output()).map(str::to_owned),
        };
        Some(hint.to_owned())
    }

    /// What the user can do about what a report was asked for.
    fn hint_about_report(&self) -> Option<&'static str> {
        Some(match self {
            Self::Template { .. } => "`kforensic report --print-template` prints one that can be used",
            Self::NoReport { .. } => "name a report that `kforensic report --format json` made",
            Self::UntilSinceReport => {
                "what it left out would be in no report: leave out `--until`, or say a time with `--since`"
            }
            Self::NothingToSign => "name the report with `-o FILE`; its signature stands beside it",
            Self::Key { .. } => "`minisign -G` makes a pair of keys; the password can stand in KFORENSIC_SIGN_PASSWORD",
            _ => return None,
        })
    }

    /// What the user can do about where an answer goes, and to whom.
    fn hint_about_output(&self) -> Option<&'static str> {
        Some(match self {
            Self::OutputInCase { .. } => "choose a file outside of the case",
            Self::OutputIsSource { .. } => "choose another file",
            Self::OutputExists { .. } => "choose another file, or let it be replaced with `--force`",
            Self::UnknownReport { .. } => "choose one of .html .md .json, or name the form with `--format`",
            Self::SecretValues { .. } => {
                "ingest the sources into a new case without `--keep-secret-values`, or allow it with `--with-secret-values`"
            }
            Self::TooLong { .. } => "narrow it by time, resource or user, or allow more with `--time-limit`",
            Self::NotForFormat { .. } => "leave the option out, or choose the format with `--format`",
            Self::TimesketchName { .. } => "`--format timesketch` writes JSON lines to `.jsonl`, and CSV to `.csv`",
            Self::BinaryOnTerminal { .. } => "name a file with `-o FILE`, or send the answer into a pipe",
            _ => return None,
        })
    }

    /// 2 for what the user can mend on the command line, 3 for evidence that is altered or unreadable.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Line { source, .. } => source.exit_code(),
            Self::Interrupted
            | Self::Lake(LakeError::Interrupted)
            | Self::Upkeep(LakeError::Interrupted)
            | Self::Query(QueryError::Interrupted) => interrupt::EXIT_CODE,
            Self::Rebuild(_) => 3,
            Self::Lake(error) | Self::Upkeep(error) if error.is_about_evidence() => 3,
            Self::Query(
                QueryError::Missing { .. }
                | QueryError::Altered { .. }
                | QueryError::Rewritten { .. }
                | QueryError::Changed { .. }
                | QueryError::Damaged { .. },
            ) => 3,
            _ => 2,
        }
    }

    /// Whether the reader of our output went away, which is no failure: `kforensic … | head`.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        match self {
            Self::Line { source, .. } => source.is_broken_pipe(),
            Self::Report(error) => error.is_broken_pipe(),
            Self::Output { source, .. } => source.kind() == std::io::ErrorKind::BrokenPipe,
            _ => false,
        }
    }
}

/// What the user can do about a file that is no policy.
fn policy_hint(error: &PolicyError) -> Option<String> {
    match error {
        PolicyError::Several { .. } => Some("write the one that is meant into a file of its own".to_owned()),
        PolicyError::ConfigMap { keys } if !keys.is_empty() => {
            let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            Some(format!("its keys are {}", keys.join(", ")))
        }
        _ => None,
    }
}

/// What the user can do about an error of the case.
fn lake_hint(error: &LakeError) -> Option<&'static str> {
    Some(match error {
        LakeError::NotACase { .. } => {
            "make one with `kforensic ingest PATH…`, or name another with `--case DIR` or KFORENSIC_CASE"
        }
        LakeError::NotReadable { .. } => "ask the one whose case it is, or copy it to where you can read",
        LakeError::Occupied { .. } => "name a new or an empty folder with `--case DIR`",
        LakeError::NothingToRead { .. } => {
            "a file that is named itself is read whatever it holds, and its lines are kept as rejects"
        }
        LakeError::Stray { is_case: true, .. } => {
            "`kforensic verify` names everything that is not part of the case; when commits are missing from its log, \
             as in an interrupted copy, copy it again"
        }
        LakeError::Stray { .. } => "name a new or an empty folder with `--case DIR`; this one is left as it is",
        LakeError::EmptyInput => "does the command before the pipe print anything?",
        LakeError::LeadsNowhere { .. } => "name the file itself, or copy what the link points to beside it",
        LakeError::Locked { .. } => "wait for it to end; queries need not wait",
        LakeError::Altered { .. } => {
            "compare the fingerprint with the one you noted; ingest the sources into a new case"
        }
        LakeError::NotWritable { .. } => {
            "copy the case to where you can write, or name a folder for a new one with `--case DIR`"
        }
        LakeError::SourceChanged { .. } => "run the same command again",
        LakeError::Interrupted => "run the same command again to complete it",
        _ => return None,
    })
}

/// The nearest name in the same folder, as a typing error would have it.
fn no_such_path(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let near = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .map(|entry| (strsim::damerau_levenshtein(&entry, name), entry))
        .filter(|(distance, _)| *distance <= 3)
        .min()?;
    Some(format!("did you mean `{}`?", path.with_file_name(near.1).display()))
}

fn unknown_parameter(query: &str, near: &[String]) -> String {
    let list = format!("`kforensic query {query} --help` lists all");
    near.first().map_or(list.clone(), |near| format!("did you mean `{near}`? {list}"))
}

/// The most names that a hint offers.
const OFFERED: usize = 16;

fn unknown_query(unknown: &UnknownQuery) -> String {
    let UnknownQuery { name, near, about } = unknown;
    // What is misspelt is like one name; a word is what many are about.
    let is_slip = near.first().is_some_and(|near| strsim::damerau_levenshtein(near, name) <= 2);
    match (near.first(), about.as_slice()) {
        (Some(near), _) if is_slip => format!("did you mean `{near}`? `kforensic query` lists all"),
        (_, [_, ..]) => {
            let names = about.iter().take(OFFERED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            format!("about `{name}` there are {names}; `kforensic query --search {name}` says what each is")
        }
        (Some(near), []) => format!("did you mean `{near}`? `kforensic query` lists all"),
        (None, []) => "`kforensic query` lists all, and `kforensic query --search WORDS` looks for some".to_owned(),
    }
}

/// How a value behind a query's name could be said, when the query takes none, or another one.
fn no_value(query: &str, value: &str, takes: Option<&str>) -> String {
    if let Some(takes) = takes {
        return format!("a value of `{query}` is {}", takes.to_uppercase());
    }
    let is_address = value.split('/').next().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok());
    let option = match value.split_once('/') {
        _ if is_address => format!("--source-ip {value}"),
        Some((namespace, name)) => format!("--namespace {namespace} --name {name}"),
        None => format!("--user {value}"),
    };
    format!("say what it is: `kforensic query {query} {option}`")
}

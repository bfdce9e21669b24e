//! What can go wrong at the prompt, beside what any command can meet.

use std::path::PathBuf;

use thiserror::Error;

use super::commands::Commands;
use super::words::WordError;

/// Why a line was not done.
#[derive(Debug, Error)]
pub(crate) enum ReplError {
    #[error("there is no command `{name}`")]
    UnknownCommand { name: String, near: Option<String> },
    #[error(transparent)]
    Words(WordError),
    #[error("`{argument}` is missing: `{usage}`")]
    Missing { usage: String, argument: &'static str },
    #[error("too many arguments: `{usage}`")]
    TooMany { usage: String },
    #[error("{problem}")]
    Options { problem: String },
    #[error("`{given}` is none of {expected}")]
    NotOneOf { given: String, expected: String },
    #[error("there is no view or result `{name}`")]
    UnknownView { name: String, near: Option<String> },
    #[error("no statement has been run yet")]
    NoStatement,
    #[error("`{word}` begins neither a statement nor a command")]
    Stray { word: String, hint: String },
    #[error("the statement does not end: a `;` is missing, or a quote or comment is open")]
    Unfinished,
    #[error("cannot {action} `{path}`: {source}")]
    File { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("`{path}` lies in the case, and nothing but evidence belongs there")]
    StateInCase { path: PathBuf },
    #[error("neither XDG_{variable}_HOME nor HOME names a folder")]
    NoHome { variable: &'static str },
    #[error("`{command}` is refused in a file: it may ask, but neither read nor write files")]
    NotInFile { command: String },
    #[error("there is no terminal to edit at")]
    NoTerminal,
    #[error("the editor `{program}` {problem}")]
    Editor { program: String, problem: String },
    #[error("`{name}` is no name of a query: lower case with dashes, such as `bobs-secrets`")]
    QueryName { name: String },
    #[error("there is a query `{name}` already")]
    QueryTaken { name: String },
    #[error("the statement asks for `{name}`, which is gone when this session ends")]
    NotLasting { name: String },
    #[error("the statement cannot be kept as a query: {problem}")]
    NotAQuery { problem: String },
    #[error("{format} holds one answer, and the file has one already")]
    OneAnswer { format: kforensic_report::Format },
    #[error("the terminal cannot be read: {0}")]
    Terminal(#[from] rustyline::error::ReadlineError),
}

impl ReplError {
    /// A command that does not exist, with the one that may be meant.
    pub(super) fn unknown_command(name: &str, commands: &Commands) -> Self {
        let near = nearest(name.trim_start_matches('.'), commands.iter().map(|command| command.name.as_ref()));
        Self::UnknownCommand { name: name.to_owned(), near: near.map(|near| format!(".{near}")) }
    }

    /// What the user can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnknownCommand { near: Some(near), .. } | Self::UnknownView { near: Some(near), .. } => {
                return Some(format!("did you mean `{near}`?"));
            }
            Self::Stray { hint, .. } => return Some(hint.clone()),
            Self::Unfinished => "end the statement with `;`",
            Self::UnknownCommand { .. } => "`.help` lists the commands",
            Self::UnknownView { .. } => "`.views` lists the views, `.results` the results that are kept",
            Self::StateInCase { .. } => "name another folder with XDG_STATE_HOME",
            Self::NotLasting { .. } => "put the statement that made it in its place, as `WITH name AS (…)`",
            Self::OneAnswer { .. } => "`.once FILE` writes every answer to a file of its own",
            Self::QueryTaken { .. } => "choose another name; `.queries` lists those that are taken",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// The name nearest to one that does not exist, as a typing error would have it.
pub(super) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    // A slip of the fingers changes few letters; half a name that is right is a match as well.
    let most = (wanted.chars().count() / 3).max(1);
    let near = |name: &str| {
        let distance = strsim::damerau_levenshtein(wanted, name);
        let is_part = wanted.len() > 2 && (name.contains(wanted) || wanted.contains(name) && name.len() > 2);
        (distance <= most || is_part).then_some(distance)
    };
    names.filter_map(|name| Some((near(name)?, name))).min().map(|(_, name)| name.to_owned())
}

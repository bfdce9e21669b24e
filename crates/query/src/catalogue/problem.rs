//! What keeps a file from being a canned query, a folder from adding any, and a name from being one.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::gate::Refusal;

/// A file that is no canned query.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line} of `{path}`: {problem}")]
pub struct CatalogueError {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The rule it breaks.
    pub problem: Problem,
}

/// Rules that a file can break.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// The file's name is no name of a query.
    #[error("a query's file is named in lower case with dashes, such as `secret-reads.sql`")]
    Name,
    /// The header is no TOML, or a key is unknown, missing, or of another type.
    #[error("{message}")]
    Header {
        /// What the TOML parser says.
        message: String,
    },
    /// A comment stands where the header goes on.
    #[error("the lines before are a whole header: a comment belongs into the SQL, or behind an empty line ({message})")]
    Comment {
        /// What the TOML parser says.
        message: String,
    },
    /// A text of the header is blank.
    #[error("`{key}` is empty")]
    Blank {
        /// The key.
        key: &'static str,
    },
    /// Not the id of a technique.
    #[error("`{id}` is no ATT&CK technique such as `T1552` or `T1552.007`")]
    Technique {
        /// The id.
        id: String,
    },
    /// A need that no log meets.
    #[error("a need {rule}")]
    Need {
        /// What is wrong with it.
        rule: &'static str,
    },
    /// A parameter's name does not fit, or is taken.
    #[error("parameter `{name}` {rule}")]
    Declaration {
        /// The parameter.
        name: String,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// The SQL uses a parameter that does not exist.
    #[error("`${name}` is neither a common parameter nor declared in the header")]
    Undeclared {
        /// The parameter.
        name: String,
    },
    /// A view that cannot be chosen, or a value that sets nothing.
    #[error("`{key}` {rule}")]
    Folding {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// No example finds something, or none finds nothing.
    #[error("no example with {missing}")]
    Examples {
        /// The missing kind.
        missing: &'static str,
    },
    /// No kind or no severity.
    #[error("`kind` (question, detection) and `severity` (info, low, medium, high, critical) are not both given")]
    Unrated,
    /// The SQL is not one SELECT.
    #[error("a query is one SELECT, but here {found}")]
    Statements {
        /// What there is instead.
        found: &'static str,
    },
    /// Something that the SQL must not contain.
    #[error("a query must not contain {what}")]
    Refused {
        /// What it is.
        what: &'static str,
    },
    /// Nothing says where filters apply.
    #[error(
        "a query says `filters()` where the requests are chosen, such as `WHERE resource = 'secrets' AND filters()`"
    )]
    Unfiltered,
    /// The rows have no order.
    #[error("a query ends in an ORDER BY, or its rows come in another order every time")]
    Unordered,
}

/// Why the queries of a folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The folder or a file cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// Folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No file in it is a query.
    #[error("there is no query in `{path}`: no file ends in `.sql`")]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A file breaks a rule.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// It does more than read.
    #[error("`{path}` does not pass: {source}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is refused.
        source: Refusal,
    },
    /// The name is taken: one of two answers would be given in the place of the other.
    #[error("`{path}` has the name of another query")]
    Taken {
        /// The file.
        path: PathBuf,
    },
}

/// A name that no query has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no query `{name}`")]
pub struct UnknownQuery {
    /// The name as given.
    pub name: String,
    /// Names like it, best first.
    pub near: Vec<String>,
    /// Names of queries that are about such a word, by group and name.
    pub about: Vec<String>,
}

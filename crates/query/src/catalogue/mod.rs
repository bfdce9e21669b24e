//! The catalogue of canned queries: one `.sql` file each, header and one SELECT.
//!
//! A file that breaks a rule is an error that names file and line, never a query that is left out.

mod header;
mod parameter;
mod scan;

use thiserror::Error;

use crate::embedded;

pub use parameter::{OUTCOMES, Parameter, ParameterKind, Value, ValueError, common};

pub(crate) use parameter::nearest;

/// A canned query.
#[derive(Debug, Clone, PartialEq)]
pub struct CannedQuery {
    /// Name on the command line: the file's name without `.sql`.
    pub name: String,
    /// What it is called in a list.
    pub title: String,
    /// The question it answers, as an analyst asks it.
    pub question: String,
    /// Ids of the MITRE ATT&CK techniques it bears on.
    pub attack: Vec<String>,
    /// Resources it reads; only files of their partitions are opened. `None` means all.
    pub resources: Option<Vec<String>>,
    /// What the audit policy must have recorded for the answer to be complete.
    pub needs: String,
    /// Benign sources of rows.
    pub noise: String,
    /// Logs and arguments with the number of rows they give; the tests run them.
    pub examples: Vec<Example>,
    /// The parameters that the SQL uses: common ones first, then its own.
    pub parameters: Vec<Parameter>,
    /// The whole file, header included.
    pub sql: String,
}

/// A run of a query whose result is known.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Folder of the log.
    pub log: String,
    /// Options on the command line.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Rows of the result.
    pub rows: u64,
}

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
    /// No example finds something, or none finds nothing.
    #[error("no example with {missing}")]
    Examples {
        /// The missing kind.
        missing: &'static str,
    },
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
    /// The rows have no order.
    #[error("a query ends in an ORDER BY, or its rows come in another order every time")]
    Unordered,
}

/// A name that no query has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no query `{name}`")]
pub struct UnknownQuery {
    /// The name as given.
    pub name: String,
    /// Names like it, best first.
    pub near: Vec<String>,
}

/// All canned queries, by name.
#[derive(Debug, Clone)]
pub struct Catalogue {
    queries: Vec<CannedQuery>,
}

impl Catalogue {
    /// The queries that are built into the program.
    ///
    /// # Errors
    /// The first rule that a file breaks. The tests walk the same files, so a built program has none.
    pub fn embedded() -> Result<Self, CatalogueError> {
        let files = embedded::QUERIES.iter();
        let mut queries = files.map(|file| CannedQuery::parse(file.path, file.text)).collect::<Result<Vec<_>, _>>()?;
        queries.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(Self { queries })
    }

    /// The query called `name`.
    ///
    /// # Errors
    /// When there is none; the error lists names like it.
    pub fn find(&self, name: &str) -> Result<&CannedQuery, UnknownQuery> {
        let found = self.queries.iter().find(|query| query.name == name);
        found.ok_or_else(|| {
            let near = nearest(name, self.queries.iter().map(|query| query.name.as_str()));
            UnknownQuery { name: name.to_owned(), near }
        })
    }

    /// All queries, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &CannedQuery> {
        self.queries.iter()
    }
}

impl CannedQuery {
    /// Reads a canned query from the text of the file `path`.
    ///
    /// # Errors
    /// The first rule that it breaks, with its line.
    pub fn parse(path: &str, text: &str) -> Result<Self, CatalogueError> {
        let at = |(line, problem)| CatalogueError { path: path.to_owned(), line, problem };
        let name = header::name(path).ok_or_else(|| at((1, Problem::Name)))?;
        let (header, declared) = header::parse(text).map_err(at)?;
        let used = header::check_sql(text, &declared).map_err(at)?;
        let own = declared.into_iter().map(|(_, parameter)| parameter);
        Ok(Self {
            name: name.to_owned(),
            title: header.title,
            question: header.question,
            attack: header.attack,
            resources: header.resources,
            needs: header.needs,
            noise: header.noise,
            examples: header.examples,
            parameters: common().filter(|common| used.contains(&common.name.as_str())).chain(own).collect(),
            sql: text.to_owned(),
        })
    }

    /// The parameter called `name`, when the query uses it.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}

#[cfg(test)]
mod tests;

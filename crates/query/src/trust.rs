//! What the user has declared to be known and harmless: `trusted.toml`.
//!
//! It is data, never SQL: its values are compared with the rows of an answer. Rows that it hides are counted, an entry has
//! a reason, an author and an end, and one that has ended hides nothing. It never changes what a query computes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::DataType;
use ipnet::IpNet;
use serde::Deserialize;
use thiserror::Error;

use crate::asserted::{self, Asserted};
use crate::window;

/// Why a list of what is trusted cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrustError {
    /// No TOML, or a key is unknown, missing or of another type.
    #[error("line {line} of `{path}`: {message}")]
    Toml {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// What the TOML parser says.
        message: String,
    },
    /// An entry that would hide what nobody can foresee, or says too little.
    #[error("entry {number} of `{path}` {problem}")]
    Entry {
        /// The file.
        path: String,
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// The columns that an entry can name, each with those of answers that hold the same.
const FIELDS: [(&str, &[&str]); 10] = [
    ("user", &["user_name", "users"]),
    ("source_ip", &["source_ip", "source_ips", "addresses"]),
    ("user_agent", &["user_agent", "user_agents"]),
    ("namespace", &["namespace"]),
    ("resource", &["resource"]),
    ("name", &["name"]),
    ("verb", &["verb"]),
    ("impersonated_user", &["impersonated_user"]),
    ("cluster", &["cluster"]),
    ("host", &["host"]),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    trusted: Vec<Declared>,
}

#[derive(Debug, Deserialize)]
struct Declared {
    query: Texts,
    reason: String,
    author: String,
    until: String,
    #[serde(flatten)]
    fields: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    fn all(&self) -> Vec<&str> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts.iter().map(String::as_str).collect(),
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the file, counted from 1.
    pub number: usize,
    /// Queries that it is for.
    pub queries: Vec<String>,
    /// What it trusts: field and values. All fields must fit.
    pub fields: Vec<(&'static str, Vec<String>)>,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub author: String,
    /// When it ends, in microseconds since 1970.
    pub until: i64,
}

/// A list of what is trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trusted {
    entries: Vec<Entry>,
}

impl Trusted {
    /// Reads the text of the file `path`; `queries` are the names that an entry may be for.
    ///
    /// # Errors
    /// The first rule that it breaks. None is left out silently: a misspelt field would hide more than was meant.
    pub fn parse(path: &str, text: &str, queries: &[&str]) -> Result<Self, TrustError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            TrustError::Toml { path: path.to_owned(), line, message: error.message().to_owned() }
        })?;
        let entries = file.trusted.into_iter().zip(1..).map(|(declared, number)| {
            let broken = |problem| TrustError::Entry { path: path.to_owned(), number, problem };
            entry(declared, number, queries).map_err(broken)
        });
        Ok(Self { entries: entries.collect::<Result<_, _>>()? })
    }

    /// What of it is for that query at the time `now`.
    pub fn sieve(&self, query: &str, now: i64) -> Sieve {
        let (mut sieve, is_for) =
            (Sieve::default(), |entry: &&Entry| entry.queries.iter().any(|name| name == query || name == "*"));
        for entry in self.entries.iter().filter(is_for) {
            match entry.until > now {
                true => sieve.entries.push((entry.clone(), 0)),
                false => sieve.expired.push(entry.clone()),
            }
        }
        sieve
    }
}

fn entry(declared: Declared, number: usize, queries: &[&str]) -> Result<Entry, String> {
    for (key, text) in [("reason", &declared.reason), ("author", &declared.author)] {
        if text.trim().is_empty() {
            return Err(format!("has no {key}"));
        }
    }
    let names: Vec<String> = declared.query.all().into_iter().map(str::to_owned).collect();
    if let Some(unknown) = names.iter().find(|name| *name != "*" && !queries.contains(&name.as_str())) {
        return Err(format!("is for the query `{unknown}`, which there is not"));
    }
    let until = window::parse_absolute(&declared.until)
        .ok_or_else(|| format!("ends at `{}`, which is no time", declared.until))?;
    let mut fields = Vec::new();
    for (key, value) in declared.fields {
        let Some((field, _)) = FIELDS.iter().find(|(field, _)| *field == key) else {
            let known = FIELDS.map(|(field, _)| format!("`{field}`")).join(", ");
            return Err(format!("names `{key}`, but an entry trusts by {known}"));
        };
        let values = match value {
            toml::Value::String(text) => vec![text],
            toml::Value::Array(all) => {
                let texts = all.into_iter().map(|value| match value {
                    toml::Value::String(text) => Ok(text),
                    _ => Err(format!("has something for `{field}` that is no text")),
                });
                texts.collect::<Result<_, _>>()?
            }
            _ => return Err(format!("has something for `{field}` that is no text")),
        };
        if values.is_empty() || values.iter().any(|value| value.trim_end_matches('*').is_empty()) {
            return Err(format!("trusts whatever is in `{field}`"));
        }
        if *field == "source_ip"
            && let Some(wrong) =
                values.iter().find(|text| text.parse::<IpAddr>().is_err() && text.parse::<IpNet>().is_err())
        {
            return Err(format!("has `{wrong}` for `source_ip`, which is neither an address nor a network"));
        }
        fields.push((*field, values));
    }
    if fields.is_empty() {
        return Err("trusts everything: name a user, an address, a namespace or the like".to_owned());
    }
    let (reason, author) = (declared.reason, declared.author);
    Ok(Entry { number, queries: names, fields, reason, author, until })
}

/// The entries for one answer, and how many of its rows each hid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sieve {
    /// Entries that hide rows, with the number of those that they hid. A row counts for the first that fits it.
    pub entries: Vec<(Entry, u64)>,
    /// Entries that have ended and hide nothing.
    pub expired: Vec<Entry>,
}

impl Sieve {
    /// Rows that were hidden.
    pub fn hidden(&self) -> u64 {
        self.entries.iter().map(|(_, rows)| rows).sum()
    }

    /// The rows that nothing hides; the others are counted.
    pub(crate) fn sift(&mut self, batch: RecordBatch, asserted: Option<&Asserted>) -> RecordBatch {
        if self.entries.is_empty() {
            return batch;
        }
        let kept: BooleanArray = (0..batch.num_rows())
            .map(|row| {
                let hides = self.entries.iter_mut().find(|(entry, _)| fits(entry, &batch, row, asserted));
                Some(hides.map(|(_, rows)| *rows += 1).is_none())
            })
            .collect();
        match filter_record_batch(&batch, &kept) {
            Ok(kept) => kept,
            Err(error) => unreachable!("a filter has as many rows as what it is made from: {error}"),
        }
    }
}

fn fits(entry: &Entry, batch: &RecordBatch, row: usize, asserted: Option<&Asserted>) -> bool {
    entry.fields.iter().all(|(field, values)| {
        let columns = FIELDS.iter().find(|(known, _)| known == field).map_or(&[][..], |(_, columns)| columns);
        let mut columns = columns.iter().filter_map(|name| batch.column_by_name(name));
        // What an answer does not show cannot be held against an entry, which then hides nothing.
        columns.next().is_some_and(|column| {
            let found = texts(column, row);
            if *field == "source_ip" && asserted.is_some_and(|asserted| is_said(asserted, batch, row, &found)) {
                return false;
            }
            !found.is_empty() && found.iter().all(|text| values.iter().any(|value| is(field, value, text)))
        })
    })
}

/// Whether an address in a row is a proxy's word: that hides nothing, because a client can have it said.
fn is_said(asserted: &Asserted, batch: &RecordBatch, row: usize, addresses: &[String]) -> bool {
    match batch.column_by_name(asserted::COLUMN) {
        Some(marks) => marks.is_valid(row),
        None => addresses.iter().any(|address| asserted.peers.contains_key(address)),
    }
}

/// The texts in a cell: one, or those of a list.
fn texts(column: &dyn Array, row: usize) -> Vec<String> {
    if column.is_null(row) {
        return Vec::new();
    }
    match column.data_type() {
        DataType::Utf8 => vec![column.as_string::<i32>().value(row).to_owned()],
        DataType::List(field) if *field.data_type() == DataType::Utf8 => {
            let list = column.as_list::<i32>().value(row);
            list.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a text is what an entry says: the same; the beginning, where it ends in `*`; or an address of its network.
fn is(field: &str, value: &str, text: &str) -> bool {
    if field == "source_ip" {
        let Ok(address) = text.parse::<IpAddr>() else { return false };
        let address = address.to_canonical();
        return value.parse::<IpNet>().is_ok_and(|network| network.contains(&address))
            || value.parse::<IpAddr>().is_ok_and(|known| known.to_canonical() == address);
    }
    match value.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => text == value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, ListBuilder, StringArray, StringBuilder};
    use std::sync::Arc;

    const REST: &str = "reason = \"nightly job\"\nauthor = \"anna\"\nuntil = \"2026-12-31\"\n";

    fn parse(entry: &str) -> Result<Trusted, TrustError> {
        Trusted::parse("trusted.toml", &format!("[[trusted]]\n{entry}"), &["secret-reads", "failed-auth"])
    }

    fn rows(users: &[Option<&str>], addresses: &[&str]) -> RecordBatch {
        let users: ArrayRef = Arc::new(StringArray::from(users.to_vec()));
        let addresses: ArrayRef = Arc::new(StringArray::from(addresses.to_vec()));
        RecordBatch::try_from_iter_with_nullable([("user_name", users, true), ("source_ip", addresses, true)]).unwrap()
    }

    #[test]
    fn an_entry_hides_the_rows_that_it_fits_and_counts_them() {
        let entry =
            format!("query = \"secret-reads\"\nuser = [\"bob\", \"dev:*\"]\nsource_ip = \"10.0.0.0/8\"\n{REST}");
        let trusted = parse(&entry).unwrap();
        let mut sieve = trusted.sieve("secret-reads", 0);
        let users = [Some("bob"), Some("bobby"), Some("dev:x"), Some("bob"), None];
        let kept =
            sieve.sift(rows(&users, &["10.1.1.1", "10.1.1.1", "::ffff:10.2.2.2", "192.0.2.1", "10.1.1.1"]), None);
        let kept: Vec<_> = kept.column(0).as_string::<i32>().iter().collect();
        assert_eq!(kept, [Some("bobby"), Some("bob"), None]);
        assert_eq!((sieve.hidden(), sieve.entries[0].1), (2, 2));
        assert_eq!(trusted.sieve("failed-auth", 0), Sieve::default());
    }

    #[test]
    fn an_entry_that_has_ended_hides_nothing() {
        let trusted = parse(&format!("query = \"*\"\nuser = \"bob\"\n{REST}")).unwrap();
        let end = window::parse("2026-12-31", 0).unwrap();
        assert_eq!(
            (trusted.sieve("failed-auth", end - 1).entries.len(), trusted.sieve("failed-auth", end).entries.len()),
            (1, 0)
        );
        assert_eq!(trusted.sieve("failed-auth", end).expired[0].reason, "nightly job");
    }

    #[test]
    fn what_an_answer_does_not_show_is_not_trusted() {
        let trusted = parse(&format!("query = \"*\"\nuser = \"bob\"\nnamespace = \"ci\"\n{REST}")).unwrap();
        let mut sieve = trusted.sieve("secret-reads", 0);
        assert_eq!(sieve.sift(rows(&[Some("bob")], &["10.1.1.1"]), None).num_rows(), 1);
        // Of several users of a row all must be trusted.
        let trusted = parse(&format!("query = \"*\"\nuser = \"bob\"\n{REST}")).unwrap();
        let mut users = ListBuilder::new(StringBuilder::new());
        users.append_value([Some("bob")]);
        users.append_value([Some("bob"), Some("eve")]);
        users.append_value([None::<&str>; 0]);
        let users: ArrayRef = Arc::new(users.finish());
        let batch = RecordBatch::try_from_iter([("users", users)]).unwrap();
        assert_eq!(trusted.sieve("failed-auth", 0).sift(batch, None).num_rows(), 2);
    }

    #[test]
    fn a_list_that_hides_more_than_it_says_is_refused() {
        for (entry, problem) in [
            (format!("query = \"*\"\n{REST}"), "entry 1 of `trusted.toml` trusts everything"),
            (format!("query = \"*\"\nuser = \"*\"\n{REST}"), "entry 1 of `trusted.toml` trusts whatever is in `user`"),
            (format!("query = \"*\"\nusr = \"bob\"\n{REST}"), "entry 1 of `trusted.toml` names `usr`"),
            (format!("query = \"secret-read\"\nuser = \"bob\"\n{REST}"), "entry 1 of `trusted.toml` is for the query"),
            (format!("query = \"*\"\nsource_ip = \"10.0.0\"\n{REST}"), "entry 1 of `trusted.toml` has `10.0.0`"),
            (format!("query = \"*\"\nuser = 1\n{REST}"), "entry 1 of `trusted.toml` has something for `user`"),
            (
                "query = \"*\"\nuser = \"bob\"\nauthor = \"a\"\nuntil = \"2026-12-31\"".to_owned(),
                "line 1 of `trusted.toml`: missing",
            ),
            (
                format!("query = \"*\"\nuser = \"bob\"\n{}", REST.replace("nightly job", " ")),
                "entry 1 of `trusted.toml` has no reason",
            ),
            (
                format!("query = \"*\"\nuser = \"bob\"\n{}", REST.replace("2026-12-31", "7d")),
                "entry 1 of `trusted.toml` ends at `7d`",
            ),
        ] {
            let error = parse(&entry).unwrap_err().to_string();
            assert!(error.starts_with(problem), "{error}");
        }
        assert!(Trusted::parse("t", "[[trust]]\n", &[]).is_err());
        assert_eq!(Trusted::parse("t", "", &[]), Ok(Trusted::default()));
    }
}

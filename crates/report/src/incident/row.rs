//! A row of an answer, asked by the names of its columns: what a detection says beyond them is not known here.

use std::collections::HashMap;

use arrow::datatypes::Schema;
use sha2::{Digest, Sha256};

use crate::document::table::columns_of;
use crate::document::{Column, Value, instant};

/// The columns of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Columns {
    pub(crate) list: Vec<Column>,
    places: HashMap<String, usize>,
    is_account: Vec<bool>,
}

impl Columns {
    pub(crate) fn of(schema: &Schema) -> Self {
        Self::named(columns_of(schema))
    }

    fn named(list: Vec<Column>) -> Self {
        let places = list.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
        let account = FIRST_TIMES.iter().chain(&LAST_TIMES).chain(&USERS).chain(&ADDRESSES).chain(&ACTIONS);
        let account = account.collect::<Vec<_>>();
        let is_account = list.iter().map(|column| account.iter().any(|name| column.name == **name)).collect();
        Self { list, places, is_account }
    }

    /// Whether a column says when it was, who it was, from where, or what sort of deed.
    pub(crate) fn is_account(&self, column: usize) -> bool {
        self.is_account[column]
    }
}

/// Columns with the first time of what a row tells of, and with the last.
const FIRST_TIMES: [&str; 3] = ["event_time", "first_seen", "first_event"];
const LAST_TIMES: [&str; 2] = ["last_seen", "last_event"];

/// Columns that say who, one and several, and from where.
const USERS: [&str; 2] = ["user_name", "users"];
const ADDRESSES: [&str; 2] = ["source_ip", "source_ips"];

/// Columns that say what sort of deed it was.
const ACTIONS: [&str; 2] = ["verb", "action"];

/// One row, and what its columns are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) columns: &'a Columns,
    pub(crate) values: &'a [Value],
    /// The resource that all rows are about, when no column says it.
    pub(crate) about: Option<&'a str>,
}

impl<'a> Row<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        let value = self.values.get(*self.columns.places.get(name)?)?;
        (*value != Value::Nothing).then_some(value)
    }

    /// Whether the answer has that column, whatever this row has in it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.columns.places.contains_key(name)
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        match self.get(name) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            None if name == "resource" => self.about,
            _ => None,
        }
    }

    /// A text, or the elements of a list of texts.
    pub(crate) fn texts(&self, name: &str) -> Vec<&'a str> {
        match self.get(name) {
            Some(Value::Text(text)) if !text.is_empty() => vec![text],
            Some(Value::Texts(texts)) => texts.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it says that something is so.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Literal(truth)) if truth == "true")
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn time(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Time(at) => Some(*at),
            _ => None,
        }
    }

    /// The first and the last time of what the row tells of.
    pub(crate) fn times(&self) -> Option<(i64, i64)> {
        let first = FIRST_TIMES.into_iter().find_map(|name| self.time(name))?;
        let last = LAST_TIMES.into_iter().find_map(|name| self.time(name));
        Some((first, last.unwrap_or(first)))
    }

    /// Whether there is a column that says who, whatever this row has in it.
    pub(crate) fn tells_users(&self) -> bool {
        USERS.iter().any(|name| self.has(name))
    }

    /// Who: the sender, or several.
    pub(crate) fn users(&self) -> Vec<&'a str> {
        self.one_or_several(USERS)
    }

    fn one_or_several(&self, [one, several]: [&str; 2]) -> Vec<&'a str> {
        match self.text(one) {
            Some(text) => vec![text],
            None => self.texts(several),
        }
    }

    /// From where.
    pub(crate) fn source_ips(&self) -> Vec<&'a str> {
        self.one_or_several(ADDRESSES)
    }

    /// A short hash of names and values, by which a row of one report is found in another: 64 bits tell apart all rows
    /// that a report can name.
    pub(crate) fn key(&self) -> String {
        let mut hash = Sha256::new();
        for (column, value) in self.columns.list.iter().zip(self.values) {
            // Between them, so that a value cannot pass for a name and a value.
            for part in [column.name.as_str(), &plain(value)] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A value as one text, exactly.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Nothing => String::new(),
        Value::Text(text) | Value::Literal(text) | Value::Words(text) => text.clone(),
        Value::Texts(texts) => texts.join("\u{1f}"),
        Value::Number(number) => number.to_string(),
        Value::Time(at) => instant::rfc3339(*at),
        Value::Level(level) => level.name().to_owned(),
        Value::Shown(text) => text.clone(),
        Value::Link { words, .. } => words.clone(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A row of these columns.
    pub(crate) fn row_of(pairs: &[(&str, Value)]) -> (Columns, Vec<Value>) {
        let list = pairs.iter().map(|(name, _)| Column::text(*name)).collect();
        (Columns::named(list), pairs.iter().map(|(_, value)| value.clone()).collect())
    }

    #[test]
    fn rows_are_told_apart_by_every_value() {
        let key = |one: &str, other: &str| {
            let (columns, values) = row_of(&[("a", Value::Text(one.into())), ("b", Value::Text(other.into()))]);
            Row { columns: &columns, values: &values, about: None }.key()
        };
        assert_eq!(key("x", "y"), key("x", "y"));
        assert_eq!(key("x", "y").len(), 16);
        assert_ne!(key("xy", ""), key("x", "y"));
        assert_ne!(key("", "xy"), key("xy", ""));
    }
}

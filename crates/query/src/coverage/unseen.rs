//! Whether an answer without rows is about a namespace or a user of whom nothing of the kind was ever logged.
//!
//! A policy can leave out a namespace or a user (`namespaces`, `users` of a rule), and the summaries of a case, by which a
//! verdict is found, count requests by neither. So it is asked where it matters: of an answer without rows.

use crate::catalogue::{CannedQuery, Parameters, Value};
use crate::coverage::words::{few, series};
use crate::error::QueryError;
use crate::session::Session;
use crate::sql::{literal, literals};

/// What the log has nothing of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// In words, a sentence without a full stop.
    pub words: String,
    /// Whether it lessens a verdict: policies leave out namespaces and parts of the platform, and seldom a person.
    pub lessens: bool,
}

impl Session {
    /// What of an answer with so many rows the log has nothing of, though it has of others. Looks at what the session was
    /// opened for.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn unseen(&self, query: &CannedQuery, parameters: &Parameters, rows: u64) -> Result<Vec<Unseen>, QueryError> {
        let needs = query.needs.iter().filter(|need| need.tells.is_none());
        let mut resources: Vec<&str> = needs.flat_map(|need| &need.resource).map(String::as_str).collect();
        resources.sort_unstable();
        resources.dedup();
        if rows > 0 || resources.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for (name, column) in [("namespace", "namespace"), ("user", "user_name")] {
            let Some(Value::Text(text)) = parameters.get(name) else { continue };
            let value = literal(text);
            let sql = format!(
                "SELECT bool_or({column} = {value}) IS TRUE, bool_or({column} <> {value}) IS TRUE FROM requests \
                 WHERE resource IN ({})",
                literals(resources.iter().copied())
            );
            let [(has, has_others)] =
                self.collect(&sql, |row| Ok((row.get::<_, bool>(0)?, row.get::<_, bool>(1)?)))?[..]
            else {
                continue;
            };
            if has || !has_others {
                continue;
            }
            let named: Vec<String> = resources.iter().map(|resource| format!("`{resource}`")).collect();
            let named = match named.len() {
                0..=3 => series(&named.iter().map(String::as_str).collect::<Vec<_>>(), "or"),
                _ => few(named.into_iter()),
            };
            let (of, whose) = if name == "namespace" { ("in the namespace", "it") } else { ("of the user", "them") };
            found.push(Unseen {
                words: format!(
                    "no request for {named} {of} `{text}` is in the log, only others: there was none, or the policy leaves {whose} out"
                ),
                lessens: name == "namespace" || text.starts_with("system:"),
            });
        }
        Ok(found)
    }
}

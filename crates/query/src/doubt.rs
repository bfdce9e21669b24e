//! What makes an answer without rows doubtful: a filter whose value no event of the case has.
//!
//! `--user bbo` gives no rows because nobody is called so, and an analyst who does not see that reads "bob did nothing".

use std::net::IpAddr;

use duckdb::types;
use strsim::damerau_levenshtein;

use crate::catalogue::Parameters;
use crate::catalogue::{COMMON, CannedQuery, Value};
use crate::error::QueryError;
use crate::network::parse_network;
use crate::resources::name_of;
use crate::session::Session;

/// Values of a column that are looked through for one that is meant, the most frequent ones.
const VALUES_MAX: usize = 5_000;

/// Values that are offered in the place of another.
const OFFERED_MAX: usize = 3;

/// One request of so many whose end is not in the log is what a log is like that ends somewhere.
const UNKNOWN_SHARE: u64 = 100;

/// Something that may be wrong with a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// What it is.
    pub text: String,
    /// What to ask instead.
    pub hint: Option<String>,
}

/// A column that a parameter is compared with, and what its values are called.
struct Compared {
    column: &'static str,
    called: &'static str,
}

fn compared(parameter: &str) -> Option<Compared> {
    let (column, called) = match parameter {
        "user" | "actor" => ("user_name", "user"),
        "source_ip" | "address" => ("source_ip", "address"),
        "namespace" => ("namespace", "namespace"),
        "resource" => ("resource", "resource"),
        "name" => ("name", "object"),
        "verb" => ("verb", "verb"),
        "cluster" => ("cluster", "cluster"),
        "host" => ("host", "host"),
        _ => return None,
    };
    Some(Compared { column, called })
}

/// The parameters without which a query is about nobody in particular, each with the filter that serves as well.
pub fn of_question(query: &CannedQuery, parameters: &Parameters) -> Vec<Doubt> {
    let needed = [("actor", "user", "user"), ("address", "source_ip", "address")];
    let missing = needed.into_iter().filter(|(own, filter, _)| {
        query.parameter(own).is_some_and(|parameter| parameter.default.is_none())
            && parameters.get(own).is_none()
            && parameters.get(filter).is_none()
    });
    let doubt = |(own, filter, called): (&str, &str, &str)| Doubt {
        text: format!(
            "`{}` is the account of one {called}, and none is named: this is all of them together",
            query.name
        ),
        hint: Some(format!("name it with `-p {own}=…` or `--{}`", filter.replace('_', "-"))),
    };
    missing.map(doubt).chain(of_networks(parameters)).collect()
}

/// What of a list of networks is none: an address lies in no such network, so everything would be outside of it.
fn of_networks(parameters: &Parameters) -> Vec<Doubt> {
    let Some(Value::Text(networks)) = parameters.get("networks") else { return Vec::new() };
    let wrong = networks.split(',').map(str::trim).filter(|text| parse_network(text).is_none());
    wrong
        .map(|text| Doubt {
            text: format!("`{text}` is neither an address nor a network, and holds nothing"),
            hint: Some("write networks as 10.0.0.0/8, separated by commas".to_owned()),
        })
        .collect()
}

/// Whether an answer with so many rows has values that can be doubted.
pub fn has_values(query: &CannedQuery, parameters: &Parameters, rows: u64) -> bool {
    let is_doubted = |(name, value): (&str, &Value)| {
        let is_text = matches!(value, Value::Text(_) | Value::Network(_));
        is_text && (is_always_doubted(query, name) || (rows == 0 && compared(name).is_some()))
    };
    asks_for_outcomes(query, parameters, rows) || parameters.iter().any(is_doubted)
}

/// Whether an answer has no rows because of how requests ended, as far as the log tells that.
fn asks_for_outcomes(query: &CannedQuery, parameters: &Parameters, rows: u64) -> bool {
    rows == 0 && (query.refusals || parameters.get("outcome").is_some())
}

/// A secret without its namespace still matches lists, so an answer with rows may be about another.
fn is_always_doubted(query: &CannedQuery, name: &str) -> bool {
    name == "secret" || (query.is_about_secrets_read() && ["namespace", "name"].contains(&name))
}

impl Session {
    /// The values that no event of the case has, each with those that may be meant: of an answer with so many rows.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn doubts(&self, query: &CannedQuery, parameters: &Parameters, rows: u64) -> Result<Vec<Doubt>, QueryError> {
        let mut doubts = Vec::new();
        if asks_for_outcomes(query, parameters, rows) {
            doubts.extend(self.doubt_outcomes()?);
        }
        for (name, value) in parameters.iter().filter(|(name, _)| rows == 0 || is_always_doubted(query, name)) {
            match (name, value) {
                ("secret", Value::Text(secret)) => doubts.extend(self.doubt_secret(secret)?),
                (name, Value::Text(text) | Value::Network(text)) => {
                    if let Some(compared) = compared(name) {
                        doubts.extend(self.doubt_value(name, &compared, value, text)?);
                    }
                }
                _ => (),
            }
        }
        Ok(doubts)
    }

    /// That a log does not tell how requests ended, which those at its end alone do not say of it.
    fn doubt_outcomes(&self) -> Result<Option<Doubt>, QueryError> {
        const COUNTS: &str = "SELECT unnest([count(*) FILTER (outcome = 'unknown'), count(*)])::VARCHAR FROM events \
                              WHERE final AND ? IS NOT NULL";
        let counts: Vec<u64> = self.texts(COUNTS, "")?.iter().filter_map(|count| count.parse().ok()).collect();
        let [unknown, all] = counts.as_slice() else { return Ok(None) };
        let doubt = || Doubt {
            text: format!(
                "how {unknown} of the {all} requests of the case ended is not in the log: refusals can be among them"
            ),
            hint: Some("show them with `--outcome unknown`".to_owned()),
        };
        Ok((*unknown > 0 && unknown.saturating_mul(UNKNOWN_SHARE) >= *all).then(doubt))
    }

    fn doubt_value(
        &self,
        parameter: &str,
        compared: &Compared,
        value: &Value,
        text: &str,
    ) -> Result<Option<Doubt>, QueryError> {
        let Compared { column, called } = compared;
        let condition = match value {
            Value::Network(_) => format!("in_network({column}, ?)"),
            _ if text.parse::<IpAddr>().is_ok() => format!("{column} = $1 OR in_network({column}, $1)"),
            // An actor is found as well when others acted in its name.
            _ if parameter == "actor" => format!("{column} = $1 OR impersonated_user = $1"),
            _ => format!("{column} = ?"),
        };
        let found = self.texts(&format!("SELECT 'x' FROM events WHERE {condition} LIMIT 1"), text)?;
        if !found.is_empty() {
            return Ok(None);
        }
        let flag = COMMON.iter().any(|common| common.name == parameter).then(|| parameter.replace('_', "-"));
        let doubt = format!("no event of the case has the {called} `{text}`");
        if *column == "user_name"
            && !self.texts("SELECT 'x' FROM events WHERE impersonated_user = ? LIMIT 1", text)?.is_empty()
        {
            let hint = format!("others acted in its name: `kforensic query actor -p actor={text}`");
            return Ok(Some(Doubt { text: format!("`{text}` sent no request itself"), hint: Some(hint) }));
        }
        let sql = format!(
            "SELECT {column} FROM events WHERE {column} IS NOT NULL AND ? IS NOT NULL GROUP BY {column} \
             ORDER BY count(*) DESC, {column} LIMIT {VALUES_MAX}"
        );
        let values = self.texts(&sql, text)?;
        let near = near(column, text, &values);
        let pattern = text.contains(['*', '%', '?']) && flag.is_some();
        let hint = match (near.is_empty(), pattern) {
            (_, true) => {
                let like = text.replace('*', "%").replace('?', "_").replace('\'', "''");
                Some(format!("a filter takes no patterns; use `--where \"{column} LIKE '{like}'\"`"))
            }
            (false, _) => Some(format!("did you mean {}?", quoted(&near))),
            (true, _) if values.len() <= OFFERED_MAX && !values.is_empty() => {
                Some(format!("the case has {}", quoted(&values)))
            }
            (true, _) => None,
        };
        Ok(Some(Doubt { text: doubt, hint }))
    }

    /// A secret is named with its namespace.
    fn doubt_secret(&self, secret: &str) -> Result<Option<Doubt>, QueryError> {
        const OF_NAME: &str = "SELECT DISTINCT concat_ws('/', namespace, name) AS secret FROM events \
                               WHERE resource = 'secrets' AND (name = $1 OR concat_ws('/', namespace, name) = $1) ORDER BY 1";
        const ALL: &str = "SELECT concat_ws('/', namespace, name) FROM events \
                           WHERE resource = 'secrets' AND name IS NOT NULL AND ? IS NOT NULL GROUP BY 1 \
                           ORDER BY count(*) DESC, 1 LIMIT 5000";
        let found = self.texts(OF_NAME, secret)?;
        if found.iter().any(|known| known == secret) {
            return Ok(None);
        }
        if !found.is_empty() && !secret.contains('/') {
            let text = format!("`{secret}` is a name without its namespace");
            return Ok(Some(Doubt { text, hint: Some(format!("name it as {}", quoted(&found))) }));
        }
        let near = near("secret", secret, &self.texts(ALL, secret)?);
        let hint = (!near.is_empty()).then(|| format!("did you mean {}?", quoted(&near)));
        Ok(Some(Doubt {
            text: format!(
                "no request of the case is about the secret `{secret}`; pods that mount it are no requests about it"
            ),
            hint,
        }))
    }

    /// The texts in the first column of SQL of our own, which is given one value.
    fn texts(&self, sql: &str, value: &str) -> Result<Vec<String>, QueryError> {
        let (sql, value) = (sql.to_owned(), types::Value::Text(value.to_owned()));
        self.ask("look for values", move |connection| {
            connection.prepare(&sql)?.query_map([value], |row| row.get(0))?.collect()
        })
    }
}

/// The values that may be meant by `wanted`, best first.
fn near(column: &str, wanted: &str, values: &[String]) -> Vec<String> {
    let lower = wanted.to_lowercase();
    let plurals = [format!("{lower}s"), format!("{lower}es"), format!("{}ies", lower.trim_end_matches('y'))];
    // A slip of the fingers changes few letters; of a short word, two would be another word.
    let most = if wanted.chars().count() <= 4 { 2 } else { wanted.chars().count().div_ceil(4).max(2) };
    let rank = |value: &String| {
        let other = value.to_lowercase();
        let rank = match () {
            () if other == lower || column == "resource" && value == name_of(wanted) => 0,
            () if column == "resource" && plurals.contains(&other) => 1,
            () if lower.len() > 2 && other.rsplit(['/', ':']).next() == Some(lower.as_str()) => 2,
            () => match damerau_levenshtein(&lower, &other) {
                distance if distance <= most && distance < lower.chars().count() => 2 + distance,
                _ if lower.len() > 2 && other.contains(&lower) => 2 + most,
                _ => return None,
            },
        };
        Some((rank, value.clone()))
    };
    // The values come by how frequent they are, which decides between equals.
    let mut found: Vec<(usize, String)> = values.iter().filter_map(rank).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, value)| value).take(OFFERED_MAX).collect()
}

fn quoted(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().take(OFFERED_MAX).map(|value| format!("`{value}`")).collect();
    quoted.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_network_is_named() {
        let mut parameters = Parameters::new();
        parameters.set("networks", Value::Text("10.0.0.0/8, ::1, 10.0.0/8,foo".to_owned()));
        let texts: Vec<String> = of_networks(&parameters).into_iter().map(|doubt| doubt.text).collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(texts[0].starts_with("`10.0.0/8` is neither") && texts[1].starts_with("`foo` is neither"), "{texts:?}");
    }

    #[test]
    fn the_value_that_is_meant_is_found() {
        let near = |column: &str, wanted: &str, values: &[&str]| {
            near(column, wanted, &values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        };
        let users = ["system:node:a", "bob", "system:serviceaccount:ci:builder", "rob"];
        assert_eq!(near("user_name", "bbo", &users)[0], "bob");
        assert_eq!(near("user_name", "Bob", &users), ["bob", "rob"]);
        assert_eq!(near("user_name", "builder", &users), ["system:serviceaccount:ci:builder"]);
        assert_eq!(near("user_name", "mallory", &users), Vec::<String>::new());
        assert_eq!(near("namespace", "prdo", &["kube-system", "prod"]), ["prod"]);
        assert_eq!(near("resource", "secret", &["serviceaccounts", "secrets"])[0], "secrets");
        assert_eq!(near("resource", "networkpolicy", &["pods", "networkpolicies"]), ["networkpolicies"]);
        assert_eq!(near("resource", "cm", &["pods", "configmaps"]), ["configmaps"]);
        assert_eq!(near("verb", "GET", &["list", "get"])[0], "get");
    }
}

//! The parameters of canned queries: which exist, what values they take.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use kforensic_event::time;
use serde::{Deserialize, Serialize, Serializer};
use strsim::damerau_levenshtein;
use thiserror::Error;

use crate::window::{self, TimeError};

/// The outcomes that a request can have, as the column `outcome` spells them.
pub const OUTCOMES: [&str; 4] = ["allowed", "denied", "failed", "unknown"];

/// A parameter of a canned query, bound by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// Name in SQL, without `$`.
    pub name: String,
    /// What values it takes.
    #[serde(rename = "type")]
    pub kind: ParameterKind,
    /// What it means, for help texts.
    pub meaning: String,
    /// Value when none is given; without one the parameter is NULL.
    pub default: Option<Value>,
}

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    /// An instant.
    Time,
    /// Any text.
    Text,
    /// One of [`OUTCOMES`].
    Outcome,
    /// An address, or a network in CIDR notation.
    Address,
    /// The name of a resource.
    Resource,
    /// A 64-bit number.
    Integer,
    /// `true` or `false`.
    Boolean,
}

/// A value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An instant in microseconds since 1970-01-01T00:00:00Z.
    Time(i64),
    /// A text, also an outcome, an address or a resource.
    Text(String),
    /// A network in CIDR notation.
    Network(String),
    /// A number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
}

/// A value as people give it: times as RFC 3339.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Time(micros) => to.serialize_str(&kforensic_event::time::render(*micros)),
            Self::Text(text) | Self::Network(text) => to.serialize_str(text),
            Self::Integer(number) => to.serialize_i64(*number),
            Self::Boolean(truth) => to.serialize_bool(*truth),
        }
    }
}

/// Why a text is no value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ValueError {
    /// Not a time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// Not an outcome.
    #[error("`{given}` is not an outcome: expected `allowed`, `denied`, `failed` or `unknown`")]
    Outcome {
        /// The text as given.
        given: String,
    },
    /// Something with a slash that is no network.
    #[error("`{given}` is not a network such as `10.0.0.0/8` or `fd00::/8`")]
    Network {
        /// The text as given.
        given: String,
    },
    /// A resource with its subresource.
    #[error("`{given}` is not a resource: subresources have a column of their own")]
    Resource {
        /// The text as given.
        given: String,
    },
    /// Not a number of 64 bits.
    #[error("`{given}` is not a whole number")]
    Integer {
        /// The text as given.
        given: String,
    },
    /// Neither true nor false.
    #[error("`{given}` is neither `true` nor `false`")]
    Boolean {
        /// The text as given.
        given: String,
    },
}

/// A filter that every canned query takes: it is what `filters()` in its SQL is put in for.
#[derive(Debug)]
pub(crate) struct Common {
    /// Name of the parameter.
    pub(crate) name: &'static str,
    pub(crate) kind: ParameterKind,
    /// Column that is compared.
    pub(crate) column: &'static str,
    /// How it is compared.
    pub(crate) test: Test,
    pub(crate) meaning: &'static str,
}

/// How a filter compares its value with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// By an operator of SQL.
    Is(&'static str),
    /// The same; who could have got the value of a secret also includes those who listed or watched all of its namespace,
    /// or of the cluster: such a request names neither, and a query about reading secrets keeps it. So does one about what became
    /// of objects with a deletion of all of a kind, which names none.
    IsOrCovers,
    /// By address or network; whoever is said to have sent it counts too, and the footer tells how many rows that are.
    SentOrClaimed,
    /// That a person sent it, when the value is true: by `is_person` of `views/identity.sql`.
    Person,
}

/// The common filters, in the order of help texts.
#[rustfmt::skip]
pub(crate) const COMMON: &[Common] = &[
    Common { name: "since", kind: ParameterKind::Time, column: "event_time", test: Test::Is(">="), meaning: "only requests received at this time or later" },
    Common { name: "until", kind: ParameterKind::Time, column: "event_time", test: Test::Is("<"), meaning: "only requests received before this time" },
    Common { name: "user", kind: ParameterKind::Text, column: "user_name", test: Test::Is("="), meaning: "only requests that this user sent" },
    Common { name: "namespace", kind: ParameterKind::Text, column: "namespace", test: Test::IsOrCovers, meaning: "only requests in this namespace" },
    Common { name: "resource", kind: ParameterKind::Resource, column: "resource", test: Test::Is("="), meaning: "only requests on this resource, in the plural: `secrets`" },
    Common { name: "name", kind: ParameterKind::Text, column: "name", test: Test::IsOrCovers, meaning: "only requests on objects of this name" },
    Common { name: "verb", kind: ParameterKind::Text, column: "verb", test: Test::Is("="), meaning: "only requests with this verb" },
    Common { name: "source_ip", kind: ParameterKind::Address, column: "source_ip", test: Test::SentOrClaimed, meaning: "only requests from this address or network, or said to be" },
    Common { name: "outcome", kind: ParameterKind::Outcome, column: "outcome", test: Test::Is("="), meaning: "only requests with this outcome: allowed, denied, failed or unknown" },
    Common { name: "cluster", kind: ParameterKind::Text, column: "cluster", test: Test::Is("="), meaning: "only logs of this cluster" },
    Common { name: "host", kind: ParameterKind::Text, column: "host", test: Test::Is("="), meaning: "only logs of this host" },
    Common { name: "people", kind: ParameterKind::Boolean, column: "user_name", test: Test::Person, meaning: "only requests of people and of whom the log does not tell: no service accounts, nodes and components" },
];

/// The parameter that every query takes which leaves out the cluster's own work (`not_own()`, or `$own` itself): one name
/// for all, and with `true` nothing is left out. A query that shows it unless told not to declares it itself.
pub(crate) const OWN: &str = "own";

/// The parameter [`OWN`], as it is when a query does not declare it.
pub(crate) fn own() -> Parameter {
    Parameter {
        name: OWN.to_owned(),
        kind: ParameterKind::Boolean,
        meaning:
            "also show the cluster's own work: what its control plane and kubelets do day by day, from where they are"
                .to_owned(),
        default: Some(Value::Boolean(false)),
    }
}

/// The parameters that every canned query takes without declaring them.
pub fn common() -> impl Iterator<Item = Parameter> {
    COMMON.iter().map(|common| Parameter {
        name: common.name.to_owned(),
        kind: common.kind,
        meaning: common.meaning.to_owned(),
        default: None,
    })
}

/// As people type it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(micros) => f.write_str(&time::render(*micros)),
            Self::Text(text) | Self::Network(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(truth) => write!(f, "{truth}"),
        }
    }
}

impl Parameter {
    /// Its option on the command line: `--source-ip` for `source_ip`.
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// Reads a value as people type it; ages count back from `now`, in microseconds since 1970, and a time of the day is one
    /// of the day of the newest event.
    ///
    /// # Errors
    /// When the text is no value of the parameter's kind.
    pub fn parse(&self, text: &str, now: i64, newest: Option<i64>) -> Result<Value, ValueError> {
        let given = || text.to_owned();
        Ok(match self.kind {
            ParameterKind::Time => Value::Time(window::parse_in(text, now, newest)?),
            ParameterKind::Text => Value::Text(given()),
            ParameterKind::Outcome if OUTCOMES.contains(&text) => Value::Text(given()),
            ParameterKind::Outcome => return Err(ValueError::Outcome { given: given() }),
            ParameterKind::Address => address(text)?,
            ParameterKind::Resource if text.contains('/') => return Err(ValueError::Resource { given: given() }),
            ParameterKind::Resource => Value::Text(given()),
            ParameterKind::Integer => Value::Integer(text.parse().map_err(|_| ValueError::Integer { given: given() })?),
            ParameterKind::Boolean => Value::Boolean(text.parse().map_err(|_| ValueError::Boolean { given: given() })?),
        })
    }
}

impl ParameterKind {
    /// Its name in headers and help texts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Text => "text",
            Self::Outcome => "outcome",
            Self::Address => "address",
            Self::Resource => "resource",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }

    /// Whether a value is of this kind.
    pub fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Time, Value::Time(_))
            | (Self::Text | Self::Address | Self::Resource, Value::Text(_))
            | (Self::Address, Value::Network(_))
            | (Self::Integer, Value::Integer(_))
            | (Self::Boolean, Value::Boolean(_)) => true,
            (Self::Outcome, Value::Text(text)) => OUTCOMES.contains(&text.as_str()),
            _ => false,
        }
    }
}

/// An address as the server writes it, or a network. What is neither stays as it is: a collector can put a word there.
fn address(text: &str) -> Result<Value, ValueError> {
    if text.contains('/') {
        let network = text.parse::<IpNet>().map_err(|_| ValueError::Network { given: text.to_owned() })?;
        return Ok(Value::Network(network.to_string()));
    }
    let canonical = text.parse::<IpAddr>().map(|address| address.to_canonical().to_string());
    Ok(Value::Text(canonical.unwrap_or_else(|_| text.to_owned())))
}

/// The names nearest to one that does not exist, best first.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    // A slip of the fingers changes few letters; half a name that is right is a match as well.
    let most = wanted.chars().count().div_ceil(3).max(2);
    let mut near: Vec<(usize, &str)> = names
        .map(|name| (damerau_levenshtein(wanted, name), name))
        .filter(|(distance, name)| *distance <= most || (wanted.len() > 2 && name.contains(wanted)))
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(kind: ParameterKind) -> Parameter {
        Parameter { name: "source_ip".to_owned(), kind, meaning: String::new(), default: None }
    }

    #[test]
    fn texts_become_values_of_the_right_kind() {
        for (kind, text, value) in [
            (ParameterKind::Time, "1s", Value::Time(-1_000_000)),
            (ParameterKind::Text, "' OR 1=1", Value::Text("' OR 1=1".to_owned())),
            (ParameterKind::Outcome, "denied", Value::Text("denied".to_owned())),
            (ParameterKind::Address, "2001:DB8:0::1", Value::Text("2001:db8::1".to_owned())),
            (ParameterKind::Address, "::ffff:10.0.0.1", Value::Text("10.0.0.1".to_owned())),
            (ParameterKind::Address, "gce-internal-ip", Value::Text("gce-internal-ip".to_owned())),
            (ParameterKind::Address, "10.1.2.3/8", Value::Network("10.1.2.3/8".to_owned())),
            (ParameterKind::Resource, "secrets", Value::Text("secrets".to_owned())),
            (ParameterKind::Integer, "-7", Value::Integer(-7)),
            (ParameterKind::Boolean, "true", Value::Boolean(true)),
        ] {
            let parsed = parameter(kind).parse(text, 0, None).unwrap();
            assert_eq!(parsed, value);
            assert!(kind.takes(&parsed));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for (kind, text) in [
            (ParameterKind::Time, "soon"),
            (ParameterKind::Outcome, "Denied"),
            (ParameterKind::Outcome, ""),
            (ParameterKind::Address, "10.0.0.0/33"),
            (ParameterKind::Resource, "pods/exec"),
            (ParameterKind::Integer, "1.5"),
            (ParameterKind::Boolean, "yes"),
        ] {
            let message = parameter(kind).parse(text, 0, None).unwrap_err().to_string();
            assert!(message.contains(&format!("`{text}`")), "{message}");
        }
        assert!(!ParameterKind::Outcome.takes(&Value::Text("deny".to_owned())));
        assert!(!ParameterKind::Time.takes(&Value::Integer(1)));
    }

    #[test]
    fn near_names_are_found() {
        let names = ["failed-auth", "rbac-changes", "secret-reads"];
        let near = |wanted| nearest(wanted, names.into_iter());
        assert_eq!(near("secret-read"), ["secret-reads"]);
        assert_eq!(near("secrte-reads"), ["secret-reads"]);
        assert_eq!(near("rbac"), ["rbac-changes"]);
        assert_eq!(near("xyzzy"), Vec::<String>::new());
        assert_eq!(near(""), Vec::<String>::new());
        assert_eq!(parameter(ParameterKind::Text).flag(), "--source-ip");
    }
}

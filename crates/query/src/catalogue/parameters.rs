//! The values that a run of a query binds.

use std::collections::BTreeMap;

use duckdb::types;

use crate::catalogue::{CannedQuery, Value};
use crate::error::QueryError;
use crate::gate::{self, Refusal};
use crate::window::Window;

/// Values of parameters, by name. What has no value is its default, else NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    values: BTreeMap<String, Value>,
    condition: Option<String>,
    without_claims: bool,
}

impl Parameters {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a parameter a value, in place of one that it may have.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        self.values.insert(name.into(), value);
    }

    /// Gives `since` and `until` the ends of a window; an end that is open leaves its parameter as it is.
    pub fn set_window(&mut self, window: Window) {
        for (name, end) in [("since", window.since), ("until", window.until)] {
            if let Some(micros) = end {
                self.set(name, Value::Time(micros));
            }
        }
    }

    /// Whether they narrow the query by nothing but a window.
    pub fn is_window(&self) -> bool {
        self.condition.is_none() && self.values.keys().all(|name| name == "since" || name == "until")
    }

    /// Narrows the query by a condition in SQL.
    ///
    /// # Errors
    /// When it is not one condition that only reads.
    pub fn set_condition(&mut self, condition: String) -> Result<(), Refusal> {
        gate::check_condition(&condition)?;
        self.condition = Some(condition);
        Ok(())
    }

    /// The condition in SQL, when there is one.
    pub(crate) fn condition(&self) -> Option<&str> {
        self.condition.as_deref()
    }

    /// The same where an address is the source alone, and not what somebody says: for counting the difference.
    pub(crate) fn without_claims(&self) -> Self {
        Self { without_claims: true, ..self.clone() }
    }

    pub(crate) fn are_claims_left_out(&self) -> bool {
        self.without_claims
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The values that were given, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Refuses values that `query` would ignore or cannot take: an ignored filter makes a wrong answer.
    ///
    /// # Errors
    /// When the query has no such parameter, or the value is of another kind.
    pub(crate) fn check(&self, query: &CannedQuery) -> Result<(), QueryError> {
        // A condition goes where the filters go.
        if self.condition.is_some() {
            query.declared("since")?;
        }
        for (name, value) in &self.values {
            let parameter = query.declared(name)?;
            if !parameter.kind.takes(value) {
                return Err(QueryError::Value { query: query.name.clone(), name: name.clone() });
            }
        }
        Ok(())
    }

    /// What is bound to the parameter `name` of `query`.
    pub(crate) fn bound(&self, query: &CannedQuery, name: &str) -> types::Value {
        let default = || query.parameter(name).and_then(|parameter| parameter.default.as_ref());
        match self.get(name).or_else(default) {
            None => types::Value::Null,
            Some(Value::Time(micros)) => types::Value::Timestamp(types::TimeUnit::Microsecond, *micros),
            Some(Value::Text(text) | Value::Network(text)) => types::Value::Text(text.clone()),
            Some(Value::Integer(number)) => types::Value::BigInt(*number),
            Some(Value::Boolean(truth)) => types::Value::Boolean(*truth),
        }
    }
}

//! Which part of a case a canned query asks for.

use super::{CannedQuery, Parameters, Value};
use crate::error::QueryError;
use crate::selection::Selection;

impl Selection {
    /// The least that answers `query` with `parameters` in full.
    pub fn of(query: &CannedQuery, parameters: &Parameters) -> Self {
        let (groups, refusals) = (query.groups.clone(), query.refusals);
        if query.whole_case {
            return Self { resources: query.resources.clone(), groups, refusals, ..Self::default() };
        }
        let time = |name: &str| match parameters.get(name) {
            Some(Value::Time(micros)) if query.parameter(name).is_some() => Some(*micros),
            _ => None,
        };
        let wanted = match parameters.get("resource") {
            Some(Value::Text(resource)) => Some(resource),
            _ => None,
        };
        let resources = match (&query.resources, wanted) {
            (None, None) => None,
            (None, Some(wanted)) => Some(vec![wanted.clone()]),
            (Some(all), None) => Some(all.clone()),
            (Some(all), Some(wanted)) => Some(all.iter().filter(|resource| *resource == wanted).cloned().collect()),
        };
        Self { since: time("since"), until: time("until"), resources, groups, refusals, ..Self::default() }
    }

    /// Refuses to answer `query` from less than it asks for.
    ///
    /// # Errors
    /// When the session leaves out times or resources that the query would show.
    pub(crate) fn check_covers(&self, query: &CannedQuery, parameters: &Parameters) -> Result<(), QueryError> {
        self.check_covers_all_of(&format!("the query `{}`", query.name), &Self::of(query, parameters))
    }
}

//! An earlier report, which a new one is compared with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kforensic_report::document::{SCHEMA, SCHEMA_VERSION};
use serde_json::Value;

use crate::error::CliError;

/// The keys of all rows of a JSON report, by query.
///
/// # Errors
/// When the file is no report of this program, or of a version that it does not know.
pub(super) fn row_keys(path: &Path) -> Result<BTreeMap<String, BTreeSet<String>>, CliError> {
    let bytes = std::fs::read(path).map_err(|source| CliError::Input { path: path.to_owned(), source })?;
    let not_one = |problem: &str| CliError::NoReport { path: path.to_owned(), problem: problem.to_owned() };
    let report: Value = serde_json::from_slice(&bytes).map_err(|_| not_one("it is no JSON document"))?;
    if report["schema"] != SCHEMA {
        return Err(not_one("it has another schema"));
    }
    if report["version"] != SCHEMA_VERSION {
        return Err(not_one("its schema has another version"));
    }
    let findings = report["findings"].as_array().ok_or_else(|| not_one("it has no findings"))?;
    let keys = findings.iter().filter_map(|finding| {
        let keys = finding["row_keys"].as_array()?.iter().filter_map(|key| Some(key.as_str()?.to_owned()));
        Some((finding["query"].as_str()?.to_owned(), keys.collect()))
    });
    Ok(keys.collect())
}

//! `--proxy`: proxies in front of the API server whose word is taken for where a request came from, and what
//! an answer says of it.

use std::sync::OnceLock;

use kforensic_query::proxies::Proxies;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::message;

/// What `--proxy` gave: the command line is read once, and holds for every session of this run.
static TAKEN: OnceLock<Proxies> = OnceLock::new();

/// Takes up what the command line names.
pub(crate) fn take(texts: &[String]) -> Result<(), CliError> {
    let proxies = Proxies::parse(texts)?;
    // Only `main` does so, once.
    let _ = TAKEN.set(proxies);
    Ok(())
}

/// What sessions are opened with.
pub(crate) fn wanted() -> Proxies {
    TAKEN.get().cloned().unwrap_or_default()
}

/// Says whose word was taken.
pub(crate) fn remark() {
    if let Some(words) = in_words() {
        message::note(&words);
    }
}

/// Whose word was taken; `None` without `--proxy`.
pub(crate) fn in_words() -> Option<String> {
    let proxies = wanted();
    (!proxies.is_empty()).then(|| {
        format!(
            "what {} says of where a request came from counts as its source (`--proxy`); it is a proxy's word, which a client \
             may have forged",
            proxies.names().join(", ")
        )
    })
}

/// The same for programs; `null` without `--proxy`.
pub(crate) fn to_json() -> Value {
    let proxies = wanted();
    if proxies.is_empty() { Value::Null } else { json!(proxies.names()) }
}

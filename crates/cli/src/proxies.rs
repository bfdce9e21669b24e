//! `--proxy`: proxies in front of the API server whose word is taken for where a request came from, and what
//! an answer says of it.

use std::sync::OnceLock;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use kforensic_query::catalogue::Claimed;
use kforensic_query::proxies::Proxies;
use kforensic_query::{RowSink, SinkError};
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

/// Looks on rows on their way to `rows` whether any tells of a claimed address.
pub(crate) fn watch(rows: &mut dyn RowSink, claimed: Option<Claimed>) -> Watch<'_> {
    Watch { rows, claimed, has_claims: false }
}

/// Rows of an answer, and whether one of them tells of a claimed address: only then is it worth a tenth of a second, on a
/// million requests, to look whose claims they are.
pub(crate) struct Watch<'r> {
    rows: &'r mut dyn RowSink,
    claimed: Option<Claimed>,
    pub(crate) has_claims: bool,
}

impl RowSink for Watch<'_> {
    fn columns(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        self.rows.columns(schema)
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        self.has_claims = self.has_claims || self.claimed.is_some_and(|claimed| has_claims(batch, claimed));
        self.rows.rows(batch)
    }
}

fn has_claims(batch: &RecordBatch, claimed: Claimed) -> bool {
    let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    match claimed {
        Claimed::ForwardedFor => {
            let lists = batch.column_by_name("forwarded_for").and_then(|column| column.as_list_opt::<i32>());
            text("forwarded_for").is_some_and(|texts| texts.null_count() < texts.len())
                || lists.is_some_and(|lists| lists.iter().flatten().any(|list| !list.is_empty()))
        }
        Claimed::Aspect => {
            text("aspect").is_some_and(|aspects| aspects.iter().flatten().any(|aspect| aspect == "forwarded for"))
        }
    }
}

//! One sentence for each row, safe to look at.

use std::borrow::Cow;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};

use crate::cell::{Cell, bare, shown};
use crate::visible::escape;

/// Characters of one value in a sentence: the longest name of Kubernetes has 253. The whole value has its own column.
const VALUE_CHARACTERS_MAX: usize = 256;

/// The columns that make up a sentence.
pub(crate) struct Sentence {
    user_name: Option<usize>,
    impersonated_user: Option<usize>,
    verb: Option<usize>,
    resource: Option<usize>,
    subresource: Option<usize>,
    namespace: Option<usize>,
    name: Option<usize>,
    request_uri: Option<usize>,
    outcome: Option<usize>,
    status_code: Option<usize>,
    source_ip: Option<usize>,
    user_agent: Option<usize>,
    /// All columns but times, with their names: what is said of a row that is no request.
    all: Vec<(usize, String)>,
}

impl Sentence {
    /// The sentence for rows with the columns of `schema`.
    pub(crate) fn of(schema: &Schema) -> Self {
        let fields = || schema.fields().iter().enumerate();
        let find = |name: &str| fields().find(|(_, field)| field.name() == name).map(|(index, _)| index);
        let is_time = |data_type: &DataType| matches!(bare(data_type), DataType::Timestamp(..));
        let all = fields().filter(|(_, field)| !is_time(field.data_type()));
        Self {
            user_name: find("user_name"),
            impersonated_user: find("impersonated_user"),
            verb: find("verb"),
            resource: find("resource"),
            subresource: find("subresource"),
            namespace: find("namespace"),
            name: find("name"),
            request_uri: find("request_uri"),
            outcome: find("outcome"),
            status_code: find("status_code"),
            source_ip: find("source_ip"),
            user_agent: find("user_agent"),
            all: all.map(|(index, field)| (index, escape(field.name()).into_owned())).collect(),
        }
    }

    /// `alice get secrets default/db-pass -> allowed 200 from 10.0.0.9 via kubectl/v1.33.1` for a request, and the values
    /// with their names for any other row.
    pub(crate) fn say(&self, batch: &RecordBatch, row: usize) -> String {
        let value =
            |column: Option<usize>| shown(&Cell::of(batch.column(column?), row)).map(|text| short(&text).into_owned());
        let Some(verb) = value(self.verb) else {
            return self.list(batch, row);
        };
        let mut words = Vec::new();
        if self.user_name.is_some() {
            words.push(value(self.user_name).unwrap_or_else(|| "nobody".to_owned()));
        }
        words.extend(value(self.impersonated_user).map(|user| format!("as {user}")));
        words.push(verb);
        match (value(self.resource), value(self.subresource)) {
            (Some(resource), Some(subresource)) => words.push(format!("{resource}/{subresource}")),
            (Some(resource), None) => words.push(resource),
            (None, _) => words.extend(value(self.request_uri)),
        }
        match (value(self.namespace), value(self.name)) {
            (Some(namespace), Some(name)) => words.push(format!("{namespace}/{name}")),
            (Some(namespace), None) => words.push(format!("in {namespace}")),
            (None, name) => words.extend(name),
        }
        let (outcome, code) = (value(self.outcome), value(self.status_code));
        if outcome.is_some() || code.is_some() {
            words.push("->".to_owned());
            words.extend(outcome);
            words.extend(code);
        }
        words.extend(value(self.source_ip).map(|address| format!("from {address}")));
        // Clients call themselves `kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0`.
        let agent = value(self.user_agent);
        words.extend(agent.and_then(|agent| Some(format!("via {}", agent.split(' ').next()?))));
        words.join(" ")
    }

    fn list(&self, batch: &RecordBatch, row: usize) -> String {
        let value = |(column, name): &(usize, String)| {
            let cell = Cell::of(batch.column(*column), row);
            let is_empty = matches!(&cell, Cell::List { rows, .. } if rows.is_empty());
            let text = shown(&cell).filter(|_| !is_empty)?;
            Some(format!("{name}: {}", short(&text)))
        };
        let values: Vec<String> = self.all.iter().filter_map(value).collect();
        if values.is_empty() { "a row without values".to_owned() } else { values.join("; ") }
    }
}

/// `text`, cut with a `…` when it is too long for a sentence.
fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(VALUE_CHARACTERS_MAX) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

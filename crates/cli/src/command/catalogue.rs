//! The catalogue for programs: every query with what its header says, so that nobody has to read help texts.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use kforensic_query::{CannedQuery, Catalogue};
use kforensic_report::{About, Format, ReportError};

use crate::args::OutputArgs;
use crate::command::queries::listed;
use crate::error::CliError;
use crate::output::Output;

/// A column of the list, for formats that have columns.
type Column = (&'static str, fn(&CannedQuery) -> Option<String>);

#[rustfmt::skip]
const COLUMNS: [Column; 11] = [
    ("name", |query| Some(query.name.clone())),
    ("title", |query| Some(query.title.clone())),
    ("question", |query| Some(query.question.clone())),
    ("group", |query| Some(query.group.name().to_owned())),
    ("variant_of", |query| query.variant.as_ref().map(|variant| variant.of.clone())),
    ("view", |query| query.variant.as_ref().map(|variant| variant.view.clone())),
    ("kind", |query| Some(query.kind.name().to_owned())),
    ("severity", |query| Some(query.severity.name().to_owned())),
    ("attack", |query| Some(query.attack.join(", "))),
    ("needs", |query| Some(query.needs_in_words())),
    ("noise", |query| Some(query.noise.split_whitespace().collect::<Vec<_>>().join(" "))),
];

/// Writes all queries, or those about some words. JSON has whatever their headers have, and what the SQL tells.
pub(crate) fn write(catalogue: &Catalogue, words: Option<&str>, args: &OutputArgs) -> Result<(), CliError> {
    let found: Vec<&CannedQuery> = match words {
        None => catalogue.iter().collect(),
        Some(_) => listed(catalogue, words)?.into_iter().map(|line| line.query).collect(),
    };
    // There is no case that a file could lie in.
    let mut output = Output::open(args, "".as_ref())?;
    match output.format {
        Format::Json | Format::Jsonl => write_json(&found, &mut output)?,
        _ => {
            let column = |of: fn(&CannedQuery) -> Option<String>| -> ArrayRef {
                Arc::new(found.iter().map(|query| of(query)).collect::<StringArray>())
            };
            write_columns(COLUMNS.map(|(name, of)| (name, column(of))), "Canned queries", &mut output)?;
        }
    }
    output.finish().map(drop)
}

/// One query a line; an array around them unless the format is lines.
fn write_json(found: &[&CannedQuery], output: &mut Output) -> Result<(), CliError> {
    let (begin, between, end) = match output.format {
        Format::Json => ("[\n", ",\n", "\n]\n"),
        _ => ("", "\n", "\n"),
    };
    let lines = found.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
    let lines = lines.map_err(|error| ReportError::Io(error.into()))?;
    let text = format!("{begin}{}{end}", lines.join(between));
    Ok(output.write_all(text.as_bytes()).map_err(ReportError::from)?)
}

/// Writes columns of a list of queries, in whatever format has columns.
pub(crate) fn write_columns(
    columns: impl IntoIterator<Item = (&'static str, ArrayRef)>,
    title: &str,
    output: &mut Output,
) -> Result<(), CliError> {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    let batch = match RecordBatch::try_from_iter_with_nullable(columns) {
        Ok(batch) => batch,
        Err(error) => unreachable!("columns made of the same queries have the same length: {error}"),
    };
    let (format, layout) = (output.format, output.layout.clone());
    let mut sink = format.writer(batch.schema(), layout, output)?;
    sink.write_batch(&batch)?;
    sink.about(&About { title: title.to_owned(), ..About::default() });
    sink.finish()?;
    Ok(())
}

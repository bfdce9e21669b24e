//! Events for a Timesketch timeline, as JSON lines or CSV.
//!
//! Timesketch wants `message`, `datetime`, `timestamp` (microseconds) and `timestamp_desc`, and knows `tag`. It skips rows
//! without a time it can read, with no more than a line in its own log: such a row stands at 1970-01-01 and says `not a
//! time`, as plaso does. A row with a first and a last time, such as a count, becomes two events. All other columns follow
//! under their names, flat, and cut where OpenSearch would stop to index them.

mod flat;
mod message;
mod times;

use std::io::Write;
use std::sync::Arc;

use arrow::array::builder::{ListBuilder, StringBuilder};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::DateTime;

use crate::cell::{Cell, shown};
use crate::names::distinct;
use crate::sink::{Layout, Sink, Summary, check_columns};
use crate::{ReportError, csv, json};
use flat::{Lists, flat};
use message::Sentence;
use times::{Moment, Times};

/// What the first columns are.
const LEADING: [&str; 6] = ["message", "datetime", "timestamp", "timestamp_desc", "data_type", "tag"];

/// Names that Timesketch removes from what it imports.
const REMOVED: [&str; 5] = ["_id", "_type", "_index", "_source", "__ts_timeline_id"];

struct Timesketch<'w> {
    /// Writes the events in their form.
    events: Box<dyn Sink + 'w>,
    /// The columns of the result.
    schema: SchemaRef,
    /// The columns of an event.
    event_schema: SchemaRef,
    times: Times,
    sentence: Sentence,
    /// Columns of the result that give `message`, `timestamp_desc` and `tag` themselves.
    given: Given,
    /// Columns of the result that follow the leading ones.
    others: Vec<usize>,
    lists: Lists,
    tags: Vec<String>,
}

/// What a result says itself, for those who write their own SQL.
struct Given {
    message: Option<usize>,
    timestamp_desc: Option<usize>,
    tag: Option<usize>,
}

/// Starts `--format timesketch`.
pub(crate) fn start_lines<'w>(
    schema: SchemaRef,
    layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    start(schema, layout, Lists::Arrays, out, json::start_lines)
}

/// Starts `--format timesketch-csv`.
pub(crate) fn start_csv<'w>(
    schema: SchemaRef,
    layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    start(schema, layout, Lists::Texts, out, csv::start)
}

type Start<'w> = fn(SchemaRef, Layout, &'w mut dyn Write) -> Result<Box<dyn Sink + 'w>, ReportError>;

fn start<'w>(
    schema: SchemaRef,
    layout: Layout,
    lists: Lists,
    out: &'w mut dyn Write,
    start_events: Start<'w>,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    let times = Times::of(&schema)?;
    let find = |name: &str| schema.fields().iter().position(|field| field.name() == name);
    let given = Given { message: find("message"), timestamp_desc: find("timestamp_desc"), tag: find("tag") };
    let used = [given.message, given.timestamp_desc, given.tag, times.datetime()];
    let others: Vec<usize> = (0..schema.fields().len()).filter(|index| !used.contains(&Some(*index))).collect();
    let event_schema = event_schema(&schema, &others, lists);
    let tags = layout.tags.clone();
    let events = start_events(Arc::clone(&event_schema), layout, out)?;
    let sentence = Sentence::of(&schema);
    Ok(Box::new(Timesketch { events, schema, event_schema, times, sentence, given, others, lists, tags }))
}

/// The leading columns, then the others under names that are free.
fn event_schema(schema: &Schema, others: &[usize], lists: Lists) -> SchemaRef {
    let tags = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    let mut fields: Vec<Field> = LEADING.map(|name| Field::new(name, DataType::Utf8, true)).into();
    fields[2] = Field::new(LEADING[2], DataType::Int64, true);
    fields[5] = Field::new(LEADING[5], tags, true);
    for index in others {
        let field = schema.field(*index);
        let name = field.name();
        let is_taken = LEADING.contains(&name.as_str()) || REMOVED.contains(&name.as_str());
        let name = if is_taken { format!("{name}_") } else { name.clone() };
        fields.push(Field::new(name, flat::data_type(field.data_type(), lists), true));
    }
    let names = distinct(&Schema::new(fields.clone()));
    let fields: Vec<Field> = fields.into_iter().zip(names).map(|(field, name)| field.with_name(name)).collect();
    Arc::new(Schema::new(fields))
}

impl Sink for Timesketch<'_> {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        check_columns(&self.schema, batch.schema_ref())?;
        let rows = 0..batch.num_rows();
        let moments: Vec<(usize, Moment)> =
            rows.flat_map(|row| self.times.moments(batch, row).into_iter().map(move |moment| (row, moment))).collect();
        let mut columns = self.leading(batch, &moments);
        let places: UInt32Array = moments.iter().map(|(row, _)| u32::try_from(*row).ok()).collect();
        let repeated = take_record_batch(batch, &places)?;
        for index in &self.others {
            columns.push(flat(repeated.column(*index), self.lists)?);
        }
        self.events.write_batch(&RecordBatch::try_new(Arc::clone(&self.event_schema), columns)?)
    }

    fn finish(self: Box<Self>) -> Result<Summary, ReportError> {
        self.events.finish()
    }
}

impl Timesketch<'_> {
    /// The columns that Timesketch asks for, one event for each of `moments`.
    fn leading(&self, batch: &RecordBatch, moments: &[(usize, Moment)]) -> Vec<ArrayRef> {
        let said = |column: Option<usize>, row: usize| {
            column
                .and_then(|column| shown(&Cell::of(batch.column(column), row)))
                .map(|text| flat::cut(&text).into_owned())
        };
        let texts = |text: &dyn Fn(usize, &Moment) -> String| -> ArrayRef {
            let texts = moments.iter().map(|(row, moment)| Some(text(*row, moment)));
            Arc::new(texts.collect::<StringArray>())
        };
        let message = |row| said(self.given.message, row).unwrap_or_else(|| self.sentence.say(batch, row));
        vec![
            texts(&|row, _| message(row)),
            texts(&|_, moment| datetime(moment.micros)),
            Arc::new(moments.iter().map(|(_, moment)| moment.micros).collect::<Int64Array>()),
            texts(&|row, moment| said(self.given.timestamp_desc, row).unwrap_or_else(|| moment.meaning.clone())),
            texts(&|_, _| self.times.data_type().to_owned()),
            self.tags(batch, moments),
        ]
    }

    fn tags(&self, batch: &RecordBatch, moments: &[(usize, Moment)]) -> ArrayRef {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for (row, _) in moments {
            for tag in &self.tags {
                lists.values().append_value(tag);
            }
            let given = self.given.tag.map(|column| Cell::of(batch.column(column), *row));
            match given {
                Some(Cell::List { values, rows }) => {
                    for tag in rows.filter_map(|row| shown(&Cell::of(values, row))) {
                        lists.values().append_value(flat::cut(&tag));
                    }
                }
                Some(cell) => {
                    if let Some(tag) = shown(&cell) {
                        lists.values().append_value(flat::cut(&tag));
                    }
                }
                None => (),
            }
            lists.append(true);
        }
        Arc::new(lists.finish())
    }
}

/// `2026-01-01T00:00:00.123456+00:00`, always with six digits: a column of CSV is read in the form of its first row.
fn datetime(micros: i64) -> String {
    let at = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    at.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

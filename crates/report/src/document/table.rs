//! Tables of a document: rows under the names of their columns, made by hand or from an answer.

use std::borrow::Cow;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;

use super::text::Level;
use crate::cell::{Cell, bare, shown, write_plain};

/// Characters of a value that a document shows. A client can name an object or itself with a megabyte of letters; a
/// longer value is cut, says so, and is whole in the answer of the query.
pub const VALUE_CHARS_MAX: usize = 400;

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Name of its place, in lower case with dashes; each is used once in a document.
    pub id: String,
    /// What it shows.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The rows that are shown, each with a value for every column.
    pub rows: Vec<Vec<Value>>,
    /// How many rows there are: more than are shown when there is a limit.
    pub total_rows: u64,
    /// The file beside the document that has all rows.
    pub data_file: Option<String>,
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether it is set like a number.
    pub is_number: bool,
}

/// A value in a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// There is none.
    Nothing,
    /// A text from the evidence.
    Text(String),
    /// Several of them.
    Texts(Vec<String>),
    /// A whole number.
    Number(i64),
    /// A number or truth value as JSON writes it.
    Literal(String),
    /// An instant, in microseconds since 1970.
    Time(i64),
    /// A level.
    Level(Level),
    /// A text from the evidence as it is shown: cut and made visible already.
    Shown(String),
    /// Our own words, in which names stand between backticks.
    Words(String),
    /// Words that lead to a part of the same document.
    Link {
        /// The id of the part.
        to: String,
        /// The words.
        words: String,
    },
}

impl Column {
    /// A column of texts.
    #[must_use]
    pub fn text(name: impl Into<String>) -> Self {
        Self { name: name.into(), is_number: false }
    }

    /// A column of numbers.
    #[must_use]
    pub fn number(name: impl Into<String>) -> Self {
        Self { name: name.into(), is_number: true }
    }
}

impl Table {
    /// A table with these columns and no rows yet.
    #[must_use]
    pub fn new(id: impl Into<String>, caption: impl Into<String>, columns: Vec<Column>) -> Self {
        Self { id: id.into(), caption: caption.into(), columns, ..Self::default() }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// When it has not one value for every column.
    pub fn push(&mut self, row: Vec<Value>) {
        assert_eq!(row.len(), self.columns.len(), "a row of `{}` has a value for every column", self.id);
        self.rows.push(row);
        self.total_rows += 1;
    }

    /// How many rows are not shown.
    #[must_use]
    pub fn rows_left_out(&self) -> u64 {
        self.total_rows.saturating_sub(self.rows.len() as u64)
    }

    /// The columns in which some row has a value: what an answer leaves empty only makes a page wide.
    #[must_use]
    pub fn filled_columns(&self) -> Vec<usize> {
        let is_filled = |at: &usize| self.rows.iter().any(|row| row[*at] != Value::Nothing);
        (0..self.columns.len()).filter(is_filled).collect()
    }
}

impl Table {
    /// Whether a column has a text that is read, and not only looked up: it needs room to be.
    #[must_use]
    pub(crate) fn is_prose(&self, column: usize) -> bool {
        const PROSE_CHARS: usize = 48;
        let length = |value: &Value| match value {
            Value::Text(text) | Value::Literal(text) | Value::Shown(text) | Value::Words(text)
                if text.contains(' ') =>
            {
                text.chars().take(PROSE_CHARS).count()
            }
            Value::Texts(texts) => texts.iter().map(|text| text.chars().take(PROSE_CHARS).count()).sum(),
            _ => 0,
        };
        self.rows.iter().any(|row| length(&row[column]) >= PROSE_CHARS)
    }
}

impl Value {
    /// A text, or nothing.
    #[must_use]
    pub fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(text.into()))
    }

    /// The value of an answer at that place of a batch.
    ///
    /// # Panics
    /// When the batch has no such row or column.
    #[must_use]
    pub fn of(batch: &RecordBatch, column: usize, row: usize) -> Self {
        Self::of_cell(&Cell::of(batch.column(column), row))
    }

    /// The same, with no more of a text than a page shows: a page of many rows has no room for megabytes.
    pub(crate) fn bounded(batch: &RecordBatch, column: usize, row: usize) -> Self {
        match Cell::of(batch.column(column), row) {
            Cell::Text(text) => Self::Shown(shown_text(&text)),
            Cell::List { rows, .. } if rows.is_empty() => Self::Shown("[]".to_owned()),
            Cell::List { values, rows } => {
                let left_out = rows.len().saturating_sub(TEXTS_MAX);
                let texts = rows.take(TEXTS_MAX).map(|row| match Cell::of(values, row) {
                    Cell::Text(text) => shown_text(&text),
                    Cell::Null => "null".to_owned(),
                    cell => shown_text(&in_memory(|out| write_plain(out, &cell))),
                });
                let list = texts.collect::<Vec<_>>().join(", ");
                Self::Shown(if left_out > 0 { format!("{list} and {left_out} more") } else { list })
            }
            cell @ (Cell::Struct { .. } | Cell::Map { .. }) => {
                Self::Shown(shown_text(&in_memory(|out| write_plain(out, &cell))))
            }
            cell => Self::of_cell(&cell),
        }
    }

    fn of_cell(cell: &Cell<'_>) -> Self {
        match cell {
            Cell::Null => Self::Nothing,
            Cell::Text(text) => Self::Text(text.clone().into_owned()),
            Cell::Instant(at) => Self::Time(at.and_utc().timestamp_micros()),
            Cell::Signed(number) => Self::Number(*number),
            Cell::Unsigned(number) => {
                i64::try_from(*number).map_or_else(|_| Self::Literal(number.to_string()), Self::Number)
            }
            Cell::List { values, rows } => {
                let texts = rows.clone().map(|row| match Cell::of(*values, row) {
                    Cell::Text(text) => text.into_owned(),
                    cell => in_memory(|out| write_plain(out, &cell)),
                });
                Self::Texts(texts.collect())
            }
            _ => Self::Literal(in_memory(|out| write_plain(out, cell))),
        }
    }
}

/// Elements of a list that a page shows.
pub(crate) const TEXTS_MAX: usize = 12;

/// About how much room a value takes on a page.
pub(crate) fn shown_bytes(value: &Value) -> usize {
    /// Markup around a value.
    const AROUND: usize = 24;
    AROUND
        + match value {
            Value::Text(text) | Value::Literal(text) | Value::Shown(text) | Value::Words(text) => text.len(),
            _ => 0,
        }
}

/// The columns of an answer.
pub(crate) fn columns_of(schema: &arrow::datatypes::Schema) -> Vec<Column> {
    let is_number = |kind: &DataType| bare(kind).is_numeric();
    let names = crate::names::distinct(schema);
    let fields = schema.fields().iter().zip(names);
    fields.map(|(field, name)| Column { name, is_number: is_number(field.data_type()) }).collect()
}

/// Longest sentence of ours that is shown whole, in characters. Names stand in some, and a name can have a megabyte.
const PROSE_CHARS_MAX: usize = 4_000;

/// Our own words, not longer than a reader can bear.
pub(crate) fn bearable(words: &str) -> Cow<'_, str> {
    match words.char_indices().nth(PROSE_CHARS_MAX) {
        None => Cow::Borrowed(words),
        Some((end, _)) => Cow::Owned(format!("{}… (cut: {} characters)", &words[..end], words.chars().count())),
    }
}

/// `text` as a document shows it: nothing hostile in it, and not longer than a reader can bear.
pub(crate) fn shown_text(text: &str) -> String {
    let shown_whole = |text: &str| shown(&Cell::Text(text.into())).unwrap_or_default();
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        None => shown_whole(text),
        Some((end, _)) => {
            format!("{}… (cut: {} characters)", shown_whole(&text[..end]), text.chars().count())
        }
    }
}

fn in_memory(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    // Writing to memory cannot fail, and what is written is UTF-8.
    let _ = write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

//! What the table knows of a column, and of one cell in it.

use arrow::datatypes::{DataType, Field};

use super::paint::Style;
use crate::cell::{Cell, NULL, bare, shown};
use crate::visible::{escape, width};

/// A column of the result.
#[derive(Clone)]
pub(crate) struct Column {
    /// Its name, safe to print: `PIVOT` makes names of data.
    pub(crate) name: String,
    /// Its header: the name, and for instants the zone they mean.
    pub(crate) label: String,
    /// How its cells behave.
    pub(crate) kind: Kind,
    /// What its words are coloured by.
    palette: Option<Palette>,
}

/// What the words of a column are coloured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Palette {
    /// What came of a request.
    Outcome,
    /// How bad a finding is.
    Severity,
}

/// How the cells of a column may be laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// May be wrapped.
    Text,
    /// Never wrapped, and right-aligned: half a number is another number.
    Number,
    /// Never wrapped: half a time is no time.
    Time,
}

impl Column {
    /// The column that `field` describes.
    pub(crate) fn of(field: &Field) -> Self {
        let name = escape(field.name()).into_owned();
        let is_instant = matches!(bare(field.data_type()), DataType::Timestamp(..));
        let label = if is_instant { format!("{name} (UTC)") } else { name.clone() };
        Self { name, label, kind: Kind::of(field.data_type()), palette: Palette::of(field.name()) }
    }

    /// The same under another header.
    pub(crate) fn labelled(&self, label: String) -> Self {
        Self { label, ..self.clone() }
    }

    /// The colour of a cell, or `None` for plain text.
    pub(crate) fn style(&self, cell: Option<&Shown>) -> Option<Style> {
        match cell.filter(|cell| !cell.is_empty) {
            None => Some(Style::Dim),
            Some(cell) => match self.palette? {
                Palette::Outcome => Style::of_outcome(&cell.text),
                Palette::Severity => Style::of_severity(&cell.text),
            },
        }
    }
}

impl Palette {
    fn of(column: &str) -> Option<Self> {
        match column {
            "outcome" => Some(Self::Outcome),
            "severity" => Some(Self::Severity),
            _ => None,
        }
    }
}

impl Kind {
    fn of(data_type: &DataType) -> Self {
        let data_type = bare(data_type);
        match data_type {
            DataType::Timestamp(..)
            | DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_) => Self::Time,
            _ if data_type.is_numeric() => Self::Number,
            _ => Self::Text,
        }
    }
}

/// A cell that is not NULL, as it is shown.
pub(crate) struct Shown {
    /// Its text, safe to print.
    pub(crate) text: String,
    /// Whether it is a list of nothing.
    pub(crate) is_empty: bool,
    /// Its width in terminal columns.
    pub(crate) width: usize,
}

impl Shown {
    /// The cell as it is shown, or `None` for NULL. `[]` is a word of programs: an empty list reads like NULL.
    pub(crate) fn of(cell: &Cell<'_>) -> Option<Self> {
        let is_empty = matches!(cell, Cell::List { rows, .. } if rows.is_empty());
        let text = if is_empty { NULL.to_owned() } else { shown(cell)? };
        let width = width(&text);
        Some(Self { text, is_empty, width })
    }
}

/// Text and width of a cell, NULL included.
pub(crate) fn text_and_width(cell: Option<&Shown>) -> (&str, usize) {
    cell.map_or((NULL, NULL.len()), |cell| (&cell.text, cell.width))
}

//! Columns as OpenSearch indexes them: no object inside an object, and no text too long for its keyword.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::builder::{ListBuilder, StringBuilder};
use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field};

use crate::ReportError;
use crate::cell::{Cell, bare, write_plain};

/// Bytes of a text: OpenSearch leaves longer ones out of the index of keywords (32,766 bytes), so that they are neither
/// counted nor sorted. The rest is for what says that a text was cut, and the `'` of a defused one.
const TEXT_BYTES_MAX: usize = 32_000;

/// How lists are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lists {
    /// As lists, where the form has them.
    Arrays,
    /// As JSON text.
    Texts,
}

/// The type of a column of `data_type` when it is [`flat`].
pub(crate) fn data_type(data_type: &DataType, lists: Lists) -> DataType {
    match shape(data_type, lists) {
        Shape::AsItIs => data_type.clone(),
        Shape::Texts => DataType::Utf8,
        Shape::ListsOfTexts => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
    }
}

/// The column without nested objects and long texts. Objects become JSON text.
///
/// # Errors
/// Never: memory takes all.
pub(crate) fn flat(array: &ArrayRef, lists: Lists) -> Result<ArrayRef, ReportError> {
    match shape(array.data_type(), lists) {
        Shape::AsItIs => Ok(Arc::clone(array)),
        Shape::Texts => {
            let texts = (0..array.len()).map(|row| text(&Cell::of(array, row)));
            Ok(Arc::new(texts.collect::<Result<StringArray, _>>()?))
        }
        Shape::ListsOfTexts => {
            let mut texts = ListBuilder::new(StringBuilder::new());
            for row in 0..array.len() {
                let Cell::List { values, rows } = Cell::of(array, row) else {
                    texts.append(false);
                    continue;
                };
                for element in rows {
                    texts.values().append_option(text(&Cell::of(values, element))?);
                }
                texts.append(true);
            }
            Ok(Arc::new(texts.finish()))
        }
    }
}

/// `text`, cut when OpenSearch would not index it, with its full length at the end.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= TEXT_BYTES_MAX {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    Cow::Owned(format!("{}… (cut: {} bytes in the case)", &text[..end], text.len()))
}

enum Shape {
    AsItIs,
    Texts,
    ListsOfTexts,
}

fn shape(data_type: &DataType, lists: Lists) -> Shape {
    match bare(data_type) {
        DataType::Null | DataType::Boolean => Shape::AsItIs,
        plain if plain.is_primitive() => Shape::AsItIs,
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
            if lists == Lists::Arrays =>
        {
            if bare(field.data_type()).is_primitive() {
                Shape::AsItIs
            } else {
                Shape::ListsOfTexts
            }
        }
        _ => Shape::Texts,
    }
}

fn text(cell: &Cell<'_>) -> Result<Option<String>, ReportError> {
    if matches!(cell, Cell::Null) {
        return Ok(None);
    }
    let mut text = Vec::new();
    write_plain(&mut text, cell)?;
    Ok(Some(cut(&String::from_utf8_lossy(&text)).into_owned()))
}

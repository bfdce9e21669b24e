//! Values of SQL that have fields, made from ours: each field is one line of a table.

use std::error::Error;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, ListBuilder, StringArray, StringBuilder, StructArray};
use arrow::datatypes::{DataType, Field, Fields};

use super::Tidy;

/// Name of a field, and what it holds.
pub(super) type Column<T> = (&'static str, Value<T>);

/// What a field of `T` holds; `None` is NULL.
pub(super) enum Value<T: 'static> {
    Text(fn(&T) -> Option<&str>),
    Flag(fn(&T) -> bool),
    Set(fn(&T) -> Option<&Tidy>),
    List(fn(&T) -> Option<&Vec<String>>),
}

/// The type of SQL of a value with these fields.
pub(super) fn data_type<T>(columns: &[Column<T>]) -> DataType {
    DataType::Struct(fields(columns))
}

fn fields<T>(columns: &[Column<T>]) -> Fields {
    let fields = columns.iter().map(|(name, value)| {
        let kind = match value {
            Value::Text(_) => DataType::Utf8,
            Value::Flag(_) => DataType::Boolean,
            Value::Set(_) | Value::List(_) => list(),
        };
        Field::new(*name, kind, true)
    });
    fields.collect()
}

/// A list of texts.
pub(super) fn list() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

/// The values; of `None` all fields are NULL.
pub(super) fn array<T>(columns: &[Column<T>], rows: &[Option<T>]) -> Result<Arc<dyn Array>, Box<dyn Error>> {
    let rows = || rows.iter().map(Option::as_ref);
    let arrays = columns.iter().map(|(_, value)| -> ArrayRef {
        match value {
            Value::Text(of) => Arc::new(rows().map(|row| row.and_then(of)).collect::<StringArray>()),
            Value::Flag(of) => Arc::new(rows().map(|row| row.map(of)).collect::<BooleanArray>()),
            Value::Set(of) => lists(rows().map(|row| row.and_then(of))),
            Value::List(of) => lists(rows().map(|row| row.and_then(of))),
        }
    });
    Ok(Arc::new(StructArray::try_new(fields(columns), arrays.collect(), None)?))
}

/// Lists of texts.
pub(super) fn lists(rows: impl Iterator<Item = Option<impl IntoIterator<Item = impl AsRef<str>>>>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in rows {
        lists.append_option(row.map(|row| row.into_iter().map(Some)));
    }
    Arc::new(lists.finish())
}

//! One value of one row, wherever the row stands: in a decoded event or in an Arrow batch.

use std::borrow::Cow;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Int32Type, Int64Type, TimestampMicrosecondType};

use crate::columns::Kind;

/// A value of a column; which variants a column can have follows from its [`Kind`].
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Absent.
    Null,
    /// [`Kind::Text`] or [`Kind::Json`].
    Text(&'a str),
    /// [`Kind::Texts`].
    Texts(Cow<'a, [Cow<'a, str>]>),
    /// [`Kind::Time`] in microseconds since 1970, [`Kind::Date`] in days since 1970, or a number.
    Int(i64),
    /// [`Kind::Bool`].
    Bool(bool),
    /// [`Kind::Bytes`].
    Bytes(&'a [u8]),
}

impl<'a> Cell<'a> {
    /// The value at `row` of an Arrow column of the given kind.
    ///
    /// # Panics
    /// When the array is not of the Arrow type of `kind`; [`crate::columns::schema`] gives that type.
    pub fn read(array: &'a dyn Array, kind: Kind, row: usize) -> Self {
        if array.is_null(row) {
            return Self::Null;
        }
        match kind {
            Kind::Text | Kind::Json => Self::Text(array.as_string::<i32>().value(row)),
            Kind::Texts => {
                let list = array.as_list::<i32>();
                let (from, to) = (list.value_offsets()[row], list.value_offsets()[row + 1]);
                let texts = list.values().as_string::<i32>();
                // Offsets of Arrow lists are never negative.
                let range = usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0);
                Self::Texts(range.map(|at| Cow::Borrowed(texts.value(at))).collect())
            }
            Kind::Time => Self::Int(array.as_primitive::<TimestampMicrosecondType>().value(row)),
            Kind::Date => Self::Int(array.as_primitive::<Date32Type>().value(row).into()),
            Kind::Int => Self::Int(array.as_primitive::<Int32Type>().value(row).into()),
            Kind::Long => Self::Int(array.as_primitive::<Int64Type>().value(row)),
            Kind::Bool => Self::Bool(array.as_boolean().value(row)),
            Kind::Bytes => Self::Bytes(array.as_binary::<i32>().value(row)),
        }
    }

    /// The text, when it is one.
    pub fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, instant or day, when it is one.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(int) => Some(*int),
            _ => None,
        }
    }
}

impl<'a> From<&'a Option<Cow<'_, str>>> for Cell<'a> {
    fn from(text: &'a Option<Cow<'_, str>>) -> Self {
        text.as_deref().map_or(Self::Null, Self::Text)
    }
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

impl<'a> From<&'a Option<Vec<Cow<'a, str>>>> for Cell<'a> {
    fn from(texts: &'a Option<Vec<Cow<'a, str>>>) -> Self {
        texts.as_ref().map_or(Self::Null, |texts| Self::Texts(Cow::Borrowed(texts)))
    }
}

impl From<Option<i64>> for Cell<'_> {
    fn from(int: Option<i64>) -> Self {
        int.map_or(Self::Null, Self::Int)
    }
}

//! One value of a result: every Arrow type is understood here and nowhere else.

mod json;
mod text;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use arrow::array::cast::AsArray;
use arrow::array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DurationMicrosecondType,
    DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float16Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalYearMonthType,
    RunEndIndexType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow::array::{Array, OffsetSizeTrait, StructArray};
use arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalUnit, TimeUnit};
use chrono::NaiveDateTime;

use crate::time;

pub(crate) use json::{write_json, write_json_text};
pub(crate) use text::{NULL, shown, write_plain};

/// One value, borrowed from its array.
pub(crate) enum Cell<'a> {
    Null,
    Boolean(bool),
    Signed(i64),
    Unsigned(u64),
    /// Kept apart from `Double`: 0.1 as a single is not 0.1 as a double, and would print 0.10000000149011612.
    Single(f32),
    Double(f64),
    /// The exact digits of a decimal.
    Decimal(String),
    /// Text, and everything that is only ever text: bytes, dates, clocks, intervals.
    Text(Cow<'a, str>),
    /// An instant in UTC.
    Instant(NaiveDateTime),
    /// The elements `rows` of `values`.
    List {
        values: &'a dyn Array,
        rows: Range<usize>,
    },
    /// One row of fields.
    Struct {
        fields: &'a StructArray,
        row: usize,
    },
    /// The entries `rows`, whose first column is the key and whose second is the value.
    Map {
        entries: &'a StructArray,
        rows: Range<usize>,
    },
}

impl<'a> Cell<'a> {
    /// The value of `array` at `row`, which must be one of its rows.
    pub(crate) fn of(array: &'a dyn Array, row: usize) -> Self {
        if array.is_null(row) {
            return Self::Null;
        }
        match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean(array.as_boolean().value(row)),
            DataType::Utf8 => Self::Text(array.as_string::<i32>().value(row).into()),
            DataType::LargeUtf8 => Self::Text(array.as_string::<i64>().value(row).into()),
            DataType::Utf8View => Self::Text(array.as_string_view().value(row).into()),
            DataType::Binary => Self::Text(bytes(array.as_binary::<i32>().value(row))),
            DataType::LargeBinary => Self::Text(bytes(array.as_binary::<i64>().value(row))),
            DataType::BinaryView => Self::Text(bytes(array.as_binary_view().value(row))),
            DataType::FixedSizeBinary(_) => Self::Text(bytes(array.as_fixed_size_binary().value(row))),
            DataType::List(_) => Self::list::<i32>(array, row),
            DataType::LargeList(_) => Self::list::<i64>(array, row),
            DataType::ListView(_) => Self::list_view::<i32>(array, row),
            DataType::LargeListView(_) => Self::list_view::<i64>(array, row),
            DataType::FixedSizeList(..) => {
                let lists = array.as_fixed_size_list();
                let start = lists.value_offset_at(row);
                Self::List { values: lists.values(), rows: start..lists.value_offset_at(row + 1) }
            }
            DataType::Struct(_) => Self::Struct { fields: array.as_struct(), row },
            DataType::Map(..) => {
                let maps = array.as_map();
                Self::Map { entries: maps.entries(), rows: range(&maps.value_offsets()[row..=row + 1]) }
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                match Cell::of(dictionary.keys(), row).index() {
                    Some(key) => Self::of(dictionary.values(), key),
                    None => Self::Null,
                }
            }
            DataType::RunEndEncoded(ends, _) => match ends.data_type() {
                DataType::Int16 => Self::run::<Int16Type>(array, row),
                DataType::Int32 => Self::run::<Int32Type>(array, row),
                _ => Self::run::<Int64Type>(array, row),
            },
            DataType::Union(..) => {
                let union = array.as_union();
                Self::of(union.child(union.type_id(row)), union.value_offset(row))
            }
            _ => Self::number(array, row),
        }
    }

    fn number(array: &'a dyn Array, row: usize) -> Self {
        match array.data_type() {
            DataType::Int8 => Self::Signed(array.as_primitive::<Int8Type>().value(row).into()),
            DataType::Int16 => Self::Signed(array.as_primitive::<Int16Type>().value(row).into()),
            DataType::Int32 => Self::Signed(array.as_primitive::<Int32Type>().value(row).into()),
            DataType::Int64 => Self::Signed(array.as_primitive::<Int64Type>().value(row)),
            DataType::UInt8 => Self::Unsigned(array.as_primitive::<UInt8Type>().value(row).into()),
            DataType::UInt16 => Self::Unsigned(array.as_primitive::<UInt16Type>().value(row).into()),
            DataType::UInt32 => Self::Unsigned(array.as_primitive::<UInt32Type>().value(row).into()),
            DataType::UInt64 => Self::Unsigned(array.as_primitive::<UInt64Type>().value(row)),
            DataType::Float16 => Self::Single(array.as_primitive::<Float16Type>().value(row).to_f32()),
            DataType::Float32 => Self::Single(array.as_primitive::<Float32Type>().value(row)),
            DataType::Float64 => Self::Double(array.as_primitive::<Float64Type>().value(row)),
            DataType::Decimal32(..) => Self::Decimal(array.as_primitive::<Decimal32Type>().value_as_string(row)),
            DataType::Decimal64(..) => Self::Decimal(array.as_primitive::<Decimal64Type>().value_as_string(row)),
            DataType::Decimal128(..) => Self::Decimal(array.as_primitive::<Decimal128Type>().value_as_string(row)),
            DataType::Decimal256(..) => Self::Decimal(array.as_primitive::<Decimal256Type>().value_as_string(row)),
            DataType::Timestamp(unit, _) => Self::instant(timestamp(array, *unit, row), *unit),
            DataType::Date32 => Self::Text(time::date(array.as_primitive::<Date32Type>().value(row)).into()),
            DataType::Date64 => Self::Text(time::date_of_millis(array.as_primitive::<Date64Type>().value(row)).into()),
            DataType::Time32(unit) | DataType::Time64(unit) => {
                Self::Text(time::clock(time::nanos(clock(array, *unit, row), *unit)).into())
            }
            DataType::Duration(unit) => Self::Text(time::clock(time::nanos(duration(array, *unit, row), *unit)).into()),
            DataType::Interval(unit) => Self::Text(time::interval(interval(array, *unit, row)).into()),
            // `of` and this match name every type of arrow 60 between them. A later one must not read as absent.
            other => Self::Text(format!("a value of type {other}, which this version cannot show").into()),
        }
    }

    fn instant(value: i64, unit: TimeUnit) -> Self {
        match time::instant(value, unit) {
            Some(at) => Self::Instant(at),
            None => Self::Text(time::beyond(value, unit).into()),
        }
    }

    fn list<O: OffsetSizeTrait>(array: &'a dyn Array, row: usize) -> Self {
        let lists = array.as_list::<O>();
        Self::List { values: lists.values(), rows: range(&lists.value_offsets()[row..=row + 1]) }
    }

    fn list_view<O: OffsetSizeTrait>(array: &'a dyn Array, row: usize) -> Self {
        let lists = array.as_list_view::<O>();
        let start = lists.value_offset(row).as_usize();
        Self::List { values: lists.values(), rows: start..start + lists.value_size(row).as_usize() }
    }

    fn run<E: RunEndIndexType>(array: &'a dyn Array, row: usize) -> Self {
        let runs = array.as_run::<E>();
        Self::of(runs.values(), runs.get_physical_index(row))
    }

    /// The value as a row number, when it is one.
    fn index(&self) -> Option<usize> {
        match self {
            Self::Signed(value) => usize::try_from(*value).ok(),
            Self::Unsigned(value) => usize::try_from(*value).ok(),
            _ => None,
        }
    }
}

/// The type of the values, without the encodings that only save memory.
pub(crate) fn bare(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => bare(values),
        DataType::RunEndEncoded(_, values) => bare(values.data_type()),
        _ => data_type,
    }
}

fn range<O: OffsetSizeTrait>(ends: &[O]) -> Range<usize> {
    ends[0].as_usize()..ends[1].as_usize()
}

/// Bytes as text: as they are when they are UTF-8, else with every byte that is not as `\xff`. A rejected line with
/// one broken byte stays readable.
fn bytes(value: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(value) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(value.len() + 16);
    for chunk in value.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    Cow::Owned(text)
}

fn timestamp(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row),
    }
}

/// A time of day. Arrow keeps seconds and milliseconds in 32 bits, the finer units in 64.
fn clock(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => array.as_primitive::<Time32SecondType>().value(row).into(),
        TimeUnit::Millisecond => array.as_primitive::<Time32MillisecondType>().value(row).into(),
        TimeUnit::Microsecond => array.as_primitive::<Time64MicrosecondType>().value(row),
        TimeUnit::Nanosecond => array.as_primitive::<Time64NanosecondType>().value(row),
    }
}

fn duration(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => array.as_primitive::<DurationSecondType>().value(row),
        TimeUnit::Millisecond => array.as_primitive::<DurationMillisecondType>().value(row),
        TimeUnit::Microsecond => array.as_primitive::<DurationMicrosecondType>().value(row),
        TimeUnit::Nanosecond => array.as_primitive::<DurationNanosecondType>().value(row),
    }
}

fn interval(array: &dyn Array, unit: IntervalUnit, row: usize) -> IntervalMonthDayNano {
    match unit {
        IntervalUnit::YearMonth => {
            IntervalMonthDayNano::new(array.as_primitive::<IntervalYearMonthType>().value(row), 0, 0)
        }
        IntervalUnit::DayTime => {
            let value = array.as_primitive::<IntervalDayTimeType>().value(row);
            IntervalMonthDayNano::new(0, value.days, i64::from(value.milliseconds) * 1_000_000)
        }
        IntervalUnit::MonthDayNano => array.as_primitive::<IntervalMonthDayNanoType>().value(row),
    }
}

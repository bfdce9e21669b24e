//! Which columns take next to nothing, told before they are encoded.

use arrow::array::{Array, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};

/// Bytes of a column that are not worth compressing, about.
const SMALL_BYTES: usize = 400;

/// Bytes that a run of equal values takes beside the value: its length, and its place in the dictionary.
const RUN_BYTES: usize = 4;

/// Whether a column takes less than [`SMALL_BYTES`] when it is encoded: what it holds stays the same for long, or there is
/// little of it. Of one that varies the first values tell.
pub(crate) fn is_small(array: &dyn Array) -> bool {
    if array.null_count() == array.len() {
        return true;
    }
    match array.data_type() {
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            runs_are_small(array, |row| texts.value(row).len(), |row| texts.value(row) == texts.value(row - 1))
        }
        DataType::Binary => {
            let texts = array.as_binary::<i32>();
            runs_are_small(array, |row| texts.value(row).len(), |row| texts.value(row) == texts.value(row - 1))
        }
        DataType::Int32 => numbers_are_small(array.as_primitive::<Int32Type>()),
        DataType::Int64 => numbers_are_small(array.as_primitive::<Int64Type>()),
        DataType::Date32 => numbers_are_small(array.as_primitive::<Date32Type>()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            numbers_are_small(array.as_primitive::<TimestampMicrosecondType>())
        }
        // A bit each, whatever they are.
        DataType::Boolean => array.len() / 8 <= SMALL_BYTES,
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let offsets = lists.value_offsets();
            let (first, last) = (offsets[0] as usize, offsets[lists.len()] as usize);
            // Where lists begin and end is told in bits as well, unless each has one value.
            let levels = if last - first > lists.len() { (last - first) / 4 } else { 0 };
            levels <= SMALL_BYTES && is_small(lists.values().slice(first, last - first).as_ref())
        }
        _ => false,
    }
}

fn numbers_are_small<T: ArrowPrimitiveType>(numbers: &PrimitiveArray<T>) -> bool {
    let values = numbers.values();
    runs_are_small(numbers, |_| size_of::<T::Native>(), |row| values[row] == values[row - 1])
}

/// `is_same` tells whether a value is that of the row before; neither is asked of rows without a value.
fn runs_are_small(array: &dyn Array, length: impl Fn(usize) -> usize, is_same: impl Fn(usize) -> bool) -> bool {
    let mut bytes = 0;
    for row in 0..array.len() {
        let goes_on = row > 0 && array.is_null(row) == array.is_null(row - 1) && (array.is_null(row) || is_same(row));
        if !goes_on {
            bytes += RUN_BYTES + if array.is_null(row) { 0 } else { length(row) };
            if bytes > SMALL_BYTES {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Int64Array, ListArray, StringArray};
    use arrow::datatypes::Int32Type as Key;

    use super::*;

    #[test]
    fn what_stays_the_same_is_small_and_what_varies_is_not() {
        let texts = |text: &dyn Fn(usize) -> Option<String>| -> ArrayRef {
            Arc::new((0..20_000).map(text).collect::<StringArray>())
        };
        assert!(is_small(&texts(&|_| None)));
        assert!(is_small(&texts(&|_| Some("secrets".to_owned()))));
        assert!(is_small(&texts(&|row| (row > 10_000).then(|| "secrets".to_owned()))));
        assert!(!is_small(&texts(&|_| Some("x".repeat(1_000)))), "one value can be enough");
        assert!(!is_small(&texts(&|row| Some(row.to_string()))));
        assert!(!is_small(&texts(&|row| (row % 2 == 0).then(|| "a".to_owned()))), "every other one");
        assert!(is_small(&Int64Array::from(vec![7; 20_000])));
        assert!(is_small(&(0..20).collect::<Int64Array>()) && !is_small(&(0..200).collect::<Int64Array>()));
        assert!(is_small(&BooleanArray::from(vec![true; 3_000])) && !is_small(&BooleanArray::from(vec![true; 4_000])));
        let lists = |length: usize| {
            ListArray::from_iter_primitive::<Key, _, _>((0..5_000).map(|_| Some(vec![Some(1); length])))
        };
        assert!(is_small(&lists(1)) && !is_small(&lists(3)));
        assert!(is_small(&lists(3).slice(100, 50)), "what is cut off does not count");
    }
}

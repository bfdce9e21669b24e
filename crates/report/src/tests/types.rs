//! Every Arrow type in every format.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, NullArray};
use arrow::compute::concat;

use super::cases::{Case, encoded_texts, fractions, instants, integers, texts, times};
use super::nested::{lists, records};
use super::rows::{columns, written};
use crate::{CellText, Format, Layout};

fn cases() -> Vec<Case> {
    [integers(), fractions(), texts(), encoded_texts(), instants(), times(), lists(), records()]
        .into_iter()
        .flatten()
        .collect()
}

fn output(format: Format, array: &ArrayRef) -> String {
    let number: ArrayRef = Arc::new(Int32Array::from(vec![7; array.len()]));
    let layout = Layout { cells: CellText::Raw, ..Layout::default() };
    written(format, layout, &[columns(vec![("v", array.clone()), ("n", number)])]).0
}

/// The two data lines of a table, without the alignment.
fn table_cells(array: &ArrayRef) -> Vec<String> {
    let lines = output(Format::Table, array);
    let cell = |line: &str| line.strip_suffix('7').unwrap().trim().to_owned();
    lines.lines().skip(2).map(cell).collect()
}

#[test]
fn every_type_in_every_format() {
    for Case { array, json, plain, shown } in cases() {
        let name = array.data_type();
        assert_eq!(
            output(Format::Jsonl, &array),
            format!("{{\"v\":{json},\"n\":7}}\n{{\"v\":null,\"n\":7}}\n"),
            "{name}"
        );
        let mut expected = ::csv::Writer::from_writer(Vec::new());
        for record in [["v", "n"], [plain.as_str(), "7"], ["", "7"]] {
            expected.write_record(record).unwrap();
        }
        let expected = String::from_utf8(expected.into_inner().unwrap()).unwrap();
        assert_eq!(output(Format::Csv, &array), expected, "{name}");
        assert_eq!(table_cells(&array), [shown.as_str(), "-"], "{name}");
    }
}

#[test]
fn every_json_value_parses() {
    for Case { array, json, .. } in cases() {
        let object: serde_json::Value =
            serde_json::from_str(output(Format::Jsonl, &array).lines().next().unwrap()).unwrap();
        assert_eq!(object["v"], serde_json::from_str::<serde_json::Value>(&json).unwrap(), "{}", array.data_type());
    }
}

#[test]
fn slices_show_their_own_rows() {
    let mut sliced = 0;
    for Case { array, json, .. } in cases() {
        // Arrow itself cannot join every type; those it can are checked at an offset.
        let Ok(twice) = concat(&[&array, &array]) else {
            continue;
        };
        let slice = twice.slice(2, 2);
        let lines = output(Format::Jsonl, &slice);
        assert_eq!(lines, format!("{{\"v\":{json},\"n\":7}}\n{{\"v\":null,\"n\":7}}\n"), "{}", array.data_type());
        sliced += 1;
    }
    assert!(sliced > 40, "{sliced}");
}

#[test]
fn a_column_of_type_null_is_null() {
    let array: ArrayRef = Arc::new(NullArray::new(1));
    assert_eq!(output(Format::Jsonl, &array), "{\"v\":null,\"n\":7}\n");
    assert_eq!(output(Format::Csv, &array), "v,n\n,7\n");
    assert_eq!(output(Format::Table, &array), "n\n─\n7\n");
}

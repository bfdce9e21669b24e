//! CSV and TSV: formulas defused, everything else read back as it was.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, IntervalMonthDayNanoArray};
use arrow::datatypes::IntervalMonthDayNano;

use super::rows::{columns, hostile, hostile_batch, text, written};
use crate::visible::is_hostile;
use crate::{CellText, Format, Layout};

fn layout(cells: CellText) -> Layout {
    Layout { cells, ..Layout::default() }
}

/// Rows as the crate `csv` reads them.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Rows as PostgreSQL reads them: lines, tabs, then backslashes.
fn tsv_rows(text: &str) -> Vec<Vec<String>> {
    let field = |field: &str| {
        let mut plain = String::new();
        let mut characters = field.chars();
        while let Some(character) = characters.next() {
            let escaped = if character == '\\' { characters.next() } else { None };
            plain.push(match escaped {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => character,
            });
        }
        plain
    };
    text.lines().map(|line| line.split('\t').map(field).collect()).collect()
}

type Read = fn(&str) -> Vec<Vec<String>>;
const FORMS: [(Format, Read); 2] = [(Format::Csv, csv_rows), (Format::Tsv, tsv_rows)];

#[test]
fn formulas_are_defused_and_all_else_reads_back() {
    for (format, read) in FORMS {
        let rows = read(&written(format, Layout::default(), &[hostile_batch()]).0);
        assert_eq!(rows[0], ["event_time", "user_name", "verb", "name", "groups", "change", "user_agent"]);
        assert_eq!(rows.len(), 1 + 2 * hostile().len());
        for (row, text) in rows[1..].iter().step_by(2).zip(hostile()) {
            let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']);
            let expected = if is_formula { format!("'{text}") } else { text.clone() };
            assert_eq!([&row[1], &row[3], &row[6]], [&expected; 3], "{format}");
            let groups: Vec<Option<String>> = serde_json::from_str(&row[4]).unwrap();
            assert_eq!(groups, [Some(text), None, Some("ops".to_owned())]);
            assert_eq!(row[5], "-5", "a number is no formula");
        }
        assert!(
            rows[1..].iter().flatten().all(|cell| cell == "-5" || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']))
        );
    }
}

#[test]
fn raw_cells_are_exact() {
    for (format, read) in FORMS {
        let rows = read(&written(format, layout(CellText::Raw), &[hostile_batch()]).0);
        let cells: Vec<&String> = rows[1..].iter().step_by(2).map(|row| &row[6]).collect();
        assert_eq!(cells, hostile().iter().collect::<Vec<_>>(), "{format}");
    }
}

#[test]
fn a_terminal_sees_no_control() {
    for (format, read) in FORMS {
        let shown = written(format, layout(CellText::Visible), &[hostile_batch()]).0;
        assert!(!shown.chars().any(|character| !matches!(character, '\n' | '\t') && is_hostile(character)), "{format}");
        let rows = read(&shown);
        assert_eq!(rows.len(), 1 + 2 * hostile().len());
        assert_eq!(shown.lines().count(), rows.len(), "a row is a line");
        assert_eq!(rows[1][1], r"\x1b[2J\x1b]0;title\x07\x1b[31mred");
    }
}

#[test]
fn a_line_of_tsv_is_a_row_whose_tabs_are_its_columns() {
    let shown = written(Format::Tsv, Layout::default(), &[hostile_batch()]).0;
    assert_eq!(shown.lines().count(), 1 + 2 * hostile().len());
    for line in shown.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        assert_eq!(cells.len(), 7);
        assert!(cells.iter().all(|cell| !cell.starts_with('"')), "{line}");
    }
    // A reader that knows quotes and no backslashes finds the same rows.
    let mut reader = ::csv::ReaderBuilder::new().delimiter(b'\t').from_reader(shown.as_bytes());
    assert_eq!(reader.records().map(Result::unwrap).filter(|record| record.len() == 7).count(), 2 * hostile().len());
}

#[test]
fn names_of_columns_are_defused_and_numbers_and_intervals_are_not() {
    let interval = IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(0, -2, 0)]);
    let rows = columns(vec![
        ("=evil\t", text(&[Some("-")])),
        ("number", Arc::new(Int64Array::from(vec![-3])) as ArrayRef),
        ("duration", Arc::new(interval)),
    ]);
    let (csv, _) = written(Format::Csv, Layout::default(), std::slice::from_ref(&rows));
    assert_eq!(csv, "'=evil\t,number,duration\n'-,-3,-2 days\n");
    let (tsv, _) = written(Format::Tsv, Layout::default(), std::slice::from_ref(&rows));
    assert_eq!(tsv, "'=evil\\t\tnumber\tduration\n'-\t-3\t-2 days\n");
    let (empty, _) = written(Format::Tsv, Layout::default(), &[rows.slice(0, 0)]);
    assert_eq!(empty, "'=evil\\t\tnumber\tduration\n");
}

//! Markdown, read back by a parser of GitHub's tables.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::rows::{batch, columns, hostile, hostile_batch, reads, text, written};
use crate::visible::{escape, is_hostile};
use crate::{Format, Layout};

/// The cells of every row, header first, as their text. Fails on anything but plain text and code spans in one table.
fn cells(markdown: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for event in Parser::new_ext(markdown, Options::all()) {
        match event {
            Event::Start(Tag::TableHead | Tag::TableRow) => rows.push(Vec::new()),
            Event::Start(Tag::TableCell) => rows.last_mut().unwrap().push(String::new()),
            Event::Text(text) | Event::Code(text) => rows.last_mut().unwrap().last_mut().unwrap().push_str(&text),
            Event::Start(Tag::Table(_))
            | Event::End(TagEnd::Table | TagEnd::TableHead | TagEnd::TableRow | TagEnd::TableCell) => (),
            other => panic!("{other:?}"),
        }
    }
    rows
}

fn markdown(rows: arrow::array::RecordBatch) -> String {
    written(Format::Markdown, Layout::default(), &[rows]).0
}

#[test]
fn real_rows_are_a_table() {
    let markdown = markdown(batch(&reads()[5..7]));
    let expected = "\
| event_time | user_name | impersonated_user | verb | namespace | name | outcome | status_code | source_ip | user_agent | decision_reason | audit_id |
| --- | --- | --- | --- | --- | --- | --- | ---: | --- | --- | --- | --- |
| 2026-11-21T20:37:38.233504Z | `mallory` |  | `list` |  |  | `denied` | 403 | `127.0.0.1` | `kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0` |  | `91ff95a4-e39a-4948-95ee-0afe1756e46b` |
";
    assert!(markdown.starts_with(expected), "{markdown}");
    assert!(cells(&markdown).iter().all(|row| row.len() == 12));
}

#[test]
fn hostile_cells_are_text_in_their_cell() {
    let markdown = markdown(hostile_batch());
    assert!(!markdown.chars().any(|character| character != '\n' && is_hostile(character)));
    assert_eq!(markdown.lines().count(), 2 + 2 * hostile().len());
    let rows = cells(&markdown);
    assert_eq!(rows.len(), 1 + 2 * hostile().len());
    assert!(rows.iter().all(|row| row.len() == 7), "{rows:?}");
    for (row, text) in rows[1..].iter().step_by(2).zip(hostile()) {
        let escaped = escape(&text).replace('`', r"\x60").replace(r"\|", r"\\x7c");
        let shown = if text.is_empty() { "\"\"".to_owned() } else { escaped };
        assert_eq!([&row[1], &row[3], &row[6]], [&shown; 3]);
        assert_eq!(row[4], format!("{shown}, null, ops"));
        assert_eq!(row[5], "-5");
    }
    assert!(rows[2..].iter().step_by(2).all(|row| row[3].is_empty()), "NULL is an empty cell");
}

#[test]
fn bars_show_as_bars_and_names_are_text() {
    let rows = columns(vec![
        ("<b>|x", text(&[Some("sh -c 'cat x | nc y'"), Some(r"a\|b")])),
        ("_n_", Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef),
    ]);
    let markdown = markdown(rows);
    let expected = "| `<b>\\|x` | `_n_` |\n| --- | ---: |\n| `sh -c 'cat x \\| nc y'` | 1 |\n| `a\\\\x7cb` |  |\n";
    assert_eq!(markdown, expected);
    assert_eq!(cells(&markdown)[0], ["<b>|x", "_n_"]);
    assert_eq!(cells(&markdown)[1], ["sh -c 'cat x | nc y'", "1"]);
    assert_eq!(cells(&markdown)[2], [r"a\\x7cb", ""]);
}

#[test]
fn an_empty_answer_is_a_header() {
    let rows = columns(vec![("name", text(&[]))]);
    assert_eq!(markdown(rows), "| name |\n| --- |\n");
}

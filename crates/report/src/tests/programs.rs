//! JSON, JSONL and CSV: what a program reads back.

use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array};
use serde_json::{Map, Value};

use super::rows::{COLUMNS, batch, columns, reads, text, written};
use crate::{Format, Layout, Summary};

fn plain(format: Format, batches: &[arrow::array::RecordBatch]) -> String {
    written(format, Layout::default(), batches).0
}

/// The rows as a program should see them.
fn expected() -> Vec<Value> {
    let value = |name: &str, field: &Option<String>| match (name, field) {
        (_, None) => Value::Null,
        ("status_code", Some(text)) => Value::from(text.parse::<i64>().unwrap()),
        (_, Some(text)) => Value::from(text.as_str()),
    };
    let object = |row: Vec<Option<String>>| {
        let pairs = COLUMNS.iter().zip(&row).map(|(name, field)| ((*name).to_owned(), value(name, field)));
        Value::Object(pairs.collect::<Map<_, _>>())
    };
    reads().into_iter().map(object).collect()
}

#[test]
fn json_is_one_array_that_reads_back_equal() {
    let half = reads().len() / 2;
    let batches = [batch(&reads()[..half]), batch(&[]), batch(&reads()[half..])];
    let (text, summary) = written(Format::Json, Layout::default(), &batches);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), Value::from(expected()));
    assert_eq!(summary, Summary { rows: 8, ..Summary::default() });
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 8 + 2);
    assert_eq!((lines[0], lines[9]), ("[", "]"));
    assert!(lines[1..9].iter().all(|line| line.starts_with("{\"event_time\":\"2026-11-21T20:")));
    assert!(lines[1..8].iter().all(|line| line.ends_with("},")));
    assert!(text.ends_with("}\n]\n"));
}

#[test]
fn json_lines_read_back_equal_in_column_order() {
    let text = plain(Format::Jsonl, &[batch(&reads())]);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, expected());
    assert_eq!(
        text.lines().nth(3).unwrap(),
        "{\"event_time\":\"2026-11-21T20:37:37.791307Z\",\"user_name\":\"system:serviceaccount:prod:web\",\
         \"impersonated_user\":null,\"verb\":\"list\",\"namespace\":null,\"name\":null,\"outcome\":\"denied\",\
         \"status_code\":403,\"source_ip\":\"127.0.31.9\",\"user_agent\":\"curl/8.5.0\",\"decision_reason\":\"\",\
         \"audit_id\":\"4285d2b6-6935-4efb-8200-83db50b8fdb9\"}"
    );
}

#[test]
fn csv_reads_back_equal() {
    let text = plain(Format::Csv, &[batch(&reads()[..3]), batch(&reads()[3..])]);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap(), &COLUMNS[..]);
    let rows: Vec<Vec<String>> =
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
    let expected: Vec<Vec<String>> =
        reads().into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect();
    assert_eq!(rows, expected);
    assert!(!text.contains('\r'));
}

#[test]
fn csv_quotes_what_rfc_4180_wants_quoted() {
    let values = text(&[Some("a,b"), Some("say \"hi\""), Some("two\nlines"), Some("plain words"), None]);
    let numbers = Arc::new(Int64Array::from(vec![Some(1), None, Some(-3), Some(4), None]));
    let rows = columns(vec![("value", values), ("number", numbers)]);
    let expected = "value,number\n\"a,b\",1\n\"say \"\"hi\"\"\",\n\"two\nlines\",-3\nplain words,4\n,\n";
    assert_eq!(plain(Format::Csv, &[rows]), expected);
}

#[test]
fn empty_results_are_still_documents() {
    let rows = batch(&[]);
    for batches in [vec![rows.clone()], vec![rows.clone(), rows]] {
        assert_eq!(plain(Format::Json, &batches), "[]\n");
        assert_eq!(plain(Format::Jsonl, &batches), "");
        assert_eq!(plain(Format::Csv, &batches), format!("{}\n", COLUMNS.join(",")));
        assert_eq!(written(Format::Json, Layout::default(), &batches).1, Summary::default());
    }
}

#[test]
fn hostile_text_survives_exactly_and_json_shows_no_control() {
    let hostile = [
        "\x1b[2J\x07",
        "tab\tnew\nline\r\0",
        "\u{9b}31mred\u{85}\x7f",
        "admin\u{202e}nimda\u{2066}",
        "zero\u{200b}width\u{feff}",
        "tag\u{e0041}",
        "日本語 🦀 \"quoted\" \\back",
    ];
    let rows = columns(vec![("user_agent", text(&hostile.map(Some)))]);
    let json = plain(Format::Json, std::slice::from_ref(&rows));
    assert!(!json.chars().any(|character| character != '\n' && crate::visible::is_hostile(character)));
    assert!(json.contains(r"\u009b31mred\u0085\u007f"), "{json}");
    assert!(json.contains(r"tag\udb40\udc41"), "{json}");
    assert!(json.contains("日本語 🦀 \\\"quoted\\\" \\\\back"), "{json}");
    let Value::Array(objects) = serde_json::from_str(&json).unwrap() else { panic!("not an array") };
    let agents: Vec<&str> = objects.iter().map(|object| object["user_agent"].as_str().unwrap()).collect();
    assert_eq!(agents, hostile);

    let csv = plain(Format::Csv, &[rows]);
    let mut reader = ::csv::Reader::from_reader(csv.as_bytes());
    let agents: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
    assert_eq!(agents, hostile);
}

#[test]
fn repeated_column_names_lose_nothing() {
    let rows = columns(vec![("name", text(&[Some("a")])), ("name", text(&[Some("b")]))]);
    assert_eq!(plain(Format::Jsonl, std::slice::from_ref(&rows)), "{\"name\":\"a\",\"name_1\":\"b\"}\n");
    assert_eq!(plain(Format::Csv, &[rows]), "name,name_1\na,b\n");
}

#[test]
fn a_column_name_is_escaped_as_json() {
    let rows = columns(vec![("say \"hi\"\n", text(&[None]))]);
    assert_eq!(plain(Format::Jsonl, &[rows]), "{\"say \\\"hi\\\"\\n\":null}\n");
}

#[test]
fn many_rows_in_many_batches() {
    let numbers = |start: i64| {
        let values = Int64Array::from_iter_values(start..start + 2_048);
        columns(vec![("n", Arc::new(values) as _), ("x", Arc::new(Float64Array::from(vec![0.5; 2_048])) as _)])
    };
    let batches: Vec<_> = (0..5).map(|batch| numbers(batch * 2_048)).collect();
    let (text, summary) = written(Format::Jsonl, Layout::default(), &batches);
    assert_eq!(summary.rows, 10_240);
    for (number, line) in text.lines().enumerate() {
        assert_eq!(line, format!("{{\"n\":{number},\"x\":0.5}}"));
    }
    assert_eq!(plain(Format::Csv, &batches).lines().count(), 10_241);
}

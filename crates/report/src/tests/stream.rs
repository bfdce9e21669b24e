//! Results longer than what the table keeps back.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};

use super::rows::{batch, check, columns, reads, table, text};
use crate::Summary;

/// Rows whose last one is the longest: the first 2,000 cannot know it.
fn many(count: usize) -> RecordBatch {
    let mut users = vec![Some("bob"); count];
    users[count - 1] = Some("system:serviceaccount:kube-system:generic-garbage-collector");
    let mut numbers: Vec<i64> = vec![7; count];
    numbers[count - 1] = 1_234_567_890_123;
    let mut rows = vec![("user_name", text(&users)), ("lines", Arc::new(Int64Array::from(numbers)) as ArrayRef)];
    rows.extend([("namespace", text(&vec![None; count])), ("verb", text(&vec![Some("get"); count]))]);
    columns(rows)
}

#[test]
fn two_thousand_rows_are_measured_and_their_empty_columns_hidden() {
    let (table, summary) = table(Some(60), &[many(1_000), many(1_000)]);
    check(Some(60), &table);
    assert_eq!(summary, Summary { rows: 2_000, hidden_columns: vec!["namespace".to_owned()], ..Summary::default() });
}

#[test]
fn later_rows_stream_with_the_same_widths() {
    let (limited, summary) = table(Some(60), &[many(2_002), many(3)]);
    assert_eq!(summary, Summary { rows: 2_005, ..Summary::default() });
    let lines: Vec<&str> = limited.lines().collect();
    assert_eq!(lines[0], "user_name  lines  namespace  verb");
    assert_eq!(lines[2], "bob            7  -          get");
    let last: Vec<&str> = lines.iter().rev().take(8).rev().copied().collect();
    // The name wraps, the number does not: half a number is another number. The gap takes up what it can.
    assert_eq!(last[0], "system:    1234567890123  -  get", "{last:#?}");
    assert_eq!(last[1], "serviceac", "{last:#?}");
    let (unlimited, summary) = table(None, &[many(2_001)]);
    assert_eq!(unlimited.lines().count(), 2 + 2_001);
    assert_eq!(summary.hidden_columns, Vec::<String>::new());
    assert!(
        unlimited.ends_with("system:serviceaccount:kube-system:generic-garbage-collector  1234567890123  -  get\n")
    );
}

#[test]
fn cards_of_many_rows_name_the_columns_that_stayed_empty() {
    let mut rows = reads();
    rows.truncate(7);
    let rows: Vec<_> = rows.into_iter().cycle().take(2_500).collect();
    let (table, summary) = table(Some(60), &[batch(&rows)]);
    check(Some(60), &table);
    assert!(table.contains("── 2500 ─"));
    assert_eq!(
        summary,
        Summary { rows: 2_500, hidden_columns: vec!["impersonated_user".to_owned()], ..Summary::default() }
    );
}

#[test]
fn the_table_does_not_depend_on_the_batches() {
    let rows: Vec<_> = reads().into_iter().cycle().take(2_100).collect();
    for width in [Some(200), Some(90), None] {
        let whole = table(width, &[batch(&rows)]);
        let parts: Vec<RecordBatch> = rows.chunks(97).map(batch).collect();
        assert_eq!(table(width, &parts), whole);
    }
}

#[test]
fn a_megabyte_in_one_cell_widens_no_other_row() {
    let body = "x".repeat(1_000_000);
    let rows = columns(vec![("body", text(&[Some(&body), Some("small")])), ("name", text(&[Some("a"), Some("b")]))]);
    let (table, _) = table(None, &[rows]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[2].len(), 1_000_000 + 2 + 1);
    assert_eq!(lines[3].len(), 200 + 2 + 1);
}

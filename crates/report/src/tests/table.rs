//! The table at every width: nothing cut, nothing too wide, nothing obeyed by the terminal.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, TimestampMicrosecondArray};

use super::rows::{COLUMNS, batch, check, columns, letters, reads, table, text, written};
use crate::visible::width;
use crate::{Format, Layout, RowLayout, Summary};

/// The cell of every column of a table, its lines joined, when the header fits on one line and cells do not overflow.
fn cells(table: &str) -> Vec<String> {
    let rule = table.lines().find(|line| line.starts_with('─')).unwrap();
    let mut cells = Vec::new();
    let mut start = 0;
    for pillar in rule.split("  ") {
        let end = start + pillar.chars().count();
        let body = table.lines().skip_while(|line| *line != rule).skip(1);
        let part = |line: &str| line.chars().skip(start).take(end - start).collect::<String>();
        cells.push(letters(&body.map(part).collect::<String>()));
        start = end + 2;
    }
    cells
}

#[test]
fn real_rows_fit_at_every_width() {
    for width in (40..=260).map(Some).chain([None, Some(0), Some(400)]) {
        let (table, summary) = table(width, &[batch(&reads())]);
        check(width.filter(|width| *width > 0), &table);
        assert_eq!(summary, Summary { rows: 8, ..Summary::default() });
        for row in reads() {
            let agent = letters(row[9].as_deref().unwrap());
            let is_whole = letters(&table).contains(&agent);
            assert!(is_whole || table.contains("event_time (UTC)  "), "{width:?} {agent}\n{table}");
        }
    }
}

#[test]
fn unlimited_width_is_one_line_per_row() {
    for width in [None, Some(0), Some(1_000)] {
        let (table, _) = table(width, &[batch(&reads())]);
        assert_eq!(table.lines().count(), 2 + 8);
        assert!(table.lines().next().unwrap().starts_with("event_time (UTC)         user_name   "), "{table}");
        let reason = reads()[0][10].clone().unwrap();
        assert_eq!(reason.len(), 157);
        assert!(table.contains(&reason));
        assert!(
            table.contains("2026-11-21 20:36:42.722  system:kube-controller-manager        -                  list")
        );
    }
}

#[test]
fn wrapped_cells_lose_no_letter() {
    let rows = &reads()[..7];
    for width in 180..=400 {
        let (table, summary) = table(Some(width), &[batch(rows)]);
        assert_eq!(summary.hidden_columns, ["impersonated_user"]);
        let shown = COLUMNS.iter().enumerate().filter(|(_, name)| **name != "impersonated_user");
        for ((index, name), cells) in shown.zip(cells(&table)) {
            let cell = |row: &Vec<Option<String>>| match (&row[index], *name) {
                (None, _) => "-".to_owned(),
                (Some(text), _) if text.is_empty() => "\"\"".to_owned(),
                (Some(text), "event_time") => text[..23].replace('T', ""),
                (Some(text), _) => letters(text),
            };
            assert_eq!(cells, rows.iter().map(cell).collect::<String>(), "{width} {name}");
        }
    }
}

#[test]
fn a_table_of_four_columns_wraps_at_eighty() {
    let rows = columns(vec![
        ("source_ip", text(&[Some("127.0.31.9"), Some("10.244.1.17")])),
        ("attempts", Arc::new(Int64Array::from(vec![1_204, 3])) as ArrayRef),
        (
            "users",
            text(&[
                Some("system:anonymous, system:serviceaccount:kube-system:generic-garbage-collector"),
                Some("mallory"),
            ]),
        ),
        ("last_seen", Arc::new(TimestampMicrosecondArray::from(vec![1_795_293_458_239_247; 2])) as ArrayRef),
    ]);
    let (table, _) = table(Some(80), &[rows]);
    let expected = "\
source_ip    attempts  users                             last_seen (UTC)
───────────  ────────  ────────────────────────────────  ───────────────────────
127.0.31.9       1204  system:anonymous,                 2026-11-21 20:37:38.239
                       system:serviceaccount:kube-
                       system:generic-garbage-collector
10.244.1.17         3  mallory                           2026-11-21 20:37:38.239
";
    assert_eq!(table, expected);
}

#[test]
fn narrow_terminals_get_cards() {
    let (table, summary) = table(Some(60), &[batch(&reads()[1..3])]);
    let expected = r#"── 1 ───────────────────────────────────────────────────────
event_time (UTC): 2026-11-21 20:36:50.555
user_name:        kubernetes-admin
verb:             get
namespace:        dev
name:             legacy-bot-token
outcome:          failed
status_code:      404
source_ip:        127.0.0.1
user_agent:       kubectl/v1.32.5 (linux/amd64)
                  kubernetes/9894294
decision_reason:  ""
audit_id:         952f3192-8ad2-4365-b801-8be21ecf9f45
── 2 ───────────────────────────────────────────────────────
event_time (UTC): 2026-11-21 20:37:04.507
user_name:        system:serviceaccount:dev:legacy-bot
verb:             get
namespace:        dev
name:             legacy-bot-token
outcome:          allowed
status_code:      200
source_ip:        127.0.0.1
user_agent:       python-kubernetes/25.3.0
decision_reason:  RBAC: allowed by RoleBinding
                  "dev-edit/dev" of ClusterRole "edit" to
                  ServiceAccount "legacy-bot/dev"
audit_id:         4f0ee777-223b-4627-a808-6d6a7cb49693
"#;
    assert_eq!(table, expected);
    assert_eq!(
        summary,
        Summary { rows: 2, hidden_columns: vec!["impersonated_user".to_owned()], ..Summary::default() }
    );
}

#[test]
fn very_narrow_terminals_get_hanging_lines() {
    let (table, _) = table(Some(40), &[batch(&reads()[7..])]);
    let expected = "\
── 1 ───────────────────────────────────
event_time (UTC):
    2026-11-21 20:37:40.327
user_name: bob
impersonated_user: system:admin
verb: list
namespace: kube-system
outcome: allowed
status_code: 200
source_ip: 127.0.0.1
user_agent: kubectl/v1.33.1
    (linux/amd64) kubernetes/8adc0f0
decision_reason: \"\"
audit_id: fbf61798-787a-408d-abcd-
    1884b6c4ac7a
";
    assert_eq!(table, expected);
}

#[test]
fn absurd_widths_do_not_panic_or_lose_letters() {
    for width in 1..40 {
        let (table, _) = table(Some(width), &[batch(&reads())]);
        for row in reads() {
            assert!(letters(&table).contains(&letters(row[9].as_deref().unwrap())), "{width}");
        }
    }
}

#[test]
fn columns_without_a_value_are_named_not_silently_dropped() {
    let rows = columns(vec![
        ("name", text(&[Some("a"), None])),
        ("namespace", text(&[None, None])),
        ("evil\u{202e}name", text(&[None, None])),
    ]);
    let (shown, summary) = table(None, std::slice::from_ref(&rows));
    assert_eq!(shown, "name\n────\na\n-\n");
    assert_eq!(summary.hidden_columns, ["namespace", r"evil\u{202e}name"]);
    // Nothing but NULL: every column stays, and none is called hidden.
    let nothing = columns(vec![("a", text(&[None])), ("b", text(&[None]))]);
    let (shown, summary) = table(None, &[nothing]);
    assert_eq!(shown, "a  b\n─  ─\n-  -\n");
    assert_eq!(summary, Summary { rows: 1, ..Summary::default() });
}

#[test]
fn empty_results_show_their_columns() {
    for width in [Some(200), Some(120), None] {
        let (table, summary) = table(width, &[batch(&[])]);
        check(width, &table);
        assert!(table.contains("event_time (UTC)  user_name"), "{table}");
        assert_eq!(summary, Summary::default());
    }
    let mut out = Vec::new();
    let sink = Format::Table.writer(batch(&[]).schema(), Layout::default(), &mut out).unwrap();
    assert_eq!(sink.finish().unwrap(), Summary::default());
    assert!(out.starts_with(b"event_time (UTC)  user_name"));
}

#[test]
fn numbers_are_right_aligned_and_whole() {
    let rows = columns(vec![
        ("attempts", Arc::new(Int64Array::from(vec![Some(1), Some(-20_000), None])) as ArrayRef),
        ("share", Arc::new(Float64Array::from(vec![0.5, 12.25, f64::NAN])) as ArrayRef),
        ("note", text(&[Some("word ".repeat(20).trim_end()), None, None])),
    ]);
    let (table, _) = table(Some(40), &[rows]);
    check(Some(40), &table);
    assert!(table.starts_with("attempts  share  note\n────────  ─────  ──────"), "{table}");
    assert!(table.contains("\n  -20000  12.25  -\n"), "{table}");
    assert!(table.contains("\n       -    NaN  -\n"), "{table}");
}

#[test]
fn rows_stand_apart_when_first_cells_wrap() {
    let long = "system:serviceaccount:kube-system:generic-garbage-collector";
    let rows = columns(vec![
        ("user_name", text(&[Some(long), Some("bob")])),
        ("user_agent", text(&[Some("curl ".repeat(30).trim_end()), Some("curl")])),
    ]);
    let (table, _) = table(Some(70), &[rows]);
    check(Some(70), &table);
    assert!(table.contains("\n\nbob"), "{table}");
    assert!(!table.starts_with('\n') && !table.ends_with("\n\n"));
}

#[test]
fn a_long_sentence_in_a_wide_column_stays_in_the_table() {
    let raw = "one two three four five six seven ".repeat(20);
    let rows = columns(vec![("line", Arc::new(Int64Array::from(vec![7])) as ArrayRef), ("raw", text(&[Some(&raw)]))]);
    let (table, _) = table(Some(100), &[rows]);
    check(Some(100), &table);
    assert!(table.starts_with("line  raw\n"), "{table}");
}

#[test]
fn cards_can_be_asked_for_at_any_width() {
    let cards = |width| {
        let layout = Layout { width, rows: RowLayout::Cards, ..Layout::default() };
        written(Format::Table, layout, &[batch(&reads()[1..3])]).0
    };
    // At 60 columns these rows are cards anyway.
    assert_eq!(cards(Some(60)), table(Some(60), &[batch(&reads()[1..3])]).0);
    check(Some(200), &cards(Some(200)));
    let unlimited = cards(None);
    assert!(unlimited.starts_with(&format!("── 1 {}\nevent_time (UTC): 2026-11-21 ", "─".repeat(75))), "{unlimited}");
    let agent = "\nuser_agent:       kubectl/v1.32.5 (linux/amd64) kubernetes/9894294\n";
    assert!(unlimited.contains(agent), "{unlimited}");
    assert_eq!(unlimited.lines().count(), 2 + 11 + 11);
}

/// The same rows, one line each.
fn lines(width: usize) -> (String, Summary) {
    let layout = Layout { width: Some(width), rows: RowLayout::Lines, ..Layout::default() };
    written(Format::Table, layout, &[batch(&reads())])
}

#[test]
fn an_answer_on_a_terminal_takes_one_line_a_row_at_every_width() {
    for room in (16..=260).chain([400, 1_000]) {
        let (table, summary) = lines(room);
        let rule = table.lines().position(|line| line.starts_with('─')).unwrap();
        assert_eq!(table.lines().count(), rule + 1 + 8, "{room}\n{table}");
        if room >= 60 {
            assert!(table.lines().all(|line| width(line) <= room), "{room}\n{table}");
        }
        // What is not there is told.
        let shown = table.lines().take(rule).collect::<String>();
        for name in &summary.crowded_columns {
            assert!(!summary.hidden_columns.contains(name) && !shown.contains(&format!(" {name} ")), "{room} {name}");
        }
        assert_eq!(summary.is_cut, table.contains('…'), "{room}\n{table}");
    }
}

#[test]
fn what_explains_a_row_makes_room_for_what_it_is() {
    let (table, summary) = lines(100);
    assert!(summary.crowded_columns.contains(&"decision_reason".to_owned()), "{summary:?}");
    assert!(summary.crowded_columns.contains(&"user_agent".to_owned()), "{summary:?}");
    for told in ["20:36:50.555", "kubernetes-admin", "legacy-bot-token", "952f3192"] {
        assert!(table.contains(told), "{table}");
    }
    assert!(!table.contains("952f3192-"), "{table}");
    // With room for all of it nothing is cut but the audit id.
    let (table, summary) = lines(1_000);
    assert!(summary.crowded_columns.is_empty() && !summary.is_cut, "{summary:?}");
    assert!(table.contains("2026-11-21 20:36:50.555") && table.contains("952f3192\n"), "{table}");
}

#[test]
fn what_was_counted_can_be_read_before_its_counts_are_told() {
    let value = "create clusterrolebindings quiet";
    let counts = || Arc::new(Int64Array::from(vec![1_234_567])) as ArrayRef;
    let rows = columns(vec![
        ("aspect", text(&[Some("forwarded for")])),
        ("value", text(&[Some(value)])),
        ("requests", counts()),
        ("allowed", counts()),
        ("denied", counts()),
        ("failed", counts()),
    ]);
    let told = |width| {
        let layout = Layout { width: Some(width), rows: RowLayout::Lines, ..Layout::default() };
        written(Format::Table, layout, std::slice::from_ref(&rows))
    };
    let (table, summary) = told(60);
    assert!(table.contains("create clusterrolebindin"), "{table}");
    assert_eq!(summary.crowded_columns, ["denied", "failed"], "{table}");
    assert!(told(100).0.contains(value));
    // Of what fits nothing makes room.
    assert!(told(90).1.crowded_columns.is_empty());
}

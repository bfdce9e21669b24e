//! The three questions on real logs, row by row against an independent program (`tests/oracle`).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::{expected, ingest, logs, query};
use serde_json::Value;

/// Rows with each value of a field.
fn count_by(rows: &[Value], field: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row[field].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

fn failures(rows: &[Value]) -> Vec<(String, String, u64)> {
    let mut failures: Vec<_> = rows
        .iter()
        .map(|row| {
            let text = |field: &str| row[field].as_str().unwrap().to_owned();
            (text("source_ip"), text("failure"), row["attempts"].as_u64().unwrap())
        })
        .collect();
    failures.sort();
    failures
}

#[test]
fn every_row_of_hardened_and_moderate_is_the_oracles() {
    for folder in ["hardened", "moderate"] {
        let case = tempfile::tempdir().unwrap();
        let case = case.path().join("case");
        ingest(&case, &logs(&format!("sample-logs/{folder}")));
        for question in ["secret-reads", "rbac-changes", "failed-auth"] {
            let (rows, expected) = (query(&case, &[question]), expected(folder, question));
            assert_eq!(rows.len(), expected.len(), "{folder} {question}");
            for (row, expected) in rows.iter().zip(&expected) {
                assert_eq!(row, expected, "{folder} {question}");
            }
        }
    }
}

#[test]
fn the_counts_of_all_captures_are_known() {
    type Failures = &'static [(&'static str, &'static str, u64)];
    type Capture = (&'static str, u64, &'static [(&'static str, usize)], usize, Failures);
    let captures: [Capture; 4] = [
        (
            "sample-logs/hardened",
            8_973,
            &[("allowed", 122), ("denied", 6), ("failed", 2)],
            135,
            &[
                ("127.0.0.1", "forbidden", 229),
                ("127.0.0.1", "impersonation", 1),
                ("127.0.31.9", "forbidden", 30),
                ("127.0.66.7", "unauthenticated", 23),
            ],
        ),
        ("sample-logs/moderate", 568, &[], 0, &[("127.0.0.1", "forbidden", 15)]),
        (
            "tests/logs/metadata",
            92_577,
            &[("allowed", 2_510), ("denied", 6), ("failed", 2)],
            136,
            &[
                ("127.0.0.1", "anonymous", 10),
                ("127.0.0.1", "forbidden", 5_291),
                ("127.0.0.1", "impersonation", 1),
                ("127.0.0.1", "unauthenticated", 20),
            ],
        ),
        (
            "tests/logs/production",
            18_793,
            &[("allowed", 553), ("denied", 9), ("failed", 2)],
            135,
            &[
                ("127.0.0.1", "anonymous", 9),
                ("127.0.0.1", "forbidden", 1_269),
                ("127.0.0.1", "impersonation", 1),
                ("127.0.0.1", "unauthenticated", 20),
            ],
        ),
    ];
    for (folder, events, reads, changes, failed) in captures {
        let case = tempfile::tempdir().unwrap();
        let case = case.path().join("case");
        let accounts = ingest(&case, &logs(folder));
        assert_eq!((&accounts["events"], &accounts["rejected"]), (&events.into(), &0.into()), "{folder}");
        let expected: BTreeMap<_, _> = reads.iter().map(|(outcome, count)| ((*outcome).to_owned(), *count)).collect();
        assert_eq!(count_by(&query(&case, &["secret-reads"]), "outcome"), expected, "{folder}");
        let rows = query(&case, &["rbac-changes"]);
        assert_eq!((rows.len(), count_by(&rows, "outcome").len()), (changes, usize::from(changes > 0)), "{folder}");
        let failed: Vec<_> =
            failed.iter().map(|(ip, what, count)| ((*ip).to_owned(), (*what).to_owned(), *count)).collect();
        assert_eq!(failures(&query(&case, &["failed-auth"])), failed, "{folder}");
    }
}

#[test]
fn filters_narrow_and_limits_keep_the_newest() {
    let case = tempfile::tempdir().unwrap();
    let case = case.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let all = query(&case, &["secret-reads"]);
    let chosen = |keep: &dyn Fn(&Value) -> bool| all.iter().filter(|row| keep(row)).cloned().collect::<Vec<_>>();
    let is = |field: &'static str, value: &'static str| move |row: &Value| row[field] == value;
    for (arguments, expected) in [
        (&["--user", "bob"][..], chosen(&is("user_name", "bob"))),
        // A list of all namespaces covered it too.
        (&["--namespace", "prod"], chosen(&|row| row["namespace"] == "prod" || row["namespace"].is_null())),
        (&["--source-ip", "127.0.66.7"], chosen(&is("source_ip", "127.0.66.7"))),
        (&["--outcome", "denied"], chosen(&is("outcome", "denied"))),
        (&["--limit", "7"], all[all.len() - 7..].to_vec()),
        (&["--limit", "0"], Vec::new()),
        (
            &["--since", "2026-11-21T20:37:38.239247Z"],
            chosen(&|row| row["event_time"].as_str().unwrap() >= "2026-11-21T20:37:38.239247Z"),
        ),
        (
            &["--until", "2026-11-21T20:37:38.239247Z"],
            chosen(&|row| row["event_time"].as_str().unwrap() < "2026-11-21T20:37:38.239247Z"),
        ),
        (
            &["--since", "2026-11-21T22:37:38.239247+02:00"],
            chosen(&|row| row["event_time"].as_str().unwrap() >= "2026-11-21T20:37:38.239247Z"),
        ),
        (&["--since", "2026-11-22"], Vec::new()),
        (&["--user", "' OR '1'='1"], Vec::new()),
    ] {
        let rows = query(&case, &[&["secret-reads"], arguments].concat());
        assert_eq!(rows, expected, "{arguments:?}");
    }
    assert!(!chosen(&is("user_name", "bob")).is_empty() && !chosen(&is("namespace", "prod")).is_empty());
    // An age counts back from the newest event of the case, whatever the questions ask about.
    let last_minute = query(&case, &["secret-reads", "--since", "1m", "--now", "last"]);
    assert!(!last_minute.is_empty() && last_minute.len() < all.len());
    assert!(all.ends_with(&last_minute));
}

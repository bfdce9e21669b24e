//! Rows are those of `tests/oracle/oracle.py`, which shares no code with kforensic.

use std::fs;
use std::path::Path;

use kforensic_query::{Parameters, Selection};
use serde_json::Value;

use crate::fixture::{Fixture, canned, run};

fn expected(log: &str, query: &str) -> Vec<Value> {
    let path = format!("../../tests/expected/{log}/{query}.jsonl");
    let text = fs::read_to_string(Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(path)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn assert_rows(found: &[Value], expected: &[Value]) {
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found, expected, "row {at}");
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn the_three_questions_are_answered_row_by_row_as_the_oracle_does() {
    for log in ["hardened", "moderate"] {
        let case = Fixture::of_logs(&format!("sample-logs/{log}"));
        for query in ["secret-reads", "rbac-changes", "failed-auth"] {
            let rows = expected(log, query);
            assert_rows(&case.ask(query, &[]), &rows);
            // A session over the whole case gives the same.
            let (all, _) = run(&case.session(), &canned(query), &Parameters::new(), None).unwrap();
            assert_rows(&all, &rows);
        }
    }
}

#[test]
fn fields_come_in_the_order_of_the_contract() {
    let case = Fixture::of_texts(&[]);
    let columns = |query: &str| {
        let mut sink = crate::fixture::Collected::default();
        case.session().run(&canned(query), &Parameters::new(), None, &mut sink).unwrap();
        let schema = sink.schema.unwrap();
        schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        columns("secret-reads"),
        "event_time user_name impersonated_user verb namespace name outcome status_code source_ip user_agent \
         decision_reason audit_id cluster"
    );
    assert_eq!(
        columns("rbac-changes"),
        "event_time user_name impersonated_user verb resource namespace name outcome status_code role_ref subjects \
         source_ip audit_id dry_run cluster"
    );
    assert_eq!(
        columns("failed-auth"),
        "source_ip failure attempts users user_agents first_seen last_seen forwarded_for cluster"
    );
}

/// Rows of `secret-reads` by outcome: allowed, denied, failed.
fn outcomes(case: &Fixture) -> [usize; 3] {
    let rows = case.ask("secret-reads", &[]);
    let count = |outcome: &str| rows.iter().filter(|row| row["outcome"] == outcome).count();
    assert_eq!(count("unknown"), 0);
    ["allowed", "denied", "failed"].map(|outcome| {
        assert_eq!(case.ask("secret-reads", &["--outcome", outcome]).len(), count(outcome));
        count(outcome)
    })
}

fn failures(case: &Fixture) -> Vec<String> {
    let rows = case.ask("failed-auth", &[]);
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let mut rows: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {}", text(row, "source_ip"), text(row, "failure"), row["attempts"]))
        .collect();
    rows.sort();
    rows
}

/// The counts stand in the account of the logs; an independent program made them.
#[test]
fn larger_logs_give_the_counts_that_an_independent_program_gave() {
    let metadata = Fixture::of_logs("tests/logs/metadata");
    assert_eq!(outcomes(&metadata), [2_510, 6, 2]);
    assert_eq!(metadata.ask("rbac-changes", &["--outcome", "allowed"]).len(), 136);
    assert_eq!(metadata.ask("rbac-changes", &[]).len(), 136);
    assert_eq!(
        failures(&metadata),
        [
            "127.0.0.1 anonymous 10",
            "127.0.0.1 forbidden 5291",
            "127.0.0.1 impersonation 1",
            "127.0.0.1 unauthenticated 20"
        ]
    );

    let production = Fixture::of_logs("tests/logs/production");
    assert_eq!(outcomes(&production), [553, 9, 2]);
    assert_eq!(production.ask("rbac-changes", &["--outcome", "allowed"]).len(), 135);
    assert_eq!(
        failures(&production),
        [
            "127.0.0.1 anonymous 9",
            "127.0.0.1 forbidden 1269",
            "127.0.0.1 impersonation 1",
            "127.0.0.1 unauthenticated 20"
        ]
    );

    for (case, events, requests) in [(&metadata, 92_577, 46_161), (&production, 18_793, 18_673)] {
        let counts = case.session().counts().unwrap();
        assert_eq!((counts.events, counts.requests), (events, requests));
        let (_, found) =
            run(&case.session(), &crate::fixture::ad_hoc("FROM requests ORDER BY 1"), &Parameters::new(), Some(0))
                .unwrap();
        assert_eq!(found.total_rows, requests, "keys and requests are counted alike");
    }
}

#[test]
fn filters_narrow_and_a_pruned_session_answers_like_a_whole_one() {
    let case = Fixture::of_logs("sample-logs/hardened");
    for query in ["secret-reads", "rbac-changes"] {
        let all = case.ask(query, &[]);
        for (flag, key) in [("--user", "user_name"), ("--namespace", "namespace"), ("--source-ip", "source_ip")] {
            let mut values: Vec<&str> = all.iter().filter_map(|row| row[key].as_str()).collect();
            values.sort_unstable();
            values.dedup();
            for value in values {
                // A list of all namespaces covered a secret of each.
                let covers = |row: &Value| query == "secret-reads" && key == "namespace" && row[key].is_null();
                let wanted: Vec<Value> = all.iter().filter(|row| row[key] == value || covers(row)).cloned().collect();
                assert_rows(&case.ask(query, &[flag, value]), &wanted);
            }
        }
        for at in [0, 1, all.len() / 2, all.len() - 1] {
            let time = all[at]["event_time"].as_str().unwrap();
            let (before, after): (Vec<Value>, Vec<Value>) =
                all.iter().cloned().partition(|row| row["event_time"].as_str().unwrap() < time);
            // The end is not part of the window, the beginning is.
            assert_rows(&case.ask(query, &["--until", time]), &before);
            assert_rows(&case.ask(query, &["--since", time]), &after);
        }
    }
}

#[test]
fn the_same_rows_come_in_the_same_order_every_time() {
    let case = Fixture::of_logs("tests/logs/production");
    for query in ["secret-reads", "rbac-changes", "failed-auth"] {
        let query = canned(query);
        let answers: Vec<Vec<Value>> = (1..=6)
            .map(|threads| {
                let limits = kforensic_query::Limits { threads, ..case.limits() };
                let session = kforensic_query::Session::open(&case.snapshot, &Selection::default(), &limits).unwrap();
                run(&session, &query, &Parameters::new(), None).unwrap().0
            })
            .collect();
        for answer in &answers[1..] {
            assert_rows(answer, &answers[0]);
        }
    }
}

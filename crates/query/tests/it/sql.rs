//! SQL of the user: what is left out before DuckDB opens a file makes no difference to the answer.

use kforensic_query::{Gate, QueryError, Selection};
use serde_json::Value;

use crate::fixture::{Collected, Fixture};

fn rows(case: &Fixture, gate: &Gate, selection: Option<&Selection>, sql: &str) -> Vec<Value> {
    let statement = gate.check(sql).unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
    let session = case.select(selection.unwrap_or(statement.selection())).unwrap();
    let mut sink = Collected::default();
    session.sql(&statement, None, &mut sink).unwrap_or_else(|error| panic!("{sql}: {error}"));
    sink.rows
}

#[test]
fn answers_are_the_same_with_and_without_pruning() {
    let case = Fixture::of_logs("sample-logs/hardened");
    let gate = Gate::new().unwrap();
    let mut pruned = 0;
    for condition in [
        "resource = 'secrets'",
        "resource IN ('secrets', 'pods') AND verb = 'get'",
        "resource = 'secrets' OR verb = 'create'",
        "resource = 'nothing'",
        "resource = 'flowschemas'",
        "event_time >= '2026-11-21 20:37:00'",
        "event_time > '2026-11-21T20:37:37.325661Z'",
        "event_time <= TIMESTAMP '2026-11-21 20:36:30.5'",
        "event_time BETWEEN '2026-11-21 20:36:30' AND '2026-11-21 20:37:00' AND resource = 'configmaps'",
        "event_time < DATE '2026-11-21'",
        "event_time >= DATE '2026-11-21' AND resource = 'roles'",
        "'2026-11-21 20:37:00' > event_time AND NOT (resource = 'leases')",
        "resource IS NULL",
    ] {
        for sql in [
            format!("SELECT * EXCLUDE (raw) FROM events WHERE {condition} ORDER BY source_id, byte_offset"),
            format!(
                "SELECT verb, outcome, stages, count(*) AS n FROM requests WHERE {condition} GROUP BY ALL ORDER BY ALL"
            ),
            format!(
                "SELECT count(*) AS n, min(event_time) AS a, max(event_time) AS b FROM request_keys WHERE {condition}"
            ),
            format!(
                "WITH few AS (FROM events WHERE {condition}) SELECT count(*) AS n, (SELECT count(*) FROM rejects) AS r \
                 FROM few SEMI JOIN (FROM requests WHERE {condition}) USING (audit_id)"
            ),
        ] {
            let selection = gate.check(&sql).unwrap().selection().clone();
            pruned += usize::from(selection != Selection::default());
            let all = rows(&case, &gate, Some(&Selection::default()), &sql);
            assert_eq!(rows(&case, &gate, None, &sql), all, "{sql}: {selection:?}");
        }
    }
    assert!(pruned > 40, "{pruned}");
}

#[test]
fn files_that_a_statement_excludes_are_not_opened() {
    let case = Fixture::of_logs("sample-logs/hardened");
    let gate = Gate::new().unwrap();
    for file in case
        .snapshot
        .files
        .iter()
        .filter(|file| !["secrets", "leases", "nodes", "pods"].contains(&file.resource_partition.as_str()))
    {
        std::fs::remove_file(&file.path).unwrap();
    }
    let found =
        rows(&case, &gate, None, "SELECT count(*) AS n FROM requests WHERE resource = 'secrets' AND verb = 'get'");
    assert!(found[0]["n"].as_u64().unwrap() > 0, "{found:?}");
}

#[test]
fn a_session_that_is_too_narrow_does_not_run_a_statement() {
    let case = Fixture::of_logs("sample-logs/moderate");
    let narrow = gate_check("FROM events WHERE resource = 'pods'");
    let session = case.select(narrow.selection()).unwrap();
    session.sql(&narrow, None, &mut Collected::default()).unwrap();
    let refused = session.sql(&gate_check("FROM events WHERE resource = 'secrets'"), None, &mut Collected::default());
    assert!(matches!(&refused, Err(QueryError::TooNarrow { .. })), "{refused:?}");
    assert!(refused.unwrap_err().to_string().starts_with("the statement asks for the resource `secrets`"));
}

fn gate_check(sql: &str) -> kforensic_query::Statement {
    kforensic_query::gate::check(sql).unwrap()
}

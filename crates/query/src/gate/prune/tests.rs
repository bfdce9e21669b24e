use super::*;
use crate::gate::Gate;

/// 2026-11-21T00:00:00Z in microseconds.
const DAY: i64 = 1_795_219_200_000_000;
const HOUR: i64 = 3_600_000_000;

fn pruned(gate: &Gate, sql: &str) -> Selection {
    gate.check(sql).unwrap_or_else(|refusal| panic!("{sql}: {refusal}")).selection().clone()
}

fn selection(since: Option<i64>, until: Option<i64>, resources: Option<&[&str]>) -> Selection {
    let resources = resources.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    Selection { since, until, resources, ..Selection::default() }
}

#[test]
fn conditions_on_time_and_resource_leave_files_out() {
    let (gate, from) = (Gate::new().unwrap(), Some(DAY));
    for (sql, expected) in [
        ("FROM events WHERE event_time >= '2026-11-21'", selection(from, None, None)),
        ("FROM events e WHERE e.event_time > TIMESTAMP '2026-11-21 01:00:00'", selection(Some(DAY + HOUR), None, None)),
        ("FROM requests WHERE requests.Event_Time >= DATE '2026-11-21'", selection(from, None, None)),
        (
            "FROM requests WHERE '2026-11-21T01:00:00.000001Z' <= event_time",
            selection(Some(DAY + HOUR + 1), None, None),
        ),
        ("FROM requests WHERE event_time < '2026-11-21'", selection(None, from, None)),
        ("FROM requests WHERE event_time <= '2026-11-21'", selection(None, Some(DAY + 1), None)),
        ("FROM requests WHERE event_time = '2026-11-21'", selection(from, Some(DAY + 1), None)),
        (
            "FROM requests WHERE event_time BETWEEN '2026-11-21' AND '2026-11-21 01:00:00'",
            selection(from, Some(DAY + HOUR + 1), None),
        ),
        ("FROM requests WHERE resource = 'secrets' AND verb = 'get'", selection(None, None, Some(&["secrets"]))),
        ("FROM final_events WHERE resource = 'a'", selection(None, None, Some(&["a"]))),
        ("FROM requests WHERE resource IN ('a', 'b')", selection(None, None, Some(&["a", "b"]))),
        ("FROM requests WHERE resource IN ('a', 'b') AND resource = 'c'", selection(None, None, Some(&[]))),
        (
            "SELECT count(*) FROM requests WHERE (event_time >= '2026-11-20' AND (event_time >= '2026-11-21' AND true)) AND resource = 'a'",
            selection(from, None, Some(&["a"])),
        ),
        ("FROM requests WHERE api_group = 'a' AND resource = 'b'", {
            Selection { groups: Some(vec!["a".to_owned()]), ..selection(None, None, Some(&["b"])) }
        }),
        ("FROM requests r WHERE r.API_group IN ('a', 'b')", {
            Selection { groups: Some(vec!["a".to_owned(), "b".to_owned()]), ..Selection::default() }
        }),
        // A row of the one may be of any resource, one of the other of any group.
        ("FROM events WHERE resource = 'a' UNION ALL FROM events WHERE api_group = 'b'", Selection::default()),
        ("EXPLAIN FROM events WHERE resource = 'a'", selection(None, None, Some(&["a"]))),
        ("SUMMARIZE FROM events WHERE resource = 'a'", selection(None, None, Some(&["a"]))),
        (
            "WITH few AS (FROM events WHERE resource = 'a') FROM few SEMI JOIN (FROM requests WHERE resource = 'b') USING (audit_id)",
            selection(None, None, Some(&["a", "b"])),
        ),
        (
            "FROM events WHERE resource = 'a' AND event_time < '2026-11-21' UNION ALL FROM events WHERE resource = 'a'",
            selection(None, None, Some(&["a"])),
        ),
        (
            "SELECT (SELECT count(*) FROM sources), (SELECT count(*) FROM rejects), n FROM events, range(3) t(n) WHERE true",
            Selection::default(),
        ),
        (
            "SELECT (SELECT count(*) FROM sources), (SELECT count(*) FROM rejects) FROM events WHERE resource = 'a'",
            selection(None, None, Some(&["a"])),
        ),
    ] {
        assert_eq!(pruned(&gate, sql), expected, "{sql}");
    }
}

#[test]
fn in_doubt_nothing_is_left_out() {
    let gate = Gate::new().unwrap();
    for sql in [
        "FROM events",
        "FROM events WHERE resource = 'a' OR verb = 'get'",
        "FROM events WHERE NOT resource = 'a'",
        // The second one is the view, which the name in the bracket does not reach.
        "FROM (WITH final_events AS (FROM events WHERE resource = 'a') FROM final_events), final_events",
        "FROM events WHERE api_group <> 'a'",
        "SELECT 'a' AS api_group FROM events WHERE api_group = 'a'",
        "FROM events WHERE resource <> 'a'",
        "FROM events WHERE resource NOT IN ('a')",
        "FROM events WHERE resource IN ('a', NULL)",
        "FROM events WHERE resource IN ('a', verb)",
        "FROM events WHERE resource LIKE 'a'",
        "FROM events WHERE event_time NOT BETWEEN '2026-11-20' AND '2026-11-21'",
        "FROM events WHERE event_time >= '2026-11-21T00:00:00+02:00'",
        "FROM events WHERE event_time >= '2026-11-21 00:00'",
        "FROM events WHERE event_time >= 'yesterday'",
        "FROM events WHERE event_time >= TIMESTAMPTZ '2026-11-21 00:00:00'",
        "FROM events WHERE event_time >= DATE '2026-11-21 10:00:00'",
        "FROM events WHERE event_time >= now()::TIMESTAMP",
        "FROM events WHERE stage_time >= '2026-11-21'",
        "FROM events, events e WHERE event_time >= '2026-11-21'",
        "FROM events JOIN sources USING (source_id) WHERE resource = 'a'",
        "FROM events WHERE resource = 'a' UNION ALL FROM events",
        "FROM events WHERE resource = 'a' AND EXISTS (FROM events)",
        "SELECT (SELECT count(*) FROM events) FROM events WHERE resource = 'a'",
        "FROM requests r WHERE EXISTS (FROM events WHERE r.resource = 'a')",
        "SELECT 'a' AS resource FROM events WHERE resource = 'a'",
        "FROM events AS e(resource) WHERE resource = 'a'",
        "FROM events TABLESAMPLE 10% WHERE resource = 'a'",
        "FROM events WHERE resource = 'a' USING SAMPLE 10%",
        "WITH events AS (FROM requests) FROM events WHERE resource = 'a'",
        "WITH sources AS (FROM requests) SELECT (SELECT count(*) FROM sources) FROM events WHERE resource = 'a'",
        "FROM requests_of('events') WHERE resource = 'a'",
        "SELECT (SELECT count(*) FROM requests_of('events')) FROM events WHERE resource = 'a'",
        "SELECT (SELECT count(*) FROM query_table('events')) FROM events WHERE resource = 'a'",
        "SELECT (SELECT count(*) FROM audit_id_conflicts) FROM events WHERE resource = 'a'",
        "FROM audit_id_conflicts",
        "FROM unknown WHERE resource = 'a'",
        "DESCRIBE events",
        "SELECT 1",
    ] {
        assert_eq!(pruned(&gate, sql), Selection::default(), "{sql}");
    }
}

#[test]
fn instants_are_read_in_the_forms_that_mean_the_same_to_all() {
    for (text, micros) in [
        ("2026-11-21", Some(DAY)),
        ("2026-11-21 01:00:00", Some(DAY + HOUR)),
        ("2026-11-21T01:00:00Z", Some(DAY + HOUR)),
        ("2026-11-21 01:00:00.5", Some(DAY + HOUR + 500_000)),
        ("2026-11-21 01:00:00.123456", Some(DAY + HOUR + 123_456)),
        ("2026-11-21 01:00:00.1234567", None),
        ("2026-11-21 01:00:00.", None),
        ("2026-11-21 01:00:60", None),
        ("2026-11-21 24:00:00", None),
        ("2026-11-21T01:00:00+01", None),
        ("2026-11-21 01:00", None),
        ("2026-1-21", None),
        ("2026-02-30", None),
        ("epoch", None),
        ("", None),
        ("éééééééééé", None),
    ] {
        assert_eq!(instant(text), micros, "{text}");
    }
}

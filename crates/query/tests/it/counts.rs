//! What `kforensic status` shows.

use kforensic_event::time;
use kforensic_query::{Counts, Selection};
use serde_json::json;

use crate::fixture::Fixture;

#[test]
fn an_empty_case_is_empty() {
    let case = Fixture::of_texts(&[]);
    assert_eq!(case.session().counts().unwrap(), Counts::default());
    for view in ["events", "requests", "rejects", "request_keys"] {
        assert!(case.sql(&format!("FROM {view} ORDER BY 1")).is_empty(), "{view}");
    }
}

#[test]
fn events_are_counted_by_resource_and_day() {
    let case = Fixture::of_logs("sample-logs/hardened");
    let counts = case.session().counts().unwrap();
    assert_eq!((counts.events, counts.requests, counts.rejects), (8_973, 4_471, 0));
    assert_eq!(counts.by_day.iter().map(|(day, _)| time::render_day(*day)).collect::<Vec<_>>(), ["2026-11-21"]);
    assert_eq!(counts.by_day[0].1, counts.events);
    assert_eq!(counts.by_resource.iter().map(|(_, events)| events).sum::<u64>(), counts.events);
    assert!(counts.by_resource.is_sorted_by(|left, right| left.0 < right.0));
    let secrets = counts.by_resource.iter().find(|(name, _)| name.as_deref() == Some("secrets")).unwrap();
    assert!(secrets.1 > 130, "{secrets:?}");
}

#[test]
fn a_selection_shows_exactly_its_part() {
    let line = |id: &str, resource: &str, time: &str| {
        json!({
            "level": "Metadata", "auditID": id, "user": {}, "objectRef": {"resource": resource},
            "stage": "ResponseComplete", "requestReceivedTimestamp": time,
        })
    };
    let noon = "2026-11-21T12:00:00.000000Z";
    let log: String = [
        json!({"level": "Metadata", "auditID": "no resource", "user": {}, "stageTimestamp": noon}),
        line("before", "secrets", "2026-11-21T11:59:59.999999Z"),
        line("first", "secrets", noon),
        line("other resource", "pods", noon),
        line("same folder", "widgets", noon),
        line("wanted", "gadgets", noon),
        line("last", "secrets", "2026-11-22T11:59:59.999999Z"),
        line("after", "secrets", "2026-11-22T12:00:00.000000Z"),
        json!({"kind": "Nonsense"}),
    ]
    .iter()
    .map(|line| format!("{line}\n"))
    .collect();
    let case = Fixture::of_texts(&[log.as_bytes()]);
    let everything = case.session().counts().unwrap();
    let by_resource: Vec<_> = everything.by_resource.iter().map(|(name, events)| (name.as_deref(), *events)).collect();
    assert_eq!(
        by_resource,
        [(None, 1), (Some("gadgets"), 1), (Some("pods"), 1), (Some("secrets"), 4), (Some("widgets"), 1)]
    );
    let since = time::parse(noon);
    let selection = Selection {
        since,
        until: since.map(|since| since + 86_400_000_000),
        resources: Some(vec!["secrets".to_owned(), "gadgets".to_owned()]),
        ..Selection::default()
    };
    let counts = case.select(&selection).unwrap().counts().unwrap();
    assert_eq!(
        counts,
        Counts {
            events: 3,
            requests: 3,
            rejects: 1,
            by_resource: vec![(Some("gadgets".to_owned()), 1), (Some("secrets".to_owned()), 2)],
            by_day: vec![(20_778, 2), (20_779, 1)],
        }
    );
    assert_eq!(
        case.sql("SELECT line_number, reject_reason, raw, host, cluster FROM rejects ORDER BY 1"),
        [json!({
            "line_number": 9, "reject_reason": "not an audit event: no string `auditID`",
            "raw": b"{\"kind\":\"Nonsense\"}", "host": "cp-1", "cluster": null,
        })]
    );
}

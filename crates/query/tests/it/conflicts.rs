//! Audit ids under which there is more than one event of a stage, and why.

use serde_json::{Value, json};

use crate::fixture::Fixture;

const CONFLICTS: &str = "FROM audit_id_conflicts ORDER BY audit_id, stage";

fn event(id: &str, second: u32, uri: &str, addresses: &[&str]) -> String {
    let time = format!("2026-11-21T20:37:{second:02}.000000Z");
    let event = json!({
        "level": "Metadata", "auditID": id, "stage": "ResponseComplete", "requestURI": uri, "verb": "get",
        "user": {"username": "bob"}, "sourceIPs": addresses, "requestReceivedTimestamp": time, "stageTimestamp": time,
    });
    format!("{event}\n")
}

fn kinds(rows: &[Value]) -> Vec<(&str, &str, i64)> {
    rows.iter()
        .map(|row| {
            (row["audit_id"].as_str().unwrap(), row["kind"].as_str().unwrap(), row["requests"].as_i64().unwrap())
        })
        .collect()
}

#[test]
fn an_id_that_a_client_chose_for_three_requests_is_found_in_a_real_log() {
    let case = Fixture::of_logs("tests/logs/metadata");
    let rows = case.sql(CONFLICTS);
    assert_eq!(rows.len(), 2, "{rows:?}");
    for (row, stage) in rows.iter().zip(["RequestReceived", "ResponseComplete"]) {
        assert_eq!((&row["stage"], &row["kind"]), (&json!(stage), &json!("reused")));
        assert_eq!((&row["contents"], &row["requests"]), (&json!(3), &json!(3)));
        assert_eq!(row["audit_id"], "00000000-0000-0000-0000-000000000000");
        assert_eq!((&row["users"], &row["source_ips"]), (&json!(["system:anonymous"]), &json!(["127.0.0.1"])));
        assert_eq!((&row["verbs"], &row["request_uris"]), (&json!(["get"]), &json!(["/version"])));
        assert_eq!(row["first_event"], "2026-11-21T20:12:43.840553Z");
        assert_eq!(row["last_event"], "2026-11-21T20:12:43.896574Z");
    }
}

#[test]
fn chosen_ids_that_are_used_once_and_the_stages_of_a_watch_are_no_conflict() {
    for log in ["sample-logs/hardened", "sample-logs/moderate"] {
        assert_eq!(Fixture::of_logs(log).sql(CONFLICTS), Vec::<Value>::new(), "{log}");
    }
    let root = std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..");
    let odd = std::fs::read(root.join("tests/logs/damage/odd-requests.log")).unwrap();
    let case = Fixture::of_texts(&[&odd]);
    assert_eq!(case.sql("SELECT count(*) AS n FROM events WHERE audit_id = 'my-own-id' ORDER BY 1")[0]["n"], 2);
    assert_eq!(case.sql(CONFLICTS), Vec::<Value>::new());
    // The same requests, sent again an hour later by somebody who knows the ids.
    let replayed = String::from_utf8(odd.clone()).unwrap().replace("T19:5", "T20:5");
    let rows = Fixture::of_texts(&[&odd, replayed.as_bytes()]).sql(CONFLICTS);
    assert!(rows.len() > 400 && rows.iter().all(|row| row["kind"] == "reused" && row["requests"] == 2), "{rows:?}");
}

#[test]
fn forwarded_and_rewritten_events_are_told_from_reused_ids() {
    let front = [
        event("a-forwarded", 1, "/apis/metrics.k8s.io/v1beta1/nodes", &["10.0.0.5"]),
        event("b-rewritten", 2, "/api/v1/pods", &["10.0.0.5"]),
        event("c-reused", 3, "/api/v1/pods", &["10.0.0.5"]),
        event("d-other-uri", 4, "/api/v1/pods", &["10.0.0.5"]),
        event("f-same-log", 6, "/api/v1/pods", &["10.0.0.5"]),
        event("f-same-log", 7, "/api/v1/pods", &["10.0.0.5", "10.0.0.5"]),
        event("once", 8, "/api/v1/pods", &["10.0.0.5"]),
    ]
    .concat();
    let behind = [
        event("a-forwarded", 1, "/apis/metrics.k8s.io/v1beta1/nodes", &["10.0.0.5", "10.244.0.1"])
            .replace("01.0", "01.5"),
        event("b-rewritten", 2, "/api/v1/pods", &["10.0.0.5"]).replace("bob", "eve"),
        event("c-reused", 5, "/api/v1/pods", &["10.0.0.5"]),
        event("d-other-uri", 4, "/api/v1/secrets", &["10.0.0.5", "10.244.0.1"]),
    ]
    .concat();
    let rows = Fixture::of_texts(&[front.as_bytes(), behind.as_bytes()]).sql(CONFLICTS);
    let expected = [
        ("a-forwarded", "forwarded", 2),
        ("b-rewritten", "rewritten", 1),
        ("c-reused", "reused", 2),
        ("d-other-uri", "reused", 2),
        ("f-same-log", "reused", 2),
    ];
    assert_eq!(kinds(&rows), expected);
    assert_eq!((&rows[1]["users"], &rows[1]["source_ids"]), (&json!(["bob", "eve"]), &json!(["0-0", "0-1"])));
}

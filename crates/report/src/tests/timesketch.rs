//! Events for Timesketch, held against what its importer wants.

use std::sync::Arc;

use arrow::array::builder::{ListBuilder, StringBuilder};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StructArray, TimestampMicrosecondArray};
use serde_json::{Value, json};

use super::cases::MICROS;
use super::rows::{batch, columns, hostile, hostile_batch, reads, text, written};
use crate::visible::is_hostile;
use crate::{Format, Layout, Summary};

fn layout() -> Layout {
    Layout { tags: vec!["secret-reads".to_owned(), "T1552.007".to_owned()], ..Layout::default() }
}

fn events(rows: RecordBatch) -> Vec<Value> {
    let (text, _) = written(Format::Timesketch, layout(), &[rows]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn csv_events(rows: RecordBatch) -> Vec<std::collections::HashMap<String, String>> {
    let (text, _) = written(Format::TimesketchCsv, layout(), &[rows]);
    ::csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

fn times(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values))
}

#[test]
fn a_request_is_an_event_with_a_sentence() {
    let events = events(batch(&reads()));
    let expected = json!({
        "message": "bob get prod/db-credentials -> allowed 200 from 127.0.31.9 via Go-http-client/1.1",
        "datetime": "2026-11-21T20:37:38.262056+00:00",
        "timestamp": 1_795_293_458_262_056_i64,
        "timestamp_desc": "k8s audit request received",
        "data_type": "kubernetes:audit:event",
        "tag": ["secret-reads", "T1552.007"],
        "event_time": "2026-11-21T20:37:38.262056Z",
        "user_name": "bob", "impersonated_user": null, "verb": "get", "namespace": "prod", "name": "db-credentials",
        "outcome": "allowed", "status_code": 200, "source_ip": "127.0.31.9", "user_agent": "Go-http-client/1.1",
        "decision_reason": "RBAC: allowed by ClusterRoleBinding \"ops-admin\" of ClusterRole \"cluster-admin\" to Group \"ops\"",
        "audit_id": "8a68baa0-b034-41a3-b08f-c2503e6715b1",
    });
    assert_eq!(events[6], expected);
    let message = "bob as system:admin list in kube-system -> allowed 200 from 127.0.0.1 via kubectl/v1.33.1";
    assert_eq!(events[7]["message"], message);
    assert_eq!(events.len(), 8);
}

#[test]
fn csv_says_the_same_as_json() {
    let json = events(batch(&reads()));
    let csv = csv_events(batch(&reads()));
    assert_eq!(csv.len(), json.len());
    for (csv, json) in csv.iter().zip(&json) {
        for (name, value) in json.as_object().unwrap() {
            let expected = match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(csv[name], expected, "{name}");
        }
    }
    let (text, _) = written(Format::TimesketchCsv, layout(), &[batch(&reads())]);
    assert!(
        text.starts_with("message,datetime,timestamp,timestamp_desc,data_type,tag,event_time,user_name,"),
        "{text}"
    );
}

#[test]
fn a_first_and_a_last_time_are_two_events() {
    let rows = columns(vec![
        ("source_ip", text(&[Some("10.0.0.9"), Some("10.0.0.8")])),
        ("attempts", Arc::new(Int64Array::from(vec![23, 1]))),
        ("user", text(&[None, Some("a\nb")])),
        ("first_seen", times(vec![Some(MICROS), Some(MICROS)])),
        ("last_seen", times(vec![Some(MICROS + 1), Some(MICROS)])),
    ]);
    let (_, summary) = written(Format::Timesketch, Layout::default(), std::slice::from_ref(&rows));
    assert_eq!(summary, Summary { rows: 3, ..Summary::default() });
    let events = events(rows);
    let said: Vec<_> = events
        .iter()
        .map(|event| (event["timestamp"].as_i64().unwrap() - MICROS, event["timestamp_desc"].as_str().unwrap()))
        .collect();
    let expected = [(0, "k8s audit first seen"), (1, "k8s audit last seen"), (0, "k8s audit first and last seen")];
    assert_eq!(said, expected);
    assert_eq!(events[0]["message"], "source_ip: 10.0.0.9; attempts: 23");
    assert_eq!(events[2]["message"], r"source_ip: 10.0.0.8; attempts: 1; user: a\nb");
    assert_eq!(events[0]["data_type"], "kubernetes:audit:summary");
}

#[test]
fn no_row_is_left_out_for_want_of_a_time() {
    // Infinity, and the year 9999, which pandas cannot hold.
    let rows = columns(vec![
        ("event_time", times(vec![None, None, Some(i64::MAX), Some(253_370_764_800_000_000)])),
        ("ended", times(vec![Some(MICROS), None, None, None])),
        ("stage", text(&[Some("ResponseComplete"); 4])),
    ]);
    let events = events(rows);
    let said: Vec<_> = events.iter().map(|event| event["timestamp_desc"].as_str().unwrap()).collect();
    assert_eq!(said, ["k8s audit ended", "not a time", "not a time", "not a time"]);
    assert_eq!(events[1]["datetime"], "1970-01-01T00:00:00.000000+00:00");
    assert_eq!(events[1]["timestamp"], 0);
    assert_eq!(events[3]["event_time"], "9999-01-01T00:00:00.000000Z");
}

#[test]
fn what_an_answer_says_itself_is_used_and_names_that_are_lost_are_changed() {
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("mine"), None]);
    let rows = columns(vec![
        ("datetime", times(vec![Some(MICROS)])),
        ("event_time", times(vec![Some(0)])),
        ("message", text(&[Some("look\x1b[31m here")])),
        ("timestamp_desc", text(&[Some("said")])),
        ("tag", Arc::new(tags.finish())),
        ("timestamp", text(&[Some("noon")])),
        ("_id", text(&[Some("1")])),
        ("_id_", text(&[Some("2")])),
    ]);
    let expected = json!({
        "message": r"look\x1b[31m here", "datetime": "2026-11-21T20:37:38.239247+00:00", "timestamp": MICROS,
        "timestamp_desc": "said", "data_type": "kubernetes:audit:event", "tag": ["secret-reads", "T1552.007", "mine"],
        "event_time": "1970-01-01T00:00:00.000000Z", "timestamp_": "noon", "_id_": "1", "_id__1": "2",
    });
    assert_eq!(events(rows), [expected]);
}

#[test]
fn nothing_is_nested_and_no_text_is_too_long_for_a_keyword() {
    let long = "é".repeat(20_000);
    let fields = StructArray::from(vec![(
        Arc::new(arrow::datatypes::Field::new("a", arrow::datatypes::DataType::Utf8, true)),
        text(&[Some("b")]),
    )]);
    let mut groups = ListBuilder::new(StringBuilder::new());
    groups.append_value([Some(long.as_str()), None, Some("ops")]);
    let rows = columns(vec![
        ("event_time", times(vec![Some(MICROS)])),
        ("body", text(&[Some(&long)])),
        ("fields", Arc::new(fields)),
        ("groups", Arc::new(groups.finish())),
    ]);
    let event = &events(rows.clone())[0];
    assert_eq!(event["fields"], r#"{"a":"b"}"#);
    let cut = format!("{}… (cut: 40000 bytes in the case)", "é".repeat(16_000));
    assert_eq!(event["body"], Value::from(cut.as_str()));
    assert_eq!(event["groups"], json!([cut, null, "ops"]));
    for text in csv_events(rows)[0].values() {
        assert!(text.len() <= 32_766, "{}", text.len());
    }
}

#[test]
fn hostile_rows_are_events_too() {
    let events = events(hostile_batch());
    assert_eq!(events.len(), 2 * hostile().len());
    for (event, text) in events.iter().step_by(2).zip(hostile()) {
        let message = event["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.chars().any(is_hostile) && message.len() < 1_000, "{message}");
        let agent = event["user_agent"].as_str().unwrap();
        assert!(agent == text || agent.ends_with("… (cut: 1000001 bytes in the case)"), "{agent}");
        for value in event.as_object().unwrap().values() {
            assert!(!value.is_object());
        }
    }
    let csv = csv_events(hostile_batch());
    assert_eq!(csv.len(), events.len());
    for event in csv {
        let tags: Vec<String> = serde_json::from_str(&event["tag"]).unwrap();
        assert_eq!(tags, ["secret-reads", "T1552.007"]);
        assert_eq!(event["datetime"].len(), "2026-01-01T00:00:00.123456+00:00".len());
        let cells = [&event["message"], &event["user_name"], &event["name"], &event["user_agent"]];
        assert!(cells.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])));
    }
}

//! Entries of Cloud Audit Logs that Google split: one event when all parts are in a source, in whatever order and wrapper; else what
//! is there says what is missing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::{folder, ingest_all, repository, rows, tree};
use kforensic_event::Cell;
use kforensic_lake::{Case, IngestOptions, Progress, Report, Writer, ingest};
use serde_json::{Value, json};

/// The entry of a request of bob's, whose body is `request`, and `response`.
fn entry(id: &str, resource: &str, request: &Value, response: &Value) -> Value {
    json!({
        "insertId": id,
        "logName": "projects/demo/logs/cloudaudit.googleapis.com%2Factivity",
        "operation": {"id": id, "producer": "k8s.io"},
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": "bob"},
            "methodName": format!("io.k8s.core.v1.{resource}.create"),
            "requestMetadata": {"callerIp": "10.0.0.9"},
            "resourceName": format!("core/v1/namespaces/prod/{resource}/x"),
            "serviceName": "k8s.io",
            "status": {},
            "request": request,
            "response": response,
        },
        "resource": {"labels": {"cluster_name": "demo"}, "type": "k8s_cluster"},
        "timestamp": "2026-11-21T20:37:05.105555Z",
    })
}

/// The same as parts: each has its piece of `request`, and nothing of what is split else.
fn parts(id: &str, resource: &str, requests: &[Value]) -> Vec<Value> {
    let part = |(index, request): (usize, &Value)| {
        let mut part = entry(id, resource, request, &Value::Null);
        part["insertId"] = json!(format!("{id}-{index}"));
        part["split"] = json!({"uid": format!("{id}-split"), "index": index, "totalSplits": requests.len()});
        part["protoPayload"].as_object_mut().unwrap().remove("response");
        part
    };
    requests.iter().enumerate().map(part).collect()
}

/// A binding whose subjects and role stand in different parts.
fn binding() -> Vec<Value> {
    parts(
        "grant",
        "configmaps",
        &[
            json!({"kind": "ConfigMap", "data": {"a": "one ", "subjects": ["bo"]}}),
            json!({"data": {"a": "two ", "subjects": ["b", "mallory"]}}),
            json!({"data": {"a": "three", "role": "cluster-admin"}}),
        ],
    )
}

fn whole() -> Value {
    json!({"kind": "ConfigMap", "data": {"a": "one two three", "subjects": ["bob", "mallory"], "role": "cluster-admin"}})
}

fn lines(entries: &[Value]) -> String {
    entries.iter().map(|entry| format!("{entry}\n")).collect()
}

/// An event of a case: its id, request and mark, and its line.
type Told = (String, Value, Option<String>, i64);

/// The events and the reasons of the rejects of a case.
fn told(case: &Path) -> (Vec<Told>, Vec<String>) {
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    for file in &Case::open(case).unwrap().snapshot().unwrap().files {
        rows(file, &mut |cell| {
            let text = |name: &'static str| match cell(name) {
                Cell::Text(text) => Some(text.to_owned()),
                _ => None,
            };
            if let Some(reason) = text("reject_reason") {
                rejects.push(reason);
            } else if let Some(id) = text("audit_id") {
                let request = text("request_object").map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
                events.push((id, request, text("salvaged"), cell("line_number").int().unwrap()));
            }
        });
    }
    events.sort_by(|left, right| (&left.0, left.3).cmp(&(&right.0, right.3)));
    rejects.sort();
    (events, rejects)
}

fn account(report: &Report) -> (u64, u64, u64, u64) {
    (report.records, report.events, report.duplicates, report.rejected)
}

/// Ingests texts into a new case in `folder`, each as a file.
fn ingest_texts(folder: &Path, texts: &[&str]) -> (u64, u64, u64, u64) {
    let paths = texts.iter().enumerate().map(|(number, text)| {
        let path = folder.join(format!("{number}.log"));
        std::fs::write(&path, text).unwrap();
        path
    });
    account(&ingest_all(&folder.join("case"), &paths.collect::<Vec<_>>()))
}

/// A value as YAML, as `gcloud` prints it but for its quotation marks.
fn yaml(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) if !members.is_empty() => {
            let key = |name: &str| if name.starts_with('@') { format!("'{name}'") } else { name.to_owned() };
            members.iter().map(|(name, value)| format!("\n{indent}{}:{}", key(name), yaml(value, depth + 1))).collect()
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(|item| format!("\n{indent}-{}", yaml(item, depth + 1))).collect()
        }
        value => format!(" {value}"),
    }
}

#[test]
fn parts_in_lines_of_their_own_are_one_event_in_any_order_and_wrapper() {
    let parts = binding();
    let other = |number: usize| entry(&format!("other-{number}"), "pods", &json!({"n": number}), &json!({}));
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let mut entries = vec![other(0)];
        for (number, part) in order.into_iter().enumerate() {
            entries.extend([parts[part].clone(), other(number + 1)]);
        }
        let list = serde_json::to_string(&entries).unwrap();
        let pretty = serde_json::to_string_pretty(&entries).unwrap();
        let documents: String = entries.iter().map(|entry| format!("---{}\n", yaml(entry, 0))).collect();
        let bigquery = entries.iter().map(|entry| {
            let mut row = entry.clone();
            let mut payload = row["protoPayload"].take();
            for (body, json) in [("request", "requestJson"), ("response", "responseJson")] {
                let body = payload.as_object_mut().unwrap().remove(body);
                payload[json] = body.map_or(Value::Null, |body| json!(body.to_string()));
            }
            row["protopayload_auditlog"] = payload;
            row.as_object_mut().unwrap().remove("protoPayload");
            row
        });
        let bigquery = lines(&bigquery.collect::<Vec<_>>());
        let csv = format!(
            "log,x\n{}",
            entries
                .iter()
                .map(|entry| format!("\"{}\",1\n", entry.to_string().replace('"', "\"\"")))
                .collect::<String>()
        );
        let fluent: String = entries
            .iter()
            .map(|entry| {
                format!(
                    "{}\n",
                    json!({"log": format!("{entry}\n"), "stream": "stdout", "time": "2026-11-21T20:37:05Z"})
                )
            })
            .collect();
        for (form, text) in [
            ("lines", lines(&entries)),
            ("list", list),
            ("pretty", pretty),
            ("YAML", documents),
            ("BigQuery", bigquery),
            ("CSV", csv),
            ("Docker", fluent),
        ] {
            let folder = folder();
            assert_eq!(ingest_texts(folder.path(), &[&text]), (5, 5, 0, 0), "{form} {order:?}");
            let (events, rejects) = told(&folder.path().join("case"));
            let (_, request, mark, _) = events.iter().find(|event| event.0 == "grant").unwrap();
            assert_eq!((request, mark, rejects.len()), (&whole(), &None, 0), "{form} {order:?}");
        }
    }
}

#[test]
fn parts_far_from_one_another_are_one_event_whatever_the_number_of_threads() {
    let parts = binding();
    let filler = |number: usize| {
        entry(&format!("filler-{number}"), "pods", &json!({"n": "x".repeat(2_000), "no": number}), &json!({}))
    };
    let mut entries = vec![parts[1].clone()];
    entries.extend((0..2_000).map(filler));
    entries.push(parts[2].clone());
    entries.extend((2_000..4_000).map(filler));
    entries.push(parts[0].clone());
    let folder = folder();
    let log = folder.path().join("export.json");
    std::fs::write(&log, lines(&entries)).unwrap();
    let cases: Vec<_> = [1, 4]
        .into_iter()
        .map(|threads| {
            let case = common::with_key(folder.path().join(format!("case-{threads}")));
            let options = IngestOptions { paths: vec![log.clone()], threads, ..IngestOptions::default() };
            let report = ingest(&Writer::open(&case, "test").unwrap(), &options, &Progress::default()).unwrap();
            assert_eq!(account(&report), (4_001, 4_001, 0, 0), "{threads} threads");
            let grant: Vec<_> = told(&case).0.into_iter().filter(|event| event.0 == "grant").collect();
            assert_eq!(grant, [("grant".to_owned(), whole(), None, 1)]);
            let mut files = tree(&case);
            files.retain(|name, _| name.extension().is_some_and(|extension| extension == "parquet"));
            files.into_values().collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(cases[0], cases[1]);
}

#[test]
fn what_is_missing_is_said_with_the_id_of_the_event() {
    let parts = binding();
    for (there, beginning, rejected) in [
        (&[0][..], Some("one "), 0),
        (&[0, 1], Some("one two "), 0),
        (&[2, 0], Some("one "), 1),
        (&[2, 1], None, 2),
        (&[1], None, 1),
    ] {
        let entries: Vec<Value> = there.iter().map(|part| parts[*part].clone()).collect();
        let folder = folder();
        let events = u64::from(beginning.is_some());
        assert_eq!(
            ingest_texts(folder.path(), &[&lines(&entries)]),
            (events + rejected, events, 0, rejected),
            "{there:?}"
        );
        let (events, rejects) = told(&folder.path().join("case"));
        let told: Vec<_> = events
            .iter()
            .map(|(id, request, mark, _)| (id.as_str(), request["data"]["a"].as_str(), mark.as_deref()))
            .collect();
        let expected = beginning.map(|beginning| ("grant", Some(beginning), Some("split-part")));
        assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "{there:?}");
        assert!(rejects.iter().all(|reason| reason.contains("of event `grant`")), "{rejects:?}");
    }
    // Of another source: parts of it are named, not joined.
    let folder = folder();
    let texts = [lines(&parts[..2]), lines(&parts[2..])];
    assert_eq!(ingest_texts(folder.path(), &[&texts[0], &texts[1]]), (2, 1, 0, 1));
}

#[test]
fn the_same_export_in_another_order_and_twice_in_a_file_is_a_duplicate() {
    let parts = binding();
    let [one, two, three] = [0, 1, 2].map(|part| parts[part].clone());
    let folder = folder();
    let in_order = lines(&[one.clone(), two.clone(), three.clone()]);
    let sorted = lines(&[one.clone(), one, two.clone(), two, three.clone(), three]);
    assert_eq!(ingest_texts(folder.path(), &[&in_order, &sorted]), (3, 1, 2, 0));
}

#[test]
fn a_secret_value_across_the_seam_is_not_kept() {
    const TOKEN: [&str; 2] = [
        "eyJhbGciOiJSUzI1NiIsImtpZCI6IkFCQyJ9.eyJzdWIiOiJzeXN0ZW06c2Vydm",
        "ljZWFjY291bnQ6cHJvZDp3ZWIifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg",
    ];
    let secret = parts(
        "secret",
        "secrets",
        &[
            json!({"kind": "Secret", "data": {"password": "aHVudGVyMi1maXJz", "user": "Ym9iLXRoZS11c2Vy"}}),
            json!({"data": {"password": "dC1oYWxmLXNlY29u", "key": "a2V5LWluLXBhcnQtdHdv"}}),
        ],
    );
    let config = parts(
        "config",
        "configmaps",
        &[json!({"data": {"text": format!("use {}", TOKEN[0])}}), json!({"data": {"text": TOKEN[1]}})],
    );
    for entries in [
        [&secret[..], &config[..]].concat(),
        vec![secret[1].clone(), config[1].clone(), config[0].clone(), secret[0].clone()],
    ] {
        let folder = folder();
        assert_eq!(ingest_texts(folder.path(), &[&lines(&entries)]), (2, 2, 0, 0));
        let case = folder.path().join("case");
        let mut bytes: Vec<u8> = Vec::new();
        for file in &Case::open(&case).unwrap().snapshot().unwrap().files {
            rows(file, &mut |cell| {
                for column in kforensic_event::COLUMNS {
                    match cell(column.name) {
                        Cell::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                        Cell::Bytes(raw) => bytes.extend_from_slice(raw),
                        _ => (),
                    }
                }
            });
        }
        for value in [
            "aHVudGVyMi1maXJz",
            "dC1oYWxmLXNlY29u",
            "a2V5LWluLXBhcnQtdHdv",
            "Ym9iLXRoZS11c2Vy",
            &TOKEN[0][40..],
            &TOKEN[1][30..],
        ] {
            assert!(memchr::memmem::find(&bytes, value.as_bytes()).is_none(), "`{value}` is in the case");
        }
        // A value is hashed whole: it can be matched with itself elsewhere.
        let redacted = common::key(&case).value(b"aHVudGVyMi1maXJzdC1oYWxmLXNlY29u");
        assert!(memchr::memmem::find(&bytes, redacted.as_bytes()).is_some());
    }
}

#[test]
fn the_export_of_the_shared_form_is_one_event() {
    let folder = folder();
    let report = ingest_all(&folder.path().join("case"), &[repository("tests/logs/collectors/09-gke/split.json")]);
    assert_eq!(account(&report), (1, 1, 0, 0));
}

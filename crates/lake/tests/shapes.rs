//! The same 43 events in every wrapper seen in the wild: what comes out is what went in.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::{content, ingest_all, ingest_as, originals, rebuilt, rejects, repository, rows};
use kforensic_event::shape::{self, Position};
use kforensic_event::{Cell, Reading};
use kforensic_lake::{Case, IngestOptions, Progress, SecretValues, Writer, ingest};
use serde_json::{Value, json};

/// Files whose events all come out: the shape that is recognised, and the rejects beside the events: klog lines, control
/// messages, other categories of a cloud's stream, and what is lossy on purpose.
const READ: [(&str, &str, usize); 31] = [
    ("00-plain.jsonl", "json-lines", 0),
    ("aks-eventhub-records.json", "aks", 1),
    ("aks-storage-PT1H.json", "aks", 0),
    ("cloudwatch-filter-log-events.json", "cloudwatch-events", 0),
    ("cloudwatch-get-log-events.json", "cloudwatch-events", 0),
    ("cloudwatch-s3-export-000000.gz", "cloudwatch-lines", 0),
    ("cloudwatch-tail.txt", "cloudwatch-lines", 0),
    ("cri-containerd.log", "cri", 1),
    ("docker-json-file.log", "docker", 0),
    ("elastic-agent-kubernetes.audit.ndjson", "elastic-agent", 0),
    ("filebeat-message.ndjson", "filebeat", 0),
    ("firehose-concatenated-no-newline.json", "cloudwatch-subscription", 1),
    ("fluentbit-es.jsonl", "fluent-bit", 0),
    ("fluentd-out_file.tsv", "fluentd", 0),
    ("journalctl-o-json.jsonl", "journald", 0),
    ("json-array.json", "json-array", 0),
    ("kubectl-logs-mixed-klog.txt", "json-lines", 2),
    ("lambda-subscription-event.json", "cloudwatch-subscription", 0),
    ("logcli-default.txt", "loki", 0),
    ("logcli-jsonl.jsonl", "loki", 0),
    ("loki-query_range.json", "loki", 0),
    ("multimember.gz", "json-lines", 0),
    ("nul-hole.log", "json-lines", 1),
    ("oc-adm-node-logs.txt", "prefixed-lines", 0),
    ("pretty-concatenated.json", "json-documents", 0),
    ("powershell-utf16le-bom.log", "json-lines", 0),
    ("rfc5424.log", "syslog", 0),
    ("splunk-export.json", "splunk", 0),
    ("truncated-last-line.log", "json-lines", 1),
    ("utf8bom-crlf.log", "json-lines", 0),
    ("webhook-eventlist.json", "event-list", 0),
];

#[test]
fn every_wrapper_gives_the_reference_events() {
    let reference = originals(&[repository("tests/logs/shapes/00-plain.jsonl")]);
    assert_eq!(reference.len(), 43);
    for (name, shape, expected_rejects) in READ {
        let folder = common::folder();
        let case = folder.path().join("case");
        let report = ingest_as(&case, &[repository("tests/logs/shapes").join(name)], SecretValues::Kept);
        assert_eq!((report.events, report.rejected), (43, expected_rejects as u64), "{name}");
        assert_eq!(report.sources[0].shape, shape, "{name}");
        let events = rebuilt(&case);
        for (event, original) in events.iter().zip(&reference) {
            // Items of an EventList carry neither kind nor apiVersion.
            let mut original = original.clone();
            if event.get("kind").is_none() {
                original.as_object_mut().unwrap().retain(|key, _| key != "kind" && key != "apiVersion");
            }
            assert_eq!(*event, original, "{name}");
        }
        assert_eq!(rejects(&case).len(), expected_rejects, "{name}");
    }
}

#[test]
fn copies_in_other_wrappers_are_duplicates() {
    let folder = common::folder();
    let paths = READ.map(|(name, ..)| repository("tests/logs/shapes").join(name));
    let report = ingest_all(&folder.path().join("case"), &paths);
    // The EventList's items differ by what they lack.
    assert_eq!((report.events, report.duplicates), (86, 29 * 43));
}

#[test]
fn wrappers_of_other_peoples_logs_are_opened() {
    for (name, shape, events, rejected) in [
        ("openshift__cluster-logging-operator/hack__logsamples__otlp_audit_kube.json", "otlp", 21, 0),
        ("openshift__cluster-logging-operator/hack__logsamples__otlp_audit_openshift.json", "otlp", 6, 0),
        ("openshift__cluster-logging-operator/log5607_sample.json", "json-documents", 1, 0),
        ("openshift__cluster-logging-operator/raw_audit_kubernetes.json", "json-documents", 1, 0),
        ("openshift__cluster-logging-operator/raw_audit_oauth-apiserver.json", "json-documents", 1, 0),
        ("openshift__cluster-logging-operator/raw_audit_openshift.json", "json-documents", 1, 0),
        ("openshift__cluster-logging-operator/raw_container.log", "cri", 0, 1),
        ("openshift__cluster-logging-operator/viaq_audit_kubernetes.json", "openshift-viaq", 1, 0),
        ("openshift__cluster-logging-operator/viaq_audit_openshift.json", "openshift-viaq", 1, 0),
        ("openshift__cluster-logging-operator/viaq_container.json", "unknown", 0, 1),
        (
            "openshift__cluster-logging-operator/test__functional__filters__apiaudit__testdata__audit.log",
            "json-lines",
            5,
            0,
        ),
        ("liggitt__audit2rbac/demo-v1beta1.log", "audit-v1beta1", 37, 0),
        ("liggitt__audit2rbac/demo-2017-full.log", "audit-v1beta1", 757, 0),
        ("liggitt__audit2rbac/demo.log", "json-lines", 37, 0),
        ("sysdiglabs__aks-audit-log/curl.txt", "prefixed-lines", 0, 20),
        ("sysdiglabs__aks-audit-log/event.json", "aks", 22, 0),
        ("sysdiglabs__aks-audit-log/sample_EventHubs_event.json", "aks", 1, 0),
        ("sysdiglabs__aks-audit-log/sample_KubeAuditLog_event.json", "json-documents", 1, 0),
    ] {
        let folder = common::folder();
        let report = ingest_all(&folder.path().join("case"), &[repository("tests/logs/third-party").join(name)]);
        assert_eq!((report.events, report.rejected), (events, rejected), "{name}");
        assert_eq!(report.sources[0].shape, shape, "{name}");
    }
}

/// Every file of the folder of shapes, with its content as text; UTF-16 is no concern of a shape.
fn contents() -> Vec<(String, Vec<u8>)> {
    let folder = std::fs::read_dir(repository("tests/logs/shapes")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let names = paths.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path));
    names
        .filter(|(name, _)| name != "truncated.gz" && name != "powershell-utf16le-bom.log")
        .map(|(name, path)| (name, content(&path)))
        .collect()
}

#[test]
fn every_byte_belongs_to_a_record_or_is_shared_wrapper() {
    for (name, log) in contents() {
        let reading = Reading::of(&log);
        let mut owned = vec![false; log.len()];
        let mut places = Vec::new();
        reading.decode(&log, Position::START, true, &mut |record| {
            let start = usize::try_from(record.position.offset).unwrap();
            let place = start..start + record.bytes.len();
            assert!(
                places.last().is_none_or(|before: &std::ops::Range<usize>| place.start >= before.end
                    || place == *before
                    || name == "cri-containerd.log"),
                "{name}: {place:?}"
            );
            owned[place.clone()].fill(true);
            places.push(place);
        });
        // A wrapper that several events share: a list of them.
        let is_shared = reading.shape.name == "json-array"
            || log.iter().filter(|byte| **byte == b'\n').count() < 43
            || name.starts_with("cloudwatch-") && name.ends_with("events.json");
        for (byte, owned) in log.iter().zip(&owned) {
            let is_blank = byte.is_ascii_whitespace() || (log.starts_with(b"\xef\xbb\xbf") && *byte >= 0x80);
            assert!(*owned || is_blank || is_shared, "{name}: `{}` belongs to no record", char::from(*byte));
        }
        // What no record owns holds nothing of an event.
        let rest: Vec<u8> = log.iter().zip(&owned).filter(|(_, owned)| !**owned).map(|(byte, _)| *byte).collect();
        assert!(!shape::mentions_event(&rest), "{name}");
    }
}

#[test]
fn lossy_files_give_every_whole_event_and_keep_the_rest() {
    let whole = originals(&[repository("tests/logs/shapes/00-plain.jsonl")]);
    for (name, events, rejected) in [("glued-after-crash.log", 42, 1), ("truncated.gz", 42, 1)] {
        let folder = common::folder();
        let case = folder.path().join("case");
        let report = ingest_as(&case, &[repository("tests/logs/shapes").join(name)], SecretValues::Kept);
        assert_eq!((report.events, report.rejected), (events, rejected), "{name}");
        assert!(rebuilt(&case).iter().all(|event| whole.contains(event)), "{name}");
    }
}

/// Writes a log, ingests it, and gives the rows of its events as `columns` say, in the order of the log.
fn ingest_text(text: &str, columns: &[&'static str]) -> (kforensic_lake::Report, Vec<Value>, Vec<String>) {
    let folder = common::folder();
    let log = folder.path().join("the.log");
    std::fs::write(&log, text).unwrap();
    ingest_path(&log, columns)
}

/// The same of a file or a folder.
fn ingest_path(log: &Path, columns: &[&'static str]) -> (kforensic_lake::Report, Vec<Value>, Vec<String>) {
    let folder = common::folder();
    let case = folder.path().join("case");
    let report = ingest_all(&case, &[log.to_path_buf()]);
    let snapshot = Case::open(&case).unwrap().snapshot().unwrap();
    let mut found = Vec::new();
    for file in snapshot.event_files() {
        rows(file, &mut |cell| {
            let value = |name| match cell(name) {
                Cell::Text(text) => json!(text),
                Cell::Texts(texts) => json!(texts),
                other => other.int().map_or(Value::Null, |number| json!(number)),
            };
            found.push((value("byte_offset").as_i64(), columns.iter().map(|name| value(name)).collect::<Value>()));
        });
    }
    found.sort_by_key(|(offset, _)| *offset);
    let reasons = rejects(&case).into_iter().map(|reject| reject.0).collect();
    (report, found.into_iter().map(|(_, row)| row).collect(), reasons)
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(Path::new(&repository("tests/logs/more-shapes")).join(name)).unwrap()
}

/// The columns that an entry of GKE is told in.
const GKE_COLUMNS: [&str; 14] = [
    "audit_id",
    "verb",
    "api_group",
    "resource",
    "subresource",
    "namespace",
    "name",
    "user_name",
    "source_ip",
    "status_code",
    "decision",
    "cluster",
    "request_uri",
    "level",
];

/// What the columns of GKE's entries are: of the last one a ConfigMap that holds what looks like an audit event, which is none.
const GKE_ROWS: [&str; 5] = [
    r#"["7d0c5c4e-0001","create",null,"pods","exec","prod","web-0","alice@example.com","203.0.113.9",200,"allow","demo",null,null]"#,
    r#"["7d0c5c4e-0002","get",null,"secrets",null,"prod","db","mallory@example.com","198.51.100.7",403,"forbid","demo",null,null]"#,
    r#"["7d0c5c4e-0003","create","rbac.authorization.k8s.io","clusterrolebindings",null,null,"wild","alice@example.com","203.0.113.9",200,"allow","demo",null,null]"#,
    r#"["7d0c5c4e-0004","get",null,null,null,null,null,"system:anonymous","127.0.0.1",200,"allow","demo","/readyz",null]"#,
    r#"["7d0c5c4e-0005","create",null,"configmaps",null,"prod","forged","mallory@example.com","198.51.100.7",200,"allow","demo",null,null]"#,
];

#[test]
fn gke_entries_are_told_in_our_words() {
    let entries = fixture("gke-log-entries.jsonl");
    let columns = GKE_COLUMNS;
    let (report, events, reasons) = ingest_text(&entries, &columns);
    assert_eq!(report.sources[0].shape, "gke");
    let expected = GKE_ROWS.map(|row| serde_json::from_str::<Value>(row).unwrap());
    assert_eq!(events, expected);
    assert_eq!(reasons, ["not a Kubernetes audit event, but an entry of Cloud Audit Logs about another service"]);
    // `gcloud logging read --format=json` gives a pretty-printed list of the same.
    let list: Vec<Value> = entries.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (report, same, _) = ingest_text(&serde_json::to_string_pretty(&list).unwrap(), &columns);
    assert_eq!((report.sources[0].shape.as_str(), same), ("gke", events));
    // Whole entries come back, and are not stored twice.
    let folder = common::folder();
    let (lines, pretty) = (folder.path().join("a"), folder.path().join("b"));
    std::fs::write(&lines, &entries).unwrap();
    std::fs::write(&pretty, serde_json::to_string_pretty(&list).unwrap()).unwrap();
    let case = folder.path().join("case");
    let report = ingest_all(&case, &[lines, pretty]);
    assert_eq!((report.events, report.duplicates), (5, 5));
    let mut originals: Vec<Value> =
        list.into_iter().filter(|entry| entry["protoPayload"]["serviceName"] == "k8s.io").collect();
    originals.sort_by_cached_key(Value::to_string);
    assert_eq!(rebuilt(&case), originals);
}

#[test]
fn the_legacy_text_format_is_read_and_given_back() {
    let log = repository("tests/logs/damage/legacy-format.log");
    let folder = common::folder();
    let case = folder.path().join("case");
    let report = ingest_all(&case, std::slice::from_ref(&log));
    assert_eq!((report.events, report.rejected, report.sources[0].shape.as_str()), (918, 0, "legacy"));
    let lines = String::from_utf8(content(&log)).unwrap();
    let mut lines: Vec<Value> = lines.lines().map(Value::from).collect();
    lines.sort_by_cached_key(Value::to_string);
    assert_eq!(rebuilt(&case), lines);
    // The same by way of a container runtime.
    let line = lines[0].as_str().unwrap();
    let docker = json!({"log": format!("{line}\n"), "stream": "stdout", "time": "2026-11-21T20:37:37Z"}).to_string();
    for wrapped in [format!("2026-11-21T20:37:37.365950123Z stdout F {line}\n"), docker] {
        let (report, _, _) = ingest_text(&wrapped, &[]);
        assert_eq!((report.events, report.rejected), (1, 0), "{wrapped}");
    }
}

/// A plain event of the reference that is longer than 16 KiB.
fn long_event() -> String {
    let plain = String::from_utf8(content(&repository("tests/logs/shapes/00-plain.jsonl"))).unwrap();
    plain.lines().find(|line| line.len() > 40_000).unwrap().to_owned()
}

#[test]
fn what_aks_and_cloudwatch_cut_off_is_an_event_that_says_so() {
    let event: Value = serde_json::from_str(&long_event()).unwrap();
    let cut = &long_event()[..16 * 1024];
    let record = |log: &str| json!({"category": "kube-audit", "operationName": "x", "properties": {"log": log, "stream": "stdout"}, "time": "2026-11-21T20:40:00.123456789Z"});
    let message =
        json!({"timestamp": 1_795_293_600_123_i64, "message": format!("{cut}[Truncated...]"), "ingestionTime": 1});
    for (log, shape, time) in [
        (json!({"records": [record(cut), record("I0521 klog\n")]}), "aks", 1_795_293_600_123_456_i64),
        (record(cut), "aks", 1_795_293_600_123_456),
        (json!({"events": [message]}), "cloudwatch-events", 1_795_293_600_123_000),
    ] {
        let (report, events, _) =
            ingest_text(&log.to_string(), &["audit_id", "verb", "user_name", "event_time", "other"]);
        assert_eq!((report.sources[0].shape.as_str(), report.events), (shape, 1));
        assert_eq!(events[0][0], event["auditID"]);
        assert_eq!(events[0][1], event["verb"]);
        assert_eq!(events[0][2], event["user"]["username"]);
        assert_eq!(events[0][3], time, "the record's own time");
        let other: Value = serde_json::from_str(events[0][4].as_str().unwrap()).unwrap();
        assert_eq!(other["$cut"], true);
        assert!(other["$event"].as_str().unwrap().starts_with(cut));
    }
    // Nothing but the id is left.
    let (report, _, reasons) = ingest_text(&record(&cut[..140]).to_string(), &[]);
    assert_eq!((report.events, report.rejected), (0, 1));
    let id = event["auditID"].as_str().unwrap();
    assert_eq!(reasons, [format!("cut off by the collector: too little is left of event `{id}`")]);
}

#[test]
fn events_of_one_packed_text_share_its_place() {
    let packed = std::fs::read_to_string(repository("tests/logs/shapes/lambda-subscription-event.json")).unwrap();
    let packed: Value = serde_json::from_str(&packed).unwrap();
    let data = &packed["awslogs"]["data"];
    let other = json!({"Records": [{"kinesis": {"data": data}}, {"kinesis": {"data": "H4sIAAAA"}}, {"kinesis": {}}]})
        .to_string();
    let (report, places, reasons) = ingest_text(&other, &["byte_offset", "byte_length"]);
    assert_eq!((report.records, report.events, report.rejected), (45, 43, 2));
    let start = other.find("\"H4sI").unwrap();
    let place = json!([start, data.as_str().unwrap().len() + 2]);
    assert!(places.iter().all(|found| *found == place), "{places:?}");
    assert!(
        reasons.iter().any(|reason| reason.starts_with("the packed text in it cannot be unpacked: ")),
        "{reasons:?}"
    );
    // The same in another wrapper is a duplicate.
    let plain = repository("tests/logs/shapes/00-plain.jsonl");
    let folder = common::folder();
    let report = ingest_all(
        &folder.path().join("case"),
        &[plain, repository("tests/logs/shapes/lambda-subscription-event.json")],
    );
    assert_eq!((report.events, report.duplicates, report.rejected), (43, 43, 0));
}

#[test]
fn parts_of_a_split_line_are_joined_across_other_lines_and_chunks() {
    let event = long_event();
    let (one, rest) = event.split_at(16_384);
    let (two, three) = rest.split_at(16_384);
    let cri = |stream: &str, tag: &str, text: &str| format!("2026-11-21T20:37:37.365950123Z {stream} {tag} {text}\n");
    let one_event = |id: usize| {
        let id = format!("\"auditID\":\"{id:08}\"");
        let old = &event[event.find("\"auditID\"").unwrap()..]
            [..one.find("\",\"stage\"").unwrap() + 1 - one.find("\"auditID\"").unwrap()];
        cri("stdout", "P", &one.replace(old, &id))
            + &cri("stderr", "F", "I0521 klog")
            + &cri("stdout", "P", two)
            + &cri("stdout", "F", three)
    };
    // More than a chunk of 2 MiB.
    let log: String = (0..150).map(one_event).collect();
    assert!(log.len() > 4 << 20);
    let (report, ids, reasons) = ingest_text(&log, &["audit_id"]);
    assert_eq!((report.events, report.rejected, report.sources[0].shape.as_str()), (150, 150, "cri"));
    assert_eq!(ids, (0..150).map(|id| json!([format!("{id:08}")])).collect::<Vec<_>>());
    assert!(reasons.iter().all(|reason| reason.starts_with("not a JSON object")), "{reasons:?}");
}

#[test]
fn what_is_no_audit_log_is_kept_and_named() {
    let rancher = r#"{"auditID":"30022177-9e2e-43d1-b0d0-06ef9d3db183","requestURI":"/v3/projects","user":{"name":"u-1","group":["system:authenticated"]},"method":"POST","responseCode":"201","requestTimestamp":"2026-11-21T20:37:37Z","requestBody":{"forged":{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"x","user":{},"stageTimestamp":"2026-11-21T20:37:37.000000Z"}}}"#;
    let core = r#"{"apiVersion":"v1","kind":"Event","metadata":{"name":"web.1"},"reason":"Killing","message":"Stopping container"}"#;
    let list = format!("{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{core}]}}");
    let what = |text: &str| format!("not a Kubernetes audit event, but {text}");
    let core_what = what("an Event of core v1 (`kubectl get events`)");
    for (log, shape, expected) in [
        (rancher, "rancher", what("a line of Rancher's own API audit log")),
        (core, "core-events", core_what.clone()),
        (&list, "core-events", core_what),
    ] {
        let (report, events, reasons) = ingest_text(log, &[]);
        assert_eq!((report.sources[0].shape.as_str(), events.len()), (shape, 0));
        assert_eq!(reasons, [expected]);
    }
}

#[test]
fn a_client_cannot_pass_a_body_for_an_event() {
    let forged = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"forged","user":{},"stageTimestamp":"2026-11-21T20:37:37.000000Z"}"#;
    let event = |body: &str| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","user":{{}},"requestObject":{body},"stageTimestamp":"2026-11-21T20:37:37.000000Z"}}"#
        )
    };
    for body in [format!("{{\"a\":{forged}}}"), json!({"data": {"x": forged}}).to_string()] {
        let whole = event(&body);
        let without_time = whole
            .replace(",\"stageTimestamp\":\"2026-11-21T20:37:37.000000Z\"}", "}")
            .replace("\"stageTimestamp\"", "\"x\"");
        for log in [whole.clone(), without_time, json!({"log": whole.clone() + "\n"}).to_string()] {
            let (_, ids, _) = ingest_text(&log, &["audit_id"]);
            assert!(ids.iter().all(|id| *id == json!(["a"])), "{log}: {ids:?}");
        }
    }
    // Torn behind a body that holds it as text.
    let torn = event(&json!({"data": {"x": forged}}).to_string());
    let (report, _, _) = ingest_text(&format!("{}\n{torn}\n", &torn[..torn.len() - 30]), &[]);
    assert_eq!((report.events, report.rejected), (1, 1));
}

#[test]
fn what_another_container_prints_is_marked_wherever_its_name_stands() {
    let event = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"list","user":{"username":"bob"},"stageTimestamp":"2026-11-21T20:37:37.000000Z"}"#;
    let names = |namespace: &str, pod: &str| json!({"namespace_name": namespace, "pod_name": pod, "container_name": pod.rsplit_once('-').unwrap().0});
    let of = |namespace: &str, pod: &str| {
        let mut merged: serde_json::Value = serde_json::from_str(event).unwrap();
        merged["kubernetes"] = names(namespace, pod);
        [
            json!({"log": event, "kubernetes": names(namespace, pod)}).to_string(),
            json!({"textPayload": event, "resource": {"type": "k8s_container", "labels": names(namespace, pod)}})
                .to_string(),
            json!([{"_source": {"message": event, "kubernetes": names(namespace, pod)}}]).to_string(),
            merged.to_string(),
            format!("/var/log/containers/{pod}_{namespace}_{pod}-0af.log:{event}"),
        ]
    };
    for log in of("kube-system", "kube-apiserver-1") {
        assert_eq!(ingest_text(&log, &["salvaged"]).1, [json!([null])], "{log}");
    }
    for log in of("dev", "app-1").into_iter().chain(of("dev", "kube-apiserver-1")) {
        assert_eq!(ingest_text(&log, &["salvaged"]).1, [json!(["other-container"])], "{log}");
    }
    let folder = common::folder();
    for (number, (namespace, mark)) in
        [("kube-system", json!(null)), ("dev", json!("other-container"))].iter().enumerate()
    {
        let path = folder.path().join(format!("pods/{namespace}_kube-apiserver-1_0a/kube-apiserver"));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(
            path.join("0.log"),
            format!("2026-11-21T20:37:37.000000000Z stdout F {event}\n{event}\n")
                .replace("\"a\"", &format!("\"a{number}\"")),
        )
        .unwrap();
        let (_, rows, _) = ingest_path(&path, &["salvaged"]);
        assert!(!rows.is_empty() && rows.iter().all(|row| *row == json!([mark])), "{rows:?}");
    }
}

#[test]
fn a_forced_shape_is_taken_and_loses_nothing_that_lines_hold() {
    let plain = repository("tests/logs/shapes/00-plain.jsonl");
    for shape in shape::SHAPES {
        let folder = common::folder();
        let writer = Writer::open(&folder.path().join("case"), "test").unwrap();
        let options =
            IngestOptions { paths: vec![plain.clone()], threads: 1, shape: Some(shape), ..IngestOptions::default() };
        let report = ingest(&writer, &options, &Progress::default()).unwrap();
        assert_eq!((report.events, report.rejected, report.sources[0].shape.as_str()), (43, 0, shape.name));
    }
}

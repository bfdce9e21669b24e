//! Exports that people have give the events of the plain log: member by member, as far as an export holds the members.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kforensic_event::shape::Position;
use kforensic_event::{Cell, Decoded, Event, Origin, Reading, Row, RowBuilder, columns};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/logs/exports")
}

/// Text as it is, UTF-16 as UTF-8: the lake reads it so.
fn content(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    match bytes.strip_prefix(b"\xff\xfe") {
        Some(units) => {
            let units: Vec<u16> = units.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).unwrap().into_bytes()
        }
        None => bytes,
    }
}

/// Columns that analysts ask for.
const ASKED: [&str; 21] = [
    "audit_id",
    "stage",
    "level",
    "verb",
    "request_uri",
    "user_name",
    "user_groups",
    "source_ips",
    "user_agent",
    "resource",
    "subresource",
    "namespace",
    "name",
    "api_group",
    "status_code",
    "decision",
    "decision_reason",
    "request_object",
    "response_object",
    "event_time",
    "stage_time",
];

/// An event as the columns that analysts ask for; absent ones are left out.
fn members(event: &Event<'_>) -> Members {
    let origin = Origin::default();
    let (reject, note) = (None, None);
    let row =
        Row { event: Some(event), reject, redacted: 0, note, origin: &origin, position: Position::START, length: 0 };
    let mut builder = RowBuilder::new(columns::schema());
    builder.push(&row);
    let batch = builder.finish().unwrap();
    let value = |name: &str| {
        let (at, column) = columns::find(name).unwrap();
        Some(match Cell::read(batch.column(at), column.kind, 0) {
            Cell::Text(text) if name.ends_with("_object") => {
                let mut body: Value = serde_json::from_str(text).unwrap();
                // GKE adds it.
                body.as_object_mut().map(|body| body.remove("@type"));
                body
            }
            Cell::Text(text) => text.into(),
            Cell::Texts(texts) => texts.iter().map(|text| Value::from(text.as_ref())).collect::<Vec<_>>().into(),
            Cell::Int(number) => number.into(),
            _ => return None,
        })
    };
    ASKED.into_iter().filter_map(|name| Some((name, value(name)?))).collect()
}

type Members = BTreeMap<&'static str, Value>;

/// The events of a source, and the reasons of its rejects.
fn read(bytes: &[u8], borders: &[usize]) -> (Vec<Members>, Vec<String>) {
    let reading = Reading::of(bytes);
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    let (mut start, mut done) = (Position::START, 0);
    for end in borders.iter().copied().chain([bytes.len()]) {
        let piece = &bytes[done..end];
        reading.decode(piece, start, end == bytes.len(), &mut |record| {
            let at = usize::try_from(record.position.offset).unwrap();
            assert_eq!(&bytes[at..at + record.bytes.len()], record.bytes, "a record stands where it says");
            match record.decoded {
                Decoded::Event(event) => {
                    assert!(event.salvaged.is_none(), "{:?} of {reading:?} is {:?}", event.audit_id, event.salvaged);
                    events.push(members(&event));
                }
                Decoded::Reject(reason) => rejects.push(reason.to_string()),
            }
        });
        start = start.after(piece);
        done = end;
    }
    (events, rejects)
}

fn plain() -> Vec<Members> {
    read(&content(&folder().join("00-plain.log")), &[]).0
}

/// What an export says of the events of the plain log, in the order of the plain log. `wanting` are the members that its kind cannot
/// hold, or tells otherwise.
fn says_the_same(file: &str, bytes: &[u8], borders: &[usize], wanting: &[&str]) {
    let (events, rejects) = read(bytes, borders);
    assert_eq!(rejects, Vec::<String>::new(), "{file}");
    let plain = plain();
    // Google's entries have no stages: each tells the answer to a request.
    let has_stages = events.iter().any(|event| event.contains_key("stage"));
    let told: Vec<&Members> = plain.iter().filter(|event| has_stages || event["stage"] != "RequestReceived").collect();
    assert_eq!(events.len(), told.len(), "{file}");
    for expected in told {
        let same: Vec<&Members> = events
            .iter()
            .filter(|event| {
                event["audit_id"] == expected["audit_id"]
                    && (!has_stages || event.get("stage") == expected.get("stage"))
            })
            .collect();
        assert!(!same.is_empty(), "{file}: {} is missing", expected["audit_id"]);
        for (name, value) in expected.iter().filter(|(name, _)| !wanting.contains(name)) {
            let told = same[0].get(name);
            // Google tells codes of gRPC: what succeeded, an exec among it, is OK.
            let is_ok = |code: Option<&Value>| code.and_then(Value::as_i64).is_some_and(|code| code < 300);
            if !has_stages && *name == "status_code" && is_ok(Some(value)) && is_ok(told) {
                continue;
            }
            assert_eq!(told, Some(value), "{file}: `{name}` of {}", expected["audit_id"]);
        }
    }
}

fn check(file: &str, wanting: &[&str]) {
    let bytes = content(&folder().join(file));
    says_the_same(file, &bytes, &[], wanting);
    // Wherever a piece ends.
    let reading = Reading::of(&bytes);
    for number in 1..20 {
        let cut = reading.cut(&bytes[..bytes.len() * number / 20]);
        if cut > 0 {
            says_the_same(file, &bytes, &[cut], wanting);
        }
    }
}

#[test]
fn cloudwatch_logs_insights() {
    check("05-insights/logs-insights-results.csv", &[]);
    check("05-insights/get-query-results.json", &[]);
    // The fields that were discovered hold no bodies, and no empty texts.
    check("05-insights/fields-flat.json", &["request_object", "response_object", "decision_reason"]);
}

#[test]
fn log_analytics() {
    check("06-azurediagnostics/query_data.csv", &[]);
    check("07-aksaudit/az-cli-AKSAudit.json", &[]);
    check("07-aksaudit/query_data-AKSAudit.csv", &[]);
    check("34-only-unread/export-rule-PT05M.json", &[]);
}

/// What Google's entries do not hold: stages, groups, the path of a request for a resource.
const NOT_GOOGLES: [&str; 5] = ["stage", "level", "user_groups", "request_uri", "stage_time"];

#[test]
fn google_s_cloud_audit_logs() {
    check("09-gke/gcloud.yaml", &NOT_GOOGLES);
    check("10-bigquery/results.json", &NOT_GOOGLES);
    check("11-pubsub/pull.json", &NOT_GOOGLES);
}

#[test]
fn events_in_a_cell() {
    check("12-splunk/export.csv", &[]);
    check("15-grafana/Explore-logs.csv", &[]);
    check("15-grafana/Explore-logs.txt", &[]);
    check("16-datadog/extract.csv", &[]);
    check("28-odd/csv-pretty-cell.csv", &[]);
    check("28-odd/excel-utf16.txt", &[]);
    check("28-odd/raw.tsv", &[]);
}

#[test]
fn members_as_columns_or_fields() {
    let kibana = [
        "user_groups",
        "user_agent",
        "subresource",
        "api_group",
        "decision",
        "decision_reason",
        "request_object",
        "response_object",
        "event_time",
        "stage_time",
    ];
    check("13-elastic/discover.csv", &kibana);
    check("18-otel/body-kvlist.json", &[]);
    check("19-saas/sls-download.json", &[]);
}

//! Findings as OCSF Detection Findings (class 2004, schema 1.5.0), for what collects findings of many tools.

use serde_json::{Value, json};

use super::finding::Finding;
use super::{Incident, techniques};
use crate::document::Level;

/// Version of the schema that the findings follow.
const VERSION: &str = "1.5.0";

/// Names that a finding lists.
const NAMED_MAX: usize = 20;

/// One object per finding, the worst first. `version` is the program's.
#[must_use]
pub fn ocsf(incident: &Incident, version: &str) -> Vec<Value> {
    incident.found().map(|finding| one(incident, finding, version)).collect()
}

fn one(incident: &Incident, finding: &Finding, version: &str) -> Value {
    let question = &finding.question;
    let (first, last) = finding.times.map_or((None, None), |(first, last)| (Some(first / 1_000), Some(last / 1_000)));
    let attacks = question.attack.iter().map(|id| {
        let (name, tactic) = techniques::known(id);
        json!({"version": "18", "tactics": [{"name": tactic}], "technique": {"uid": id, "name": name}})
    });
    let actors = finding.users.iter().take(NAMED_MAX).map(|(name, _)| json!({"actor": {"user": {"name": name}}}));
    let addresses =
        finding.source_ips.iter().take(NAMED_MAX).map(|(address, _)| json!({"src_endpoint": {"ip": address}}));
    json!({
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200_401,
        "severity_id": severity(question.level),
        "severity": severity_name(question.level),
        "status_id": 1,
        "time": last.unwrap_or(incident.now / 1_000),
        "message": question.title,
        "count": finding.total_rows,
        "is_alert": question.level >= Level::High,
        "metadata": {
            "version": VERSION,
            "product": {"name": "kforensic", "vendor_name": "kforensic", "version": version},
            "log_name": "Kubernetes audit",
            "profiles": [],
        },
        "finding_info": {
            "uid": format!("{}:{}", incident.evidence.fingerprint, question.name),
            "title": question.title,
            "desc": question.question,
            "types": [question.name],
            "first_seen_time": first,
            "last_seen_time": last,
            "attacks": attacks.collect::<Vec<_>>(),
        },
        "evidences": actors.chain(addresses).collect::<Vec<_>>(),
        "unmapped": {
            "command": question.command,
            "verdict": question.verdict.state,
            "record_integrity": {
                "case_fingerprint": incident.evidence.fingerprint,
                "algorithm": "SHA-256",
                "row_keys": finding.row_keys,
            },
        },
    })
}

const fn severity(level: Level) -> u64 {
    match level {
        Level::Info => 1,
        Level::Low => 2,
        Level::Medium => 3,
        Level::High => 4,
        Level::Critical => 5,
    }
}

const fn severity_name(level: Level) -> &'static str {
    match level {
        Level::Info => "Informational",
        Level::Low => "Low",
        Level::Medium => "Medium",
        Level::High => "High",
        Level::Critical => "Critical",
    }
}

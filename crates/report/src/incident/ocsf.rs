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
        let mut attack = json!({"version": "18", "tactic": {"name": tactic}});
        match id.split_once('.') {
            Some((technique, _)) => {
                attack["technique"] = json!({"uid": technique});
                attack["sub_technique"] = json!({"uid": id, "name": name});
            }
            None => attack["technique"] = json!({"uid": id, "name": name}),
        }
        attack
    });
    let named = |names: &[(String, u64)]| {
        names.iter().map(|(name, _)| name.clone()).filter(|name| !name.is_empty()).take(NAMED_MAX).collect::<Vec<_>>()
    };
    let actors = named(&finding.users).into_iter().map(|name| json!({"actor": {"user": {"name": name}}}));
    // What stands in the log in place of an address need not be one.
    let addresses = named(&finding.source_ips).into_iter().map(|address| match address.parse::<std::net::IpAddr>() {
        Ok(_) => json!({"src_endpoint": {"ip": address}}),
        Err(_) => json!({"src_endpoint": {"name": address}}),
    });
    without_nulls(json!({
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200_401,
        "type_name": "Detection Finding: Create",
        "severity_id": severity(question.level),
        "severity": severity_name(question.level),
        "status_id": 1,
        "status": "New",
        "time": last.unwrap_or(incident.now / 1_000),
        "message": question.title,
        "count": finding.total_rows,
        "is_alert": question.level >= Level::High,
        "metadata": {
            "version": VERSION,
            "product": {"name": "kforensic", "vendor_name": "kforensic", "version": version},
            "log_name": "Kubernetes audit",
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
    }))
}

/// OCSF leaves out what has no value.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let there = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(there.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        value => value,
    }
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

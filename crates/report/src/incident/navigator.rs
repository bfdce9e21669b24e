//! The findings as a layer for MITRE's ATT&CK Navigator.

use serde_json::{Value, json};

use super::Incident;
use super::techniques::{TACTICS, tactics};
use crate::document::Level;

/// A layer: each technique that findings show, the worse the higher its score.
#[must_use]
pub fn navigator(incident: &Incident, name: &str) -> Value {
    let shown = tactics(incident);
    let techniques = shown.0.iter().flat_map(|tactic| {
        let short = TACTICS.iter().find(|(name, _)| *name == tactic.name).map_or("", |(_, short)| short);
        tactic.techniques.iter().map(move |technique| {
            json!({
                "techniqueID": technique.id,
                "tactic": short,
                "score": score(technique.level),
                "comment": format!("{}: {}", technique.level, technique.queries.join(", ")),
                "enabled": true,
                "showSubtechniques": technique.id.contains('.'),
            })
        })
    });
    json!({
        "name": name,
        "versions": {"attack": "18", "navigator": "5.1.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": "what the audit log shows, as detections of kforensic grade it",
        "filters": {"platforms": ["Containers"]},
        "techniques": techniques.collect::<Vec<_>>(),
        "gradient": {"colors": ["#ffffff", "#ffd27f", "#a40e26"], "minValue": 0, "maxValue": 100},
    })
}

const fn score(level: Level) -> u64 {
    match level {
        Level::Critical => 100,
        Level::High => 75,
        Level::Medium => 50,
        Level::Low => 25,
        Level::Info => 5,
    }
}

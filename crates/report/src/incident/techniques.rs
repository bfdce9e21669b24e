//! The techniques of MITRE ATT&CK for containers that queries name, with their tactics in the order of the matrix.
//!
//! Version 18 of the matrix; its later split of Defense Evasion into two has other names for the same ids.

use std::collections::BTreeMap;

use super::Incident;
use crate::document::Level;
use crate::document::figure::{Tactic, Tactics, Technique};

/// A technique: its id, its name, and the tactic below which it is shown.
type Known = (&'static str, &'static str, &'static str);

/// The tactics, in the order of the matrix, with the short names that the Navigator uses.
pub(super) const TACTICS: [(&str, &str); 13] = [
    ("Reconnaissance", "reconnaissance"),
    ("Initial Access", "initial-access"),
    ("Execution", "execution"),
    ("Persistence", "persistence"),
    ("Privilege Escalation", "privilege-escalation"),
    ("Defense Evasion", "defense-evasion"),
    ("Credential Access", "credential-access"),
    ("Discovery", "discovery"),
    ("Lateral Movement", "lateral-movement"),
    ("Collection", "collection"),
    ("Command and Control", "command-and-control"),
    ("Exfiltration", "exfiltration"),
    ("Impact", "impact"),
];

#[rustfmt::skip]
const TECHNIQUES: [Known; 53] = [
    ("T1005", "Data from Local System", "Collection"),
    ("T1036.005", "Match Legitimate Name or Location", "Defense Evasion"),
    ("T1041", "Exfiltration Over C2 Channel", "Exfiltration"),
    ("T1046", "Network Service Discovery", "Discovery"),
    ("T1053.007", "Container Orchestration Job", "Persistence"),
    ("T1059.004", "Unix Shell", "Execution"),
    ("T1069.003", "Permission Groups Discovery: Cloud Groups", "Discovery"),
    ("T1070", "Indicator Removal", "Defense Evasion"),
    ("T1078", "Valid Accounts", "Initial Access"),
    ("T1078.001", "Default Accounts", "Initial Access"),
    ("T1078.003", "Local Accounts", "Initial Access"),
    ("T1078.004", "Cloud Accounts", "Initial Access"),
    ("T1087", "Account Discovery", "Discovery"),
    ("T1087.004", "Account Discovery: Cloud Account", "Discovery"),
    ("T1090", "Proxy", "Command and Control"),
    ("T1098", "Account Manipulation", "Persistence"),
    ("T1098.006", "Additional Container Cluster Roles", "Privilege Escalation"),
    ("T1105", "Ingress Tool Transfer", "Command and Control"),
    ("T1110", "Brute Force", "Credential Access"),
    ("T1133", "External Remote Services", "Initial Access"),
    ("T1134", "Access Token Manipulation", "Privilege Escalation"),
    ("T1136", "Create Account", "Persistence"),
    ("T1190", "Exploit Public-Facing Application", "Initial Access"),
    ("T1204.003", "Malicious Image", "Execution"),
    ("T1222", "File and Directory Permissions Modification", "Defense Evasion"),
    ("T1485", "Data Destruction", "Impact"),
    ("T1489", "Service Stop", "Impact"),
    ("T1490", "Inhibit System Recovery", "Impact"),
    ("T1496.001", "Compute Hijacking", "Impact"),
    ("T1499", "Endpoint Denial of Service", "Impact"),
    ("T1525", "Implant Internal Image", "Persistence"),
    ("T1528", "Steal Application Access Token", "Credential Access"),
    ("T1530", "Data from Cloud Storage", "Collection"),
    ("T1543", "Create or Modify System Process", "Persistence"),
    ("T1543.005", "Container Service", "Persistence"),
    ("T1546", "Event Triggered Execution", "Persistence"),
    ("T1550.001", "Application Access Token", "Lateral Movement"),
    ("T1552", "Unsecured Credentials", "Credential Access"),
    ("T1552.001", "Credentials In Files", "Credential Access"),
    ("T1552.005", "Cloud Instance Metadata API", "Credential Access"),
    ("T1552.007", "Container API", "Credential Access"),
    ("T1556", "Modify Authentication Process", "Persistence"),
    ("T1557", "Adversary-in-the-Middle", "Credential Access"),
    ("T1562", "Impair Defenses", "Defense Evasion"),
    ("T1562.001", "Disable or Modify Tools", "Defense Evasion"),
    ("T1562.007", "Disable or Modify Cloud Firewall", "Defense Evasion"),
    ("T1565.001", "Stored Data Manipulation", "Impact"),
    ("T1572", "Protocol Tunneling", "Command and Control"),
    ("T1609", "Container Administration Command", "Execution"),
    ("T1610", "Deploy Container", "Execution"),
    ("T1611", "Escape to Host", "Privilege Escalation"),
    ("T1613", "Container and Resource Discovery", "Discovery"),
    ("T1649", "Steal or Forge Authentication Certificates", "Credential Access"),
];

/// The name of a technique and its tactic. One that this version does not know has its id for a name, and stands under the
/// tactic of the technique that it is a part of, if that is known.
pub(super) fn known(id: &str) -> (&str, &'static str) {
    let find = |id: &str| TECHNIQUES.iter().find(|(known, _, _)| *known == id);
    match (find(id), id.split_once('.').and_then(|(technique, _)| find(technique))) {
        (Some((_, name, tactic)), _) | (None, Some((_, name, tactic))) => (name, tactic),
        (None, None) => (id, "Discovery"),
    }
}

/// The techniques that findings show, below their tactics.
pub(crate) fn tactics(incident: &Incident) -> Tactics {
    let mut shown: BTreeMap<&str, Technique> = BTreeMap::new();
    for finding in incident.found() {
        for id in &finding.question.attack {
            let technique = shown.entry(id).or_insert_with(|| Technique {
                id: id.clone(),
                name: known(id).0.to_owned(),
                level: Level::Info,
                queries: Vec::new(),
            });
            technique.level = technique.level.max(finding.question.level);
            technique.queries.push(finding.question.name.clone());
        }
    }
    let below = TACTICS.iter().map(|(name, _)| Tactic {
        name: (*name).to_owned(),
        techniques: shown.values().filter(|technique| known(&technique.id).1 == *name).cloned().collect(),
    });
    Tactics(below.filter(|tactic| !tactic.techniques.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_technique_stands_below_a_tactic_of_the_matrix_and_once() {
        for (id, name, tactic) in TECHNIQUES {
            assert!(TACTICS.iter().any(|(known, _)| *known == tactic), "{id} {tactic}");
            assert!(!name.is_empty());
        }
        assert!(TECHNIQUES.is_sorted_by_key(|(id, _, _)| *id));
        assert_eq!(known("T1552.099").0, "Unsecured Credentials");
        assert_eq!(known("T9999").0, "T9999");
    }
}

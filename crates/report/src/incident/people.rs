//! Who stands out: the identities that several detections tell of, the worst first, each with its story.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;

use super::Incident;
use super::deed::Deed;
use super::finding::Finding;
use super::row::{Columns, Row};
use crate::document::{Level, Value};

/// What the rows of a detection say of whoever is in them. Several kinds of deeds say more than many of one kind, so
/// each detection counts once for an identity, however many rows it has.
const fn weight(level: Level) -> u64 {
    match level {
        Level::Critical => 40,
        Level::High => 15,
        Level::Medium => 5,
        Level::Low => 1,
        Level::Info => 0,
    }
}

/// What it adds that somebody suddenly came from another address with another client: as much as a critical finding.
/// Somebody else uses that identity, or its owner has a new machine.
const MOVED_WEIGHT: u64 = 40;

/// What tells as much of setting a cluster up, or of looking after one, as of taking it over: an identity that nothing
/// else tells of, and that works from where it always did, stands behind all others, whatever its rights.
const SETTING_UP: [&str; 22] = [
    "admission-denials",
    "break-glass",
    "configmap-credentials",
    "credential-sharing",
    "credentials-in-log",
    "critical-configmaps",
    "cron-jobs",
    "gitops-drift",
    "image-changes",
    "node-joins",
    "outside-networks",
    "permission-checks",
    "pod-security-violations",
    "privileged-bindings",
    "rbac-outside-window",
    "recon",
    "sensitive-objects",
    "sensitive-roles",
    "service-exposure",
    "system-namespace-changes",
    "token-secrets-created",
    "webhook-changes",
];

/// One address and client that an identity used: a row of the query `origins`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Who; `None` for requests that failed to authenticate.
    pub who: Option<String>,
    /// From which address.
    pub source_ip: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Requests.
    pub requests: u64,
    /// Requests that were denied; `None` when the log has no answer.
    pub denied: Option<u64>,
    /// The grants by which they were allowed, such as `cluster-admin (ops-admin)`.
    pub grants: Vec<String>,
    /// First and last time, in microseconds since 1970.
    pub times: (i64, i64),
    /// Whether it is the cluster's own work, as far as its name tells.
    pub is_platform: bool,
}

/// An identity of interest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// Who; `None` for nobody who was authenticated.
    pub who: Option<String>,
    /// How much speaks against it.
    pub score: u64,
    /// Requests.
    pub requests: u64,
    /// Requests that were denied; `None` when the log has no answer.
    pub denied: Option<u64>,
    /// Addresses, the most used first.
    pub source_ips: Vec<String>,
    /// Clients, the most used first.
    pub user_agents: Vec<String>,
    /// Grants that it used.
    pub grants: Vec<String>,
    /// When it came from another address with another client for the first time: when, from where, with what.
    pub moved: Option<(i64, String, String)>,
    /// First and last time, in microseconds since 1970.
    pub times: Option<(i64, i64)>,
    /// The detections that tell of it, the worst first, with their levels.
    pub detections: Vec<(Level, String)>,
    /// Whether all that detections tell of it is what whoever sets a cluster up does, from where it always worked.
    pub is_setting_up: bool,
    /// What it did, in time.
    pub deeds: Vec<Deed>,
}

/// Reads rows of `origins`.
#[must_use]
pub fn origins(batch: &RecordBatch) -> Vec<Origin> {
    let columns = Columns::of(batch.schema_ref());
    let rows = (0..batch.num_rows()).map(|row| {
        let values: Vec<Value> = (0..batch.num_columns()).map(|column| Value::of(batch, column, row)).collect();
        let row = Row { columns: &columns, values: &values, about: None };
        let number = |name: &str| row.number(name).and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
        Origin {
            who: row.text("user_name").map(str::to_owned),
            source_ip: row.text("source_ip").map(str::to_owned),
            user_agent: row.text("user_agent").map(str::to_owned),
            requests: number("requests"),
            denied: row.number("denied").and_then(|number| u64::try_from(number).ok()),
            grants: row.texts("grants").into_iter().map(str::to_owned).collect(),
            times: row.times().unwrap_or_default(),
            is_platform: row.is_true("platform"),
        }
    });
    rows.collect()
}

/// The identities that detections tell of, those first against which the most speaks.
#[must_use]
pub fn stand_out(incident: &Incident) -> Vec<Person> {
    let mut people: BTreeMap<Option<String>, Person> = BTreeMap::new();
    for finding in incident.found() {
        let question = &finding.question;
        for who in who_of(finding) {
            let person = people.entry(who.clone()).or_default();
            person.who = who;
            person.score += weight(question.level);
            person.detections.push((question.level, question.name.clone()));
        }
    }
    for deed in merged(incident) {
        if let Some(person) = people.get_mut(&deed.who) {
            person.deeds.push(deed);
        }
    }
    let mut used: BTreeMap<&Option<String>, Vec<&Origin>> = BTreeMap::new();
    for origin in &incident.origins {
        used.entry(&origin.who).or_default().push(origin);
    }
    let mut history: BTreeMap<&Option<String>, Vec<&Origin>> = BTreeMap::new();
    for origin in &incident.history {
        history.entry(&origin.who).or_default().push(origin);
    }
    let mut people: Vec<Person> = people.into_values().filter(|person| person.score > 0).collect();
    for person in &mut people {
        if let Some(origins) = used.get(&person.who) {
            equip(person, origins);
            person.moved = history.get(&person.who).and_then(|history| moved(origins, history));
            person.score += if person.moved.is_some() { MOVED_WEIGHT } else { 0 };
        }
        person.is_setting_up = person.who.is_some()
            && person.moved.is_none()
            && person.detections.iter().all(|(_, name)| SETTING_UP.contains(&name.as_str()));
        person.detections.sort_by(|one, other| (other.0, &one.1).cmp(&(one.0, &other.1)));
    }
    // What the cluster does by itself is told in the findings. A stolen identity of its own shows by graver deeds.
    let is_own_work = |person: &Person| {
        let origins = used.get(&person.who);
        origins.is_some_and(|origins| origins.iter().all(|origin| origin.is_platform))
            && person.detections.iter().all(|(level, _)| *level < Level::High)
    };
    people.retain(|person| !is_own_work(person));
    people.sort_by(|one, other| {
        (one.is_setting_up, other.score, &one.who).cmp(&(other.is_setting_up, one.score, &other.who))
    });
    people
}

/// Who is in the rows of a finding. Rows that name nobody are about somebody without a credential.
fn who_of(finding: &Finding) -> BTreeSet<Option<String>> {
    let named = finding.users.iter().map(|(name, _)| Some(name.clone()));
    let nobody = finding.deeds.iter().any(|deed| deed.who.is_none() && !deed.from.is_empty());
    named.chain(nobody.then_some(None)).collect()
}

fn equip(person: &mut Person, origins: &[&Origin]) {
    person.requests = origins.iter().map(|origin| origin.requests).sum();
    person.denied = origins.iter().filter_map(|origin| origin.denied).reduce(|sum, denied| sum + denied);
    person.source_ips = most_used(origins, |origin| origin.source_ip.as_deref());
    person.user_agents = most_used(origins, |origin| origin.user_agent.as_deref());
    let grants: BTreeSet<&String> = origins.iter().flat_map(|origin| &origin.grants).collect();
    person.grants = grants.into_iter().cloned().collect();
    let first = origins.iter().map(|origin| origin.times.0).min();
    let last = origins.iter().map(|origin| origin.times.1).max();
    person.times = first.zip(last);
}

fn most_used(origins: &[&Origin], what: impl for<'a> Fn(&'a Origin) -> Option<&'a str>) -> Vec<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for origin in origins {
        if let Some(name) = what(origin) {
            *counts.entry(name).or_default() += origin.requests;
        }
    }
    let mut names: Vec<(&str, u64)> = counts.into_iter().collect();
    names.sort_by(|one, other| (other.1, one.0).cmp(&(one.1, other.0)));
    names.into_iter().map(|(name, _)| name.to_owned()).collect()
}

/// The first time that both the address and the client were new, while the identity was known from elsewhere by all its `history`.
/// One of them alone changes with every upgrade and every lease of an address. Told is what is among the `origins` of the window.
fn moved(origins: &[&Origin], history: &[&Origin]) -> Option<(i64, String, String)> {
    let is_told = |known: &Origin| {
        let what = |origin: &Origin| (origin.times.0, origin.source_ip.clone(), origin.user_agent.clone());
        origins.iter().any(|origin| what(origin) == what(known))
    };
    let mut by_time = history.to_vec();
    by_time.sort_by(|one, other| {
        (one.times, &one.source_ip, &one.user_agent).cmp(&(other.times, &other.source_ip, &other.user_agent))
    });
    let (mut addresses, mut clients) = (BTreeSet::new(), BTreeSet::new());
    for origin in by_time {
        let address = origin.source_ip.as_deref()?;
        let client = client(origin.user_agent.as_deref().unwrap_or_default());
        let is_new = addresses.insert(address) & clients.insert(client);
        if is_new && addresses.len() > 1 && is_told(origin) {
            return Some((origin.times.0, address.to_owned(), client.to_owned()));
        }
    }
    None
}

/// What a client is, without its version.
fn client(user_agent: &str) -> &str {
    user_agent.split(['/', ' ']).next().unwrap_or(user_agent)
}

/// The deeds of all findings in time, each request once: with the sentence that tells the most, and all detections
/// that tell of it.
#[must_use]
pub fn merged(incident: &Incident) -> Vec<Deed> {
    let mut by_request: BTreeMap<(&str, i64), Deed> = BTreeMap::new();
    let mut merged = Vec::new();
    for deed in incident.found().flat_map(|finding| &finding.deeds) {
        let Some(audit_id) = &deed.audit_id else {
            merged.push(deed.clone());
            continue;
        };
        match by_request.get_mut(&(audit_id.as_str(), deed.at)) {
            Some(known) => join(known, deed),
            None => drop(by_request.insert((audit_id, deed.at), deed.clone())),
        }
    }
    merged.extend(by_request.into_values());
    merged.sort_by(|one, other| {
        (one.at, &one.who, &one.audit_id, &one.queries).cmp(&(other.at, &other.who, &other.audit_id, &other.queries))
    });
    repeated(merged)
}

/// Findings come worst first, so that what is known is at least as bad.
fn join(known: &mut Deed, other: &Deed) {
    if other.telling > known.telling {
        known.words = other.words.clone();
        known.telling = other.telling;
    }
    known.level = known.level.max(other.level);
    known.queries.extend(other.queries.iter().cloned());
    known.who = known.who.take().or_else(|| other.who.clone());
    known.made = known.made.take().or_else(|| other.made.clone());
    known.as_whom = known.as_whom.take().or_else(|| other.as_whom.clone());
    known.is_dry |= other.is_dry;
    known.settle();
}

/// What is done again at once is one deed: kubectl asks twice when the first protocol is refused.
fn repeated(deeds: Vec<Deed>) -> Vec<Deed> {
    const AT_ONCE: i64 = 1_000_000;
    let mut told: Vec<Deed> = Vec::with_capacity(deeds.len());
    for deed in deeds {
        let same = told.iter_mut().rev().take(4).find(|known| {
            (&known.who, &known.words, &known.from, &known.outcome)
                == (&deed.who, &deed.words, &deed.from, &deed.outcome)
                && known.audit_id.is_some()
                && deed.at - known.until <= AT_ONCE
        });
        match same {
            Some(known) => {
                known.times += deed.times;
                known.until = known.until.max(deed.until);
            }
            None => told.push(deed),
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str, agent: &str, first: i64) -> Origin {
        Origin {
            who: Some("bob".to_owned()),
            source_ip: Some(address.to_owned()),
            user_agent: Some(agent.to_owned()),
            requests: 1,
            times: (first, first),
            ..Origin::default()
        }
    }

    #[test]
    fn one_moves_when_address_and_client_are_new_at_once() {
        let home = origin("10.0.0.1", "kubectl/v1.30", 1);
        let upgrade = origin("10.0.0.1", "kubectl/v1.31", 2);
        let lease = origin("10.0.0.2", "kubectl/v1.31", 3);
        let thief = origin("203.0.113.9", "curl/8", 4);
        let of_all = |all: &[&Origin]| moved(all, all);
        assert_eq!(of_all(&[&home, &upgrade, &lease]), None);
        let expected = Some((4, "203.0.113.9".to_owned(), "curl".to_owned()));
        let all = [&thief, &lease, &home, &upgrade];
        assert_eq!(of_all(&all), expected);
        assert_eq!(of_all(&[&thief]), None);
        // Whoever goes on from home in the window does not come from elsewhere, nor does who came from there before it.
        let later = |address: &str, agent: &str| origin(address, agent, 9);
        assert_eq!(moved(&[&thief, &later("10.0.0.1", "kubectl/v1.30")], &all), expected);
        assert_eq!(moved(&[&later("10.0.0.1", "kubectl/v1.30"), &later("203.0.113.9", "curl/8")], &all), None);
    }
}

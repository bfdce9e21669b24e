//! Who stands out: the identities that several detections tell of, the worst first, each with its story.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;

use super::Incident;
use super::deed::Deed;
use super::remains::Deletion;
use super::row::{Columns, Row};
use super::sender::{ANONYMOUS, Sender};
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
    /// Who; nobody for requests that failed to authenticate.
    pub who: Sender,
    /// In which cluster; whoever has this name in another may be somebody else.
    pub cluster: Option<String>,
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
    /// Who.
    pub who: Sender,
    /// Where the logs come from several clusters: in which it sent how many requests, the most first.
    pub clusters: Vec<(String, u64)>,
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
            who: Sender::of(row),
            cluster: row.text("cluster").map(str::to_owned),
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
    let mut people: BTreeMap<Sender, Person> = BTreeMap::new();
    for finding in incident.found() {
        let question = &finding.question;
        for who in &finding.senders {
            let person = people.entry(who.clone()).or_default();
            person.who.clone_from(who);
            person.score += weight(question.level);
            person.detections.push((question.level, question.name.clone()));
        }
    }
    for deed in merged(incident) {
        if let Some(person) = people.get_mut(&deed.who) {
            person.deeds.push(deed);
        }
    }
    let mut used: BTreeMap<&Sender, Vec<&Origin>> = BTreeMap::new();
    for origin in &incident.origins {
        used.entry(&origin.who).or_default().push(origin);
    }
    let mut history: BTreeMap<&Sender, Vec<&Origin>> = BTreeMap::new();
    for origin in &incident.history {
        history.entry(&origin.who).or_default().push(origin);
    }
    let mut people: Vec<Person> = people.into_values().filter(|person| person.score > 0).collect();
    for person in &mut people {
        if let Some(origins) = used.get(&person.who) {
            equip(person, origins);
            if incident.evidence.of_several_clusters {
                person.clusters =
                    counted(origins, |origin| Some(origin.cluster.as_deref().unwrap_or("without a name")));
            }
            // Who has no credential is everywhere.
            let is_one = person.who.name().is_some_and(|name| name != ANONYMOUS);
            let history = history.get(&person.who).filter(|_| is_one);
            person.moved = history.and_then(|history| moved_in_a_cluster(origins, history));
            person.score += if person.moved.is_some() { MOVED_WEIGHT } else { 0 };
        }
        person.is_setting_up = person.who.name().is_some()
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
    counted(origins, what).into_iter().map(|(name, _)| name).collect()
}

/// What the origins have, with the requests of each, the most first.
fn counted(origins: &[&Origin], what: impl for<'a> Fn(&'a Origin) -> Option<&'a str>) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for origin in origins {
        if let Some(name) = what(origin) {
            *counts.entry(name).or_default() += origin.requests;
        }
    }
    let mut names: Vec<(&str, u64)> = counts.into_iter().collect();
    names.sort_by(|one, other| (other.1, one.0).cmp(&(one.1, other.0)));
    names.into_iter().map(|(name, requests)| (name.to_owned(), requests)).collect()
}

/// The first time that somebody [moved] within a cluster: who has the same name in another works from elsewhere.
fn moved_in_a_cluster(origins: &[&Origin], history: &[&Origin]) -> Option<(i64, String, String)> {
    let clusters: BTreeSet<&Option<String>> = history.iter().map(|origin| &origin.cluster).collect();
    let within = |all: &[&'_ Origin], cluster: &Option<String>| -> Vec<Origin> {
        all.iter().filter(|origin| origin.cluster == *cluster).map(|origin| (*origin).clone()).collect()
    };
    let moves = clusters.into_iter().filter_map(|cluster| {
        let (origins, history) = (within(origins, cluster), within(history, cluster));
        moved(&origins.iter().collect::<Vec<_>>(), &history.iter().collect::<Vec<_>>())
    });
    moves.min()
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
    let mut by_request: BTreeMap<(String, i64, Option<String>), Deed> = BTreeMap::new();
    let mut merged = Vec::new();
    let taken = taken(&incident.deletions);
    for deed in incident.found().flat_map(|finding| &finding.deeds) {
        // Where all logs are of one cluster, its name tells nothing.
        let cluster = deed.cluster.clone().filter(|_| incident.evidence.of_several_clusters);
        let deed = Deed { cluster, ..deed.clone() };
        let Some(audit_id) = deed.audit_id.clone() else {
            merged.push(deed);
            continue;
        };
        match by_request.entry((audit_id, deed.at, deed.cluster.clone())) {
            Entry::Occupied(mut known) => known.get_mut().join(&deed),
            Entry::Vacant(place) => drop(place.insert(deed)),
        }
    }
    merged.extend(by_request.into_values().map(|mut deed| {
        let request = deed.audit_id.as_deref().map(|audit_id| (audit_id, deed.at));
        if let (Some(told), Some(deletion)) = (&mut deed.taken, request.and_then(|request| taken.get(&request))) {
            told.selector.clone_from(&deletion.selector);
            told.deleted = deletion.deleted;
        }
        deed
    }));
    merged.sort_by(|one, other| {
        (one.at, &one.who, &one.audit_id, &one.queries).cmp(&(other.at, &other.who, &other.audit_id, &other.queries))
    });
    repeated(merged)
}

/// Deletions of many objects at once, by their request: what they took few detections tell.
fn taken(deletions: &[Deletion]) -> BTreeMap<(&str, i64), &Deletion> {
    let of_many = deletions.iter().filter(|deletion| deletion.name.is_none());
    of_many.filter_map(|deletion| Some(((deletion.audit_id.as_deref()?, deletion.at), deletion))).collect()
}

/// What is done again at once is one deed: kubectl asks twice when the first protocol is refused.
fn repeated(deeds: Vec<Deed>) -> Vec<Deed> {
    const AT_ONCE: i64 = 1_000_000;
    let mut told: Vec<Deed> = Vec::with_capacity(deeds.len());
    for deed in deeds {
        let same = told
            .iter_mut()
            .rev()
            .take(4)
            .find(|known| known.is_same(&deed) && known.audit_id.is_some() && deed.at - known.until <= AT_ONCE);
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
    use crate::incident::{Finding, Question, Taken};

    fn origin(address: &str, agent: &str, first: i64) -> Origin {
        Origin {
            who: Sender::One("bob".to_owned()),
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

    #[test]
    fn whoever_has_the_same_name_in_another_cluster_has_not_moved_there() {
        let of = |cluster: &str, address: &str, agent: &str, at: i64| Origin {
            who: Sender::One("bob".to_owned()),
            cluster: Some(cluster.to_owned()),
            source_ip: Some(address.to_owned()),
            user_agent: Some(agent.to_owned()),
            requests: 7,
            times: (at, at),
            ..Origin::default()
        };
        let question = Question { level: Level::High, ..Question::default() };
        let finding =
            Finding { question, senders: [Sender::One("bob".to_owned())].into(), total_rows: 1, ..Finding::default() };
        let person = |other: &str| {
            let all = vec![of("a", "10.0.0.1", "kubectl", 1), of(other, "203.0.113.9", "curl", 2)];
            let mut incident = Incident { findings: vec![finding.clone()], ..Incident::default() };
            incident.origins.clone_from(&all);
            incident.history = all;
            incident.evidence.of_several_clusters = true;
            stand_out(&incident).remove(0)
        };
        assert_eq!(person("b").moved, None);
        assert_eq!(person("b").clusters, [("a".to_owned(), 7), ("b".to_owned(), 7)]);
        assert!(person("a").moved.is_some());
    }

    #[test]
    fn the_same_in_two_clusters_is_two_deeds() {
        let deed = |cluster: &str| Deed {
            at: 5,
            until: 5,
            times: 1,
            cluster: Some(cluster.to_owned()),
            words: crate::document::Text::plain("created clusterrolebinding evil"),
            audit_id: Some("a".to_owned()),
            ..Deed::default()
        };
        let finding = Finding { total_rows: 2, deeds: vec![deed("a"), deed("b")], ..Finding::default() };
        let mut incident = Incident { findings: vec![finding], ..Incident::default() };
        let told = |incident: &Incident| merged(incident).iter().map(Deed::text).collect::<Vec<_>>();
        assert_eq!(told(&incident), ["created clusterrolebinding evil"]);
        incident.evidence.of_several_clusters = true;
        let of = |cluster: &str| format!("created clusterrolebinding evil, in the cluster {cluster}");
        assert_eq!(told(&incident), [of("a"), of("b")]);
    }

    #[test]
    fn what_a_deletion_of_many_took_is_told_whichever_detection_tells_of_it() {
        let taken = Taken { is_sure: true, ..Taken::default() };
        let words = crate::document::Text::plain("clusterrolebindings of the whole cluster");
        let audit_id = Some("a".to_owned());
        let deed = Deed { at: 5, times: 1, words, taken: Some(taken), audit_id: audit_id.clone(), ..Deed::default() };
        let finding = Finding { total_rows: 1, deeds: vec![deed], ..Finding::default() };
        let mut incident = Incident { findings: vec![finding], ..Incident::default() };
        let told = |incident: &Incident| merged(incident)[0].text();
        assert_eq!(told(&incident), "deleted all clusterrolebindings of the whole cluster");
        let selector = Some("x=nothing".to_owned());
        incident.deletions = vec![Deletion { at: 5, audit_id, selector, deleted: Some(0), ..Deletion::default() }];
        let expected = "deleted clusterrolebindings of the whole cluster, those that fit x=nothing, 0 of them";
        assert_eq!(told(&incident), expected);
    }
}

//! What is left behind: things that were made by what detections tell of, and that nothing in the log deletes.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;

use super::Incident;
use super::deed::Deed;
use super::object::{CERTIFICATE, Object, TOKEN, singular};
use super::people::{merged, stand_out};
use super::row::{Columns, Row};
use crate::document::{Level, Value, instant};

/// A deletion that was allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletion {
    /// When, in microseconds since 1970.
    pub at: i64,
    /// The cluster in which it was, when the row tells.
    pub cluster: Option<String>,
    /// Resource, in the plural.
    pub resource: String,
    /// Namespace; `None` for all, or for none.
    pub namespace: Option<String>,
    /// Name; `None` for all.
    pub name: Option<String>,
    /// Of many, those that it was for: labels and fields; `None` is all of them.
    pub selector: Option<String>,
    /// How many it took; `None` when the log does not tell.
    pub deleted: Option<i64>,
    /// The request.
    pub audit_id: Option<String>,
}

/// Reads rows of the query `deletions`.
#[must_use]
pub fn deletions(batch: &RecordBatch) -> Vec<Deletion> {
    let columns = Columns::of(batch.schema_ref());
    let mut found = Vec::new();
    for row in 0..batch.num_rows() {
        let values: Vec<Value> = (0..batch.num_columns()).map(|column| Value::of(batch, column, row)).collect();
        let row = Row { columns: &columns, values: &values, about: None };
        let dry = row.is_true("dry_run");
        let is_of_part = !matches!(row.text("subresource"), None | Some("eviction"));
        if row.text("outcome") != Some("allowed") || dry || is_of_part {
            continue;
        }
        // A write that took finalizers away leaves what was not marked.
        if matches!(row.text("verb"), Some("patch" | "update")) && row.number("deleted") != Some(1) {
            continue;
        }
        if let (Some(at), Some(resource)) = (row.time("event_time"), row.text("resource")) {
            let text = |name: &str| row.text(name).map(str::to_owned);
            found.push(Deletion {
                at,
                cluster: text("cluster"),
                resource: resource.to_owned(),
                namespace: text("namespace"),
                name: text("name"),
                selector: text("selector"),
                deleted: row.number("deleted"),
                audit_id: text("audit_id"),
            });
        }
    }
    found
}

/// Something that is left behind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Left {
    /// What it is.
    pub(crate) object: Object,
    /// How it came to be.
    pub(crate) deed: Deed,
    /// When something was deleted that it may have been among.
    pub(crate) doubt: Option<i64>,
}

/// What those made who stand out, by deeds that detections tell of, and nothing deleted afterwards: those first against
/// whom most speaks, then what gives everything, then in time.
pub(crate) fn left_behind(incident: &Incident) -> Vec<Left> {
    // Whoever is named: what they made is there as well when a screen has no room for them.
    let people = stand_out(incident);
    let gone = Gone::of(incident);
    // Controllers make things for others all the time: what counts is what those made who stand out.
    let rank = |deed: &Deed| people.iter().position(|person| person.who == deed.who);
    let mut made: Vec<Deed> = merged(incident);
    let is_story = people.iter().any(|person| !person.is_setting_up);
    made.retain(|deed| {
        deed.level >= Level::Medium && rank(deed).is_some_and(|rank| !is_story || !people[rank].is_setting_up)
    });
    // What somebody made before somebody else came with that identity is told last.
    let before = |deed: &Deed| {
        let moved = rank(deed).and_then(|rank| people[rank].moved.as_ref());
        moved.is_some_and(|(since, ..)| deed.at < *since)
    };
    made.sort_by_key(|deed| (before(deed), rank(deed), !deed.gives_all));
    let mut seen = BTreeSet::new();
    let left = made.into_iter().filter_map(|deed| {
        let object = deed.made.clone()?;
        let doubt = match gone.what_became(&object, deed.at) {
            Fate::Stays => None,
            Fate::MayBeGone(at) => Some(at),
            Fate::Gone => return None,
        };
        seen.insert(object.clone()).then_some(Left { object, deed, doubt })
    });
    left.collect()
}

/// What became of an object.
enum Fate {
    Stays,
    /// Something was deleted then, and what it was does not stand in the log.
    MayBeGone(i64),
    Gone,
}

/// What was deleted, by resource.
struct Gone<'a> {
    deleted: BTreeMap<&'a str, Vec<&'a Deletion>>,
    of_several_clusters: bool,
}

impl<'a> Gone<'a> {
    fn of(incident: &'a Incident) -> Self {
        let mut deleted: BTreeMap<&str, Vec<&Deletion>> = BTreeMap::new();
        for deletion in &incident.deletions {
            deleted.entry(&deletion.resource).or_default().push(deletion);
        }
        Self { deleted, of_several_clusters: incident.evidence.of_several_clusters }
    }

    /// Objects of two clusters can have the same name. Logs without a cluster's name are those of one more.
    fn is_here(&self, deletion: &Deletion, object: &Object) -> bool {
        deletion.cluster == object.cluster || !self.of_several_clusters
    }

    fn what_became(&self, object: &Object, at: i64) -> Fate {
        // A token ends with its service account.
        let kind = if object.resource == TOKEN { "serviceaccounts" } else { object.resource.as_str() };
        let of = |kind: &str| self.deleted.get(kind).into_iter().flatten().copied();
        let counts = |deletion: &&Deletion| deletion.at >= at && self.is_here(deletion, object);
        let with_namespace = |deletion: &Deletion| deletion.name == object.namespace && object.namespace.is_some();
        if of("namespaces").filter(counts).any(with_namespace) {
            return Fate::Gone;
        }
        let mut fate = Fate::Stays;
        for deletion in of(kind).filter(counts).filter(|deletion| takes(deletion, object)) {
            match (&deletion.name, &deletion.selector) {
                (None, Some(_)) if matches!(fate, Fate::Stays) => fate = Fate::MayBeGone(deletion.at),
                (None, Some(_)) => (),
                _ => return Fate::Gone,
            }
        }
        fate
    }
}

impl Left {
    /// As people say it: `pod prod/web`, `token of 10 years for kube-system/helper`; where there are several clusters, with
    /// the one that it is in.
    pub(crate) fn words(&self) -> String {
        let words = self.alone();
        match &self.deed.cluster {
            Some(cluster) => format!("{words} of {cluster}"),
            None => words,
        }
    }

    fn alone(&self) -> String {
        let (deed, object) = (&self.deed, &self.object);
        let place: Vec<&str> = object.namespace.iter().chain([&object.name]).map(String::as_str).collect();
        let place = place.join("/");
        match object.resource.as_str() {
            TOKEN => {
                let words = Deed { times: 1, outcome: None, cluster: None, ..deed.clone() }.text();
                words.strip_prefix("minted a ").map_or_else(|| format!("token for {place}"), str::to_owned)
            }
            CERTIFICATE => format!("certificate {place}"),
            kind => format!("{} {place}", singular(kind)),
        }
    }

    /// What else there is to say of it, behind its name; empty when there is nothing.
    pub(crate) fn remark(&self) -> String {
        let mut remarks = Vec::new();
        if self.deed.is_change {
            remarks.push("changed".to_owned());
        }
        if self.object.resource == CERTIFICATE {
            remarks.push("valid until it expires".to_owned());
        }
        if let Some(at) = self.doubt {
            remarks.push(format!("may be gone: deletecollection at {}", instant::seconds(at)));
        }
        if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join("; ")) }
    }
}

/// Whether a deletion may have taken an object. One of all objects of a kind need not name them: with it, nothing can
/// be said about what was there.
fn takes(deletion: &Deletion, object: &Object) -> bool {
    // One that found nothing took nothing, whatever it was for.
    if deletion.deleted == Some(0) {
        return false;
    }
    match &deletion.name {
        Some(name) => *name == object.name && deletion.namespace == object.namespace,
        None => deletion.namespace.is_none() || deletion.namespace == object.namespace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Finding, Question, Sender};

    fn incident(deletions: Vec<Deletion>) -> Incident {
        let made = Some(Object {
            resource: "pods".into(),
            namespace: Some("prod".into()),
            name: "helper".into(),
            ..Object::default()
        });
        let who = Sender::One("mia".to_owned());
        let deed = Deed {
            at: 5,
            until: 5,
            who: who.clone(),
            made,
            level: Level::High,
            audit_id: Some("a".into()),
            ..Deed::default()
        };
        let question = Question { level: Level::High, ..Question::default() };
        let senders = [who].into();
        let finding = Finding { question, total_rows: 1, senders, deeds: vec![deed], ..Finding::default() };
        Incident { findings: vec![finding], deletions, ..Incident::default() }
    }

    fn deletion(at: i64, resource: &str, namespace: Option<&str>, name: Option<&str>) -> Deletion {
        Deletion {
            at,
            cluster: None,
            resource: resource.into(),
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
            ..Deletion::default()
        }
    }

    #[test]
    fn what_nothing_deletes_afterwards_is_left_behind() {
        let stays = [
            vec![],
            vec![deletion(4, "pods", Some("prod"), Some("helper"))],
            vec![deletion(6, "pods", Some("dev"), Some("helper"))],
            vec![deletion(6, "pods", Some("prod"), Some("other"))],
            vec![deletion(6, "secrets", Some("prod"), None)],
        ];
        for deletions in stays {
            assert_eq!(left_behind(&incident(deletions.clone())).len(), 1, "{deletions:?}");
        }
        let gone = [
            deletion(6, "pods", Some("prod"), Some("helper")),
            deletion(6, "pods", Some("prod"), None),
            deletion(6, "pods", None, None),
            deletion(6, "namespaces", Some("prod"), Some("prod")),
        ];
        for deletion in gone {
            assert!(left_behind(&incident(vec![deletion.clone()])).is_empty(), "{deletion:?}");
        }
    }

    #[test]
    fn a_deletion_by_a_selector_takes_what_it_found_and_no_more() {
        let doubts = |selector: Option<&str>, deleted: Option<i64>| {
            let selector = selector.map(str::to_owned);
            let deletion = Deletion { selector, deleted, ..deletion(6, "pods", Some("prod"), None) };
            let left = left_behind(&incident(vec![deletion]));
            left.first().map(|left| (left.doubt, left.words() + &left.remark()))
        };
        let stays = Some((None, "pod prod/helper".to_owned()));
        let may_be_gone = "pod prod/helper (may be gone: deletecollection at 1970-01-01 00:00:00)".to_owned();
        let may_be_gone = Some((Some(6), may_be_gone));
        assert_eq!(doubts(Some("x=nothing"), Some(0)), stays);
        assert_eq!(doubts(None, Some(0)), stays);
        assert_eq!(doubts(Some("x=nothing"), None), may_be_gone);
        assert_eq!(doubts(Some("x=nothing"), Some(3)), may_be_gone);
        assert_eq!((doubts(None, None), doubts(None, Some(3))), (None, None));
    }

    #[test]
    fn what_was_let_through_or_changed_stays_as_well() {
        let mut incident = incident(vec![deletion(6, "certificatesigningrequests", None, Some("helper"))]);
        let deed = &mut incident.findings[0].deeds[0];
        deed.made = Some(Object { resource: CERTIFICATE.to_owned(), name: "helper".to_owned(), ..Object::default() });
        let words = |incident: &Incident| {
            left_behind(incident).iter().map(|left| left.words() + &left.remark()).collect::<Vec<_>>()
        };
        assert_eq!(words(&incident), ["certificate helper (valid until it expires)"]);
        let deed = &mut incident.findings[0].deeds[0];
        deed.made = Some(Object { resource: "clusterroles".to_owned(), name: "view".to_owned(), ..Object::default() });
        deed.is_change = true;
        assert_eq!(words(&incident), ["clusterrole view (changed)"]);
    }

    #[test]
    fn a_deletion_in_another_cluster_takes_nothing_here() {
        let left = |of_several_clusters: bool, deletion: &Deletion, cluster: Option<&str>| {
            let mut incident = incident(vec![deletion.clone()]);
            incident.evidence.of_several_clusters = of_several_clusters;
            for deed in &mut incident.findings[0].deeds {
                deed.made.as_mut().unwrap().cluster = cluster.map(str::to_owned);
            }
            left_behind(&incident).len()
        };
        let deletion = deletion(6, "pods", Some("prod"), Some("helper"));
        let in_a = Deletion { cluster: Some("a".into()), ..deletion.clone() };
        assert_eq!((left(true, &in_a, Some("a")), left(true, &in_a, Some("b"))), (0, 1));
        assert_eq!((left(true, &deletion, None), left(true, &in_a, None), left(true, &deletion, Some("a"))), (0, 1, 1));
        assert_eq!((left(false, &deletion, None), left(false, &in_a, None)), (0, 0));
    }
}

//! What is left behind: things that were made by what detections tell of, and that nothing in the log deletes.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;

use super::Incident;
use super::deed::{Deed, Object, TOKEN, singular};
use super::people::{Person, merged};
use super::row::{Columns, Row};
use crate::document::{Level, Value};

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
        if row.text("outcome") != Some("allowed") || dry || row.text("subresource").is_some() {
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
            });
        }
    }
    found
}

/// What the people made by deeds that detections tell of, and nothing deleted afterwards: those first against whom most
/// speaks, then in time.
pub(crate) fn left_behind(incident: &Incident, people: &[Person]) -> Vec<Deed> {
    let mut deleted: BTreeMap<&str, Vec<&Deletion>> = BTreeMap::new();
    for deletion in &incident.deletions {
        deleted.entry(&deletion.resource).or_default().push(deletion);
    }
    // Objects of two clusters can have the same name. Logs without a cluster's name are those of one more.
    let is_here = |deletion: &Deletion, object: &Object| {
        deletion.cluster == object.cluster || !incident.evidence.of_several_clusters
    };
    let is_gone = |object: &Object, at: i64| {
        // A token ends with its service account.
        let kind = if object.resource == TOKEN { "serviceaccounts" } else { object.resource.as_str() };
        let deletions = deleted.get(kind).into_iter().flatten();
        let with_namespace = deleted.get("namespaces").into_iter().flatten();
        let counts = |deletion: &&&Deletion| deletion.at >= at && is_here(deletion, object);
        deletions.filter(counts).any(|deletion| takes(deletion, object))
            || with_namespace
                .filter(counts)
                .any(|deletion| deletion.name == object.namespace && object.namespace.is_some())
    };
    let mut seen = BTreeSet::new();
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
    made.sort_by_key(|deed| (before(deed), rank(deed)));
    made.into_iter()
        .filter(|deed| {
            deed.made.as_ref().is_some_and(|object| !is_gone(object, deed.at) && seen.insert(object.clone()))
        })
        .collect()
}

/// What is left behind, as people say it: `pod prod/web`, `token of 10 years for kube-system/helper`; where there are several
/// clusters, with the one that it is in.
pub(crate) fn words_of(incident: &Incident, deed: &Deed, object: &Object) -> String {
    let words = words(deed, object);
    match object.cluster.as_ref().filter(|_| incident.evidence.of_several_clusters) {
        Some(cluster) => format!("{words} of {cluster}"),
        None => words,
    }
}

fn words(deed: &Deed, object: &Object) -> String {
    let place: Vec<&str> = object.namespace.iter().chain([&object.name]).map(String::as_str).collect();
    if object.resource == TOKEN {
        let words = Deed { times: 1, outcome: None, ..deed.clone() }.text();
        return words.strip_prefix("minted a ").map_or_else(|| format!("token for {}", place.join("/")), str::to_owned);
    }
    format!("{} {}", singular(&object.resource), place.join("/"))
}

/// Whether a deletion may have taken an object. One of all objects of a kind need not name them: with it, nothing can
/// be said about what was there.
fn takes(deletion: &Deletion, object: &Object) -> bool {
    match &deletion.name {
        Some(name) => *name == object.name && deletion.namespace == object.namespace,
        None => deletion.namespace.is_none() || deletion.namespace == object.namespace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Finding, Question};

    fn incident(deletions: Vec<Deletion>) -> Incident {
        let made = Some(Object {
            resource: "pods".into(),
            namespace: Some("prod".into()),
            name: "helper".into(),
            ..Object::default()
        });
        let deed = Deed { at: 5, until: 5, made, level: Level::High, audit_id: Some("a".into()), ..Deed::default() };
        let question = Question { level: Level::High, ..Question::default() };
        let finding = Finding { question, total_rows: 1, deeds: vec![deed], ..Finding::default() };
        Incident { findings: vec![finding], deletions, ..Incident::default() }
    }

    fn deletion(at: i64, resource: &str, namespace: Option<&str>, name: Option<&str>) -> Deletion {
        Deletion {
            at,
            cluster: None,
            resource: resource.into(),
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
        }
    }

    #[test]
    fn what_nothing_deletes_afterwards_is_left_behind() {
        let left_behind = |incident: &Incident| left_behind(incident, &[Person::default()]);
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
    fn a_deletion_in_another_cluster_takes_nothing_here() {
        let left = |of_several_clusters: bool, deletion: &Deletion, cluster: Option<&str>| {
            let mut incident = incident(vec![deletion.clone()]);
            incident.evidence.of_several_clusters = of_several_clusters;
            for deed in &mut incident.findings[0].deeds {
                deed.made.as_mut().unwrap().cluster = cluster.map(str::to_owned);
            }
            left_behind(&incident, &[Person::default()]).len()
        };
        let deletion = deletion(6, "pods", Some("prod"), Some("helper"));
        let in_a = Deletion { cluster: Some("a".into()), ..deletion.clone() };
        assert_eq!((left(true, &in_a, Some("a")), left(true, &in_a, Some("b"))), (0, 1));
        assert_eq!((left(true, &deletion, None), left(true, &in_a, None), left(true, &deletion, Some("a"))), (0, 1, 1));
        assert_eq!((left(false, &deletion, None), left(false, &in_a, None)), (0, 0));
    }
}

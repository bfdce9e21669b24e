//! What is to be revoked, removed and replaced after a breach: a checklist with evidence, a command for each entry, and
//! whether the log shows that it was done.

use std::collections::BTreeMap;

use crate::evidence::{Outcome, Request};
use crate::manifest;
use crate::rbac::{Object, ObjectKey, ObjectKind, Replay, applied, deletion};
use crate::spread::{Edge, Kind, Node, Spread, Strength};
use crate::yaml;

/// What an entry of the checklist is about, in the order in which it should be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// A binding or role: it lets them in again.
    Rbac,
    /// A certificate.
    Certificate,
    /// A token.
    Token,
    /// A service account.
    Account,
    /// A user.
    User,
    /// A workload or pod.
    Workload,
    /// Anything else that was left behind or changed.
    Object,
    /// A secret that was handed out.
    Secret,
    /// An image, to be kept for analysis.
    Image,
}

impl Task {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rbac => "rbac",
            Self::Certificate => "certificate",
            Self::Token => "token",
            Self::Account => "service account",
            Self::User => "user",
            Self::Workload => "workload",
            Self::Object => "object",
            Self::Secret => "secret",
            Self::Image => "image",
        }
    }
}

/// An entry of the checklist.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it is about.
    pub task: Task,
    /// Name of the thing.
    pub what: String,
    /// What happened to it.
    pub why: String,
    /// How sure it is that it is the intruder's doing.
    pub strength: Strength,
    /// When first, in microseconds since 1970.
    pub since: Option<i64>,
    /// How it is revoked.
    pub how: String,
    /// A command that does it.
    pub command: Option<String>,
    /// The object as it was before, as YAML that can be applied.
    pub before: Option<String>,
    /// The request that shows that it was done already: time, who, and audit id.
    pub done: Option<(i64, String, String)>,
    /// Requests that tell it.
    pub audit_ids: Vec<String>,
}

/// The checklist for what a spread found. `writes` are later writes to the things in it, by time; `replay` tells what
/// bindings and roles were.
pub fn checklist(found: &Spread, writes: &[Request], replay: &Replay) -> Vec<Entry> {
    let mut entries: BTreeMap<(Task, String), Entry> = BTreeMap::new();
    for edge in &found.edges {
        let strength = edge.strength.min(found.strength_of(&edge.from));
        for mut entry in of_edge(edge, strength, found, replay) {
            let key = (entry.task, entry.what.clone());
            entry.done = done(&entry, edge, writes);
            match entries.get_mut(&key) {
                Some(known) => {
                    if !known.why.split("; ").any(|why| why == entry.why) {
                        known.why = format!("{}; {}", known.why, entry.why);
                    }
                    known.strength = known.strength.max(entry.strength);
                    known.since = known.since.into_iter().chain(entry.since).min();
                    known.done = known.done.clone().max(entry.done);
                    known.command = known.command.take().or(entry.command);
                    known.before = known.before.take().or(entry.before);
                    known.audit_ids.extend(
                        entry.audit_ids.into_iter().filter(|id| !known.audit_ids.contains(id)).collect::<Vec<_>>(),
                    );
                }
                None => {
                    entries.insert(key, entry);
                }
            }
        }
    }
    let mut all: Vec<Entry> = entries.into_values().collect();
    for touched in found.touched.iter().filter(|touched| touched.node.kind == Kind::Identity && touched.depth == 0) {
        let edge = Edge {
            from: touched.node.clone(),
            to: touched.node.clone(),
            kind: "given as the clue",
            strength: touched.strength,
            time: touched.since.unwrap_or_default(),
            audit_ids: Vec::new(),
            note: None,
        };
        if !all.iter().any(|entry| entry.what == touched.node.to_string()) {
            all.extend(identity(&edge, touched.strength).map(|entry| Entry { since: touched.since, ..entry }));
        }
    }
    all.sort_by(|left, right| {
        let key = |entry: &Entry| (entry.task, std::cmp::Reverse(entry.strength), entry.since, entry.what.clone());
        key(left).cmp(&key(right))
    });
    all
}

fn entry(task: Task, edge: &Edge, strength: Strength, how: &str) -> Entry {
    let note = edge.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    Entry {
        task,
        what: edge.to.to_string(),
        why: format!("{} {}{note}", edge.from, edge.kind),
        strength,
        since: Some(edge.time),
        how: how.to_owned(),
        command: None,
        before: None,
        done: None,
        audit_ids: edge.audit_ids.clone(),
    }
}

fn of_edge(edge: &Edge, strength: Strength, found: &Spread, replay: &Replay) -> Vec<Entry> {
    let one = |entry: Entry| vec![entry];
    match (edge.to.kind, edge.kind) {
        (Kind::Secret, _) => one(secret(edge, strength)),
        (Kind::Rbac, "created" | "changed" | "deleted") => one(rbac(edge, strength, replay)),
        (
            Kind::Workload | Kind::Pod,
            "created" | "changed" | "put a container into" | "ran a command in" | "attached to",
        ) => workload(edge, strength),
        (Kind::Object, "created" | "changed" | "deleted") => one(object(edge, strength)),
        (Kind::Certificate, _) => one(certificate(edge, strength)),
        (Kind::Credential, _) if is_certificate(&edge.to) => one(entry(
            Task::Certificate,
            edge,
            strength,
            "a certificate cannot be revoked: remove the rights of its name and groups, or replace the CA",
        )),
        (Kind::Credential, "was used by" | "is" | "also used" | "used" | "was sent with") => {
            one(entry(Task::Token, edge, strength, token_way(edge, found)))
        }
        (Kind::Identity, "gives rights to" | "at the same time" | "was minted by" | "is shared with") => Vec::new(),
        (Kind::Identity, _) => identity(edge, strength).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn is_certificate(node: &Node) -> bool {
    node.name.starts_with("X509SHA256=")
}

/// What ends a token depends on what it is bound to.
fn token_way(edge: &Edge, found: &Spread) -> &'static str {
    let is_minted = found.edges.iter().any(|other| other.to == edge.to && other.kind == "is");
    match is_minted {
        true => {
            "a token of a TokenRequest ends with its service account, with the object it is bound to, or when it expires"
        }
        false => {
            "a token ends with its pod, its service account, or the secret it stands in; deleting another secret does nothing"
        }
    }
}

fn secret(edge: &Edge, strength: Strength) -> Entry {
    let (namespace, name) = edge.to.name.split_once('/').unwrap_or(("", edge.to.name.as_str()));
    let is_written = matches!(edge.kind, "created" | "changed" | "deleted");
    let how = match (name, is_written) {
        ("*", _) => "change every value in it where it is used, then here: names are not logged, so all count",
        (_, true) => "put back what it was, or remove it",
        (_, false) => "change the value where it is used, then write the new one here",
    };
    let mut entry = entry(Task::Secret, edge, strength, how);
    entry.what = match (namespace, name) {
        ("*", _) => "all secrets of the cluster".to_owned(),
        (namespace, "*") => format!("all secrets of the namespace {namespace}"),
        _ => entry.what,
    };
    entry.command = match (namespace, name) {
        ("*", _) => Some("kubectl get secrets -A".to_owned()),
        (namespace, "*") => yaml::shell_word(namespace).map(|namespace| format!("kubectl get secrets -n {namespace}")),
        (namespace, name) if edge.kind == "created" => deletion("secrets", namespace, name),
        (namespace, name) => yaml::shell_word(namespace)
            .zip(yaml::shell_word(name))
            .map(|(namespace, name)| format!("kubectl edit secret {name} -n {namespace}")),
    };
    entry
}

/// Resource, namespace and name of `resource/namespace/name`.
fn parts(label: &str) -> (&str, &str, &str) {
    let (resource, rest) = label.split_once('/').unwrap_or((label, "*"));
    let (namespace, name) = rest.split_once('/').unwrap_or(("", rest));
    (resource, namespace, name)
}

fn rbac(edge: &Edge, strength: Strength, replay: &Replay) -> Entry {
    let (resource, namespace, name) = parts(&edge.to.name);
    let mut entry = entry(Task::Rbac, edge, strength, "remove what was added, put back what was there");
    let kind = ObjectKind::ALL.into_iter().find(|kind| kind.resource() == resource);
    let key = kind.map(|kind| ObjectKey { kind, namespace: namespace.to_owned(), name: name.to_owned() });
    let before = key.as_ref().map(|key| replay.at(key, edge.time.saturating_sub(1)).0);
    match (edge.kind, before, key) {
        ("created", ..) => entry.command = deletion(resource, namespace, name),
        (_, Some(Object::Is(before)), Some(key)) => {
            entry.before = Some(applied(&key, &before));
            entry.command = Some("kubectl apply -f -".to_owned());
        }
        _ => "what it was before is not known: compare it with a backup".clone_into(&mut entry.how),
    }
    entry
}

fn workload(edge: &Edge, strength: Strength) -> Vec<Entry> {
    let (resource, namespace, name) = match edge.to.kind {
        Kind::Pod => {
            let (namespace, name) = edge.to.name.split_once('/').unwrap_or(("", edge.to.name.as_str()));
            ("pods", namespace, name)
        }
        _ => parts(&edge.to.name),
    };
    let how = match edge.kind {
        "created" => "keep its image and its logs, then remove it",
        "changed" => "compare it with what was deployed, and put that back",
        _ => "keep its disk and its logs, then replace the pod: what runs in it is not what was deployed",
    };
    let mut first = entry(Task::Workload, edge, strength, how);
    first.command = match edge.kind {
        "changed" => yaml::shell_word(namespace)
            .zip(yaml::shell_word(name))
            .zip(yaml::shell_word(resource))
            .map(|((namespace, name), resource)| format!("kubectl rollout undo {resource} {name} -n {namespace}")),
        _ => deletion(resource, namespace, name),
    };
    let mut entries = vec![first];
    let images = edge.note.as_deref().filter(|_| matches!(edge.kind, "created" | "changed")).unwrap_or_default();
    for image in images.split(", ").filter(|image| !image.is_empty()) {
        let mut kept = entry(Task::Image, edge, strength, "keep it for analysis before it is gone from the registry");
        kept.what = image.to_owned();
        kept.why = format!("{} runs it", edge.to);
        kept.command = yaml::shell_word(image).map(|image| format!("skopeo copy docker://{image} dir:kept"));
        entries.push(kept);
    }
    entries
}

fn object(edge: &Edge, strength: Strength) -> Entry {
    let (resource, namespace, name) = parts(&edge.to.name);
    let how = match (edge.kind, resource) {
        ("deleted", "events") => "what was deleted is gone: the audit log is what is left",
        ("deleted", _) => "put it back from a backup or from its source",
        ("created", _) => "find out what it is for, then remove it",
        _ => "compare it with a backup or its source, and put that back",
    };
    let mut entry = entry(Task::Object, edge, strength, how);
    if edge.kind == "created" && name != "*" {
        entry.command = deletion(resource, namespace, name);
    }
    entry
}

fn certificate(edge: &Edge, strength: Strength) -> Entry {
    let how = "deleting the request revokes nothing: remove the rights of the name and groups in it, or replace the CA";
    let mut entry = entry(Task::Certificate, edge, strength, how);
    entry.command = deletion("certificatesigningrequests", "", &edge.to.name);
    entry
}

fn identity(edge: &Edge, strength: Strength) -> Option<Entry> {
    if let Some((namespace, name)) = edge.to.as_service_account() {
        let how = match edge.kind {
            "created the account" => "remove it: it was made in the breach",
            _ => "recreate it: that ends all its tokens, and the pods that use it must be restarted",
        };
        let mut entry = entry(Task::Account, edge, strength, how);
        entry.command = deletion("serviceaccounts", namespace, name);
        return Some(entry);
    }
    if edge.to.is_anonymous() {
        return None;
    }
    let how = "disable the user where it is kept; a client certificate is valid until it expires, whatever is disabled";
    Some(entry(Task::User, edge, strength, how))
}

/// A later write that shows that an entry was done.
fn done(entry: &Entry, edge: &Edge, writes: &[Request]) -> Option<(i64, String, String)> {
    let (resource, namespace, name) = match edge.to.kind {
        Kind::Secret | Kind::Pod => {
            let (namespace, name) = edge.to.name.split_once('/')?;
            (if edge.to.kind == Kind::Pod { "pods" } else { "secrets" }, namespace, name)
        }
        Kind::Identity => {
            let (namespace, name) = edge.to.as_service_account()?;
            ("serviceaccounts", namespace, name)
        }
        Kind::Rbac | Kind::Workload | Kind::Object => parts(&edge.to.name),
        Kind::Certificate => ("certificatesigningrequests", "", edge.to.name.as_str()),
        _ => return None,
    };
    let is_done = |write: &&Request| {
        let is_it = write.act.resource.as_deref() == Some(resource)
            && write.act.namespace.as_deref().unwrap_or_default() == namespace
            && write.name.as_deref() == Some(name);
        let changes = matches!(write.act.verb.as_str(), "delete" | "update" | "patch");
        // A secret is as good as new once it was written; what was made is only gone when it is deleted.
        let is_enough =
            write.act.verb == "delete" || !(edge.kind.starts_with("created") || entry.task == Task::Account);
        is_it
            && changes
            && is_enough
            && write.act.subresource.is_none()
            && write.outcome == Outcome::Allowed
            && write.time > edge.time
            && !manifest::is_dry_run(write)
    };
    let last = writes.iter().filter(is_done).max_by_key(|write| (write.time, &write.audit_id))?;
    Some((last.time, last.user.clone().unwrap_or_default(), last.audit_id.clone()))
}

/// Names of the things in a spread whose later writes matter, by resource.
pub fn names(found: &Spread) -> Vec<String> {
    let mut names: Vec<String> = found
        .touched
        .iter()
        .filter_map(|touched| match touched.node.kind {
            Kind::Secret | Kind::Pod => touched.node.name.split_once('/').map(|(_, name)| name.to_owned()),
            Kind::Identity => touched.node.as_service_account().map(|(_, name)| name.to_owned()),
            Kind::Rbac | Kind::Workload | Kind::Object => Some(parts(&touched.node.name).2.to_owned()),
            Kind::Certificate => Some(touched.node.name.clone()),
            _ => None,
        })
        .filter(|name| name != "*")
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Act;
    use crate::spread::Touched;

    fn found(edges: &[(Kind, &str, &'static str)]) -> Spread {
        let seed = Node::new(Kind::Identity, "bob");
        let touched = |node: &Node, depth| Touched {
            node: node.clone(),
            strength: Strength::Proved,
            since: Some(5),
            depth,
            cut: None,
        };
        let mut found = Spread { touched: vec![touched(&seed, 0)], ..Spread::default() };
        for (kind, name, how) in edges {
            let to = Node::new(*kind, *name);
            found.touched.push(touched(&to, 1));
            found.edges.push(Edge {
                from: seed.clone(),
                to,
                kind: how,
                strength: Strength::Proved,
                time: 10,
                audit_ids: vec!["a".into()],
                note: None,
            });
        }
        found
    }

    fn write(time: i64, verb: &str, resource: &str, namespace: &str, name: &str) -> Request {
        Request {
            time,
            audit_id: format!("w{time}"),
            user: Some("root".into()),
            address: None,
            agent: None,
            credential: None,
            act: Act {
                verb: verb.into(),
                resource: Some(resource.into()),
                namespace: (!namespace.is_empty()).then(|| namespace.into()),
                ..Act::default()
            },
            name: Some(name.into()),
            outcome: Outcome::Allowed,
            uri: String::new(),
            issued_credential: None,
            sent: None,
            answered: None,
        }
    }

    #[test]
    fn everything_has_its_way_and_a_command_that_is_one() {
        let found = found(&[
            (Kind::Secret, "prod/db", "read"),
            (Kind::Secret, "*/*", "read"),
            (Kind::Rbac, "clusterrolebindings/evil", "created"),
            (Kind::Workload, "daemonsets/kube-system/x", "created"),
            (Kind::Identity, "system:serviceaccount:kube-system:helper", "minted a token of"),
            (Kind::Certificate, "backdoor", "approved"),
            (Kind::Object, "configmaps/kube-system/$(reboot)\n", "created"),
        ]);
        let writes = [
            write(9, "update", "secrets", "prod", "db"),
            write(20, "patch", "secrets", "prod", "db"),
            write(21, "patch", "clusterrolebindings", "", "evil"),
            write(22, "delete", "daemonsets", "kube-system", "x"),
        ];
        let list = checklist(&found, &writes, &Replay::default());
        let told: Vec<String> = list
            .iter()
            .map(|entry| {
                format!(
                    "{} | {} | {} | {}",
                    entry.task.name(),
                    entry.what,
                    entry.command.as_deref().unwrap_or("-"),
                    entry.done.as_ref().map_or("-", |done| &done.2)
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "rbac | clusterrolebindings/evil | kubectl delete clusterrolebindings evil | -",
                "certificate | certificate:backdoor | kubectl delete certificatesigningrequests backdoor | -",
                "service account | sa:kube-system/helper | kubectl delete serviceaccounts helper -n kube-system | -",
                "user | user:bob | - | -",
                "workload | daemonsets/kube-system/x | kubectl delete daemonsets x -n kube-system | w22",
                "object | configmaps/kube-system/$(reboot)\n | - | -",
                "secret | all secrets of the cluster | kubectl get secrets -A | -",
                "secret | secret:prod/db | kubectl edit secret db -n prod | w20",
            ]
        );
    }
}

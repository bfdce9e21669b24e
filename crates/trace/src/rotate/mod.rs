//! What is to be revoked, removed and replaced after a breach: a checklist with evidence, a command for each entry, and
//! whether the log shows that it was done.

mod done;
mod draft;

use std::collections::BTreeMap;

use crate::evidence::Request;
use crate::rbac::{Object, ObjectKey, ObjectKind, Replay, applied, deletion};
use crate::spread::{Edge, HOST_KEYS, Kind, Node, Spread, Strength};
use crate::yaml;
pub use done::Done;
use done::Later;
use draft::{Draft, Target};

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
    /// A later request that shows that it was done already, or may show it.
    pub done: Option<Done>,
    /// Requests that tell it.
    pub audit_ids: Vec<String>,
}

/// The checklist for what a spread found. `writes` are later writes to the things in it, by time; `replay` tells what
/// bindings and roles were.
pub fn checklist(found: &Spread, writes: &[Request], replay: &Replay) -> Vec<Entry> {
    let mut drafts: BTreeMap<(Task, String), Draft> = BTreeMap::new();
    for edge in &found.edges {
        let is_clue = found.touched.iter().any(|touched| touched.node == edge.to && touched.depth == 0);
        // A clue is what it is, whatever else leads to it.
        let strength = match is_clue {
            true => found.strength_of(&edge.to),
            false => edge.strength.min(found.strength_of(&edge.from)),
        };
        let target = Target::of(edge, found);
        for entry in of_edge(edge, strength, found, replay) {
            let key = (entry.task, entry.what.clone());
            let target = target.clone().filter(|_| entry.task != Task::Image);
            let draft = Draft { entry, target, last: edge.last };
            match drafts.get_mut(&key) {
                Some(known) => known.add(draft),
                None => {
                    drafts.insert(key, draft);
                }
            }
        }
    }
    let later = Later { found, writes, replay };
    let mut all: Vec<Entry> = drafts.into_values().map(|draft| draft.finish(&later)).collect();
    for touched in found.touched.iter().filter(|touched| touched.node.kind == Kind::Identity && touched.depth == 0) {
        let edge = Edge {
            from: touched.node.clone(),
            to: touched.node.clone(),
            kind: "given as the clue",
            strength: touched.strength,
            time: touched.since.unwrap_or_default(),
            last: touched.since.unwrap_or_default(),
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

/// Whether a secret holds the key of a CA, by its name or the keys that a note tells.
fn may_hold_ca(name: &str, note: Option<&str>) -> bool {
    let keys = note.and_then(|note| note.strip_prefix("keys: ")).unwrap_or_default();
    name == "kubeadm-certs" || keys.split(", ").any(|key| matches!(key, "ca.key" | "ca-key.pem" | "ca.pem.key"))
}

fn secret(edge: &Edge, strength: Strength) -> Entry {
    let (namespace, name) = edge.to.name.split_once('/').unwrap_or(("", edge.to.name.as_str()));
    let is_written = matches!(edge.kind, "created" | "changed" | "deleted");
    let how = match (name, is_written) {
        ("*", _) => "change every value in it where it is used, then here: names are not logged, so all count",
        (_, true) => "put back what it was, or remove it",
        (name, _) if may_hold_ca(name, edge.note.as_deref()) => {
            "it holds the key of a CA: replace the CA and all certificates that it has signed"
        }
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
        let folder: String =
            image.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
        kept.command = yaml::shell_word(image).map(|image| format!("skopeo copy docker://{image} dir:kept-{folder}"));
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
    if edge.kind == HOST_KEYS {
        let how = "whoever held the pod could read all files of its node: replace the kubelet's certificate and the tokens \
                   there; on a node of the control plane that is the CA's key, and the CA must be replaced";
        let mut entry = entry(Task::Certificate, edge, strength, how);
        entry.what.clone_from(&edge.to.name);
        return entry;
    }
    let how = "deleting the request revokes nothing: remove the rights of the name and groups in it, or replace the CA";
    let mut entry = entry(Task::Certificate, edge, strength, how);
    entry.command = deletion("certificatesigningrequests", "", &edge.to.name);
    entry
}

fn identity(edge: &Edge, strength: Strength) -> Option<Entry> {
    if let Some((namespace, name)) = edge.to.as_service_account() {
        let (how, command) = match edge.kind {
            "created the account" => {
                ("remove it: it was made in the breach", deletion("serviceaccounts", namespace, name))
            }
            _ => (
                "recreate it: that ends all its tokens, and the pods that use it must be restarted",
                yaml::shell_word(namespace).zip(yaml::shell_word(name)).map(|(namespace, name)| {
                    format!("kubectl get serviceaccounts {name} -n {namespace} -o yaml | kubectl replace --force -f -")
                }),
            ),
        };
        let mut entry = entry(Task::Account, edge, strength, how);
        entry.command = command;
        return Some(entry);
    }
    if edge.to.is_anonymous() {
        return None;
    }
    let how = "disable the user where it is kept; a client certificate is valid until it expires, whatever is disabled";
    Some(entry(Task::User, edge, strength, how))
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
mod tests;

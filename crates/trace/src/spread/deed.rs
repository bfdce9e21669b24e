//! What a request of the intruder leads to.

use serde_json::Value;

use super::node::{Kind, Node, Strength};
use crate::certificate;
use crate::evidence::{Outcome, Request};
use crate::kinds::is_rbac;
use crate::manifest::{self, items, text};

/// A thing that a request reached, and what this in turn brings within reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Consequence {
    pub(super) to: Node,
    pub(super) kind: &'static str,
    pub(super) strength: Strength,
    pub(super) note: Option<String>,
    /// What is within reach behind it: node, how it is joined, how sure.
    pub(super) behind: Vec<(Node, &'static str, Strength)>,
}

impl Consequence {
    fn new(to: Node, kind: &'static str) -> Self {
        Self { to, kind, strength: Strength::Proved, note: None, behind: Vec::new() }
    }

    fn with_note(mut self, note: impl Into<String>) -> Self {
        let note: String = note.into();
        self.note = Some(note).filter(|note| !note.is_empty());
        self
    }

    fn with(mut self, node: Node, kind: &'static str, strength: Strength) -> Self {
        self.behind.push((node, kind, strength));
        self
    }
}

/// How a token or certificate of an identity comes within reach: with such an edge, what it does out of its place
/// afterwards is likely the intruder's.
pub(super) const REACHES: [&str; 7] = [
    "runs as",
    "holds a token of",
    "gives rights to",
    "runs on",
    "is a certificate of",
    "mounts",
    "created the account",
];

/// How the keys that lie on a node come within reach of a pod that may read its files.
pub(crate) const HOST_KEYS: &str = "can read";

/// Whether a request that was allowed gave rights, credentials or a place to run in. To do so often does not make it
/// harmless.
pub(super) fn is_grave(request: &Request) -> bool {
    let resource = request.act.resource.as_deref().unwrap_or_default();
    let gives = matches!(resource, "secrets" | "serviceaccounts" | "certificatesigningrequests")
        || is_rbac(request.act.api_group.as_deref().unwrap_or_default(), resource)
        || manifest::is_workload(resource);
    request.outcome == Outcome::Allowed && (gives || request.act.impersonated.is_some())
}

/// What a request that was allowed leads to.
pub(super) fn consequences(request: &Request) -> Vec<Consequence> {
    if request.outcome != Outcome::Allowed || manifest::is_dry_run(request) {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let Some(user) = &request.act.impersonated {
        found.push(Consequence::new(Node::new(Kind::Rights, user), "impersonated"));
    }
    let Some(resource) = request.act.resource.as_deref() else { return found };
    let (verb, subresource) = (request.act.verb.as_str(), request.act.subresource.as_deref());
    let group = request.act.api_group.as_deref();
    let is_write = matches!(verb, "create" | "update" | "patch" | "delete" | "deletecollection");
    match (resource, subresource) {
        ("secrets", None) if matches!(verb, "get" | "list" | "watch") => found.extend(secrets_read(request)),
        ("secrets", None) if is_write => found.push(secret_written(request)),
        ("serviceaccounts", Some("token")) if verb == "create" => found.extend(token(request)),
        ("serviceaccounts", None) if request.is_creation() => found.extend(account(request)),
        ("pods", Some("exec" | "attach" | "portforward" | "ephemeralcontainers")) => found.extend(entered(request)),
        ("certificatesigningrequests", _) if is_write => found.extend(certificate(request)),
        _ if is_rbac(group.unwrap_or_default(), resource) && is_write => found.extend(rbac(request)),
        (_, None) if manifest::is_workload(resource) && is_write => found.extend(workload(request)),
        (_, Some("proxy")) => found.push(object(request, "reached through the proxy of")),
        (_, None | Some("scale" | "approval" | "finalize" | "binding")) if is_write => {
            found.push(object(request, written_verb(request)));
        }
        _ => (),
    }
    if verb == "deletecollection" {
        taken(request, &mut found);
    }
    found
}

/// What was deleted of many objects at once: nothing, when the answer says so.
fn taken(request: &Request, found: &mut Vec<Consequence>) {
    let number = manifest::deleted(request).map(|items| items.len());
    if number == Some(0) {
        found.retain(|one| one.kind != "deleted");
    }
    let selector = manifest::selector(request);
    for one in found.iter_mut().filter(|one| one.kind == "deleted") {
        let those = selector.as_ref().map(|selector| format!("those that fit {selector}"));
        let number_of = number.map(|number| format!("{number} of them"));
        let parts: Vec<String> = those.into_iter().chain(number_of).collect();
        one.note = one.note.take().or_else(|| (!parts.is_empty()).then(|| parts.join(", ")));
        // There may have been none.
        if selector.is_some() && number.is_none() {
            one.strength = Strength::Likely;
        }
    }
}

fn written_verb(request: &Request) -> &'static str {
    match request.act.verb.as_str() {
        _ if request.is_creation() => "created",
        "delete" | "deletecollection" => "deleted",
        _ => "changed",
    }
}

fn object(request: &Request, kind: &'static str) -> Consequence {
    let body = manifest::written(request).filter(|_| request.name.is_none());
    let name = manifest::name_of(request, body.as_ref());
    let resource = request.act.resource.as_deref().unwrap_or_default();
    let label = manifest::label(resource, request.act.namespace.as_deref(), name.as_deref());
    Consequence::new(Node::new(Kind::Object, label), kind)
}

fn secrets_read(request: &Request) -> Vec<Consequence> {
    let answer = manifest::object(request.answered.as_deref());
    let kind = answer.as_ref().and_then(|answer| text(answer, "/kind")).unwrap_or_default().to_owned();
    // A table and metadata hold no values.
    if kind.starts_with("PartialObjectMetadata")
        || (kind == "Table" && manifest::uri_values(&request.uri, "includeObject") != ["Object"])
    {
        return Vec::new();
    }
    let namespace = request.act.namespace.as_deref();
    let mut secrets: Vec<Consequence> = Vec::new();
    if let Some(answer) = &answer {
        let rows = items(answer, "/rows").filter_map(|row| row.get("object"));
        let listed = items(answer, "/items").chain(rows);
        let alone = (kind == "Secret").then_some(answer).into_iter();
        secrets.extend(listed.chain(alone).filter_map(|secret| secret_read(secret, namespace)));
    }
    if secrets.is_empty() {
        let scope = match (&request.name, namespace) {
            (Some(name), Some(namespace)) => format!("{namespace}/{name}"),
            (None, Some(namespace)) => format!("{namespace}/*"),
            _ => "*/*".to_owned(),
        };
        let note = if request.name.is_none() { "names are not logged" } else { "" };
        secrets.push(Consequence::new(Node::new(Kind::Secret, scope), "read").with_note(note));
    }
    secrets
}

fn secret_read(secret: &Value, namespace: Option<&str>) -> Option<Consequence> {
    let namespace = text(secret, "/metadata/namespace").or(namespace)?;
    let name = format!("{namespace}/{}", text(secret, "/metadata/name")?);
    let keys = secret.get("data").and_then(Value::as_object).map(|data| data.keys().cloned().collect::<Vec<_>>());
    let keys = keys.filter(|keys| !keys.is_empty()).map(|keys| format!("keys: {}", keys.join(", ")));
    let read = Consequence::new(Node::new(Kind::Secret, name), "read").with_note(keys.unwrap_or_default());
    Some(match account_of_token(secret) {
        Some(account) => read.with(Node::service_account(namespace, account), "holds a token of", Strength::Possible),
        None => read,
    })
}

/// The service account whose token a secret holds.
pub(crate) fn account_of_token(secret: &Value) -> Option<&str> {
    let annotations = secret.pointer("/metadata/annotations")?;
    let is_token = text(secret, "/type").is_none_or(|kind| kind == "kubernetes.io/service-account-token");
    annotations.get("kubernetes.io/service-account.name")?.as_str().filter(|name| is_token && !name.is_empty())
}

fn secret_written(request: &Request) -> Consequence {
    let body = manifest::written(request);
    let namespace = request.act.namespace.clone().unwrap_or_default();
    let name = manifest::name_of(request, body.as_ref()).unwrap_or_else(|| "*".to_owned());
    let written = Consequence::new(Node::new(Kind::Secret, format!("{namespace}/{name}")), written_verb(request));
    match body.as_ref().and_then(account_of_token) {
        Some(account) => written.with(Node::service_account(&namespace, account), "holds a token of", Strength::Proved),
        None => written,
    }
}

fn token(request: &Request) -> Option<Consequence> {
    let (namespace, name) = (request.act.namespace.as_deref()?, request.name.as_deref()?);
    let minted = Consequence::new(Node::service_account(namespace, name), "minted a token of");
    let answer = manifest::object(request.answered.as_deref());
    let expires = answer.as_ref().and_then(|answer| text(answer, "/status/expirationTimestamp"));
    Some(minted.with_note(expires.map(|expires| format!("expires {expires}")).unwrap_or_default()))
}

fn account(request: &Request) -> Option<Consequence> {
    let body = manifest::written(request);
    let name = manifest::name_of(request, body.as_ref())?;
    Some(Consequence::new(Node::service_account(request.act.namespace.as_deref()?, &name), "created the account"))
}

fn entered(request: &Request) -> Option<Consequence> {
    let (namespace, name) = (request.act.namespace.as_deref()?, request.name.as_deref()?);
    let kind = match request.act.subresource.as_deref() {
        Some("exec") => "ran a command in",
        Some("attach") => "attached to",
        Some("portforward") => "forwarded a port of",
        _ if matches!(request.act.verb.as_str(), "update" | "patch") => "put a container into",
        _ => return None,
    };
    let command = manifest::uri_values(&request.uri, "command").join(" ");
    let entered = Consequence::new(Node::new(Kind::Pod, format!("{namespace}/{name}")), kind).with_note(command);
    Some(match manifest::object(request.answered.as_deref()) {
        Some(pod) => with_pod(entered, namespace, pod.get("spec"), kind != "forwarded a port of"),
        None => entered,
    })
}

fn certificate(request: &Request) -> Option<Consequence> {
    let body = manifest::written(request);
    let name = manifest::name_of(request, body.as_ref())?;
    let kind = match request.act.subresource.as_deref() {
        Some("approval") => "approved",
        None if request.is_creation() => "asked for",
        _ => written_verb(request),
    };
    let mut found = Consequence::new(Node::new(Kind::Certificate, name), kind);
    let Some(body) = body else { return Some(found) };
    if let Some(subject) = text(&body, "/spec/request").and_then(certificate::subject_of_request) {
        let groups = subject.groups.join(", ");
        if let Some(user) = subject.user {
            found = found.with_note(format!("of {user}, groups: {groups}"));
            found = found.with(Node::new(Kind::Identity, user), "is a certificate of", Strength::Possible);
        }
    }
    if let Some(id) = text(&body, "/status/certificate").and_then(certificate::credential_of) {
        found = found.with(Node::new(Kind::Credential, id), "is", Strength::Proved);
    }
    Some(found)
}

fn rbac(request: &Request) -> Option<Consequence> {
    let body = manifest::written(request);
    let name = manifest::name_of(request, body.as_ref());
    let resource = request.act.resource.as_deref()?;
    let namespace = request.act.namespace.as_deref();
    let label = manifest::label(resource, namespace, name.as_deref());
    let mut found = Consequence::new(Node::new(Kind::Rbac, label), written_verb(request));
    let Some(body) = body.filter(|_| !request.act.verb.starts_with("delete")) else { return Some(found) };
    if let Some(role) = text(&body, "/roleRef/name") {
        found = found.with_note(format!("gives {}/{role}", text(&body, "/roleRef/kind").unwrap_or("role")));
    }
    for subject in items(&body, "/subjects") {
        let Some(name) = text(subject, "/name") else { continue };
        let node = match text(subject, "/kind") {
            Some("ServiceAccount") => {
                Node::service_account(text(subject, "/namespace").or(namespace).unwrap_or_default(), name)
            }
            Some("User") => Node::new(Kind::Identity, name),
            _ => continue,
        };
        found = found.with(node, "gives rights to", Strength::Possible);
    }
    Some(found)
}

fn workload(request: &Request) -> Option<Consequence> {
    let resource = request.act.resource.as_deref()?;
    let body = manifest::written(request);
    let name = manifest::name_of(request, body.as_ref());
    let namespace = request.act.namespace.as_deref().unwrap_or_default();
    let label = manifest::label(resource, Some(namespace), name.as_deref());
    let node = match (resource, &name) {
        ("pods", Some(name)) => Node::new(Kind::Pod, format!("{namespace}/{name}")),
        _ => Node::new(Kind::Workload, label),
    };
    let found = Consequence::new(node, written_verb(request));
    let is_there = !request.act.verb.starts_with("delete");
    let spec = body.as_ref().filter(|_| is_there).and_then(|body| manifest::pod_spec(resource, body));
    let images: Vec<&str> = spec.into_iter().flat_map(manifest::containers).filter_map(|c| text(c, "/image")).collect();
    Some(with_pod(found.with_note(images.join(", ")), namespace, spec, true))
}

/// What whoever controls a pod can reach: its service account, the secrets that it mounts, and its node when the pod
/// may do what it likes there.
fn with_pod(mut found: Consequence, namespace: &str, spec: Option<&Value>, is_inside: bool) -> Consequence {
    let Some(spec) = spec.filter(|_| is_inside) else { return found };
    let mounts_token = spec.get("automountServiceAccountToken").and_then(Value::as_bool).unwrap_or(true);
    if mounts_token {
        let account = text(spec, "/serviceAccountName").or(text(spec, "/serviceAccount")).unwrap_or("default");
        found = found.with(Node::service_account(namespace, account), "runs as", Strength::Possible);
    }
    let mounted = items(spec, "/volumes").filter_map(|volume| text(volume, "/secret/secretName"));
    let given = manifest::containers(spec).flat_map(|container| {
        let all = items(container, "/envFrom").filter_map(|from| text(from, "/secretRef/name"));
        let one = items(container, "/env").filter_map(|from| text(from, "/valueFrom/secretKeyRef/name"));
        all.chain(one)
    });
    let mut secrets: Vec<&str> = mounted.chain(given).collect();
    secrets.sort_unstable();
    secrets.dedup();
    for secret in secrets {
        found = found.with(Node::new(Kind::Secret, format!("{namespace}/{secret}")), "mounts", Strength::Likely);
    }
    let is_true = |object: &Value, path: &str| object.pointer(path).and_then(Value::as_bool) == Some(true);
    let breaks_out = is_true(spec, "/hostPID")
        || items(spec, "/volumes").any(|volume| volume.get("hostPath").is_some_and(Value::is_object))
        || manifest::containers(spec).any(|container| is_true(container, "/securityContext/privileged"));
    if breaks_out {
        let place = text(spec, "/nodeName")
            .map_or_else(|| format!("the node of {}", found.to), |node| format!("the node {node}"));
        let keys = Node::new(Kind::Certificate, format!("keys and tokens on {place}"));
        found = found.with(keys, HOST_KEYS, Strength::Possible);
    }
    if let Some(node) = text(spec, "/nodeName").filter(|_| breaks_out) {
        found = found.with(Node::new(Kind::Identity, format!("system:node:{node}")), "runs on", Strength::Possible);
    }
    found
}

//! The decision of the RBAC authorizer, from what is known at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::replay::{Known, Object, ObjectKey, ObjectKind, Replay};
use super::rule::{Asked, Rule};
use crate::manifest::{items, text};

/// The group that every authorizer lets through.
pub(super) const MASTERS: &str = "system:masters";

/// Whose rights count.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// Name of the user.
    pub user: String,
    /// Groups of the user.
    pub groups: Vec<String>,
}

impl Who {
    /// A service account with the groups that it always has; any other user with those that everybody has.
    pub fn named(user: &str, groups: &[String]) -> Self {
        let mut all: Vec<String> = groups.to_vec();
        if let Some((namespace, _)) = user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'))
        {
            all.extend(["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]);
        }
        all.push(if user == "system:anonymous" { "system:unauthenticated" } else { "system:authenticated" }.to_owned());
        all.sort();
        all.dedup();
        Self { user: user.to_owned(), groups: all }
    }
}

/// What the authorizer would have said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed, and by what.
    Allowed {
        /// The binding, `ClusterRoleBinding/name`.
        binding: String,
        /// The rule in a line.
        rule: String,
    },
    /// Refused: nothing that was there allows it.
    Denied,
    /// What is known does not tell.
    Unknown {
        /// What is missing.
        why: String,
    },
}

/// A role that a binding gives: its rules, as far as they are known.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) rules: Option<Arc<Vec<Rule>>>,
    pub(super) known: Known,
}

/// Somebody to whom a binding gives a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BoundSubject {
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

/// A binding with the role that it gives.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    pub(super) key: ObjectKey,
    pub(super) role: ObjectKey,
    pub(super) subjects: Vec<BoundSubject>,
    pub(super) known: Known,
    pub(super) given: Given,
}

/// What held at a time.
#[derive(Debug, Clone)]
pub struct World {
    pub(super) bindings: Vec<Binding>,
    /// Bindings that were there, or may have been, and whose content nobody recorded.
    pub(super) unknown_bindings: Vec<ObjectKey>,
    /// Objects that may be gone: many were deleted, and which ones is not logged.
    pub(super) doubted: Vec<ObjectKey>,
    /// Kinds of which not all objects are known.
    pub(super) incomplete: Vec<ObjectKind>,
}

impl World {
    /// What held at a time, in microseconds since 1970.
    pub fn at(replay: &Replay, time: i64) -> Self {
        let roles = roles_at(replay, time);
        let doubted = replay.keys().filter(|key| replay.is_doubted(key, time)).cloned().collect();
        let mut world = Self { bindings: Vec::new(), unknown_bindings: Vec::new(), doubted, incomplete: Vec::new() };
        for key in replay.keys().filter(|key| is_binding(key.kind)) {
            match replay.at(key, time) {
                (Object::Is(object), known) => {
                    world.bindings.extend(binding(key, &object, known, &roles, replay, time));
                }
                (Object::Unknown, _) => world.unknown_bindings.push(key.clone()),
                (Object::Absent, _) => (),
            }
        }
        for (_, kind, namespace) in replay.lost_before(time).filter(|(_, kind, _)| is_binding(*kind)) {
            let key = ObjectKey { kind: *kind, namespace: namespace.clone(), name: "(not logged)".to_owned() };
            world.unknown_bindings.push(key);
        }
        // Cluster-wide ones first, as the authorizer goes through them.
        world.bindings.sort_by(|left, right| left.key.cmp(&right.key));
        let needed =
            [ObjectKind::ClusterRole, ObjectKind::ClusterRoleBinding, ObjectKind::Role, ObjectKind::RoleBinding];
        world.incomplete = needed.into_iter().filter(|kind| !replay.knows_all(*kind, time)).collect();
        // A kind of which a snapshot shows none may have none: those of namespaces are then as well known as the others.
        if !world.incomplete.contains(&ObjectKind::ClusterRole)
            && !world.incomplete.contains(&ObjectKind::ClusterRoleBinding)
        {
            world.incomplete.retain(|kind| {
                replay.keys().any(|key| key.kind == *kind)
                    || !matches!(kind, ObjectKind::Role | ObjectKind::RoleBinding)
            });
        }
        world
    }

    /// What the authorizer would have said to a request.
    pub fn decide(&self, who: &Who, asked: &Asked) -> Verdict {
        if who.groups.iter().any(|group| group == MASTERS) {
            return Verdict::Allowed { binding: format!("group {MASTERS}"), rule: "* *".to_owned() };
        }
        let mut missing = None;
        for binding in self.bindings.iter().filter(|binding| binding.reaches(&asked.namespace) && binding.is_for(who)) {
            match &binding.given.rules {
                Some(rules) => {
                    if let Some(rule) = rules.iter().find(|rule| rule.allows(asked)) {
                        return Verdict::Allowed { binding: binding.text(), rule: rule.text() };
                    }
                }
                None => missing = missing.or(Some(format!("the rules of {}", label(&binding.role)))),
            }
        }
        if let Some(why) = missing {
            return Verdict::Unknown { why };
        }
        self.unknown_for(who, asked)
    }

    fn unknown_for(&self, who: &Who, asked: &Asked) -> Verdict {
        let unknown =
            self.unknown_bindings.iter().find(|key| key.namespace.is_empty() || key.namespace == asked.namespace);
        if let Some(key) = unknown {
            return Verdict::Unknown { why: format!("to whom {} gives what", label(key)) };
        }
        if !self.incomplete.is_empty() {
            let kinds: Vec<&str> = self.incomplete.iter().map(|kind| kind.resource()).collect();
            return Verdict::Unknown { why: format!("not all {} of that time are known", kinds.join(", ")) };
        }
        // Nodes are allowed by an authorizer of their own, by the pods that run on them.
        if who.groups.iter().any(|group| group == "system:nodes") {
            return Verdict::Unknown { why: "the Node authorizer decides by the pods of a node".to_owned() };
        }
        Verdict::Denied
    }

    /// What is not known, in words.
    pub fn unknown(&self) -> Vec<String> {
        let mut all: Vec<String> =
            self.unknown_bindings.iter().map(|key| format!("to whom {} gave what", label(key))).collect();
        for key in &self.doubted {
            all.push(format!("whether {} is still there: what a deletecollection with a selector took", label(key)));
        }
        for binding in self.bindings.iter().filter(|binding| binding.given.rules.is_none()) {
            all.push(format!("the rules of {}, which {} gives", label(&binding.role), binding.text()));
        }
        if !self.incomplete.is_empty() {
            let kinds: Vec<&str> = self.incomplete.iter().map(|kind| kind.resource()).collect();
            all.push(format!(
                "{} that nothing in the case shows: there is no snapshot, and the log does not begin with the cluster",
                kinds.join(", ")
            ));
        }
        all.sort();
        all.dedup();
        all
    }
}

pub(super) fn is_binding(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::ClusterRoleBinding | ObjectKind::RoleBinding)
}

/// `ClusterRole/admin`, `RoleBinding/prod/x`.
pub(super) fn label(key: &ObjectKey) -> String {
    match key.namespace.as_str() {
        "" => format!("{}/{}", key.kind.name(), key.name),
        namespace => format!("{}/{namespace}/{}", key.kind.name(), key.name),
    }
}

impl Binding {
    /// Whether it counts for requests in that namespace.
    pub(super) fn reaches(&self, namespace: &str) -> bool {
        self.key.kind == ObjectKind::ClusterRoleBinding || (!namespace.is_empty() && self.key.namespace == namespace)
    }

    pub(super) fn is_for(&self, who: &Who) -> bool {
        self.subjects.iter().any(|subject| subject.is(who))
    }

    pub(super) fn text(&self) -> String {
        label(&self.key)
    }
}

impl BoundSubject {
    fn is(&self, who: &Who) -> bool {
        match self.kind.as_str() {
            "User" => self.name == who.user,
            "Group" => who.groups.contains(&self.name),
            "ServiceAccount" => {
                let rest = who.user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
                !self.namespace.is_empty() && rest == Some((&self.namespace, &self.name))
            }
            _ => false,
        }
    }
}

fn binding(
    key: &ObjectKey,
    object: &Value,
    known: Known,
    roles: &BTreeMap<ObjectKey, Given>,
    replay: &Replay,
    time: i64,
) -> Option<Binding> {
    let kind = match text(object, "/roleRef/kind") {
        Some("Role") => ObjectKind::Role,
        _ => ObjectKind::ClusterRole,
    };
    let namespace = if kind == ObjectKind::Role { key.namespace.clone() } else { String::new() };
    let role = ObjectKey { kind, namespace, name: text(object, "/roleRef/name")?.to_owned() };
    let subjects = items(object, "/subjects").filter_map(|subject| {
        Some(BoundSubject {
            kind: text(subject, "/kind")?.to_owned(),
            namespace: text(subject, "/namespace").unwrap_or(&key.namespace).to_owned(),
            name: text(subject, "/name")?.to_owned(),
        })
    });
    let given = roles.get(&role).cloned().unwrap_or_else(|| {
        // A binding to a role that is not there gives nothing.
        let rules = (replay.at(&role, time).0 == Object::Absent).then(Arc::default);
        Given { rules, known: Known::Unknown }
    });
    Some(Binding { key: key.clone(), role, subjects: subjects.collect(), known, given })
}

/// The rules of all roles. Those of an aggregated role are what its selectors find, once this is newer than what the
/// controller wrote last.
fn roles_at(replay: &Replay, time: i64) -> BTreeMap<ObjectKey, Given> {
    let mut roles = BTreeMap::new();
    let mut objects = Vec::new();
    for key in replay.keys().filter(|key| matches!(key.kind, ObjectKind::ClusterRole | ObjectKind::Role)) {
        match replay.at(key, time) {
            (Object::Is(object), known) => {
                let rules = Some(Arc::new(Rule::all_of(&object)));
                roles.insert(key.clone(), Given { rules, known: known.clone() });
                objects.push((key, object, known));
            }
            (Object::Unknown, known) => {
                roles.insert(key.clone(), Given { rules: None, known });
            }
            (Object::Absent, _) => (),
        }
    }
    for (key, object, known) in &objects {
        if object.get("aggregationRule").is_none_or(|rule| !rule.is_object()) {
            continue;
        }
        let parts: Vec<&(&ObjectKey, Arc<Value>, Known)> = objects
            .iter()
            .filter(|(part, role, _)| {
                part != key
                    && items(object, "/aggregationRule/clusterRoleSelectors").any(|selector| selects(selector, role))
            })
            .collect();
        let newest = parts.iter().map(|(.., known)| time_of(known)).max().unwrap_or(i64::MIN);
        // While the controller has yet to write the role, it has what it had.
        if newest > time_of(known) && !replay.is_written_after(key, time) {
            let mut rules: Vec<Rule> = parts.iter().flat_map(|(_, role, _)| Rule::all_of(role)).collect();
            rules.dedup();
            roles.insert((*key).clone(), Given { rules: Some(Arc::new(rules)), known: known.clone() });
        }
    }
    roles
}

fn time_of(known: &Known) -> i64 {
    match known {
        Known::Snapshot { taken, .. } => *taken,
        Known::Write { time, .. } => *time,
        Known::Server | Known::Unknown => i64::MIN,
    }
}

/// Whether a label selector is about an object.
fn selects(selector: &Value, object: &Value) -> bool {
    let label =
        |name: &str| object.pointer("/metadata/labels").and_then(|labels| labels.get(name)).and_then(Value::as_str);
    let wanted = selector.get("matchLabels").and_then(Value::as_object);
    let by_label = wanted.into_iter().flatten().all(|(name, value)| label(name) == value.as_str());
    let by_expression = items(selector, "/matchExpressions").all(|expression| {
        let value = label(text(expression, "/key").unwrap_or_default());
        let values = crate::manifest::texts(expression, "/values");
        match text(expression, "/operator") {
            Some("In") => value.is_some_and(|value| values.iter().any(|one| one == value)),
            Some("NotIn") => value.is_none_or(|value| values.iter().all(|one| one != value)),
            Some("Exists") => value.is_some(),
            Some("DoesNotExist") => value.is_none(),
            _ => false,
        }
    });
    by_label && by_expression
}

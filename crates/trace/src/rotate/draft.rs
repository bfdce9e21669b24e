//! An entry of the checklist while more is learned about it.

use super::done::Later;
use super::{Entry, Task, parts};
use crate::evidence::{Outcome, Request};
use crate::manifest;
use crate::rbac::ObjectKind;
use crate::spread::{Edge, HOST_KEYS, Kind, Node, Spread, Strength};
use crate::yaml;

/// The object that an entry is about.
#[derive(Debug, Clone, Default)]
pub(super) struct Target {
    pub(super) resource: String,
    pub(super) namespace: String,
    pub(super) name: String,
    /// Of a role or binding.
    pub(super) kind: Option<ObjectKind>,
    /// Whether it was made in the breach.
    pub(super) is_created: bool,
    /// When it was touched first.
    pub(super) first: i64,
}

impl Target {
    pub(super) fn of(edge: &Edge, found: &Spread) -> Option<Self> {
        if edge.kind == HOST_KEYS {
            return None;
        }
        let whole = |resource: &str, name: &str| {
            let (namespace, name) = name.split_once('/').unwrap_or(("", name));
            (resource.to_owned(), namespace.to_owned(), name.to_owned())
        };
        let account = |node: &Node| {
            let (namespace, name) = node.as_service_account()?;
            Some(("serviceaccounts".to_owned(), namespace.to_owned(), name.to_owned()))
        };
        let (resource, namespace, name) = match edge.to.kind {
            Kind::Secret => whole("secrets", &edge.to.name),
            Kind::Pod => whole("pods", &edge.to.name),
            Kind::Identity => account(&edge.to)?,
            // A token ends with its account.
            Kind::Credential => found.edges.iter().find_map(|other| match other.kind {
                "is of" if other.from == edge.to => account(&other.to),
                _ if other.to == edge.to => account(&other.from),
                _ => None,
            })?,
            Kind::Rbac | Kind::Workload | Kind::Object => {
                let (resource, namespace, name) = parts(&edge.to.name);
                (resource.to_owned(), namespace.to_owned(), name.to_owned())
            }
            Kind::Certificate => ("certificatesigningrequests".to_owned(), String::new(), edge.to.name.clone()),
            _ => return None,
        };
        let kind = ObjectKind::ALL.into_iter().find(|kind| kind.resource() == resource);
        let is_created = edge.kind.starts_with("created");
        Some(Self { resource, namespace, name, kind, is_created, first: edge.time })
    }

    pub(super) fn is_of(&self, write: &Request) -> bool {
        write.act.resource.as_deref() == Some(self.resource.as_str())
            && write.act.namespace.as_deref().unwrap_or_default() == self.namespace
            && write.name.as_deref() == Some(self.name.as_str())
            && write.act.subresource.is_none()
            && write.outcome == Outcome::Allowed
            && !manifest::is_dry_run(write)
    }

    /// A command that only looks.
    fn look(&self) -> Option<String> {
        let (resource, name) = (yaml::shell_word(&self.resource)?, yaml::shell_word(&self.name)?);
        match self.namespace.as_str() {
            "" => Some(format!("kubectl get {resource} {name} -o yaml")),
            namespace => Some(format!("kubectl get {resource} {name} -n {} -o yaml", yaml::shell_word(namespace)?)),
        }
    }
}

/// An entry with what it takes to tell whether it was done.
pub(super) struct Draft {
    pub(super) entry: Entry,
    pub(super) target: Option<Target>,
    /// The last moment that is known of it.
    pub(super) last: i64,
}

impl Draft {
    pub(super) fn add(&mut self, other: Self) {
        let known = &mut self.entry;
        if !known.why.split("; ").any(|why| why == other.entry.why) {
            known.why = format!("{}; {}", known.why, other.entry.why);
        }
        // How a thing is made good follows from the worst that is known: what was made is removed.
        if other.target.as_ref().is_some_and(|target| target.is_created)
            && self.target.as_ref().is_none_or(|target| !target.is_created)
        {
            (known.how, known.command) = (other.entry.how, other.entry.command);
            self.target = other.target;
        } else {
            known.command = known.command.take().or(other.entry.command);
        }
        known.strength = known.strength.max(other.entry.strength);
        known.since = known.since.into_iter().chain(other.entry.since).min();
        known.before = known.before.take().or(other.entry.before);
        for id in other.entry.audit_ids {
            if !known.audit_ids.contains(&id) {
                known.audit_ids.push(id);
            }
        }
        self.last = self.last.max(other.last);
    }

    pub(super) fn finish(self, later: &Later<'_>) -> Entry {
        let Self { mut entry, target, last } = self;
        entry.done = target.as_ref().and_then(|target| later.done(&entry, target, last));
        // What was merely within reach may be in use by others: nothing is removed before somebody has looked.
        if entry.strength == Strength::Possible && !matches!(entry.task, Task::Secret | Task::Image | Task::User) {
            entry.how = format!("it came within reach, and no use of it is seen: look first; then {}", entry.how);
            entry.command = target.as_ref().and_then(Target::look);
        }
        entry
    }
}

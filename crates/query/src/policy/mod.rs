//! An audit policy, evaluated as the API server does: what a request would leave in the log.
//!
//! After `k8s.io/apiserver/pkg/audit/policy` (1.20 to 1.36): the first rule that matches decides; without one nothing is
//! recorded. The policy's own `omitStages` count for every rule.

mod outlook;
mod read;
mod usage;
mod within;

use std::collections::BTreeSet;

use crate::catalogue::{Level, Stage};

pub use outlook::{Blind, advice};
pub use read::PolicyError;
pub use usage::{Difference, Traffic, Usage, Volume};

/// An audit policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its rules, in their order.
    pub rules: Vec<Rule>,
    /// Stages that are not recorded for requests without a rule.
    pub omit_stages: BTreeSet<Stage>,
    /// Whether managed fields are left out of bodies, unless a rule says otherwise.
    pub omit_managed_fields: bool,
    /// Members that the server does not know, and ignores with a warning.
    pub ignored: Vec<String>,
    /// Where it stands in its file when that is something else, such as a ConfigMap: `data.policy.yaml`.
    pub found_in: Option<String>,
}

/// A rule of a policy. Empty lists match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// What is recorded.
    pub level: Level,
    /// Names of users.
    pub users: Vec<String>,
    /// Groups, one of which the user must be in.
    pub user_groups: Vec<String>,
    /// Verbs.
    pub verbs: Vec<String>,
    /// Resources. With these or namespaces, requests that are not about a resource do not match.
    pub resources: Vec<GroupResources>,
    /// Namespaces; the empty text stands for what is in none.
    pub namespaces: Vec<String>,
    /// Paths of requests that are not about a resource; one that ends in `*` is a beginning.
    pub non_resource_urls: Vec<String>,
    /// Stages that are not recorded, those of the policy included.
    pub omit_stages: BTreeSet<Stage>,
    /// Whether managed fields are left out of bodies.
    pub omit_managed_fields: bool,
}

/// Resources of an API group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupResources {
    /// The group; empty for the core group.
    pub group: String,
    /// `pods`, `pods/log`, `pods/*`, `*/scale` or `*`; empty for all of the group.
    pub resources: Vec<String>,
    /// Names of objects.
    pub resource_names: Vec<String>,
}

/// What a policy knows of a request.
#[derive(Debug, Clone, Default)]
pub struct Attributes<'a> {
    /// Who sent it; `None` when authentication failed.
    pub user: Option<&'a str>,
    /// The sender's groups.
    pub groups: Vec<&'a str>,
    /// Its verb.
    pub verb: &'a str,
    /// What it is about; `None` when it is not about a resource.
    pub resource: Option<Object<'a>>,
    /// Its path, without the query.
    pub path: &'a str,
}

/// What a request is about. Absent texts are empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Object<'a> {
    /// API group; empty for the core group.
    pub group: &'a str,
    /// Resource.
    pub resource: &'a str,
    /// Subresource.
    pub subresource: &'a str,
    /// Namespace.
    pub namespace: &'a str,
    /// Name.
    pub name: &'a str,
}

/// What a policy records of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<'a> {
    /// The rule that decides, counted from 0; `None` when none matches.
    pub rule: Option<usize>,
    /// The level.
    pub level: Level,
    /// Stages that are left out.
    pub omit_stages: &'a BTreeSet<Stage>,
    /// Whether managed fields are left out of bodies.
    pub omit_managed_fields: bool,
}

impl Policy {
    /// What it records of a request.
    pub fn evaluate(&self, request: &Attributes<'_>) -> Recorded<'_> {
        match self.rules.iter().position(|rule| rule.matches(request)) {
            Some(at) => {
                let rule = &self.rules[at];
                Recorded {
                    rule: Some(at),
                    level: rule.level,
                    omit_stages: &rule.omit_stages,
                    omit_managed_fields: rule.omit_managed_fields,
                }
            }
            None => Recorded {
                rule: None,
                level: Level::None,
                omit_stages: &self.omit_stages,
                omit_managed_fields: self.omit_managed_fields,
            },
        }
    }
}

impl Rule {
    fn matches(&self, request: &Attributes<'_>) -> bool {
        let has = |all: &[String], one: &str| all.iter().any(|other| other == one);
        if !self.users.is_empty() && !request.user.is_some_and(|user| has(&self.users, user)) {
            return false;
        }
        if !self.user_groups.is_empty()
            && (request.user.is_none() || !request.groups.iter().any(|group| has(&self.user_groups, group)))
        {
            return false;
        }
        if !self.verbs.is_empty() && !has(&self.verbs, request.verb) {
            return false;
        }
        if !self.namespaces.is_empty() || !self.resources.is_empty() {
            let Some(object) = &request.resource else { return false };
            return (self.namespaces.is_empty() || has(&self.namespaces, object.namespace))
                && (self.resources.is_empty() || self.resources.iter().any(|group| group.matches(object)));
        }
        if !self.non_resource_urls.is_empty() {
            return request.resource.is_none()
                && self.non_resource_urls.iter().any(|spec| matches_path(request.path, spec));
        }
        true
    }

    /// What it is about, for people.
    pub fn summary(&self) -> String {
        let mut parts = Vec::new();
        let mut say = |what: &str, texts: &[String]| {
            if !texts.is_empty() {
                let texts: Vec<&str> = texts.iter().map(|text| if text.is_empty() { "(none)" } else { text }).collect();
                parts.push(format!("{what}{}", texts.join(", ")));
            }
        };
        say("", &self.verbs);
        let resources: Vec<String> = self.resources.iter().map(GroupResources::summary).collect();
        say(if self.verbs.is_empty() { "" } else { "of " }, &resources);
        say("in ", &self.namespaces);
        say("on paths ", &self.non_resource_urls);
        say("by ", &self.users);
        say("by members of ", &self.user_groups);
        if parts.is_empty() { "everything".to_owned() } else { parts.join(" ") }
    }
}

impl GroupResources {
    fn matches(&self, object: &Object<'_>) -> bool {
        if self.group != object.group {
            return false;
        }
        if self.resources.is_empty() {
            return true;
        }
        if !self.resource_names.is_empty() && !self.resource_names.iter().any(|name| name == object.name) {
            return false;
        }
        self.resources.iter().any(|spec| matches_resource(spec, object))
    }

    fn summary(&self) -> String {
        let group = if self.group.is_empty() { "the core group" } else { &self.group };
        let names = match self.resource_names.as_slice() {
            [] => String::new(),
            names => format!(" named {}", names.join(" or ")),
        };
        match self.resources.as_slice() {
            [] => format!("all of {group}"),
            resources if self.group.is_empty() => format!("{}{names}", resources.join(", ")),
            resources => format!("{} ({group}){names}", resources.join(", ")),
        }
    }
}

/// Whether `spec` stands for an object: itself, `*`, `*/scale`, or `pods/*`, which is `pods` as well.
fn matches_resource(spec: &str, object: &Object<'_>) -> bool {
    if spec == "*" {
        return true;
    }
    if object.subresource.is_empty() {
        return spec == object.resource || spec.strip_suffix("/*") == Some(object.resource);
    }
    let Some((resource, subresource)) = spec.split_once('/') else { return false };
    let (same, same_below) = (resource == object.resource, subresource == object.subresource);
    (same && (same_below || subresource == "*")) || (resource == "*" && same_below)
}

fn matches_path(path: &str, spec: &str) -> bool {
    // The server takes all stars at the end away.
    spec == "*" || path == spec || (spec.ends_with('*') && path.starts_with(spec.trim_end_matches('*')))
}

#[cfg(test)]
mod tests;

//! Which queries a policy would blind, and which rule would give them what they need.

use std::collections::{BTreeMap, BTreeSet};

use super::{Object, Policy, Rule, matches_resource};
use crate::catalogue::{CannedQuery, Level, Need, Stage};
use crate::coverage::{few, group_of};

/// What an account of everything is about, at least: what intruders do and read.
const TELLING: [&str; 14] = [
    "secrets",
    "configmaps",
    "serviceaccounts",
    "serviceaccounts/token",
    "pods",
    "pods/exec",
    "pods/log",
    "nodes/proxy",
    "deployments",
    "daemonsets",
    "roles",
    "rolebindings",
    "clusterroles",
    "clusterrolebindings",
];

/// The verbs of a need that names none.
const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// What a policy keeps from a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blind {
    /// Whether rows are missing, and not only what they tell.
    pub rows: bool,
    /// What is not recorded as it needs to be, in sentences without a full stop.
    pub because: Vec<String>,
    /// Rules that would mend it, as YAML, to stand before the rule of that number (counted from 1); `None` for the end.
    pub rules: Vec<(Option<usize>, String)>,
}

/// How a rule stands to requests of which only the object and the verb are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Never,
    /// It depends on who asks, in which namespace, or for which object.
    Sometimes,
    Always,
}

/// What a policy would keep from `query`; `None` when it records all that the query needs.
pub fn advice(policy: &Policy, query: &CannedQuery) -> Option<Blind> {
    let mut blind = Blind { rows: false, because: Vec::new(), rules: Vec::new() };
    for need in query.needs.iter().filter(|need| !need.only_where_used) {
        let gaps = gaps(policy, need);
        if gaps.is_empty() {
            continue;
        }
        blind.rows |= need.tells.is_none();
        for (because, objects) in &gaps {
            let objects = few(objects.iter().map(|object| format!("`{object}`")));
            let tells = need.tells.as_ref().map(|tells| format!("{tells}: ")).unwrap_or_default();
            blind.because.push(format!("{tells}{because}: {objects}"));
        }
        let objects: BTreeSet<&String> = gaps.values().flatten().collect();
        let first = first_rule(policy, need, &objects);
        blind.rules.push((first, rule_for(need, &objects)));
    }
    (!blind.because.is_empty()).then_some(blind)
}

/// What is not recorded of a need, by reason: the objects.
fn gaps(policy: &Policy, need: &Need) -> BTreeMap<String, BTreeSet<String>> {
    let mut gaps: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let verbs: Vec<&str> = match need.verbs.as_slice() {
        [] => VERBS.to_vec(),
        verbs => verbs.iter().map(String::as_str).collect(),
    };
    for object in objects(need) {
        let mut levels: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for verb in &verbs {
            if let Some(gap) = gap(policy, need, &object, verb) {
                levels.entry(gap).or_default().insert(verb);
            }
        }
        for (gap, of) in levels {
            let of = if of.len() == verbs.len() {
                String::new()
            } else {
                format!(" for {}", few(of.into_iter().map(str::to_owned)))
            };
            gaps.entry(format!("{gap}{of}")).or_default().insert(object.clone());
        }
    }
    gaps
}

/// What is not recorded of one kind of requests.
fn gap(policy: &Policy, need: &Need, object: &str, verb: &str) -> Option<String> {
    let group = need.group.as_deref().or_else(|| group_of(object)).unwrap_or_default();
    let (resource, subresource) = object.split_once('/').unwrap_or((object, ""));
    let asked = Object { group, resource, subresource, ..Object::default() };
    let mut partly = None;
    let lacks = |level: Level, omits: &BTreeSet<Stage>| {
        if level < need.level {
            return Some(match level {
                Level::None => "not recorded".to_owned(),
                level => format!("recorded at level {} only, and {} is needed", level.name(), need.level.name()),
            });
        }
        // Without its end the outcome of a request is not known; nearly none panics.
        let omitted = need.stages.iter().find(|stage| omits.contains(stage) && **stage != Stage::Panic)?;
        Some(format!("recorded without stage {}", omitted.name()))
    };
    for (rule, number) in policy.rules.iter().zip(1..) {
        match matching(rule, &asked, verb) {
            Match::Never => (),
            Match::Sometimes => {
                if let Some(lacks) = lacks(rule.level, &rule.omit_stages) {
                    partly.get_or_insert_with(|| format!("{lacks} where rule {number} matches ({})", rule.summary()));
                }
            }
            Match::Always => return lacks(rule.level, &rule.omit_stages).or(partly),
        }
    }
    lacks(Level::None, &policy.omit_stages).or(partly)
}

fn matching(rule: &Rule, asked: &Object<'_>, verb: &str) -> Match {
    if !rule.non_resource_urls.is_empty() || !(rule.verbs.is_empty() || rule.verbs.iter().any(|known| known == verb)) {
        return Match::Never;
    }
    // Nearly everybody: what is left are those without credentials.
    let everybody = |groups: &[String]| groups.iter().any(|group| group == "system:authenticated");
    let mut depends = !rule.users.is_empty()
        || !rule.namespaces.is_empty()
        || !(rule.user_groups.is_empty() || everybody(&rule.user_groups));
    if !rule.resources.is_empty() {
        let fitting = rule.resources.iter().filter(|group| {
            group.group == asked.group
                && (group.resources.is_empty() || group.resources.iter().any(|spec| matches_resource(spec, asked)))
        });
        let mut fitting = fitting.peekable();
        if fitting.peek().is_none() {
            return Match::Never;
        }
        depends |= fitting.all(|group| !group.resource_names.is_empty());
    }
    if depends { Match::Sometimes } else { Match::Always }
}

fn objects(need: &Need) -> Vec<String> {
    match need.objects() {
        none if none.is_empty() => TELLING.map(str::to_owned).to_vec(),
        some => some,
    }
}

/// The first rule that decides about one of these objects, counted from 1: a new one belongs before it.
fn first_rule(policy: &Policy, need: &Need, objects: &BTreeSet<&String>) -> Option<usize> {
    let verbs = if need.verbs.is_empty() { VERBS.to_vec() } else { need.verbs.iter().map(String::as_str).collect() };
    let decides = |rule: &Rule| {
        objects.iter().any(|object| {
            let (resource, subresource) = object.split_once('/').unwrap_or((object, ""));
            let group = need.group.as_deref().or_else(|| group_of(object)).unwrap_or_default();
            let asked = Object { group, resource, subresource, ..Object::default() };
            verbs.iter().any(|verb| matching(rule, &asked, verb) != Match::Never)
        })
    };
    policy.rules.iter().position(decides).map(|at| at + 1)
}

/// A rule that records what a need needs of these objects.
fn rule_for(need: &Need, objects: &BTreeSet<&String>) -> String {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for object in objects {
        let group = need.group.as_deref().or_else(|| group_of(object)).unwrap_or_default();
        groups.entry(group).or_default().push(object);
    }
    let list = |texts: &[&str]| texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ");
    let mut rule = format!("- level: {}\n", need.level.name());
    let holds_values = |object: &&&String| ["secrets", "serviceaccounts/token"].contains(&object.as_str());
    if need.level > Level::Metadata && objects.iter().any(|object| holds_values(&object)) {
        rule.insert_str(0, "# the bodies of these hold the values of secrets: whoever reads the log reads them\n");
    }
    if !need.verbs.is_empty() {
        let verbs: Vec<&str> = need.verbs.iter().map(String::as_str).collect();
        rule.push_str(&format!("  verbs: [{}]\n", list(&verbs)));
    }
    rule.push_str("  resources:\n");
    for (group, resources) in groups {
        rule.push_str(&format!("  - group: \"{group}\"\n    resources: [{}]\n", list(&resources)));
    }
    rule
}

//! What the body of a role or a binding says: to whom it gives what.
//!
//! What was stored (the answer) counts before what was sent. An answer can be a Status and a JSON Patch is a list: neither has
//! the members of a role or a binding. A JSON Patch tells by its paths what it adds, which counts only where the answer is
//! not there.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kforensic_event::json;

use super::Tidy;
use super::object::{Object, elements, repaired};
use super::parts::{Operation, is_place, operations, removals, unescaped};
use super::rule::Rule;
use super::structs::{Column, Value};
use crate::json::written;

/// How labels begin that let the rules of a role flow into a default role.
const AGGREGATE_TO: &str = "rbac.authorization.k8s.io/aggregate-to-";

/// A role or a binding; its fields are the columns of `rbac_changes` with these names, where they are explained.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rbac {
    pub(super) role_ref: Option<String>,
    pub(super) aggregates: Option<&'static str>,
    pub(super) subjects: Option<Tidy>,
    pub(super) subjects_added: Option<Tidy>,
    pub(super) rules: Option<Tidy>,
    pub(super) rule_objects: Option<Vec<String>>,
    pub(super) aggregated_to: Tidy,
}

/// The fields, as SQL sees them.
pub(super) const COLUMNS: [Column<Rbac>; 7] = [
    ("role_ref", Value::Text(|rbac| rbac.role_ref.as_deref())),
    ("aggregates", Value::Text(|rbac| rbac.aggregates)),
    ("subjects", Value::Set(|rbac| rbac.subjects.as_ref())),
    ("subjects_added", Value::Set(|rbac| rbac.subjects_added.as_ref())),
    ("rules", Value::Set(|rbac| rbac.rules.as_ref())),
    ("rule_objects", Value::List(|rbac| rbac.rule_objects.as_ref())),
    ("aggregated_to", Value::Set(|rbac| Some(&rbac.aggregated_to))),
];

/// What the bodies of a request say; empty texts for those that are not in the log.
pub(super) fn read(stored: &str, sent: &str) -> Rbac {
    let (stored, sent) = (repaired(stored), repaired(sent));
    let objects = [&stored, &sent].map(|body| Object::of(body));
    let patch = operations(&sent).map(|put| Patch { put, removed: removals(&sent) });
    let both = || objects.iter().flatten();
    let role = both().find_map(|object| object.object("roleRef"));
    let bound = both().find_map(|object| list(object.get("subjects")?));
    let bound = bound.map(|subjects| subjects.iter().map(subject).collect::<Tidy>());
    let added =
        patch.as_ref().map(|patch| patch.put("subjects").iter().filter_map(|value| Object::of(value)).collect());
    let added = added.map(|subjects: Vec<Object<'_>>| subjects.iter().map(subject).collect::<Tidy>());
    let rules = both().find_map(|object| rules(object.get("rules")?));
    let rules = rules.or_else(|| patch.as_ref().map(Patch::rules));
    let labels = both().find_map(|object| object.object("metadata")?.get("labels"));
    Rbac {
        role_ref: role.map(|role| joined([role.text("kind"), None, role.text("name")])).filter(|name| !name.is_empty()),
        aggregates: aggregates(&objects, patch.as_ref()),
        subjects_added: bound.clone().or(added),
        subjects: bound,
        rules: rules.as_ref().map(|rules| rules.iter().map(|rule| Rule::of(rule).line()).collect()),
        rule_objects: rules,
        aggregated_to: match (labels.and_then(Object::of), &patch) {
            (Some(labels), _) => flows_into(labels.members().iter().map(|(label, value)| (&**label, *value))),
            (None, Some(patch)) => {
                let labels = patch.labels();
                flows_into(labels.iter().map(|(label, value)| (label.as_str(), *value)))
            }
            (None, None) => Tidy::default(),
        },
    }
}

/// A subject of a binding: `ServiceAccount/namespace/name`, `User/name`, `Group/name`. RBAC looks at the namespace of
/// service accounts alone, so one that is written to a user or group is left out: it would hide whom it is.
fn subject(subject: &Object<'_>) -> String {
    let kind = subject.text("kind");
    let has_namespace = kind.as_deref().is_some_and(|kind| kind != "User" && kind != "Group");
    joined([kind, subject.text("namespace").filter(|_| has_namespace), subject.text("name")])
}

fn joined(parts: [Option<Cow<'_, str>>; 3]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

/// The objects in a list; `None` when it is none.
fn list(value: &str) -> Option<Vec<Object<'_>>> {
    value.starts_with('[').then(|| elements(value).into_iter().filter_map(Object::of).collect())
}

/// The rules in a list, as JSON; `None` when it is none.
fn rules(value: &str) -> Option<Vec<String>> {
    let is_rule = |value: &&str| json::is_object(value);
    value
        .starts_with('[')
        .then(|| elements(value).into_iter().filter(is_rule).map(|rule| written(rule).into()).collect())
}

/// Whether a role gets the rules of others. A selector that asks for nothing selects every role.
fn aggregates(objects: &[Option<Object<'_>>; 2], patch: Option<&Patch<'_>>) -> Option<&'static str> {
    let written = objects.iter().flatten().filter_map(|object| object.object("aggregationRule"));
    let patched = patch.map(|patch| patch.put("aggregationRule")).unwrap_or_default();
    let patched = patched.into_iter().filter_map(Object::of);
    let selectors: Vec<bool> = written
        .chain(patched)
        .flat_map(|rule| rule.objects("clusterRoleSelectors").collect::<Vec<_>>())
        .map(|selector| {
            selector.object("matchLabels").is_none_or(|labels| labels.is_empty())
                && selector.elements("matchExpressions").is_empty()
        })
        .collect();
    (!selectors.is_empty()).then(|| if selectors.contains(&true) { "every role" } else { "some roles" })
}

/// The default roles that the labels name. Of labels with one name the last counts, however many there are.
fn flows_into<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> Tidy {
    let named = labels.filter_map(|(label, value)| Some((label.strip_prefix(AGGREGATE_TO)?, value)));
    let last: BTreeMap<&str, &str> = named.filter(|(name, _)| !name.is_empty()).collect();
    last.into_iter().filter(|(_, value)| *value == "\"true\"").map(|(name, _)| name.to_owned()).collect()
}

/// What a JSON Patch puts where, and where it takes something away.
struct Patch<'a> {
    put: Vec<Operation<'a>>,
    removed: Vec<Cow<'a, str>>,
}

impl<'a> Patch<'a> {
    /// The objects that it puts at a member of the object, or into the list that this member is.
    fn put(&self, member: &str) -> Vec<&'a str> {
        let is_there = |path: &str| {
            let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(member));
            rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('/').is_some_and(is_place))
        };
        let put = self.put.iter().filter(|operation| is_there(&operation.path)).map(|operation| operation.value);
        let values = put.flat_map(|value| if value.starts_with('[') { elements(value) } else { vec![value] });
        values.filter(|value| json::is_object(value)).collect()
    }

    /// The labels that it puts there, one by one or all at once.
    fn labels(&self) -> Vec<(String, &'a str)> {
        let of = |operation: &Operation<'a>| {
            let rest = operation.path.strip_prefix("/metadata/labels")?;
            let value = operation.value;
            Some(match rest.strip_prefix('/') {
                Some(label) => vec![(unescaped(label), value)],
                None if rest.is_empty() => {
                    let members = Object::of(value).map(|labels| labels.members().to_vec()).unwrap_or_default();
                    members.into_iter().map(|(label, value)| (label.into_owned(), value)).collect()
                }
                None => Vec::new(),
            })
        };
        self.put.iter().filter_map(of).flatten().collect()
    }

    /// Rules that it puts there, and parts of rules that it puts into others, each as a rule with nothing else:
    /// `{"op":"add","path":"/rules/0/verbs/-","value":"*"}` is `{"verbs":["*"]}`. What it takes away of the names that a rule is limited
    /// to is a list of none: without the last of them the rule is about all objects.
    fn rules(&self) -> Vec<String> {
        let whole = self.put("rules").into_iter().map(|rule| written(rule).into_owned());
        let parts = self.put.iter().filter_map(|operation| {
            let (place, member) = operation.path.strip_prefix("/rules/")?.split_once('/')?;
            let length = member.bytes().take_while(u8::is_ascii_alphabetic).count();
            let member = &member[..length];
            let value = written(operation.value);
            let value = if value.starts_with('[') { value.into_owned() } else { format!("[{value}]") };
            (is_place(place) && !member.is_empty()).then(|| format!("{{\"{member}\":{value}}}"))
        });
        let of_names = |path: &&Cow<'_, str>| {
            let member = path.strip_prefix("/rules/").and_then(|path| path.split_once('/'));
            member.is_some_and(|(place, member)| {
                let rest = member.strip_prefix("resourceNames");
                is_place(place)
                    && rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('/').is_some_and(is_place))
            })
        };
        let widened = self.removed.iter().filter(of_names).map(|_| r#"{"resourceNames":[]}"#.to_owned());
        whole.chain(parts).chain(widened).collect()
    }
}

//! A rule of a role, and what it lets somebody do beyond its words.

use std::borrow::Cow;

use kforensic_event::json;
use kforensic_trace::kinds::makers;

use super::Tidy;
use super::object::{Object, elements};
use super::structs::{Column, Value};

/// A rule of a role; its fields are the columns of `role_rules` with these names. `None` for a list that is not there.
#[derive(Debug, Default)]
pub(super) struct Rule {
    pub(super) verbs: Option<Tidy>,
    pub(super) api_groups: Option<Tidy>,
    pub(super) resources: Option<Tidy>,
    pub(super) resource_names: Option<Tidy>,
    pub(super) urls: Option<Tidy>,
}

/// A rule with what it tells.
pub(super) struct Told {
    rule: Rule,
    line: String,
    powers: Tidy,
}

impl Told {
    /// Of the JSON of a rule.
    pub(super) fn of(rule: &str) -> Self {
        let rule = Rule::of(rule);
        Self { line: rule.line(), powers: rule.powers(), rule }
    }
}

/// The fields, as SQL sees them.
pub(super) const COLUMNS: [Column<Told>; 7] = [
    ("rule", Value::Text(|told| Some(&told.line))),
    ("verbs", Value::Set(|told| told.rule.verbs.as_ref())),
    ("api_groups", Value::Set(|told| told.rule.api_groups.as_ref())),
    ("resources", Value::Set(|told| told.rule.resources.as_ref())),
    ("resource_names", Value::Set(|told| told.rule.resource_names.as_ref())),
    ("urls", Value::Set(|told| told.rule.urls.as_ref())),
    ("powers", Value::Set(|told| Some(&told.powers))),
];

/// What gives a power: one of the verbs, on one of the resources of the API group; `None` is for all.
struct Power {
    name: &'static str,
    verbs: &'static [&'static str],
    on: Option<(&'static str, &'static [&'static str])>,
}

const fn always(name: &'static str, verbs: &'static [&'static str]) -> Power {
    Power { name, verbs, on: None }
}

const fn on(
    name: &'static str,
    verbs: &'static [&'static str],
    api_group: &'static str,
    resources: &'static [&'static str],
) -> Power {
    Power { name, verbs, on: Some((api_group, resources)) }
}

const WRITES: &[&str] = &["create", "update", "patch", "*"];
const CHANGES: &[&str] = &["update", "patch", "*"];
const CONNECTS: &[&str] = &["get", "create", "update", "patch", "delete", "*"];

/// Wildcards count for everything that they contain. `nodes/*` gives nothing in Kubernetes, where only `*` and `*/proxy` are
/// wildcards, but it shows what was meant. What makes pods stands in a table of its own, with kinds of add-ons.
const POWERS: [Power; 26] = [
    always("every verb", &["*"]),
    always("escalate", &["escalate"]),
    always("bind", &["bind"]),
    always("impersonate", &["impersonate"]),
    // An empty patch, and a deletion of all as a dry run, answer with the values.
    on("read secrets", &["get", "list", "watch", "patch", "update", "deletecollection", "*"], "", &["secrets", "*"]),
    on("make volumes of the node", WRITES, "", &["persistentvolumes", "*"]),
    on(
        "reach into pods",
        CONNECTS,
        "",
        &["pods/proxy", "services/proxy", "pods/portforward", "pods/*", "services/*", "*/proxy", "*/portforward", "*"],
    ),
    on("change namespaces", CHANGES, "", &["namespaces", "*"]),
    on("change nodes", CHANGES, "", &["nodes", "nodes/status", "nodes/*", "*/status", "*"]),
    on("write APIs", WRITES, "apiregistration.k8s.io", &["apiservices", "*"]),
    on("write APIs", WRITES, "apiextensions.k8s.io", &["customresourcedefinitions", "*"]),
    on("use any SCC", &["use", "*"], "security.openshift.io", &["securitycontextconstraints", "*"]),
    on("use any SCC", &["use"], "policy", &["podsecuritypolicies", "*"]),
    on("write SCCs", WRITES, "security.openshift.io", &["securitycontextconstraints", "*"]),
    on("write SCCs", WRITES, "policy", &["podsecuritypolicies"]),
    on("sign certificates", &["sign", "*"], "certificates.k8s.io", &["signers", "*"]),
    on("approve certificates", &["approve", "*"], "certificates.k8s.io", &["signers", "*"]),
    on(
        "write users and groups",
        WRITES,
        "user.openshift.io",
        &["users", "groups", "identities", "useridentitymappings", "*"],
    ),
    on("run charts", WRITES, "helm.cattle.io", &["helmcharts", "helmchartconfigs", "*"]),
    on("mint tokens", &["create", "*"], "", &["serviceaccounts/token", "serviceaccounts/*", "*/token", "*"]),
    // Of OpenShift: who writes one is logged in as whom it names.
    on("mint tokens", &["create", "*"], "oauth.openshift.io", &["oauthaccesstokens", "oauthauthorizetokens", "*"]),
    on("nodes/proxy", CONNECTS, "", &["nodes/proxy", "nodes/*", "*/proxy", "*"]),
    on(
        "run in pods",
        &["get", "create", "update", "patch", "*"],
        "",
        &[
            "pods/exec",
            "pods/attach",
            "pods/ephemeralcontainers",
            "pods/*",
            "*/exec",
            "*/attach",
            "*/ephemeralcontainers",
            "*",
        ],
    ),
    on(
        "write RBAC",
        WRITES,
        "rbac.authorization.k8s.io",
        &["roles", "clusterroles", "rolebindings", "clusterrolebindings", "*"],
    ),
    on(
        "write webhooks",
        &["create", "update", "patch", "delete", "deletecollection", "*"],
        "admissionregistration.k8s.io",
        &[
            "mutatingwebhookconfigurations",
            "validatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "*",
        ],
    ),
    on(
        "approve certificates",
        CHANGES,
        "certificates.k8s.io",
        &["certificatesigningrequests/approval", "certificatesigningrequests/*", "*/approval", "*"],
    ),
];

impl Rule {
    /// The rule that a JSON object is.
    pub(super) fn of(rule: &str) -> Self {
        let Some(rule) = Object::of(rule) else { return Self::default() };
        // An empty text counts: it is the core group.
        let strings = |name: &str| {
            let list = rule.get(name).filter(|list| list.starts_with('['))?;
            Some(elements(list).into_iter().filter_map(json::string).map(Cow::into_owned).collect())
        };
        Self {
            verbs: strings("verbs"),
            api_groups: strings("apiGroups"),
            resources: strings("resources"),
            resource_names: strings("resourceNames"),
            urls: strings("nonResourceURLs"),
        }
    }

    /// The rule in a line: `get,list pods,services`, `* * apiGroups=*`, `get nonResourceURLs=/metrics`.
    pub(super) fn line(&self) -> String {
        let listed = |list: &Option<Tidy>| {
            let text = list.as_ref()?.iter().map(String::as_str).collect::<Vec<_>>().join(",");
            Some(text).filter(|text| !text.is_empty())
        };
        let groups = self.api_groups.as_ref().map(|groups| {
            groups.iter().map(|group| if group.is_empty() { "core" } else { group }).collect::<Vec<_>>().join(",")
        });
        let named = |name: &str, list: Option<String>| list.map(|list| format!("{name}={list}"));
        let parts = [
            self.loses_names().then(|| "names taken away".to_owned()),
            listed(&self.verbs),
            listed(&self.resources),
            // The core group is the empty text; alone it goes without saying.
            named("apiGroups", groups.filter(|groups| groups != "core")),
            named("names", listed(&self.resource_names)),
            named("nonResourceURLs", listed(&self.urls)),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Whether it is a part of a rule by which the rule is limited to fewer names, or to none.
    fn loses_names(&self) -> bool {
        self.verbs.is_none() && self.resource_names.as_ref().is_some_and(Tidy::is_empty)
    }

    /// What it lets somebody do beyond its words. A rule without API groups, as a part that a JSON Patch adds, counts for all; the
    /// server takes none without verbs, or without what they are for, so of such a part the rest is not told.
    pub(super) fn powers(&self) -> Tidy {
        let has = |list: &Option<Tidy>, known: &[&str]| {
            list.as_ref().is_some_and(|list| known.iter().any(|known| list.contains(*known)))
        };
        let is_of = |group: &str| self.api_groups.is_none() || has(&self.api_groups, &[group, "*"]);
        let gives = |power: &&Power| {
            has(&self.verbs, power.verbs)
                && power.on.is_none_or(|(group, resources)| has(&self.resources, resources) && is_of(group))
        };
        let mut powers: Tidy = POWERS.iter().filter(gives).map(|power| power.name.to_owned()).collect();
        if has(&self.verbs, WRITES) && makers().any(|(group, kind)| has(&self.resources, &[kind, "*"]) && is_of(group))
        {
            powers.insert("make pods".to_owned());
        }
        if has(&self.resources, &["*", "*/*"]) {
            powers.insert("every resource".to_owned());
        }
        if has(&self.urls, &["*", "/*"]) {
            powers.insert("every path".to_owned());
        }
        // Since 1.35 there are verbs such as `impersonate:user-info`.
        if self.verbs.iter().flatten().any(|verb| has_word(verb, "impersonate")) {
            powers.insert("impersonate".to_owned());
        }
        if self.verbs.is_none() || self.resources.is_none() && self.urls.is_none() {
            powers.insert("part of an untold rule".to_owned());
        }
        if self.loses_names() {
            powers.insert("fewer limits by name".to_owned());
        }
        powers
    }
}

/// Whether a text has a word that begins so.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[..at].bytes().next_back().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

//! Rules, and what they match: word for word as the RBAC authorizer of Kubernetes has it.

use serde_json::Value;

use crate::manifest::texts;

/// A rule of a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// Verbs; `*` is all.
    pub verbs: Vec<String>,
    /// API groups; the core group is the empty text, `*` is all.
    pub api_groups: Vec<String>,
    /// Resources, with their subresources: `pods/log`, `*/scale`, `*`.
    pub resources: Vec<String>,
    /// Names that it is limited to; empty for all.
    pub resource_names: Vec<String>,
    /// Paths that are no resources; an `*` at the end stands for anything.
    pub urls: Vec<String>,
}

/// What is asked for: of a resource, or of a path.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asked {
    /// Verb.
    pub verb: String,
    /// API group, empty for the core group.
    pub api_group: String,
    /// Resource; empty for a path.
    pub resource: String,
    /// Subresource, or empty.
    pub subresource: String,
    /// Namespace, or empty for the whole cluster.
    pub namespace: String,
    /// Name of the object, or empty.
    pub name: String,
    /// Path, when it is about no resource.
    pub path: Option<String>,
}

impl Rule {
    /// The rules of a role.
    pub fn all_of(role: &Value) -> Vec<Self> {
        let rules = crate::manifest::items(role, "/rules").filter(|rule| rule.is_object());
        rules.map(Self::of).collect()
    }

    fn of(rule: &Value) -> Self {
        Self {
            verbs: texts(rule, "/verbs"),
            api_groups: texts(rule, "/apiGroups"),
            resources: texts(rule, "/resources"),
            resource_names: texts(rule, "/resourceNames"),
            urls: texts(rule, "/nonResourceURLs"),
        }
    }

    /// Whether the rule allows it.
    pub fn allows(&self, asked: &Asked) -> bool {
        match &asked.path {
            Some(path) => self.has_verb(&asked.verb) && self.urls.iter().any(|url| matches_url(url, path)),
            None => {
                self.is_about(&asked.verb, &asked.api_group, &asked.resource, &asked.subresource)
                    && (self.resource_names.is_empty() || self.resource_names.contains(&asked.name))
            }
        }
    }

    /// Whether it allows that of a resource, of whatever name.
    pub(super) fn is_about(&self, verb: &str, group: &str, resource: &str, subresource: &str) -> bool {
        self.has_verb(verb)
            && self.api_groups.iter().any(|own| own == "*" || own == group)
            && self.resources.iter().any(|own| matches_resource(own, resource, subresource))
    }

    fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|own| own == "*" || own == verb)
    }

    /// The rule in a line: `get,list pods,services; apiGroups=apps; names=x`.
    pub fn text(&self) -> String {
        let mut parts =
            vec![format!("{} {}", self.verbs.join(","), [self.resources.as_slice(), &self.urls].concat().join(","))];
        let groups: Vec<&str> =
            self.api_groups.iter().map(|group| if group.is_empty() { "core" } else { group.as_str() }).collect();
        if !groups.is_empty() && groups != ["core"] {
            parts.push(format!("apiGroups={}", groups.join(",")));
        }
        if !self.resource_names.is_empty() {
            parts.push(format!("names={}", self.resource_names.join(",")));
        }
        parts.join("; ")
    }
}

fn matches_resource(rule: &str, resource: &str, subresource: &str) -> bool {
    if rule == "*" {
        return true;
    }
    if subresource.is_empty() {
        return rule == resource;
    }
    match rule.split_once('/') {
        Some(("*", own)) => own == subresource,
        Some((own, part)) => own == resource && part == subresource,
        None => false,
    }
}

fn matches_url(rule: &str, path: &str) -> bool {
    rule == "*" || rule == path || (rule.ends_with('*') && path.starts_with(rule.trim_end_matches('*')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "values of a test are made where they are used")]
    fn rule(value: Value) -> Rule {
        Rule::all_of(&json!({"rules": [value]})).remove(0)
    }

    fn asked(verb: &str, group: &str, resource: &str, name: &str) -> Asked {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        Asked {
            verb: verb.into(),
            api_group: group.into(),
            resource: resource.into(),
            subresource: subresource.into(),
            name: name.into(),
            ..Asked::default()
        }
    }

    #[test]
    fn resources_subresources_and_wildcards() {
        let of = |resources: Value| rule(json!({"verbs": ["get"], "apiGroups": [""], "resources": resources}));
        for (resources, resource, is_allowed) in [
            (json!(["pods"]), "pods", true),
            (json!(["pods"]), "pods/log", false),
            (json!(["pods/log"]), "pods/log", true),
            (json!(["pods/log"]), "pods", false),
            (json!(["*/log"]), "pods/log", true),
            (json!(["*/log"]), "pods/exec", false),
            (json!(["pods/*"]), "pods/log", false),
            (json!(["*"]), "pods/log", true),
            (json!(["*"]), "anything", true),
            (json!(["*/*"]), "pods/log", false),
        ] {
            assert_eq!(
                of(resources.clone()).allows(&asked("get", "", resource, "")),
                is_allowed,
                "{resources} {resource}"
            );
        }
        assert!(!of(json!(["pods"])).allows(&asked("list", "", "pods", "")));
        assert!(!of(json!(["pods"])).allows(&asked("get", "apps", "pods", "")));
        assert!(
            rule(json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})).allows(&asked("x", "y", "z/w", "n"))
        );
    }

    #[test]
    fn names_limit_and_none_is_no_name() {
        let rule = rule(json!({"verbs": ["*"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"]}));
        assert!(rule.allows(&asked("get", "", "secrets", "a")));
        assert!(!rule.allows(&asked("get", "", "secrets", "b")));
        // A create and a list have no name, so a limited rule never allows them.
        assert!(!rule.allows(&asked("create", "", "secrets", "")));
        assert_eq!(rule.text(), "* secrets; names=a");
    }

    #[test]
    fn paths_are_apart_from_resources() {
        let path = |path: &str| Asked { verb: "get".into(), path: Some(path.into()), ..Asked::default() };
        let rule = rule(json!({"verbs": ["get"], "nonResourceURLs": ["/healthz", "/api/*"], "resources": ["*"]}));
        for (url, is_allowed) in
            [("/healthz", true), ("/healthz/etcd", false), ("/api/v1", true), ("/api/", true), ("/api", false)]
        {
            assert_eq!(rule.allows(&path(url)), is_allowed, "{url}");
        }
        assert!(!super::Rule { urls: vec!["*".into()], ..rule.clone() }.allows(&asked("get", "", "pods", "")));
    }
}

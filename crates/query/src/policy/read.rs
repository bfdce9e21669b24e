//! Reading a policy, with what the server refuses refused.

use std::collections::BTreeSet;

use thiserror::Error;
use yaml_rust2::{Yaml, YamlLoader};

use super::within::{self, Within};
use super::{GroupResources, Policy, Rule};
use crate::catalogue::{Level, Stage};

/// Why a text is no audit policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// No YAML.
    #[error("it is not YAML: {0}")]
    Yaml(String),
    /// YAML, but no policy that an API server would start with.
    #[error("{place} {problem}")]
    Policy {
        /// The policy, or one of its rules.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Another file, in which several policies stand.
    #[error("it holds several policies, in {}", places.iter().map(|place| format!("`{place}`")).collect::<Vec<_>>().join(", "))]
    Several {
        /// Where they stand.
        places: Vec<String>,
    },
    /// A ConfigMap without a policy.
    #[error("it is a ConfigMap, and no key of it holds a policy of `kind: Policy` and `apiVersion: audit.k8s.io/v1`")]
    ConfigMap {
        /// The keys it has.
        keys: Vec<String>,
    },
}

/// Members of a policy, and of a rule.
const POLICY: [&str; 6] = ["apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields"];
const RULE: [&str; 9] = [
    "level",
    "users",
    "userGroups",
    "verbs",
    "resources",
    "namespaces",
    "nonResourceURLs",
    "omitStages",
    "omitManagedFields",
];
const RESOURCES: [&str; 3] = ["group", "resources", "resourceNames"];

impl Policy {
    /// Reads a policy: the first document of a YAML text, or the one policy that stands somewhere in it, such as under a key of a
    /// ConfigMap.
    ///
    /// # Errors
    /// When an API server would not start with it, or when there are several.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        // Windows tools put a byte order mark in front, which the server's own reader of YAML takes off.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let documents = YamlLoader::load_from_str(text).map_err(|error| PolicyError::Yaml(error.to_string()))?;
        let Some(first) = documents.first().filter(|first| within::is_policy(first)) else {
            return Self::within(&documents);
        };
        Self::of(first)
    }

    /// The one policy that stands in documents of another kind.
    fn within(documents: &[Yaml]) -> Result<Self, PolicyError> {
        let mut found = within::policies(documents);
        match found.pop() {
            Some(Within { place, policy }) if found.iter().all(|other| other.policy == policy) => {
                // The same one again is what somebody copied.
                Ok(Self {
                    found_in: Some(found.into_iter().next().map_or(place, |first| first.place)),
                    ..Self::of(&policy)?
                })
            }
            Some(last) => Err(PolicyError::Several {
                places: found.into_iter().chain([last]).map(|within| within.place).collect(),
            }),
            None => {
                let place = Place("the policy".to_owned());
                let Some(first) = documents.first().filter(|first| first.as_hash().is_some()) else {
                    return place.broken("is no object");
                };
                match within::keys_of_config_map(first) {
                    Some(keys) => Err(PolicyError::ConfigMap { keys: keys.into_iter().map(str::to_owned).collect() }),
                    None => place.broken("is not of `kind: Policy` and `apiVersion: audit.k8s.io/v1`"),
                }
            }
        }
    }

    fn of(policy: &Yaml) -> Result<Self, PolicyError> {
        let place = Place("the policy".to_owned());
        let mut ignored = place.unknown(policy, &POLICY);
        let omit_stages = place.stages(&policy["omitStages"])?;
        let omit_managed_fields = place.truth(&policy["omitManagedFields"])?.unwrap_or(false);
        let mut rules = Vec::new();
        for (rule, number) in place.list(&policy["rules"], "rules")?.iter().zip(1..) {
            let place = Place(format!("rule {number}"));
            if rule.as_hash().is_none() {
                return place.broken("is no object");
            }
            ignored.extend(place.unknown(rule, &RULE));
            let mut rule = place.rule(rule, &mut ignored)?;
            rule.0.omit_stages.extend(omit_stages.iter().copied());
            rule.0.omit_managed_fields = rule.1.unwrap_or(omit_managed_fields);
            rules.push(rule.0);
        }
        if rules.is_empty() {
            return place.broken("has no rules, and no API server starts with that");
        }
        Ok(Self { rules, omit_stages, omit_managed_fields, ignored, found_in: None })
    }
}

/// Where something stands, for messages.
struct Place(String);

impl Place {
    fn broken<T>(&self, problem: impl Into<String>) -> Result<T, PolicyError> {
        Err(PolicyError::Policy { place: self.0.clone(), problem: problem.into() })
    }

    /// A rule, and what it says about managed fields.
    fn rule(&self, rule: &Yaml, ignored: &mut Vec<String>) -> Result<(Rule, Option<bool>), PolicyError> {
        let level = rule["level"].as_str().and_then(Level::of_name);
        let Some(level) = level else {
            return self.broken("has no level: None, Metadata, Request or RequestResponse");
        };
        let mut resources = Vec::new();
        for group in self.list(&rule["resources"], "resources")? {
            ignored.extend(self.unknown(group, &RESOURCES));
            let group = GroupResources {
                group: match &group["group"] {
                    Yaml::BadValue | Yaml::Null => String::new(),
                    group => self.text(group)?,
                },
                resources: self.texts(&group["resources"], "resources")?,
                resource_names: self.texts(&group["resourceNames"], "resourceNames")?,
            };
            if !group.resource_names.is_empty() && group.resources.is_empty() {
                return self.broken("has `resourceNames` without a resource");
            }
            if group.group.contains('/') {
                return self.broken(format!("names `{}` as a group, which has no version", group.group));
            }
            resources.push(group);
        }
        let parsed = Rule {
            level,
            users: self.texts(&rule["users"], "users")?,
            user_groups: self.texts(&rule["userGroups"], "userGroups")?,
            verbs: self.texts(&rule["verbs"], "verbs")?,
            resources,
            namespaces: self.texts(&rule["namespaces"], "namespaces")?,
            non_resource_urls: self.texts(&rule["nonResourceURLs"], "nonResourceURLs")?,
            omit_stages: self.stages(&rule["omitStages"])?,
            omit_managed_fields: false,
        };
        let about_resources = !parsed.resources.is_empty() || !parsed.namespaces.is_empty();
        if about_resources && !parsed.non_resource_urls.is_empty() {
            return self.broken("is about resources and about `nonResourceURLs`");
        }
        let is_path = |spec: &String| {
            spec == "*" || (spec.starts_with('/') && !spec[..spec.len().saturating_sub(1)].contains('*'))
        };
        if let Some(wrong) = parsed.non_resource_urls.iter().find(|spec| !is_path(spec)) {
            return self.broken(format!("has `{wrong}` as a path, which begins with `/` and has `*` only at its end"));
        }
        Ok((parsed, self.truth(&rule["omitManagedFields"])?))
    }

    fn unknown(&self, object: &Yaml, known: &[&str]) -> Vec<String> {
        let members = object.as_hash().into_iter().flatten();
        let names = members.filter_map(|(name, _)| name.as_str());
        names.filter(|name| !known.contains(name)).map(|name| format!("`{name}` in {}", self.0)).collect()
    }

    fn list<'y>(&self, yaml: &'y Yaml, what: &str) -> Result<&'y [Yaml], PolicyError> {
        match yaml {
            Yaml::BadValue | Yaml::Null => Ok(&[]),
            Yaml::Array(items) => Ok(items),
            _ => self.broken(format!("has `{what}` that are no list")),
        }
    }

    fn text(&self, yaml: &Yaml) -> Result<String, PolicyError> {
        match yaml {
            Yaml::String(text) => Ok(text.clone()),
            _ => self.broken("has a value that is no text where one belongs: put it between quotes"),
        }
    }

    fn texts(&self, yaml: &Yaml, what: &str) -> Result<Vec<String>, PolicyError> {
        self.list(yaml, what)?.iter().map(|text| self.text(text)).collect()
    }

    fn stages(&self, yaml: &Yaml) -> Result<BTreeSet<Stage>, PolicyError> {
        let mut stages = BTreeSet::new();
        for name in self.texts(yaml, "omitStages")? {
            match Stage::of_name(&name) {
                Some(stage) => stages.insert(stage),
                None => return self.broken(format!("leaves out the stage `{name}`, which there is not")),
            };
        }
        Ok(stages)
    }

    fn truth(&self, yaml: &Yaml) -> Result<Option<bool>, PolicyError> {
        match yaml {
            Yaml::BadValue | Yaml::Null => Ok(None),
            Yaml::Boolean(truth) => Ok(Some(*truth)),
            _ => self.broken("has `omitManagedFields` that is neither true nor false"),
        }
    }
}

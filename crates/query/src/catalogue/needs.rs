//! What a query must find in the log to give its answer: the `needs` of its header, in a form that a machine reads.
//!
//! Verdicts and `kforensic coverage` hold it against what a case holds; an audit policy is held against it too.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use crate::coverage::is_meant;
use crate::kinds;

/// How much of a request an audit policy records. Each level records what those before it do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub enum Level {
    /// Nothing.
    #[default]
    None,
    /// Who did what, when, from where, with which outcome.
    Metadata,
    /// The body of the request as well.
    Request,
    /// Both bodies.
    RequestResponse,
}

impl Level {
    /// All, from the least.
    pub const ALL: [Self; 4] = [Self::None, Self::Metadata, Self::Request, Self::RequestResponse];

    /// Its name in events and policies.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Metadata => "Metadata",
            Self::Request => "Request",
            Self::RequestResponse => "RequestResponse",
        }
    }

    /// The level of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// The stages of a request at which a server writes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub enum Stage {
    /// Before it is handled.
    RequestReceived,
    /// When a long-running answer begins; and a 401, which has no other.
    ResponseStarted,
    /// When the answer is given.
    ResponseComplete,
    /// When handling it broke off.
    Panic,
}

impl Stage {
    /// All, in their order.
    pub const ALL: [Self; 4] = [Self::RequestReceived, Self::ResponseStarted, Self::ResponseComplete, Self::Panic];

    /// Its name in events and policies.
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestReceived => "RequestReceived",
            Self::ResponseStarted => "ResponseStarted",
            Self::ResponseComplete => "ResponseComplete",
            Self::Panic => "Panic",
        }
    }

    /// The stage of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// Requests that a query must see, and how well.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// API group; any when absent.
    pub group: Option<String>,
    /// Resources; empty means every request, also one that is not about a resource.
    #[serde(default, deserialize_with = "one_or_many")]
    pub resource: Vec<String>,
    /// Subresources of them, where `""` is the resource itself; empty means the resource itself alone, or anything
    /// when no resource is named.
    #[serde(default, deserialize_with = "one_or_many")]
    pub subresource: Vec<String>,
    /// Whether it is about requests to paths, such as `/metrics`, which are about no resource.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paths: bool,
    /// Verbs; empty means all.
    #[serde(default)]
    pub verbs: Vec<String>,
    /// The least level.
    pub level: Level,
    /// The stages that must be recorded.
    #[serde(default = "answered")]
    pub stages: Vec<Stage>,
    /// What is missing from the rows where this need is not met. Absent when the rows themselves are.
    pub tells: Option<String>,
    /// Whether it counts only where the log holds such requests: of an API group that serves the objects of another one, which not
    /// every cluster has.
    #[serde(skip)]
    pub only_where_used: bool,
}

fn answered() -> Vec<Stage> {
    vec![Stage::ResponseComplete]
}

/// `needs = …` of a header.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Declared {
    /// In words, which only a query of the user's own may have: no verdict can be given then.
    Words(String),
    /// For machines.
    List(Vec<Need>),
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Texts::deserialize(from)? {
        Texts::One(text) => vec![text],
        Texts::Many(texts) => texts,
    })
}

impl Need {
    /// The same of the API group that serves the objects of its group as well, if there is one.
    pub(super) fn served_as_well(&self) -> Option<Self> {
        let group = kinds::served_as_well(self.group.as_deref()?)?;
        Some(Self { group: Some(group.to_owned()), only_where_used: true, ..self.clone() })
    }

    /// The rule of a header that it breaks, if any.
    pub(super) fn broken(&self) -> Option<&'static str> {
        let blank = |texts: &[String]| texts.iter().any(|text| text.trim().is_empty());
        if self.level == Level::None {
            return Some("asks for level None, at which nothing is recorded");
        }
        if self.resource.is_empty() && !self.subresource.is_empty() {
            return Some("names a subresource of no resource");
        }
        if self.paths && !(self.resource.is_empty() && self.group.is_none()) {
            return Some("is about paths and about resources");
        }
        if blank(&self.resource)
            || blank(&self.verbs)
            || self.tells.as_ref().is_some_and(|tells| tells.trim().is_empty())
        {
            return Some("holds an empty text");
        }
        let lower = |text: &String| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'*');
        if self.resource.iter().any(|text| text.contains('/')) || !self.verbs.iter().all(lower) {
            return Some("names a resource with its subresource, or a verb that is not in lower case");
        }
        None
    }

    /// Whether it is about these requests. `subresource` is empty for the resource itself.
    pub fn is_about(&self, group: &str, resource: Option<&str>, subresource: &str, verb: &str) -> bool {
        self.is_about_resource(group, resource, subresource) && self.is_about_verb(verb)
    }

    /// Whether requests with that verb matter to it.
    pub fn is_about_verb(&self, verb: &str) -> bool {
        self.verbs.is_empty() || self.verbs.iter().any(|wanted| wanted == verb)
    }

    /// Whether requests on that resource matter to it, whatever the verb.
    pub fn is_about_resource(&self, group: &str, resource: Option<&str>, subresource: &str) -> bool {
        if !self.is_of_group(group, resource) {
            return false;
        }
        if self.resource.is_empty() {
            return !self.paths || resource.is_none();
        }
        resource.is_some_and(|resource| self.resource.iter().any(|wanted| wanted == resource))
            && match self.subresource.as_slice() {
                [] => subresource.is_empty(),
                wanted => wanted.iter().any(|wanted| wanted == subresource || wanted == "*"),
            }
    }

    /// Whether a resource of that API group can be what it means.
    pub fn is_of_group(&self, group: &str, resource: Option<&str>) -> bool {
        match &self.group {
            Some(wanted) => wanted == group,
            None => resource.is_none_or(|resource| is_meant(resource, group)),
        }
    }

    /// The resources with their subresources, as policies write them: `pods/exec`; empty for every request.
    pub fn objects(&self) -> Vec<String> {
        let subresources: Vec<&str> = match self.subresource.as_slice() {
            [] => vec![""],
            some => some.iter().map(String::as_str).collect(),
        };
        let of = |resource: &String| {
            let of = |subresource: &&str| match *subresource {
                "" => resource.clone(),
                subresource => format!("{resource}/{subresource}"),
            };
            subresources.iter().map(of).collect::<Vec<_>>()
        };
        self.resource.iter().flat_map(of).collect()
    }
}

impl fmt::Display for Need {
    /// `level Metadata for create, patch of secrets`, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("level {}", self.level.name());
        let stages: Vec<&str> = self.stages.iter().map(|stage| stage.name()).collect();
        // What every policy records but one that leaves it out goes without saying.
        if !stages.is_empty() && self.stages != answered() && self.tells.is_none() {
            write!(text, " and stage {}", stages.join(" and "))?;
        }
        let objects = self.objects().iter().map(|object| format!("`{object}`")).collect::<Vec<_>>().join(", ");
        match (self.verbs.as_slice(), objects.as_str()) {
            (_, "") if self.paths => text.push_str(" for requests to paths"),
            ([], "") => text.push_str(" for every request"),
            ([], objects) => write!(text, " for {objects}")?,
            (verbs, "") => write!(text, " for {} of everything", verbs.join(", "))?,
            (verbs, objects) => write!(text, " for {} of {objects}", verbs.join(", "))?,
        }
        if let Some(tells) = &self.tells {
            write!(text, " tells {tells}")?;
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(toml: &str) -> Need {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn a_need_is_about_its_resources_and_verbs() {
        let secrets = need("resource = \"secrets\"\nverbs = [\"get\"]\nlevel = \"Metadata\"");
        assert!(secrets.is_about("", Some("secrets"), "", "get"));
        for (resource, subresource, verb) in [
            (Some("secrets"), "", "list"),
            (Some("secrets"), "status", "get"),
            (Some("pods"), "", "get"),
            (None, "", "get"),
        ] {
            assert!(!secrets.is_about("", resource, subresource, verb), "{resource:?} {subresource} {verb}");
        }
        assert_eq!(secrets.stages, [Stage::ResponseComplete]);
        assert_eq!(secrets.to_string(), "level Metadata for get of `secrets`");

        let exec = need("resource = [\"pods\"]\nsubresource = [\"\", \"exec\"]\nlevel = \"Request\"\nstages = []");
        assert!(exec.is_about("", Some("pods"), "exec", "create") && exec.is_about("", Some("pods"), "", "create"));
        assert!(!exec.is_about("", Some("pods"), "log", "get"));
        assert_eq!(exec.to_string(), "level Request for `pods`, `pods/exec`");

        let all = need("level = \"Metadata\"\nstages = [\"ResponseStarted\"]");
        assert!(all.is_about("x", None, "", "post") && all.is_about("", Some("pods"), "log", "get"));
        assert_eq!(all.to_string(), "level Metadata and stage ResponseStarted for every request");

        let paths = need("paths = true\nlevel = \"Metadata\"");
        assert!(paths.is_about("", None, "", "get") && !paths.is_about("", Some("pods"), "", "get"));
        assert_eq!(paths.to_string(), "level Metadata for requests to paths");
        assert!(need("paths = true\nresource = \"pods\"\nlevel = \"Metadata\"").broken().is_some());

        let group = need("group = \"rbac.authorization.k8s.io\"\nresource = \"roles\"\nlevel = \"Metadata\"");
        assert!(group.is_about("rbac.authorization.k8s.io", Some("roles"), "", "create"));
        assert!(!group.is_about("", Some("roles"), "", "create"));
    }

    #[test]
    fn what_no_log_could_meet_is_refused() {
        for text in [
            "level = \"None\"",
            "level = \"Metadata\"\nsubresource = \"exec\"",
            "level = \"Metadata\"\nresource = \"pods/exec\"",
            "level = \"Metadata\"\nverbs = [\"GET\"]",
            "level = \"Metadata\"\nresource = [\"\"]",
            "level = \"Metadata\"\ntells = \" \"",
        ] {
            assert!(need(text).broken().is_some(), "{text}");
        }
        assert!(toml::from_str::<Need>("level = \"Everything\"").is_err());
        assert!(toml::from_str::<Need>("resource = \"pods\"").is_err());
        assert!(toml::from_str::<Need>("level = \"Metadata\"\nstage = []").is_err());
    }
}

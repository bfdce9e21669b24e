//! How a right lets its holder act as somebody else, or give rights to themselves.
//!
//! A way is what somebody *can come to*: a pod that may run as an account is told as well as a token of it. What is not
//! known (which account a pod runs as, whose certificate is approved) never makes a way less.

use super::authorize::Who;
use super::rule::Asked;
use super::who::{Power, Subject};
use crate::kinds::{RBAC, makers};

/// Of what constrained impersonation is about (Kubernetes 1.35).
const AUTHENTICATION: &str = "authentication.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";

/// Whose rights are wanted.
#[derive(Debug, Clone, Copy)]
enum Target<'a> {
    User(&'a str),
    Group(&'a str),
    /// A service account; `None` stands for any.
    Account(Option<&'a str>, Option<&'a str>),
    /// A kubelet; `None` stands for any.
    Node(Option<&'a str>),
}

/// What the name is of an object that is asked for.
#[derive(Debug, Clone, Copy)]
enum Name<'a> {
    /// It has none yet.
    None,
    /// Whatever it is.
    Any,
    Is(&'a str),
}

/// A right with what it does for whoever wants to be a service account, which is asked for every account.
pub(super) struct Deputy<'a> {
    pub(super) power: &'a Power,
    /// What was given to the same subject, and to groups that it always belongs to.
    held: Vec<&'a Power>,
    on_pods: Option<&'static str>,
    approves: bool,
}

impl<'a> Target<'a> {
    fn of(subject: &'a Subject) -> Option<Self> {
        let name = subject.name.as_str();
        Some(match subject.kind.as_str() {
            "ServiceAccount" => Self::Account(Some(&subject.namespace), Some(name)),
            "User" => match name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
                Some((namespace, account)) => Self::Account(Some(namespace), Some(account)),
                None => name.strip_prefix("system:node:").map_or(Self::User(name), |node| Self::Node(Some(node))),
            },
            "Group" => match name.strip_prefix("system:serviceaccounts") {
                Some("") => Self::Account(None, None),
                Some(rest) if rest.starts_with(':') => Self::Account(rest.strip_prefix(':'), None),
                _ if name == "system:nodes" => Self::Node(None),
                _ => Self::Group(name),
            },
            _ => return None,
        })
    }
}

/// Ways to act as one subject, at most.
const WAYS_MAX: usize = 5;

/// By constrained impersonation.
const FOR_SOME: &str = "impersonates, for some requests,";

/// A way to act as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    /// In words.
    pub(super) how: &'static str,
    /// Whether it is a request in the name of the other: who is asked for in such a request cannot ask for a third in it.
    pub(super) is_impersonation: bool,
}

impl Way {
    const fn impersonates(how: &'static str) -> Self {
        Self { how, is_impersonation: true }
    }

    /// By coming to a credential of the other.
    const fn takes(how: &'static str) -> Self {
        Self { how, is_impersonation: false }
    }
}

impl<'a> Deputy<'a> {
    pub(super) fn of(power: &'a Power, all: &'a [Power]) -> Self {
        let writes = |verbs: &[&str], name: Name<'_>| {
            makers().any(|(group, kind)| verbs.iter().any(|verb| may(power, verb, group, kind, name)))
        };
        let enters = ["pods/exec", "pods/attach", "pods/ephemeralcontainers", "nodes/proxy"];
        let enters = || {
            let verbs = ["create", "get", "update", "patch"];
            enters.iter().any(|kind| verbs.iter().any(|verb| may(power, verb, "", kind, Name::Any)))
        };
        let on_pods = match () {
            () if writes(&["create"], Name::None) => Some("makes a pod that runs as"),
            () if writes(&["update", "patch"], Name::Any) => Some("changes a pod that may run as"),
            () if enters() => Some("enters a pod that may run as"),
            () => None,
        };
        let approval = "certificatesigningrequests/approval";
        let approves = ["update", "patch"].iter().any(|verb| may(power, verb, CERTIFICATES, approval, Name::Any));
        let held = if is_constrained(power) { held_by(&power.subject, all) } else { Vec::new() };
        Self { power, held, on_pods, approves }
    }

    /// How the right lets its holder act as another, the best way first. `wanted` is what the other is to be asked to do, where
    /// that is known.
    pub(super) fn ways(&self, target: &Subject, wanted: Option<&Asked>) -> impl Iterator<Item = Way> + use<> {
        self.ways_to(target, wanted).into_iter().flatten()
    }

    fn ways_to(&self, target: &Subject, wanted: Option<&Asked>) -> [Option<Way>; WAYS_MAX] {
        let power = self.power;
        let is_masters = target.kind == "Group" && target.name == super::authorize::MASTERS;
        let Some(of) = Target::of(target) else { return [None; WAYS_MAX] };
        let of_all = |verb: &str, group: &str, kind: &str, name: Name<'_>| {
            power.namespace.is_none() && may(power, verb, group, kind, name)
        };
        let group = (target.kind == "Group" && of_all("impersonate", "", "groups", Name::Is(&target.name)))
            .then_some(Way::impersonates("impersonates a member of"));
        let limited = |verb: &str, kind: &str, name: Name<'_>| {
            of_all(verb, AUTHENTICATION, kind, name)
                && self.may_ask_for(verb.trim_start_matches("impersonate:"), wanted)
        };
        match of {
            Target::User(name) | Target::Group(name) => {
                let kind = if matches!(of, Target::User(_)) { "users" } else { "groups" };
                let name = Name::Is(name);
                [
                    group,
                    (kind == "users" && of_all("impersonate", "", kind, name))
                        .then_some(Way::impersonates("impersonates")),
                    limited("impersonate:user-info", kind, name).then_some(Way::impersonates(FOR_SOME)),
                    // The API server signs no certificates for system:masters.
                    (self.approves && !is_masters).then_some(Way::takes("approves a certificate of")),
                    None,
                ]
            }
            Target::Node(node) => {
                let user = node.map(|node| format!("system:node:{node}"));
                let user = user.as_deref().map_or(Name::Any, Name::Is);
                let node = node.map_or(Name::Any, Name::Is);
                [
                    group,
                    of_all("impersonate", "", "users", user).then_some(Way::impersonates("impersonates")),
                    limited("impersonate:arbitrary-node", "nodes", node).then_some(Way::impersonates(FOR_SOME)),
                    limited("impersonate:associated-node", "nodes", Name::Any)
                        .then_some(Way::impersonates("impersonates, from a pod on it and for some requests,")),
                    self.approves.then_some(Way::takes("approves a certificate of")),
                ]
            }
            Target::Account(namespace, account) => {
                if let (Some(own), Some(namespace)) = (power.namespace.as_deref(), namespace)
                    && own != namespace
                {
                    return [group, None, None, None, None];
                }
                let name = account.map_or(Name::Any, Name::Is);
                let takes = match () {
                    () if may(power, "create", "", "serviceaccounts/token", name) => Some("mints a token of"),
                    () if self.on_pods.is_some() => self.on_pods,
                    () if ["get", "list", "watch"].iter().any(|verb| reads_tokens(power, verb, account)) => {
                        Some("reads a secret that may hold a token of")
                    }
                    () => None,
                };
                let is_limited = may(power, "impersonate:serviceaccount", AUTHENTICATION, "serviceaccounts", name)
                    && self.may_ask_for("serviceaccount", wanted);
                [
                    group,
                    may(power, "impersonate", "", "serviceaccounts", name).then_some(Way::impersonates("impersonates")),
                    takes.map(Way::takes),
                    is_limited.then_some(Way::impersonates(FOR_SOME)),
                    None,
                ]
            }
        }
    }

    /// Of constrained impersonation: whether the holder may have the other do what is wanted; anything, when that is not known.
    fn may_ask_for(&self, mode: &str, wanted: Option<&Asked>) -> bool {
        let prefix = format!("impersonate-on:{mode}:");
        match wanted {
            Some(asked) => {
                let asked = Asked { verb: format!("{prefix}{}", asked.verb), ..asked.clone() };
                self.held.iter().any(|power| power.allows(&asked))
            }
            None => {
                let is_one = |verb: &String| verb.starts_with(&prefix) || verb == "*";
                self.held.iter().any(|power| power.rule.verbs.iter().any(is_one))
            }
        }
    }
}

/// How a right lets its holder give the wanted one to themselves.
pub(super) fn raises(power: &Power, asked: &Asked) -> Option<&'static str> {
    let namespace = if asked.path.is_some() { "" } else { asked.namespace.as_str() };
    if !power.counts_in(namespace) {
        return None;
    }
    let has = |verb: &str| ["clusterroles", "roles"].iter().any(|kind| may(power, verb, RBAC, kind, Name::Any));
    match (has("escalate"), has("bind"), power.rule.resource_names.is_empty()) {
        (true, _, true) => Some("writes any rule into a role (escalate)"),
        (true, _, false) => Some("writes any rule into certain roles (escalate)"),
        (false, true, true) => Some("binds any role (bind)"),
        (false, true, false) => Some("binds certain roles (bind)"),
        (false, false, _) => None,
    }
}

/// Whether a right counts for this, in whatever namespace it counts.
fn may(power: &Power, verb: &str, group: &str, resource: &str, name: Name<'_>) -> bool {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let names = &power.rule.resource_names;
    let is_named = match name {
        Name::None => names.is_empty(),
        Name::Any => true,
        Name::Is(name) => names.is_empty() || names.iter().any(|one| one == name),
    };
    is_named && power.rule.is_about(verb, group, resource, subresource)
}

/// Whether secrets are read of which one may hold a token of the account: up to 1.24 they are called `account-token-…`.
fn reads_tokens(power: &Power, verb: &str, account: Option<&str>) -> bool {
    let names = &power.rule.resource_names;
    let is_of = |secret: &String| match account {
        Some(account) => secret.strip_prefix(account).is_some_and(|rest| rest.starts_with("-token-")),
        None => secret.contains("-token-"),
    };
    may(power, verb, "", "secrets", Name::Any) && (names.is_empty() || names.iter().any(is_of))
}

/// Whether it lets somebody act as another for certain requests alone.
fn is_constrained(power: &Power) -> bool {
    power.rule.verbs.iter().any(|verb| verb.starts_with("impersonate:"))
}

/// The rights of a subject, and of the groups that it always belongs to.
fn held_by<'a>(subject: &Subject, all: &'a [Power]) -> Vec<&'a Power> {
    let user = match subject.kind.as_str() {
        "User" => Some(subject.name.clone()),
        "ServiceAccount" => Some(format!("system:serviceaccount:{}:{}", subject.namespace, subject.name)),
        _ => None,
    };
    let who = user.map(|user| Who::named(&user, &[]));
    let is_of = |power: &&Power| power.subject == *subject || who.as_ref().is_some_and(|who| power.subject.is(who));
    all.iter().filter(is_of).collect()
}

//! What an intrusion touches, and what joins it.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

/// What prefix the names of service accounts have.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// What prefix the names of nodes have.
const NODE: &str = "system:node:";

/// How sure a conclusion is. A chain is as strong as its weakest edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Something is shared that others could share, too: an address, a client, a moment.
    Possible,
    /// The same credential in a new place, or what was within reach and then used out of its place.
    Likely,
    /// The log says so.
    Proved,
}

impl Strength {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Proved => "proved",
        }
    }
}

/// What sort of thing a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Somebody who sends requests, by the name that the server knows.
    Identity,
    /// The rights of somebody, used by impersonation; the somebody need not know.
    Rights,
    /// A source address.
    Address,
    /// A client, by what it calls itself.
    Agent,
    /// A token or certificate.
    Credential,
    /// A certificate that was asked for.
    Certificate,
    /// A pod.
    Pod,
    /// A secret, or all of a namespace or cluster.
    Secret,
    /// A role or binding, written as `clusterrolebindings/name`.
    Rbac,
    /// What runs pods, written as `daemonsets/namespace/name`.
    Workload,
    /// Any other object, written as `resource/namespace/name`.
    Object,
    /// One request.
    Request,
}

/// A thing that an intrusion touches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its name: of an identity the whole user name.
    pub name: String,
}

impl Node {
    /// A node.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    /// The identity of a service account.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self::new(Kind::Identity, format!("{SERVICE_ACCOUNT}{namespace}:{name}"))
    }

    /// Namespace and name of a service account.
    pub fn as_service_account(&self) -> Option<(&str, &str)> {
        let rest = self.name.strip_prefix(SERVICE_ACCOUNT).filter(|_| self.kind == Kind::Identity)?;
        rest.split_once(':').filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty())
    }

    /// Whether nobody in particular stands behind it.
    pub fn is_anonymous(&self) -> bool {
        self.kind == Kind::Identity && self.name == "system:anonymous"
    }
}

impl fmt::Display for Node {
    /// As a seed is written: `sa:prod/web`, `ip:10.0.0.1`.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.kind {
            Kind::Identity => {
                if let Some((namespace, name)) = self.as_service_account() {
                    return write!(to, "sa:{namespace}/{name}");
                }
                match self.name.strip_prefix(NODE) {
                    Some(node) => return write!(to, "node:{node}"),
                    None => "user",
                }
            }
            Kind::Rights => "rights-of",
            Kind::Address => "ip",
            Kind::Agent => "agent",
            Kind::Credential => "credential",
            Kind::Certificate => "certificate",
            Kind::Pod => "pod",
            Kind::Secret => "secret",
            Kind::Rbac | Kind::Workload | Kind::Object => return to.write_str(&self.name),
            Kind::Request => "audit",
        };
        write!(to, "{prefix}:{}", self.name)
    }
}

/// Why a seed cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{given}` is no clue: expected user:NAME, sa:NAMESPACE/NAME, node:NAME, pod:NAMESPACE/NAME, ip:ADDRESS, agent:NAME, credential:ID or audit:ID"
)]
pub struct SeedError {
    /// What was given.
    pub given: String,
}

/// Reads a seed: `user:`, `ip:`, `credential:`, `pod:ns/name`, `sa:ns/name`, `node:`, `agent:`, `audit:ID`.
///
/// # Errors
/// When it has none of the forms.
pub fn seed(text: &str) -> Result<Node, SeedError> {
    let wrong = || SeedError { given: text.to_owned() };
    let (prefix, name) = text.split_once(':').ok_or_else(wrong)?;
    if name.is_empty() {
        return Err(wrong());
    }
    match prefix {
        "user" => Ok(Node::new(Kind::Identity, name)),
        "sa" => {
            let (namespace, name) = name.split_once(['/', ':']).ok_or_else(wrong)?;
            match namespace.is_empty() || name.is_empty() || name.contains(['/', ':']) {
                true => Err(wrong()),
                false => Ok(Node::service_account(namespace, name)),
            }
        }
        "node" => Ok(Node::new(Kind::Identity, format!("{NODE}{name}"))),
        "pod" => match name.split_once('/') {
            Some((namespace, pod)) if !namespace.is_empty() && !pod.is_empty() && !pod.contains('/') => {
                Ok(Node::new(Kind::Pod, name))
            }
            _ => Err(wrong()),
        },
        "ip" => {
            let address: std::net::IpAddr = name.parse().map_err(|_| wrong())?;
            Ok(Node::new(Kind::Address, address.to_string()))
        }
        "agent" => Ok(Node::new(Kind::Agent, name)),
        "credential" => Ok(Node::new(Kind::Credential, name)),
        "audit" => Ok(Node::new(Kind::Request, name)),
        _ => Err(wrong()),
    }
}

/// Why one thing leads to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// What was known.
    pub from: Node,
    /// What it leads to.
    pub to: Node,
    /// What joins them, as a verb: `used`, `minted a token of`.
    pub kind: &'static str,
    /// How far the log proves it.
    pub strength: Strength,
    /// When it happened first, in microseconds since 1970.
    pub time: i64,
    /// When the last of several deeds was that tell the same: what was made again is not gone because the first was
    /// deleted.
    pub last: i64,
    /// Requests that tell it, oldest first.
    pub audit_ids: Vec<String>,
    /// What else there is to say.
    pub note: Option<String>,
}

/// Deeds that tell the same are one edge: as sure as the surest, since the first of these, with all their requests.
pub(super) fn merged(edges: Vec<Edge>) -> Vec<Edge> {
    let mut all: Vec<Edge> = Vec::with_capacity(edges.len());
    let mut places: BTreeMap<(Node, Node, &'static str), usize> = BTreeMap::new();
    for mut edge in edges {
        let Some(at) = places.get(&(edge.from.clone(), edge.to.clone(), edge.kind)) else {
            places.insert((edge.from.clone(), edge.to.clone(), edge.kind), all.len());
            all.push(edge);
            continue;
        };
        let known = &mut all[*at];
        let last = known.last.max(edge.last);
        // One request can name the same thing more than once.
        let is_told = known.audit_ids.last() == edge.audit_ids.last();
        let new = if is_told { Vec::new() } else { std::mem::take(&mut edge.audit_ids) };
        let mut audit_ids = std::mem::take(&mut known.audit_ids);
        audit_ids.extend(new);
        if edge.strength > known.strength {
            *known = edge;
        }
        (known.last, known.audit_ids) = (last, audit_ids);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_written_as_they_are_read() {
        for text in [
            "user:bob",
            "user:oidc:a:b",
            "sa:prod/web",
            "node:worker-1",
            "pod:prod/web-1",
            "ip:10.0.0.1",
            "ip:2001:db8::1",
            "agent:curl/8.5.0",
            "credential:JTI=1",
            "audit:x:y",
        ] {
            assert_eq!(seed(text).unwrap().to_string(), text);
        }
        assert_eq!(seed("user:system:serviceaccount:prod:web").unwrap().to_string(), "sa:prod/web");
        for text in ["bob", "user:", "sa:web", "sa:a/b/c", "pod:web", "ip:bob", "ip:10.0.0.0/8", "evil:x", ""] {
            assert!(seed(text).is_err(), "{text}");
        }
    }
}

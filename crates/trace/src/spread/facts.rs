//! What the log tells about a thing itself: of a pod its service account and its node.

use super::closure::{Search, State};
use super::node::{Edge, Kind, Node, Strength};
use crate::evidence::{Activity, Evidence, Request};

/// A request, counted as one.
pub(super) fn activity_of(request: &Request) -> Activity {
    Activity {
        user: request.user.clone(),
        address: request.address.clone(),
        agent: request.agent.clone(),
        credential: request.credential.clone(),
        act: request.act.clone(),
        outcome: request.outcome,
        requests: 1,
        first: request.time,
        last: request.time,
        audit_ids: vec![request.audit_id.clone()],
    }
}

/// From a pod to the account that it runs as, whose token lies in it.
pub(super) fn visit_pod<E: Evidence>(
    search: &mut Search<'_>,
    evidence: &mut E,
    node: &Node,
    state: &State,
) -> Result<(), E::Error> {
    let Some((namespace, name)) = node.name.split_once('/') else { return Ok(()) };
    let mut facts = evidence.pods(&[(namespace.to_owned(), name.to_owned())])?;
    facts.sort();
    for fact in facts {
        // It is within reach from when the pod was entered, whenever the log told who it runs as.
        let time = state.since.unwrap_or(fact.time);
        if let Some(account) = fact.service_account {
            search.add(Edge {
                from: node.clone(),
                to: Node::service_account(namespace, &account),
                kind: "runs as",
                strength: if state.is_seed { Strength::Likely } else { Strength::Possible },
                time,
                last: time,
                audit_ids: vec![fact.audit_id.clone()],
                note: fact.node.as_ref().map(|node| format!("on the node {node}")),
            });
        }
        if let Some(host) = fact.node.filter(|_| state.is_seed) {
            search.add(Edge {
                from: node.clone(),
                to: Node::new(Kind::Identity, format!("system:node:{host}")),
                kind: "runs on",
                strength: Strength::Possible,
                time,
                last: time,
                audit_ids: vec![fact.audit_id],
                note: None,
            });
        }
    }
    Ok(())
}

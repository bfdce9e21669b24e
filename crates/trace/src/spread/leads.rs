//! What else did not fit at the time: nothing joins it to the clue but the moment, so it is *possible*, and is not crossed.

use std::collections::BTreeSet;

use super::closure::Search;
use super::node::{Edge, Kind, Node, Strength};
use crate::evidence::{Activity, Outcome};
use crate::kinds::is_rbac;

/// How long before and after the intrusion something unusual may belong to it, in microseconds.
const MARGIN_MICROS: i64 = 5 * 60 * 1_000_000;

/// Requests of an identity before, from which on a new client or address of it says something.
const PAST_REQUESTS: u64 = 10;

/// And at least this share of all its requests, as one part in so many.
const PAST_SHARE: u64 = 8;

/// Leads that are told; the others are counted.
pub(super) const LEADS_MAX: usize = 50;

/// A lead: who, and the activities that did not fit.
pub(super) struct Lead {
    pub(super) node: Node,
    pub(super) since: i64,
    pub(super) edge: Edge,
}

/// Finds who did something alarming out of their place while the intrusion went on, or as somebody unknown to the server.
pub(super) fn find(search: &Search<'_>) -> Vec<Lead> {
    let Some((first, last, anchor)) = span(search) else { return Vec::new() };
    let is_near = |time: i64| time >= first - MARGIN_MICROS && time <= last + MARGIN_MICROS;
    let mut leads = Vec::new();
    for (user, habit) in search.habits.users() {
        let node = Node::new(Kind::Identity, user);
        let known = search.nodes.get(&node);
        let is_in = |state: &super::closure::State| state.is_seed || state.strength > Strength::Possible;
        if known.is_some_and(is_in) || node.is_anonymous() {
            continue;
        }
        let Some(since) = first_alarm(search, user, habit.requests(), &is_near) else { continue };
        // What came within reach may have been used before that, by another way in.
        if known.is_some_and(|state| state.since.is_none_or(|known| known <= since)) {
            continue;
        }
        let activity = search.habits.of_user(user).find(|activity| activity.first == since);
        if let Some(activity) = activity {
            leads.push(lead(&anchor, node, activity));
        }
    }
    leads.extend(strangers(search, &anchor, &is_near));
    leads.sort_by(|left, right| (left.since, &left.node).cmp(&(right.since, &right.node)));
    leads
}

fn lead(anchor: &Node, node: Node, activity: &Activity) -> Lead {
    let edge = Edge {
        from: anchor.clone(),
        to: node.clone(),
        kind: "at the same time",
        strength: Strength::Possible,
        time: activity.first,
        last: activity.first,
        audit_ids: activity.audit_ids.clone(),
        note: Some("nothing but the time joins them".to_owned()),
    };
    Lead { node, since: activity.first, edge }
}

/// From when to when the intrusion is seen in identities that are surely or likely part of it, and one to hang leads on.
fn span(search: &Search<'_>) -> Option<(i64, i64, Node)> {
    let mut span: Option<(i64, i64)> = None;
    let seed = search.nodes.iter().find(|(_, state)| state.is_seed).map(|(node, _)| node.clone())?;
    for (node, state) in &search.nodes {
        let times: Vec<(i64, i64)> = match node.kind {
            Kind::Identity => {
                let out = search.unusual(&node.name, state.since);
                out.iter().filter(|(_, signs)| signs.is_out_of_place()).map(|(a, _)| (a.first, a.last)).collect()
            }
            Kind::Address if state.is_seed && state.cut.is_none() => {
                search.habits.of_address(&node.name).map(|activity| (activity.first, activity.last)).collect()
            }
            _ => Vec::new(),
        };
        if state.strength == Strength::Possible {
            continue;
        }
        for (first, last) in times {
            let (from, to) = span.unwrap_or((first, last));
            span = Some((from.min(first), to.max(last)));
        }
    }
    for request in &search.seeded {
        let (from, to) = span.unwrap_or((request.time, request.time));
        span = Some((from.min(request.time), to.max(request.time)));
    }
    span.map(|(first, last)| (first, last, seed))
}

/// When an identity first did something alarming near the intrusion, out of its place.
fn first_alarm(search: &Search<'_>, user: &str, requests: u64, is_near: &dyn Fn(i64) -> bool) -> Option<i64> {
    let habit = search.habits.habit(user)?;
    let log_begins = search.habits.activities.first().map(|activity| activity.first)?;
    let alarming = search.habits.of_user(user).filter(|activity| is_near(activity.first) && is_alarming(activity));
    let out_of_place = alarming.filter(|activity| {
        if requests < PAST_REQUESTS {
            // Somebody of whom there is next to nothing but refusals.
            return activity.outcome == Outcome::Denied && habit.first().is_some_and(|first| first > log_begins);
        }
        // At its start everything is new.
        if search.requests_before(user, activity.first) < PAST_REQUESTS.max(requests / PAST_SHARE) {
            return false;
        }
        let signs = habit.signs(activity, Some(activity.first));
        signs.is_out_of_place()
    });
    out_of_place.map(|activity| activity.first).min()
}

/// Requests of nobody that the server knows, by their addresses, and anonymous ones for resources.
fn strangers(search: &Search<'_>, anchor: &Node, is_near: &dyn Fn(i64) -> bool) -> Vec<Lead> {
    let mut seen = BTreeSet::new();
    let mut leads = Vec::new();
    for activity in &search.habits.activities {
        let is_stranger = match &activity.user {
            None => true,
            Some(user) => user == "system:anonymous" && activity.act.resource.is_some(),
        };
        if !is_stranger || !is_near(activity.first) {
            continue;
        }
        let agent = activity.agent.clone().unwrap_or_default();
        let address = activity.address.clone().unwrap_or_default();
        let node = match search.habits.shared_address(&address) {
            None => Node::new(Kind::Address, address),
            Some(_) => Node::new(Kind::Agent, agent),
        };
        if node.name.is_empty() || !seen.insert(node.clone()) || search.nodes.contains_key(&node) {
            continue;
        }
        leads.push(lead(anchor, node, activity));
    }
    leads
}

impl Search<'_> {
    /// About how many requests of an identity came before a moment; of those that went on half are taken.
    fn requests_before(&self, user: &str, time: i64) -> u64 {
        let before = self.habits.of_user(user).filter(|activity| activity.first < time);
        before
            .map(|activity| if activity.last < time { activity.requests } else { activity.requests.div_ceil(2) })
            .sum()
    }
}

/// Whether an intruder's request may look so, and few others do.
fn is_alarming(activity: &Activity) -> bool {
    let act = &activity.act;
    let (resource, subresource) = (act.resource.as_deref(), act.subresource.as_deref());
    let is_write = matches!(act.verb.as_str(), "create" | "update" | "patch" | "delete" | "deletecollection");
    activity.outcome == Outcome::Denied
        || act.impersonated.is_some()
        || resource == Some("secrets")
        || matches!(subresource, Some("exec" | "attach" | "portforward" | "ephemeralcontainers" | "proxy" | "token"))
        || matches!(resource, Some("selfsubjectrulesreviews" | "selfsubjectaccessreviews"))
        || (is_write
            && (is_rbac(act.api_group.as_deref().unwrap_or_default(), resource.unwrap_or_default())
                || matches!(
                    resource,
                    Some(
                        "certificatesigningrequests"
                            | "validatingwebhookconfigurations"
                            | "mutatingwebhookconfigurations"
                    )
                )))
}

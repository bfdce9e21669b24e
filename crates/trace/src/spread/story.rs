//! The story in time order, and what stays unknown.

use std::collections::BTreeSet;

use super::closure::{Search, State};
use super::facts::activity_of;
use super::leads::{LEADS_MAX, Lead};
use super::node::{Edge, Kind, Node, Strength};
use super::{Spread, Step};
use crate::evidence::{Activity, Request};

impl Search<'_> {
    /// Takes leads up as possible, and not crossed.
    pub(super) fn add_leads(&mut self, leads: Vec<Lead>) {
        if leads.len() > LEADS_MAX {
            let more = leads.len() - LEADS_MAX;
            self.notes.insert(format!("{more} more identities and addresses did something unusual at the time"));
        }
        for lead in leads.into_iter().take(LEADS_MAX) {
            let is_new = !self.nodes.contains_key(&lead.node);
            self.add(lead.edge);
            if let Some(state) = self.nodes.get_mut(&lead.node).filter(|_| is_new) {
                state.cut = Some("nothing but the time joins it to the clue".to_owned());
            }
        }
    }
}

/// Puts together what a search found.
pub(super) fn tell(search: Search<'_>) -> Spread {
    let mut story = Vec::new();
    let mut fitting = 0;
    for (node, state) in &search.nodes {
        match node.kind {
            Kind::Identity if !node.is_anonymous() => fitting += of_identity(&search, node, state, &mut story),
            Kind::Address | Kind::Agent => of_strangers(&search, node, state, &mut story),
            _ => (),
        }
    }
    for request in &search.seeded {
        let is_told = story.iter().any(|step: &Step| step.audit_ids.contains(&request.audit_id));
        if let Some(user) = request.user.as_ref().filter(|_| !is_told) {
            story.push(step_of(Node::new(Kind::Identity, user), request, Strength::Proved, Vec::new()));
        }
    }
    story.sort_by(|left, right| {
        let key = |step: &Step| (step.first, step.last, step.who.clone(), step.act.clone(), step.audit_ids.clone());
        key(left).cmp(&key(right))
    });
    let unknown = unknown(&search, fitting);
    let touched = search.touched();
    let mut edges: Vec<Edge> = search.edges.into_values().collect();
    edges.sort_by(|left, right| {
        let key = |edge: &Edge| (edge.time, edge.from.clone(), edge.to.clone(), edge.kind);
        key(left).cmp(&key(right))
    });
    Spread { touched, edges, story, unknown }
}

/// Tells what an identity did: deeds one by one, the rest counted. Returns the requests that fit its past.
fn of_identity(search: &Search<'_>, node: &Node, state: &State, story: &mut Vec<Step>) -> u64 {
    let Some(habit) = search.habits.habit(&node.name) else { return 0 };
    if state.cut.as_deref().is_some_and(|cut| cut.starts_with("used by many")) {
        return 0;
    }
    let strengths = search.deed_strengths(node, state);
    let mut told = BTreeSet::new();
    for deed in search.deeds.get(&node.name).into_iter().flatten() {
        let Some(strength) = strengths.get(&deed.audit_id) else { continue };
        let activity = activity_of(deed);
        let signs = habit.signs(&activity, state.since).words();
        told.insert((deed.act.clone(), deed.address.clone(), deed.agent.clone(), deed.outcome));
        story.push(step_of(node.clone(), deed, (*strength).min(state.strength), signs));
    }
    let mut fitting = 0;
    for activity in search.habits.of_user(&node.name).filter(|activity| search.is_in_time(activity.first)) {
        if state.since.is_some_and(|since| activity.last < since) {
            continue;
        }
        let signs = habit.signs(activity, state.since);
        let key = (activity.act.clone(), activity.address.clone(), activity.agent.clone(), activity.outcome);
        if told.contains(&key) {
            continue;
        }
        if !signs.is_unusual() || state.since.is_some_and(|since| activity.first < since) {
            fitting += activity.requests;
            continue;
        }
        let strength = match (signs.is_out_of_place(), state.is_seed) {
            (true, _) | (_, true) => state.strength,
            (false, false) => state.strength.min(Strength::Likely),
        };
        story.push(counted(node.clone(), activity, strength, signs.words()));
    }
    fitting
}

/// Requests of nobody that the server knows.
fn of_strangers(search: &Search<'_>, node: &Node, state: &State, story: &mut Vec<Step>) {
    let is_shared = state.cut.as_deref().is_some_and(|cut| cut.starts_with("shared") || cut.starts_with("a common"));
    if is_shared {
        return;
    }
    let activities: Vec<&Activity> = match node.kind {
        Kind::Address => search.habits.of_address(&node.name).collect(),
        _ => search.habits.of_agent(&node.name).collect(),
    };
    for activity in activities {
        let is_stranger = activity.user.as_deref().is_none_or(|user| user == "system:anonymous");
        if is_stranger && search.is_in_time(activity.first) && state.since.is_none_or(|since| activity.last >= since) {
            story.push(counted(node.clone(), activity, state.strength, Vec::new()));
        }
    }
}

fn counted(who: Node, activity: &Activity, strength: Strength, signs: Vec<&'static str>) -> Step {
    Step {
        first: activity.first,
        last: activity.last,
        who,
        act: activity.act.clone(),
        name: None,
        outcome: activity.outcome,
        address: activity.address.clone(),
        agent: activity.agent.clone(),
        strength,
        signs,
        requests: activity.requests,
        audit_ids: activity.audit_ids.clone(),
    }
}

fn step_of(who: Node, request: &Request, strength: Strength, signs: Vec<&'static str>) -> Step {
    Step { name: request.name.clone(), ..counted(who, &activity_of(request), strength, signs) }
}

fn unknown(search: &Search<'_>, fitting: u64) -> Vec<String> {
    let mut unknown: Vec<String> = search.notes.iter().cloned().collect();
    for edge in search.edges.values() {
        if edge.note.as_deref() == Some("names are not logged") {
            let what = match edge.to.name.strip_suffix("/*") {
                Some("*") => "all secrets of the cluster".to_owned(),
                Some(namespace) => format!("all secrets of the namespace `{namespace}`"),
                None => continue,
            };
            unknown.push(format!("{what} were handed out to {}; their names are not logged", edge.from));
        }
    }
    for (node, state) in &search.nodes {
        match node.kind {
            Kind::Pod if !search.edges.values().any(|edge| edge.from == *node && edge.kind == "runs as") => {
                unknown.push(format!("as whom {node} runs is not in the log"));
            }
            Kind::Workload if !search.edges.values().any(|edge| edge.from == *node && edge.kind == "runs as") => {
                unknown.push(format!("as whom the pods of {node} run is not in the log"));
            }
            Kind::Request if !search.edges.values().any(|edge| edge.from == *node) => {
                unknown.push(format!("there is no request with the id of {node}"));
            }
            Kind::Identity | Kind::Address | Kind::Agent | Kind::Credential
                if state.is_seed && state.cut.is_none() && !search.edges.values().any(|edge| edge.from == *node) =>
            {
                unknown.push(format!("{node} leads nowhere: nothing that it did stands out"));
            }
            _ => (),
        }
    }
    if fitting > 0 {
        unknown.push(format!(
            "{fitting} requests of these identities fit what they did before and are not in the story; an intruder could have sent them"
        ));
    }
    unknown.sort();
    unknown.dedup();
    unknown
}

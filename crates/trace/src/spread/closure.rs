//! The search: from node to node, the surest first, until nothing new is found or a bound is met.
//!
//! A node is gone through again when it turns out to be surer, or to have begun earlier, than was thought: both can only
//! get better, so the search ends. What a step finds does not depend on the order in which evidence comes.

use std::collections::{BTreeMap, BTreeSet};

use super::deed::{self, REACHES};
use super::facts;
use super::habit::Habits;
use super::node::{Edge, Kind, Node, Strength, merged};
use super::{Bounds, Touched};
use crate::evidence::{Act, Activity, BindingName, Evidence, Request};

/// Times that a node is gone through at most; each needs a better reason than the one before.
const VISITS: usize = 4;

/// Identities that a binding or credential may lead to before it counts as shared by many.
const USERS_OF_A_SHARED_BINDING: usize = 5;

/// What is known about a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) strength: Strength,
    /// `None` for a seed without a first moment.
    pub(super) since: Option<i64>,
    pub(super) depth: usize,
    pub(super) cut: Option<String>,
    pub(super) is_seed: bool,
    /// Something of it came within reach, rather than being seen in use.
    within_reach: bool,
    visits: usize,
    is_waiting: bool,
}

/// A search under way.
pub(super) struct Search<'a> {
    pub(super) habits: Habits,
    pub(super) bounds: &'a Bounds,
    pub(super) nodes: BTreeMap<Node, State>,
    /// By the nodes and the kind: the first of its kind counts.
    pub(super) edges: BTreeMap<(Node, Node, &'static str), Edge>,
    /// Requests with consequences, by user.
    pub(super) deeds: BTreeMap<String, Vec<Request>>,
    /// Requests that were given as seeds.
    pub(super) seeded: Vec<Request>,
    pub(super) notes: BTreeSet<String>,
}

impl<'a> Search<'a> {
    pub(super) fn new(habits: Habits, bounds: &'a Bounds) -> Self {
        Self {
            habits,
            bounds,
            nodes: BTreeMap::new(),
            edges: BTreeMap::new(),
            deeds: BTreeMap::new(),
            seeded: Vec::new(),
            notes: BTreeSet::new(),
        }
    }

    pub(super) fn run<E: Evidence>(&mut self, evidence: &mut E, seeds: &[Node]) -> Result<(), E::Error> {
        for seed in seeds {
            self.add_seed(seed);
        }
        loop {
            let waiting = |strength| {
                let due = self.nodes.iter().filter(move |(_, state)| state.is_waiting && state.strength == strength);
                due.map(|(node, _)| node.clone()).collect::<Vec<_>>()
            };
            // The surest first: what they find may make others surer before these are gone through.
            let order = [Strength::Proved, Strength::Likely, Strength::Possible];
            let Some(due) = order.into_iter().map(waiting).find(|due| !due.is_empty()) else { return Ok(()) };
            self.read(evidence, &due)?;
            for node in due {
                self.visit(evidence, &node)?;
            }
        }
    }

    fn add_seed(&mut self, seed: &Node) {
        let state = State {
            strength: Strength::Proved,
            since: self.bounds.since,
            depth: 0,
            cut: None,
            is_seed: true,
            within_reach: false,
            visits: 0,
            is_waiting: true,
        };
        self.nodes.insert(seed.clone(), state);
    }

    /// Reads what the identities among `due` did, at once for all of them.
    fn read<E: Evidence>(&mut self, evidence: &mut E, due: &[Node]) -> Result<(), E::Error> {
        let identities = due.iter().filter(|node| node.kind == Kind::Identity);
        let of: Vec<(String, i64)> = identities
            .filter(|node| self.is_crossed(node))
            .filter(|node| self.habits.habit(&node.name).is_some() && !self.deeds.contains_key(&node.name))
            .map(|node| (node.name.clone(), self.bounds.since.unwrap_or(i64::MIN)))
            .collect();
        if of.is_empty() {
            return Ok(());
        }
        let deeds = evidence.deeds(&of, self.bounds.deeds)?;
        if deeds.len() >= self.bounds.deeds {
            let names: Vec<&str> = of.iter().map(|(user, _)| user.as_str()).collect();
            self.notes.insert(format!(
                "of {} only the first {} requests with consequences were followed",
                names.join(", "),
                self.bounds.deeds
            ));
        }
        for (user, _) in of {
            self.deeds.insert(user, Vec::new());
        }
        for deed in deeds {
            if self.is_in_time(deed.time)
                && let Some(known) = deed.user.as_ref().and_then(|user| self.deeds.get_mut(user))
            {
                known.push(deed);
            }
        }
        Ok(())
    }

    pub(super) fn is_in_time(&self, time: i64) -> bool {
        self.bounds.since.is_none_or(|since| time >= since) && self.bounds.until.is_none_or(|until| time < until)
    }

    /// Why many share a node, when they do; then it is not crossed, unless the user says so.
    fn shared_by(&self, node: &Node) -> Option<String> {
        if self.bounds.through.contains(node) {
            return None;
        }
        match node.kind {
            Kind::Address => {
                let homes = self.habits.shared_address(&node.name)?;
                Some(format!("shared by many: {homes} identities are at home there"))
            }
            Kind::Agent => {
                let users = self.habits.common_agent(&node.name)?;
                Some(format!("a common client: {users} identities use it"))
            }
            Kind::Identity if node.is_anonymous() => Some("nobody in particular: requests without credentials".into()),
            Kind::Identity => {
                let habit = self.habits.habit(&node.name).filter(|habit| habit.is_shared())?;
                let (addresses, agents) = habit.counts();
                let is_seed = self.nodes.get(node).is_some_and(|state| state.is_seed);
                (!is_seed).then(|| format!("used by many: from {addresses} addresses with {agents} clients"))
            }
            _ => None,
        }
    }

    fn is_crossed(&self, node: &Node) -> bool {
        self.shared_by(node).is_none()
            && self.nodes.get(node).is_none_or(|state| state.depth < self.bounds.depth && state.cut.is_none())
    }

    fn visit<E: Evidence>(&mut self, evidence: &mut E, node: &Node) -> Result<(), E::Error> {
        let shared = self.shared_by(node);
        let Some(state) = self.nodes.get_mut(node) else { return Ok(()) };
        state.is_waiting = false;
        state.visits += 1;
        if shared.is_some() {
            state.cut = shared;
            return Ok(());
        }
        if state.depth >= self.bounds.depth {
            state.cut = Some(format!("{} steps from the clue", state.depth));
            return Ok(());
        }
        let state = state.clone();
        match node.kind {
            Kind::Identity => self.visit_identity(node, &state),
            Kind::Address => self.visit_address(node, &state),
            Kind::Agent => self.visit_agent(node, &state),
            Kind::Credential => self.visit_credential(evidence, node, &state)?,
            Kind::Pod => facts::visit_pod(self, evidence, node, &state)?,
            Kind::Rbac => self.visit_binding(evidence, node, &state)?,
            Kind::Request => self.visit_request(evidence, node)?,
            Kind::Rights | Kind::Certificate | Kind::Secret | Kind::Workload | Kind::Object => (),
        }
        Ok(())
    }

    /// Adds an edge, and its end when it is new, surer than before, or earlier.
    pub(super) fn add(&mut self, edge: Edge) {
        if !self.is_in_time(edge.time) || edge.from == edge.to {
            return;
        }
        let Some(from) = self.nodes.get(&edge.from) else { return };
        let strength = edge.strength.min(from.strength);
        let (depth, time) = (from.depth + 1, edge.time);
        let reaches = REACHES.contains(&edge.kind);
        let key = (edge.from.clone(), edge.to.clone(), edge.kind);
        let to = edge.to.clone();
        self.edges
            .entry(key)
            .and_modify(|known| {
                let last = known.last.max(edge.last);
                if (edge.strength, -edge.time) > (known.strength, -known.time) {
                    *known = edge.clone();
                }
                known.last = last;
            })
            .or_insert(edge);
        let is_full = self.nodes.len() >= self.bounds.nodes;
        match self.nodes.get_mut(&to) {
            Some(known) => {
                let is_surer = strength > known.strength;
                let is_earlier = strength == known.strength && known.since.is_some_and(|since| time < since);
                known.depth = known.depth.min(depth);
                known.within_reach |= reaches;
                if known.is_seed || !(is_surer || is_earlier) {
                    return;
                }
                known.strength = strength;
                known.since = Some(if is_surer { time } else { known.since.map_or(time, |since| since.min(time)) });
                known.is_waiting |= known.visits < VISITS;
                known.cut = None;
            }
            None if is_full => {
                self.notes
                    .insert(format!("cut at {} things: what else they lead to was not looked at", self.bounds.nodes));
            }
            None => {
                let state = State {
                    strength,
                    since: Some(time),
                    depth,
                    cut: None,
                    is_seed: false,
                    within_reach: reaches,
                    visits: 0,
                    is_waiting: true,
                };
                self.nodes.insert(to, state);
            }
        }
    }

    /// Activities of an identity from a moment on that do not fit its past, with the signs.
    pub(super) fn unusual(&self, user: &str, since: Option<i64>) -> Vec<(&Activity, super::habit::Signs)> {
        let Some(habit) = self.habits.habit(user) else { return Vec::new() };
        let from = since.unwrap_or(i64::MIN);
        let later =
            self.habits.of_user(user).filter(|activity| activity.last >= from && self.is_in_time(activity.first));
        later.map(|activity| (activity, habit.signs(activity, since))).filter(|(_, signs)| signs.is_unusual()).collect()
    }

    fn visit_identity(&mut self, node: &Node, state: &State) {
        let mut edges = Vec::new();
        for (activity, signs) in self.unusual(&node.name, state.since) {
            if !signs.is_out_of_place() || state.since.is_some_and(|since| activity.first < since) {
                continue;
            }
            edges.extend(places(node, activity, signs));
        }
        if state.is_seed
            && let Some(home) = self.habits.habit(&node.name).and_then(super::habit::Habit::home)
            && let Some(activity) = self.habits.of_user(&node.name).find(|a| a.address.as_deref() == Some(home))
        {
            edges.push(edge_of(
                node,
                Node::new(Kind::Address, home),
                "usually came from",
                Strength::Possible,
                activity,
            ));
        }
        self.raise(node, state, &edges);
        for edge in edges {
            self.add(edge);
        }
        self.follow_deeds(node, state);
    }

    /// What came within reach and was then used out of its place is likely in the intruder's hands.
    fn raise(&mut self, node: &Node, state: &State, edges: &[Edge]) {
        let first = edges.iter().filter(|edge| edge.to.kind == Kind::Address || edge.to.kind == Kind::Agent);
        let Some(first) = first.min_by_key(|edge| edge.time) else { return };
        if !state.within_reach || state.strength == Strength::Proved {
            return;
        }
        let (time, audit_ids) = (first.time, first.audit_ids.clone());
        let reached: Vec<Edge> = self
            .edges
            .values()
            .filter(|edge| edge.to == *node && REACHES.contains(&edge.kind) && edge.time <= time)
            .cloned()
            .collect();
        for edge in reached {
            let note = Some("and then used out of its place".to_owned());
            let kind = "led to the use of";
            self.add(Edge {
                kind,
                strength: Strength::Likely,
                time,
                last: time,
                audit_ids: audit_ids.clone(),
                note,
                ..edge
            });
        }
    }

    /// What an identity did that does not fit its past, or, for a seed, that it does not do every day.
    fn follow_deeds(&mut self, node: &Node, state: &State) {
        let Some(deeds) = self.deeds.get(&node.name) else { return };
        let strengths = self.deed_strengths(node, state);
        let mut edges = Vec::new();
        for deed in deeds {
            let Some(strength) = strengths.get(&deed.audit_id).copied() else { continue };
            for found in deed::consequences(deed) {
                let one = |from: &Node, to: Node, kind, strength, note| Edge {
                    from: from.clone(),
                    to,
                    kind,
                    strength,
                    time: deed.time,
                    last: deed.time,
                    audit_ids: vec![deed.audit_id.clone()],
                    note,
                };
                let to = found.to.clone();
                edges.push(one(node, found.to, found.kind, found.strength.min(strength), found.note));
                if let Some(credential) = &deed.issued_credential {
                    edges.push(one(&to, Node::new(Kind::Credential, credential), "is", Strength::Proved, None));
                }
                for (behind, kind, strength) in found.behind {
                    edges.push(one(&to, behind, kind, strength, None));
                }
            }
        }
        let mut edges = merged(edges);
        // What is sure comes first, as long as there is room.
        edges.sort_by_key(|edge| std::cmp::Reverse(edge.strength));
        for edge in edges {
            self.add(edge);
        }
    }

    /// How sure it is of each deed of an identity that it is the intruder's: by what it has in common with unusual activity.
    pub(super) fn deed_strengths(&self, node: &Node, state: &State) -> BTreeMap<String, Strength> {
        let mut strengths = BTreeMap::new();
        let (Some(deeds), Some(habit)) = (self.deeds.get(&node.name), self.habits.habit(&node.name)) else {
            return strengths;
        };
        let mut times: BTreeMap<&Act, Vec<i64>> = BTreeMap::new();
        for deed in deeds {
            times.entry(&deed.act).or_default().push(deed.time);
        }
        let is_regular = |times: &Vec<i64>| super::habit::is_regular_beyond_bursts(times, habit.life());
        let regular: BTreeSet<&Act> =
            times.iter().filter(|(_, times)| is_regular(times)).map(|(act, _)| *act).collect();
        for deed in deeds.iter().filter(|deed| state.since.is_none_or(|since| deed.time >= since)) {
            let signs = habit.signs(&facts::activity_of(deed), state.since);
            let strength = match (signs.is_out_of_place(), signs.new_act) {
                (true, _) => Strength::Proved,
                // Done from the usual place, by somebody whose credential others have: it need not be theirs.
                (false, true) if state.is_seed => Strength::Proved,
                (false, true) => Strength::Likely,
                // Without a moment nothing tells what the intruder did from what the identity always does; and whoever
                // makes many backdoors at once, or one a day, makes them regularly.
                (false, false) if state.since.is_none() && deed::is_grave(deed) => match regular.contains(&deed.act) {
                    true => Strength::Possible,
                    false => Strength::Proved,
                },
                (false, false) => continue,
            };
            strengths.insert(deed.audit_id.clone(), strength);
        }
        strengths
    }

    fn visit_address(&mut self, node: &Node, state: &State) {
        let mut edges: Vec<Edge> = Vec::new();
        // The intruder may have been there before the moment in which the clue was: only a place that is somebody's own
        // counts from then.
        let state = &State { since: state.since.filter(|_| state.strength == Strength::Possible), ..state.clone() };
        for activity in self.habits.of_address(&node.name) {
            let Some(user) = activity.user.as_ref().filter(|_| is_since(activity, state.since)) else { continue };
            let to = Node::new(Kind::Identity, user);
            let is_elsewhere = self.habits.habit(user).and_then(super::habit::Habit::home) != Some(&node.name);
            let (kind, strength) = match (state.is_seed, is_elsewhere) {
                (true, _) => ("used", Strength::Proved),
                (false, true) => ("also used", Strength::Likely),
                (false, false) => ("is shared with", Strength::Possible),
            };
            edges.push(edge_of(node, to, kind, strength, activity));
            if let Some(credential) = &activity.credential {
                edges.push(edge_of(node, Node::new(Kind::Credential, credential), kind, strength, activity));
            }
        }
        for edge in edges {
            self.add(edge_since(state.since, edge));
        }
    }

    fn visit_agent(&mut self, node: &Node, state: &State) {
        let mut edges = Vec::new();
        for activity in self.habits.of_agent(&node.name) {
            let Some(user) = activity.user.as_ref().filter(|_| is_since(activity, state.since)) else { continue };
            let strength = if state.is_seed { Strength::Proved } else { Strength::Possible };
            let to = Node::new(Kind::Identity, user);
            // Whose usual client it is has nothing to do with who else uses it.
            let is_usual = self.habits.habit(user).is_some_and(|habit| !habit.signs(activity, None).new_agent);
            if is_usual && !state.is_seed {
                continue;
            }
            edges.push(edge_of(node, to, "is also the client of", strength, activity));
            if let Some(address) = activity.address.as_ref().filter(|_| state.is_seed) {
                edges.push(edge_of(node, Node::new(Kind::Address, address), "came from", strength, activity));
            }
        }
        for edge in edges {
            self.add(edge_since(state.since, edge));
        }
    }

    fn visit_credential<E: Evidence>(&mut self, evidence: &mut E, node: &Node, state: &State) -> Result<(), E::Error> {
        let mut edges = Vec::new();
        for activity in self.habits.of_credential(&node.name).filter(|activity| is_since(activity, state.since)) {
            if let Some(user) = &activity.user {
                edges.push(edge_of(node, Node::new(Kind::Identity, user), "is of", Strength::Proved, activity));
            }
            if let Some(address) = &activity.address {
                let to = Node::new(Kind::Address, address);
                let home = activity.user.as_ref().and_then(|user| self.habits.habit(user)).and_then(|h| h.home());
                let strength = if home == Some(address) { Strength::Possible } else { Strength::Likely };
                edges.push(edge_of(node, to, "was used from", strength, activity));
            }
        }
        for origin in evidence.origins(std::slice::from_ref(&node.name))? {
            let Some(minter) = origin.user.clone() else { continue };
            // Who made a token need not know who took it.
            edges.push(Edge {
                from: node.clone(),
                to: Node::new(Kind::Identity, minter),
                kind: "was minted by",
                strength: Strength::Possible,
                time: origin.time,
                last: origin.time,
                audit_ids: vec![origin.audit_id],
                note: None,
            });
        }
        for edge in edges {
            let since = state.since.filter(|_| edge.kind != "was minted by");
            self.add(edge_since(since, edge));
        }
        Ok(())
    }

    fn visit_binding<E: Evidence>(&mut self, evidence: &mut E, node: &Node, state: &State) -> Result<(), E::Error> {
        let Some(binding) = binding_name(node) else { return Ok(()) };
        let uses = evidence.binding_uses(std::slice::from_ref(&binding))?;
        let uses: Vec<_> = uses.into_iter().filter(|one| state.since.is_none_or(|since| one.first >= since)).collect();
        if uses.len() > USERS_OF_A_SHARED_BINDING && !self.bounds.through.contains(node) {
            let many = format!("shared by many: {} identities have used it since", uses.len());
            if let Some(state) = self.nodes.get_mut(node) {
                state.cut = Some(many);
            }
            return Ok(());
        }
        let is_new = self.edges.values().any(|edge| edge.to == *node && edge.kind == "created");
        for one in uses {
            self.add(Edge {
                from: node.clone(),
                to: Node::new(Kind::Identity, one.user),
                kind: "was used by",
                strength: if is_new { Strength::Likely } else { Strength::Possible },
                time: one.first,
                last: one.first,
                audit_ids: one.audit_ids,
                note: None,
            });
        }
        Ok(())
    }

    fn visit_request<E: Evidence>(&mut self, evidence: &mut E, node: &Node) -> Result<(), E::Error> {
        for request in evidence.requests(std::slice::from_ref(&node.name))? {
            let ends = [
                request.user.as_ref().map(|user| (Node::new(Kind::Identity, user), "was sent by")),
                request.credential.as_ref().map(|id| (Node::new(Kind::Credential, id), "was sent with")),
                request.address.as_ref().map(|address| (Node::new(Kind::Address, address), "came from")),
                request.agent.as_ref().map(|agent| (Node::new(Kind::Agent, agent), "came from the client")),
            ];
            for (to, kind) in ends.into_iter().flatten() {
                let strength = match to.kind {
                    Kind::Agent => Strength::Possible,
                    Kind::Address => self.address_strength(&request, &to),
                    _ => Strength::Proved,
                };
                let (time, audit_ids) = (request.time, vec![request.audit_id.clone()]);
                self.add(Edge { from: node.clone(), to, kind, strength, time, last: time, audit_ids, note: None });
            }
            self.seeded.push(request);
        }
        Ok(())
    }

    /// An address that is not the home of whoever was seen there is the intruder's; else it may be the victim's.
    fn address_strength(&self, request: &Request, address: &Node) -> Strength {
        let home = request.user.as_ref().and_then(|user| self.habits.habit(user)).and_then(|habit| habit.home());
        if home == Some(address.name.as_str()) { Strength::Possible } else { Strength::Likely }
    }

    pub(super) fn touched(&self) -> Vec<Touched> {
        let mut touched: Vec<Touched> = self
            .nodes
            .iter()
            .map(|(node, state)| Touched {
                node: node.clone(),
                strength: state.strength,
                since: state.since,
                depth: state.depth,
                cut: state.cut.clone(),
            })
            .collect();
        touched.sort_by(|left, right| {
            let key = |one: &Touched| (std::cmp::Reverse(one.strength), one.since, one.node.clone());
            key(left).cmp(&key(right))
        });
        touched
    }
}

fn is_since(activity: &Activity, since: Option<i64>) -> bool {
    since.is_none_or(|since| activity.last >= since)
}

/// An edge that activities tell.
pub(super) fn edge_of(from: &Node, to: Node, kind: &'static str, strength: Strength, activity: &Activity) -> Edge {
    let (time, audit_ids) = (activity.first, activity.audit_ids.clone());
    Edge { from: from.clone(), to, kind, strength, time, last: time, audit_ids, note: None }
}

/// The same from a moment on: what began before it and went on counts from then.
fn edge_since(since: Option<i64>, edge: Edge) -> Edge {
    let from = |time: i64| since.map_or(time, |since| time.max(since));
    Edge { time: from(edge.time), last: from(edge.last), ..edge }
}

/// Where an identity was used out of its place, and with what.
fn places(node: &Node, activity: &Activity, signs: super::habit::Signs) -> Vec<Edge> {
    let mut edges = Vec::new();
    if let Some(address) = &activity.address {
        let strength = if signs.new_address { Strength::Likely } else { Strength::Possible };
        edges.push(edge_of(node, Node::new(Kind::Address, address), "was used from", strength, activity));
    }
    if let Some(agent) = activity.agent.as_ref().filter(|_| signs.new_agent) {
        edges.push(edge_of(node, Node::new(Kind::Agent, agent), "was used with", Strength::Possible, activity));
    }
    if let Some(credential) = &activity.credential {
        edges.push(edge_of(node, Node::new(Kind::Credential, credential), "was used by", Strength::Proved, activity));
    }
    edges
}

fn binding_name(node: &Node) -> Option<BindingName> {
    let (resource, rest) = node.name.split_once('/')?;
    match (resource, rest.split_once('/')) {
        ("clusterrolebindings", _) => Some(BindingName { namespace: None, name: rest.to_owned() }),
        ("rolebindings", Some((namespace, name))) => {
            Some(BindingName { namespace: Some(namespace.to_owned()), name: name.to_owned() })
        }
        _ => None,
    }
}

//! What else they got into: the closure of a clue over the evidence.
//!
//! From identities to the credentials, addresses and clients they were used with, to tokens and certificates they made,
//! to rights they took and gave, to pods they entered and workloads they changed, to the accounts these run as, and to
//! what those did *that does not fit their own past*. A node is as strong as the weakest edge of its strongest path
//! ([`Strength`]). What many share is shown and not crossed; every cut has a name.

mod closure;
mod deed;
mod draw;
mod facts;
mod habit;
mod leads;
mod node;
mod story;

use std::collections::BTreeSet;

pub(crate) use deed::HOST_KEYS;
pub use draw::{dot, json, reason_text, svg};
pub use node::{Edge, Kind, Node, SeedError, Strength, seed};

use crate::evidence::{Act, Evidence, Outcome};

/// How far a search goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Edges from a seed.
    pub depth: usize,
    /// Things that are looked at.
    pub nodes: usize,
    /// Requests with consequences that are read for a step.
    pub deeds: usize,
    /// Nothing before this time counts, in microseconds since 1970.
    pub since: Option<i64>,
    /// Nothing from this time on counts, in microseconds since 1970.
    pub until: Option<i64>,
    /// What is crossed although many share it.
    pub through: BTreeSet<Node>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { depth: 8, nodes: 1_000, deeds: 20_000, since: None, until: None, through: BTreeSet::new() }
    }
}

/// Something that the intrusion touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// What.
    pub node: Node,
    /// How sure it is.
    pub strength: Strength,
    /// First moment, in microseconds since 1970; `None` for a seed without one.
    pub since: Option<i64>,
    /// Edges from the seed.
    pub depth: usize,
    /// Why the search does not go on from here; `None` when it does.
    pub cut: Option<String>,
}

/// Something that was done, or tried, as part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When first, in microseconds since 1970.
    pub first: i64,
    /// When last, in microseconds since 1970.
    pub last: i64,
    /// Who: an identity, or the address of somebody whom the server did not know.
    pub who: Node,
    /// What was asked.
    pub act: Act,
    /// The object, where one is named.
    pub name: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// From where.
    pub address: Option<String>,
    /// With which client.
    pub agent: Option<String>,
    /// How sure it is that it is part of it.
    pub strength: Strength,
    /// How it differs from what the identity did before.
    pub signs: Vec<&'static str>,
    /// Requests.
    pub requests: u64,
    /// The first of them.
    pub audit_ids: Vec<String>,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spread {
    /// What was touched: strongest first, then by time.
    pub touched: Vec<Touched>,
    /// Why, by time.
    pub edges: Vec<Edge>,
    /// What was done, by time.
    pub story: Vec<Step>,
    /// What stays unknown, and where the search was cut.
    pub unknown: Vec<String>,
}

impl Spread {
    /// Identities, with the edge that says why: the first of the strongest.
    pub fn identities(&self) -> impl Iterator<Item = (&Touched, Option<&Edge>)> {
        let of_kind = self.touched.iter().filter(|touched| matches!(touched.node.kind, Kind::Identity | Kind::Rights));
        of_kind.map(|touched| (touched, self.reason(&touched.node)))
    }

    /// The edge that says why a node is in: the strongest, of these the first.
    pub fn reason(&self, node: &Node) -> Option<&Edge> {
        let incoming = self.edges.iter().filter(|edge| edge.to == *node);
        incoming.max_by(|left, right| {
            let known = |edge: &Edge| edge.strength.min(self.strength_of(&edge.from));
            known(left).cmp(&known(right)).then(right.time.cmp(&left.time)).then(right.from.cmp(&left.from))
        })
    }

    /// How sure it is that a node is in.
    pub fn strength_of(&self, node: &Node) -> Strength {
        let found = self.touched.iter().find(|touched| touched.node == *node);
        found.map_or(Strength::Possible, |touched| touched.strength)
    }
}

/// Finds what a clue leads to.
///
/// # Errors
/// When the evidence cannot be read.
pub fn spread<E: Evidence>(evidence: &mut E, seeds: &[Node], bounds: &Bounds) -> Result<Spread, E::Error> {
    let activities = evidence.activities()?;
    let mut search = closure::Search::new(habit::Habits::of(activities), bounds);
    search.run(evidence, seeds)?;
    let leads = leads::find(&search);
    search.add_leads(leads);
    Ok(story::tell(search))
}

#[cfg(test)]
mod tests;

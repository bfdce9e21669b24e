//! `spread` on a case, and its tables.

use kforensic_trace::spread::{self, Bounds, Node, Spread, reason_text};

use super::batch::{Answer, Columns};
use super::evidence::CaseEvidence;
use crate::error::QueryError;
use crate::session::Session;

/// A table of what a spread found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpreadView {
    /// What was done, in the order of time.
    Story,
    /// The identities, with reason and first moment.
    Identities,
    /// Everything that was touched.
    Nodes,
    /// What joins it.
    Edges,
    /// What stays unknown.
    Unknown,
}

impl Session {
    /// Finds what a clue leads to. The session must see the whole case: what was usual before counts.
    ///
    /// # Errors
    /// When a file turns out to be damaged, or on an interrupt.
    pub fn spread(&self, seeds: &[Node], bounds: &Bounds) -> Result<Spread, QueryError> {
        spread::spread(&mut CaseEvidence { session: self }, seeds, bounds)
    }
}

impl SpreadView {
    /// All tables, with the names that the command line gives them.
    pub const ALL: [(&'static str, Self); 5] = [
        ("story", Self::Story),
        ("identities", Self::Identities),
        ("nodes", Self::Nodes),
        ("edges", Self::Edges),
        ("unknown", Self::Unknown),
    ];

    /// The rows of the table.
    pub fn of(self, found: &Spread) -> Answer {
        match self {
            Self::Story => story(found),
            Self::Identities => identities(found),
            Self::Nodes => nodes(found),
            Self::Edges => edges(found),
            Self::Unknown => Columns::default().text("unknown", found.unknown.iter().map(Some)).finish(),
        }
    }
}

fn story(found: &Spread) -> Answer {
    let steps = || found.story.iter();
    Columns::default()
        .time("event_time", steps().map(|step| Some(step.first)))
        .text("strength", steps().map(|step| Some(step.strength.name())))
        .text("who", steps().map(|step| Some(step.who.to_string())))
        .text("impersonated_user", steps().map(|step| step.act.impersonated.as_ref()))
        .text("verb", steps().map(|step| Some(&step.act.verb)))
        .text("resource", steps().map(|step| step.act.resource.as_ref()))
        .text("subresource", steps().map(|step| step.act.subresource.as_ref()))
        .text("namespace", steps().map(|step| step.act.namespace.as_ref()))
        .text("name", steps().map(|step| step.name.as_ref()))
        .text("outcome", steps().map(|step| Some(step.outcome.name())))
        .number("requests", steps().map(|step| Some(step.requests)))
        .text("signs", steps().map(|step| Some(step.signs.join(", ")).filter(|signs| !signs.is_empty())))
        .text("source_ip", steps().map(|step| step.address.as_ref()))
        .text("user_agent", steps().map(|step| step.agent.as_ref()))
        .time("last_seen", steps().map(|step| Some(step.last)))
        .texts("audit_ids", steps().map(|step| &step.audit_ids))
        .text("cluster", steps().map(|step| step.act.cluster.as_ref()))
        .finish()
}

fn identities(found: &Spread) -> Answer {
    let rows: Vec<_> = found.identities().collect();
    let rows = || rows.iter();
    Columns::default()
        .text("identity", rows().map(|(touched, _)| Some(touched.node.to_string())))
        .text("strength", rows().map(|(touched, _)| Some(touched.strength.name())))
        .time("first_moment", rows().map(|(touched, reason)| touched.since.or(reason.map(|edge| edge.time))))
        .text(
            "reason",
            rows().map(|(touched, reason)| match reason {
                _ if touched.depth == 0 => Some("given as the clue".to_owned()),
                reason => reason.map(reason_text),
            }),
        )
        .text("not_crossed", rows().map(|(touched, _)| touched.cut.as_ref()))
        .texts("audit_ids", rows().map(|(_, reason)| reason.map(|edge| edge.audit_ids.clone()).unwrap_or_default()))
        .finish()
}

fn nodes(found: &Spread) -> Answer {
    let rows = || found.touched.iter();
    Columns::default()
        .text("node", rows().map(|touched| Some(touched.node.to_string())))
        .text("kind", rows().map(|touched| Some(touched.node.kind.name())))
        .text("strength", rows().map(|touched| Some(touched.strength.name())))
        .time("first_moment", rows().map(|touched| touched.since))
        .number("depth", rows().map(|touched| Some(touched.depth as u64)))
        .text("not_crossed", rows().map(|touched| touched.cut.as_ref()))
        .finish()
}

fn edges(found: &Spread) -> Answer {
    let rows = || found.edges.iter();
    Columns::default()
        .time("event_time", rows().map(|edge| Some(edge.time)))
        .text("from_node", rows().map(|edge| Some(edge.from.to_string())))
        .text("kind", rows().map(|edge| Some(edge.kind)))
        .text("to_node", rows().map(|edge| Some(edge.to.to_string())))
        .text("strength", rows().map(|edge| Some(edge.strength.name())))
        .text("note", rows().map(|edge| edge.note.as_ref()))
        .texts("audit_ids", rows().map(|edge| &edge.audit_ids))
        .finish()
}

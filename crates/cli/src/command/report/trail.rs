//! Where clues lead, for the sections of a report: spread, rotate and rbac.

use std::collections::BTreeMap;

use kforensic_event::time;
use kforensic_lake::{Case, Snapshot};
use kforensic_query::inquiry::{SpreadView, rbac_changes};
use kforensic_query::{Selection, Session};
use kforensic_report::document::Level;
use kforensic_report::document::figure::{Edge, Graph, Node as Box};
use kforensic_report::document::{Column, Table, Value};
use kforensic_report::incident::{Incident, Person, Trail, stand_out, table_of};
use kforensic_trace::rbac::{Change, Known, Replay, changes, way_back};
use kforensic_trace::spread::{self, Bounds, Kind, Node, Spread, Strength};

use crate::args::ReportArgs;
use crate::command::limits;
use crate::error::CliError;
use crate::inquiry::snapshots;
use crate::interrupt::Interrupt;

/// The sections that tell of it.
pub(super) const SECTIONS: [&str; 3] = ["spread", "rotate", "rbac"];

/// Boxes of the graph, the surest first: more cannot be read on a page.
const NODES_MAX: usize = 60;

/// Rows of each table; `kforensic spread`, `rotate` and `rbac` show all.
const ROWS_MAX: usize = 200;

/// Identities whose rights are listed, the surest first.
const HOLDERS_MAX: usize = 8;

/// YAML of the way back that a page can bear, in bytes.
const WAY_BACK_BYTES_MAX: usize = 128 << 10;

/// Follows the clues that are given, else those that the findings name. `None` when there are none.
pub(super) fn follow(
    case: &Case,
    snapshot: &Snapshot,
    incident: &Incident,
    args: &ReportArgs,
    interrupt: &Interrupt,
) -> Result<Option<Trail>, CliError> {
    let given = args.spread.iter().map(|text| spread::seed(text)).collect::<Result<Vec<_>, _>>()?;
    let is_chosen = given.is_empty();
    let seeds = if is_chosen { of_findings(incident) } else { given };
    if seeds.is_empty() {
        return Ok(None);
    }
    let (limits, _spill) = limits()?;
    let selection = Selection { cluster: args.window.cluster.clone(), ..Selection::default() };
    let session = Session::open(snapshot, &selection, &limits)?;
    let handle = session.interrupt_handle();
    interrupt.on(move || handle.interrupt());
    let (since, until) = incident.window;
    let found = session.spread(&seeds, &Bounds { since, until, ..Bounds::default() })?;
    let replay = session.rbac(&snapshots::read(case, snapshot)?)?;
    let mut trail = Trail {
        clues: seeds.iter().map(Node::to_string).collect(),
        is_chosen,
        identities: table_of(
            "spread-identities",
            "Who is in it",
            &SpreadView::Identities.of(&found).batch,
            &["identity", "strength", "first_moment", "reason", "not_crossed", "audit_ids"],
            ROWS_MAX,
        ),
        story: table_of(
            "spread-story",
            "What was done, in time",
            &SpreadView::Story.of(&found).batch,
            &[
                "event_time",
                "strength",
                "who",
                "impersonated_user",
                "verb",
                "resource",
                "subresource",
                "namespace",
                "name",
                "outcome",
                "requests",
                "signs",
                "source_ip",
                "user_agent",
                "audit_ids",
            ],
            ROWS_MAX,
        ),
        unknown: found.unknown.clone(),
        ..Trail::default()
    };
    (trail.graph, trail.not_drawn) = graph(&found);
    checklist(&session, &found, &replay, &mut trail)?;
    rights(&session, snapshot, &found, &replay, until, &mut trail)?;
    Ok(Some(trail))
}

/// The one against whom the findings speak most, when one of high severity does. With more of them, an administrator
/// whose work looks alike would be taken for an intruder. The cluster's own work sends too much to be a clue.
fn of_findings(incident: &Incident) -> Vec<Node> {
    let platform = |who: &str| incident.origins.iter().any(|one| one.is_platform && one.who.name() == Some(who));
    let is_clue = |person: &Person| {
        person.detections.iter().any(|(level, _)| *level >= Level::High)
            && person.who.name().is_some_and(|who| who != "system:anonymous" && !platform(who))
    };
    let first = stand_out(incident).into_iter().find(is_clue);
    first.and_then(|person| Some(Node::new(Kind::Identity, person.who.name()?))).into_iter().collect()
}

fn level(strength: Strength) -> Level {
    match strength {
        Strength::Proved => Level::Critical,
        Strength::Likely => Level::High,
        Strength::Possible => Level::Low,
    }
}

/// The surest things, and what joins them. Returns how many others there are.
fn graph(found: &Spread) -> (Graph, usize) {
    let drawn: Vec<_> = found.touched.iter().take(NODES_MAX).collect();
    let places: BTreeMap<&Node, usize> = drawn.iter().enumerate().map(|(at, touched)| (&touched.node, at)).collect();
    let nodes = drawn.iter().map(|touched| Box {
        name: touched.node.to_string(),
        level: level(touched.strength),
        step: touched.depth,
        words: match &touched.cut {
            Some(cut) => format!("{}; not crossed: {cut}", touched.strength.name()),
            None => touched.strength.name().to_owned(),
        },
    });
    let edges = found.edges.iter().filter_map(|edge| {
        Some(Edge {
            from: *places.get(&edge.from)?,
            to: *places.get(&edge.to)?,
            level: level(edge.strength.min(found.strength_of(&edge.from))),
            words: edge.kind.to_owned(),
            at: edge.time,
        })
    });
    let graph = Graph { nodes: nodes.collect(), edges: edges.collect() };
    (graph, found.touched.len() - drawn.len())
}

fn checklist(session: &Session, found: &Spread, replay: &Replay, trail: &mut Trail) -> Result<(), CliError> {
    let list = session.rotate(found, replay)?.batch;
    const COLUMNS: [&str; 10] =
        ["task", "what", "strength", "since", "why", "how", "command", "done", "done_at", "done_by"];
    trail.checklist = table_of("rotate-list", "The checklist", &list, &COLUMNS, ROWS_MAX);
    let before = table_of("", "", &list, &["what", "before"], ROWS_MAX);
    trail.before = before
        .rows
        .into_iter()
        .filter_map(|row| match row.as_slice() {
            [Value::Text(what), Value::Text(before)] => Some((what.clone(), before.clone())),
            _ => None,
        })
        .collect();
    Ok(())
}

/// What changed since the first moment that is likely part of it, and what those in it may do at the end.
fn rights(
    session: &Session,
    snapshot: &Snapshot,
    found: &Spread,
    replay: &Replay,
    until: Option<i64>,
    trail: &mut Trail,
) -> Result<(), CliError> {
    let end = until.or_else(|| snapshot.event_times().map(|(_, newest)| newest)).unwrap_or(i64::MAX);
    let holders: Vec<String> = found
        .touched
        .iter()
        .filter(|one| one.node.kind == Kind::Identity && one.strength > Strength::Possible)
        .map(|one| one.node.name.clone())
        .collect();
    let sure = found.edges.iter().filter(|edge| edge.strength > Strength::Possible).map(|edge| edge.time);
    let first = sure.min().or_else(|| found.story.iter().map(|step| step.first).min());
    trail.changes = Table::new("rbac-changes", "What they changed", vec![Column::text("name")]);
    if let Some(first) = first {
        changes_since(replay, (first, end), &holders, trail);
    }
    let holders = &holders[..holders.len().min(HOLDERS_MAX)];
    let (rights, unknown) = session.rights_of(replay, holders, end)?;
    const COLUMNS: [&str; 7] = ["identity", "rule", "scope", "binding", "role", "subject", "known_by"];
    let caption = format!("What they may do at {}, beyond what everybody may", time::render(end));
    trail.rights = table_of("rbac-rights", &caption, &rights.batch, &COLUMNS, ROWS_MAX);
    trail.rights_unknown.extend(unknown);
    Ok(())
}

/// What the identities changed between two times, and what was changed without a name; that of others is counted.
fn changes_since(replay: &Replay, (first, end): (i64, i64), identities: &[String], trail: &mut Trail) {
    let is_theirs = |change: &Change| match &change.known {
        Known::Write { user, .. } => identities.contains(user),
        _ => true,
    };
    let all = changes(replay, first.saturating_sub(1), end);
    let (list, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_theirs);
    let (from, to) = (time::render(first), time::render(end));
    if !others.is_empty() {
        trail.rights_unknown.push(format!(
            "whether the {} objects that others changed in that time are right: `kforensic rbac diff {from} {to}` lists all",
            others.len()
        ));
    }
    const COLUMNS: [&str; 7] = ["event_time", "change", "resource", "namespace", "name", "lines", "known_by"];
    let caption = format!("What they changed between {from} and {to}");
    trail.changes = table_of("rbac-changes", &caption, &rbac_changes(&list).batch, &COLUMNS, ROWS_MAX);
    trail.way_back = way_back(&list);
    if trail.way_back.len() > WAY_BACK_BYTES_MAX {
        trail.way_back.clear();
        trail.rights_unknown.push(format!(
            "the way back is too long for this page: `kforensic rbac diff {from} {to} --format yaml` prints it"
        ));
    }
}

//! Each question, put to a session.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use kforensic_event::redact::Redactor;
use kforensic_event::time;
use kforensic_lake::Snapshot;
use kforensic_query::inquiry::{SpreadView, rbac_at, rbac_diff};
use kforensic_query::{Session, resources, window};
use kforensic_trace::indicator::{Indicator, Indicators, Sought};
use kforensic_trace::rbac::{Asked, Replay, way_back};
use kforensic_trace::spread::{self, Bounds, Kind, Node, Spread};

use super::args::{CanArgs, ClueArgs, RbacCommand, SpreadArgs, SweepArgs, WhoCanArgs};
use super::{Context, Findings, Inquiry, snapshots};
use crate::command::show;
use crate::error::CliError;
use crate::findings::of_several_clusters;

/// Puts a question.
pub(super) fn ask(session: &Session, context: &Context<'_>, inquiry: &Inquiry) -> Result<Findings, CliError> {
    let mut found = answer(session, context, inquiry)?;
    // An indicator is looked for wherever it is, and states of an object tell their cluster; all else is about objects and
    // rights, which have their names once in every cluster.
    let notes = match &inquiry.output().cluster {
        Some(cluster) => about_cluster(context.snapshot, cluster),
        None if !matches!(inquiry, Inquiry::Sweep(_) | Inquiry::History(_))
            && of_several_clusters(context.snapshot) =>
        {
            vec![SEVERAL_CLUSTERS.to_owned()]
        }
        None => Vec::new(),
    };
    found.notes.splice(..0, notes);
    Ok(found)
}

const SEVERAL_CLUSTERS: &str = "the logs come from several clusters, which are not told apart here: what has the same \
    name in two of them counts as one, so that a deletion in one may stand for the other; for a sure answer ask for one, \
    with `--cluster NAME`";

/// What is to be said where one cluster is asked for: that no log is of it, and what does not tell of which it is.
fn about_cluster(snapshot: &Snapshot, cluster: &str) -> Vec<String> {
    let names: BTreeSet<&str> = snapshot.sources().filter_map(|entry| entry.cluster.as_deref()).collect();
    let unnamed = snapshot.sources().filter(|entry| entry.cluster.is_none()).count();
    let mut notes = Vec::new();
    if !names.contains(cluster) {
        let known = match names.is_empty() {
            true => "none of its logs was read under the name of a cluster".to_owned(),
            false => format!("its clusters are {}", names.into_iter().collect::<Vec<_>>().join(", ")),
        };
        notes.push(format!("no log of the case is of the cluster `{cluster}`: {known}"));
    }
    if unnamed > 0 && notes.is_empty() {
        notes
            .push(format!("{unnamed} of the logs were read without the name of a cluster, and are not in this answer"));
    }
    if snapshot.dated().next().is_some() && of_several_clusters(snapshot) {
        notes.push("snapshots of RBAC do not say of which cluster they are, and count here whichever it is".to_owned());
    }
    notes
}

fn answer(session: &Session, context: &Context<'_>, inquiry: &Inquiry) -> Result<Findings, CliError> {
    match inquiry {
        Inquiry::Spread(args) => ask_spread(session, context, args),
        Inquiry::Rotate(args) => {
            let (found, notes) = follow(session, context, &args.clue)?;
            let list = session.rotate(&found, &replay(session, context)?)?;
            Ok(Findings {
                tables: vec![("checklist", list)],
                notes: [notes, found.unknown].concat(),
                ..Findings::default()
            })
        }
        Inquiry::Rbac(args) => ask_rbac(session, context, &args.what),
        Inquiry::WhoCan(args) => ask_who_can(session, context, args),
        Inquiry::Can(args) => ask_can(session, context, args),
        Inquiry::Sweep(args) => ask_sweep(session, context, args),
        Inquiry::History(args) => {
            let (resource, _) = resources::resource(&args.kind);
            let (namespace, name) = args.object.split_once('/').unwrap_or(("", args.object.as_str()));
            let steps = session.object_history(&resource, namespace, name)?;
            Ok(Findings { tables: vec![("history", steps)], ..Findings::default() })
        }
    }
}

fn replay(session: &Session, context: &Context<'_>) -> Result<Replay, CliError> {
    Ok(session.rbac(&snapshots::read(context.case, context.snapshot)?)?)
}

/// A time, which ages count back from the newest event or the present.
fn instant(text: &str, context: &Context<'_>) -> Result<i64, CliError> {
    Ok(window::parse_now(text, context.clock, context.newest)?)
}

/// Follows a clue. Returns what is to be said about the clue itself, too.
fn follow(session: &Session, context: &Context<'_>, args: &ClueArgs) -> Result<(Spread, Vec<String>), CliError> {
    let Context { clock, newest, .. } = *context;
    let (window, _) = args.times.window(clock, newest)?;
    let (mut seeds, mut notes) = (Vec::new(), Vec::new());
    for text in &args.seeds {
        match spread::seed(text) {
            Ok(seed) => seeds.push(seed),
            Err(error) if !Path::new(text).is_file() => return Err(error.into()),
            Err(_) => {
                let path = Path::new(text);
                let content =
                    fs::read_to_string(path).map_err(|source| CliError::Input { path: path.into(), source })?;
                for indicator in Indicators::read(&content).all {
                    match seed_of(&indicator) {
                        Some(seed) => seeds.push(seed),
                        None => {
                            notes.push(format!("`{}` is no clue to begin with, see `kforensic sweep`", indicator.text));
                        }
                    }
                }
            }
        }
    }
    for seed in seeds.iter_mut().filter(|seed| seed.kind == Kind::Request) {
        seed.name = show::whole(session, &seed.name, None)?;
    }
    let through = args.through.iter().map(|text| spread::seed(text)).collect::<Result<_, _>>()?;
    let bounds = Bounds {
        depth: args.depth,
        nodes: args.nodes,
        since: window.since,
        until: window.until,
        through,
        ..Bounds::default()
    };
    Ok((session.spread(&seeds, &bounds)?, notes))
}

/// An indicator as a clue.
fn seed_of(indicator: &Indicator) -> Option<Node> {
    Some(match &indicator.sought {
        Sought::Address(address) => Node::new(Kind::Address, address.to_string()),
        Sought::AuditId(id) => Node::new(Kind::Request, id),
        Sought::Credential(id) => Node::new(Kind::Credential, id),
        Sought::User(name) => Node::new(Kind::Identity, name),
        Sought::Agent(name) => Node::new(Kind::Agent, name),
        Sought::Name(_) => spread::seed(&indicator.text).ok()?,
        Sought::Object(name) if name.contains('/') => Node::new(Kind::Pod, name),
        Sought::Object(_) | Sought::Network(_) | Sought::InBodies(_) | Sought::Hash(_) => return None,
    })
}

fn ask_spread(session: &Session, context: &Context<'_>, args: &SpreadArgs) -> Result<Findings, CliError> {
    let (found, notes) = follow(session, context, &args.clue)?;
    let text = match args.output.drawing() {
        Some("svg") => Some(spread::svg(&found, &time::render)),
        Some("dot") => Some(spread::dot(&found, &time::render)),
        Some("graph") => Some(format!("{:#}\n", spread::json(&found, &time::render))),
        Some(form) => return Err(CliError::Form { problem: format!("`spread` has no form `{form}`") }),
        None => None,
    };
    let wanted = |view: &str| args.show.as_deref().map_or(matches!(view, "identities" | "story"), |show| show == view);
    // The story last: it is what a program gets when nothing else is asked for.
    let mut views = SpreadView::ALL;
    views.reverse();
    let tables = views.into_iter().filter(|(name, _)| wanted(name)).map(|(name, view)| (name, view.of(&found)));
    Ok(Findings {
        tables: tables.collect(),
        text,
        notes: [notes, found.unknown.clone()].concat(),
        ..Findings::default()
    })
}

fn ask_rbac(session: &Session, context: &Context<'_>, what: &RbacCommand) -> Result<Findings, CliError> {
    let replay = replay(session, context)?;
    match what {
        RbacCommand::At { time, .. } => {
            let (rights, unknown) = rbac_at(&replay, instant(time, context)?);
            Ok(Findings { tables: vec![("rights", rights)], notes: open(unknown), ..Findings::default() })
        }
        RbacCommand::Diff { from, to, output } => {
            let (from, to) = (instant(from, context)?, instant(to, context)?);
            let (table, changes) = rbac_diff(&replay, from.min(to), from.max(to));
            let text = match output.drawing() {
                Some("yaml") => Some(way_back(&changes)),
                Some(form) => return Err(CliError::Form { problem: format!("`rbac diff` has no form `{form}`") }),
                None => None,
            };
            Ok(Findings { tables: vec![("changes", table)], text, ..Findings::default() })
        }
        RbacCommand::Check { .. } => {
            let checked = session.check_rbac(&replay)?;
            let table = checked.table();
            let known = checked.agree + checked.contradicted;
            let all = known + checked.unknown;
            let share = if all == 0 { 0.0 } else { 100.0 * to_float(checked.unknown) / to_float(all) };
            let notes = vec![format!(
                "{} of {all} decisions are what the replay says, {} are not, {} ({share:.1} %) it cannot tell",
                checked.agree, checked.contradicted, checked.unknown
            )];
            let is_contradicted = !checked.contradictions.is_empty();
            Ok(Findings { tables: vec![("decisions", table)], notes, is_contradicted, ..Findings::default() })
        }
    }
}

/// For a share in percent, where the last digits do not matter.
fn to_float(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}

/// What is not known, said as such.
fn open(unknown: Vec<String>) -> Vec<String> {
    unknown.into_iter().map(|what| format!("not known: {what}")).collect()
}

fn ask_who_can(session: &Session, context: &Context<'_>, args: &WhoCanArgs) -> Result<Findings, CliError> {
    let at = instant(&args.at, context)?;
    let mut asked = Asked {
        verb: args.verb.clone(),
        namespace: args.namespace.clone().unwrap_or_default(),
        name: args.name.clone().unwrap_or_default(),
        ..Asked::default()
    };
    if args.resource.starts_with('/') {
        asked.path = Some(args.resource.clone());
    } else {
        let (resource, subresource) = args.resource.split_once('/').unwrap_or((args.resource.as_str(), ""));
        (asked.resource, asked.api_group) = resources::resource(resource);
        subresource.clone_into(&mut asked.subresource);
    }
    let (holders, unknown) = session.who_can(&replay(session, context)?, &asked, at)?;
    Ok(Findings { tables: vec![("who can", holders)], notes: open(unknown), ..Findings::default() })
}

fn ask_can(session: &Session, context: &Context<'_>, args: &CanArgs) -> Result<Findings, CliError> {
    let at = instant(&args.at, context)?;
    let user = match spread::seed(&args.user) {
        Ok(node) if node.kind == Kind::Identity => node.name,
        _ => args.user.clone(),
    };
    let (rights, mut unknown) = session.can(&replay(session, context)?, &user, &args.group, at)?;
    let who = unknown.remove(0);
    Ok(Findings { tables: vec![("rights", rights)], notes: [vec![who], open(unknown)].concat(), ..Findings::default() })
}

fn ask_sweep(session: &Session, context: &Context<'_>, args: &SweepArgs) -> Result<Findings, CliError> {
    let (mut indicators, mut notes) = (Vec::new(), Vec::new());
    if args.value_from.is_some() {
        indicators.push(of_value(context, &read("-".as_ref())?)?);
    }
    if let Some(path) = &args.file {
        let content = read(path)?;
        let found = Indicators::read(&String::from_utf8_lossy(&content));
        notes.extend(found.left_out.iter().map(|what| format!("left out {what}")));
        indicators.extend(found.all);
    }
    let table = session.sweep(&indicators)?;
    if context.snapshot.with_secret_values().next().is_some() && args.value_from.is_some() {
        notes
            .push("some sources were read with their secret values: the value itself may stand in the case".to_owned());
    }
    Ok(Findings { tables: vec![("indicators", table)], notes, ..Findings::default() })
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |source| CliError::Input { path: path.to_owned(), source };
    if path != Path::new("-") {
        return fs::read(path).map_err(failed);
    }
    let mut content = Vec::new();
    std::io::stdin().lock().read_to_end(&mut content).map_err(failed)?;
    Ok(content)
}

/// A secret value by the hash that stands in the case for it, under the case's own key. The value itself is shown nowhere.
fn of_value(context: &Context<'_>, value: &[u8]) -> Result<Indicator, CliError> {
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    let value = value.strip_suffix(b"\r").unwrap_or(value);
    let key = kforensic_lake::redaction_key(context.case, context.snapshot)?;
    let hash = Redactor::new(&key).value(value);
    Ok(Indicator { text: "the value from standard input".to_owned(), sought: Sought::Hash(hash) })
}

//! `kforensic coverage`

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kforensic_event::time;
use kforensic_lake::{Case, Snapshot};
use kforensic_query::catalogue::Stage;
use kforensic_query::coverage::{HostAccount, LeftOut, Observed, Scope, Verdict, judge};
use kforensic_query::policy::{Blind, Policy, Usage, Volume, advice};
use kforensic_query::{Catalogue, Limits, Selection, Session, window};
use serde_json::{Value, json};

use crate::args::CoverageArgs;
use crate::command::{Outcome, case_folder, limits, query, table_of_texts};
use crate::error::CliError;
use crate::footnotes::visible;
use crate::interrupt::Interrupt;
use crate::message;

/// What counts as a pause unless the user says otherwise.
pub(crate) const GAP: &str = "15m";

/// Kinds of traffic that are named as costly.
const NOISE: usize = 5;

/// Shows what the case can tell and what it cannot, or what a policy would record.
pub(crate) fn run(case: Option<&PathBuf>, args: &CoverageArgs, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let gap = window::parse_length(&args.gap)?.saturating_mul(1_000_000);
    let catalogue = query::catalogue(&args.queries)?;
    let policy = args.policy.as_ref().map(|path| read_policy(path)).transpose()?;
    let folder = case_folder(case);
    let is_json = args.format == "json";
    // A policy can be judged without any log.
    if let Some(policy) = policy.as_ref().filter(|_| case.is_none() && !Case::is_case(&folder)) {
        let blinds = blinds(policy, &catalogue);
        return match is_json {
            true => message::print(&format!("{:#}\n", policy_as_json(policy, None, &blinds))),
            false => print_policy(policy, None, &blinds),
        }
        .map(|()| Outcome::Done);
    }
    let snapshot = Case::open(&folder)?.snapshot()?;
    let (limits, _spill) = limits()?;
    let session = Session::open(&snapshot, &Selection::default(), &limits)?;
    let handle = session.interrupt_handle();
    interrupt.on(move || handle.interrupt());
    if let Some(policy) = &policy {
        let usage = session.policy_usage(policy)?;
        let blinds = blinds(policy, &catalogue);
        return match is_json {
            true => message::print(&format!("{:#}\n", policy_as_json(policy, Some(&usage), &blinds))),
            false => print_policy(policy, Some(&usage), &blinds),
        }
        .map(|()| Outcome::Done);
    }
    let observed = Observed::of(&snapshot, &limits)?;
    let hosts = session.hosts(gap)?;
    let verdicts = verdicts(&catalogue, &observed);
    match is_json {
        true => message::print(&format!("{:#}\n", as_json(&snapshot, &observed, &hosts, &verdicts)))?,
        false => print(&snapshot, &observed, &hosts, &verdicts)?,
    }
    Ok(Outcome::Done)
}

/// The same as JSON.
pub(crate) fn told(
    session: &Session,
    snapshot: &Snapshot,
    limits: &Limits,
    catalogue: &Catalogue,
) -> Result<Value, CliError> {
    let gap = window::parse_length(GAP)?.saturating_mul(1_000_000);
    let observed = Observed::of(snapshot, limits)?;
    Ok(as_json(snapshot, &observed, &session.hosts(gap)?, &verdicts(catalogue, &observed)))
}

fn read_policy(path: &Path) -> Result<Policy, CliError> {
    let text = fs::read_to_string(path).map_err(|source| CliError::Input { path: path.to_owned(), source })?;
    let policy = Policy::parse(&text).map_err(|source| CliError::Policy { path: path.to_owned(), source })?;
    if let Some(place) = &policy.found_in {
        message::note(&visible(&format!("the policy stands in `{place}` of `{}`", path.display())));
    }
    for ignored in &policy.ignored {
        message::warning(&visible(&format!("an API server does not know {ignored}, and ignores it")));
    }
    Ok(policy)
}

/// The verdict on every query without filters.
fn verdicts<'a>(catalogue: &'a Catalogue, observed: &Observed) -> Vec<(&'a str, Verdict)> {
    let scope = Scope::default();
    catalogue.iter().map(|query| (query.name.as_str(), judge(query, observed, &scope))).collect()
}

fn blinds<'a>(policy: &Policy, catalogue: &'a Catalogue) -> Vec<(&'a str, Blind)> {
    catalogue.iter().filter_map(|query| Some((query.name.as_str(), advice(policy, query)?))).collect()
}

/// What was logged of a resource with its subresource.
#[derive(Default)]
struct Logged<'a> {
    levels: BTreeSet<&'a str>,
    stages: u8,
    verbs: BTreeSet<&'a str>,
    hosts: BTreeSet<&'a str>,
    events: u64,
}

type Objects<'a> = BTreeMap<(&'a str, String), Logged<'a>>;

fn objects(observed: &Observed) -> Objects<'_> {
    let mut objects = Objects::new();
    for (kind, days) in &observed.kinds {
        let object = match (kind.resource.as_deref(), kind.subresource.as_str()) {
            (None, _) => "(no resource)".to_owned(),
            (Some(resource), "") => resource.to_owned(),
            (Some(resource), subresource) => format!("{resource}/{subresource}"),
        };
        let logged = objects.entry((kind.group.as_str(), object)).or_default();
        logged.levels.insert(if kind.level.is_empty() { "(not told)" } else { &kind.level });
        logged.verbs.insert(&kind.verb);
        logged.hosts.insert(&kind.host);
        for tally in days.values() {
            logged.stages |= tally.stages;
            logged.events += tally.events;
        }
    }
    objects
}

fn stages(bits: u8) -> Vec<&'static str> {
    let told = Stage::ALL.into_iter().map(Stage::name).zip([1, 2, 4, 8]);
    let other = std::iter::once(("(not told)", 16));
    told.chain(other).filter(|(_, bit)| bits & bit > 0).map(|(name, _)| name).collect()
}

fn joined<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().collect::<Vec<_>>().join(", ")
}

fn print(
    snapshot: &Snapshot,
    observed: &Observed,
    hosts: &[HostAccount],
    verdicts: &[(&str, Verdict)],
) -> Result<(), CliError> {
    let objects = objects(observed);
    let text = |of: &dyn Fn(&(&str, String), &Logged<'_>) -> String| {
        objects.iter().map(|(object, logged)| Some(of(object, logged))).collect::<Vec<_>>()
    };
    message::print("resources: what was logged of each\n")?;
    table_of_texts(vec![
        ("api_group", text(&|object, _| object.0.to_owned())),
        ("resource", text(&|object, _| object.1.clone())),
        ("levels", text(&|_, logged| joined(logged.levels.iter().copied()))),
        ("stages", text(&|_, logged| joined(stages(logged.stages)))),
        ("verbs", text(&|_, logged| joined(logged.verbs.iter().copied()))),
        ("events", text(&|_, logged| logged.events.to_string())),
    ])?;
    message::print("\nhosts: how whole the log of each is\n")?;
    let text = |of: &dyn Fn(&HostAccount) -> String| hosts.iter().map(|host| Some(of(host))).collect::<Vec<_>>();
    table_of_texts(vec![
        ("cluster", text(&|host| host.cluster.clone())),
        ("host", text(&|host| if host.host.is_empty() { "(not known)".to_owned() } else { host.host.clone() })),
        ("first", text(&|host| instant(host.first))),
        ("last", text(&|host| instant(host.last))),
        ("events", text(&|host| host.events.to_string())),
        ("usual_pause", text(&|host| seconds(host.usual_pause))),
        ("pauses", text(&|host| host.pauses.len().to_string())),
        ("seams", text(&|host| host.seams.len().to_string())),
        ("clock_steps", text(&|host| host.steps.len().to_string())),
        ("truncated", text(&|host| host.truncated.to_string())),
        ("unfinished", text(&|host| unfinished(host))),
    ])?;
    print_troubles(hosts)?;
    message::print("\nqueries: what each could see of this case\n")?;
    let text = |of: &dyn Fn(&str, &Verdict) -> String| {
        verdicts.iter().map(|(name, verdict)| Some(of(name, verdict))).collect::<Vec<_>>()
    };
    table_of_texts(vec![
        ("query", text(&|name, _| name.to_owned())),
        ("verdict", text(&|_, verdict| verdict.finding.name().to_owned())),
        ("because", text(&|_, verdict| verdict.because.join("; "))),
    ])?;
    for words in LeftOut::of(snapshot, observed).in_words() {
        message::note(&visible(&words));
    }
    Ok(())
}

/// Pauses, seams and steps one by one.
fn print_troubles(hosts: &[HostAccount]) -> Result<(), CliError> {
    let mut rows: Vec<[String; 5]> = Vec::new();
    for host in hosts {
        let mut say = |what: &str, from: i64, to: i64, which: String| {
            rows.push([host.host.clone(), what.to_owned(), instant(from), instant(to), which]);
        };
        for (from, to) in &host.pauses {
            say("pause", *from, *to, format!("{} long", seconds(to - from)));
        }
        for seam in &host.seams {
            say("seam", seam.ends, seam.begins, format!("source {} to {}", seam.before, seam.after));
        }
        for step in &host.steps {
            say("clock step", step.from, step.to, format!("source {}, line {}", step.source, step.line));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    message::print("\npauses, seams between files, and steps of clocks\n")?;
    let column = |at: usize| rows.iter().map(|row| Some(row[at].clone())).collect::<Vec<_>>();
    table_of_texts(vec![
        ("host", column(0)),
        ("what", column(1)),
        ("from", column(2)),
        ("to", column(3)),
        ("where", column(4)),
    ])
}

fn unfinished(host: &HostAccount) -> String {
    let kinds = host.unfinished.iter().map(|(kind, requests)| format!("{requests} {kind}"));
    kinds.collect::<Vec<_>>().join(", ")
}

fn instant(micros: i64) -> String {
    message::time(&time::render(micros))
}

fn seconds(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{}.{:03} s", seconds, micros / 1_000 % 1_000),
        (0, minutes, rest) => format!("{minutes} min {rest} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn as_json(snapshot: &Snapshot, observed: &Observed, hosts: &[HostAccount], verdicts: &[(&str, Verdict)]) -> Value {
    let resources: Vec<Value> = objects(observed)
        .into_iter()
        .map(|((group, object), logged)| {
            json!({
                "api_group": group, "resource": object, "levels": logged.levels, "stages": stages(logged.stages),
                "verbs": logged.verbs, "hosts": logged.hosts, "events": logged.events,
            })
        })
        .collect();
    let hosts: Vec<Value> = hosts
        .iter()
        .map(|host| {
            let span = |from: i64, to: i64| json!({"from": time::render(from), "to": time::render(to)});
            let seams = host.seams.iter().map(|seam| {
                json!({
                    "before": seam.before, "after": seam.after,
                    "from": time::render(seam.ends), "to": time::render(seam.begins),
                })
            });
            let steps = host.steps.iter().map(|step| {
                json!({
                    "source": step.source, "line": step.line,
                    "from": time::render(step.from), "to": time::render(step.to),
                })
            });
            json!({
                "host": host.host, "cluster": host.cluster,
                "first": time::render(host.first), "last": time::render(host.last),
                "events": host.events, "truncated": host.truncated, "usual_pause_us": host.usual_pause,
                "pauses": host.pauses.iter().map(|(from, to)| span(*from, *to)).collect::<Vec<_>>(),
                "seams": seams.collect::<Vec<_>>(),
                "clock_steps": steps.collect::<Vec<_>>(),
                "unfinished": host.unfinished.iter().cloned().collect::<BTreeMap<String, u64>>(),
            })
        })
        .collect();
    let queries: Vec<Value> = verdicts
        .iter()
        .map(|(name, verdict)| json!({"query": name, "verdict": verdict.finding.id(), "because": verdict.because}))
        .collect();
    let left = LeftOut::of(snapshot, observed);
    json!({
        "resources": resources, "hosts": hosts, "queries": queries,
        "left_out": {
            "rejected": left.rejected, "cut": left.marked.cut, "salvaged": left.marked.salvaged, "assumed": left.marked.assumed,
            "truncated": left.marked.truncated, "copies": left.marked.copies, "withheld": left.marked.withheld, "parts": left.marked.parts,
            "not_exported": left.not_exported, "sources_left_out": left.sources_left_out, "pruned": left.pruned,
        },
    })
}

fn print_policy(policy: &Policy, usage: Option<&Usage>, blinds: &[(&str, Blind)]) -> Result<(), CliError> {
    let rules: Vec<usize> = (1..=policy.rules.len()).chain([0]).collect();
    let volume = |rule: usize| usage.and_then(|usage| usage.rules.get(&rule)).copied().unwrap_or_default();
    let text = |of: &dyn Fn(usize) -> String| rules.iter().map(|rule| Some(of(*rule))).collect::<Vec<_>>();
    let rule_of = |rule: usize| rule.checked_sub(1).map(|at| &policy.rules[at]);
    let mut columns = vec![
        ("rule", text(&|rule| if rule == 0 { "(none)".to_owned() } else { rule.to_string() })),
        ("level", text(&|rule| rule_of(rule).map_or("None", |rule| rule.level.name()).to_owned())),
        (
            "about",
            text(&|rule| {
                rule_of(rule).map_or("what no rule matches".to_owned(), kforensic_query::policy::Rule::summary)
            }),
        ),
    ];
    if let Some(usage) = usage {
        columns.push(("events", text(&|rule| volume(rule).events.to_string())));
        columns.push(("bytes", text(&|rule| volume(rule).bytes.to_string())));
        columns.push(("share", text(&|rule| share(volume(rule), usage.total))));
    }
    message::print("rules, and what each wrote of this case\n")?;
    table_of_texts(columns)?;
    if let Some(usage) = usage {
        print_noise(usage)?;
        print_differences(usage)?;
    }
    message::print("\nqueries that the policy keeps something from\n")?;
    let text = |of: &dyn Fn(&str, &Blind) -> String| {
        blinds.iter().map(|(name, blind)| Some(of(name, blind))).collect::<Vec<_>>()
    };
    table_of_texts(vec![
        ("query", text(&|name, _| name.to_owned())),
        ("missing", text(&|_, blind| if blind.rows { "rows".to_owned() } else { "details".to_owned() })),
        ("because", text(&|_, blind| blind.because.join("; "))),
    ])?;
    let mut rules: BTreeMap<(usize, String), Vec<&str>> = BTreeMap::new();
    for (name, blind) in blinds {
        for (before, rule) in blind.rules.iter().rev() {
            rules.entry((before.unwrap_or(usize::MAX), rule.clone())).or_default().push(name);
        }
    }
    if rules.is_empty() {
        return Ok(());
    }
    message::print("\nrules that would give them what they need\n")?;
    for ((before, rule), queries) in rules {
        let place = if before == usize::MAX { "at the end".to_owned() } else { format!("before rule {before}") };
        message::print(&format!("# {place}, for {}\n{rule}", queries.join(", ")))?;
    }
    Ok(())
}

fn share(part: Volume, total: Volume) -> String {
    // Shares are shown in tenths of a percent; bytes of logs are far below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = if total.bytes == 0 { 0.0 } else { part.bytes as f64 / total.bytes as f64 * 100.0 };
    format!("{share:.1} %")
}

fn print_noise(usage: &Usage) -> Result<(), CliError> {
    let costly: Vec<_> = usage.noise.iter().filter(|(rule, ..)| *rule > 0).take(NOISE).collect();
    if costly.is_empty() {
        return Ok(());
    }
    message::print("\nwhat takes most of the log, and the rule before it that would drop it\n")?;
    for (rule, traffic, volume) in costly {
        let (events, share) = (volume.events, share(*volume, usage.total));
        let dropping = traffic.rule();
        message::print(&format!("# {share} of the bytes, {events} events, by rule {rule}\n{dropping}"))?;
    }
    Ok(())
}

fn print_differences(usage: &Usage) -> Result<(), CliError> {
    let events: u64 = usage.differences.values().sum();
    if events == 0 {
        message::note("every event of the case was logged as this policy says");
        return Ok(());
    }
    message::print("\nevents that this policy would not have written so\n")?;
    let rows: Vec<_> = usage.differences.iter().collect();
    let text = |of: &dyn Fn(&kforensic_query::policy::Difference, u64) -> String| {
        rows.iter().map(|(difference, events)| Some(of(difference, **events))).collect::<Vec<_>>()
    };
    table_of_texts(vec![
        ("what", text(&|difference, _| difference.what.clone())),
        ("rule", text(&|difference, _| difference.rule.map_or("(none)".to_owned(), |rule| rule.to_string()))),
        ("predicted", text(&|difference, _| difference.predicted.name().to_owned())),
        ("logged", text(&|difference, _| difference.logged.clone())),
        ("omitted_stage", text(&|difference, _| difference.stage.clone().unwrap_or_default())),
        ("events", text(&|_, events| events.to_string())),
    ])?;
    message::warning(&format!(
        "{events} of {} events are not as this policy writes them: it is another one, it was changed, or another server \
         wrote them",
        usage.total.events
    ));
    Ok(())
}

fn policy_as_json(policy: &Policy, usage: Option<&Usage>, blinds: &[(&str, Blind)]) -> Value {
    let volume = |rule: usize| {
        let volume = usage?.rules.get(&rule).copied().unwrap_or_default();
        Some(json!({"events": volume.events, "bytes": volume.bytes}))
    };
    let rules: Vec<Value> = policy
        .rules
        .iter()
        .zip(1..)
        .map(|(rule, number)| {
            json!({
                "rule": number, "level": rule.level.name(), "about": rule.summary(), "wrote": volume(number),
                "omit_stages": rule.omit_stages.iter().map(|stage| stage.name()).collect::<Vec<_>>(),
                "omit_managed_fields": rule.omit_managed_fields,
            })
        })
        .collect();
    let queries: Vec<Value> = blinds
        .iter()
        .map(|(name, blind)| {
            let rules = blind.rules.iter().map(|(before, rule)| json!({"before_rule": before, "yaml": rule}));
            json!({
                "query": name, "rows_missing": blind.rows, "because": blind.because,
                "rules": rules.collect::<Vec<_>>(),
            })
        })
        .collect();
    let noise = usage.iter().flat_map(|usage| &usage.noise).filter(|(rule, ..)| *rule > 0).take(NOISE);
    let noise: Vec<Value> = noise
        .map(|(rule, traffic, volume)| {
            json!({"rule": rule, "events": volume.events, "bytes": volume.bytes, "yaml": traffic.rule()})
        })
        .collect();
    let differences: Vec<Value> = usage
        .iter()
        .flat_map(|usage| &usage.differences)
        .map(|(difference, events)| {
            json!({
                "what": difference.what, "rule": difference.rule, "predicted": difference.predicted.name(),
                "logged": difference.logged, "omitted_stage": difference.stage, "events": events,
            })
        })
        .collect();
    json!({
        "rules": rules, "unmatched": volume(0), "queries": queries, "noise": noise, "differences": differences,
    })
}

//! `spread` on real intrusions: what was recorded of every step is reached from one clue, and nobody benign is held for
//! an intruder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use kforensic_event::time;
use kforensic_query::window;
use kforensic_trace::spread::{Bounds, Node, Spread, Strength, seed};
use serde_json::Value;

use crate::fixture::Fixture;

/// Identities of the captures that only do their work.
const BENIGN: [&str; 14] = [
    "user:alice",
    "user:kubernetes-admin",
    "user:system:apiserver",
    "user:system:kube-controller-manager",
    "user:system:kube-scheduler",
    "node:worker-1",
    "node:worker-2",
    "node:worker-3",
    "sa:ci/deployer",
    "sa:monitoring/prometheus",
    "sa:kube-system/deployment-controller",
    "sa:kube-system/replicaset-controller",
    "sa:kube-system/cronjob-controller",
    "sa:kube-system/daemon-set-controller",
];

/// A request of the intruder, as the script that worked as one sent it.
struct Sent {
    step: String,
    who: Option<String>,
    verb: String,
    resource: Option<String>,
    agent: String,
    micros: i64,
}

/// The requests of the intruder in a capture. The script used clients and addresses of its own, but for `bob`, whose
/// credential it stole: he himself works with kubectl 1.32.5, and lists all pods with 1.33.1.
fn sent(fixture: &Fixture, folder: &str) -> Vec<Sent> {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..").join(folder);
    let steps = fs::read_to_string(root.join("incident.jsonl")).unwrap();
    let steps: Vec<Value> = steps.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let begin = |at: usize| window::parse(steps[at]["t"].as_str().unwrap(), 0).unwrap();
    let rows = fixture.sql(
        "SELECT event_time, user_name, verb, resource, namespace, user_agent FROM requests
         WHERE (user_name IS NULL OR user_name = 'system:anonymous') AND user_agent LIKE 'python-requests%'
            OR user_name LIKE 'system:serviceaccount:%' AND user_agent LIKE 'curl%'
            OR user_name = 'mallory'
            OR user_name = 'bob' AND user_agent NOT LIKE 'kubectl/v1.32.5%'
         ORDER BY event_time, audit_id",
    );
    let mut found = Vec::new();
    for row in rows {
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        let micros = window::parse(&text("event_time").unwrap(), 0).unwrap();
        let at = (0..steps.len()).rev().find(|at| begin(*at) <= micros);
        let Some(at) = at.filter(|at| *at + 1 < steps.len()) else { continue };
        let is_routine = text("verb").as_deref() == Some("list") && text("resource").as_deref() == Some("pods");
        if is_routine && text("namespace").is_none() && text("user_name").as_deref() == Some("bob") {
            continue;
        }
        found.push(Sent {
            step: steps[at]["step"].as_str().unwrap().to_owned(),
            who: text("user_name"),
            verb: text("verb").unwrap(),
            resource: text("resource"),
            agent: text("user_agent").unwrap_or_default(),
            micros,
        });
    }
    found
}

fn spread(fixture: &Fixture, seeds: &[&str], bounds: &Bounds) -> Spread {
    let seeds: Vec<Node> = seeds.iter().map(|text| seed(text).unwrap()).collect();
    fixture.session().spread(&seeds, bounds).unwrap()
}

/// Requests of each step that the story tells, of all.
fn reached(found: &Spread, sent: &[Sent]) -> BTreeMap<String, (usize, usize)> {
    let mut steps: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for request in sent {
        let is_told = found.story.iter().any(|step| {
            let is_who = request.who.as_ref().is_none_or(|who| step.who.name == *who || who == "system:anonymous");
            is_who
                && step.first <= request.micros
                && request.micros <= step.last
                && step.act.verb == request.verb
                && step.act.resource == request.resource
                && step.agent.as_deref() == Some(&request.agent)
        });
        let (told, all) = steps.entry(request.step.clone()).or_default();
        *told += usize::from(is_told);
        *all += 1;
    }
    steps
}

/// Identities that are held for the intruder's.
fn accused(found: &Spread) -> BTreeSet<String> {
    let identities = found.identities().filter(|(touched, _)| touched.strength > Strength::Possible);
    identities.map(|(touched, _)| touched.node.to_string()).collect()
}

fn check(fixture: &Fixture, folder: &str, seeds: &[&str]) {
    let sent = sent(fixture, folder);
    let found = spread(fixture, seeds, &Bounds::default());
    let steps = reached(&found, &sent);
    let lost: Vec<_> = steps.iter().filter(|(_, (told, all))| told < all).collect();
    println!(
        "{folder} from {seeds:?}: {} of {} requests in {} steps; lost {lost:?}",
        steps.values().map(|(told, _)| told).sum::<usize>(),
        sent.len(),
        steps.len()
    );
    for (touched, reason) in found.identities() {
        let reason = reason.map(|edge| format!("{} {} at {}", edge.from, edge.kind, time::render(edge.time)));
        println!("  {} {} {reason:?} {:?}", touched.strength.name(), touched.node, touched.cut);
    }
    let accused = accused(&found);
    let benign: Vec<_> = accused.iter().filter(|name| BENIGN.contains(&name.as_str())).collect();
    assert!(benign.is_empty(), "{seeds:?}: {benign:?} are benign");
    for (step, (told, _)) in &steps {
        assert!(*told > 0, "{seeds:?}: nothing of {step}");
    }
    let told: usize = steps.values().map(|(told, _)| told).sum();
    assert!(told * 100 >= sent.len() * 97, "{seeds:?}: {told} of {} requests", sent.len());
}

#[test]
fn every_step_that_was_recorded_is_reached_from_one_clue() {
    let hardened = Fixture::of_logs("sample-logs/hardened");
    for clue in ["ip:127.0.31.9", "sa:prod/web", "user:bob", "sa:dev/legacy-bot"] {
        check(&hardened, "sample-logs/hardened", &[clue]);
    }
    let id = hardened.sql("SELECT audit_id FROM requests WHERE user_name = 'bob' AND user_agent LIKE 'Go-http%' ORDER BY event_time LIMIT 1");
    check(&hardened, "sample-logs/hardened", &[&format!("audit:{}", id[0]["audit_id"].as_str().unwrap())]);
}

#[test]
fn a_capture_in_which_everybody_comes_from_one_address() {
    let production = Fixture::of_logs("tests/logs/production");
    for clue in ["sa:prod/web", "user:bob"] {
        check(&production, "tests/logs/production", &[clue]);
    }
    let id = production.sql("SELECT audit_id FROM requests WHERE user_name = 'bob' AND user_agent LIKE 'Go-http%' ORDER BY event_time LIMIT 1");
    check(&production, "tests/logs/production", &[&format!("audit:{}", id[0]["audit_id"].as_str().unwrap())]);
    // The address of all is shown, and leads to nobody.
    let found = spread(&production, &["ip:127.0.0.1"], &Bounds::default());
    assert!(accused(&found).is_empty() && found.touched[0].cut.is_some());
}

/// Logs as text, one event a line.
fn lines(folder: &str) -> Vec<String> {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..").join(folder);
    let mut paths: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_str().unwrap().contains(".log"));
    paths.sort();
    let texts = paths.iter().map(|path| String::from_utf8(crate::fixture::unpacked(path)).unwrap());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// An event with its times moved by some microseconds.
fn moved(line: &str, by: i64) -> String {
    let mut line = line.to_owned();
    for key in ["\"requestReceivedTimestamp\":\"", "\"stageTimestamp\":\""] {
        let Some(at) = line.rfind(key).map(|at| at + key.len()) else { continue };
        let end = at + line[at..].find('"').unwrap();
        let micros = time::parse(&line[at..end]).unwrap();
        line.replace_range(at..end, &time::render(micros + by));
    }
    line
}

#[test]
fn of_two_intruders_only_the_one_of_the_clue_is_found() {
    let first = lines("sample-logs/hardened");
    // The second intrusion happens to others, elsewhere, at the very same time.
    let by = time::parse("2026-11-21T20:37:37.325661Z").unwrap() - time::parse("2026-11-21T20:00:28.800000Z").unwrap();
    let names = [
        ("bob", "rob"),
        ("mallory", "trudy"),
        ("alice", "alina"),
        ("legacy-bot", "old-bot"),
        ("prod", "shop"),
        ("metrics-helper", "audit-helper"),
        ("node-helper", "disk-helper"),
        ("127.0.0.1", "10.9.9.9"),
        ("wild", "feral"),
        ("curl/8.5.0", "wget/1.21"),
        ("Go-http-client", "Java-http-client"),
        ("python-requests", "perl-lwp"),
    ];
    let second: Vec<String> = lines("tests/logs/production")
        .iter()
        .map(|line| names.iter().fold(moved(line, by), |line, (from, to)| line.replace(from, to)))
        .collect();
    let (first, second) = (first.join("\n"), second.join("\n"));
    let both = Fixture::of_texts(&[first.as_bytes(), second.as_bytes()]);
    let found = spread(&both, &["ip:127.0.31.9"], &Bounds::default());
    let accused = accused(&found);
    for name in ["user:bob", "sa:prod/web", "sa:dev/legacy-bot"] {
        assert!(accused.contains(name), "{name}: {accused:?}");
    }
    for name in ["user:rob", "user:trudy", "user:alina", "sa:shop/web", "sa:dev/old-bot", "sa:kube-system/audit-helper"]
    {
        assert!(!accused.contains(name), "{name}: {accused:?}");
    }
    assert!(!accused.iter().any(|name| BENIGN.contains(&name.as_str())), "{accused:?}");
}

#[test]
fn behind_a_load_balancer_the_cluster_is_not_swallowed() {
    let mut behind = lines("sample-logs/hardened");
    for line in &mut behind {
        for address in ["127.0.0.1", "127.0.31.9", "127.0.66.7"] {
            *line = line.replace(&format!("\"sourceIPs\":[\"{address}\"]"), "\"sourceIPs\":[\"10.0.0.1\"]");
        }
    }
    let log = behind.join("\n");
    let fixture = Fixture::of_texts(&[log.as_bytes()]);
    for clue in ["user:bob", "sa:prod/web"] {
        check(&fixture, "sample-logs/hardened", &[clue]);
        let found = spread(&fixture, &[clue], &Bounds::default());
        let balancer = found.touched.iter().find(|touched| touched.node.name == "10.0.0.1").unwrap();
        assert!(balancer.cut.is_some());
    }
    let alone = spread(&fixture, &["ip:10.0.0.1"], &Bounds::default());
    assert_eq!(alone.identities().count(), 0);
    let through = Bounds { through: [seed("ip:10.0.0.1").unwrap()].into(), ..Bounds::default() };
    assert!(spread(&fixture, &["ip:10.0.0.1"], &through).identities().count() > 20);
}

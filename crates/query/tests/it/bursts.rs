//! Bursts that are split: over identities from one address, over addresses, over clients. Each request is counted once.

use serde_json::{Value, json};

use crate::fixture::Fixture;

const INTRUDER: &str = "10.9.9.9";
const NAT: &str = "10.2.2.2";
const NODE: &str = "10.0.0.1";
const HOUR: u64 = 3_600;

struct Log(Vec<Value>);

impl Log {
    fn send(&mut self, user: &str, address: &str, second: u64, verb: &str, object: &Value, code: u16) {
        let number = self.0.len();
        let time = format!("2026-11-25T{:02}:{:02}:{:02}.000000Z", second / 3600, second / 60 % 60, second % 60);
        self.0.push(json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
            "auditID": format!("{number:08x}-0000-4000-8000-000000000000"), "verb": verb,
            "requestURI": format!("/api/v1/{}/{}", object["resource"].as_str().unwrap(), number),
            "user": {"username": user, "groups": ["system:authenticated"]}, "sourceIPs": [address],
            // Clients change all the time.
            "userAgent": format!("agent-{}/v1", number % 7), "objectRef": object,
            "responseStatus": {"metadata": {}, "code": code},
            "requestReceivedTimestamp": time, "stageTimestamp": time,
            "annotations": {"authorization.k8s.io/decision": if code == 403 { "forbid" } else { "allow" }}
        }));
    }

    fn reads(&mut self, user: &str, address: &str, second: u64, secret: &str) {
        self.send(user, address, second, "get", &named("secrets", secret), 200);
    }

    /// Somebody who works from there, a request every ten minutes.
    fn works(&mut self, user: &str, address: &str, hours: std::ops::Range<u64>) {
        for second in (hours.start * HOUR..hours.end * HOUR).step_by(600) {
            self.send(user, address, second, "get", &named("configmaps", "settings"), 200);
        }
    }

    fn case(&self) -> Fixture {
        let lines: String = self.0.iter().map(|event| format!("{event}\n")).collect();
        Fixture::of_texts(&[lines.as_bytes()])
    }

    fn ask(&self, query: &str) -> Vec<Value> {
        self.case().ask(query, &[])
    }
}

fn named(resource: &str, name: &str) -> Value {
    json!({"resource": resource, "namespace": "prod", "name": name, "apiVersion": "v1"})
}

fn all(resource: &str) -> Value {
    json!({"resource": resource, "apiVersion": "v1"})
}

fn row(rows: &[Value]) -> &Value {
    assert_eq!(rows.len(), 1, "{rows:#?}");
    &rows[0]
}

/// Who, as several, and how many requests, by row.
fn told(rows: &[Value]) -> Vec<(Value, Value, Value)> {
    rows.iter().map(|row| (row["user_name"].clone(), row["users"].clone(), row["requests"].clone())).collect()
}

/// Tokens that are guessed have no user, and whoever tries one after the other, each every few seconds, is no burst.
#[test]
fn failures_to_authenticate_count_by_address() {
    let mut log = Log(Vec::new());
    let mut fails = |address: &str, seconds: std::ops::Range<u64>, step: usize| {
        for second in seconds.step_by(step) {
            log.send("", address, second, "get", &named("configmaps", "settings"), 401);
        }
    };
    fails(INTRUDER, 100..124, 2);
    fails(NAT, 100..108, 1);
    fails(NODE, 0..4 * HOUR, 10);
    let rows = log.ask("failed-auth-bursts");
    assert_eq!((&row(&rows)["source_ips"], &row(&rows)["attempts"]), (&json!([INTRUDER]), &json!(12)));
    assert_eq!(log.case().ask("failed-auth-bursts", &["-p", "minimum=8"]).len(), 2);
}

#[test]
fn a_burst_that_is_split_over_identities_is_one_of_their_address() {
    const KINDS: [&str; 4] = ["namespaces", "nodes", "pods", "configmaps"];
    for users in [2, 10] {
        let names: Vec<String> = (0..users).map(|number| format!("stolen-{number}")).collect();
        let mut log = Log(Vec::new());
        // Each does less than what would make a burst of its own.
        for (user, name) in (0_u64..).zip(&names) {
            for number in 0..2 {
                let at = user * 2 + number;
                log.reads(name, INTRUDER, 100 + at, &format!("s{at}"));
                log.send(name, INTRUDER, 9_000 + at, "list", &all(KINDS[usize::try_from(at).unwrap() % 4]), 200);
            }
            for number in 0..5 {
                let at = user * 5 + number;
                log.send(name, INTRUDER, 3_000 + at, "create", &named("pods", &format!("p{at}")), 403);
                log.send(name, INTRUDER, 6_000 + at, "delete", &named("configmaps", &format!("c{at}")), 200);
            }
        }
        for (query, of, count) in [
            ("secret-bursts", "secrets", users * 2),
            ("recon", "kinds", 4),
            ("enumeration", "refused", users * 5),
            ("mass-deletions", "deleted", users * 5),
        ] {
            let rows = log.ask(query);
            let row = row(&rows);
            assert_eq!((&row["user_name"], &row[of]), (&Value::Null, &json!(count)), "{query} of {users}: {row}");
            assert_eq!((&row["source_ips"], &row["users"]), (&json!([INTRUDER]), &json!(names)), "{query}");
        }
    }
}

#[test]
fn a_burst_that_is_split_over_addresses_and_clients_is_one_of_its_identity() {
    let mut log = Log(Vec::new());
    for number in 0..10 {
        log.reads("mallory", &format!("10.9.9.{number}"), 100 + number, &format!("s{number}"));
    }
    let rows = log.ask("secret-bursts");
    assert_eq!(told(&rows), [(json!("mallory"), Value::Null, json!(10))]);
    assert_eq!(rows[0]["source_ips"].as_array().unwrap().len(), 10);
}

#[test]
fn no_request_stands_in_two_bursts() {
    let mut log = Log(Vec::new());
    for number in 0..4 {
        log.reads("mallory", INTRUDER, 100 + number, &format!("m{number}"));
        log.reads(&format!("other-{}", number % 2), INTRUDER, 100 + number, &format!("o{number}"));
    }
    let rows = log.ask("secret-bursts");
    let several = (Value::Null, json!(["other-0", "other-1"]), json!(4));
    assert_eq!(told(&rows), [(json!("mallory"), Value::Null, json!(4)), several]);
}

#[test]
fn what_many_send_through_one_address_is_no_burst_but_that_of_guests_is() {
    let mut log = Log(Vec::new());
    for user in ["alice", "bob", "carol"] {
        log.works(user, NAT, 0..14);
        log.reads(user, NAT, 6 * HOUR + 5, &format!("of-{user}"));
    }
    assert_eq!(log.ask("secret-bursts"), Vec::<Value>::new());
    // In the first hour of the log they were there as well.
    for (number, user) in (0..).zip(["alice", "bob", "carol"]) {
        log.reads(user, NAT, 700 + number, &format!("early-{user}"));
    }
    assert_eq!(log.ask("secret-bursts"), Vec::<Value>::new());
    // These come from elsewhere, but for once.
    for (number, user) in (0..).zip(["web", "bot", "job"]) {
        log.works(user, &format!("10.3.3.{number}"), 0..12);
        log.reads(user, NAT, 6 * HOUR + 6, &format!("of-{user}"));
    }
    let rows = log.ask("secret-bursts");
    assert_eq!(told(&rows), [(Value::Null, json!(["bot", "job", "web"]), json!(3))]);
}

#[test]
fn accounts_that_come_with_their_burst_make_no_shared_address() {
    let mut log = Log(Vec::new());
    log.works("alice", "10.1.1.1", 0..12);
    for number in 0..5 {
        let user = format!("made-{number}");
        log.reads(&user, INTRUDER, 5 * HOUR + number, &format!("s{number}"));
        log.works(&user, INTRUDER, 5..12);
    }
    let rows = log.ask("secret-bursts");
    assert_eq!((rows.len(), &rows[0]["secrets"]), (1, &json!(5)), "{rows:#?}");
}

#[test]
fn an_address_of_a_node_counts_for_nobody() {
    let mut log = Log(Vec::new());
    let lease = json!({"resource": "leases", "namespace": "kube-node-lease", "name": "worker-1",
        "apiGroup": "coordination.k8s.io", "apiVersion": "v1"});
    for second in 0..30 {
        log.send("system:node:worker-1", NODE, second * 10, "update", &lease, 200);
    }
    for number in 0..4 {
        log.reads(&format!("system:serviceaccount:prod:app-{number}"), NODE, 100 + number, &format!("s{number}"));
    }
    assert_eq!(log.ask("secret-bursts"), Vec::<Value>::new());
    log.0.retain(|event| event["verb"] != "update");
    assert_eq!(row(&log.ask("secret-bursts"))["secrets"], 4);
}

#[test]
fn a_window_changes_nothing_about_whose_address_it_is() {
    let mut log = Log(Vec::new());
    for user in ["alice", "bob", "carol"] {
        log.works(user, NAT, 0..14);
        log.reads(user, NAT, 6 * HOUR + 5, &format!("of-{user}"));
    }
    let case = log.case();
    for arguments in [["--since", "2026-11-25T06:00:00Z"], ["--resource", "secrets"], ["--namespace", "prod"]] {
        assert_eq!(case.ask("secret-bursts", &arguments), Vec::<Value>::new(), "{arguments:?}");
    }
}

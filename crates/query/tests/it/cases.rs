//! Logs of what an attacker would do who knows the queries: each case is found, or told apart, as it should be.
//!
//! `tests/logs/adversarial` and `tests/logs/changes` are made by hand; their `cases.jsonl` says what each event is.

use std::collections::BTreeMap;
use std::fs;

use kforensic_query::Parameters;
use serde_json::Value;

use crate::fixture::{Fixture, canned, run};

/// A log and what its events are: audit ids by the first word of their case.
struct Cases {
    log: Fixture,
    ids: BTreeMap<String, Vec<String>>,
}

fn cases(name: &str) -> Cases {
    let folder = format!("tests/logs/{name}");
    let path = format!("{}/../../{folder}/cases.jsonl", std::env::var("CARGO_MANIFEST_DIR").unwrap());
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let word = case["case"].as_str().unwrap().split(' ').next().unwrap().to_owned();
        ids.entry(word).or_default().push(case["audit_id"].as_str().unwrap().to_owned());
    }
    Cases { log: Fixture::of_logs(&folder), ids }
}

impl Cases {
    /// The rows of `query` about a case.
    fn rows(&self, case: &str, query: &str, arguments: &[&str]) -> Vec<Value> {
        self.about(case, &self.log.ask(query, arguments))
    }

    /// Those of the rows that are about a case.
    fn about(&self, case: &str, rows: &[Value]) -> Vec<Value> {
        let ids = self.ids.get(case).unwrap_or_else(|| panic!("no case {case}"));
        rows.iter().filter(|row| ids.iter().any(|id| row["audit_id"] == id.as_str())).cloned().collect()
    }
}

/// What is wrong with a table of cases: the query has a row about the case that holds all the texts, or no row at all
/// when the text is `none`.
fn wrong(cases: &Cases, expected: &[(&str, &str, &[&str])]) -> Vec<String> {
    let mut wrong = Vec::new();
    let session = cases.log.session();
    let mut answers: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (case, query, texts) in expected {
        let answer = || run(&session, &canned(query), &Parameters::new(), None).unwrap().0;
        let rows = cases.about(case, answers.entry(query).or_insert_with(answer));
        let found = rows.iter().any(|row| texts.iter().all(|text| row.to_string().contains(text)));
        if (*texts == ["none"]) == rows.is_empty() && (rows.is_empty() || found) {
            continue;
        }
        wrong.push(format!("{case} {query} {texts:?}: {rows:?}"));
    }
    wrong
}

const ADVERSARIAL: &[(&str, &str, &[&str])] = &[
    ("S1", "secret-values", &["\"how\":\"patch\"", "\"handed_out\":\"values\""]),
    ("S2", "secret-values", &["deletecollection as a dry run", "\"handed_out\":\"values\"", "prod/stripe-key"]),
    ("S3", "secret-values", &["\"handed_out\":\"object\""]),
    ("S4", "secret-values", &["\"handed_out\":\"possibly\""]),
    ("S5", "secret-values", &["prod/db-x7k2p"]),
    ("S6", "secret-values", &["\"how\":\"delete\"", "\"handed_out\":\"values\""]),
    ("S3", "secrets-listed", &["\"handed_out\":\"object\""]),
    ("P1", "proxied-requests", &["/v1/secret/data/x"]),
    ("P2", "proxied-requests", &["/script"]),
    ("P3", "node-proxy", &["\"runs_code\":true"]),
    ("P4", "failed-auth-events", &["none"]),
    ("R1", "rbac-changes", &["\"dry_run\":true"]),
    ("R1", "privileged-bindings", &["\"dry_run\":true"]),
    ("R2", "privileged-bindings", &["everybody"]),
    ("R3", "privileged-bindings", &["service account"]),
    ("R4", "privileged-bindings", &["role of unknown powers"]),
    ("R5", "privileged-bindings", &["powerful role"]),
    ("R6", "sensitive-roles", &["every verb"]),
    ("R7", "sensitive-roles", &["aggregate every role"]),
    ("R8", "sensitive-roles", &["read secrets"]),
    ("R8", "sensitive-roles", &["make volumes of the node"]),
    ("R8", "sensitive-roles", &["reach into pods"]),
    ("R8", "sensitive-roles", &["change namespaces"]),
    ("R8", "sensitive-roles", &["write APIs"]),
    ("R8", "sensitive-roles", &["write webhooks"]),
    ("R8", "sensitive-roles", &["use any SCC"]),
    ("R8", "sensitive-roles", &["sign certificates"]),
    ("N1", "secrets-listed", &["masterclient"]),
    ("N2", "privileged-bindings", &["masterclient"]),
    ("N3", "secrets-listed", &["system:backup"]),
    ("N4", "secrets-listed", &["backup-operator"]),
    ("N5", "guards-removed", &["openshift-x"]),
    ("N6", "events-deleted", &["openshift-x"]),
    ("N7", "system-namespace-changes", &["cni-operator"]),
    ("T1", "token-secrets-created", &["kube-system/clusterrole-aggregation-controller"]),
    ("T2", "long-lived-tokens", &["Secret/mine"]),
    ("K1", "sensitive-objects", &["path of the node /"]),
    ("K2", "sensitive-objects", &["served by evil/x"]),
    ("K3", "sensitive-objects", &["webhook"]),
    ("K4", "sensitive-objects", &["system:serviceaccount:dev:x"]),
    ("K5", "service-exposure", &["route"]),
    ("K6", "service-exposure", &["ingress without TLS", "ingress for every host"]),
    ("K7", "service-exposure", &["route"]),
    ("K8", "service-exposure", &["endpoint 203.0.113.9"]),
    ("K9", "sensitive-objects", &["chart"]),
    ("K10", "sensitive-objects", &["trust"]),
    ("K11", "sensitive-objects", &["certificate"]),
    ("K12", "sensitive-objects", &["adminAccess"]),
    ("K13", "webhook-changes", &["mutatingadmissionpolicybindings"]),
    ("K14", "proxied-requests", &["console"]),
    ("K15", "critical-configmaps", &["rke2-coredns"]),
    ("K16", "permission-checks", &["tokenreviews"]),
    ("K17", "permission-checks", &["as admin"]),
    ("K18", "guards-removed", &["changed"]),
    ("K19", "token-secrets-created", &["bootstrap.kubernetes.io/token"]),
    ("W1", "privileged-workloads", &["SELinux unconfined", "AppArmor unconfined"]),
    ("W1", "exec-suspicious", &["reverse shell", "template"]),
    ("W2a", "privileged-workloads", &["\"dry_run\":true"]),
    ("W3c", "image-changes", &["reg/web:1 -> evil/web:1"]),
    ("W3d", "image-changes", &["evil/web:1 -> evil/web:2"]),
    ("M4", "deletions", &["\"dry_run\":false", "\"deleted\":1"]),
    ("A2", "workload-after-rbac", &["create rolebindings rb"]),
    ("A4", "workload-after-rbac", &["none"]),
    ("Q1", "namespace-changes", &["removed pod-security.kubernetes.io/enforce"]),
    ("Q1", "guards-removed", &["Pod Security label removed"]),
    ("O1", "failed-auth-events", &["unauthenticated", "carol"]),
    ("E1", "exec-credentials", &["service account token"]),
    ("I1", "impersonation", &["\"privileged\":true", "refused"]),
    ("L1", "failed-auth-events", &["\"forwarded_for\":\"203.0.113.66\""]),
    ("L2", "audit-evasion", &["more addresses than usual", "203.0.113.66"]),
    ("L3", "failed-auth-events", &["\"user_name\":\"bob\"", "forbidden"]),
    ("D1", "failed-auth-events", &["\"refused_by\":\"authorization\"", "forbidden"]),
    ("A1", "privileged-bindings", &["\"dry_run\":false"]),
    ("A3", "privileged-bindings", &["\"dry_run\":true"]),
    ("B1", "secret-reads", &["\"verb\":\"get\""]),
    ("M1", "deletions", &["\"subresource\":\"eviction\"", "\"deleted\":1"]),
    ("M3", "deletions", &["\"resource\":\"namespaces\""]),
    ("P4", "proxied-requests", &["401"]),
    ("R6", "rbac-by-service-accounts", &["clusterroles"]),
    ("W3b", "deletions", &["\"deleted\":1"]),
];

#[test]
fn what_an_attacker_does_who_knows_the_queries_is_found() {
    let cases = cases("adversarial");
    let wrong = wrong(&cases, ADVERSARIAL);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The whole of R5's and R6's power is borrowed, and still theirs.
    assert_eq!(cases.rows("R6", "sensitive-roles", &["--user", "eve"]).len(), 1);
}

#[test]
fn bursts_and_mass_deletions_are_counted_over_the_edges_of_windows() {
    let cases = cases("adversarial");
    let row = |query: &str, user: &str| {
        let rows = cases.log.ask(query, &["--user", user]);
        assert!(!rows.is_empty(), "{query} {user}");
        rows
    };
    assert_eq!(row("secret-bursts", "hugo")[0]["secrets"], 6);
    assert_eq!(row("secret-bursts", "ivan")[0]["secrets"], 4);
    assert_eq!(row("recon", "hugo")[0]["kinds"], 6);
    assert_eq!(row("mass-deletions", "eve")[0]["evictions"], 12);
    assert_eq!(row("mass-deletions", "gina")[0]["deleted"], 12);
    let frank = row("mass-deletions", "frank");
    assert_eq!((frank.len(), &frank[0]["deleted"]), (2, &Value::from(18)));
    assert_eq!(frank[1]["collections"], 1);
    assert!(frank[1].to_string().contains("billing"), "{frank:?}");
}

#[test]
fn addresses_that_clients_claim_are_told() {
    let cases = cases("adversarial");
    let failed = cases.log.ask("failed-auth", &["--source-ip", "10.0.0.5"]);
    assert!(failed.iter().any(|row| row["forwarded_for"].to_string().contains("203.0.113.66")), "{failed:?}");
    let outside = cases.log.ask("outside-networks", &["--user", "bob"]);
    assert!(outside[0]["forwarded_for"].to_string().contains("203.0.113.66"), "{outside:?}");
    let address = cases.log.ask("ip", &["-p", "address=203.0.113.66"]);
    assert!(address.iter().any(|row| row["aspect"] == "user" && row["value"] == "masterclient"), "{address:?}");
}

const CHANGES: &[(&str, &str, &[&str])] = &[
    ("X1", "service-exposure", &["NodePort"]),
    ("X4", "service-exposure", &["LoadBalancer", "\"dry_run\":true"]),
    ("X7", "service-exposure", &["none"]),
    ("Y1a", "image-changes", &["none"]),
    ("Y1b", "image-changes", &["none"]),
    ("Y1c", "image-changes", &["none"]),
    ("Y2b", "image-changes", &["a: r/a:1 -> r/b:1", "b: r/b:1 -> r/a:1"]),
    ("Z1", "configmap-credentials", &["password in password"]),
    ("Z3", "configmap-credentials", &["password in DB_PASS", "secret in SECRET_KEY", "password in MYSQL_ROOT_PW"]),
    ("V4", "exec-suspicious", &["download"]),
    ("V5", "exec-suspicious", &["download"]),
    ("V6", "exec-suspicious", &["download"]),
    ("V11", "exec-suspicious", &["download"]),
    ("V12", "exec-suspicious", &["encoded"]),
    ("V13", "exec-suspicious", &["encoded"]),
    ("V14", "exec-suspicious", &["none"]),
    ("V14", "exec-credentials", &["none"]),
    ("V15", "exec-suspicious", &["reverse shell"]),
    ("V16", "exec-credentials", &["environment"]),
    ("V17", "exec-sessions", &["bash"]),
    ("V17", "exec-suspicious", &["interactive shell"]),
    ("U1", "exec-sessions", &["attach"]),
    ("G1", "gitops-drift", &["none"]),
    ("G2", "gitops-drift", &["Argo CD label"]),
];

#[test]
fn changes_are_what_changed_and_commands_what_they_do() {
    let cases = cases("changes");
    let wrong = wrong(&cases, CHANGES);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Who is GitOps here cannot be guessed; told, everything that it writes is under its care.
    let gitops = ["-p", "gitops=system:serviceaccount:gitops:argocd-application-controller"];
    assert_eq!(cases.rows("G1", "gitops-drift", &gitops).len(), 1);
    assert_eq!(cases.rows("G2", "gitops-drift", &gitops).len(), 0);
    let label = ["-p", "label=app.kubernetes.io/instance"];
    assert_eq!(cases.rows("G1", "gitops-drift", &label).len(), 1);
}

/// A log of what would evade: one event a line, as the server writes them.
fn case_of(events: &[Value]) -> Fixture {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    Fixture::of_texts(&[lines.as_bytes()])
}

fn event(
    number: usize,
    verb: &str,
    object: &Value,
    uri: &str,
    request: Option<Value>,
    response: Option<Value>,
) -> Value {
    let time = format!("2026-11-25T10:00:{number:02}.000000Z");
    let mut event = serde_json::json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "stage": "ResponseComplete",
        "auditID": format!("{number:08x}-0000-4000-8000-000000000000"), "requestURI": uri, "verb": verb,
        "user": {"username": "eve", "groups": ["system:authenticated"]}, "sourceIPs": ["10.9.9.9"],
        "userAgent": "kubectl/v1.33.1", "objectRef": object, "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": time, "stageTimestamp": time,
        "annotations": {"authorization.k8s.io/decision": "allow"}
    });
    for (key, body) in [("requestObject", request), ("responseObject", response)] {
        if let Some(body) = body {
            event[key] = body;
        }
    }
    event
}

#[test]
fn what_goes_with_its_last_finalizer_is_deleted() {
    use serde_json::json;
    let secret = json!({"resource": "secrets", "namespace": "prod", "name": "db", "apiVersion": "v1"});
    let space = json!({"resource": "namespaces", "namespace": "prod", "name": "prod", "subresource": "finalize", "apiVersion": "v1"});
    let marked = |finalizers: Option<Value>, grace: u32| {
        let mut object = json!({"kind": "Secret", "metadata": {"name": "db", "deletionTimestamp": "2026-11-25T10:00:00Z",
            "deletionGracePeriodSeconds": grace}});
        if let Some(finalizers) = finalizers {
            object["metadata"]["finalizers"] = finalizers;
        }
        Some(object)
    };
    let empties = || Some(json!({"metadata": {"finalizers": null}}));
    let labels = || Some(json!({"metadata": {"labels": {"a": "b"}}}));
    let removes = || Some(json!([{"op": "remove", "path": "/metadata/finalizers"}]));
    let plain = || Some(json!({"kind": "Secret", "metadata": {"name": "db"}}));
    let uri = "/api/v1/namespaces/prod/secrets/db";
    let is = |deleted: i64| Some(Value::from(deleted));
    let cases = [
        (event(1, "patch", &secret, uri, empties(), marked(None, 0)), is(1)),
        (event(2, "patch", &secret, uri, removes(), None), Some(Value::Null)),
        (event(3, "patch", &secret, uri, empties(), None), Some(Value::Null)),
        // One is left, nothing was marked, or a pod has its grace.
        (event(4, "patch", &secret, uri, empties(), marked(Some(json!(["x/y"])), 0)), None),
        (event(5, "patch", &secret, uri, empties(), plain()), None),
        (event(6, "patch", &secret, uri, labels(), marked(None, 30)), None),
        (event(7, "update", &secret, uri, marked(None, 0), marked(None, 0)), is(1)),
        (
            event(
                8,
                "update",
                &space,
                "/api/v1/namespaces/prod/finalize",
                Some(json!({"spec": {"finalizers": []}})),
                None,
            ),
            is(1),
        ),
        (
            event(
                9,
                "update",
                &space,
                "/api/v1/namespaces/prod/finalize",
                Some(json!({"spec": {"finalizers": ["kubernetes"]}})),
                None,
            ),
            None,
        ),
        (event(10, "update", &space, "/api/v1/namespaces/prod/finalize", None, None), Some(Value::Null)),
        (event(11, "patch", &secret, &format!("{uri}?dryRun=All"), empties(), marked(None, 0)), is(0)),
        (event(12, "patch", &secret, uri, labels(), plain()), None),
    ];
    let log = case_of(&cases.iter().map(|(event, _)| event.clone()).collect::<Vec<_>>());
    let rows = log.ask("deletions", &[]);
    for (number, (event, expected)) in cases.iter().enumerate() {
        let row = rows.iter().find(|row| row["audit_id"] == event["auditID"]);
        assert_eq!(row.map(|row| row["deleted"].clone()), *expected, "case {}", number + 1);
    }
}

#[test]
fn a_shell_that_is_left_open_is_found_however_it_is_wrapped() {
    let pod = serde_json::json!({"resource": "pods", "namespace": "prod", "name": "web", "subresource": "exec", "apiVersion": "v1"});
    let opens = |command: &str, flags: &str| {
        let words: String = command.split('|').map(|word| format!("&command={}", word.replace(' ', "+"))).collect();
        let uri = format!("/api/v1/namespaces/prod/pods/web/exec?container=c{words}{flags}");
        !case_of(&[event(1, "get", &pod, &uri, None, None)])
            .ask("exec-suspicious", &[])
            .iter()
            .all(|row| !row["attack_signs"].to_string().contains("interactive shell"))
    };
    let tty = "&stdin=true&tty=true";
    for command in [
        "bash",
        "/bin/sh|-i",
        "env|-i|bash",
        "nsenter|-t|1|-m|--|sh",
        "sh|-c|exec bash %7C%7C exec sh",
        "python3|-c|import pty%3B pty.spawn('/bin/sh')",
        "ash",
        "zsh|-l",
        "busybox|sh",
        "chroot|/host",
    ] {
        assert!(opens(command, tty), "{command}");
    }
    assert!(opens("sh", "&stdin=true"));
    for (command, flags) in [
        ("ls|/", tty),
        ("sh", "&stdout=true&stderr=true"),
        ("bash|-c|id", tty),
        ("cat|install.sh", tty),
        ("psql|-U|x", tty),
    ] {
        assert!(!opens(command, flags), "{command} {flags}");
    }
}

#[test]
fn what_a_config_map_has_withheld_is_told_by_its_name() {
    let map = serde_json::json!({"resource": "configmaps", "namespace": "prod", "name": "app", "apiVersion": "v1"});
    let data = serde_json::json!({"data": {
        "PASSWORD": "redacted:0123456789abcdef", "url": "postgres://app:redacted:0123456789abcdef@db/app",
        "x": "redacted:0123456789abcdef", "plain": "postgres://app@db/app",
    }});
    let rows = case_of(&[event(1, "patch", &map, "/api/v1/namespaces/prod/configmaps/app", Some(data), None)])
        .ask("configmap-credentials", &[]);
    assert_eq!(rows[0]["signs"], serde_json::json!(["password in PASSWORD", "password in URL in url", "token in x"]));
}

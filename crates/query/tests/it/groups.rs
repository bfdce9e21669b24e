//! Add-ons call resources as Kubernetes does: `secrets` of ACK, `nodes` of Longhorn, `pods` of metrics-server.

use std::path::Path;

use kforensic_query::coverage::{Finding, Observed, Scope, judge};
use serde_json::{Value, json};

use crate::fixture::{Fixture, canned};

/// The logs whose requests most queries find, in which every resource of the core group is one of an add-on.
fn of_an_add_on() -> Fixture {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/logs");
    let mut lines = String::new();
    for log in ["made/audit.log", "identities/audit.log", "adversarial/audit.log", "changes/audit.log"] {
        for line in std::fs::read_to_string(root.join(log)).unwrap().lines() {
            let mut event: Value = serde_json::from_str(line).unwrap();
            let object = &mut event["objectRef"];
            if object["resource"].is_string() && object.get("apiGroup").is_none() {
                object["apiGroup"] = json!("things.example.com");
                let uri = event["requestURI"].as_str().unwrap().replacen("/api/v1", "/apis/things.example.com/v1", 1);
                event["requestURI"] = json!(uri);
                lines += &format!("{event}\n");
            }
        }
    }
    Fixture::of_texts(&[lines.as_bytes()])
}

#[test]
fn what_an_add_on_calls_as_kubernetes_does_is_not_taken_for_it() {
    let case = of_an_add_on();
    let queries = [
        "configmap-credentials",
        "critical-configmaps",
        "ephemeral-containers",
        "events-deleted",
        "exec-denied",
        "exec-sessions",
        "namespace-changes",
        "node-joins",
        "node-proxy",
        "placement-and-priority",
        "pod-logs-read",
        "port-forwards",
        "proxied-requests",
        "recon",
        "secret-bursts",
        "secret-history",
        "secret-reads",
        "secret-values",
        "secret-writes",
        "secrets-listed",
        "service-account-secret-reads",
        "service-accounts-changed",
        "service-exposure",
        "static-pods",
        "token-requests",
        "token-secrets-created",
    ];
    for query in queries {
        let arguments: &[&str] = if query == "secret-history" { &["-p", "secret=prod/db-credentials"] } else { &[] };
        assert_eq!(case.ask(query, arguments), Vec::<Value>::new(), "{query}");
    }
}

#[test]
fn users_and_routes_of_add_ons_are_not_those_of_openshift() {
    let of = |number: u32, group: &str, resource: &str, body: Value| {
        let event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete",
            "auditID": format!("{group}/{resource}"), "requestURI": format!("/x/{number}"), "verb": "create",
            "user": {"username": "mallory"}, "sourceIPs": ["198.51.100.7"], "userAgent": "kubectl/v1.33.1",
            "objectRef": {"resource": resource, "apiGroup": group, "name": "x", "apiVersion": "v1"},
            "responseStatus": {"code": 201}, "requestObject": body,
            "requestReceivedTimestamp": "2026-03-03T10:00:00.000000Z", "stageTimestamp": "2026-03-03T10:00:00.000000Z",
        });
        format!("{event}\n")
    };
    let spec = json!({"spec": {"type": "NodePort", "rules": [{"host": "x"}]}});
    let log = [
        of(1, "user.openshift.io", "users", json!({"fullName": "x"})),
        of(2, "management.cattle.io", "users", json!({"username": "x"})),
        of(3, "rabbitmq.com", "users", spec.clone()),
        of(4, "iam.services.k8s.aws", "groups", spec.clone()),
        of(5, "longhorn.io", "nodes", spec.clone()),
        of(6, "serving.knative.dev", "services", spec.clone()),
        of(7, "networking.internal.knative.dev", "ingresses", spec.clone()),
        of(8, "networking.k8s.io", "ingresses", spec.clone()),
        of(9, "serving.knative.dev", "routes", spec.clone()),
        of(10, "route.openshift.io", "routes", spec),
    ];
    let case = Fixture::of_texts(&[log.concat().as_bytes()]);
    let told = |query: &str| -> Vec<String> {
        let mut ids: Vec<_> =
            case.ask(query, &[]).iter().map(|row| row["audit_id"].as_str().unwrap().to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(told("sensitive-objects"), ["management.cattle.io/users", "user.openshift.io/users"]);
    let exposed = ["networking.k8s.io/ingresses", "route.openshift.io/routes", "serving.knative.dev/routes"];
    assert_eq!(told("service-exposure"), exposed);
    let rows = case.ask("service-exposure", &[]);
    let of_knative = rows.iter().find(|row| row["audit_id"] == "serving.knative.dev/routes").unwrap();
    assert_eq!(of_knative["exposure"], json!(["route"]));
}

#[test]
fn what_is_logged_of_an_add_on_says_nothing_of_what_kubernetes_calls_so() {
    let case = of_an_add_on();
    let observed = Observed::of(&case.snapshot, &case.limits()).unwrap();
    for query in ["secret-reads", "exec-sessions", "token-requests", "pod-logs-read"] {
        let verdict = judge(&canned(query), &observed, &Scope::default());
        assert_eq!(verdict.finding, Finding::NotObservable, "{query}: {:?}", verdict.because);
    }
}

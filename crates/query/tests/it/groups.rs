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
        "secret-bursts",
        "secret-history",
        "secret-reads",
        "secret-values",
        "secret-writes",
        "secrets-listed",
        "service-account-secret-reads",
        "service-accounts-changed",
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
fn what_is_logged_of_an_add_on_says_nothing_of_what_kubernetes_calls_so() {
    let case = of_an_add_on();
    let observed = Observed::of(&case.snapshot, &case.limits()).unwrap();
    for query in ["secret-reads", "exec-sessions", "token-requests", "pod-logs-read"] {
        let verdict = judge(&canned(query), &observed, &Scope::default());
        assert_eq!(verdict.finding, Finding::NotObservable, "{query}: {:?}", verdict.because);
    }
}

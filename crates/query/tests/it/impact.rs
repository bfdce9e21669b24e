//! What is stopped, limited or deleted by hand, and secrets that are asked for by a write of nothing.

use serde_json::{Value, json};

use crate::fixture::Fixture;

/// A request of a user: verb, API group, resource with its subresource, query of the URI, body.
type Sent = (&'static str, &'static str, &'static str, &'static str, Value);

fn log(user: &str, agent: &str, requests: &[Sent]) -> Fixture {
    let lines = requests.iter().enumerate().map(|(number, (verb, group, object, query, body))| {
        let (resource, subresource) = object.split_once('/').unwrap_or((object, ""));
        let mut event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete",
            "auditID": format!("2e85f0e2-5651-405b-bf64-0bd0acf60b{number:02}"), "requestURI": format!("/x/{number}{query}"),
            "verb": verb, "user": {"username": user}, "sourceIPs": ["198.51.100.7"], "userAgent": agent,
            "objectRef": {
                "resource": resource, "subresource": subresource, "apiGroup": group, "namespace": "prod", "name": "x", "apiVersion": "v1"
            },
            "responseStatus": {"code": 200},
            "requestReceivedTimestamp": format!("2026-03-03T10:{number:02}:00.000000Z"),
            "stageTimestamp": format!("2026-03-03T10:{number:02}:00.000000Z"),
        });
        if !body.is_null() {
            event["requestObject"] = body.clone();
        }
        format!("{event}\n")
    });
    Fixture::of_texts(&[lines.collect::<String>().as_bytes()])
}

fn texts(rows: &[Value], column: &str) -> Vec<String> {
    rows.iter().map(|row| row[column].as_str().unwrap_or_default().to_owned()).collect()
}

fn stops() -> [Sent; 9] {
    let none = json!({"spec": {"replicas": 0}});
    [
        ("patch", "apps", "deployments/scale", "", none.clone()),
        ("update", "apps", "statefulsets/scale", "", none),
        ("patch", "apps", "deployments", "", json!([{"op": "replace", "path": "/spec/replicas", "value": 0}])),
        ("patch", "batch", "cronjobs", "", json!({"spec": {"suspend": true}})),
        ("patch", "autoscaling", "horizontalpodautoscalers", "", json!({"spec": {"maxReplicas": 1}})),
        ("delete", "autoscaling", "horizontalpodautoscalers", "", Value::Null),
        // What is no such thing.
        ("patch", "apps", "deployments/scale", "", json!({"spec": {"replicas": 10}})),
        ("patch", "apps", "deployments", "", json!({"metadata": {"labels": {"replicas": "0"}}})),
        ("patch", "autoscaling", "horizontalpodautoscalers", "", json!({"metadata": {"labels": {"a": "b"}}})),
    ]
}

#[test]
fn what_is_stopped_is_told() {
    let told = texts(&log("mallory", "kubectl/v1.33.1", &stops()).ask("workloads-stopped", &[]), "what");
    let stopped = "scaled to nothing";
    assert_eq!(told, [stopped, stopped, stopped, "suspended", "at most 1", "deleted"]);
}

#[test]
fn whoever_stops_a_workload_is_told_whatever_its_name_and_client() {
    for user in ["system:serviceaccount:keda:keda-operator", "system:serviceaccount:kube-system:replicaset-controller"]
    {
        assert_eq!(log(user, "keda/v2.15 (linux/amd64)", &stops()).ask("workloads-stopped", &[]).len(), 6, "{user}");
    }
}

#[test]
fn a_node_and_a_volume_that_a_hand_deletes_are_shown_alone() {
    let deletes = ["nodes", "persistentvolumes", "persistentvolumeclaims", "namespaces", "configmaps"]
        .map(|resource| ("delete", "", resource, "", Value::Null));
    let rows = log("mallory", "kubectl/v1.33.1", &deletes).ask("mass-deletions", &[]);
    let shown: Vec<String> = rows.iter().map(|row| row["resources"].to_string()).collect();
    for resource in ["nodes", "persistentvolumes", "persistentvolumeclaims", "namespaces"] {
        assert!(shown.iter().any(|one| one.contains(&format!("\"{resource}\""))), "{resource}: {shown:?}");
    }
    let rows =
        log("system:serviceaccount:ops:provisioner", "provisioner/v5 (linux)", &deletes).ask("mass-deletions", &[]);
    assert_eq!(rows.len(), 1, "{rows:?}");
}

#[test]
fn a_secret_is_asked_for_by_a_write_of_nothing() {
    let (dry, label) = ("?dryRun=All", json!({"metadata": {"labels": {"a": "b"}}}));
    let requests = [
        ("patch", "", "secrets", "", json!({})),
        ("patch", "", "secrets", "", json!([])),
        ("patch", "", "secrets", "", json!([{"op": "test", "path": "/kind", "value": "Secret"}])),
        (
            "patch",
            "",
            "secrets",
            "?fieldManager=x",
            json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "x"}}),
        ),
        ("patch", "", "secrets", dry, label.clone()),
        ("patch", "", "secrets", dry, json!([{"op": "add", "path": "/metadata/labels/a", "value": "b"}])),
        ("delete", "", "secrets", dry, Value::Null),
        // What changes something, or shows what it would change.
        ("patch", "", "secrets", "", label.clone()),
        ("patch", "", "secrets", dry, json!({"data": {"a": "Yg=="}})),
        ("patch", "", "secrets", dry, json!([{"op": "add", "path": "/data/a", "value": "Yg=="}])),
        ("delete", "", "secrets", "", Value::Null),
        ("patch", "", "configmaps", "", json!({})),
        ("patch", "things.example.com", "secrets", "", json!({})),
    ];
    let rows = log("mallory", "kubectl/v1.33.1", &requests).ask("audit-evasion", &[]);
    let asked = rows.iter().filter(|row| row["signs"].to_string().contains("write of nothing"));
    let numbers: Vec<String> = asked.map(|row| row["audit_id"].as_str().unwrap()[34..].to_owned()).collect();
    assert_eq!(numbers, ["00", "01", "02", "03", "04", "05", "06"]);
}

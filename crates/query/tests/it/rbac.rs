//! The replay of RBAC against what the real authorizer decided.

use kforensic_query::coverage::{Finding, Observed, Scope, judge};
use kforensic_trace::rbac::Asked;
use serde_json::{Value, json};

use crate::fixture::{Fixture, canned};

#[test]
fn every_decision_that_the_replay_knows_is_the_authorizers() {
    for (folder, agree, unknown_percent) in [("sample-logs/hardened", 4_100, 7), ("tests/logs/production", 16_000, 15)]
    {
        let fixture = Fixture::of_logs(folder);
        let session = fixture.session();
        let replay = session.rbac(&[]).unwrap();
        let checked = session.check_rbac(&replay).unwrap();
        assert!(checked.contradictions.is_empty(), "{folder}: {:#?}", checked.contradictions);
        assert!(checked.agree >= agree, "{folder}: {}", checked.agree);
        let share = 100 * checked.unknown / (checked.unknown + checked.agree);
        println!("{folder}: {} agree, {} unknown ({share} %): {:?}", checked.agree, checked.unknown, checked.reasons);
        assert!(share < unknown_percent, "{folder}: {share} % unknown: {:?}", checked.reasons);
    }
}

#[test]
fn without_bodies_nothing_is_denied_or_allowed_by_guess() {
    // Secrets and RBAC are not logged there at all.
    let fixture = Fixture::of_logs("sample-logs/moderate");
    let session = fixture.session();
    let replay = session.rbac(&[]).unwrap();
    let checked = session.check_rbac(&replay).unwrap();
    assert!(checked.contradictions.is_empty(), "{:?}", checked.contradictions);
    let asked = Asked { verb: "get".into(), resource: "pods".into(), ..Asked::default() };
    let (_, unknown) = session.who_can(&replay, &asked, i64::MAX).unwrap();
    assert!(unknown.iter().any(|what| what.contains("there is no snapshot")), "{unknown:?}");
}

/// A server of OpenShift that serves RBAC under a group of its own; `kube-apiserver.log` tells what it then writes for the user.
#[test]
fn what_openshift_serves_under_a_group_of_its_own_is_rbac() {
    let own = std::fs::read("../../tests/logs/openshift/openshift-apiserver.log").unwrap();
    let fixture = Fixture::of_texts(&[&own]);
    let texts = |rows: &[Value], field: &str| rows.iter().map(|row| row[field].to_string()).collect::<Vec<_>>();
    // Reviews of rights change nothing.
    let changes = fixture.ask("rbac-changes", &[]);
    assert_eq!(
        texts(&changes, "role_ref"),
        [
            r#""ClusterRole/cluster-admin""#,
            r#""ClusterRole/admin""#,
            r#""Role/deployer""#,
            "null",
            "null",
            r#""ClusterRole/cluster-admin""#,
            "null"
        ]
    );
    assert_eq!(changes[1]["subjects"], json!(["Group/system:authenticated", "ServiceAccount/prod/builder"]));
    assert_eq!(texts(&fixture.ask("sensitive-roles", &[]), "powers"), [r#"["read secrets"]"#]);
    assert_eq!(fixture.ask("privileged-bindings", &[]).len(), 4);
    let session = fixture.session();
    let replay = session.rbac(&[]).unwrap();
    let (_, unknown) = session.who_can(&replay, &Asked { verb: "get".into(), ..Asked::default() }, i64::MAX).unwrap();
    assert!(unknown.iter().any(|what| what.contains("which ClusterRoleBinding/ops-view gives")), "{unknown:?}");

    // What users write to the API server itself does not stand in this log.
    let verdict =
        judge(&canned("rbac-changes"), &Observed::of(&fixture.snapshot, &fixture.limits()).unwrap(), &Scope::default());
    assert_eq!(verdict.finding, Finding::Partly);
    assert!(
        verdict.because[0].ends_with("`roles` of the API group `rbac.authorization.k8s.io`"),
        "{:?}",
        verdict.because
    );

    // Nothing is missed of what nobody asked OpenShift's group for.
    let of_openshift = |reason: &String| reason.contains("authorization.openshift.io");
    assert!(!verdict.because.iter().any(of_openshift), "{:?}", verdict.because);

    // One id in both logs is one request that was passed on.
    let both = Fixture::of_logs("tests/logs/openshift");
    let conflicts = both.ask("audit-id-conflicts", &[]);
    assert_eq!(texts(&conflicts, "kind"), [r#""forwarded""#]);
    assert_eq!(both.ask("audit-evasion", &[]).len(), 0);
    assert_eq!(both.ask("rbac-changes", &[]).len(), 9);
}

/// A request with `generateName` names nothing: what the server called the object stands in the answer alone.
#[test]
fn what_the_server_named_has_its_name() {
    let event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "1",
        "stage": "ResponseComplete", "verb": "create", "user": {"username": "mia", "groups": []},
        "requestURI": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", "sourceIPs": ["10.0.0.1"],
        "objectRef": {"resource": "clusterrolebindings", "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1"},
        "responseStatus": {"code": 201},
        "requestObject": {"kind": "ClusterRoleBinding", "metadata": {"generateName": "door-"},
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}},
        "responseObject": {"kind": "ClusterRoleBinding", "metadata": {"generateName": "door-", "name": "door-x7k2p"},
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}},
        "requestReceivedTimestamp": "2026-11-02T10:00:00.000000Z", "stageTimestamp": "2026-11-02T10:00:00.000000Z"
    });
    let fixture = Fixture::of_texts(&[event.to_string().as_bytes()]);
    assert_eq!(fixture.ask("rbac-changes", &[])[0]["name"], "door-x7k2p");
    assert_eq!(fixture.ask("privileged-bindings", &[])[0]["name"], "door-x7k2p");
}

#[test]
fn a_role_of_ones_own_with_all_rights_is_told_as_one_and_so_is_how_many_went() {
    let event = |id: &str, verb: &str, resource: &str, name: Value, sent: Value, answer: Value| {
        let event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "stage": "ResponseComplete",
            "auditID": id, "requestURI": format!("/x/{id}"), "verb": verb, "user": {"username": "mallory"},
            "sourceIPs": ["198.51.100.7"], "userAgent": "kubectl/v1.33.1",
            "objectRef": {"resource": resource, "apiGroup": "rbac.authorization.k8s.io", "name": name, "apiVersion": "v1"},
            "responseStatus": {"code": 200}, "requestObject": sent, "responseObject": answer,
            "requestReceivedTimestamp": "2026-03-03T10:00:00.000000Z", "stageTimestamp": "2026-03-03T10:00:00.000000Z",
        });
        format!("{event}\n")
    };
    let role = |name: &str, rules: Value| {
        event(name, "create", "clusterroles", json!(name), json!({"rules": rules}), Value::Null)
    };
    let binding = |id: &str, role: &str| {
        let role = json!({"kind": "ClusterRole", "name": role});
        let body = json!({"roleRef": role, "subjects": [{"kind": "User", "name": "eve"}]});
        event(id, "create", "clusterrolebindings", json!(id), body, Value::Null)
    };
    let rule = |groups: &str, names: Value| json!([{"apiGroups": [groups], "resources": ["*"], "verbs": ["*"], "resourceNames": names}]);
    let log = [
        role("all", rule("*", Value::Null)),
        role("core", rule("", Value::Null)),
        role("named", rule("*", json!(["x"]))),
        binding("to-all", "all"),
        binding("to-core", "core"),
        binding("to-named", "named"),
        event("gone", "deletecollection", "clusterroles", Value::Null, Value::Null, json!({"items": [{}, {}, {}]})),
        event("one", "delete", "clusterroles", json!("view"), Value::Null, Value::Null),
    ];
    let fixture = Fixture::of_texts(&[log.concat().as_bytes()]);
    let rows = fixture.ask("privileged-bindings", &[]);
    let told: Vec<_> = rows.iter().map(|row| (row["name"].as_str().unwrap(), &row["why"])).collect();
    let (all, some) = (json!(["role with all rights", "role with powers"]), json!(["role with powers"]));
    assert_eq!(told, [("to-all", &all), ("to-core", &some), ("to-named", &some)]);
    let rows = fixture.ask("system-roles-changed", &[]);
    let deleted: Vec<_> = rows.iter().map(|row| (row["audit_id"].as_str().unwrap(), &row["deleted"])).collect();
    assert_eq!(deleted, [("gone", &json!(3)), ("one", &json!(1))]);
}

/// What a binding gives never changes, so that a patch which says nothing of it is about the role it was made with.
#[test]
fn a_patch_of_a_binding_is_of_the_role_that_it_was_made_with() {
    let event = |minute: u8, verb: &str, name: &str, body: Value| {
        json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": format!("{minute}"),
            "stage": "ResponseComplete", "verb": verb, "user": {"username": "eve", "groups": []},
            "requestURI": format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{name}"),
            "sourceIPs": ["10.0.0.1"], "responseStatus": {"code": 200}, "requestObject": body,
            "objectRef": {"resource": "clusterrolebindings", "name": name, "apiGroup": "rbac.authorization.k8s.io"},
            "requestReceivedTimestamp": format!("2026-11-02T10:{minute:02}:00.000000Z"),
            "stageTimestamp": format!("2026-11-02T10:{minute:02}:00.000000Z")
        })
        .to_string()
    };
    let made = |role: &str| json!({"roleRef": {"kind": "ClusterRole", "name": role}});
    let more = json!([{"op": "add", "path": "/subjects/-", "value": {"kind": "User", "name": "mallory"}}]);
    let lines = [
        event(1, "create", "team", made("cluster-admin")),
        event(2, "create", "readers", made("view")),
        event(3, "patch", "team", more.clone()),
        event(4, "patch", "readers", more.clone()),
        event(5, "patch", "cluster-admin", more.clone()),
        event(6, "patch", "of-old", more),
    ];
    let rows =
        Fixture::of_texts(&[lines.join("\n").as_bytes()]).ask("privileged-bindings", &["--since", "2026-11-02T10:03"]);
    let told: Vec<String> = rows.iter().map(|row| format!("{} {}", row["name"], row["why"])).collect();
    assert_eq!(
        told,
        [r#""team" ["powerful role"]"#, r#""cluster-admin" ["powerful role"]"#, r#""of-old" ["role not told"]"#]
    );
}

/// A label gives all rules of a role to everybody who has `view`, whatever the write that sets it says of them.
#[test]
fn a_role_whose_rules_are_given_to_a_default_role_is_listed() {
    let label = "rbac.authorization.k8s.io/aggregate-to-view";
    for body in [
        json!({"metadata": {"labels": {label: "true"}}}),
        json!([{"op": "add", "path": "/metadata/labels", "value": {label: "true"}}]),
        json!([{"op": "add", "path": format!("/metadata/labels/{}", label.replace('/', "~1")), "value": "true"}]),
    ] {
        let event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": "1",
            "stage": "ResponseComplete", "verb": "patch", "user": {"username": "eve", "groups": []},
            "requestURI": "/apis/rbac.authorization.k8s.io/v1/clusterroles/r1", "sourceIPs": ["10.0.0.1"],
            "responseStatus": {"code": 200}, "requestObject": body,
            "objectRef": {"resource": "clusterroles", "name": "r1", "apiGroup": "rbac.authorization.k8s.io"},
            "requestReceivedTimestamp": "2026-11-02T10:00:00.000000Z", "stageTimestamp": "2026-11-02T10:00:00.000000Z"
        });
        let rows = Fixture::of_texts(&[event.to_string().as_bytes()]).ask("sensitive-roles", &[]);
        assert_eq!(rows.len(), 1, "{body}");
        assert_eq!(rows[0]["powers"], json!(["given to view"]), "{body}");
    }
}

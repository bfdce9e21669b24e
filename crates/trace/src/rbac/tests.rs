#![expect(clippy::needless_pass_by_value, reason = "values of a test are made where they are used")]

use serde_json::{Value, json};

use super::*;
use crate::evidence::{Act, Outcome, Request};

fn write(time: i64, verb: &str, resource: &str, namespace: &str, name: &str, body: Option<Value>) -> Request {
    Request {
        time,
        audit_id: format!("w{time}"),
        user: Some("root".into()),
        address: None,
        agent: None,
        credential: None,
        act: Act {
            verb: verb.into(),
            api_group: Some("rbac.authorization.k8s.io".into()),
            resource: Some(resource.into()),
            namespace: (!namespace.is_empty()).then(|| namespace.into()),
            ..Act::default()
        },
        name: Some(name.into()),
        outcome: Outcome::Allowed,
        uri: String::new(),
        issued_credential: None,
        sent: body.map(|body| body.to_string()),
        answered: None,
    }
}

fn role(kind: &str, namespace: &str, name: &str, rules: Value) -> Value {
    json!({"kind": kind, "metadata": {"name": name, "namespace": namespace}, "rules": rules})
}

fn snapshot(taken: i64, items: Value) -> Snapshot {
    let list = json!({"kind": "List", "items": items});
    Snapshot::read("rbac.json", taken, list.to_string().as_bytes()).unwrap()
}

fn asked(verb: &str, resource: &str, namespace: &str) -> Asked {
    Asked { verb: verb.into(), resource: resource.into(), namespace: namespace.into(), ..Asked::default() }
}

/// A small cluster as a snapshot shows it.
fn cluster() -> Value {
    json!([
        role("ClusterRole", "", "reader", json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}])),
        {"kind": "ClusterRole", "metadata": {"name": "all"}, "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"into": "all"}}]}, "rules": []},
        role("Role", "prod", "secrets", json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}])),
        {"kind": "ClusterRoleBinding", "metadata": {"name": "readers"}, "roleRef": {"kind": "ClusterRole", "name": "reader"},
         "subjects": [{"kind": "Group", "name": "dev"}, {"kind": "User", "name": "alice"}]},
        {"kind": "ClusterRoleBinding", "metadata": {"name": "all"}, "roleRef": {"kind": "ClusterRole", "name": "all"},
         "subjects": [{"kind": "User", "name": "carol"}]},
        {"kind": "RoleBinding", "metadata": {"name": "web", "namespace": "prod"}, "roleRef": {"kind": "Role", "name": "secrets"},
         "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "prod"}]},
        {"kind": "RoleBinding", "metadata": {"name": "reader", "namespace": "prod"}, "roleRef": {"kind": "ClusterRole", "name": "reader"},
         "subjects": [{"kind": "User", "name": "dave"}]},
        {"kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "prod"}}
    ])
}

#[test]
fn users_groups_and_service_accounts_are_decided_by_scope() {
    let world = World::at(&Replay::of(&[], &[snapshot(100, cluster())]), 100);
    let is = |user: &str, groups: &[&str], verb: &str, resource: &str, namespace: &str| {
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        matches!(world.decide(&Who::named(user, &groups), &asked(verb, resource, namespace)), Verdict::Allowed { .. })
    };
    assert!(is("alice", &[], "get", "pods", "") && is("bob", &["dev"], "get", "pods", "x"));
    assert!(!is("bob", &[], "get", "pods", "x") && !is("alice", &[], "list", "pods", "x"));
    assert!(
        is("dave", &[], "get", "pods", "prod")
            && !is("dave", &[], "get", "pods", "dev")
            && !is("dave", &[], "get", "pods", "")
    );
    assert!(is("system:serviceaccount:prod:web", &[], "get", "secrets", "prod"));
    assert!(!is("system:serviceaccount:dev:web", &[], "get", "secrets", "prod"));
    assert!(is("mallory", &["system:masters"], "delete", "nodes", ""));
}

#[test]
fn writes_are_replayed_forward_and_backward() {
    let binding = json!({"kind": "ClusterRoleBinding", "metadata": {"name": "evil"}, "roleRef": {"kind": "ClusterRole", "name": "reader"},
        "subjects": [{"kind": "User", "name": "eve"}]});
    let writes = [
        write(50, "create", "clusterrolebindings", "", "evil", Some(binding)),
        write(60, "delete", "clusterrolebindings", "", "evil", None),
        write(
            150,
            "patch",
            "clusterroles",
            "",
            "reader",
            Some(json!({"rules": [{"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}]})),
        ),
        write(160, "patch", "rolebindings", "prod", "web", None),
    ];
    let replay = Replay::of(&writes, &[snapshot(100, cluster())]);
    let says = |time: i64, user: &str, verb: &str, namespace: &str| match World::at(&replay, time)
        .decide(&Who::named(user, &[]), &asked(verb, "pods", namespace))
    {
        Verdict::Allowed { .. } => "allowed",
        Verdict::Denied => "denied",
        Verdict::Unknown { .. } => "unknown",
    };
    // `eve` could while her binding was there, `alice` as long as the snapshot reaches back.
    assert_eq!(
        [40, 50, 59, 60, 100].map(|time| says(time, "eve", "get", "")),
        ["denied", "allowed", "allowed", "denied", "denied"]
    );
    assert_eq!([10, 149].map(|time| says(time, "alice", "get", "")), ["allowed", "allowed"]);
    assert_eq!([150, 200].map(|time| says(time, "alice", "list", "")), ["allowed", "allowed"]);
    assert_eq!(says(155, "alice", "get", ""), "denied");
    // A change that nobody recorded makes unknown what it could have given, and nothing else.
    assert_eq!([says(170, "eve", "get", "prod"), says(170, "eve", "get", "dev")], ["unknown", "denied"]);
}

#[test]
fn without_a_snapshot_what_is_not_known_is_not_denied() {
    let binding = json!({"kind": "ClusterRoleBinding", "metadata": {"name": "x"}, "roleRef": {"kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "User", "name": "eve"}]});
    let replay = Replay::of(&[write(50, "create", "clusterrolebindings", "", "x", Some(binding))], &[]);
    let world = World::at(&replay, 60);
    let Verdict::Unknown { why } = world.decide(&Who::named("eve", &[]), &asked("get", "pods", "")) else { panic!() };
    assert_eq!(why, "the rules of ClusterRole/view");
    assert!(matches!(world.decide(&Who::named("bob", &[]), &asked("get", "pods", "")), Verdict::Unknown { .. }));
    assert!(!world.unknown().is_empty());
}

#[test]
fn aggregated_roles_have_what_their_parts_have() {
    let mut part =
        role("ClusterRole", "", "part", json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["nodes"]}]));
    part["metadata"]["labels"] = json!({"into": "all"});
    let replay =
        Replay::of(&[write(150, "create", "clusterroles", "", "part", Some(part))], &[snapshot(100, cluster())]);
    let carol = Who::named("carol", &[]);
    let says = |time| World::at(&replay, time).decide(&carol, &asked("get", "nodes", ""));
    assert_eq!(says(140), Verdict::Denied);
    assert!(matches!(says(160), Verdict::Allowed { .. }));
}

#[test]
fn who_can_follows_impersonation_tokens_and_pods() {
    let mut items = cluster();
    let more = json!([
        role("ClusterRole", "", "minter", json!([{"verbs": ["create"], "apiGroups": [""], "resources": ["serviceaccounts/token"]}])),
        role("ClusterRole", "", "actor", json!([{"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"], "resourceNames": ["mia"]}])),
        role("ClusterRole", "", "binder", json!([{"verbs": ["bind"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"]}])),
        {"kind": "RoleBinding", "metadata": {"name": "m", "namespace": "prod"}, "roleRef": {"kind": "ClusterRole", "name": "minter"}, "subjects": [{"kind": "User", "name": "mia"}]},
        {"kind": "RoleBinding", "metadata": {"name": "m", "namespace": "dev"}, "roleRef": {"kind": "ClusterRole", "name": "minter"}, "subjects": [{"kind": "User", "name": "max"}]},
        {"kind": "ClusterRoleBinding", "metadata": {"name": "act"}, "roleRef": {"kind": "ClusterRole", "name": "actor"}, "subjects": [{"kind": "User", "name": "ivan"}]},
        {"kind": "ClusterRoleBinding", "metadata": {"name": "bind"}, "roleRef": {"kind": "ClusterRole", "name": "binder"}, "subjects": [{"kind": "Group", "name": "ops"}]}
    ]);
    items.as_array_mut().unwrap().extend(more.as_array().unwrap().iter().cloned());
    let world = World::at(&Replay::of(&[], &[snapshot(100, items)]), 100);
    let holders = world.who_can(&asked("get", "secrets", "prod"));
    let found: Vec<String> = holders.iter().map(|holder| format!("{} {}", holder.steps, holder.subject)).collect();
    assert_eq!(
        found,
        ["0 Group/system:masters", "0 ServiceAccount/prod/web", "1 Group/ops", "1 User/mia", "2 User/ivan"]
    );
    let ways: Vec<&Reach> = holders.iter().map(|holder| &holder.reach).collect();
    assert_eq!(*ways[3], Reach::As { how: "mints a token of", whom: "ServiceAccount/prod/web".into() });
    assert_eq!(*ways[4], Reach::As { how: "impersonates", whom: "User/mia".into() });
    let can: Vec<String> = world.can(&Who::named("ivan", &[])).iter().map(|power| power.rule.text()).collect();
    assert_eq!(can, ["impersonate users; names=mia"]);
}

#[test]
fn the_way_back_can_be_applied() {
    let evil = json!({"kind": "ClusterRoleBinding", "metadata": {"name": "ev'il\n"}, "roleRef": {"kind": "ClusterRole", "name": "reader"}, "subjects": []});
    let writes = [
        write(150, "create", "clusterrolebindings", "", "evil", Some(evil.clone())),
        write(151, "create", "clusterrolebindings", "", "ev'il\n---\nx", Some(evil)),
        write(
            160,
            "patch",
            "clusterroles",
            "",
            "reader",
            Some(json!({"rules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]})),
        ),
        write(170, "delete", "rolebindings", "prod", "web", None),
    ];
    let replay = Replay::of(&writes, &[snapshot(100, cluster())]);
    let changes = changes(&replay, 100, 200);
    let told: Vec<String> = changes.iter().map(|change| format!("{} {}", change.how.name(), change.key.name)).collect();
    assert_eq!(told, ["added evil", "added ev'il\n---\nx", "changed reader", "removed web"]);
    assert_eq!(changes[2].lines, ["- rule get pods", "+ rule * *; apiGroups=*"]);
    let yaml = way_back(&changes);
    assert!(yaml.contains("#   kubectl delete clusterrolebindings evil\n"), "{yaml}");
    assert!(yaml.contains("(its name is no word for a command line)"), "{yaml}");
    let documents: Vec<&str> = yaml.lines().filter(|line| *line == "---").collect();
    assert_eq!(documents.len(), 2, "{yaml}");
    assert!(
        yaml.contains("kind: \"RoleBinding\"") && yaml.contains("- \"get\"") && !yaml.contains("- \"*\""),
        "{yaml}"
    );
}

#[test]
fn a_snapshot_holds_nothing_but_rbac() {
    let secret = br#"{"kind":"List","items":[{"kind":"Secret","metadata":{"name":"x"}}]}"#;
    assert!(matches!(Snapshot::read("s", 0, secret), Err(SnapshotError::Foreign { number: 1, .. })));
    assert_eq!(Snapshot::read("s", 0, b"[]"), Err(SnapshotError::NoList));
    assert!(matches!(Snapshot::read("s", 0, b"x"), Err(SnapshotError::NotJson { .. })));
    let one = br#"{"kind":"ClusterRoleList","items":[{"metadata":{"name":"x"}}]}"#;
    assert_eq!(Snapshot::read("s", 0, one).unwrap().len(), 1);
}

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
        status: None,
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
fn a_deletion_by_a_selector_takes_what_its_answer_lists_and_is_a_doubt_without_one() {
    let deletion = |uri: &str, answered: Option<Value>| Request {
        name: None,
        uri: format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings{uri}"),
        answered: answered.map(|answered| answered.to_string()),
        ..write(150, "deletecollection", "clusterrolebindings", "", "", None)
    };
    let list = |items: Value| Some(json!({"kind": "ClusterRoleBindingList", "items": items}));
    let after = |deletion: Request| {
        let world = World::at(&Replay::of(&[deletion], &[snapshot(100, cluster())]), 200);
        let verdict = world.decide(&Who::named("alice", &[]), &asked("get", "pods", ""));
        (matches!(verdict, Verdict::Allowed { .. }), world.unknown().join("; ").contains("readers is still there"))
    };
    let selector = "?labelSelector=x%3Dnothing";
    assert_eq!(after(deletion(selector, list(json!([])))), (true, false));
    assert_eq!(after(deletion(selector, list(json!([{"metadata": {"name": "all"}}])))), (true, false));
    assert_eq!(after(deletion(selector, list(json!([{"metadata": {"name": "readers"}}])))), (false, false));
    assert_eq!(after(deletion(selector, None)), (true, true));
    assert_eq!(after(deletion("", None)), (false, false));
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
fn a_request_is_in_the_name_of_one_other_alone() {
    let acts = |name: &str, whom: &str| {
        role(
            "ClusterRole",
            "",
            name,
            json!([{"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"], "resourceNames": [whom]}]),
        )
    };
    let bound = |role: &str, user: &str| json!({"kind": "ClusterRoleBinding", "metadata": {"name": format!("{role}-{user}")}, "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": [{"kind": "User", "name": user}]});
    let mut items = cluster();
    items.as_array_mut().unwrap().extend([
        acts("as-mia", "mia"),
        acts("as-ivan", "ivan"),
        role("ClusterRole", "", "signer", json!([{"verbs": ["update"], "apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests/approval"]}])),
        json!({"kind": "RoleBinding", "metadata": {"name": "mia", "namespace": "prod"}, "roleRef": {"kind": "Role", "name": "secrets"}, "subjects": [{"kind": "User", "name": "mia"}]}),
        bound("as-mia", "ivan"),
        bound("as-ivan", "eve"),
    ]);
    let comes_to = |items: &Value| {
        let world = World::at(&Replay::of(&[], &[snapshot(100, items.clone())]), 100);
        let holders = world.who_can(&asked("get", "secrets", "prod"));
        holders.iter().map(|holder| format!("{} {}", holder.steps, holder.subject.name)).collect::<Vec<_>>()
    };
    assert_eq!(comes_to(&items), ["0 system:masters", "0 web", "0 mia", "1 ivan"]);
    // With a certificate of ivan his impersonation is one request, and what he asks for by it is as good as in his own.
    items.as_array_mut().unwrap().extend([
        bound("signer", "oscar"),
        bound("as-oscar", "max"),
        acts("as-oscar", "oscar"),
    ]);
    assert_eq!(comes_to(&items), ["0 system:masters", "0 web", "0 mia", "1 ivan", "1 oscar", "2 max"]);
    // Who comes to it by impersonation, and later by a credential as well, may be impersonated for that.
    items.as_array_mut().unwrap().push(bound("signer", "ivan"));
    assert!(comes_to(&items).contains(&"2 eve".to_owned()), "{:?}", comes_to(&items));
}

/// Who can come to read secrets of prod, besides those who may, when one more role with `rules` is bound to eve: in all
/// namespaces, or in one.
fn comes_to(rules: Value, namespace: &str) -> Vec<String> {
    let mut items = cluster();
    let kind = if namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    let more = json!([
        role("ClusterRole", "", "more", rules),
        {"kind": kind, "metadata": {"name": "more", "namespace": namespace}, "roleRef": {"kind": "ClusterRole", "name": "more"},
         "subjects": [{"kind": "User", "name": "eve"}]},
        {"kind": "RoleBinding", "metadata": {"name": "mia", "namespace": "prod"}, "roleRef": {"kind": "Role", "name": "secrets"},
         "subjects": [{"kind": "User", "name": "mia"}, {"kind": "User", "name": "system:node:n1"}]}
    ]);
    items.as_array_mut().unwrap().extend(more.as_array().unwrap().iter().cloned());
    let world = World::at(&Replay::of(&[], &[snapshot(100, items)]), 100);
    let told = |holder: &Holder| match &holder.reach {
        Reach::Directly => "directly".to_owned(),
        Reach::As { how, whom } => format!("{how} {whom}"),
        Reach::ByRaising { how } => (*how).to_owned(),
    };
    let holders = world.who_can(&asked("get", "secrets", "prod"));
    holders.iter().filter(|holder| holder.subject.name == "eve").map(told).collect()
}

#[test]
fn constrained_impersonation_needs_whom_and_what_for() {
    let whom =
        |verb: &str, kind: &str| json!({"verbs": [verb], "apiGroups": ["authentication.k8s.io"], "resources": [kind]});
    let what = |verb: &str, kind: &str| json!({"verbs": [verb], "apiGroups": [""], "resources": [kind]});
    let some = "impersonates, for some requests,";
    for (rules, expected) in [
        (
            json!([whom("impersonate:user-info", "users"), what("impersonate-on:user-info:get", "secrets")]),
            format!("{some} User/mia"),
        ),
        (
            json!([
                whom("impersonate:serviceaccount", "serviceaccounts"),
                what("impersonate-on:serviceaccount:get", "secrets")
            ]),
            format!("{some} ServiceAccount/prod/web"),
        ),
        (
            json!([whom("impersonate:arbitrary-node", "nodes"), what("impersonate-on:arbitrary-node:get", "secrets")]),
            format!("{some} User/system:node:n1"),
        ),
        (
            json!([
                whom("impersonate:associated-node", "nodes"),
                what("impersonate-on:associated-node:get", "secrets")
            ]),
            "impersonates, from a pod on it and for some requests, User/system:node:n1".to_owned(),
        ),
        // Whom without what for, what for without whom, another mode, another verb, and another group.
        (json!([whom("impersonate:user-info", "users")]), String::new()),
        (json!([what("impersonate-on:user-info:get", "secrets")]), String::new()),
        (
            json!([whom("impersonate:user-info", "users"), what("impersonate-on:serviceaccount:get", "secrets")]),
            String::new(),
        ),
        (
            json!([whom("impersonate:user-info", "users"), what("impersonate-on:user-info:list", "secrets")]),
            String::new(),
        ),
        (
            json!([what("impersonate:user-info", "users"), what("impersonate-on:user-info:get", "secrets")]),
            String::new(),
        ),
    ] {
        let expected: Vec<String> = Some(expected).into_iter().filter(|text| !text.is_empty()).collect();
        assert_eq!(comes_to(rules.clone(), ""), expected, "{rules}");
    }
    let mut named = whom("impersonate:user-info", "users");
    named["resourceNames"] = json!(["max"]);
    assert!(comes_to(json!([named, what("impersonate-on:user-info:get", "secrets")]), "").is_empty());
    // Whom one may be is asked in all namespaces.
    let rules = json!([whom("impersonate:user-info", "users"), what("impersonate-on:user-info:get", "secrets")]);
    assert!(comes_to(rules, "prod").is_empty());
}

#[test]
fn pods_are_made_by_kinds_of_add_ons_and_entered_by_nodes() {
    let one =
        |verb: &str, group: &str, kind: &str| json!([{"verbs": [verb], "apiGroups": [group], "resources": [kind]}]);
    let named = |verb: &str, kind: &str, name: &str| json!([{"verbs": [verb], "apiGroups": [""], "resources": [kind], "resourceNames": [name]}]);
    let web = |how: &str| vec![format!("{how} ServiceAccount/prod/web")];
    assert_eq!(comes_to(one("create", "argoproj.io", "workflows"), "prod"), web("makes a pod that runs as"));
    assert_eq!(comes_to(one("create", "tekton.dev", "taskruns"), "prod"), web("makes a pod that runs as"));
    assert_eq!(comes_to(one("patch", "kubevirt.io", "virtualmachines"), "prod"), web("changes a pod that may run as"));
    assert!(comes_to(one("create", "argoproj.io", "workflows"), "dev").is_empty());
    assert!(comes_to(one("create", "example.com", "workflows"), "prod").is_empty());
    assert_eq!(comes_to(one("get", "", "nodes/proxy"), ""), web("enters a pod that may run as"));
    // What is limited to names is a way all the same: to those pods, and to tokens that are called so.
    assert_eq!(comes_to(named("create", "pods/exec", "web-0"), "prod"), web("enters a pod that may run as"));
    assert_eq!(comes_to(named("get", "secrets", "web-token-x1"), "dev").len(), 0);
    assert!(comes_to(named("create", "pods", "web-0"), "prod").is_empty());
    let approval = one("update", "certificates.k8s.io", "certificatesigningrequests/approval");
    assert_eq!(comes_to(approval, ""), ["approves a certificate of User/mia"]);
    let mut bind = one("bind", "rbac.authorization.k8s.io", "clusterroles");
    bind[0]["resourceNames"] = json!(["cluster-admin"]);
    assert_eq!(comes_to(bind, ""), ["binds certain roles (bind)"]);
}

#[test]
fn what_all_accounts_of_a_namespace_may_is_come_to_by_any_of_them() {
    let mut items = cluster();
    let more = json!([
        {"kind": "RoleBinding", "metadata": {"name": "all", "namespace": "prod"}, "roleRef": {"kind": "Role", "name": "secrets"},
         "subjects": [{"kind": "Group", "name": "system:serviceaccounts:dev"}, {"kind": "User", "name": "system:serviceaccount:ci:builder"}]},
        role("ClusterRole", "", "runner", json!([{"verbs": ["create"], "apiGroups": [""], "resources": ["pods"]}])),
        {"kind": "RoleBinding", "metadata": {"name": "r", "namespace": "dev"}, "roleRef": {"kind": "ClusterRole", "name": "runner"}, "subjects": [{"kind": "User", "name": "eve"}]},
        {"kind": "RoleBinding", "metadata": {"name": "r", "namespace": "ci"}, "roleRef": {"kind": "ClusterRole", "name": "runner"}, "subjects": [{"kind": "User", "name": "max"}]},
        {"kind": "RoleBinding", "metadata": {"name": "r", "namespace": "qa"}, "roleRef": {"kind": "ClusterRole", "name": "runner"}, "subjects": [{"kind": "User", "name": "tom"}]}
    ]);
    items.as_array_mut().unwrap().extend(more.as_array().unwrap().iter().cloned());
    let world = World::at(&Replay::of(&[], &[snapshot(100, items)]), 100);
    let holders = world.who_can(&asked("get", "secrets", "prod"));
    let found: Vec<String> =
        holders.iter().filter(|holder| holder.steps == 1).map(|holder| holder.subject.to_string()).collect();
    assert_eq!(found, ["User/eve", "User/max"]);
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

//! The checklist for what was made up here.

use super::*;
use crate::evidence::{Act, Outcome};
use crate::spread::Touched;

fn found(edges: &[(Kind, &str, &'static str)]) -> Spread {
    let seed = Node::new(Kind::Identity, "bob");
    let touched = |node: &Node, depth| Touched {
        node: node.clone(),
        strength: Strength::Proved,
        since: Some(5),
        depth,
        cut: None,
    };
    let mut found = Spread { touched: vec![touched(&seed, 0)], ..Spread::default() };
    for (kind, name, how) in edges {
        let to = Node::new(*kind, *name);
        found.touched.push(touched(&to, 1));
        found.edges.push(Edge {
            from: seed.clone(),
            to,
            kind: how,
            strength: Strength::Proved,
            time: 10,
            last: 10,
            audit_ids: vec!["a".into()],
            note: None,
        });
    }
    found
}

fn write(time: i64, verb: &str, resource: &str, namespace: &str, name: &str) -> Request {
    Request {
        time,
        audit_id: format!("w{time}"),
        user: Some("root".into()),
        address: None,
        agent: None,
        credential: None,
        act: Act {
            verb: verb.into(),
            resource: Some(resource.into()),
            namespace: (!namespace.is_empty()).then(|| namespace.into()),
            ..Act::default()
        },
        name: Some(name.into()),
        outcome: Outcome::Allowed,
        status: None,
        uri: String::new(),
        issued_credential: None,
        sent: None,
        answered: None,
    }
}

#[test]
fn everything_has_its_way_and_a_command_that_is_one() {
    let found = found(&[
        (Kind::Secret, "prod/db", "read"),
        (Kind::Secret, "*/*", "read"),
        (Kind::Rbac, "clusterrolebindings/evil", "created"),
        (Kind::Workload, "daemonsets/kube-system/x", "created"),
        (Kind::Identity, "system:serviceaccount:kube-system:helper", "minted a token of"),
        (Kind::Certificate, "backdoor", "approved"),
        (Kind::Object, "configmaps/kube-system/$(reboot)\n", "created"),
    ]);
    let writes = [
        write(9, "update", "secrets", "prod", "db"),
        write(20, "patch", "secrets", "prod", "db"),
        write(21, "patch", "clusterrolebindings", "", "evil"),
        write(22, "delete", "daemonsets", "kube-system", "x"),
    ];
    let list = checklist(&found, &writes, &Replay::default());
    let told: Vec<String> = list
        .iter()
        .map(|entry| {
            format!(
                "{} | {} | {} | {}",
                entry.task.name(),
                entry.what,
                entry.command.as_deref().unwrap_or("-"),
                entry.done.as_ref().map_or("-".to_owned(), |done| format!("{} {}", done.audit_id, done.text()))
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "rbac | clusterrolebindings/evil | kubectl delete clusterrolebindings evil | -",
            "certificate | certificate:backdoor | kubectl delete certificatesigningrequests backdoor | -",
            "service account | sa:kube-system/helper | kubectl get serviceaccounts helper -n kube-system -o yaml | kubectl replace --force -f - | -",
            "user | user:bob | - | -",
            "workload | daemonsets/kube-system/x | kubectl delete daemonsets x -n kube-system | w22 yes",
            "object | configmaps/kube-system/$(reboot)\n | - | -",
            "secret | all secrets of the cluster | kubectl get secrets -A | -",
            "secret | secret:prod/db | kubectl edit secret db -n prod | w20 perhaps: it was written later, and whether its values were changed is not logged",
        ]
    );
}

/// What becomes of a secret that was read at 10, by what was written before and after.
fn secret_after(writes: &[(i64, &str, &str, Option<&str>)]) -> Option<String> {
    let found = found(&[(Kind::Secret, "prod/db", "read")]);
    let writes: Vec<Request> = writes
        .iter()
        .map(|(time, user, verb, sent)| Request {
            user: Some((*user).into()),
            sent: sent.map(str::to_owned),
            ..write(*time, verb, "secrets", "prod", "db")
        })
        .collect();
    let list = checklist(&found, &writes, &Replay::default());
    let entry = list.into_iter().find(|entry| entry.task == Task::Secret).unwrap();
    entry.done.map(|done| format!("{} {}", done.time, done.text().split(':').next().unwrap()))
}

#[test]
fn a_secret_is_changed_when_its_values_are() {
    let (old, new) = (Some(r#"{"data":{"a":"redacted:1"}}"#), Some(r#"{"data":{"a":"redacted:2"}}"#));
    let mark = Some(r#"{"metadata":{"labels":{"kubernetes.io/legacy-token-last-used":"2026-11-21"}}}"#);
    let operation = Some(r#"[{"op":"replace","path":"/data/a","value":"redacted:2"}]"#);
    let label = Some(r#"[{"op":"add","path":"/metadata/labels/x","value":"y"}]"#);
    for (writes, done) in [
        (vec![(20, "root", "patch", new)], Some("20 yes")),
        (vec![(20, "root", "patch", operation)], Some("20 yes")),
        (vec![(20, "root", "patch", Some(r#"{"stringData":{"a":"redacted:2"}}"#))], Some("20 yes")),
        (vec![(20, "root", "delete", None)], Some("20 yes")),
        (vec![(5, "root", "create", old), (20, "root", "update", new)], Some("20 yes")),
        // Written again as it was.
        (vec![(5, "root", "create", old), (20, "root", "update", old)], None),
        (vec![(20, "system:apiserver", "patch", mark)], None),
        (vec![(20, "root", "patch", label)], None),
        // Before it was read, and by the intruder.
        (vec![(9, "root", "patch", new)], None),
        (vec![(20, "bob", "patch", new)], None),
        // A surer one counts, whatever comes later.
        (vec![(20, "root", "patch", new), (30, "root", "patch", None)], Some("20 yes")),
        (vec![(20, "root", "update", old)], Some("20 perhaps")),
        (vec![(20, "root", "patch", None)], Some("20 perhaps")),
    ] {
        assert_eq!(secret_after(&writes).as_deref(), done, "{writes:?}");
    }
}

#[test]
fn what_was_only_within_reach_is_looked_at_and_not_removed() {
    let mut found = found(&[
        (Kind::Identity, "system:serviceaccount:kube-system:default", "runs as"),
        (Kind::Certificate, "keys and tokens on the node n1", HOST_KEYS),
        (Kind::Rbac, "clusterroles/--all", "created"),
    ]);
    for edge in found.edges.iter_mut().take(2) {
        edge.strength = Strength::Possible;
    }
    let list = checklist(&found, &[], &Replay::default());
    let of = |what: &str| list.iter().find(|entry| entry.what == what).unwrap();
    let account = of("sa:kube-system/default");
    assert_eq!(account.command.as_deref(), Some("kubectl get serviceaccounts default -n kube-system -o yaml"));
    assert!(account.how.contains("look first"), "{}", account.how);
    let keys = of("keys and tokens on the node n1");
    assert!(keys.command.is_none() && keys.how.contains("the CA must be replaced"));
    // A name that `kubectl` would take for an option.
    assert_eq!(of("clusterroles/--all").command.as_deref(), Some("kubectl delete clusterroles -- --all"));
}

#[test]
fn a_role_is_put_back_when_it_is_what_it_was() {
    let role = |verb: &str| {
        format!(
            r#"{{"kind":"ClusterRole","metadata":{{"name":"edit"}},"rules":[{{"verbs":["{verb}"],"apiGroups":[""],"resources":["pods"]}}]}}"#
        )
    };
    let writes = |last: &str| {
        let bodies = [(1, "create", role("get")), (10, "update", role("*")), (20, "update", role(last))];
        bodies.map(|(time, verb, body)| Request { sent: Some(body), ..write(time, verb, "clusterroles", "", "edit") })
    };
    for (last, is_done) in [("get", true), ("list", false)] {
        let writes = writes(last).map(|mut write| {
            write.act.api_group = Some("rbac.authorization.k8s.io".into());
            write
        });
        let found = found(&[(Kind::Rbac, "clusterroles/edit", "changed")]);
        let list = checklist(&found, &writes, &Replay::of(&writes, &[]));
        assert_eq!(list[0].done.is_some(), is_done, "{last}: {list:?}");
        assert!(list[0].before.as_ref().unwrap().contains("\"get\"") && list[0].command.is_some());
    }
}

#[test]
fn what_was_made_again_is_not_gone_because_the_first_was_deleted() {
    let done = |writes: &[Request], last: i64| {
        let mut found = found(&[(Kind::Rbac, "clusterrolebindings/evil", "created")]);
        found.edges[0].last = last;
        let list = checklist(&found, writes, &Replay::default());
        list[0].done.as_ref().map(|done| done.time)
    };
    let at = |time: i64, verb: &str| write(time, verb, "clusterrolebindings", "", "evil");
    assert_eq!(done(&[at(10, "create"), at(20, "delete")], 10), Some(20));
    assert_eq!(done(&[at(10, "create"), at(20, "delete"), at(30, "create")], 10), None);
    assert_eq!(done(&[at(10, "create"), at(20, "delete"), at(30, "create"), at(40, "delete")], 10), Some(40));
    // A server-side apply makes what is not there; another patch does not.
    let patch = |status: i64| Request { status: Some(status), ..at(30, "patch") };
    assert_eq!(done(&[at(10, "create"), at(20, "delete"), patch(201)], 10), None);
    assert_eq!(done(&[at(10, "create"), at(20, "delete"), patch(200)], 10), Some(20));
    let dry = Request { uri: "/x?dryRun=All".into(), ..at(30, "create") };
    assert_eq!(done(&[at(10, "create"), at(20, "delete"), dry], 10), Some(20));
    // By name alone a write that the server named is not found: the deed tells it.
    assert_eq!(done(&[at(20, "delete")], 30), None);
}

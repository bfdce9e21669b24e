use super::*;

const CONTROLLER: &str = "system:serviceaccount:kube-system:replicaset-controller";

fn pod_of_a_controller() -> Request<'static> {
    Request {
        user: Some(CONTROLLER),
        groups: Some("s"),
        agent: Some(
            "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/system:serviceaccount:kube-system:replicaset-controller",
        ),
        verb: Some("create"),
        resource: Some("pods"),
        namespace: Some("prod"),
        ..Request::default()
    }
}

#[test]
fn one_thing_that_does_not_fit_is_enough() {
    let real = pod_of_a_controller();
    assert!(looks_own(&real));
    // What the log does not have speaks for nobody.
    assert!(looks_own(&Request { groups: None, agent: None, ..real }));
    for other in [
        Request { user: Some("system:serviceaccount:kube-system:cni-operator"), ..real },
        Request { user: Some("system:serviceaccount:openshift-x:replicaset-controller"), ..real },
        Request { groups: Some("sm"), ..real },
        // A certificate with the name of a service account.
        Request { groups: Some(""), ..real },
        Request { impersonated: Some("system:admin"), ..real },
        Request { agent: Some("kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0"), ..real },
        Request { agent: Some("kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0"), ..real },
        Request { subresource: Some("exec"), ..real },
        Request { verb: Some("list"), resource: Some("secrets"), ..real },
        Request { resource: Some("clusterrolebindings"), ..real },
        Request { verb: Some("deletecollection"), ..real },
        Request { verb: None, ..real },
        Request { user: None, ..real },
    ] {
        assert!(!looks_own(&other), "{other:?}");
    }
}

#[test]
fn components_do_what_they_do_and_nothing_else() {
    let manager = Request {
        user: Some("system:kube-controller-manager"),
        groups: Some(""),
        agent: Some("kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/shared-informers"),
        ..Request::default()
    };
    let node = Request {
        user: Some("system:node:worker-1"),
        groups: Some("n"),
        agent: Some("kubelet/v1.33.1 (linux/amd64) kubernetes/8adc0f0"),
        namespace: Some("prod"),
        ..Request::default()
    };
    let server = Request {
        user: Some("system:apiserver"),
        groups: Some("m"),
        agent: Some("kube-apiserver/v1.33.1 (linux/amd64) kubernetes/8adc0f0"),
        ..Request::default()
    };
    let asks = |who: Request<'static>, verb, resource, name| Request {
        verb: Some(verb),
        resource: Some(resource),
        name,
        ..who
    };
    for (request, usual) in [
        (asks(manager, "list", "secrets", None), true),
        (asks(manager, "create", "clusterroles", Some("x")), false),
        (asks(manager, "delete", "events", Some("x")), false),
        (asks(node, "get", "secrets", Some("db")), true),
        (asks(node, "list", "secrets", None), false),
        (asks(node, "create", "daemonsets", Some("x")), false),
        (asks(server, "create", "clusterroles", Some("system:node")), true),
        (asks(server, "create", "clusterrolebindings", Some("mine")), false),
        (asks(server, "patch", "secrets", Some("token-1")), true),
        (Request { groups: Some(""), ..asks(server, "list", "secrets", None) }, false),
        (Request { verb: Some("get"), resource: None, ..node }, true),
    ] {
        assert_eq!(looks_own(&request), usual, "{request:?}");
    }
    let token = asks(manager, "create", "serviceaccounts", Some("replicaset-controller"));
    let token = Request { subresource: Some("token"), namespace: Some("kube-system"), ..token };
    assert!(looks_own(&token));
    assert!(!looks_own(&Request { name: Some("metrics-helper"), ..token }));
}

#[test]
fn processes_are_known_by_who_runs_in_them() {
    for (user, known) in [
        (CONTROLLER, Some("kube-controller-manager")),
        ("system:node:worker-1", Some("system:node:worker-1")),
        ("system:apiserver", Some("apiserver")),
        ("system:serviceaccount:kube-system:coredns", None),
        ("system:serviceaccount:kube-system:node", None),
        ("system:backup", None),
        ("bob", None),
    ] {
        assert_eq!(process(user), known, "{user}");
    }
}

#[test]
fn no_component_stands_twice_in_the_table() {
    let mut names: Vec<&str> = COMPONENTS.iter().map(|component| component.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn the_functions_are_there_in_sql() {
    let connection = Connection::open_in_memory().unwrap();
    register(&connection).unwrap();
    let sql = "SELECT looks_own('system:node:a', '?', '', '', 'get', 'secrets', '', 'prod', 'db'), \
               own_process('system:node:a'), own_process('bob'), is_component('job-controller'), is_component('mine'), \
               looks_own('', '?', '', '', '', '', '', '', '')";
    let row = connection
        .query_row(sql, [], |row| {
            Ok((
                row.get::<_, bool>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, Option<String>>(2)?,
                row.get::<_, bool>(3)?,
                row.get::<_, bool>(4)?,
                row.get::<_, bool>(5)?,
            ))
        })
        .unwrap();
    assert_eq!(row, (true, Some("system:node:a".to_owned()), None, true, false, false));
}

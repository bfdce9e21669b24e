use super::*;

const CONTROLLER: &str = "system:serviceaccount:kube-system:replicaset-controller";

fn agent(text: &str) -> Agent<'_> {
    Agent { binary: text.split('/').next().unwrap(), user: text.rsplit_once('/').map_or("", |(_, last)| last) }
}

fn pod_of_a_controller() -> Request<'static> {
    Request {
        user: Some(CONTROLLER),
        groups: Some("s"),
        agent: Some(agent(
            "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/system:serviceaccount:kube-system:replicaset-controller",
        )),
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
        Request { agent: Some(agent("kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0")), ..real },
        Request { agent: Some(agent("kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0")), ..real },
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
fn a_lease_is_renewed_by_whose_it_is() {
    let lease = |user, groups, binary: &'static str, verb, namespace, name| Request {
        user: Some(user),
        groups: Some(groups),
        agent: Some(Agent { binary, user: "" }),
        verb: Some(verb),
        resource: Some("leases"),
        namespace: Some(namespace),
        name: Some(name),
        ..Request::default()
    };
    let manager =
        |verb, name| lease("system:kube-controller-manager", "", "kube-controller-manager", verb, "kube-system", name);
    let node = |namespace| lease("system:node:worker-1", "n", "kubelet", "update", namespace, "worker-1");
    let server = |namespace, name| lease("system:apiserver", "m", "kube-apiserver", "delete", namespace, name);
    // Who elects nobody has no lease.
    let proxy = "system:serviceaccount:kube-system:kube-proxy";
    let proxy = |verb, namespace, name| lease(proxy, "s", "kube-proxy", verb, namespace, name);
    for (request, usual) in [
        (manager("update", "kube-controller-manager"), true),
        (manager("update", "kube-scheduler"), false),
        (manager("delete", "kube-controller-manager"), false),
        (node("kube-node-lease"), true),
        (node("kube-system"), false),
        (server("kube-system", "apiserver-abc"), true),
        (server("kube-node-lease", "worker-1"), false),
        (proxy("delete", "kube-node-lease", "worker-1"), false),
        (proxy("update", "kube-system", "kube-proxy"), false),
        (proxy("list", "kube-node-lease", "worker-1"), true),
    ] {
        assert_eq!(looks_own(&request), usual, "{request:?}");
    }
}

#[test]
fn components_do_what_they_do_and_nothing_else() {
    let manager = Request {
        user: Some("system:kube-controller-manager"),
        groups: Some(""),
        agent: Some(agent("kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/shared-informers")),
        ..Request::default()
    };
    let node = Request {
        user: Some("system:node:worker-1"),
        groups: Some("n"),
        agent: Some(agent("kubelet/v1.33.1 (linux/amd64) kubernetes/8adc0f0")),
        namespace: Some("prod"),
        ..Request::default()
    };
    let server = Request {
        user: Some("system:apiserver"),
        groups: Some("m"),
        agent: Some(agent("kube-apiserver/v1.33.1 (linux/amd64) kubernetes/8adc0f0")),
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
    let inside = |name: &'static str| Request {
        user: USERS.texts().find(|user| user.strip_prefix(IN_KUBE_SYSTEM) == Some(name)),
        groups: Some("s"),
        agent: None,
        ..manager
    };
    let (collector, cleaner) = (inside("generic-garbage-collector"), inside("namespace-controller"));
    for (request, usual) in [
        (asks(collector, "delete", "replicasets", Some("x")), true),
        (asks(collector, "delete", "widgets", Some("x")), true),
        (asks(collector, "delete", "roles", Some("x")), true),
        (asks(collector, "patch", "widgets", Some("x")), true),
        (asks(collector, "delete", "networkpolicies", Some("x")), false),
        (asks(collector, "patch", "validatingwebhookconfigurations", Some("x")), false),
        (asks(collector, "patch", "clusterroles", Some("x")), false),
        (asks(collector, "patch", "secrets", Some("x")), false),
        (asks(collector, "update", "deployments", Some("x")), false),
        (asks(cleaner, "delete", "networkpolicies", Some("x")), false),
        (Request { namespace: Some("old"), ..asks(cleaner, "delete", "networkpolicies", Some("x")) }, true),
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

/// A DuckDB with the macros, in which worker-1 and the scheduler have a home.
fn with_homes() -> Connection {
    let (connection, homes) = (Connection::open_in_memory().unwrap(), Homes::default());
    register(&connection, &homes).unwrap();
    let writes = "CREATE TABLE component_writes AS
        SELECT user_name, NULL::VARCHAR AS impersonated_user, '10.0.0.1' AS source_ip, 'update' AS verb,
            'leases' AS resource, NULL::VARCHAR AS subresource, namespace, name, 200 AS status_code,
            NULL::VARCHAR AS cluster
        FROM (VALUES ('system:node:worker-1', 'kube-node-lease', 'worker-1'),
            ('system:kube-scheduler', 'kube-system', 'kube-scheduler')) AS renewed(user_name, namespace, name);
        CREATE TABLE asserted_addresses(source_ip VARCHAR, peer VARCHAR)";
    connection.execute_batch(writes).unwrap();
    let asked_early = "SELECT own_request(2, '', -1, 1, 1, 1, 1, 1, 1, '', '', '')";
    assert!(connection.query_row(asked_early, [], |row| row.get::<_, bool>(0)).is_err());
    for name in ["api_groups.sql", "kinds.rs", "actors.sql"] {
        let file = kinds::VIEWS.iter().find(|file| file.path.ends_with(name)).unwrap();
        connection.execute_batch(file.text).unwrap();
    }
    homes.load(&connection).unwrap();
    connection
}

/// Makes the table `asked` of what requests tell.
fn store(connection: &Connection, all: &[Vec<Option<&str>>]) {
    connection
        .execute_batch(
            "CREATE TABLE asked(number BIGINT, user_name VARCHAR, user_agent VARCHAR, verb VARCHAR, resource VARCHAR,
                subresource VARCHAR, namespace VARCHAR, name VARCHAR)",
        )
        .unwrap();
    let columns = (0..7).map(|at| {
        let texts: StringArray = all.iter().map(|row| row[at]).collect();
        Arc::new(texts) as Arc<dyn Array>
    });
    let numbers = Arc::new((0_i64..).take(all.len()).collect::<arrow::array::Int64Array>()) as Arc<dyn Array>;
    let columns = std::iter::once(numbers).chain(columns).enumerate();
    let batch = RecordBatch::try_from_iter(columns.map(|(at, column)| (format!("c{at}"), column))).unwrap();
    connection.appender("asked").unwrap().append_record_batch(batch).unwrap();
}

#[test]
fn sql_decides_by_the_texts_of_a_request() {
    let connection = with_homes();
    let asked: Vec<Vec<Option<&str>>> = [
        [
            None,
            Some(""),
            Some("bob"),
            Some("system:node:worker-1"),
            Some("system:node:"),
            Some("system:kube-scheduler"),
            Some("system:apiserver"),
            Some(CONTROLLER),
            Some("system:serviceaccount:kube-system:node"),
        ]
        .as_slice(),
        &[
            None,
            Some(""),
            Some("/x"),
            Some("/"),
            Some("kubelet"),
            Some("k3s/v1"),
            Some("kube-scheduler/v1/scheduler"),
            Some("kube-controller-manager/v1/system:serviceaccount:kube-system:replicaset-controller"),
            Some("system:serviceaccount:kube-system:replicaset-controller"),
            Some("kube-apiserver/v1"),
        ],
        &[None, Some(""), Some("get"), Some("create"), Some("\0")],
        &[None, Some(""), Some("pods"), Some("clusterroles"), Some("widgets"), Some("services/status")],
        &[None, Some("status"), Some("exec")],
        &[None, Some("kube-system"), Some("prod")],
        &[None, Some("system:node"), Some("mine")],
    ]
    .iter()
    .map(|texts| texts.to_vec())
    .collect();
    let mut all: Vec<Vec<Option<&str>>> = vec![Vec::new()];
    for texts in &asked {
        all = all.iter().flat_map(|row| texts.iter().map(|text| [row.as_slice(), &[*text]].concat())).collect();
    }
    store(&connection, &all);
    for (groups, letters) in [("NULL", None), ("['system:nodes', 'x']", Some("n")), ("['system:masters']", Some("m"))] {
        for (address, is_home) in [("NULL", false), ("'10.0.0.1'", true)] {
            let sql = format!(
                "SELECT is_own(NULL, user_name, {groups}::VARCHAR[], NULL, {address}, user_agent, verb, NULL, resource,
                    subresource, namespace, name) FROM asked ORDER BY number"
            );
            let mut statement = connection.prepare(&sql).unwrap();
            let answers = statement.query_map([], |row| row.get::<_, bool>(0)).unwrap();
            for (row, answer) in all.iter().zip(answers) {
                let text = |at: usize| row[at].filter(|text: &&str| !text.is_empty());
                let request = Request {
                    user: text(0),
                    groups: letters,
                    agent: text(1).map(agent),
                    verb: text(2),
                    resource: text(3),
                    subresource: text(4),
                    namespace: text(5),
                    name: text(6),
                };
                let has_home = ["system:node:worker-1", "system:kube-scheduler"].contains(&text(0).unwrap_or_default());
                // The log has the lease of a node: others that renew none are not there.
                let is_nowhere = !has_home && text(0).is_some_and(|user| user.starts_with(NODE));
                let expected = looks_own(&request) && (is_home || !has_home) && !is_nowhere;
                assert_eq!(answer.unwrap(), expected, "{request:?} at {address}");
            }
        }
    }
    let impersonating =
        "SELECT is_own(NULL, 'system:node:x', NULL, 'bob', NULL, NULL, 'get', NULL, 'pods', NULL, 'a', 'b')";
    assert!(!connection.query_row(impersonating, [], |row| row.get::<_, bool>(0)).unwrap());
}

#[test]
fn every_kind_of_a_group_of_guards_is_one() {
    let connection = with_homes();
    // Constraints have the names that people give them.
    for (group, own) in [("constraints.gatekeeper.sh", false), ("kyverno.io", false), ("example.org", true)] {
        for verb in ["delete", "patch"] {
            let sql = format!(
                "SELECT is_own(NULL, '{IN_KUBE_SYSTEM}generic-garbage-collector', NULL, NULL, NULL, NULL, '{verb}', '{group}',
                    'k8spspprivileged', NULL, NULL, 'x')"
            );
            assert_eq!(connection.query_row(&sql, [], |row| row.get::<_, bool>(0)).unwrap(), own, "{verb} {group}");
        }
    }
}

#[test]
fn all_words_of_deeds_are_known() {
    for component in COMPONENTS {
        assert!(AGENTS.texts().any(|agent| agent == component.name), "{}", component.name);
        for deed in component.deeds.iter().chain(EVERYBODY) {
            for verb in deed.verbs.split(' ') {
                assert!(VERBS.texts().any(|known| known == verb), "{verb}");
            }
        }
    }
    assert_eq!((KINDS.at(1), KINDS.at(0), KINDS.at(i32::MAX)), (None, Some("\0"), Some("\0")));
    assert_eq!(USERS.at(2), USERS.texts().nth(1));
}

#[test]
fn the_functions_are_there_in_sql() {
    let connection = with_homes();
    let sql = "SELECT own_process('system:node:a'), own_process('bob'), is_component('job-controller'), \
               is_component('mine')";
    let row = connection
        .query_row(sql, [], |row| {
            Ok((
                row.get::<_, Option<String>>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, bool>(2)?,
                row.get::<_, bool>(3)?,
            ))
        })
        .unwrap();
    assert_eq!(row, (Some("system:node:a".to_owned()), None, true, false));
}

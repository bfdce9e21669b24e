//! The functions against the same in SQL, of which they are a faster form.

use std::fs;
use std::io::Read as _;

use duckdb::params;
use kforensic_event::json;

use super::*;

const SQL: &str = include_str!("tests/oracle.sql");

/// Bodies that a client could think of, for every place at which something stands.
const ODD: [(&str, &str, &str, &str); 26] = [
    (
        "pods",
        "",
        "",
        r#"{"metadata":{"name":"p","name":"q"},"spec":{"containers":[{"name":"a","image":"x","image":"y"}]}}"#,
    ),
    (
        "pods",
        "kube-system",
        "",
        r#"{"spec":{"serviceAccountName":"","serviceAccount":"cronjob-controller","hostPID":true}}"#,
    ),
    ("pods", "", "", r#"{"ephemeralContainers":[{"name":"e","image":"evil","securityContext":{"privileged":true}}]}"#),
    (
        "pods",
        "",
        r#"{"kind":"Status","spec":null}"#,
        r#"{"spec":{"hostNetwork":"true","hostIPC":true,"nodeName":"n"}}"#,
    ),
    ("pods", "", r#"{"spec":{}}"#, r#"{"spec":{"volumes":[{"hostPath":{"path":"/"}},{"hostPath":null},7]}}"#),
    (
        "deployments",
        "",
        "",
        r#"[{"op":"add","path":"/spec/template/spec/containers/-","value":{"image":"i","command":["sh",1,null,"-c"],"args":"no"}},
            {"op":"replace","path":"/spec/template/spec/serviceAccountName","value":"b"},
            {"op":"add","path":"/spec/template/spec/serviceAccount","value":"a"},
            {"op":"add","path":"/metadata/ownerReferences","value":[{"kind":"K","name":"n","controller":true}]}]"#,
    ),
    (
        "cronjobs",
        "",
        r#"{"spec":{"schedule":"* * * * *","jobTemplate":{"spec":{"template":{"spec":{"containers":[{"resources":
            {"requests":{"cpu":"1","memory":2,"x":null,"y":true},"limits":{"nvidia.com/gpu":"1"}}}]}}}}}}"#,
        "",
    ),
    (
        "pods",
        "",
        "",
        r#"{"metadata":{"annotations":{"container.apparmor.security.beta.kubernetes.io/c":"unconfined","kubernetes.io/config.mirror":null}},
            "spec":{"x":1}}"#,
    ),
    (
        "statefulsets",
        "",
        "",
        r#"{"spec":{"template":{"metadata":{"annotations":{"container.apparmor.security.beta.kubernetes.io/c":"unconfined"}},
            "spec":{"securityContext":{"runAsUser":0,"seLinuxOptions":{"type":"spc_t"},"windowsOptions":{"hostProcess":true},
            "seccompProfile":{"type":"Unconfined"}},"initContainers":[{"securityContext":{"procMount":"Unmasked","runAsUser":"0",
            "capabilities":{"add":["cap_sys_admin","chown","",null,7]},"appArmorProfile":{"type":"Unconfined"}}}]}}}}"#,
    ),
    ("podtemplates", "", "", r#"{"template":{"spec":{"shareProcessNamespace":true}}}"#),
    ("pods", "", "", r#"{"spec":{"containers":[{"name":"\ud800","image":"a\u0000b"}]}}"#),
    ("pods", "", "", r#"{"spec":"text"}"#),
    ("pods", "", "not JSON", "[1,2"),
    (
        "rolebindings",
        "",
        r#"{"kind":"Status","roleRef":null,"subjects":{}}"#,
        r#"{"roleRef":{"kind":"ClusterRole","name":"admin","name":""},"subjects":[{"kind":"Group","namespace":"x","name":"g"},
            {"kind":"ServiceAccount","namespace":"n","name":"s"},{"name":"n"},{},7,null,{"kind":"","namespace":"q","name":"w"}]}"#,
    ),
    (
        "clusterrolebindings",
        "",
        r#"{"subjects":[],"roleRef":{}}"#,
        r#"{"subjects":[{"kind":"User","name":"u"}],"roleRef":{"kind":"R"}}"#,
    ),
    (
        "clusterroles",
        "",
        "",
        r#"[{"op":"add","path":"/rules/-","value":{"verbs":["*"],"resources":["secrets"], "apiGroups":["",""]}},
            {"op":"replace","path":"/rules","value":[{"verbs":["get"]},3]},{"op":"add","path":"/rules/0/verbs/-","value":"escalate"},
            {"op":"add","path":"/rules/0/verbs","value":["bind", "impersonate:user"]},{"op":"add","path":"/rules/x/verbs","value":1},
            {"op":"add","path":"/rules/0/","value":1},{"op":"add","path":"/subjects/-","value":{"kind":"User","name":"mallory"}},
            {"op":"add","path":"/subjects/0/name","value":"x"},{"op":"remove","path":"/rules"},{"op":"add","path":"/rules/1/verbs"},
            {"op":"add","path":"/aggregationRule","value":{"clusterRoleSelectors":[{"matchLabels":{}}]}}]"#,
    ),
    (
        "clusterroles",
        "",
        "",
        r#"{"rules":[{"verbs":["get","list"],"nonResourceURLs":["/metrics","/*"]},{"verbs":[],"apiGroups":[]}]}"#,
    ),
    (
        "clusterroles",
        "",
        r#"{"rules":null}"#,
        r#"{"rules":[{"verbs":"*","resources":["nodes/*","*/*"],"apiGroups":["*"],"resourceNames":[""]}]}"#,
    ),
    (
        "clusterroles",
        "",
        "",
        r#"{"rules":[{"verbs":["create"],"resources":["workflows"],"apiGroups":["argoproj.io"]},
            {"verbs":["patch"],"resources":["services"],"apiGroups":["serving.knative.dev"]},
            {"verbs":["patch"],"resources":["services"],"apiGroups":[""]},
            {"verbs":["update"],"resources":["*"],"apiGroups":["kubevirt.io"]},{"verbs":["get"],"resources":["*"],"apiGroups":["tekton.dev"]}]}"#,
    ),
    (
        "clusterroles",
        "",
        r#"{"rules":[]}"#,
        r#"{"rules":[{"verbs":["impersonate"],"resources":["users"]},{"verbs":["ximpersonate"]}]}"#,
    ),
    (
        "clusterroles",
        "",
        r#"{"metadata":{"labels":{"rbac.authorization.k8s.io/aggregate-to-admin":"true","rbac.authorization.k8s.io/aggregate-to-":"true",
            "rbac.authorization.k8s.io/aggregate-to-view":"false","x":"true"}},"aggregationRule":{"clusterRoleSelectors":[
            {"matchLabels":{"a":"b"}},{"matchExpressions":[{"key":"x"}]}]}}"#,
        r#"{"metadata":{"labels":{"rbac.authorization.k8s.io/aggregate-to-edit":"true"}}}"#,
    ),
    (
        "clusterroles",
        "",
        r#"{"metadata":{"labels":null}}"#,
        r#"{"aggregationRule":{"clusterRoleSelectors":[{"matchExpressions":[]}]}}"#,
    ),
    (
        "clusterroles",
        "",
        "",
        r#"{"aggregationRule":{"clusterRoleSelectors":[7,{"matchLabels":null}]},"rules":[{"verbs":["a\u0000b","\ud800"]}]}"#,
    ),
    (
        "roles",
        "",
        "",
        r#"{"aggregationRule":{"clusterRoleSelectors":{}},"rules":[ { "verbs" : [ "g\u0065t" ] , "resources":[null,1,""] } ]}"#,
    ),
    ("roles", "", "", "[]"),
    ("pods", "", "", r#" {"spec" : { "containers" : [ { "image" : "x" , "command" : [ "a" ] } ] } } "#),
];

/// What stands in the oracle for the rows of kinds that make pods.
const MAKERS: &str = "-- MAKERS: a row for each API group of kinds that make pods";

/// These rows.
fn makers_in_sql() -> String {
    use std::fmt::Write as _;
    let mut groups = std::collections::BTreeMap::<_, Vec<_>>::new();
    for (group, kind) in kforensic_trace::kinds::makers() {
        groups.entry(group).or_default().push(kind);
    }
    groups.into_iter().fold(String::new(), |mut rows, (group, kinds)| {
        let kinds = crate::sql::literals(kinds.into_iter().chain(["*"]));
        writeln!(rows, "{{power: 'make pods', verbs: ['create', 'update', 'patch', '*'], api_group: '{group}', resources: [{kinds}]}},")
            .unwrap();
        rows
    })
}

/// Bodies of a real cluster: kind, namespace, answer and request of every event.
fn real() -> Vec<[String; 4]> {
    let mut found = Vec::new();
    for log in ["hardened", "moderate"] {
        let folder = format!("{}/../../sample-logs/{log}", env!("CARGO_MANIFEST_DIR"));
        for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let mut text = String::new();
            let bytes = fs::File::open(&file).unwrap();
            if file.extension().is_some_and(|extension| extension == "gz") {
                flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
            }
            for line in text.lines() {
                let member = |name: &str| json::member(line, name).unwrap_or_default();
                let of =
                    |name: &str| json::member(member("objectRef"), name).and_then(json::string).unwrap_or_default();
                let bodies = [member("responseObject"), member("requestObject")];
                if bodies.iter().any(|body| !body.is_empty()) {
                    let [answer, request] = bodies.map(str::to_owned);
                    found.push([of("resource").into_owned(), of("namespace").into_owned(), answer, request]);
                }
            }
        }
    }
    found
}

#[test]
fn templates_and_roles_are_what_they_are_in_sql() {
    let connection = Connection::open_in_memory().unwrap();
    crate::json::register(&connection).unwrap();
    crate::own::register(&connection, &crate::own::Homes::default()).unwrap();
    register(&connection).unwrap();
    for file in ["json", "json_lists"] {
        let views = format!("{}/views/{file}.sql", env!("CARGO_MANIFEST_DIR"));
        connection.execute_batch(&fs::read_to_string(views).unwrap()).unwrap();
    }
    connection
        .execute_batch(
            "CREATE TABLE bodies
             (id INTEGER, resource VARCHAR, namespace VARCHAR, response_object VARCHAR, request_object VARCHAR)",
        )
        .unwrap();
    let mut bodies = real();
    assert!(bodies.len() > 1_000, "{}", bodies.len());
    for (kind, namespace, answer, request) in ODD {
        bodies.push([kind, namespace, answer, request].map(str::to_owned));
        // What one kind of object can hold, another must not. The server answers with no patch.
        for kind in ["pods", "deployments", "cronjobs", "podtemplates"].iter().filter(|_| !request.starts_with('[')) {
            bodies.push([kind, "kube-system", request, answer].map(str::to_owned));
        }
    }
    let mut rows = connection.appender("bodies").unwrap();
    for (id, [kind, namespace, answer, request]) in bodies.iter().enumerate() {
        rows.append_row(params![i32::try_from(id).unwrap(), kind, namespace, answer, request]).unwrap();
    }
    rows.flush().unwrap();
    connection.execute_batch(&SQL.replace(MAKERS, &makers_in_sql())).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    for (id, call, columns, theirs) in [
        (
            "id",
            "pod_template(resource, namespace, response_object, request_object)",
            template::COLUMNS.map(|(name, _)| name).to_vec(),
            "templates_in_sql",
        ),
        (
            "id",
            "rbac_body(response_object, request_object)",
            rbac::COLUMNS.map(|(name, _)| name).to_vec(),
            "rbac_in_sql",
        ),
        ("rule_object", "rbac_rule(rule_object)", rule::COLUMNS.map(|(name, _)| name).to_vec(), "rules_in_sql"),
    ] {
        let listed = |before: &str| columns.iter().map(|name| format!("{before}{name}")).collect::<Vec<_>>().join(", ");
        let from = if id == "id" { "bodies" } else { theirs };
        let ours = format!("SELECT {id}, {} FROM (SELECT {id}, {call} AS t FROM {from})", listed("t."));
        let ours = if call.starts_with("pod") { format!("{ours} WHERE t.seen_in IS NOT NULL") } else { ours };
        let theirs = format!("SELECT {id}, {} FROM {theirs}", listed(""));
        assert!(count(&format!("SELECT count(*) FROM ({theirs})")) > 20, "{theirs}");
        let mut differ = Vec::new();
        for (a, b) in [(&ours, &theirs), (&theirs, &ours)] {
            let rows = format!("SELECT * FROM ({a} EXCEPT ALL {b}) ORDER BY 1 LIMIT 3");
            let mut statement = connection.prepare(&format!("SELECT found::VARCHAR FROM ({rows}) AS found")).unwrap();
            differ.extend(statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
        }
        assert!(differ.is_empty(), "{ours}\n{differ:#?}");
    }
    let same_parts = "SELECT count(*) FROM (SELECT unnest([response_object, request_object]) AS body FROM bodies)
         WHERE json_valid(body) AND body_parts(json_body(body)) IS DISTINCT FROM parts_in_sql(json_body(body))";
    assert_eq!(count(same_parts), 0);
}

#[test]
fn what_was_sent_is_named_by_its_members() {
    let named = |body: &str| sent_members(body).into_iter().collect::<Vec<_>>();
    assert_eq!(
        named(r#"{"kind":"X","apiVersion":"v1","spec":{"replicas":3},"data":{"a":1,"b":2,"c":3,"d":4},"metadata":{}}"#),
        ["data", "metadata", "spec.replicas"]
    );
    assert_eq!(named(r#"[{"op":"add","path":"/spec/a","value":{"x":1,"y":2}}]"#), ["spec.a"]);
    assert!(named("").is_empty() && named("7").is_empty());
    let many: String = (0..20_000).map(|number| format!("\"k{number}\":{{}},")).collect();
    assert_eq!(named(&format!("{{{}}}", many.trim_end_matches(','))).len(), 20_000);
}

#[test]
fn what_a_pod_takes_of_its_node_beside_its_namespaces_is_told() {
    let reasons = |resource: &str, body: &str| {
        template::read(resource, "prod", "", body).unwrap().reasons.into_iter().collect::<Vec<_>>().join(", ")
    };
    let pod = |spec: &str| reasons("pods", &format!(r#"{{"spec":{spec}}}"#));
    let sysctls = r#"{"securityContext":{"sysctls":[{"name":"kernel.msgmax","value":"1"},{"name":"net/core/somaxconn","value":"9"},
        {"name":"net.ipv4.tcp_syncookies","value":"1"},{"name":"net/ipv4/ping_group_range","value":"0 0"}]}}"#;
    assert_eq!(pod(sysctls), "sysctl kernel.msgmax, sysctl net.core.somaxconn");
    let volumes = r#"{"volumes":[{"name":"a","flexVolume":{"driver":"x/y"}},{"name":"b","gitRepo":{"repository":"https://e.x/r"}},
        {"name":"c","nfs":{"server":"10.0.0.1","path":"/"}}]}"#;
    assert_eq!(pod(volumes), "flexVolume driver x/y, gitRepo https://e.x/r");
    let ports = |more: &str| {
        pod(&format!(
            r#"{{{more}"containers":[{{"name":"c","ports":[{{"containerPort":1,"hostPort":10250}},{{"hostPort":0}}]}}]}}"#
        ))
    };
    assert_eq!(ports(""), "host port 10250");
    assert_eq!(ports(r#""hostNetwork":true,"#), "host network");
    // Annotations of before there were fields, in what a CronJob makes as well.
    let annotated = |name: &str| format!(r#""metadata":{{"annotations":{{"{name}":"unconfined"}}}}"#);
    let (pods, container) = (
        annotated("seccomp.security.alpha.kubernetes.io/pod"),
        annotated("container.seccomp.security.alpha.kubernetes.io/c"),
    );
    assert_eq!(reasons("pods", &format!(r#"{{{pods},"spec":{{"x":1}}}}"#)), "seccomp unconfined");
    assert_eq!(
        reasons("deployments", &format!(r#"{{"spec":{{"template":{{{container},"spec":{{"x":1}}}}}}}}"#)),
        "seccomp unconfined"
    );
    let apparmor = annotated("container.apparmor.security.beta.kubernetes.io/c");
    let job = format!(r#"{{"spec":{{"jobTemplate":{{"spec":{{"template":{{{apparmor},"spec":{{"x":1}}}}}}}}}}}}"#);
    assert_eq!(reasons("cronjobs", &job), "AppArmor unconfined");
}

#[test]
fn a_patch_that_adds_to_a_rule_gives_what_it_adds() {
    let patch = r#"[{"op":"add","path":"/rules/0/verbs/-","value":"escalate"},
        {"op":"replace","path":"/rules/2/resources","value":["*"]},{"op":"replace","path":"/rules/0/verbs/0","value":"create"}]"#;
    let rules = rbac::read("", patch).rule_objects.unwrap();
    assert_eq!(rules, [r#"{"verbs":["escalate"]}"#, r#"{"resources":["*"]}"#, r#"{"verbs":["create"]}"#]);
    let powers = |rule: &str| rule::Rule::of(rule).powers().into_iter().collect::<Vec<_>>();
    assert_eq!(
        [&rules[0], &rules[1], &rules[2]].map(|rule| powers(rule)),
        [
            // What a verb is for, and what may be done with a resource, is not in the log.
            vec!["escalate".to_owned(), "part of an untold rule".to_owned()],
            vec!["every resource".to_owned(), "part of an untold rule".to_owned()],
            vec!["part of an untold rule".to_owned()],
        ]
    );
}

#[test]
fn a_patch_that_takes_names_away_widens_a_rule() {
    let told = |patch: &str| {
        let rules = rbac::read("", patch).rule_objects.unwrap();
        rules
            .iter()
            .map(|rule| rule::Rule::of(rule).powers().into_iter().collect::<Vec<_>>().join(", "))
            .collect::<Vec<_>>()
    };
    let widened = ["fewer limits by name, part of an untold rule"];
    assert_eq!(told(r#"[{"op":"remove","path":"/rules/0/resourceNames"}]"#), widened);
    assert_eq!(told(r#"[{"op":"test","path":"/x"},{"op":"remove","path":"/rules/12/resourceNames/0"}]"#), widened);
    assert_eq!(told(r#"[{"op":"move","from":"/rules/0/resourceNames/0","path":"/metadata/labels/x"}]"#), widened);
    assert_eq!(told(r#"[{"op":"replace","path":"/rules/0/resourceNames","value":[]}]"#), widened);
    // Less of anything else is less.
    assert!(told(r#"[{"op":"remove","path":"/rules/0/verbs/0"},{"op":"remove","path":"/rules/0"}]"#).is_empty());
}

#[test]
fn who_writes_what_an_add_on_makes_pods_of_makes_pods() {
    let makes = |verb: &str, group: &str, kind: &str| {
        let rule = format!(r#"{{"verbs":["{verb}"],"apiGroups":["{group}"],"resources":["{kind}"]}}"#);
        rule::Rule::of(&rule).powers().contains("make pods")
    };
    for (group, kind) in [
        ("argoproj.io", "workflows"),
        ("argoproj.io", "*"),
        ("tekton.dev", "taskruns"),
        ("serving.knative.dev", "services"),
        ("kubevirt.io", "virtualmachineinstances"),
        ("apps.openshift.io", "deploymentconfigs"),
        ("*", "cronworkflows"),
        ("extensions", "deployments"),
        ("apps.kruise.io", "statefulsets"),
    ] {
        assert!(makes("create", group, kind) && makes("patch", group, kind), "{group} {kind}");
        assert!(!makes("get", group, kind), "{group} {kind}");
    }
    for (group, kind) in
        [("", "services"), ("argoproj.io", "applications"), ("example.org", "workflows"), ("apps", "pods")]
    {
        assert!(!makes("create", group, kind), "{group} {kind}");
    }
}

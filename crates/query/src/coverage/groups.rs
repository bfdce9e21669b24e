//! Which API group a resource belongs to.

/// API groups of the resources that queries need, where it is not the core group.
const GROUPS: [(&str, &str); 37] = [
    ("apiservices", "apiregistration.k8s.io"),
    ("certificatesigningrequests", "certificates.k8s.io"),
    ("clusterrolebindings", "rbac.authorization.k8s.io"),
    ("clusterroles", "rbac.authorization.k8s.io"),
    ("cronjobs", "batch"),
    ("customresourcedefinitions", "apiextensions.k8s.io"),
    ("daemonsets", "apps"),
    ("deployments", "apps"),
    ("endpointslices", "discovery.k8s.io"),
    ("deviceclasses", "resource.k8s.io"),
    ("flowschemas", "flowcontrol.apiserver.k8s.io"),
    ("horizontalpodautoscalers", "autoscaling"),
    ("ingresses", "networking.k8s.io"),
    ("jobs", "batch"),
    ("leases", "coordination.k8s.io"),
    ("localsubjectaccessreviews", "authorization.k8s.io"),
    ("mutatingwebhookconfigurations", "admissionregistration.k8s.io"),
    ("networkpolicies", "networking.k8s.io"),
    ("poddisruptionbudgets", "policy"),
    ("podsecuritypolicies", "policy"),
    ("priorityclasses", "scheduling.k8s.io"),
    ("prioritylevelconfigurations", "flowcontrol.apiserver.k8s.io"),
    ("replicasets", "apps"),
    ("resourceclaims", "resource.k8s.io"),
    ("rolebindings", "rbac.authorization.k8s.io"),
    ("roles", "rbac.authorization.k8s.io"),
    ("runtimeclasses", "node.k8s.io"),
    ("selfsubjectaccessreviews", "authorization.k8s.io"),
    ("selfsubjectreviews", "authentication.k8s.io"),
    ("selfsubjectrulesreviews", "authorization.k8s.io"),
    ("statefulsets", "apps"),
    ("storageclasses", "storage.k8s.io"),
    ("subjectaccessreviews", "authorization.k8s.io"),
    ("tokenreviews", "authentication.k8s.io"),
    ("validatingadmissionpolicies", "admissionregistration.k8s.io"),
    ("validatingadmissionpolicybindings", "admissionregistration.k8s.io"),
    ("validatingwebhookconfigurations", "admissionregistration.k8s.io"),
];

/// Resources of the core group, which has no name.
const CORE: [&str; 17] = [
    "bindings",
    "componentstatuses",
    "configmaps",
    "endpoints",
    "events",
    "limitranges",
    "namespaces",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "podtemplates",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "serviceaccounts",
    "services",
];

/// The group of a resource, with or without its subresource; `None` when it is none that we know.
pub(crate) fn group_of(object: &str) -> Option<&'static str> {
    let resource = object.split('/').next().unwrap_or_default();
    let of_another = GROUPS.iter().find(|(name, _)| *name == resource).map(|(_, group)| *group);
    of_another.or_else(|| CORE.contains(&resource).then_some(""))
}

/// Whether a resource of that name and group is the one that a query means by its name. Add-ons call things as the core group does,
/// and what is logged of theirs says nothing about its own.
pub(crate) fn is_meant(resource: &str, group: &str) -> bool {
    match group_of(resource) {
        Some("") => group.is_empty() || resource == "events" && group == "events.k8s.io",
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;

    #[test]
    fn the_group_of_everything_that_a_query_needs_is_known() {
        // One of another group would pass for logged where the policy logs the core group.
        for query in Catalogue::embedded().unwrap().iter() {
            for resource in query.needs.iter().filter(|need| need.group.is_none()).flat_map(|need| &need.resource) {
                assert!(group_of(resource).is_some(), "{resource} of `{}`", query.name);
            }
        }
    }
}

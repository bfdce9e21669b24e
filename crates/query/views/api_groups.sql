-- Which API groups are Kubernetes' own.

-- Whether an API group is one that Kubernetes has itself.
CREATE MACRO is_built_in(api_group) AS coalesce(api_group, '') IN (
    '', 'admissionregistration.k8s.io', 'apiextensions.k8s.io', 'apiregistration.k8s.io', 'apps', 'authentication.k8s.io',
    'authorization.k8s.io', 'autoscaling', 'batch', 'certificates.k8s.io', 'coordination.k8s.io', 'discovery.k8s.io', 'events.k8s.io',
    'extensions', 'flowcontrol.apiserver.k8s.io', 'internal.apiserver.k8s.io', 'metrics.k8s.io', 'networking.k8s.io', 'node.k8s.io',
    'policy', 'rbac.authorization.k8s.io', 'resource.k8s.io', 'scheduling.k8s.io', 'storage.k8s.io', 'storagemigration.k8s.io'
);

-- Whether an API group is the core one, which has no name. Add-ons call things as it does: `secrets` of ACK, `nodes` of Longhorn and
-- of Rancher, `pods` of metrics-server, `services` of Knative.
CREATE MACRO is_core(api_group) AS coalesce(api_group, '') = '';

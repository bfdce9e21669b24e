-- Who is part of the cluster, and which namespaces are its own: what detections leave out, in one place.

-- The parts of the control plane, nodes, and the built-in controllers. Not all service accounts of kube-system: a
-- backdoor is most at home there, so its service accounts are listed one by one. Names that an authenticator of
-- people gives out (`system:admin`, `system:bootstrap:…`, `system:anonymous`) are none.
CREATE MACRO is_control_plane(who) AS coalesce(
    (
        starts_with(who, 'system:')
        AND NOT regexp_matches(who, '^system:(serviceaccount:|bootstrap:|anonymous$|admin$|masters$|unauthenticated$)')
    )
    -- The controllers of kube-controller-manager 1.20 to 1.37, and what kubeadm and the clouds install.
    OR list_contains([
        'attachdetach-controller', 'aws-cloud-provider', 'aws-node', 'bootstrap-signer', 'certificate-controller',
        'cloud-controller-manager', 'cloud-provider', 'clusterrole-aggregation-controller', 'coredns',
        'cronjob-controller', 'daemon-set-controller', 'deployment-controller', 'device-taint-eviction-controller',
        'disruption-controller', 'endpoint-controller', 'endpointslice-controller',
        'endpointslicemirroring-controller', 'ephemeral-volume-controller', 'expand-controller',
        'generic-garbage-collector', 'horizontal-pod-autoscaler', 'job-controller', 'konnectivity-agent', 'kube-dns',
        'kube-proxy', 'legacy-service-account-token-cleaner', 'namespace-controller', 'node-controller',
        'persistent-volume-binder', 'pod-garbage-collector', 'pv-protection-controller', 'pvc-protection-controller',
        'replicaset-controller', 'replication-controller', 'resource-claim-controller', 'resourcequota-controller',
        'root-ca-cert-publisher', 'route-controller', 'selinux-warning-controller', 'service-account-controller',
        'service-ca-cert-publisher', 'service-cidrs-controller', 'service-controller', 'statefulset-controller',
        'storage-version-migrator-controller', 'storageversion-garbage-collector', 'token-cleaner', 'ttl-controller',
        'ttl-after-finished-controller', 'validatingadmissionpolicy-status-controller',
        'volumeattributesclass-protection-controller', 'kube-apiserver-serving-clustertrustbundle-publisher'
    ], CASE WHEN starts_with(who, 'system:serviceaccount:kube-system:') THEN split_part(who, ':', 4) END)
    -- What the clouds run for the cluster.
    OR starts_with(who, 'eks:')
    OR who IN ('aksService', 'acsService', 'masterclient', 'nodeclient')
    OR who LIKE '%@container-engine-robot.iam.gserviceaccount.com'
    OR regexp_matches(who, '^system:serviceaccount:(gke-managed-system|gke-system|gmp-system|openshift[a-z-]*):'),
    false
);

-- Operators that change objects of others as their work: GitOps, policy engines, certificate managers.
CREATE MACRO is_operator(who) AS coalesce(
    regexp_matches(
        who,
        '^system:serviceaccount:'
        || '(argocd|argo-cd|flux-system|gatekeeper-system|kyverno|cert-manager|olm|operators|[a-z0-9-]+-operator):'
    )
    OR regexp_matches(who, '^system:serviceaccount:[^:]+:[a-z0-9.-]*operator$'),
    false
);

CREATE MACRO is_system_namespace(namespace) AS coalesce(
    namespace IN ('kube-system', 'kube-public', 'kube-node-lease', 'gke-system', 'gke-managed-system', 'gmp-system',
        'calico-system', 'tigera-operator', 'openshift')
    OR starts_with(namespace, 'openshift-'),
    false
);

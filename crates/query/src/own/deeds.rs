//! What the components of a cluster do day by day: the table that tells their work from that of somebody in their name.
//!
//! From their roles in Kubernetes (plugin/pkg/auth/authorizer/rbac/bootstrappolicy: policy.go, controller_policy.go), for
//! kubelets from the node authorizer and the admission plugin NodeRestriction, for the API server from the hooks of
//! pkg/controlplane and kube-aggregator; less what a role allows and the component does not do. A rule of a role is no deed:
//! the garbage collector may read every secret's metadata and does; kube-scheduler never lists roles.

/// A deed: verbs and kinds, each separated by spaces, `*` for all; a kind is a resource, or a resource and its subresource.
pub(super) struct Deed {
    pub(super) verbs: &'static str,
    pub(super) kinds: &'static str,
    pub(super) of: Of,
}

/// Which objects a deed is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// All.
    Any,
    /// One that is asked for by its name.
    Named,
    /// Objects of this namespace.
    In(&'static str),
    /// Objects of one of these names, separated by spaces; of names with this beginning when one ends in `*`.
    Called(&'static str),
    /// Objects of this namespace with one of these names.
    InCalled(&'static str, &'static str),
    /// In kube-system, an object that is called as a component.
    Component,
    /// Objects in whatever namespace, and none of the cluster.
    Namespaced,
    /// Objects of all kinds but these, separated by spaces, and what holds the cluster (`kinds`). Who sets an owner on a guard has the
    /// garbage collector delete it for him: that it went is told, whoever did the work.
    AllBut(&'static str),
}

/// A component and its deeds.
pub(super) struct Component {
    /// The name of its service account in kube-system, or of its user behind `system:`.
    pub(super) name: &'static str,
    /// Whether it keeps copies of all kinds of objects: its reads say nothing.
    pub(super) reads_all: bool,
    pub(super) deeds: &'static [Deed],
}

const READ: &str = "get list watch";
const WRITE: &str = "create update patch delete";
const CHANGE: &str = "update patch";

const fn deed(verbs: &'static str, kinds: &'static str) -> Deed {
    Deed { verbs, kinds, of: Of::Any }
}

const fn only(verbs: &'static str, kinds: &'static str, of: Of) -> Deed {
    Deed { verbs, kinds, of }
}

const fn component(name: &'static str, deeds: &'static [Deed]) -> Component {
    Component { name, reads_all: false, deeds }
}

const fn collector(name: &'static str, deeds: &'static [Deed]) -> Component {
    Component { name, reads_all: true, deeds }
}

/// What all of them do: events about their work, and a look at who leads.
pub(super) const EVERYBODY: &[Deed] = &[
    deed("create update patch", "events"),
    only(READ, "leases", Of::In("kube-system")),
    only(READ, "leases", Of::In("kube-node-lease")),
];

/// What controllers look at: workloads, volumes, the network; neither secrets nor RBAC nor who may what.
pub(super) const CONTROLLERS_READ: &str = "pods nodes namespaces services endpoints endpointslices replicasets deployments \
    daemonsets statefulsets replicationcontrollers jobs cronjobs controllerrevisions horizontalpodautoscalers \
    poddisruptionbudgets persistentvolumes persistentvolumeclaims storageclasses volumeattachments csinodes csidrivers \
    csistoragecapacities resourcequotas limitranges resourceclaims resourceclaimtemplates resourceslices deviceclasses \
    servicecidrs ipaddresses storageversions validatingadmissionpolicies volumeattributesclasses clustertrustbundles \
    customresourcedefinitions podtemplates workloads podgroups";

/// What ConfigMaps of the cluster controllers look up.
pub(super) const READABLE_CONFIGMAPS: &str =
    "extension-apiserver-authentication kube-root-ca.crt cluster-info openshift-service-ca.crt";

/// What gives rights, hands out values when it is patched, or steers a cluster. Such objects seldom have owners or are deleted in the
/// foreground, for which alone the garbage collector patches.
const LEVERS: &str = "roles clusterroles rolebindings clusterrolebindings secrets configmaps persistentvolumes";

const REVIEWS: Deed = deed("create", "tokenreviews subjectaccessreviews");
const DNS: &[Deed] = &[deed(READ, "services endpoints endpointslices namespaces pods nodes")];

/// The table.
#[rustfmt::skip]
pub(super) const COMPONENTS: &[Component] = &[
    collector("apiserver", &[
        // Its own, those of servers that are gone, and, where it coordinates elections, those of who leads.
        only(WRITE, "leases", Of::InCalled("kube-system", "apiserver-* kube-apiserver-*")),
        only("create update patch", "leases", Of::InCalled("kube-system", "kube-controller-manager kube-scheduler")),
        only("create update patch", "clusterroles clusterrolebindings roles rolebindings", Of::Called("system:* cluster-admin admin edit view extension-apiserver-authentication-reader")),
        only("create", "namespaces", Of::Any),
        only(WRITE, "services services/status endpoints endpointslices", Of::InCalled("default", "kubernetes")),
        only("create update patch", "configmaps", Of::InCalled("kube-system", "extension-apiserver-authentication kube-apiserver-legacy-service-account-token-tracking")),
        // The last use of a token that lives in a secret.
        deed("patch", "secrets"),
        deed(WRITE, "priorityclasses flowschemas flowschemas/status prioritylevelconfigurations prioritylevelconfigurations/status apiservices apiservices/status resourcequotas/status customresourcedefinitions/status servicecidrs servicecidrs/status ipaddresses storageversions storageversions/status validatingadmissionpolicies/status"),
    ]),
    component("node", &[
        only("create update patch", "leases", Of::In("kube-node-lease")),
        deed(READ, "pods services csidrivers csinodes runtimeclasses podcertificaterequests"),
        deed("list watch", "nodes clustertrustbundles resourceslices"),
        // By name, as far as pods of the node need it.
        only(READ, "nodes secrets configmaps persistentvolumes persistentvolumeclaims volumeattachments resourceclaims clustertrustbundles certificatesigningrequests", Of::Named),
        deed("create update patch", "nodes csinodes"),
        deed(CHANGE, "nodes/status pods/status persistentvolumeclaims/status"),
        deed("create delete", "pods"),
        deed("create", "serviceaccounts/token certificatesigningrequests podcertificaterequests"),
        deed("create update delete deletecollection", "resourceslices"),
        REVIEWS,
    ]),
    component("kube-scheduler", &[
        only("create update patch", "leases", Of::InCalled("kube-system", "kube-scheduler")),
        deed(READ, CONTROLLERS_READ),
        only(READ, "configmaps", Of::Called(READABLE_CONFIGMAPS)),
        deed("create", "pods/binding"),
        deed(CHANGE, "pods/status persistentvolumeclaims persistentvolumes resourceclaims resourceclaims/status"),
        deed("delete", "pods"),
        REVIEWS,
    ]),
    collector("kube-controller-manager", &[
        // The last two while a cluster changes to a cloud's own manager.
        only("create update patch", "leases", Of::InCalled("kube-system", "kube-controller-manager cloud-controller-manager cloud-provider-extraction-migration")),
        deed("update", "serviceaccounts"),
        // The tokens of service accounts, up to 1.23.
        deed("create update delete", "secrets"),
        // For its controllers.
        only("create", "serviceaccounts serviceaccounts/token", Of::Component),
        REVIEWS,
    ]),
    component("cloud-controller-manager", &[
        only("create update patch", "leases", Of::InCalled("kube-system", "cloud-controller-manager cloud-provider-extraction-migration")),
        deed(READ, CONTROLLERS_READ),
        only(READ, "configmaps", Of::Called(READABLE_CONFIGMAPS)),
        deed(CHANGE, "nodes nodes/status services services/status"),
        deed("delete", "nodes"),
        REVIEWS,
    ]),
    component("kube-proxy", &[deed(READ, "services endpoints endpointslices nodes servicecidrs")]),
    component("coredns", DNS),
    component("kube-dns", DNS),
    // Up to 1.14 it updated what had a finalizer, with the whole object in the body: who does so now is somebody else.
    collector("generic-garbage-collector", &[
        only("delete", "*", Of::AllBut("")),
        only("patch", "*", Of::AllBut(LEVERS)),
    ]),
    collector("namespace-controller", &[
        only("delete deletecollection", "*", Of::Namespaced),
        deed(CHANGE, "namespaces/finalize namespaces/status"),
    ]),
    collector("resourcequota-controller", &[deed(CHANGE, "resourcequotas/status")]),
    component("clusterrole-aggregation-controller", &[deed("get list watch update patch", "clusterroles")]),
    component("horizontal-pod-autoscaler", &[
        deed("get update patch", "deployments/scale replicasets/scale statefulsets/scale replicationcontrollers/scale"),
        deed(CHANGE, "horizontalpodautoscalers/status"),
    ]),
    component("root-ca-cert-publisher", &[only("get create update", "configmaps", Of::Called("kube-root-ca.crt"))]),
    component("service-ca-cert-publisher", &[only("get create update", "configmaps", Of::Called("openshift-service-ca.crt"))]),
    component("service-account-controller", &[
        deed(READ, "serviceaccounts"),
        only("create", "serviceaccounts", Of::Called("default")),
    ]),
    component("bootstrap-signer", &[
        only(READ, "secrets", Of::In("kube-system")),
        only("get create update", "configmaps", Of::InCalled("kube-public", "cluster-info")),
    ]),
    component("token-cleaner", &[only("get list watch delete", "secrets", Of::In("kube-system"))]),
    component("legacy-service-account-token-cleaner", &[
        deed(READ, "serviceaccounts secrets"),
        only(READ, "configmaps", Of::InCalled("kube-system", "kube-apiserver-legacy-service-account-token-tracking")),
        deed("delete patch update", "secrets"),
    ]),
    component("certificate-controller", &[
        deed("get list watch update patch delete", "certificatesigningrequests certificatesigningrequests/approval certificatesigningrequests/status"),
        deed("create", "subjectaccessreviews"),
    ]),
    component("deployment-controller", &[deed(WRITE, "replicasets"), deed(CHANGE, "deployments deployments/status pods")]),
    component("daemon-set-controller", &[deed(WRITE, "pods pods/binding controllerrevisions"), deed(CHANGE, "daemonsets daemonsets/status")]),
    component("statefulset-controller", &[deed(WRITE, "pods persistentvolumeclaims controllerrevisions"), deed(CHANGE, "statefulsets statefulsets/status")]),
    component("replicaset-controller", &[deed(WRITE, "pods"), deed(CHANGE, "replicasets replicasets/status")]),
    component("replication-controller", &[deed(WRITE, "pods"), deed(CHANGE, "replicationcontrollers replicationcontrollers/status")]),
    component("job-controller", &[deed(WRITE, "pods"), deed(CHANGE, "jobs jobs/status")]),
    component("cronjob-controller", &[deed(WRITE, "jobs"), deed(CHANGE, "cronjobs cronjobs/status"), deed("delete", "pods")]),
    component("ttl-after-finished-controller", &[deed("delete", "jobs")]),
    component("pod-garbage-collector", &[deed("delete", "pods"), deed("patch", "pods/status")]),
    component("device-taint-eviction-controller", &[deed("delete", "pods"), deed("patch", "pods/status")]),
    component("node-controller", &[deed("update patch delete", "nodes pods"), deed(CHANGE, "nodes/status pods/status")]),
    component("disruption-controller", &[
        deed("get", "deployments/scale replicasets/scale statefulsets/scale replicationcontrollers/scale"),
        deed(CHANGE, "poddisruptionbudgets/status pods/status"),
    ]),
    component("endpoint-controller", &[deed(WRITE, "endpoints endpoints/restricted")]),
    component("endpointslice-controller", &[deed(WRITE, "endpointslices")]),
    component("endpointslicemirroring-controller", &[deed(WRITE, "endpointslices")]),
    component("ephemeral-volume-controller", &[deed("create", "persistentvolumeclaims")]),
    component("resource-claim-controller", &[deed(WRITE, "resourceclaims"), deed(CHANGE, "resourceclaims/status pods/status")]),
    component("attachdetach-controller", &[deed(WRITE, "volumeattachments"), deed(CHANGE, "volumeattachments/status nodes/status")]),
    component("persistent-volume-binder", &[
        deed("get", "secrets"),
        deed(WRITE, "persistentvolumes persistentvolumeclaims"),
        deed(CHANGE, "persistentvolumes/status persistentvolumeclaims/status"),
    ]),
    component("expand-controller", &[
        deed("get", "secrets"),
        deed(CHANGE, "persistentvolumes persistentvolumes/status persistentvolumeclaims persistentvolumeclaims/status"),
    ]),
    component("pv-protection-controller", &[deed(CHANGE, "persistentvolumes")]),
    component("pvc-protection-controller", &[deed(CHANGE, "persistentvolumeclaims")]),
    component("route-controller", &[deed(CHANGE, "nodes nodes/status")]),
    component("ttl-controller", &[deed(CHANGE, "nodes")]),
    component("service-controller", &[deed(CHANGE, "services services/status")]),
    component("service-cidrs-controller", &[deed(WRITE, "servicecidrs servicecidrs/status ipaddresses")]),
    component("selinux-warning-controller", &[]),
    component("validatingadmissionpolicy-status-controller", &[deed(CHANGE, "validatingadmissionpolicies/status")]),
    component("storage-version-migrator-controller", &[deed(CHANGE, "storageversionmigrations storageversionmigrations/status")]),
    component("storageversion-garbage-collector", &[deed(WRITE, "storageversions storageversions/status")]),
    component("volumeattributesclass-protection-controller", &[deed(CHANGE, "volumeattributesclasses")]),
    component("kube-apiserver-serving-clustertrustbundle-publisher", &[only(WRITE, "clustertrustbundles", Of::Called("kubernetes.io:*"))]),
];

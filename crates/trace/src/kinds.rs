//! Which kinds of objects hold templates of pods: those of Kubernetes, and of add-ons whose controllers make pods of them.
//!
//! Who may write one of them runs a pod as any service account of its namespace, with the rights of a controller that nobody
//! looks at. Sources: the definitions of OpenShift, OpenKruise, JobSet, LeaderWorkerSet, Argo Workflows and Events, Knative,
//! KubeVirt, Tekton, Kubeflow, KServe, Seldon, KubeRay, Spark, Volcano, KEDA, Prometheus, OpenTelemetry, GitHub's runners, the
//! Operator Lifecycle Manager, Open Cluster Management, Karmada, Crossplane, Agones, Flink, Shipwright, Devfile and Elastic.

/// The API group of roles and bindings.
pub const RBAC: &str = "rbac.authorization.k8s.io";

/// The API group in which OpenShift serves the same roles and bindings; reviews of rights stand in it as well.
pub const OPENSHIFT_RBAC: &str = "authorization.openshift.io";

/// Whether a request is about roles, bindings and what limits them, whoever serves them.
pub fn is_rbac(api_group: &str, resource: &str) -> bool {
    api_group == RBAC || (api_group == OPENSHIFT_RBAC && !resource.ends_with("reviews"))
}

/// Kinds of one API group, or of several that have the same kinds.
#[derive(Debug, Clone, Copy)]
pub struct Kinds {
    groups: &'static str,
    resources: &'static str,
    /// Whether other groups have kinds of these names that are not meant: then the group decides, else the name does.
    pub are_named_like_others: bool,
}

impl Kinds {
    /// Kinds that are known by the names of their resources. Groups and resources are separated by spaces; `core` is the
    /// group without a name, and `*` all resources of a group.
    pub const fn named(groups: &'static str, resources: &'static str) -> Self {
        Self { groups, resources, are_named_like_others: false }
    }

    /// Kinds whose names other groups have as well.
    pub const fn only_of(groups: &'static str, resources: &'static str) -> Self {
        Self { groups, resources, are_named_like_others: true }
    }

    /// The API groups; the core group is the empty text.
    pub fn groups(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.groups.split(' ').map(|group| if group == "core" { "" } else { group })
    }

    /// The resources; none when all are meant.
    pub fn resources(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.resources.split(' ').filter(|resource| *resource != "*")
    }

    /// Whether all resources of the groups are meant.
    pub fn is_whole_group(&self) -> bool {
        self.resources == "*"
    }
}

/// What makes pods.
#[rustfmt::skip]
pub const MAKERS: &[Kinds] = &[
    Kinds::named("core", "pods replicationcontrollers podtemplates"),
    Kinds::named("apps extensions", "deployments daemonsets replicasets"),
    Kinds::named("apps", "statefulsets"),
    Kinds::named("batch", "jobs cronjobs"),
    // Up to OpenShift 3 also of the group without a name.
    Kinds::named("apps.openshift.io core", "deploymentconfigs"),
    Kinds::only_of("build.openshift.io core", "buildconfigs"),
    // Of Shipwright too, whose kinds stand below.
    Kinds::only_of("build.openshift.io core shipwright.io", "builds"),
    Kinds::named("apps.kruise.io", "statefulsets daemonsets clonesets sidecarsets broadcastjobs advancedcronjobs uniteddeployments imagepulljobs ephemeraljobs"),
    Kinds::named("jobset.x-k8s.io", "jobsets"),
    Kinds::named("leaderworkerset.x-k8s.io", "leaderworkersets"),
    Kinds::named("argoproj.io", "rollouts workflows cronworkflows workflowtemplates clusterworkflowtemplates experiments analysistemplates clusteranalysistemplates sensors eventsources"),
    Kinds::only_of("serving.knative.dev", "services configurations"),
    Kinds::named("serving.knative.dev", "revisions"),
    Kinds::named("sources.knative.dev", "containersources"),
    Kinds::named("kubevirt.io", "virtualmachines virtualmachineinstances virtualmachineinstancereplicasets"),
    Kinds::named("pool.kubevirt.io", "virtualmachinepools"),
    Kinds::named("tekton.dev", "tasks clustertasks taskruns pipelines pipelineruns"),
    Kinds::named("triggers.tekton.dev", "triggertemplates eventlisteners"),
    Kinds::named("kubeflow.org", "pytorchjobs tfjobs mpijobs xgboostjobs paddlejobs jaxjobs notebooks scheduledworkflows"),
    Kinds::named("trainer.kubeflow.org", "trainjobs trainingruntimes clustertrainingruntimes"),
    Kinds::named("serving.kserve.io", "inferenceservices servingruntimes clusterservingruntimes"),
    Kinds::named("machinelearning.seldon.io", "seldondeployments"),
    Kinds::named("ray.io", "rayclusters rayjobs rayservices"),
    Kinds::named("sparkoperator.k8s.io", "sparkapplications scheduledsparkapplications"),
    Kinds::named("batch.volcano.sh", "jobs"),
    Kinds::named("keda.sh", "scaledjobs"),
    Kinds::named("monitoring.coreos.com", "prometheuses prometheusagents alertmanagers thanosrulers"),
    Kinds::named("opentelemetry.io", "opentelemetrycollectors"),
    Kinds::named("actions.github.com", "autoscalingrunnersets ephemeralrunnersets ephemeralrunners"),
    Kinds::named("actions.summerwind.dev", "runnerdeployments"),
    Kinds::named("operators.coreos.com", "clusterserviceversions"),
    Kinds::named("work.open-cluster-management.io", "manifestworks"),
    Kinds::only_of("work.karmada.io", "works"),
    Kinds::only_of("kubernetes.crossplane.io", "objects"),
    Kinds::only_of("agones.dev", "fleets"),
    Kinds::named("agones.dev", "gameservers gameserversets"),
    Kinds::named("flink.apache.org", "flinkdeployments flinksessionjobs"),
    Kinds::named("shipwright.io", "buildruns buildstrategies clusterbuildstrategies"),
    Kinds::named("workspace.devfile.io", "devworkspaces devworkspacetemplates"),
    Kinds::named("elasticsearch.k8s.elastic.co", "elasticsearches"),
];

/// Kinds that run their pods to their end, at their times or once, by the names of their resources.
pub const JOBS: &[&str] = &[
    "cronjobs",
    "jobs",
    "cronworkflows",
    "workflows",
    "scheduledworkflows",
    "advancedcronjobs",
    "broadcastjobs",
    "jobsets",
    "scheduledsparkapplications",
    "scaledjobs",
];

/// Every API group with every resource of it that makes pods.
pub fn makers() -> impl Iterator<Item = (&'static str, &'static str)> {
    MAKERS.iter().flat_map(|kinds| kinds.groups().flat_map(|group| kinds.resources().map(move |one| (group, one))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_jobs_makes_pods() {
        for job in JOBS {
            assert!(makers().any(|(_, kind)| kind == *job), "{job}");
        }
    }

    /// Else the conditions on such a name would exclude each other.
    #[test]
    fn a_name_that_others_have_stands_once() {
        let only = || MAKERS.iter().filter(|kinds| kinds.are_named_like_others);
        let mut names: Vec<_> = only().flat_map(Kinds::resources).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        let others = MAKERS.iter().filter(|kinds| !kinds.are_named_like_others);
        for name in others.flat_map(Kinds::resources) {
            assert!(!names.contains(&name), "{name}");
        }
    }

    #[test]
    fn a_pair_stands_once() {
        let mut all: Vec<_> = makers().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}

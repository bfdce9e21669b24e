-- Which kinds of objects hold templates of pods: those of Kubernetes, and of add-ons whose controllers make pods of them.

-- A privileged pod can be asked for in any of them, with the rights of a controller that nobody looks at. Where in an object the
-- templates stand is found by what they look like (`pod_template`). The list is one of names, so that a question opens the files
-- alone that hold them; a query says `resources = ["makes_pods()"]`.
-- Sources: the definitions of OpenShift, OpenKruise, JobSet, LeaderWorkerSet, Argo Workflows and Events, Knative, KubeVirt, Tekton,
-- Kubeflow, KServe, Seldon, KubeRay, Spark, Volcano, KEDA, Prometheus, OpenTelemetry, GitHub's runners, the Operator Lifecycle
-- Manager, Open Cluster Management, Karmada and Crossplane.
CREATE MACRO makes_pods(api_group, resource) AS resource IN (
        'pods', 'deployments', 'daemonsets', 'statefulsets', 'replicasets', 'replicationcontrollers', 'jobs',
        'cronjobs', 'podtemplates', 'deploymentconfigs', 'rollouts', 'builds', 'buildconfigs',
        'clonesets', 'sidecarsets', 'broadcastjobs', 'advancedcronjobs', 'uniteddeployments', 'imagepulljobs', 'ephemeraljobs',
        'jobsets', 'leaderworkersets',
        'workflows', 'cronworkflows', 'workflowtemplates', 'clusterworkflowtemplates', 'experiments', 'analysistemplates',
        'clusteranalysistemplates', 'sensors', 'eventsources',
        'services', 'configurations', 'revisions', 'containersources',
        'virtualmachines', 'virtualmachineinstances', 'virtualmachineinstancereplicasets', 'virtualmachinepools',
        'tasks', 'clustertasks', 'taskruns', 'pipelines', 'pipelineruns', 'triggertemplates', 'eventlisteners',
        'pytorchjobs', 'tfjobs', 'mpijobs', 'xgboostjobs', 'paddlejobs', 'jaxjobs', 'trainjobs', 'trainingruntimes',
        'clustertrainingruntimes', 'notebooks', 'scheduledworkflows', 'inferenceservices', 'servingruntimes',
        'clusterservingruntimes', 'seldondeployments',
        'rayclusters', 'rayjobs', 'rayservices', 'sparkapplications', 'scheduledsparkapplications', 'scaledjobs',
        'prometheuses', 'prometheusagents', 'alertmanagers', 'thanosrulers', 'opentelemetrycollectors',
        'autoscalingrunnersets', 'ephemeralrunnersets', 'ephemeralrunners', 'runnerdeployments',
        'clusterserviceversions', 'manifestworks', 'works', 'objects'
    )
    -- Names that others have as well.
    AND (resource NOT IN ('services', 'configurations', 'objects', 'works') OR api_group IN (
        'serving.knative.dev', 'kubernetes.crossplane.io', 'work.karmada.io'
    ))
    -- Up to OpenShift 3 also of the group without a name.
    AND (resource NOT IN ('builds', 'buildconfigs') OR coalesce(api_group, 'build.openshift.io') = 'build.openshift.io');

-- Whether a kind runs its pods to their end, at its times or once: CronJobs, Jobs and what add-ons have in their place.
CREATE MACRO runs_jobs(resource) AS resource IN (
    'cronjobs', 'jobs', 'cronworkflows', 'workflows', 'scheduledworkflows', 'advancedcronjobs', 'broadcastjobs', 'jobsets',
    'scheduledsparkapplications', 'scaledjobs'
);

-- What is asked of an object beside writing it, by which it makes pods: OpenShift starts builds and deployments so.
CREATE MACRO starts_pods(subresource) AS coalesce(
    subresource IN ('instantiate', 'instantiatebinary', 'clone', 'rollback', 'webhooks'), false
);

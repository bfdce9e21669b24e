-- What an object gives whom who writes it: of Kubernetes and distributions by its name, of add-ons by its group as well.

-- A GitOps tool applies what a repository holds, a store of secrets hands out what a vault holds, a backup copies what a namespace
-- holds, a machine's configuration is written to its disk: each with the rights of its controller, not of who asked for it.
-- Sources: documentation of Argo CD, Flux, the Operator Lifecycle Manager, Crossplane, Fleet, Carvel, External Secrets, the Secrets
-- Store CSI driver, cert-manager, Velero, OpenShift's machine configuration and API server, TuneD, Cluster API, Karpenter, Rancher and
-- its upgrade controller, Istio and the Gateway API.
CREATE MACRO add_on(api_group, resource) AS CASE
    WHEN is_built_in(api_group) THEN NULL
    WHEN api_group = 'argoproj.io' AND resource IN ('applications', 'applicationsets', 'appprojects') THEN 'delivery'
    WHEN ends_with(api_group, '.toolkit.fluxcd.io') AND resource IN (
        'gitrepositories', 'ocirepositories', 'helmrepositories', 'buckets', 'kustomizations', 'helmreleases'
    ) THEN 'delivery'
    WHEN api_group = 'operators.coreos.com' AND resource IN ('subscriptions', 'catalogsources', 'installplans')
        OR api_group = 'olm.operatorframework.io' AND resource IN ('clusterextensions', 'clustercatalogs') THEN 'delivery'
    WHEN api_group = 'pkg.crossplane.io' AND resource IN ('providers', 'configurations', 'functions') THEN 'delivery'
    WHEN api_group = 'fleet.cattle.io' AND resource IN ('gitrepos', 'bundles')
        OR api_group = 'catalog.cattle.io' AND resource = 'clusterrepos' THEN 'delivery'
    WHEN api_group IN ('kappctrl.k14s.io', 'packaging.carvel.dev')
        AND resource IN ('apps', 'packageinstalls', 'packagerepositories') THEN 'delivery'
    WHEN api_group IN ('external-secrets.io', 'secrets-store.csi.x-k8s.io', 'secrets.hashicorp.com') THEN 'store'
    WHEN api_group = 'cert-manager.io' AND resource IN ('issuers', 'clusterissuers') THEN 'certificate'
    WHEN api_group = 'velero.io'
        AND resource IN ('backups', 'restores', 'downloadrequests', 'backupstoragelocations') THEN 'backup'
    WHEN api_group = 'snapshot.storage.k8s.io' AND resource IN ('volumesnapshots', 'volumesnapshotcontents') THEN 'backup'
    WHEN api_group = 'machineconfiguration.openshift.io'
        AND resource IN ('machineconfigs', 'kubeletconfigs', 'containerruntimeconfigs') THEN 'machine'
    WHEN api_group = 'tuned.openshift.io' AND resource = 'tuneds'
        OR api_group = 'upgrade.cattle.io' AND resource = 'plans' THEN 'machine'
    WHEN api_group = 'bootstrap.cluster.x-k8s.io' AND resource = 'kubeadmconfigtemplates'
        OR api_group = 'controlplane.cluster.x-k8s.io' AND resource = 'kubeadmcontrolplanes' THEN 'machine'
    WHEN starts_with(api_group, 'karpenter.')
        AND resource IN ('nodepools', 'ec2nodeclasses', 'aksnodeclasses', 'gcenodeclasses') THEN 'machine'
    WHEN api_group = 'management.cattle.io' AND resource IN (
        'globalrolebindings', 'clusterroletemplatebindings', 'projectroletemplatebindings', 'globalroles', 'roletemplates', 'tokens'
    ) THEN 'identity'
    WHEN api_group = 'networking.istio.io' AND resource = 'envoyfilters' THEN 'mesh'
    WHEN api_group = 'extensions.istio.io' AND resource = 'wasmplugins' THEN 'mesh'
    WHEN api_group = 'gateway.networking.k8s.io' AND resource = 'referencegrants' THEN 'mesh'
    WHEN api_group = 'config.openshift.io'
        AND resource IN ('imagedigestmirrorsets', 'imagetagmirrorsets', 'imagecontentpolicies')
        OR api_group = 'operator.openshift.io' AND resource = 'imagecontentsourcepolicies' THEN 'delivery'
    WHEN api_group IN ('config.openshift.io', 'operator.openshift.io')
        AND resource IN ('apiservers', 'kubeapiservers') THEN 'audit'
END;

-- Whether a resource of Kubernetes or a distribution hands out devices, nodes, identities or trust: by its name, and where add-ons have
-- kinds of that name (users of databases, groups of clouds, nodes of Longhorn) by its group too.
CREATE MACRO is_sensitive(api_group, resource) AS (resource IN (
    'persistentvolumes', 'storageclasses', 'csidrivers', 'apiservices', 'customresourcedefinitions', 'clustertrustbundles',
    'podcertificaterequests', 'securitycontextconstraints', 'podsecuritypolicies', 'oauthclients', 'oauthclientauthorizations', 'oauths',
    'oauthaccesstokens', 'oauthauthorizetokens', 'users', 'groups', 'identities', 'useridentitymappings', 'helmcharts',
    'helmchartconfigs', 'resourceclaims', 'resourceclaimtemplates', 'deviceclasses', 'nodes', 'runtimeclasses', 'podpresets',
    'auditsinks', 'serviceaccounts'
)) IS TRUE AND CASE
    WHEN resource IN ('nodes', 'persistentvolumes', 'serviceaccounts') THEN is_core(api_group)
    WHEN resource IN ('users', 'groups', 'identities') THEN coalesce(api_group, '') IN ('', 'user.openshift.io', 'management.cattle.io')
    ELSE true
END;

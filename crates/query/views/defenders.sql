-- What watches the cluster at run time, ships its logs or refuses objects, by its makers' names, and how a write takes it away.

-- Sources: the charts and manifests of Falco, Tetragon, Tracee, KubeArmor, Sysdig, Datadog, Prisma Cloud, Aqua, StackRox, NeuVector,
-- CrowdStrike, Wazuh, Elastic, Lacework, Microsoft Defender, Kubescape, SentinelOne, Wiz, Trend Micro, Uptycs, Deepfence,
-- Tenable, Qualys, osquery, Fluent Bit, Fluentd, Vector, Promtail, Filebeat, Gatekeeper, Kyverno and OPA. The name is the
-- victim's: who attacks cannot choose another.
CREATE MACRO is_defender(name) AS coalesce(regexp_matches(
    lower(name),
    '(^|[-.])(falco|falcosidekick|tetragon|tracee|kubearmor|sysdig|twistlock|aqua|aquasec|stackrox|neuvector|falcon|crowdstrike'
    || '|wazuh|auditbeat|osquery|lacework|sentinelone|s1-agent|s1-helper|wiz|trendmicro|trivy-operator|uptycs|deepfence|tenable|qualys'
    || '|datadog|fluent-bit|fluentbit|fluentd|vector-agent|promtail|filebeat|elastic-agent|gatekeeper|kyverno|opa|kubewarden'
    || '|kubescape|kubeshark-detector|threatmapper|runecast|calico-kube-defender)([-.]|$)'
    || '|microsoft-defender|(^|-)(enforcer|defender)-?(ds|pod)?$'
), false);

-- What a node selector may ask for without leaving nodes out.
CREATE MACRO selects_nodes(parts) AS len(list_filter(
    json_members(json_members(json_members(json_members(parts, 'spec'), 'template'), 'spec'), 'nodeSelector'),
    lambda selector: len(list_filter(
        coalesce(json_keys(selector), []), lambda label: NOT regexp_matches(label, '^(beta\.)?kubernetes\.io/(os|arch)$')
    )) > 0
)) > 0;

-- How a write takes a defender away; NULL when it does not, or when what was written before is not known.
CREATE MACRO defender_weakened(verb, subresource, request, parts) AS CASE
    WHEN verb IN ('delete', 'deletecollection') THEN 'defender deleted'
    WHEN request IS NULL AND subresource = 'scale' THEN 'defender scaled'
    WHEN request IS NULL THEN 'defender changed'
    WHEN stops_pods(verb, parts) IS NOT NULL THEN 'defender ' || stops_pods(verb, parts)
    WHEN subresource = 'scale' THEN NULL
    WHEN selects_nodes(parts) OR patch_sets(request, '^/spec/template/spec/(nodeSelector|affinity)')
        OR verb = 'patch' AND len(json_members(
            json_members(json_members(json_members(parts, 'spec'), 'template'), 'spec'), 'affinity')) > 0
    THEN 'defender sent from its nodes'
    WHEN verb = 'patch' AND (
        len(json_members(json_members(json_members(parts, 'spec'), 'template'), 'spec')) > 0
        OR patch_sets(request, '^/spec/template/spec(/|$)')
    ) THEN 'defender changed'
END;

-- What backups and snapshots lose: T1490. Velero deletes by a request of its own.
CREATE MACRO backup_lost(verb, resource, parts) AS CASE
    WHEN resource = 'deletebackuprequests' THEN CASE verb WHEN 'create' THEN 'backup deleted' END
    WHEN verb IN ('delete', 'deletecollection') THEN 'backup deleted'
    WHEN resource IN ('schedules', 'backupschedules')
        AND len(list_filter(json_members(json_members(parts, 'spec'), 'paused'), lambda paused: paused::VARCHAR = 'true')) > 0
        THEN 'backups paused'
END;

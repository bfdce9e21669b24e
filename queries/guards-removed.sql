-- title = "Guards that were removed or weakened"
-- question = """
-- Who deleted or weakened network policies, disruption budgets, quotas, limits, admission policies, webhooks, Pod \
-- Security labels, sensors such as Falco, backups, or the kinds of all these, or made network policies that let everything \
-- through and namespaces that refuse nothing?"""
-- group = "evasion"
-- words = ["networkpolicy", "pdb", "quota", "protection", "disable", "falco", "sensor", "agent", "backup", "snapshot"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1562.001", "T1562.007", "T1490"]
-- needs = [
--     {
--         resource = ["networkpolicies", "resourcequotas", "limitranges", "poddisruptionbudgets",
--             "validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
--         verbs = ["delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         resource = ["networkpolicies", "namespaces"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "guards that were weakened",
--     },
--     {
--         resource = ["daemonsets", "deployments", "statefulsets"],
--         verbs = ["update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--         tells = "sensors and shippers that were taken away",
--     },
--     {
--         resource = ["daemonsets", "deployments", "statefulsets"],
--         verbs = ["update", "patch"],
--         level = "Request",
--         tells = "how sensors were changed; each change is shown without",
--     },
-- ]
-- caveat = "policies of add-ons such as Cilium, Kyverno, Gatekeeper and Velero only where their groups are logged"
-- noise = """
-- Removal and updates of applications that bring guards of their own, of sensors too, charts whose network policies let \
-- everything out, who tunes budgets, quotas and webhooks, and backups that expire. A Pod Security label is held against what the log showed of it before; where it \
-- showed none, `privileged` counts, and namespaces that are made so are told. Left out unless `-p own=true`: the cluster's own work."""
--
-- [[examples]]
-- log = "workloads"
-- rows = 22
--
-- [[examples]]
-- log = "production"
-- rows = 3
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
WITH guards AS (
    -- What has a name here apart from what only its group tells: with one condition on both every body would be read.
    SELECT * FROM requests WHERE is_of_guards(api_group)
    UNION ALL
    SELECT * FROM requests
    WHERE NOT is_of_guards(api_group) AND (
        is_guard_by_name(api_group, resource)
        OR is_backup(api_group, resource)
        -- Whoever deletes a kind deletes all that there is of it, and what served it.
        OR resource IN ('customresourcedefinitions', 'apiservices')
            AND (verb = 'deletecollection' OR serves_guards(substr(name, instr(name, '.') + 1)))
        -- All of a namespace at once names none of them.
        OR resource IN ('daemonsets', 'deployments', 'statefulsets') AND (
            is_defender(name) OR verb = 'deletecollection' AND is_defender(namespace))
    )
),
writes AS (
    SELECT
        *, CASE WHEN resource = 'namespaces' THEN name END AS namespace_written,
        body_parts(json_body(request_object)) AS parts, json_body(request_object) AS request,
        is_by_hand(user_name, user_groups, impersonated_user, user_agent) AS by_hand,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM guards
    -- What is made weakens as well: an exception, and a network policy that lets everything in, for such policies add up. A
    -- namespace that is made can have been one before, or lets in what others refuse.
    WHERE (verb IN ('update', 'patch', 'delete', 'deletecollection')
        OR verb = 'create' AND (resource IN ('policyexceptions', 'deletebackuprequests') OR contains(resource, 'networkpolic')
            OR api_group = 'config.gatekeeper.sh' OR resource = 'namespaces' AND outcome <> 'failed'))
      -- The labels of a namespace can be written with its status and its finalizers.
      AND (coalesce(subresource, '') IN ('', 'scale') OR resource = 'namespaces' AND subresource IN ('status', 'finalize'))
      AND filters() AND not_own()
),
-- The labels of namespaces, as each write that was allowed left them, and each answer about one showed them.
labelled AS MATERIALIZED (
    SELECT
        coalesce(cluster, '') AS of_cluster, name AS of_name, event_time AS told_at, verb AS told_verb,
        concat_ws(' ', user_name, uri_values(request_uri, 'fieldManager')[1]) AS manager,
        json_body(request_object) AS request, json_body(response_object) AS response, body_parts(json_body(request_object)) AS parts
    FROM requests
    WHERE resource = 'namespaces' AND is_core(api_group) AND name IS NOT NULL AND outcome = 'allowed'
      AND verb IN ('get', 'create', 'update', 'patch') AND coalesce(subresource, '') IN ('', 'status', 'finalize')
      AND (request_object IS NOT NULL OR response_object IS NOT NULL)
      AND dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) IS NOT TRUE
),
known AS MATERIALIZED (
    SELECT of_cluster, of_name, told_at, manager, told_verb, pod_security_left(told_verb, request, response, parts, false) AS level_before
    FROM labelled
    WHERE level_before IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY of_cluster, of_name, told_at ORDER BY level_before, manager, told_verb) = 1
),
compared AS (
    SELECT
        *,
        pod_security_left(
            verb, request, json_body(response_object), parts,
            told_verb <> 'get' AND manager = concat_ws(' ', user_name, uri_values(request_uri, 'fieldManager')[1])
        ) AS level_left
    FROM writes
    ASOF LEFT JOIN known
        ON coalesce(cluster, '') = of_cluster AND namespace_written = of_name AND event_time > told_at
),
-- Materialized, or a condition on what was found is planned and asked as a second copy of it.
found AS MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN resource IN ('daemonsets', 'deployments', 'statefulsets')
                THEN defender_weakened(verb, subresource, request_object, parts)
            WHEN subresource = 'scale' THEN NULL
            WHEN is_backup(api_group, resource) THEN backup_lost(verb, resource, parts)
            WHEN resource = 'namespaces' AND verb = 'delete' AND is_defender(name) THEN 'namespace of a defender deleted'
            WHEN resource IN ('customresourcedefinitions', 'apiservices')
                THEN CASE WHEN starts_with(verb, 'delete') THEN 'deleted with all of its kind' END
            WHEN verb IN ('update', 'patch') AND regexp_matches(resource, '^(tracingpolic|kubearmor)') THEN 'changed'
            -- What was known before decides, where the log has it: a level that stays what it was is no news.
            WHEN resource = 'namespaces' AND pod_security_rank(level_left) < pod_security_rank(level_before)
                THEN CASE level_left WHEN '' THEN 'Pod Security label removed' ELSE 'Pod Security lowered to ' || level_left END
            ELSE nullif(
                guard_weakened(verb, resource, api_group, request, parts, by_hand),
                CASE WHEN level_left = 'privileged' AND level_before = 'privileged' THEN 'Pod Security set to privileged' END
            )
        END AS removal
    FROM compared
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, removal,
    deleted_of(verb, outcome, dry_run, response_object) AS deleted,
    outcome, status_code, dry_run, source_ip, user_agent, audit_id, cluster
FROM found
WHERE removal IS NOT NULL AND NOT (resource = 'namespaces' AND removal = 'deleted')
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

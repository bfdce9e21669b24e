-- title = "Guards that were removed or weakened"
-- question = """
-- Who deleted or weakened network policies, disruption budgets, quotas, limits, admission policies, webhooks, Pod \
-- Security labels, sensors such as Falco, or backups, or made network policies that let everything through?"""
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
--         verbs = ["update", "patch"],
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
-- everything out, who tunes budgets, quotas and webhooks, and backups that expire. Left out unless `-p own=true`: the cluster's own work."""
--
-- [[examples]]
-- log = "workloads"
-- rows = 21
--
-- [[examples]]
-- log = "production"
-- rows = 3
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
WITH writes AS (
    SELECT
        *, body_parts(json_body(request_object)) AS parts, json_body(request_object) AS request,
        is_by_hand(user_name, user_groups, impersonated_user, user_agent) AS by_hand,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM (
        -- What has a name here apart from what only its group tells: with one condition on both every body would be read.
        SELECT * FROM requests WHERE is_of_guards(api_group)
        UNION ALL
        SELECT * FROM requests
        WHERE NOT is_of_guards(api_group) AND (
            is_guard_by_name(api_group, resource)
            OR is_backup(api_group, resource)
            -- All of a namespace at once names none of them.
            OR resource IN ('daemonsets', 'deployments', 'statefulsets') AND (
                is_defender(name) OR verb = 'deletecollection' AND is_defender(namespace))
        )
    )
    -- What is made weakens as well: an exception, and a network policy that lets everything in, for such policies add up.
    WHERE (verb IN ('update', 'patch', 'delete', 'deletecollection')
        OR verb = 'create' AND (resource IN ('policyexceptions', 'deletebackuprequests') OR contains(resource, 'networkpolic')))
      AND coalesce(subresource, '') IN ('', 'scale')
      AND filters() AND not_own()
),
found AS (
    SELECT
        *,
        CASE
            WHEN resource IN ('daemonsets', 'deployments', 'statefulsets')
                THEN defender_weakened(verb, subresource, request_object, parts)
            WHEN subresource = 'scale' THEN NULL
            WHEN is_backup(api_group, resource) THEN backup_lost(verb, resource, parts)
            WHEN resource = 'namespaces' AND verb = 'delete' AND is_defender(name) THEN 'namespace of a defender deleted'
            WHEN verb IN ('update', 'patch') AND regexp_matches(resource, '^(tracingpolic|kubearmor)') THEN 'changed'
            ELSE guard_weakened(verb, resource, api_group, request, parts, by_hand)
        END AS removal
    FROM writes
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, removal,
    CASE
        WHEN outcome IN ('denied', 'failed') OR dry_run THEN 0
        WHEN verb = 'delete' AND outcome = 'allowed' AND dry_run IS NOT NULL THEN 1
        WHEN verb = 'deletecollection' AND json_type(json_member(json_body(response_object), 'items')) = 'ARRAY'
            THEN len(json_items([json_body(response_object)], 'items'))
    END AS deleted,
    outcome, status_code, dry_run, source_ip, user_agent, audit_id, cluster
FROM found
WHERE removal IS NOT NULL AND NOT (resource = 'namespaces' AND removal = 'deleted')
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

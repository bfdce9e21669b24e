-- title = "Pods that were placed or evicted, and who comes first"
-- question = """
-- Who put pods on nodes past the scheduler, evicted them, changed priorities of pods and of requests, allowed none by a \
-- quota, or took a lease from its leader, which can starve others: the audit, the defenders?"""
-- group = "impact"
-- words = ["binding", "eviction", "scheduler", "priorityclass", "flowschema", "starve", "denial of service", "quota", "lease", "leader"]
-- further = ["mass-deletions", "throttled"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1499", "T1489", "T1562.001"]
-- resources = ["pods", "bindings", "priorityclasses", "flowschemas", "prioritylevelconfigurations", "resourcequotas", "leases"]
-- needs = [
--     { resource = "pods", subresource = ["binding", "eviction"], verbs = ["create"], level = "Metadata" },
--     {
--         resource = ["priorityclasses", "flowschemas", "prioritylevelconfigurations"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         resource = ["priorityclasses", "flowschemas", "prioritylevelconfigurations"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "what comes first",
--     },
--     {
--         resource = "leases",
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--         tells = "leases that were taken by hand",
--     },
--     { resource = "pods", verbs = ["create"], level = "Request", tells = "pods that name their node themselves" },
--     { resource = "resourcequotas", verbs = ["create", "update", "patch"], level = "Request", tells = "quotas of nothing" },
-- ]
-- noise = """
-- Nodes that are drained, by people and autoscalers, schedulers of add-ons, and charts that bring a priority class. Left out \
-- unless `-p own=true`: the scheduler's bindings and what the API server keeps; and always: leases that a client renews as \
-- leaders do, in a name of its own, and that nobody else renews."""
--
-- [[examples]]
-- log = "workloads"
-- rows = 15
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
WITH shared AS (
    -- Leases that several renew. From all of the case: the leader may have been one before.
    SELECT coalesce(cluster, '') AS of_cluster, namespace, name FROM requests
    WHERE resource = 'leases' AND is_write(verb) AND outcome = 'allowed'
    GROUP BY ALL HAVING min(user_name) <> max(user_name)
),
renewals AS (
    SELECT
        event_time, audit_id, user_name,
        lag(user_name) OVER (
            PARTITION BY cluster, namespace, name ORDER BY event_time, audit_id, request_uri, source_ip
        ) AS taken_from
    FROM requests SEMI JOIN shared
        ON of_cluster = coalesce(cluster, '') AND shared.namespace = requests.namespace AND shared.name = requests.name
    WHERE resource = 'leases' AND is_write(verb) AND outcome = 'allowed'
),
taken AS (
    -- The first renewal of another in a row: by that a lease is taken, however the client calls itself.
    SELECT event_time, audit_id, user_name, any_value(taken_from) AS taken_from
    FROM renewals WHERE taken_from <> user_name GROUP BY ALL
),
found AS (
    SELECT all_found.*, taken_from
    FROM (
        SELECT * FROM requests
        WHERE resource = 'pods' AND is_core(api_group) AND subresource IN ('binding', 'eviction') AND verb = 'create'
            OR resource = 'bindings' AND is_core(api_group) AND verb = 'create'
            -- Which names its node itself passes no scheduler.
            OR resource = 'pods' AND is_core(api_group) AND coalesce(subresource, '') = '' AND verb = 'create'
                AND contains(request_object, '"nodeName"')
            OR resource IN ('priorityclasses', 'flowschemas', 'prioritylevelconfigurations') AND coalesce(subresource, '') = ''
                AND is_write_or_delete(verb)
            OR resource = 'leases' AND verb IN ('create', 'update', 'patch')
                AND writes_lease_by_hand(user_name, user_groups, impersonated_user, user_agent)
            -- A leader gives its lease back by a write.
            OR resource = 'leases' AND verb IN ('delete', 'deletecollection')
            OR resource = 'resourcequotas' AND is_core(api_group) AND coalesce(subresource, '') = '' AND verb IN ('create', 'update', 'patch')
                AND request_object IS NOT NULL
        UNION ALL
        SELECT * FROM requests SEMI JOIN taken USING (event_time, audit_id, user_name)
        WHERE resource = 'leases' AND NOT writes_lease_by_hand(user_name, user_groups, impersonated_user, user_agent)
    ) AS all_found
    LEFT JOIN taken USING (event_time, audit_id, user_name)
),
writes AS (
    SELECT
        *, body_parts(json_body(request_object)) AS parts,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM found
    WHERE filters() AND not_own()
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, subresource, namespace,
    coalesce(name, json_texts(json_members(json_members(parts, 'metadata'), 'name'))[1]) AS name,
    CASE
        WHEN resource = 'resourcequotas' THEN 'none of ' || array_to_string(nothing_of(parts), ', ')
        WHEN resource = 'pods' AND coalesce(subresource, '') = ''
            THEN 'put on ' || json_texts(json_members(json_members(parts, 'spec'), 'nodeName'))[1]
        WHEN subresource = 'eviction' THEN 'evicted'
        WHEN subresource = 'binding' OR resource = 'bindings'
            THEN 'put on ' || coalesce(json_texts(json_members(json_members(parts, 'target'), 'name'))[1], 'a node')
        WHEN verb IN ('delete', 'deletecollection') THEN 'deleted'
        WHEN resource = 'leases' THEN concat_ws(', ', coalesce(
            'lease of ' || json_texts(json_members(json_members(parts, 'spec'), 'holderIdentity'))[1], 'lease changed'),
            'taken from ' || taken_from)
        ELSE coalesce(nullif(concat_ws(
            ', ',
            'priority ' || json_members(parts, 'value')[1]::VARCHAR,
            CASE WHEN list_contains(list_transform(json_members(parts, 'globalDefault'), lambda flag: flag::VARCHAR), 'true')
                THEN 'of all pods' END,
            'precedence ' || json_members(json_members(parts, 'spec'), 'matchingPrecedence')[1]::VARCHAR,
            'level ' || json_texts(json_members(
                json_members(json_members(parts, 'spec'), 'priorityLevelConfiguration'), 'name'))[1],
            json_texts(json_members(json_members(parts, 'spec'), 'type'))[1],
            'shares ' || (json_members(json_members(json_members(parts, 'spec'), 'limited'), 'nominalConcurrencyShares')
                || json_members(json_members(json_members(parts, 'spec'), 'limited'), 'assuredConcurrencyShares'))[1]::VARCHAR
        ), ''), 'changed')
    END AS what,
    outcome, status_code, dry_run, source_ip, user_agent, audit_id, cluster
FROM writes
WHERE what IS NOT NULL AND (resource <> 'resourcequotas' OR len(nothing_of(parts)) > 0)
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

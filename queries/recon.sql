-- title = "Somebody looks around"
-- question = """
-- Who listed several of namespaces, nodes, pods, roles, bindings, service accounts, config maps and secrets within \
-- a minute?"""
-- group = "discovery"
-- words = ["scan", "discovery", "look around"]
-- further = ["enumeration", "permission-checks"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1613", "T1087", "T1069.003"]
-- needs = [
--     {
--         resource = ["namespaces", "nodes", "pods", "roles", "rolebindings", "clusterroles",
--             "clusterrolebindings", "serviceaccounts", "configmaps", "secrets"],
--         verbs = ["get", "list"],
--         level = "Metadata",
--     },
-- ]
-- noise = """
-- Dashboards, IDEs and monitoring list many kinds when they start. The cluster's own components are left out \
-- unless `-p own=true`."""
--
-- [[parameters]]
-- name = "minimum"
-- type = "integer"
-- default = 3
-- meaning = "kinds before a look around is shown"
--
-- [[parameters]]
-- name = "seconds"
-- type = "integer"
-- default = 60
-- meaning = "length of a look around"
--
-- [[examples]]
-- log = "hardened"
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--until", "2026-11-21T20:37:37"]
-- rows = 0
WITH asked AS (
    SELECT
        *, coalesce(user_name, 'nobody from ' || source_ip) AS who, resource AS target, NULL::VARCHAR AS other
    FROM (
        SELECT
            event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user, resource, subresource,
            api_group, namespace, name, outcome, source_ip, source_ips, user_agent, cluster, host
        FROM requests
        WHERE verb = 'list'
          AND (
              resource IN ('namespaces', 'nodes', 'pods', 'serviceaccounts', 'configmaps', 'secrets') AND is_core(api_group)
              OR resource IN ('roles', 'rolebindings', 'clusterroles', 'clusterrolebindings') AND is_rbac(api_group, resource)
          )
    )
    WHERE in_window() AND not_own()
)
SELECT
    burst, any_value(user_name) FILTER (shared_ip IS NULL) AS user_name,
    CASE WHEN shared_ip IS NOT NULL THEN tidy(list(user_name)) END AS users,
    tidy(list(source_ip)) AS source_ips, tidy(list(user_agent)) AS user_agents,
    count(DISTINCT resource) AS kinds, list_sort(list_distinct(list(resource))) AS resources,
    list_sort(list_distinct(list(coalesce(namespace, '*')))) AS namespaces,
    count(*) AS requests, count_of(outcome, 'denied') AS denied,
    min(event_time) AS first_seen, max(event_time) AS last_seen, cluster
FROM (SELECT *, filters() AS is_asked FROM bursts_of('asked', to_seconds($seconds::INTEGER), $minimum, NULL))
GROUP BY burst, who, shared_ip, cluster
HAVING bool_or(is_asked)
ORDER BY last_seen, burst, who NULLS LAST, shared_ip NULLS FIRST, cluster NULLS FIRST

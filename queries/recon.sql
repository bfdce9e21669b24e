-- title = "Somebody looks around"
-- question = """
-- Who listed several of namespaces, nodes, pods, roles, bindings, service accounts, config maps and secrets within \
-- a minute?"""
-- group = "discovery"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1613", "T1087", "T1069.003"]
-- resources = [
--     "namespaces", "nodes", "pods", "roles", "rolebindings", "clusterroles", "clusterrolebindings",
--     "serviceaccounts", "configmaps", "secrets",
-- ]
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
-- unless `-p platform=true`."""
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
-- [[parameters]]
-- name = "platform"
-- type = "boolean"
-- default = false
-- meaning = "also show the cluster's own components and operators"
--
-- [[examples]]
-- log = "hardened"
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--until", "2026-11-21T20:37:37"]
-- rows = 0
SELECT
    time_bucket(to_seconds($seconds::INTEGER), event_time) AS burst, user_name, source_ip, user_agent,
    count(DISTINCT resource) AS kinds, list_sort(list_distinct(list(resource))) AS resources,
    list_sort(list_distinct(list(coalesce(namespace, '*')))) AS namespaces,
    count(*) AS requests, count(*) FILTER (outcome = 'denied') AS denied,
    min(event_time) AS first_seen, max(event_time) AS last_seen
FROM requests
WHERE filters()
  AND verb = 'list'
  AND resource IN (
      'namespaces', 'nodes', 'pods', 'roles', 'rolebindings', 'clusterroles', 'clusterrolebindings',
      'serviceaccounts', 'configmaps', 'secrets'
  )
  AND ($platform::BOOLEAN OR NOT is_platform(user_name))
GROUP BY burst, user_name, source_ip, user_agent
HAVING count(DISTINCT resource) >= $minimum
ORDER BY last_seen, burst, user_name NULLS FIRST, source_ip NULLS FIRST, user_agent NULLS FIRST

-- title = "Secrets read by service accounts and nodes"
-- question = "Which secrets did service accounts and nodes read, or try to, from which pods and addresses?"
-- group = "access"
-- variant_of = "secret-reads"
-- view = "service-accounts"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1552.007", "T1528"]
-- resources = ["secrets"]
-- needs = [{ resource = "secrets", verbs = ["get", "list", "watch"], level = "Metadata" }]
-- caveat = "pods and nodes need bound tokens"
-- noise = """
-- Applications that read their own configuration, pipelines and GitOps. Nodes, controllers and operators do it all \
-- the time: left out unless `-p own=true`."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 6
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 0
SELECT
    user_name, verb, namespace, name, count(*) AS requests, count_of(outcome, 'allowed') AS allowed,
    count_of(outcome, 'denied') AS denied,
    coalesce(list(DISTINCT pod_name ORDER BY pod_name) FILTER (WHERE pod_name IS NOT NULL), []) AS pods,
    coalesce(list(DISTINCT node_name ORDER BY node_name) FILTER (WHERE node_name IS NOT NULL), []) AS nodes,
    list_sort(list_distinct(list(source_ip))) AS source_ips, list_sort(list_distinct(list(user_agent))) AS user_agents,
    min(event_time) AS first_seen, max(event_time) AS last_seen, cluster
FROM secret_access
WHERE filters()
  AND verb NOT IN ('create', 'update')
  AND regexp_matches(effective_user, '^system:(serviceaccount|node):')
  AND not_own()
GROUP BY user_name, verb, namespace, name, cluster
ORDER BY last_seen, user_name NULLS FIRST, verb, namespace NULLS FIRST, name NULLS FIRST, cluster NULLS FIRST

-- title = "Tools of attackers, and scripts at secrets"
-- question = "Who used a tool that attackers use, or a scripting client on secrets, tokens or RBAC?"
-- group = "discovery"
-- words = ["hacking", "kube-hunter", "peirates", "scanner"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1613", "T1552.007"]
-- needs = [{ level = "Metadata" }]
-- caveat = "a client chooses its user agent, so none of this proves that nothing happened"
-- noise = """
-- Applications that read their configuration with the client library of their language (Java, Python, Node) are \
-- scripting clients. Security scanners of your own are among the tools. The cluster's own components are left out \
-- unless `-p own=true`."""
--
-- [[parameters]]
-- name = "everything"
-- type = "boolean"
-- default = false
-- meaning = "also show what scripting clients asked of other resources"
--
-- [[examples]]
-- log = "hardened"
-- rows = 5
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "alice"]
-- rows = 0
WITH asked AS NOT MATERIALIZED (
    SELECT
        event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user, resource, subresource,
        api_group, namespace, name, outcome, source_ip, source_ips, user_agent, cluster, host
    FROM requests
    WHERE filters()
),
-- The patterns are asked of every different agent, once: what is asked of a key, DuckDB asks of every row first.
agents AS (SELECT any_value(user_agent) AS user_agent FROM asked GROUP BY asked.user_agent),
kinds AS (
    SELECT user_agent, client_kind(user_agent) AS kind FROM agents
    WHERE kind IS NOT NULL
)
SELECT
    kind, user_agent, user_name, source_ip, count(*) AS requests, count_of(outcome, 'allowed') AS allowed,
    count_of(outcome, 'denied') AS denied,
    list_sort(list_distinct(list(
        action_of(verb, resource, subresource, regexp_replace(request_uri, '[?].*$', ''))
    ))) AS actions,
    min(event_time) AS first_seen, max(event_time) AS last_seen, cluster
FROM asked
JOIN kinds USING (user_agent)
WHERE (
        kind = 'tool'
        OR kind = 'script' AND (
            resource = 'secrets' OR subresource = 'token' OR is_rbac(api_group, resource)
            OR $everything::BOOLEAN
        )
    )
    AND not_own()
GROUP BY kind, user_agent, user_name, source_ip, cluster
ORDER BY last_seen, user_agent, user_name NULLS FIRST, source_ip NULLS FIRST, cluster NULLS FIRST

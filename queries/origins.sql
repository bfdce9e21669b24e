-- title = "From where and with what each identity came"
-- question = "From which addresses and with which clients did each user come, through which grants, and since when?"
-- group = "identity"
-- words = ["new address", "elsewhere", "where from", "location", "ip", "agent", "client"]
-- further = ["first-seen", "credential-sharing"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1078"]
-- claimed = "forwarded_for"
-- needs = [{ level = "Metadata" }]
-- noise = """
-- This is an account, not a detection. A new address and a new client at once are worth a look; either alone comes \
-- with every upgrade and every lease of an address."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 37
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
WITH alike AS (
    -- What is costly is asked of kinds of requests, which are few.
    SELECT
        cluster, user_name, user_groups, impersonated_user, source_ip, forwarded_for(source_ips) AS forwarded_for, user_agent, verb, api_group, resource, subresource, namespace,
        name, decision_reason, count(*) AS requests, count_of(outcome, 'denied') AS denied,
        min(event_time) AS first_seen, max(event_time) AS last_seen
    FROM requests
    WHERE filters()
    GROUP BY
        cluster, user_name, user_groups, impersonated_user, source_ip, forwarded_for, user_agent, verb, api_group, resource, subresource, namespace,
        name, decision_reason
),
granted AS (
    SELECT
        cluster, user_name, source_ip, forwarded_for, user_agent, requests, denied, first_seen, last_seen,
        is_own(cluster, user_name, user_groups, impersonated_user, source_ip, user_agent, verb, api_group, resource, subresource,
            namespace, name) AS own,
        -- Written by the server: `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to Group "z"`.
        nullif(regexp_replace(
            regexp_extract(decision_reason, '^RBAC: allowed by \w+ "[^"]+" of \w+ "[^"]+"'),
            '^RBAC: allowed by \w+ "([^"]+)" of \w+ "([^"]+)"$', '\2 (\1)'
        ), '') AS grant_used
    FROM alike
)
SELECT
    user_name, source_ip, user_agent, sum(requests)::BIGINT AS requests, sum(denied)::BIGINT AS denied,
    coalesce(list(DISTINCT grant_used ORDER BY grant_used) FILTER (WHERE grant_used IS NOT NULL), []) AS grants,
    bool_and(own) AS platform, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    tidy(list(forwarded_for)) AS forwarded_for, cluster
FROM granted
GROUP BY user_name, source_ip, user_agent, cluster
ORDER BY first_seen, user_name NULLS FIRST, source_ip NULLS FIRST, user_agent NULLS FIRST, cluster NULLS FIRST

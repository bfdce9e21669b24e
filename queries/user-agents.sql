-- title = "What the clients call themselves"
-- question = "Which clients were used, by whom, from where, how often, and since when?"
-- group = "identity"
-- variant_of = "identities"
-- view = "agents"
-- words = ["clients", "tools", "kubectl"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1078"]
-- needs = [{ level = "Metadata" }]
-- noise = """
-- This is an account, not a detection: a client chooses its user agent, and versions change with every update."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 31
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    user_agent, count(*) AS requests, count_of(outcome, 'denied') AS denied,
    count(*) FILTER (
        is_change(verb, resource, subresource, outcome, request_uri, request_object, level, truncated)
    ) AS changes,
    coalesce(list(DISTINCT user_name ORDER BY user_name) FILTER (WHERE user_name IS NOT NULL), []) AS users,
    coalesce(list(DISTINCT source_ip ORDER BY source_ip) FILTER (WHERE source_ip IS NOT NULL), []) AS source_ips,
    min(event_time) AS first_seen, max(event_time) AS last_seen
FROM requests
WHERE filters()
GROUP BY user_agent
ORDER BY last_seen, user_agent NULLS FIRST

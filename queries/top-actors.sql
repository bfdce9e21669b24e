-- title = "Who sends the most requests"
-- question = "Which users send the most requests, how many of them change something, and how many are refused?"
-- group = "identity"
-- variant_of = "identities"
-- view = "top"
-- words = ["busiest", "most requests"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1078"]
-- needs = [{ level = "Metadata" }]
-- noise = """
-- This is an account, not a detection: controllers, nodes and monitoring come first in every cluster."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 25
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    user_name, count(*) AS requests, round(100 * count(*) / sum(count(*)) OVER (), 2) AS percent,
    count(*) FILTER (
        is_change(verb, resource, subresource, outcome, request_uri, request_object, level, truncated)
    ) AS changes,
    count_of(outcome, 'denied') AS denied, count_of(outcome, 'failed') AS failed,
    count(DISTINCT resource) AS resources, count(DISTINCT source_ip) AS source_ips,
    count(DISTINCT user_agent) AS user_agents, min(event_time) AS first_seen, max(event_time) AS last_seen, cluster
FROM requests
WHERE filters()
GROUP BY user_name, cluster
ORDER BY requests DESC, user_name NULLS FIRST, cluster NULLS FIRST

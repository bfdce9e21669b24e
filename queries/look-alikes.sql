-- title = "Names that are taken for others"
-- question = """
-- Which users are called nearly like another one or like a part of the cluster: in other letters, another script, another \
-- namespace?"""
-- group = "identity"
-- variant_of = "identities"
-- view = "look-alikes"
-- words = ["masquerade", "unicode", "homoglyph", "typo", "impostor", "similar"]
-- further = ["identities", "actor"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1036"]
-- needs = [{ level = "Metadata" }]
-- noise = """
-- Directories that write an address in small letters here and in capitals there, and operators whose service accounts are called as a \
-- controller of Kubernetes is."""
--
-- [[examples]]
-- log = "workloads"
-- rows = 7
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
WITH names AS MATERIALIZED (
    SELECT user_name AS known, plain_name(user_name) AS plain FROM (SELECT DISTINCT user_name FROM requests WHERE user_name <> '')
),
doubles AS MATERIALIZED (
    SELECT known, plain FROM names WHERE plain IN (SELECT plain FROM names GROUP BY plain HAVING count(*) > 1)
),
users AS (
    SELECT
        user_name, count(*) AS requests,
        count(*) FILTER (
            is_change(verb, resource, subresource, outcome, request_uri, request_object, level, truncated)
        ) AS changes,
        count(*) FILTER (outcome = 'denied') AS denied, tidy(list(source_ip)) AS source_ips,
        tidy(list(user_agent)) AS user_agents, min(event_time) AS first_seen, max(event_time) AS last_seen
    FROM requests
    WHERE filters()
    GROUP BY user_name
)
SELECT
    user_name,
    coalesce(taken_for(user_name), (
        -- The server alone gives names in `system:`, so the one in other letters is the other.
        SELECT min(other.known) FROM doubles AS other
        WHERE other.plain = plain_name(user_name) AND other.known <> user_name
    )) AS taken_for,
    requests, changes, denied, source_ips, user_agents, first_seen, last_seen
FROM users
WHERE user_name IS NOT NULL
  AND (taken_for(user_name) IS NOT NULL OR NOT starts_with(user_name, 'system:') AND user_name IN (SELECT known FROM doubles))
ORDER BY first_seen, user_name

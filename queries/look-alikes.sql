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
    -- Names are compared before anything is counted: there are few of them, and hardly any that is another's double.
    SELECT known, plain_name(known) AS plain
    FROM (SELECT any_value(user_name) AS known FROM requests WHERE user_name <> '' GROUP BY user_name)
),
doubles AS MATERIALIZED (
    SELECT known, plain FROM names WHERE plain IN (SELECT plain FROM names GROUP BY plain HAVING count(*) > 1)
),
suspects AS MATERIALIZED (
    SELECT
        known AS user_name,
        coalesce(taken_for(known), (
            -- The server alone gives names in `system:`, so the one in other letters is the other.
            SELECT min(other.known) FROM doubles AS other
            WHERE other.plain = names.plain AND other.known <> names.known
        )) AS taken_for
    FROM names
    WHERE taken_for(known) IS NOT NULL
        OR NOT starts_with(known, 'system:') AND known IN (SELECT known FROM doubles)
)
SELECT
    user_name, taken_for, count(*) AS requests,
    count(*) FILTER (
        is_change(verb, resource, subresource, outcome, request_uri, request_object, level, truncated)
    ) AS changes,
    count_of(outcome, 'denied') AS denied, tidy(list(source_ip)) AS source_ips,
    tidy(list(user_agent)) AS user_agents, min(event_time) AS first_seen, max(event_time) AS last_seen, cluster
FROM requests JOIN suspects USING (user_name)
WHERE filters()
GROUP BY user_name, taken_for, cluster
ORDER BY first_seen, user_name, cluster NULLS FIRST

-- title = "What was never there before"
-- question = """
-- Which users did something, acted as somebody, or came from an address or with a client, for the first time since a given \
-- time?"""
-- group = "start"
-- words = ["new", "never before", "elsewhere", "anomaly", "unusual", "lateral movement", "pivot"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1078"]
-- needs = [{ level = "Metadata" }]
-- caveat = "`--since` and the like narrow what is shown, not what was known before"
-- noise = """
-- Everything is new at the start of a log, and a baseline must be longer than what happens rarely: nightly jobs, \
-- weekly upgrades. The cluster's own components are left out unless `-p own=true`."""
--
-- [[parameters]]
-- name = "baseline"
-- type = "time"
-- meaning = "since when something counts as new; default: the middle of the log"
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "baseline=2026-11-21T20:37:37"]
-- rows = 49
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "baseline=2026-11-22"]
-- rows = 0
WITH asked AS NOT MATERIALIZED (
    SELECT
        event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user, namespace, resource, subresource, name,
        source_ip, source_ips, outcome, cluster, host, user_agent,
        -- Without a baseline it is the middle of what the log covers.
        coalesce($baseline::TIMESTAMP, (
            SELECT min(event_time) + (max(event_time) - min(event_time)) / 2 FROM events
        )) AS known_until
    FROM requests
    WHERE not_own()
),
facets AS NOT MATERIALIZED (
    SELECT *, unnest([
        {what: 'action', value: action_of(verb, resource, subresource, 'path')},
        -- Who acts as another has that one's rights, whatever he did before in his own name.
        {what: 'impersonated_user', value: impersonated_user},
        {what: 'source_ip', value: source_ip},
        {what: 'user_agent', value: user_agent}
    ]) AS facet
    FROM asked
),
-- Different things are few, and rows are many: to sort all of these took half a gigabyte.
firsts AS (
    SELECT cluster, user_name, facet, min(event_time) AS first_time, any_value(known_until) AS known_until
    FROM facets
    WHERE facet.value IS NOT NULL
    -- Whoever is called the same in another cluster is somebody else.
    GROUP BY cluster, user_name, facet
),
fresh AS (
    SELECT cluster, user_name, facet, first_time, new_user
    -- Every request is an action, so the first of these is the user's first.
    FROM (SELECT *, min(first_time) OVER (PARTITION BY cluster, user_name) >= known_until AS new_user FROM firsts)
    WHERE first_time >= known_until
)
SELECT
    shown.user_name, shown.facet.what AS what, shown.facet.value AS value, new_user, count(*) AS requests,
    count_of(outcome, 'denied') AS denied, first_time AS first_seen, max(event_time) AS last_seen,
    shown.cluster AS cluster
FROM (SELECT cluster, user_name, facet, outcome, event_time FROM facets WHERE facet.value IS NOT NULL AND filters()) AS shown
JOIN fresh
    ON shown.user_name IS NOT DISTINCT FROM fresh.user_name AND shown.facet = fresh.facet
    AND shown.cluster IS NOT DISTINCT FROM fresh.cluster
GROUP BY ALL
ORDER BY first_seen, shown.user_name NULLS FIRST, what, value, cluster NULLS FIRST

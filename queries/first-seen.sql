-- title = "What was never there before"
-- question = """
-- Which users did something, or came from an address or with a client, for the first time since a given time?"""
-- group = "start"
-- words = ["new", "never before", "elsewhere", "anomaly", "unusual"]
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
-- rows = 43
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "baseline=2026-11-22"]
-- rows = 0
WITH asked AS (
    SELECT
        event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user, namespace, resource, name,
        source_ip, source_ips, outcome, cluster, host, user_agent,
        -- Without a baseline it is the middle of what the log covers.
        coalesce($baseline::TIMESTAMP, (
            SELECT min(event_time) + (max(event_time) - min(event_time)) / 2 FROM events
        )) AS known_until
    FROM requests
    WHERE not_own()
),
facets AS (
    SELECT
        *, min(event_time) OVER (PARTITION BY user_name) >= known_until AS new_user,
        unnest([
            {what: 'action', value: concat_ws(' ', verb, coalesce(resource, 'path'))},
            {what: 'source_ip', value: source_ip},
            {what: 'user_agent', value: user_agent}
        ]) AS facet
    FROM asked
),
dated AS (
    SELECT *, min(event_time) OVER (PARTITION BY user_name, facet) AS first_time FROM facets
    WHERE facet.value IS NOT NULL
)
SELECT
    user_name, facet.what AS what, facet.value AS value, new_user, count(*) AS requests,
    count(*) FILTER (outcome = 'denied') AS denied, first_time AS first_seen, max(event_time) AS last_seen
FROM dated
WHERE filters()
  AND first_time >= known_until
GROUP BY ALL
ORDER BY first_seen, user_name NULLS FIRST, what, value

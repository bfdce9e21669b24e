-- title = "What was logged at all"
-- question = "Which resources and verbs are in the log, at which level and with which stages?"
-- group = "start"
-- words = ["complete", "gap", "missing", "policy", "level", "what was logged"]
-- kind = "question"
-- severity = "info"
-- attack = []
-- needs = [{ level = "Metadata" }]
-- caveat = "`--outcome` is that of the single event here"
-- noise = """
-- What is not listed was not logged, or did not happen: the log cannot tell which. Compare it with the audit \
-- policy."""
--
-- [[examples]]
-- log = "moderate"
-- rows = 12
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--resource", "secrets"]
-- rows = 5
--
-- [[examples]]
-- log = "moderate"
-- arguments = ["--resource", "secrets"]
-- rows = 0
WITH lines AS (
    SELECT
        *,
        CASE
            WHEN status_code < 400 THEN 'allowed'
            WHEN status_code IN (401, 403) THEN 'denied'
            WHEN status_code IS NULL THEN 'unknown'
            ELSE 'failed'
        END AS outcome
    FROM events
)
SELECT
    api_group, coalesce(resource, '(no resource)') AS resource, subresource, verb, level, count(*) AS events,
    tidy(list(stage)) AS stages,
    count(request_object) AS with_request, count(response_object) AS with_response,
    count(*) FILTER (truncated) AS truncated, min(event_time) AS first_seen, max(event_time) AS last_seen
FROM lines
WHERE filters()
GROUP BY api_group, lines.resource, subresource, verb, level
ORDER BY
    api_group NULLS FIRST, lines.resource NULLS FIRST, subresource NULLS FIRST, verb NULLS FIRST, level NULLS FIRST

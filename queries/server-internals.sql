-- title = "What the API server tells of itself"
-- question = "Who asked the API server for its log files, its profiles, its flags or its metrics?"
-- group = "discovery"
-- words = ["pprof", "metrics", "debug", "logs", "profiling", "path"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1613", "T1005"]
-- needs = [{ paths = true, level = "Metadata" }]
-- caveat = "paths that are no resources, which many policies leave out"
-- noise = """
-- Monitoring and people who look for a fault. Left out unless `-p scrapers=true`: service accounts that ask for `/metrics` with a \
-- client of their own, as Prometheus does."""
--
-- [[parameters]]
-- name = "scrapers"
-- type = "boolean"
-- default = false
-- meaning = "also show service accounts that ask for metrics with a client of their own"
--
-- [[examples]]
-- log = "workloads"
-- rows = 6
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
WITH asked AS (
    SELECT *, path_cleaned(uri_path(request_uri)) AS path
    FROM requests
    -- Most paths are discovery and health: a word is looked for before anything is cleaned.
    WHERE resource IS NULL AND regexp_matches(uri_path(request_uri), '/(logs|debug|metrics|configz|flagz|statusz)')
)
SELECT
    event_time, user_name, impersonated_user, verb, path,
    CASE regexp_extract(path, '^/([a-z]+)', 1)
        WHEN 'logs' THEN 'files of /var/log'
        WHEN 'debug' THEN CASE
            WHEN starts_with(path, '/debug/pprof') THEN 'profiles, with pieces of its memory'
            WHEN starts_with(path, '/debug/flags') THEN 'how much it logs'
            WHEN starts_with(path, '/debug/api_priority_and_fairness') THEN 'requests of others'
            ELSE 'its inside'
        END
        WHEN 'metrics' THEN 'what exists, and who asks how often'
        ELSE 'how it is set up'
    END AS tells,
    outcome, status_code, source_ip, user_agent, audit_id, cluster
FROM asked
WHERE regexp_matches(path, '^/(logs|debug|metrics|configz|flagz|statusz)(/|$)')
  AND filters()
  -- A name alone hides nobody: with a tool of people the token was taken out of its pod.
  AND ($scrapers::BOOLEAN OR NOT coalesce(
    path = '/metrics' AND starts_with(user_name, 'system:serviceaccount:') AND coalesce(impersonated_user, '') = ''
        AND client_kind(user_agent) IS NULL AND NOT regexp_matches(user_agent, '^(?i:kubectl|oc|k9s|mozilla|helm)\b'), false))
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

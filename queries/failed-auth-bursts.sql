-- title = "Many failed authentications in a short time"
-- question = """
-- From where did somebody fail to authenticate many times within a minute, as one does who guesses tokens or passwords?"""
-- group = "credentials"
-- variant_of = "failed-auth"
-- view = "bursts"
-- words = ["brute force", "password spraying", "guessing", "401"]
-- further = ["failed-auth-events"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1110"]
-- claimed = "forwarded_for"
-- needs = [{ level = "Metadata", stages = ["ResponseStarted", "ResponseComplete"] }]
-- caveat = "a 401 leaves no stage but ResponseStarted"
-- noise = """
-- Programs whose token or certificate has expired and that try again without a pause; many of them behind one load \
-- balancer. Who tries again every few seconds, as most clients do, is not shown."""
--
-- [[parameters]]
-- name = "minimum"
-- type = "integer"
-- default = 10
-- meaning = "failures before a burst is shown"
--
-- [[parameters]]
-- name = "seconds"
-- type = "integer"
-- default = 60
-- meaning = "time within which they count together"
--
-- [[examples]]
-- log = "hardened"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "minimum=24"]
-- rows = 0
WITH asked AS (
    SELECT
        *, forwarded_for(source_ips) AS claimed, concat_ws(' ', event_time, audit_id, request_uri) AS target,
        -- Of a token that is none the log has no user; a login says as whom.
        coalesce(user_name, 'nobody from ' || source_ip) AS who, NULL::VARCHAR AS other
    FROM auth_failures
    WHERE failure = 'unauthenticated' AND in_window()
)
SELECT
    burst, any_value(user_name) FILTER (shared_ip IS NULL) AS user_name,
    CASE WHEN shared_ip IS NOT NULL THEN tidy(list(user_name)) END AS users,
    tidy(list(source_ip)) AS source_ips, count(*) AS attempts, tidy(list(user_agent)) AS user_agents,
    min(event_time) AS first_seen, max(event_time) AS last_seen, tidy(list(claimed)) AS forwarded_for, cluster
FROM (SELECT *, filters() AS is_asked FROM bursts_of('asked', to_seconds($seconds::INTEGER), $minimum, NULL))
GROUP BY burst, who, shared_ip, cluster
HAVING bool_or(is_asked)
ORDER BY last_seen, burst, who NULLS LAST, shared_ip NULLS FIRST, cluster NULLS FIRST

-- title = "Who failed to authenticate or was refused, from where"
-- question = "Which addresses failed to authenticate or were denied, how often, as whom, and with what?"
-- group = "access"
-- attack = ["T1110", "T1078", "T1613"]
-- needs = "level Metadata, and stage ResponseStarted as well: a 401 leaves no other"
-- noise = """
-- Probes and scanners without credentials, clients whose token or certificate has expired, kubelets before they are \
-- registered, controllers that ask for more than their role allows."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--source-ip", "127.0.66.7"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "allowed"]
-- rows = 0
WITH suspects AS (
    -- All events of the requests that a 401 or 403 is part of: folding those alone takes half the time.
    SELECT * FROM events
    SEMI JOIN (SELECT audit_id FROM events WHERE status_code IN (401, 403)) USING (audit_id)
),
failures AS (
    SELECT
        *,
        CASE
            WHEN status_code = 401 THEN 'unauthenticated'
            -- A denied impersonation is refused before authorization: no decision, no impersonated user.
            WHEN contains(status_message, 'cannot impersonate') AND decision IS NULL THEN 'impersonation'
            WHEN user_name = 'system:anonymous' THEN 'anonymous'
            ELSE 'forbidden'
        END AS failure
    FROM requests_of('suspects')
    WHERE status_code IN (401, 403)
      AND filters()
)
SELECT
    source_ip, failure, count(*) AS attempts,
    coalesce(list(DISTINCT user_name ORDER BY user_name) FILTER (WHERE user_name IS NOT NULL), []) AS users,
    coalesce(list(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL), []) AS user_agents,
    min(event_time) AS first_seen, max(event_time) AS last_seen
FROM failures
GROUP BY source_ip, failure
ORDER BY last_seen, source_ip NULLS FIRST, failure

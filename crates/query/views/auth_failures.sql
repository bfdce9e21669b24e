-- One row per request that failed to authenticate (401) or was refused (403).

-- A denied impersonation is refused before authorization: no decision, no impersonated user.
-- All events of the requests that a 401 or 403 is part of are folded, and no others: that takes half the time.

-- Columns:
-- failure: unauthenticated (401), impersonation, anonymous (no credentials), forbidden (a known user)
-- refused_by: authentication, impersonation, authorization, admission (policy, quota, webhook); NULL when not told
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
CREATE VIEW auth_failures AS
WITH suspects AS (
    SELECT * FROM events
    SEMI JOIN (SELECT audit_id FROM events WHERE status_code IN (401, 403)) USING (audit_id)
),
failures AS (
    SELECT
        *,
        CASE
            WHEN status_code = 401 THEN 'unauthenticated'
            WHEN contains(status_message, 'cannot impersonate') AND decision IS NULL THEN 'impersonation'
            WHEN user_name = 'system:anonymous' THEN 'anonymous'
            ELSE 'forbidden'
        END AS failure
    FROM requests_of('suspects')
    WHERE status_code IN (401, 403)
)
SELECT
    event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user,
    effective_user(user_name, impersonated_user) AS effective_user,
    failure,
    CASE
        WHEN failure = 'unauthenticated' THEN 'authentication'
        WHEN failure = 'impersonation' THEN 'impersonation'
        WHEN decision = 'forbid' THEN 'authorization'
        WHEN decision = 'allow' THEN 'admission'
    END AS refused_by,
    resource, api_group, subresource, namespace, name, outcome, status_code, status_message,
    decision, decision_reason, source_ip, user_agent, credential_id, stages, level, cluster, host
FROM failures;

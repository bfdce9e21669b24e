-- One row per request that failed to authenticate (401) or was refused (403).

-- An answer of 401 or 403 that comes from behind a proxy (`pods/proxy`, `services/proxy`, `nodes/proxy`) or from an
-- aggregated API server is none of the API server's: it had let the request in, and says so (decision `allow`). OpenShift's
-- login answers a wrong password with 302 or 200 and says in an annotation that it refused.
-- A denied impersonation is refused before authorization: no decision, no impersonated user.
-- All events of the requests that a 401 or 403 is part of are folded, and no others: that takes half the time.

-- Columns:
-- failure: unauthenticated (401), impersonation, anonymous (no credentials), forbidden (a known user)
-- refused_by: authentication, impersonation, authorization, admission (policy, quota, webhook); NULL when not told
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
CREATE VIEW auth_failures AS
WITH suspects AS (
    SELECT
        *,
        -- JSON is read where there is such an annotation, and nowhere else.
        CASE WHEN has_logins() AND contains(annotations, 'authentication.openshift.io/decision')
            THEN json_text(json_body(annotations), 'authentication.openshift.io/decision') END AS login
    FROM requests
    -- DuckDB reads the other columns of rows alone that are within bounds; a list of values it looks up afterwards.
    WHERE status_code >= 401 AND status_code <= 403 AND status_code IN (401, 403)
        OR has_logins() AND contains(annotations, 'authentication.openshift.io/decision')
),
failures AS (
    SELECT
        *,
        CASE
            WHEN login IN ('deny', 'error') THEN 'unauthenticated'
            WHEN status_code = 401 THEN 'unauthenticated'
            WHEN contains(status_message, 'cannot impersonate') AND decision IS NULL THEN 'impersonation'
            WHEN user_name = 'system:anonymous' THEN 'anonymous'
            ELSE 'forbidden'
        END AS failure
    FROM suspects
    WHERE status_code IN (401, 403) AND NOT (
            decision IS NOT DISTINCT FROM 'allow' AND (
                coalesce(subresource, '') = 'proxy'
                -- Nobody is let in and then asked who he is, and admission has no say in reads, unless by the one behind.
                OR status_code = 401 AND user_name IS NOT NULL
                OR status_code = 403 AND verb IN ('get', 'list', 'watch')
                    AND coalesce(subresource, '') NOT IN ('exec', 'attach', 'portforward')
            )
        )
        OR login IN ('deny', 'error')
)
SELECT
    event_time, audit_id, verb, request_uri,
    -- At a login the request is anonymous, and the annotation says who wanted to be whom.
    CASE WHEN has_logins() AND login IS NOT NULL THEN coalesce(
        json_text(json_body(annotations), 'authentication.openshift.io/username'), user_name) ELSE user_name END AS user_name,
    user_groups, impersonated_user,
    effective_user(user_name, impersonated_user) AS effective_user,
    failure,
    CASE
        WHEN failure = 'unauthenticated' THEN 'authentication'
        WHEN failure = 'impersonation' THEN 'impersonation'
        WHEN decision = 'forbid' THEN 'authorization'
        WHEN decision = 'allow' THEN 'admission'
    END AS refused_by,
    resource, api_group, subresource, namespace, name, outcome, status_code, status_message,
    decision, decision_reason, source_ip, source_ips, user_agent, credential_id, stages, level, cluster, host
FROM failures;

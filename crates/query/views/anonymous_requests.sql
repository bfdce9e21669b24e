-- One row per request without credentials: user `system:anonymous`, or group `system:unauthenticated`.

-- Requests with credentials that the server does not accept are no anonymous ones but 401s, see `auth_failures`; a
-- password is an exception: an unknown one counts as none.

-- Columns:
-- probe: whether only health, version or login documents were asked for, which default roles allow to everybody
CREATE VIEW anonymous_requests AS
SELECT
    event_time, audit_id, verb, request_uri, is_probe(request_uri) AS probe, user_name, user_groups, impersonated_user,
    resource, api_group, subresource, namespace, name,
    -- OpenShift's login answers a wrong password with 302 or 200.
    CASE WHEN has_logins() AND contains(annotations, 'authentication.openshift.io/decision')
            AND json_text(json_body(annotations), 'authentication.openshift.io/decision') IN ('deny', 'error') THEN 'denied'
        ELSE outcome END AS outcome,
    status_code, status_message,
    decision, decision_reason, source_ip, source_ips, user_agent, credential_id, stages, level, cluster, host
FROM requests
WHERE user_name = 'system:anonymous' OR list_contains(user_groups, 'system:unauthenticated');

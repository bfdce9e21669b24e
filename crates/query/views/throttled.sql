-- One row per request that was answered with 429: too many requests, for now.

-- Columns:
-- cause: `disruption budget` (an eviction that a PodDisruptionBudget forbids), `event rate limit`, or
--     `too many requests` (priority and fairness, or the limits of requests in flight)
-- retry_after_seconds: when the client was told to come back
-- message: what the server answered
CREATE VIEW throttled AS
SELECT
    event_time, user_name, user_groups, impersonated_user, verb, resource, subresource, namespace, name,
    CASE
        WHEN subresource = 'eviction' OR contains(status_message, 'disruption budget') THEN 'disruption budget'
        WHEN contains(status_message, 'limit reached on type') THEN 'event rate limit'
        ELSE 'too many requests'
    END AS cause,
    TRY_CAST(json_extract_string(json_member(json_body(status_details), 'retryAfterSeconds'), '$') AS BIGINT)
        AS retry_after_seconds,
    status_message AS message, outcome, status_code, source_ip, source_ips, user_agent, credential_id, pod_name, node_name,
    decision, decision_reason, api_group, cluster, host, request_uri, audit_id
FROM requests
WHERE status_code = 429;

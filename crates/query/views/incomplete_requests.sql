-- One row per request whose end is not in the log: neither ResponseComplete nor Panic, though a stage of it is.

-- Why an answer can be missing: it was still to come when the log ended; a stream goes on for hours; the server was
-- killed, its disk was full, or the event was larger than a log file may be; a policy or a collector leaves the stage
-- out; or the event could not be written as JSON. The last happens to a PATCH whose body is no JSON (server-side apply
-- in YAML, or garbage) at level Request and above, up to Kubernetes 1.36: the change is made, its event is lost. One
-- who knows that can write without a trace but this. A 401 has no stage but ResponseStarted and is complete with it.
--
-- Columns:
-- kind: why the end may be missing, the likeliest first:
--     `stream` (its response started, and long-running ones go on for hours),
--     `log ends` (received within a minute of the newest event of its host, which is how long a request may take),
--     `not encoded` (a PATCH at level Request or above, whose event may have failed to be written), or `lost`
-- log_ends: time of the newest event of the host
CREATE VIEW incomplete_requests AS
WITH ends AS (
    SELECT host, cluster, max(coalesce(stage_time, event_time)) AS log_ends FROM requests GROUP BY host, cluster
)
SELECT
    event_time, user_name, user_groups, impersonated_user, verb, resource, subresource, namespace, name,
    CASE
        WHEN list_contains(stages, 'ResponseStarted') THEN 'stream'
        WHEN event_time >= log_ends - INTERVAL 60 SECONDS THEN 'log ends'
        WHEN verb = 'patch' AND level IN ('Request', 'RequestResponse') THEN 'not encoded'
        ELSE 'lost'
    END AS kind,
    stages, level, log_ends, outcome, status_code, source_ip, source_ips, user_agent, credential_id, pod_name, node_name, decision,
    decision_reason, api_group, requests.cluster, requests.host, request_uri, audit_id
FROM requests
LEFT JOIN ends ON requests.host IS NOT DISTINCT FROM ends.host AND requests.cluster IS NOT DISTINCT FROM ends.cluster
-- The last stage is one of `stages`: to ask for it first costs a tenth of the list.
WHERE stage NOT IN ('ResponseComplete', 'Panic') AND NOT list_has_any(stages, ['ResponseComplete', 'Panic'])
  AND len(stages) > 0
  AND NOT coalesce(status_code >= 400, false);

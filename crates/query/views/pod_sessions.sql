-- One row per request to run something in a pod or to reach into it: of the API server, or of a kubelet through it.

-- What a kubelet is asked for through `nodes/proxy` is the same deed past `pods/exec`, in RBAC and in the log: who asks who ran
-- commands in pods asks for both.
--
-- Columns:
-- kind: `exec`, `attach` or `portforward`; `kubelet exec`, `kubelet run` and so on for what a kubelet was asked for
-- namespace: of the pod
-- name: of the pod; NULL where a kubelet's path does not name it
-- container: container that was named; NULL when the server chose it
-- command_text: the program and its arguments, decoded, parted by spaces; empty for attach and portforward
-- tty: whether a terminal was asked for
-- duration_ms: how long it lasted, milliseconds; NULL when the log does not tell
-- still_open: whether the stream started and its end is not in the log
CREATE VIEW pod_sessions AS
SELECT
    event_time, user_name, user_groups, impersonated_user, kind, namespace, name, container, command_text, tty, outcome,
    status_code, status_message, duration_ms, still_open, source_ip, source_ips, user_agent, credential_id, pod_name, node_name,
    decision, decision_reason, verb, resource, api_group, subresource, cluster, host, stages, request_uri, audit_id
FROM exec_sessions
UNION ALL
SELECT
    event_time, user_name, user_groups, impersonated_user, 'kubelet ' || parts[1] AS kind,
    -- `/exec/NAMESPACE/POD/CONTAINER`, with the uid of the pod before the container where somebody gives it.
    CASE WHEN parts[1] <> 'cri' THEN parts[2] END AS namespace,
    CASE WHEN parts[1] <> 'cri' THEN parts[3] END AS name,
    CASE WHEN parts[1] IN ('run', 'exec', 'attach') AND len(parts) > 3 THEN parts[-1] END AS container,
    command_text, uri_flag(request_uri, 'tty') AS tty, outcome, status_code, status_message,
    date_diff('microsecond', event_time, ended) // 1000 AS duration_ms,
    ended IS NULL AND outcome = 'allowed' AND list_contains(stages, 'ResponseStarted') AS still_open,
    source_ip, source_ips, user_agent, credential_id, pod_name, node_name, decision, decision_reason, verb, resource, api_group,
    subresource, cluster, host, stages, request_uri, audit_id
FROM (
    SELECT
        * EXCLUDE (namespace, name),
        list_transform(
            list_filter(string_split(path_cleaned(kubelet_path), '/'), lambda part: part <> ''),
            lambda part, place: CASE place WHEN 1 THEN lower(part) ELSE part END
        ) AS parts
    FROM node_proxy
    WHERE runs_code AND lower(kubelet_action) <> 'checkpoint'
);

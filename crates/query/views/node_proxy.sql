-- One row per request that the API server passed on to a kubelet, or was asked to: `nodes/proxy`.

-- Whoever may do this runs commands in every pod of the node (`/run/`, `/exec/`), past admission, and past `pods/exec`
-- in RBAC and in this log. What was asked of the kubelet stands in the URI alone, behind `/proxy`.
--
-- Columns:
-- kubelet_path: path that the kubelet was asked for, decoded, with a leading `/`
-- kubelet_action: the first part of what it is cleaned to (`metrics/../run` runs): `run`, `exec`, `attach`, `portForward`, `containerLogs`, `pods`, `metrics`, …
-- command: command to run, from `cmd` or `command`, decoded; empty for the rest
-- command_text: the same, parted by spaces
-- runs_code: whether the path runs something in a container, or reaches into one
-- ended: when the answer ended; NULL when the log does not tell
CREATE VIEW node_proxy AS
SELECT
    event_time, user_name, user_groups, impersonated_user, verb, name, kubelet_path, kubelet_action, command,
    array_to_string(command, ' ') AS command_text,
    lower(kubelet_action) IN ('run', 'exec', 'attach', 'portforward', 'cri', 'checkpoint') AS runs_code,
    CASE WHEN stage IN ('ResponseComplete', 'Panic') THEN stage_time END AS ended,
    outcome, status_code, status_message, source_ip, source_ips, user_agent, credential_id, pod_name, node_name,
    decision, decision_reason, resource, api_group, subresource, namespace, cluster, host, stages, request_uri, audit_id
FROM (
    SELECT
        *,
        split_part(ltrim(path_cleaned(kubelet_path), '/'), '/', 1) AS kubelet_action,
        uri_values(request_uri, 'cmd') || uri_values(request_uri, 'command') AS command
    FROM (
        SELECT
            *,
            '/' || ltrim(regexp_extract(uri_path(request_uri), '/nodes/[^/]+/proxy(/.*)?$', 1, 's'), '/')
                AS kubelet_path
        FROM requests
        WHERE resource = 'nodes' AND is_core(api_group) AND subresource = 'proxy'
    )
);

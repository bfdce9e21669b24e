-- One row per command that somebody sent into a running container, through `pods/exec` or past it through a kubelet, or wrote into a template.

-- Columns:
-- via: `pods/exec`, `nodes/proxy`, or `template` for the commands of containers of a workload that was written
-- name: of the pod; for `nodes/proxy` of the node
-- container: container that was named; for `nodes/proxy` the path of the kubelet, which names it; NULL for `template`
-- dry_run: whether the write of a template was a dry run, which stores nothing
-- command: the program and its arguments, decoded, parted by spaces; of a template those of all containers, a line each
-- credential_signs: what kinds of credentials the command is after, as far as its text tells
-- attack_signs: what in the command is usual for intruders, as far as its text tells
CREATE VIEW container_commands AS
SELECT
    * EXCLUDE (has_input), tidy(credential_signs(command) || CASE WHEN is_quoted(command)
        THEN credential_signs(without_quotes(command)) ELSE [] END) AS credential_signs,
    tidy(
        attack_signs(command) || CASE WHEN is_quoted(command) THEN attack_signs(without_quotes(command)) ELSE [] END
        || CASE WHEN has_input AND opens_shell(command) THEN ['interactive shell'] ELSE [] END
    ) AS attack_signs
FROM (
    SELECT
        event_time, user_name, user_groups, impersonated_user, 'pods/exec' AS via, namespace, name, container,
        command_text AS command, outcome, status_code, source_ip, source_ips, user_agent, credential_id, pod_name, node_name,
        decision_reason, verb, resource, api_group, subresource, cluster, host, request_uri, audit_id,
        false AS dry_run,
        -- A client that says of no stream whether it wants it leaves it open.
        stdin OR tty OR NOT (uri_flag(request_uri, 'stdout') OR uri_flag(request_uri, 'stderr')) AS has_input
    FROM exec_sessions
    WHERE kind = 'exec'
    UNION ALL
    SELECT
        event_time, user_name, user_groups, impersonated_user, 'nodes/proxy' AS via, namespace, name, kubelet_path AS container,
        command_text AS command, outcome, status_code, source_ip, source_ips, user_agent, credential_id, pod_name, node_name,
        decision_reason, verb, resource, api_group, subresource, cluster, host, request_uri, audit_id,
        false AS dry_run,
        -- The kubelet calls it `input`.
        uri_flag(request_uri, 'input') OR uri_flag(request_uri, 'stdin') OR uri_flag(request_uri, 'tty') AS has_input
    FROM node_proxy
    WHERE len(command) > 0
    UNION ALL
    SELECT
        event_time, user_name, user_groups, impersonated_user, 'template' AS via, namespace, name, NULL AS container,
        array_to_string(commands, chr(10)) AS command, outcome, status_code, source_ip, source_ips, user_agent, credential_id,
        pod_name, node_name, decision_reason, verb, resource, api_group, subresource, cluster, host, request_uri, audit_id,
        dry_run, false AS has_input
    FROM workload_specs
    WHERE len(commands) > 0
);

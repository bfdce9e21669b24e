-- One row per exec, attach or port-forward: a request to run something in a pod or to reach into it.

-- The verb is `get` since kubectl 1.30 (WebSocket) and `create` before (SPDY). After a failed upgrade kubectl tries
-- again with POST: one action of a person is then two rows, with one audit id each. What attaches to an ephemeral
-- container is an attach. The command stands in the URI alone, in no body, so level Metadata tells it.
-- A stream is allowed when its response started; the bytes that flow in it are in no log.
--
-- Columns:
-- kind: `exec`, `attach` or `portforward`
-- container: container that was named; NULL when the server chose it (the first one, or the default)
-- command: the program and its arguments in order, decoded; empty for attach and portforward
-- command_text: the same, parted by spaces
-- stdin: whether input was sent
-- tty: whether a terminal was asked for
-- ports: ports that the URI names; empty for clients that name them inside of the stream, as kubectl does
-- started: when the API server received the request
-- ended: when the stream ended, or the refusal was sent; NULL when the log does not tell
-- duration_ms: from `started` to `ended`, milliseconds
-- still_open: whether the stream started and its end is not in the log
CREATE VIEW exec_sessions AS
SELECT
    event_time, user_name, user_groups, impersonated_user, subresource AS kind, namespace, name, container, command, command_text,
    stdin, tty, ports, outcome, status_code, status_message, started, ended,
    date_diff('microsecond', started, ended) // 1000 AS duration_ms,
    ended IS NULL AND outcome = 'allowed' AND list_contains(stages, 'ResponseStarted') AS still_open,
    source_ip, source_ips, user_agent, credential_id, pod_name, node_name, decision, decision_reason, verb, resource,
    api_group, subresource, cluster, host, stages, request_uri, audit_id
FROM (
    SELECT
        *,
        uri_values(request_uri, 'command') AS command,
        array_to_string(uri_values(request_uri, 'command'), ' ') AS command_text,
        nullif(uri_values(request_uri, 'container')[1], '') AS container,
        uri_flag(request_uri, 'stdin') AS stdin,
        uri_flag(request_uri, 'tty') AS tty,
        uri_values(request_uri, 'ports') AS ports,
        event_time AS started,
        CASE WHEN stage IN ('ResponseComplete', 'Panic') THEN stage_time END AS ended
    FROM requests
    WHERE resource = 'pods' AND is_core(api_group) AND subresource IN ('exec', 'attach', 'portforward') AND verb IN ('get', 'create')
);

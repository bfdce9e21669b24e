-- One row per request for a token of a service account (TokenRequest), or the try.

-- The server names the token in an annotation, whatever the level (1.30 and later); what was asked for needs the body.
-- The token itself is never here.

-- Columns:
-- effective_user: who minted: the impersonated user when there is one, else the user
-- minter_class: what kind of identity the user is: service_account, node, control_plane, certificate, …
-- service_account: for whom the token is, `namespace/name`
-- audiences: for which servers, sorted; NULL when no body tells
-- requested_seconds: lifetime that was asked for, seconds; NULL when no body tells
-- granted_seconds: lifetime that was given, seconds
-- expires: when the token expires (UTC)
-- bound_to: object that the token dies with, `Pod/web-1`; NULL when there is none, or when no body tells
-- issued_credential_id: the token, `JTI=…`; joins with credential_id of the requests made with it (1.30 and later)
CREATE VIEW token_requests AS
WITH asked AS (
    SELECT
        event_time, audit_id, verb, request_uri, user_name, user_groups, user_extra, impersonated_user, resource,
        api_group, subresource, namespace, name, outcome, status_code, source_ip, source_ips, user_agent, credential_id, pod_name,
        node_name, cluster, host, decision_reason, stages, level, issued_credential_id,
        json_body(response_object) AS response, json_body(request_object) AS request
    FROM requests
    WHERE verb = 'create' AND resource = 'serviceaccounts' AND is_core(api_group) AND subresource = 'token'
),
bodies AS (
    SELECT
        *,
        json_member(request, 'spec') AS asked_spec,
        json_member(response, 'spec') AS given_spec,
        coalesce(
            json_member(json_member(response, 'spec'), 'boundObjectRef'),
            json_member(json_member(request, 'spec'), 'boundObjectRef')
        ) AS bound
    FROM asked
)
SELECT
    event_time, audit_id, verb, request_uri, user_name, user_groups, user_extra, impersonated_user,
    effective_user(user_name, impersonated_user) AS effective_user,
    identity_class(user_name, user_groups, user_extra, credential_id) AS minter_class,
    resource, api_group, subresource, namespace, name,
    nullif(concat_ws('/', namespace, name), '') AS service_account,
    outcome, status_code,
    coalesce(json_strings(given_spec, 'audiences'), json_strings(asked_spec, 'audiences')) AS audiences,
    try_cast(json_member(asked_spec, 'expirationSeconds')::VARCHAR AS BIGINT) AS requested_seconds,
    try_cast(json_member(given_spec, 'expirationSeconds')::VARCHAR AS BIGINT) AS granted_seconds,
    try_strptime(
        json_text(json_member(response, 'status'), 'expirationTimestamp'), '%Y-%m-%dT%H:%M:%SZ'
    ) AS expires,
    nullif(concat_ws('/', json_text(bound, 'kind'), json_text(bound, 'name')), '') AS bound_to,
    issued_credential_id,
    decision_reason, source_ip, source_ips, user_agent, credential_id, pod_name, node_name, stages, level, cluster, host
FROM bodies;

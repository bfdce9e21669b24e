-- One row per request made with a token whose minting is in the log: who minted it, and what was done with it.

-- The annotation `issued-credential-id` of the minting is the `credential-id` of every use (1.30 and later). Columns
-- `minted_…` tell of the minting, the others of the request that used the token. A token that was never used has no
-- row: see `token_requests`. When one minting stands in several logs, its first request counts.

-- Columns:
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
-- credential_id: the token, `JTI=…`
-- service_account: for whom the token is, `namespace/name`
-- minted_at: when it was minted (UTC)
-- minted_by: who minted it: the impersonated user when there was one, else the user
-- minted_by_own: whether the minting was the cluster's own work
-- minted_by_user: the user who sent that request, whoever was impersonated
-- minted_from: address that the token was asked for from
-- minted_user_agent: client that asked for it
-- minted_audit_id: audit id of the minting
-- minted_credential_id: credential that the minting was done with: the parent of this token
-- bound_to: object that the token dies with, `Pod/web-1`
-- elsewhere: whether the token was used from another address than it was minted from
CREATE VIEW token_use AS
WITH minted AS (
    SELECT
        issued_credential_id,
        arg_min(
            {
                minted_at: event_time, minted_by: effective_user, user_name: user_name, source_ip: source_ip,
                user_agent: user_agent, audit_id: audit_id, credential_id: credential_id,
                service_account: service_account, bound_to: bound_to,
                minted_by_own: is_own(cluster, user_name, user_groups, impersonated_user, source_ip, user_agent, verb,
                    api_group, resource, subresource, namespace, name)
            },
            {event_time: event_time, audit_id: audit_id, request_uri: request_uri, source_ip: source_ip}
        ) AS minting
    FROM token_requests
    WHERE issued_credential_id IS NOT NULL
    GROUP BY issued_credential_id
)
SELECT
    event_time, used.audit_id, verb, request_uri, user_name, user_groups, impersonated_user,
    effective_user(user_name, impersonated_user) AS effective_user,
    used.credential_id,
    minting.service_account AS service_account,
    minting.minted_at AS minted_at,
    minting.minted_by AS minted_by,
    minting.user_name AS minted_by_user,
    minting.minted_by_own AS minted_by_own,
    minting.source_ip AS minted_from,
    minting.user_agent AS minted_user_agent,
    minting.audit_id AS minted_audit_id,
    minting.credential_id AS minted_credential_id,
    minting.bound_to AS bound_to,
    used.source_ip <> minting.source_ip AS elsewhere,
    resource, api_group, subresource, namespace, name, outcome, status_code,
    decision_reason, source_ip, used.source_ips, user_agent, pod_name, node_name, stages, level, cluster, host
FROM requests AS used
JOIN minted ON minted.issued_credential_id = used.credential_id;

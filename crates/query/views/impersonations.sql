-- One row per request that acted as somebody else, or was refused to.

-- A refused one has neither an impersonated user nor a decision: only the message of its 403 tells, and up to 1.35 whom
-- it was about: `users "kubernetes-admin" is forbidden: User "mallory" cannot impersonate resource "users" …`.
-- A client can ask for a user, groups and more; the first that is refused ends the request.

-- Columns:
-- impersonation: `granted` or `refused`
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
-- target_namespace: namespace of a service account that was refused; NULL otherwise
-- target: the impersonated user, or what was refused, `users/jane`, `groups/system:masters`; NULL when not told
-- privileged: whether the target is an administrator or a member of their groups, the control plane, a node, or a service account of a
--     system namespace
CREATE VIEW impersonations AS
WITH found AS (
    SELECT
        *,
        CASE
            WHEN impersonated_user IS NOT NULL THEN impersonated_user
            -- The name is quoted as Go does it: `\"` for a quote.
            ELSE nullif(concat_ws(
                '/',
                nullif(regexp_extract(status_message, '^([a-z0-9.-]+) "(?:[^"\\]|\\.)*" is forbidden', 1), ''),
                replace(replace(
                    nullif(regexp_extract(status_message, '^[a-z0-9.-]+ "((?:[^"\\]|\\.)*)" is forbidden', 1), ''),
                    '\"', '"'
                ), '\\', '\')
            ), '')
        END AS target,
        -- A service account that was refused is named without its namespace, which the message ends in.
        CASE WHEN impersonated_user IS NULL THEN
            nullif(regexp_extract(status_message, ' in the namespace "([^"]*)"$', 1), '')
        END AS target_namespace
    FROM requests
    WHERE impersonated_user IS NOT NULL
       OR status_code = 403 AND contains(status_message, 'cannot impersonate') AND decision IS NULL
)
SELECT
    event_time, audit_id, verb, request_uri, user_name, user_groups,
    if(impersonated_user IS NOT NULL, 'granted', 'refused') AS impersonation,
    CASE WHEN starts_with(target, 'serviceaccounts/') AND target_namespace IS NOT NULL
        THEN 'serviceaccounts/' || target_namespace || '/' || substr(target, 17) ELSE target END AS target,
    coalesce(
        -- Whoever the user is, the groups are what counts.
        has_powerful_group(impersonated_groups)
            OR list_contains(impersonated_groups, 'system:nodes')
            OR has_powerful_group([regexp_replace(target, '^groups/', '')])
            OR regexp_replace(target, '^(users|groups|serviceaccounts)/', '') IN (
                'admin', 'cluster-admin', 'kubernetes-admin', 'kubernetes-super-admin', 'system:admin', 'system:anonymous',
                'kube:admin'
            )
            OR starts_with(target, 'serviceaccounts/') AND is_system_namespace(target_namespace)
            OR is_system_namespace(split_part(service_account_of(regexp_replace(target, '^users/', '')), '/', 1))
            OR regexp_matches(target, '(^|/)system:(kube-|node:|serviceaccount:kube-system:|apiserver$|nodes$)'),
        false
    ) AS privileged,
    target_namespace, impersonated_user, impersonated_uid, impersonated_groups, impersonated_extra, impersonation_constraint,
    effective_user(user_name, impersonated_user) AS effective_user,
    resource, api_group, subresource, namespace, name, outcome, status_code, status_message,
    decision, decision_reason, source_ip, source_ips, user_agent, credential_id, stages, level, cluster, host
FROM found;

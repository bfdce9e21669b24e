-- One row per request that RBAC allowed, with the binding, role and subject that allowed it.

-- The authorizer says so in an annotation: `RBAC: allowed by RoleBinding "dev-edit/dev" of ClusterRole "edit" to
-- ServiceAccount "legacy-bot/dev"`. Names are quoted as Go does it; what is in a namespace has it behind its name. Of
-- several bindings that would allow a request the first is named. `system:masters` and nodes are allowed by other
-- authorizers, which give no reason.

CREATE MACRO rbac_grant(reason) AS regexp_extract(
    reason,
    '^RBAC: allowed by (ClusterRoleBinding|RoleBinding) "((?:[^"\\]|\\.)*)" of (ClusterRole|Role) "((?:[^"\\]|\\.)*)" '
    || 'to ([A-Za-z]+) "((?:[^"\\]|\\.)*)"',
    ['binding_kind', 'binding', 'role_kind', 'role', 'subject_kind', 'subject']
);

-- What Go quoted, as it was.
CREATE MACRO unquoted(quoted) AS replace(replace(quoted, '\"', '"'), '\\', '\');

-- Columns:
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
-- binding_kind: RoleBinding or ClusterRoleBinding
-- binding_namespace: namespace of a RoleBinding
-- binding: name of the binding
-- role_kind: Role or ClusterRole
-- role: name of the role
-- subject: through what the user has the role, `Group/ops`, `User/jane`, `ServiceAccount/dev/legacy-bot`
CREATE VIEW grants_used AS
WITH reasons AS (
    -- A cluster has some hundred of them, so each is read once.
    SELECT decision_reason, rbac_grant(decision_reason) AS granted
    FROM (SELECT DISTINCT decision_reason FROM events WHERE starts_with(decision_reason, 'RBAC: allowed by '))
),
grants AS (
    SELECT
        decision_reason,
        granted.binding_kind AS binding_kind,
        CASE granted.binding_kind
            WHEN 'RoleBinding' THEN nullif(unquoted(regexp_extract(granted.binding, '/([^/]*)$', 1)), '')
        END AS binding_namespace,
        CASE granted.binding_kind
            WHEN 'RoleBinding' THEN unquoted(regexp_replace(granted.binding, '/[^/]*$', ''))
            ELSE unquoted(granted.binding)
        END AS binding,
        granted.role_kind AS role_kind,
        unquoted(granted.role) AS role,
        granted.subject_kind || '/' || CASE granted.subject_kind
            WHEN 'ServiceAccount' THEN unquoted(regexp_replace(granted.subject, '^(.*)/([^/]*)$', '\2/\1'))
            ELSE unquoted(granted.subject)
        END AS subject
    FROM reasons
    WHERE granted.binding_kind <> ''
)
SELECT
    event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user,
    effective_user(user_name, impersonated_user) AS effective_user,
    binding_kind, binding_namespace, binding, role_kind, role, subject,
    resource, api_group, subresource, namespace, name, outcome, status_code,
    requests.decision_reason, source_ip, source_ips, user_agent, credential_id, cluster, host
FROM requests
JOIN grants ON grants.decision_reason = requests.decision_reason;

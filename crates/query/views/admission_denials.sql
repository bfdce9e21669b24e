-- One row per request that was authorized and then refused by admission, with the plugin that refused it.

-- RBAC said yes: the decision is `allow`, and still the answer is 403 (or what a webhook or policy chose). Such
-- refusals show what somebody tried and what stopped it. A 403 whose decision is missing counts only when the message
-- is one of the known ones; a refusal by RBAC or a denied impersonation is none.
--
-- Columns:
-- plugin: admission plugin, as its message tells; `rbac escalation` is the check of roles and bindings that nobody
--     grants more than they have; `other` is a refusal after an `allow` whose message is not known
-- rule: webhook, policy, quota or Pod Security level that refused, as the message names it
-- message: what the server answered
CREATE VIEW admission_denials AS
WITH refusals AS (
    SELECT
        *,
        CASE
            WHEN regexp_matches(status_message, 'admission webhook "[^"]*" (denied the request|does not support)')
                THEN 'webhook'
            WHEN regexp_matches(status_message, 'ValidatingAdmissionPolicy ''[^'']*''.* denied request')
                THEN 'ValidatingAdmissionPolicy'
            WHEN contains(status_message, 'violates PodSecurity') THEN 'PodSecurity'
            WHEN regexp_matches(status_message, '(exceeded|failed) quota|status unknown for quota|insufficient quota')
                THEN 'ResourceQuota'
            WHEN regexp_matches(status_message, '(minimum|maximum) \S+ usage per |max limit to request ratio')
                THEN 'LimitRanger'
            WHEN status_code <> 403 THEN NULL
            -- Admission is asked about writes and connections alone, so a read was refused by an aggregated API server, and
            -- what comes through a proxy mostly by its backend; an API server's own authorizer says who cannot do what.
            WHEN subresource = 'proxy' OR regexp_matches(status_message, ': User "[^"]*" cannot ')
                OR verb IN ('get', 'list', 'watch')
                    AND coalesce(subresource, '') NOT IN ('exec', 'attach', 'portforward') THEN NULL
            WHEN contains(status_message, 'attempting to grant RBAC permissions') THEN 'rbac escalation'
            WHEN regexp_matches(status_message, 'security context constraint') THEN 'SecurityContextConstraint'
            WHEN contains(status_message, 'PodSecurityPolicy') OR contains(status_message, 'pod security policy')
                THEN 'PodSecurityPolicy'
            WHEN regexp_matches(
                status_message, '\bnode "[^"]*" (is not allowed|can only|cannot|requested)|node requested'
            ) OR (starts_with(user_name, 'system:node:') AND decision = 'allow') THEN 'NodeRestriction'
            WHEN decision IS DISTINCT FROM 'allow' THEN NULL
            WHEN regexp_matches(status_message, 'being terminated|may not be deleted') THEN 'NamespaceLifecycle'
            WHEN regexp_matches(status_message, 'looking up service account|service account \S+ was not found')
                THEN 'ServiceAccount'
            WHEN regexp_matches(status_message, '(?i)priority ?class') THEN 'Priority'
            WHEN contains(status_message, 'not permitted to approve') THEN 'CertificateApproval'
            WHEN contains(status_message, 'not permitted to sign') THEN 'CertificateSigning'
            WHEN contains(status_message, 'signer with system:masters') THEN 'CertificateSubjectRestriction'
            WHEN regexp_matches(status_message, 'blockOwnerDeletion|ownerRef')
                THEN 'OwnerReferencesPermissionEnforcement'
            WHEN contains(status_message, 'external IPs is denied') THEN 'DenyServiceExternalIPs'
            WHEN contains(status_message, 'image policy webhook') THEN 'ImagePolicyWebhook'
            WHEN contains(status_message, 'RuntimeClass') THEN 'RuntimeClass'
            WHEN contains(status_message, 'node selector') THEN 'PodNodeSelector'
            WHEN contains(status_message, 'tolerations') THEN 'PodTolerationRestriction'
            ELSE 'other'
        END AS plugin
    FROM requests
    -- The names in the message of an RBAC denial could look like anything.
    WHERE status_code >= 400 AND decision IS DISTINCT FROM 'forbid' AND (
        (status_code = 403 AND decision = 'allow')
        OR regexp_matches(
            status_message,
            'denied the request|denied request|violates PodSecurity|(exceeded|failed) quota'
            || '|(minimum|maximum) \S+ usage per |max limit to request ratio'
        )
    )
)
SELECT
    event_time, user_name, user_groups, impersonated_user, verb, resource, namespace, name, plugin,
    CASE plugin
        WHEN 'webhook' THEN nullif(regexp_extract(status_message, 'admission webhook "([^"]*)"', 1), '')
        WHEN 'ValidatingAdmissionPolicy'
            THEN nullif(regexp_extract(status_message, 'ValidatingAdmissionPolicy ''([^'']*)''', 1), '')
        WHEN 'PodSecurity' THEN nullif(regexp_extract(status_message, 'violates PodSecurity "([^"]*)"', 1), '')
        WHEN 'ResourceQuota' THEN nullif(regexp_extract(status_message, '(?:exceeded|failed) quota: ([^:,]*)', 1), '')
    END AS rule,
    status_message AS message, outcome, status_code, source_ip, source_ips, user_agent, credential_id, pod_name, node_name,
    decision, decision_reason, api_group, subresource, cluster, host, request_uri, audit_id
FROM refusals
WHERE plugin IS NOT NULL;

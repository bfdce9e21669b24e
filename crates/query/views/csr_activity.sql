-- One row per request that creates, approves, denies, signs or deletes a certificate signing request, or tries to.

-- Who asked stands in the CSR itself, filled in by the server: an approval tells whose certificate it lets through.
-- `spec.request` is a PEM text, base64 a second time; the names in it are texts behind their object identifiers, 2.5.4.3
-- for the common name (the user), 2.5.4.10 for organizations (the groups).

-- The bytes of the request as pairs of hex digits with blanks, `30 82 01 …`; NULL when it is none.
CREATE MACRO csr_bytes(request) AS regexp_replace(
    hex(try(from_base64(regexp_replace(
        try(decode(from_base64(request))), '-----[^-]*-----|[ \r\n\t]', '', 'g'
    )))),
    '(..)', '\1 ', 'g'
);

-- The texts behind an object identifier such as `06 03 55 04 03`: each a type, a length below 128, and its bytes.
CREATE MACRO csr_names(bytes, identifier) AS list_sort(list_distinct(list_filter(
    list_transform(
        list_transform(
            list_filter(
                string_split(bytes, identifier || ' ')[2:],
                lambda behind: regexp_matches(behind, '^(0C|13|14|16) [0-7][0-9A-F] ')
            ),
            lambda behind: string_split(behind, ' ')
        ),
        lambda pairs: try(decode(unhex(array_to_string(pairs[3:2 + ('0x' || pairs[2])::INTEGER], ''))))
    ),
    lambda text: coalesce(text, '') <> ''
)));

-- Columns:
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
-- name: name of the CSR; that of a `generateName` from the answer
-- action: create, approve, deny, sign (the certificate is put in), update, delete
-- dry_run: whether it was a dry run, which stores nothing; NULL for a delete of which the log does not tell
-- signer_name: which signer is to sign, `kubernetes.io/kube-apiserver-client`; NULL when no body tells
-- usages: what the certificate is for, `client auth`, …, sorted; NULL when no body tells
-- requested_by: user who created the CSR; NULL when no body tells
-- requested_seconds: lifetime that was asked for, seconds
-- subject_user: common name in the request: the user of a client certificate; NULL when no body tells
-- subject_groups: organizations in the request: the groups of a client certificate, sorted
-- self_approved: whether somebody approves a CSR of their own
CREATE VIEW csr_activity AS
WITH asked AS (
    SELECT
        event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user, resource, api_group,
        subresource, namespace, name, outcome, status_code, source_ip, source_ips, user_agent, credential_id, cluster, host,
        decision_reason, stages, level,
        json_body(response_object) AS response, json_body(request_object) AS request,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM requests
    WHERE resource = 'certificatesigningrequests' AND coalesce(api_group, 'certificates.k8s.io') = 'certificates.k8s.io'
      AND is_write_or_delete(verb)
),
bodies AS (
    SELECT
        *,
        CASE
            WHEN json_type(json_member(response, 'spec')) = 'OBJECT' THEN json_member(response, 'spec')
            WHEN json_type(json_member(request, 'spec')) = 'OBJECT' THEN json_member(request, 'spec')
        END AS spec,
        -- What the request sets; a patch of the approval can be all that there is.
        coalesce(
            json_objects(json_member(json_member(request, 'status'), 'conditions')),
            json_objects(json_member(json_member(response, 'status'), 'conditions')),
            json_patched(request, 'status/conditions')
        ) AS conditions
    FROM asked
),
parts AS (
    SELECT
        *,
        list_transform(conditions, lambda condition: json_text(condition, 'type')) AS condition_types,
        coalesce(json_text(spec, 'username'), if(verb = 'create' OR verb = 'patch' AND status_code = 201, effective_user(user_name, impersonated_user), NULL))
            AS requested_by,
        csr_bytes(json_text(spec, 'request')) AS bytes
    FROM bodies
)
SELECT
    event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user,
    effective_user(user_name, impersonated_user) AS effective_user,
    resource, api_group, subresource, namespace,
    coalesce(name, json_text(json_member(response, 'metadata'), 'name')) AS name,
    CASE
        WHEN verb IN ('create', 'delete') THEN verb
        -- Server-side apply creates by a patch.
        WHEN verb = 'patch' AND coalesce(subresource, '') = '' AND status_code = 201 THEN 'create'
        WHEN verb = 'deletecollection' THEN 'delete'
        WHEN subresource = 'approval' AND list_contains(condition_types, 'Denied')
            AND NOT list_contains(condition_types, 'Approved') THEN 'deny'
        -- Without a body an approval cannot be told from a denial: it is taken for what is worse.
        WHEN subresource = 'approval' THEN 'approve'
        WHEN subresource = 'status' THEN 'sign'
        ELSE 'update'
    END AS action,
    json_text(spec, 'signerName') AS signer_name,
    json_strings(spec, 'usages') AS usages,
    requested_by,
    try_cast(json_member(spec, 'expirationSeconds')::VARCHAR AS BIGINT) AS requested_seconds,
    csr_names(bytes, '06 03 55 04 03')[1] AS subject_user,
    csr_names(bytes, '06 03 55 04 0A') AS subject_groups,
    CASE WHEN subresource = 'approval' THEN requested_by = effective_user(user_name, impersonated_user) END
        AS self_approved,
    outcome, status_code, dry_run,
    decision_reason, source_ip, source_ips, user_agent, credential_id, stages, level, cluster, host
FROM parts;

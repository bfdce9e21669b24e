-- One row per request that reads secrets, or tries to: verb get, list or watch.

-- Each of the three hands the values to the client. The answer can be a table of names and sizes, though, as
-- `kubectl get secrets` asks for, or the metadata alone. Which one it was shows only in the body, at level
-- RequestResponse, and a watch is never recorded with one.

-- Columns:
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
-- scope: what was asked for: `secret` (one by name), `namespace` (all of one), `cluster` (all of all namespaces)
-- handed_out: values, metadata (a table), nothing (refused, failed), possibly (allowed, no body tells); NULL: unknown
-- secrets: secrets that the request names or the answer holds, `namespace/name`, sorted; empty when neither tells
CREATE VIEW secret_access AS
WITH reads AS (
    SELECT
        event_time, audit_id, verb, request_uri, user_name, user_groups, user_extra, impersonated_user, resource,
        api_group, subresource, namespace, name, outcome, status_code, source_ip, user_agent, credential_id, pod_name,
        node_name, cluster, host, decision_reason, stages, level, json_body(response_object) AS response
    FROM requests
    WHERE resource = 'secrets'
      AND coalesce(subresource, '') = ''
      AND verb IN ('get', 'list', 'watch')
),
answers AS (
    SELECT
        *,
        json_text(response, 'kind') AS kind,
        coalesce(
            list_transform(json_objects(json_member(response, 'rows')), lambda row: json_member(row, 'object')),
            json_objects(json_member(response, 'items'))
        ) AS items
    FROM reads
)
SELECT
    event_time, audit_id, verb, request_uri, user_name, user_groups, user_extra, impersonated_user,
    effective_user(user_name, impersonated_user) AS effective_user,
    resource, api_group, subresource, namespace, name,
    CASE
        WHEN name IS NOT NULL THEN 'secret'
        WHEN namespace IS NOT NULL THEN 'namespace'
        ELSE 'cluster'
    END AS scope,
    outcome, status_code,
    CASE
        WHEN outcome IN ('denied', 'failed') THEN 'nothing'
        WHEN outcome = 'unknown' THEN NULL
        WHEN kind = 'Table' THEN
            if(regexp_matches(coalesce(request_uri, ''), '[?&]includeObject=Object(&|$)'), 'values', 'metadata')
        WHEN starts_with(kind, 'PartialObjectMetadata') THEN 'metadata'
        WHEN kind IN ('Secret', 'SecretList', 'List') THEN 'values'
        ELSE 'possibly'
    END AS handed_out,
    list_sort(list_distinct(list_filter(
        CASE
            WHEN name IS NOT NULL THEN [concat_ws('/', namespace, name)]
            ELSE list_transform(coalesce(items, []), lambda item: json_object_name(item))
        END,
        lambda secret: secret IS NOT NULL
    ))) AS secrets,
    decision_reason, source_ip, user_agent, credential_id, pod_name, node_name, stages, level, cluster, host
FROM answers;

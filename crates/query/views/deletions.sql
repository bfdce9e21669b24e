-- One row per request to delete an object, or all objects of a kind that match a selector.

-- A `deletecollection` names no object: which ones it was stands in its answer alone, at level RequestResponse.
-- An object with finalizers goes later, and an answer of 200 says that it was marked. `kubectl delete --all` is one
-- request for each object. An eviction (`create` on `pods/eviction`) deletes a pod as well and is no row here.
-- DELETE on a `proxy` subresource goes to what is behind it and deletes nothing here.
--
-- Columns:
-- deleted: objects that were deleted, or marked for it: 1, or the length of the list in the answer; 0 when refused or
--     for a dry run; NULL when the log does not tell
-- deleted_names: their names, `namespace/name`
-- selector: which objects a `deletecollection` was for: labels and fields of the URI; NULL is all of them
-- grace_seconds: time that a pod was given, when the request set one; 0 kills at once
-- propagation: what becomes of dependents: `Orphan`, `Background`, `Foreground`
-- dry_run: whether the request asked for a dry run, which deletes nothing
CREATE VIEW deletions AS
WITH deletes AS (
    SELECT
        *,
        json_body(request_object) AS options,
        json_body(response_object) AS answer,
        json_items([json_body(response_object)], 'items') AS items
    FROM requests
    WHERE verb IN ('delete', 'deletecollection') AND resource IS NOT NULL
),
told AS (
    SELECT
        *,
        is_dry_run(request_uri) OR coalesce(list_contains(
            json_extract_string(json_member(options, 'dryRun'), '$[*]'), 'All'
        ), false) AS dry_run,
        CASE
            WHEN verb = 'delete' THEN [concat_ws('/', CASE WHEN resource <> 'namespaces' THEN namespace END, name)]
            ELSE tidy(list_transform(json_members(items, 'metadata'), lambda metadata: concat_ws(
                '/', json_text(metadata, 'namespace'), json_text(metadata, 'name')
            )))
        END AS names
    FROM deletes
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name,
    CASE
        WHEN outcome IN ('denied', 'failed') OR dry_run OR subresource = 'proxy' THEN 0
        WHEN outcome = 'unknown' THEN NULL
        WHEN verb = 'delete' THEN 1
        WHEN json_type(json_member(answer, 'items')) = 'ARRAY' THEN len(items)
    END AS deleted,
    CASE WHEN outcome = 'allowed' AND NOT dry_run AND coalesce(subresource, '') <> 'proxy' THEN names ELSE [] END
        AS deleted_names,
    nullif(concat_ws(
        ' ',
        nullif(uri_values(request_uri, 'labelSelector')[1], ''),
        nullif(uri_values(request_uri, 'fieldSelector')[1], '')
    ), '') AS selector,
    coalesce(
        TRY_CAST(uri_values(request_uri, 'gracePeriodSeconds')[1] AS BIGINT),
        TRY_CAST(json_extract_string(json_member(options, 'gracePeriodSeconds'), '$') AS BIGINT)
    ) AS grace_seconds,
    coalesce(nullif(uri_values(request_uri, 'propagationPolicy')[1], ''), json_text(options, 'propagationPolicy'))
        AS propagation,
    dry_run, outcome, status_code, source_ip, user_agent, credential_id, pod_name, node_name, decision,
    decision_reason, api_group, subresource, cluster, host, request_uri, audit_id
FROM told;

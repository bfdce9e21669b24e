-- One row per request to delete an object, to evict a pod, or to delete all objects of a kind that match a selector.

-- A `deletecollection` names no object: which ones it was stands in its answer alone, at level RequestResponse.
-- An object with finalizers goes later, and an answer of 200 says that it was marked. `kubectl delete --all` is one
-- request for each object. An eviction (`create` on `pods/eviction`) deletes a pod, and goes past whoever watches for
-- the verb `delete`. A namespace goes with all that is in it.
-- DELETE on a `proxy` subresource goes to what is behind it and deletes nothing here.
--
-- Columns:
-- deleted: objects that were deleted, or marked for it: 1, or the length of the list in the answer; 0 when refused or
--     for a dry run; NULL when the log does not tell
-- deleted_names: their names, `namespace/name`
-- selector: which objects a `deletecollection` was for: labels and fields of the URI; NULL is all of them
-- grace_seconds: time that a pod was given, when the request set one; 0 kills at once
-- propagation: what becomes of dependents: `Orphan`, `Background`, `Foreground`
-- dry_run: whether it was a dry run, which deletes nothing; NULL when the log does not tell whether its body was empty
CREATE VIEW deletions AS
WITH deletes AS (
    SELECT
        *,
        CASE WHEN subresource = 'eviction' THEN json_member(json_body(request_object), 'deleteOptions')::VARCHAR
            ELSE json_body(request_object) END AS options,
        json_body(response_object) AS answer,
        json_items([json_body(response_object)], 'items') AS items
    FROM requests
    WHERE (
            verb IN ('delete', 'deletecollection')
            OR verb = 'create' AND resource = 'pods' AND subresource = 'eviction'
        )
        AND resource IS NOT NULL
),
told AS (
    SELECT
        *,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
        CASE
            WHEN verb <> 'deletecollection' THEN [concat_ws('/', CASE WHEN resource <> 'namespaces' THEN namespace END, name)]
            ELSE tidy(list_transform(json_members(items, 'metadata'), lambda metadata: concat_ws(
                '/', json_text(metadata, 'namespace'), json_text(metadata, 'name')
            )))
        END AS names
    FROM deletes
)
SELECT
    event_time, user_name, user_groups, impersonated_user, verb, resource, namespace, name,
    CASE
        WHEN outcome IN ('denied', 'failed') OR dry_run OR subresource = 'proxy' THEN 0
        WHEN outcome = 'unknown' OR dry_run IS NULL THEN NULL
        WHEN verb <> 'deletecollection' THEN 1
        WHEN json_type(json_member(answer, 'items')) = 'ARRAY' THEN len(items)
    END AS deleted,
    CASE WHEN outcome = 'allowed' AND dry_run IS NOT TRUE AND coalesce(subresource, '') <> 'proxy' THEN names ELSE [] END
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
    dry_run, outcome, status_code, source_ip, source_ips, user_agent, credential_id, pod_name, node_name, decision,
    decision_reason, api_group, subresource, cluster, host, request_uri, audit_id
FROM told;

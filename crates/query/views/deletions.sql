-- One row per request to delete an object, to evict a pod, or to delete all objects of a kind that match a selector.

-- A `deletecollection` names no object: which ones it was stands in its answer alone, at level RequestResponse.
-- An object with finalizers goes later, and an answer of 200 says that it was marked. `kubectl delete --all` is one
-- request for each object. An eviction (`create` on `pods/eviction`) deletes a pod, and goes past whoever watches for
-- the verb `delete`. A namespace goes with all that is in it.
-- What is marked goes with its last finalizer: a write after which an object has a time of deletion, no finalizers and no
-- grace left deletes it (the server's own rule), as the `finalize` of a namespace that leaves none. A patch that takes
-- finalizers away is such a write when the object was marked before, which only its answer tells.
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
        json_items([json_body(response_object)], 'items') AS items,
        verb IN ('update', 'patch') AS by_finalizer,
        -- The object as it was left: by the answer, or by what was put in its place.
        CASE WHEN verb IN ('update', 'patch') THEN coalesce(
            json_body(response_object), CASE WHEN verb = 'update' THEN json_body(request_object) END
        ) END AS object
    FROM requests
    WHERE (
            verb IN ('delete', 'deletecollection')
            OR verb = 'create' AND resource = 'pods' AND is_core(api_group) AND subresource = 'eviction'
            OR verb IN ('update', 'patch') AND (
                subresource = 'finalize'
                OR contains(request_object, 'finalizers') AND verb = 'patch'
                OR contains(coalesce(response_object, request_object), '"deletionTimestamp"')
                    AND NOT contains(coalesce(response_object, request_object), '"finalizers"')
            )
        )
        AND resource IS NOT NULL
),
-- Of the writes, those that can have deleted something.
asked AS (
    SELECT *, CASE
        WHEN NOT by_finalizer THEN NULL
        WHEN subresource = 'finalize' THEN CASE WHEN object IS NOT NULL THEN
            coalesce(json_array_length(json_member(json_member(object, 'spec'), 'finalizers')), 0) = 0 END
        WHEN object IS NOT NULL THEN json_text(json_member(object, 'metadata'), 'deletionTimestamp') IS NOT NULL
            AND coalesce(json_array_length(json_member(json_member(object, 'metadata'), 'finalizers')), 0) = 0
            AND coalesce(json_extract_string(json_member(json_member(object, 'metadata'), 'deletionGracePeriodSeconds'), '$'), '0') = '0'
        -- Of a patch alone: whether it takes finalizers away.
        WHEN json_type(options) = 'ARRAY' THEN CASE WHEN regexp_matches(
            request_object, '"path"\s*:\s*"/metadata/finalizers'
        ) AND regexp_matches(request_object, '"op"\s*:\s*"(remove|replace)"') THEN NULL ELSE false END
        WHEN regexp_matches(request_object, '"finalizers"\s*:\s*(null|\[\s*\])|\$deleteFromPrimitiveList/finalizers')
            THEN NULL
        ELSE false
    END AS finalized
    FROM deletes
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
    FROM asked
    WHERE NOT by_finalizer OR finalized IS NOT FALSE
)
SELECT
    event_time, user_name, user_groups, impersonated_user, verb, resource, namespace, name,
    CASE
        WHEN outcome IN ('denied', 'failed') OR dry_run OR subresource = 'proxy' THEN 0
        WHEN outcome = 'unknown' OR dry_run IS NULL THEN NULL
        WHEN by_finalizer THEN CASE WHEN finalized THEN 1 END
        WHEN verb <> 'deletecollection' THEN 1
        WHEN json_type(json_member(answer, 'items')) = 'ARRAY' THEN len(items)
    END AS deleted,
    CASE WHEN outcome = 'allowed' AND dry_run IS NOT TRUE AND coalesce(subresource, '') <> 'proxy'
        AND (NOT by_finalizer OR coalesce(finalized, false)) THEN names ELSE [] END
        AS deleted_names,
    selector_of(request_uri) AS selector,
    coalesce(
        TRY_CAST(uri_values(request_uri, 'gracePeriodSeconds')[1] AS BIGINT),
        TRY_CAST(json_extract_string(json_member(options, 'gracePeriodSeconds'), '$') AS BIGINT)
    ) AS grace_seconds,
    coalesce(nullif(uri_values(request_uri, 'propagationPolicy')[1], ''), json_text(options, 'propagationPolicy'))
        AS propagation,
    dry_run, outcome, status_code, source_ip, source_ips, user_agent, credential_id, pod_name, node_name, decision,
    decision_reason, api_group, subresource, cluster, host, request_uri, audit_id
FROM told;

-- One row per request whose answer can hold secrets, by whatever verb, or the try.

-- Reading is not all that hands out values: the answer to a patch is the whole object, also to an empty one, and a
-- deletion answers with what it deletes: of a collection the list (as a dry run it deletes nothing), of one secret the
-- object where it has finalizers, is deleted in the foreground, or as a dry run. What a create or update answers with
-- the client sent itself. The answer can be a table of names and sizes, though, as `kubectl get secrets` asks for, or the
-- metadata alone. Which one it was shows only in the body, at level RequestResponse, and a watch is never recorded with
-- one.

-- What an answer gave: `response` is its body.
CREATE MACRO secrets_handed_out(outcome, verb, response, request_uri) AS CASE
    WHEN outcome IN ('denied', 'failed') THEN 'nothing'
    WHEN outcome = 'unknown' THEN NULL
    WHEN json_text(response, 'kind') = 'Table' THEN CASE
        WHEN len(list_filter(
            json_objects(json_member(response, 'rows')),
            lambda row: json_text(json_member(row, 'object'), 'kind') = 'Secret'
        )) > 0 OR uri_values(request_uri, 'includeObject')[1] = 'Object' THEN 'object'
        ELSE 'metadata'
    END
    WHEN starts_with(json_text(response, 'kind'), 'PartialObjectMetadata') THEN 'metadata'
    WHEN json_text(response, 'kind') IN ('Secret', 'SecretList', 'List') THEN 'values'
    WHEN json_text(response, 'kind') = 'Status' THEN 'nothing'
    ELSE 'possibly'
END;

-- Whether a write has nothing of a secret changed, and its answer is all that it is for: a patch without content, one that as a dry run
-- sets no data (`kubectl diff` does), a deletion as a dry run. Of a patch without a body nothing is told.
CREATE MACRO writes_nothing(verb, request, dry_run) AS coalesce(CASE
    WHEN verb IN ('delete', 'deletecollection') THEN dry_run
    WHEN verb <> 'patch' THEN false
    WHEN json_type(request) = 'ARRAY' THEN len(list_filter(
        json_objects(request),
        lambda op: json_text(op, 'op') <> 'test' AND NOT (dry_run AND NOT regexp_matches(json_text(op, 'path'), '^(/(stringD|d)ata(/|$)|$)'))
    )) = 0
    WHEN json_type(request) = 'OBJECT' THEN CASE
        WHEN dry_run THEN json_member(request, 'data') IS NULL AND json_member(request, 'stringData') IS NULL
        ELSE len(list_filter(json_keys(request), lambda key: key NOT IN ('kind', 'apiVersion', 'metadata'))) = 0
            AND len(list_filter(
                coalesce(json_keys(json_member(request, 'metadata')), []),
                lambda key: key NOT IN ('name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp')
            )) = 0
    END
END, false);

-- Columns:
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
-- scope: what was asked for: `secret` (one by name), `namespace` (all of one), `cluster` (all of all namespaces)
-- how: the verb, and whether it was a dry run
-- dry_run: whether it was a dry run, which stores and deletes nothing; NULL for a delete of which the log does not tell
-- handed_out: values, object (a table that holds the objects), metadata (a table), nothing (refused, failed, or an
--     answer without secrets), possibly (allowed, no body tells); NULL: unknown
-- secrets: secrets that the request names or the answer holds, `namespace/name`, sorted; empty when neither tells
CREATE VIEW secret_access AS
WITH reads AS (
    SELECT
        event_time, audit_id, verb, request_uri, user_name, user_groups, user_extra, impersonated_user, resource,
        api_group, subresource, namespace, name, outcome, status_code, source_ip, source_ips, user_agent, credential_id, pod_name,
        node_name, cluster, host, decision_reason, stages, level, json_body(response_object) AS response,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM requests
    WHERE resource = 'secrets' AND is_core(api_group)
      AND coalesce(subresource, '') = ''
      AND verb IN ('get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection')
),
answers AS (
    SELECT
        *,
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
    verb || CASE WHEN dry_run THEN ' as a dry run' ELSE '' END AS how,
    dry_run,
    CASE
        WHEN name IS NOT NULL OR verb = 'create' THEN 'secret'
        WHEN namespace IS NOT NULL THEN 'namespace'
        ELSE 'cluster'
    END AS scope,
    outcome, status_code,
    secrets_handed_out(outcome, verb, response, request_uri) AS handed_out,
    list_sort(list_distinct(list_filter(
        CASE
            WHEN name IS NOT NULL THEN [concat_ws('/', namespace, name)]
            WHEN verb = 'create' THEN [json_object_name(response)]
            ELSE list_transform(coalesce(items, []), lambda item: json_object_name(item))
        END,
        lambda secret: secret IS NOT NULL
    ))) AS secrets,
    decision_reason, source_ip, source_ips, user_agent, credential_id, pod_name, node_name, stages, level, cluster, host
FROM answers;

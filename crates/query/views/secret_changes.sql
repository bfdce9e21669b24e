-- One row per request that writes secrets, or tries to: create, update, patch, delete or deletecollection.

-- Values never stand here, only the names of the keys.

-- Columns:
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
-- name: name of the secret; that of a `generateName` from the answer
-- dry_run: whether it was a dry run, which stores nothing; NULL for a delete of which the log does not tell
-- handed_out: what of the secret the answer gave, as in `secret_access`
-- type: type of the secret, `kubernetes.io/service-account-token`; NULL when no body tells
-- keys: keys under `data` and `stringData`, sorted; empty when no body tells
-- token_for: service account whose token the secret is to hold, `namespace/name`
-- deleted: secrets that a deletecollection took away, as the answer lists them, sorted
CREATE VIEW secret_changes AS
WITH changes AS (
    SELECT
        event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user, resource, api_group,
        subresource, namespace, name, outcome, status_code, source_ip, source_ips, user_agent, credential_id, cluster, host,
        decision_reason, stages, level,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
        json_body(response_object) AS response, json_body(request_object) AS request
    FROM requests
    WHERE resource = 'secrets' AND is_core(api_group)
      AND coalesce(subresource, '') = ''
      AND is_write_or_delete(verb)
),
bodies AS (
    SELECT
        *,
        -- The answer to a denied request or to a delete is a Status, which has no secret's members.
        if(json_text(response, 'kind') = 'Secret', response, NULL) AS stored,
        if(verb IN ('create', 'update', 'patch'), request, NULL) AS sent
    FROM changes
)
SELECT
    event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user,
    effective_user(user_name, impersonated_user) AS effective_user,
    resource, api_group, subresource, namespace,
    coalesce(name, json_text(json_member(stored, 'metadata'), 'name')) AS name,
    outcome, status_code, dry_run,
    secrets_handed_out(outcome, verb, response, request_uri) AS handed_out,
    coalesce(json_text(stored, 'type'), json_text(sent, 'type')) AS type,
    list_sort(list_distinct(
        coalesce(json_keys(json_member(stored, 'data')), [])
        || coalesce(json_keys(json_member(sent, 'data')), [])
        || coalesce(json_keys(json_member(sent, 'stringData')), [])
    )) AS keys,
    CASE
        WHEN coalesce(json_text(stored, 'type'), json_text(sent, 'type')) = 'kubernetes.io/service-account-token'
            THEN concat_ws('/', namespace, coalesce(
                json_text(
                    json_member(json_member(stored, 'metadata'), 'annotations'), 'kubernetes.io/service-account.name'
                ),
                json_text(
                    json_member(json_member(sent, 'metadata'), 'annotations'), 'kubernetes.io/service-account.name'
                )
            ))
    END AS token_for,
    CASE WHEN verb = 'deletecollection' THEN
        list_sort(list_transform(json_objects(json_member(response, 'items')), lambda item: json_object_name(item)))
    END AS deleted,
    decision_reason, source_ip, source_ips, user_agent, credential_id, stages, level, cluster, host
FROM bodies;

-- title = "The life of one secret"
-- question = "Who wrote, read or listed this secret, when, and what did they get?"
-- group = "start"
-- variant_of = "secret"
-- view = "history"
-- value = "secret"
-- kind = "question"
-- severity = "info"
-- attack = ["T1552.007"]
-- resources = ["secrets"]
-- needs = [
--     {
--         resource = "secrets",
--         verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         resource = "secrets",
--         verbs = ["list"],
--         level = "RequestResponse",
--         tells = "whether a list held the secret",
--     },
-- ]
-- noise = """
-- Controllers that list or watch all secrets hold this one each time. Without bodies every list that could have \
-- held the secret is shown."""
--
-- [[parameters]]
-- name = "secret"
-- type = "text"
-- meaning = "the secret, `namespace/name`"
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "secret=prod/db-credentials"]
-- rows = 87
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "secret=prod/no-such-secret", "--outcome", "allowed"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb,
    if(name IS NULL, 'in a list', 'by name') AS how,
    namespace, name, handed_out, keys, outcome, status_code, dry_run, source_ip, user_agent, audit_id, cluster
FROM (
    SELECT * EXCLUDE (user_extra, pod_name, node_name, scope, how), []::VARCHAR[] AS keys FROM secret_access
    WHERE verb IN ('get', 'list', 'watch')
    UNION ALL BY NAME
    SELECT
        * EXCLUDE (type, token_for, deleted),
        CASE
            WHEN name IS NOT NULL THEN [concat_ws('/', namespace, name)]
            ELSE coalesce(deleted, [])
        END AS secrets
    FROM secret_changes
)
WHERE filters()
  AND (
      $secret::VARCHAR IS NULL
      OR list_contains(secrets, $secret)
      -- A list that shows its content and not the secret did not hold it.
      OR name IS NULL
          AND (namespace IS NULL OR starts_with($secret, namespace || '/'))
          AND secrets = [] AND coalesce(handed_out, '') NOT IN ('values', 'object', 'metadata')
  )
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Dossier of one secret"
-- question = "Who could have seen or changed this secret: by name, or by a list or watch that covers it?"
-- group = "start"
-- value = "secret"
-- words = ["who had", "password", "who got"]
-- further = ["secret-history", "secret-values"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1552.007"]
-- resources = ["secrets"]
-- needs = [{ resource = "secrets", verbs = ["get", "list", "watch"], level = "Metadata" }]
-- caveat = "a pod that mounts it reads it through its kubelet"
-- noise = "Controllers and kubelets list and watch all the time."
--
-- [[parameters]]
-- name = "secret"
-- type = "text"
-- meaning = "`namespace/name` or `name` of the secret; all when it is not given"
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "secret=prod/db-credentials"]
-- rows = 90
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "secret=prod/db-credentials", "--user", "bob"]
-- rows = 3
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb,
    CASE
        WHEN name IS NOT NULL THEN 'by name'
        WHEN namespace IS NOT NULL THEN 'whole namespace'
        ELSE 'whole cluster'
    END AS reach,
    namespace, name, outcome, status_code,
    dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
    decision_reason, source_ip, user_agent, audit_id, cluster
FROM requests
WHERE resource = 'secrets' AND coalesce(api_group, '') = ''
  -- `prod/db` names one secret, `db` those of that name in all namespaces.
  AND (name IS NULL OR $secret::VARCHAR IS NULL OR name = split_part($secret, '/', -1))
  AND (namespace IS NULL OR NOT contains($secret, '/') OR $secret::VARCHAR IS NULL
    OR namespace = split_part($secret, '/', 1))
  AND (name IS NOT NULL OR verb IN ('list', 'watch', 'deletecollection'))
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Violations of Pod Security"
-- question = "Which requests violated the Pod Security Standards, by annotation or by a refusal?"
-- group = "execution"
-- variant_of = "privileged-workloads"
-- view = "violations"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1611", "T1610"]
-- needs = [
--     {
--         resource = ["pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs"],
--         verbs = ["create", "update", "patch"],
--         level = "Metadata",
--     },
-- ]
-- caveat = "namespaces or the admission configuration must set `audit` or `enforce`"
-- noise = """
-- Controllers repeat a violation for every pod of a template. `enforce` is judged for pods alone, `audit` for \
-- templates too."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 120
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "denied"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, outcome, status_code,
    json_text(json_body(annotations), 'pod-security.kubernetes.io/enforce-policy') AS enforce_policy,
    coalesce(
        CASE WHEN contains(status_message, 'violates PodSecurity') THEN status_message END,
        json_text(json_body(annotations), 'pod-security.kubernetes.io/audit-violations'),
        json_text(json_body(annotations), 'pod-security.kubernetes.io/error')
    ) AS violation,
    source_ip, audit_id, cluster
FROM requests
WHERE filters()
  -- Cheap, and true for all that follows: JSON is read of few rows then.
  AND (contains(annotations, 'pod-security.kubernetes.io/') OR contains(status_message, 'violates PodSecurity'))
  AND (
    json_text(json_body(annotations), 'pod-security.kubernetes.io/audit-violations') IS NOT NULL
    OR json_text(json_body(annotations), 'pod-security.kubernetes.io/error') IS NOT NULL
    OR contains(status_message, 'violates PodSecurity')
  )
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Secrets listed or watched across namespaces"
-- question = "Who listed or watched the secrets of the whole cluster, of a system namespace, or of `default`?"
-- group = "access"
-- further = ["secret-values", "rbac-changes"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1552.007", "T1613"]
-- resources = ["secrets"]
-- needs = [{ resource = "secrets", verbs = ["list", "watch"], level = "Metadata" }]
-- noise = """
-- GitOps, backup and secret-sync controllers list all secrets: know them by name. The cluster's own components, \
-- which do so at every start, are left out unless `-p own=true`."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 8
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--until", "2026-11-21T20:37:37"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, dry_run, scope, namespace, selector_of(request_uri) AS selector, handed_out, len(secrets) AS secrets_shown,
    outcome, status_code, source_ip, user_agent, decision_reason, audit_id, cluster
FROM secret_access
WHERE filters()
  AND verb IN ('list', 'watch', 'deletecollection')
  AND (scope = 'cluster' OR scope = 'namespace' AND (is_system_namespace(namespace) OR namespace = 'default'))
  AND not_own()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

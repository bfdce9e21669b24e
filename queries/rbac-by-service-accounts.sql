-- title = "RBAC changed by service accounts"
-- question = "Which service accounts wrote roles or bindings?"
-- group = "privilege"
-- variant_of = "rbac-changes"
-- view = "by-service-accounts"
-- kind = "detection"
-- severity = "high"
-- attack = ["T1098.006"]
-- groups = ["rbac.authorization.k8s.io"]
-- needs = [
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterrolebindings", "rolebindings", "clusterroles", "roles"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
-- ]
-- noise = """
-- Operators and GitOps, of which the log does not tell whether they are yours. The built-in controllers are left out \
-- unless `-p own=true`."""
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "own=true"]
-- rows = 7
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, role_ref, subjects,
    outcome, status_code, dry_run, source_ip, user_agent, audit_id, cluster
FROM rbac_changes
WHERE filters()
  AND starts_with(effective_user, 'system:serviceaccount:')
  AND not_own()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

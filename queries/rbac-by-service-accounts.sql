-- title = "RBAC changed by service accounts"
-- question = "Which service accounts wrote roles or bindings?"
-- group = "privilege"
-- kind = "detection"
-- severity = "high"
-- attack = ["T1098.006"]
-- needs = [
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterrolebindings", "rolebindings", "clusterroles", "roles"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
-- ]
-- noise = """
-- Operators and GitOps: those that are told from their names are left out, and so are the built-in controllers, \
-- unless `-p platform=true`."""
--
-- [[parameters]]
-- name = "platform"
-- type = "boolean"
-- default = false
-- meaning = "also show the cluster's own components and operators"
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "platform=true"]
-- rows = 7
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, role_ref, subjects,
    outcome, status_code, source_ip, user_agent, audit_id
FROM rbac_changes
WHERE filters()
  AND starts_with(effective_user, 'system:serviceaccount:')
  AND ($platform::BOOLEAN OR NOT is_platform(effective_user))
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

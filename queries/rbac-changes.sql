-- title = "Who changed RBAC"
-- question = "Who created, changed or deleted roles and bindings, and which rights went to whom?"
-- group = "privilege"
-- words = ["rights", "permission", "role", "clusterrole", "binding"]
-- further = ["rbac-grants", "workload-after-rbac"]
-- kind = "question"
-- severity = "medium"
-- attack = ["T1098.006", "T1078"]
-- groups = ["rbac.authorization.k8s.io"]
-- needs = [
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterrolebindings", "rolebindings", "clusterroles", "roles"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterrolebindings", "rolebindings"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "`role_ref` and `subjects`",
--     },
-- ]
-- noise = """
-- The API server creates its default roles and bindings at its first start and repairs them at every start; the \
-- clusterrole-aggregation-controller patches aggregated roles; operators and Helm bring roles of their own."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 135
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "denied"]
-- rows = 0
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, outcome, status_code,
    role_ref, subjects, source_ip, audit_id, dry_run, cluster
FROM rbac_changes
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

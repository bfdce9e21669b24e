-- title = "Who was given which role"
-- question = "Which users, groups and service accounts were bound to which role, by whom, and what can the role do?"
-- group = "privilege"
-- variant_of = "rbac-changes"
-- view = "grants"
-- words = ["rights", "permission", "admin", "who was given"]
-- further = ["grants-used"]
-- kind = "question"
-- severity = "medium"
-- attack = ["T1098.006"]
-- groups = ["rbac.authorization.k8s.io"]
-- needs = [
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterrolebindings", "rolebindings"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterrolebindings", "rolebindings"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "`role_ref` and `subject`",
--     },
-- ]
-- noise = """
-- The API server creates its default bindings at its first start; operators and Helm bring theirs. `role_powers` \
-- is known for roles that were written in the same log."""
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "denied"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, role_ref,
    unnest(CASE WHEN len(subjects_added) > 0 THEN subjects_added ELSE [NULL] END) AS subject,
    coalesce(role_powers.powers, []) AS role_powers,
    outcome, status_code, dry_run, source_ip, audit_id, cluster
FROM rbac_changes
LEFT JOIN (SELECT role, powers, cluster AS role_cluster FROM role_powers) AS role_powers
    -- A binding in a namespace can give a role of that namespace.
    ON role = if(starts_with(role_ref, 'Role/'), concat_ws('/', 'Role', namespace, substr(role_ref, 6)), role_ref)
    AND role_cluster IS NOT DISTINCT FROM cluster
WHERE filters()
  AND resource IN ('rolebindings', 'clusterrolebindings')
  AND is_write(verb)
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST, subject NULLS FIRST

-- title = "Which bindings were used"
-- question = "Through which binding, role and subject were requests allowed, by whom, and for what?"
-- group = "privilege"
-- variant_of = "rbac-changes"
-- view = "used"
-- kind = "question"
-- severity = "info"
-- attack = ["T1078", "T1098.006"]
-- needs = [{ level = "Metadata" }]
-- caveat = "members of system:masters and nodes need no binding"
-- noise = """
-- This is an account, not a detection: it tells which grants are needed, and what a new one was used for."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 19
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "failed", "--user", "alice", "--verb", "delete"]
-- rows = 0
SELECT
    binding_kind, binding_namespace, binding, role_kind, role, subject, count(*) AS requests,
    list_sort(list_distinct(list(effective_user))) AS users,
    list_sort(list_distinct(list(action_of(verb, resource, subresource, 'path')))) AS actions,
    min(event_time) AS first_seen, max(event_time) AS last_seen, cluster
FROM grants_used
WHERE filters()
GROUP BY binding_kind, binding_namespace, binding, role_kind, role, subject, cluster
ORDER BY last_seen, binding_kind, binding_namespace NULLS FIRST, binding, role_kind, role, subject, cluster NULLS FIRST

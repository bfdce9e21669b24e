-- title = "Roles with dangerous rules"
-- question = """
-- Who wrote a role with wildcards, escalate, bind or impersonate, or with the right to read secrets, mint tokens, \
-- run in pods or reach kubelets?"""
-- group = "privilege"
-- kind = "detection"
-- severity = "high"
-- attack = ["T1098.006", "T1078"]
-- groups = ["rbac.authorization.k8s.io"]
-- needs = [
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterroles", "roles"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--     },
-- ]
-- noise = """
-- Operators need much of this for their work. The API server's default roles are left out unless `-p own=true`."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "alice"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, rule, powers, aggregated_to,
    outcome, status_code, dry_run, source_ip, audit_id, cluster
FROM role_rules
WHERE filters()
  AND is_write(verb)
  AND len(powers) > 0
  AND not_own()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST, rule

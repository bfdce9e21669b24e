-- title = "Workloads changed right after RBAC"
-- question = "Who changed roles or bindings and then, within minutes, workloads?"
-- group = "execution"
-- variant_of = "workload-changes"
-- view = "after-rbac"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1098.006", "T1610"]
-- needs = [
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterrolebindings", "rolebindings", "clusterroles", "roles"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         resource = ["pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs"],
--         verbs = ["create", "update", "patch"],
--         level = "Metadata",
--     },
-- ]
-- caveat = "kinds of add-ons, such as Workflows, only where their groups are logged"
-- noise = """
-- Helm and operators that install roles and workloads together. Left out unless `-p own=true`: the cluster's own \
-- work."""
--
-- [[parameters]]
-- name = "minutes"
-- type = "integer"
-- default = 5
-- meaning = "time between the change of RBAC and the workload"
--
-- [[examples]]
-- log = "workloads"
-- rows = 9
--
-- [[examples]]
-- log = "hardened"
-- rows = 8
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "alice"]
-- rows = 0
WITH grants AS (
    SELECT event_time AS changed, user_name, cluster, concat_ws(' ', verb, resource, coalesce(name, '*')) AS change, audit_id
    FROM requests
    WHERE is_rbac(api_group, resource)
      AND is_write_or_delete(verb)
      AND outcome = 'allowed' AND not_own()
      AND dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) IS NOT TRUE
),
writes AS (
    SELECT * FROM workload_changes
    WHERE is_write(verb) AND outcome = 'allowed' AND dry_run IS NOT TRUE
      AND (coalesce(subresource, '') IN ('', 'ephemeralcontainers') OR starts_pods(subresource))
      AND not_own()
      AND filters()
)
SELECT
    event_time, writes.user_name, max(changed) AS rbac_time,
    arg_max(change, (changed, grants.audit_id, change)) AS rbac_change,
    count(*) AS rbac_changes, verb, resource, namespace, name, any_value(images) AS images, source_ip,
    any_value(user_agent) AS user_agent, arg_max(grants.audit_id, (changed, grants.audit_id)) AS rbac_audit_id,
    writes.audit_id, writes.cluster
FROM writes
JOIN grants ON writes.user_name = grants.user_name AND writes.cluster IS NOT DISTINCT FROM grants.cluster
WHERE changed <= event_time AND changed >= event_time - to_minutes($minutes)
GROUP BY event_time, writes.audit_id, verb, request_uri, source_ip, resource, api_group, writes.user_name, namespace, name, writes.cluster
ORDER BY
    event_time, writes.audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, writes.user_name NULLS FIRST

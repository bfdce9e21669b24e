-- title = "Workloads that reach the node"
-- question = """
-- Who wrote which workload that is privileged, shares namespaces of the node, mounts its paths, or adds \
-- capabilities, and why is it listed?"""
-- group = "privilege"
-- kind = "detection"
-- severity = "high"
-- attack = ["T1611", "T1610"]
-- resources = [
--     "pods", "deployments", "daemonsets", "statefulsets", "replicasets", "replicationcontrollers", "jobs",
--     "cronjobs", "podtemplates", "deploymentconfigs", "rollouts"
-- ]
-- needs = [
--     {
--         resource = ["pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--     },
-- ]
-- caveat = "at RequestResponse also for patches whole templates"
-- noise = """
-- Agents for networking, storage and monitoring when they are installed. Left out unless `-p controllers=true`: \
-- what the control plane itself writes, as pods of a template and mirror pods of static pods."""
--
-- [[parameters]]
-- name = "controllers"
-- type = "boolean"
-- default = false
-- meaning = "also rows of the control plane: its controllers repeat every template for every pod"
--
-- [[examples]]
-- log = "hardened"
-- rows = 2
--
-- [[examples]]
-- log = "moderate"
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "alice"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, reasons, images,
    service_account, outcome, status_code, source_ip, audit_id
FROM workload_specs
WHERE len(reasons) > 0
  AND ($controllers OR NOT is_control_plane(user_name))
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

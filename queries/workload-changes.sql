-- title = "Who changed workloads"
-- question = "Who created, changed, scaled or deleted workloads, and with which images?"
-- group = "execution"
-- words = ["deployment", "daemonset", "pod", "deployed"]
-- further = ["privileged-workloads", "image-changes"]
-- kind = "question"
-- severity = "low"
-- attack = ["T1610", "T1543", "T1053.007"]
-- resources = ["makes_pods()"]
-- needs = [
--     {
--         resource = ["pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         resource = ["pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "images and commands",
--     },
-- ]
-- noise = """
-- Controllers make most rows: ReplicaSets and pods of every rollout; `-p own=false` leaves out what the \
-- control plane does day by day."""
--
-- [[parameters]]
-- name = "own"
-- type = "boolean"
-- default = true
-- meaning = "the cluster's own work too: its controllers repeat every template for every pod"
--
-- [[examples]]
-- log = "hardened"
-- rows = 343
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "own=false"]
-- rows = 78
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, subresource, namespace, name, outcome, status_code, dry_run,
    images, reasons, source_ip, audit_id, cluster
FROM workload_changes
WHERE not_own()
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

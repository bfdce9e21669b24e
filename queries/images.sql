-- title = "Which images were used"
-- question = "Which container images appear in workloads, since when, brought by whom, and where?"
-- group = "execution"
-- words = ["container", "malware", "registry"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1610", "T1204.003", "T1525"]
-- resources = ["makes_pods()"]
-- needs = [
--     {
--         resource = ["pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--     },
-- ]
-- noise = """
-- Every release brings a new tag, and a dry run brings none. Sort out known registries with `--where`, for example `NOT list_contains(images, \
-- …)`."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 21
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--namespace", "nowhere"]
-- rows = 0
WITH uses AS (
    SELECT
        event_time, audit_id, user_name, namespace, concat_ws('/', resource, namespace, name) AS workload,
        unnest(images) AS image
    FROM workload_specs
    WHERE outcome = 'allowed' AND dry_run IS NOT TRUE AND filters()
)
SELECT
    image, min(event_time) AS first_seen, max(event_time) AS last_seen, count(*) AS requests,
    arg_min(user_name, (event_time, audit_id, user_name)) AS first_user,
    arg_min(workload, (event_time, audit_id, workload)) AS first_workload,
    tidy(list(namespace)) AS namespaces,
    tidy(list(user_name)) AS users,
    arg_min(audit_id, (event_time, audit_id)) AS first_audit_id
FROM uses
GROUP BY image
ORDER BY first_seen, image

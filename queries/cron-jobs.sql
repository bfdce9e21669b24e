-- title = "Who scheduled jobs"
-- question = "Who created or changed CronJobs, Jobs and what add-ons have in their place, and what do they run?"
-- group = "execution"
-- variant_of = "workload-changes"
-- view = "scheduled"
-- words = ["backdoor", "schedule", "workflow", "kruise", "keda"]
-- further = ["privileged-workloads"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1053.007"]
-- resources = ["runs_jobs()"]
-- needs = [
--     {
--         resource = ["cronjobs", "jobs"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         resource = ["cronjobs", "jobs"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "schedule, images and commands",
--     },
-- ]
-- caveat = "kinds of add-ons, such as CronWorkflows, only where their groups are logged"
-- noise = """
-- CI and backup jobs, workflows of data teams. Left out unless `-p own=true`: the jobs that the control plane makes from CronJobs."""
--
-- [[examples]]
-- log = "workloads"
-- rows = 12
--
-- [[examples]]
-- log = "hardened"
-- rows = 2
--
-- [[examples]]
-- log = "production"
-- arguments = ["--user", "bob"]
-- rows = 2
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, schedule, images, commands,
    tidy(
        attack_signs(array_to_string(commands, chr(10)))
        || attack_signs(without_quotes(array_to_string(commands, chr(10))))
    ) AS attack_signs, outcome, dry_run, source_ip, audit_id, cluster
FROM workload_changes
WHERE runs_jobs(resource)
  AND not_own()
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

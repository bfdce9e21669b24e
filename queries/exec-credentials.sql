-- title = "Commands that read credentials"
-- question = "Which commands sent into containers, or written into workloads, read tokens, keys, password files or cloud metadata?"
-- group = "execution"
-- variant_of = "exec-sessions"
-- view = "credentials"
-- words = ["environment", "stolen token"]
-- further = ["secret-reads", "token-use"]
-- kind = "detection"
-- severity = "critical"
-- attack = ["T1552.001", "T1552.005", "T1552.007", "T1609"]
-- resources = ["makes_pods()", "nodes"]
-- needs = [
--     { resource = "pods", subresource = "exec", level = "Metadata", stages = [] },
--     { resource = "nodes", subresource = "proxy", level = "Metadata", stages = [] },
--     {
--         resource = ["pods", "deployments", "daemonsets", "statefulsets", "jobs", "cronjobs"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "the commands of workloads",
--     },
-- ]
-- noise = "Debugging of workload identity. What is typed into an interactive shell is in no audit log."
--
-- [[examples]]
-- log = "hardened"
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "allowed"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, via, namespace, name, container, command, credential_signs, outcome,
    status_code, dry_run, source_ip, audit_id, cluster
FROM container_commands
WHERE len(credential_signs) > 0 AND filters() AND not_own()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

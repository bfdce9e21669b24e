-- title = "Suspicious commands in containers"
-- question = """
-- Which commands sent into containers, or written into workloads, open shells or reverse shells, download, copy data out, escape, or name outside \
-- addresses?"""
-- group = "execution"
-- variant_of = "exec-sessions"
-- view = "suspicious"
-- words = ["reverse shell", "malware", "download", "curl"]
-- further = ["exec-credentials", "privileged-workloads"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1609", "T1059.004", "T1105", "T1041", "T1611"]
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
-- noise = """
-- `kubectl cp` of people who work (copy in, copy out), and checks that curl an outside service. Four numbers with \
-- dots may be a version. Where people work in pods, interactive shells are daily work: say whose in `trusted.toml`."""
--
-- [[examples]]
-- log = "workloads"
-- rows = 3
--
-- [[examples]]
-- log = "made"
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "alice"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, via, namespace, name, container, command, attack_signs, outcome,
    status_code, dry_run, source_ip, audit_id, cluster
FROM container_commands
WHERE len(attack_signs) > 0 AND filters() AND not_own()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Who ran commands in pods"
-- question = """
-- Who used exec, attach or port-forward, of the API server or past it of a kubelet, on which pod, with which command, and for \
-- how long?"""
-- group = "execution"
-- words = ["shell", "terminal", "console", "kubectl exec", "attach"]
-- further = ["exec-suspicious", "exec-credentials"]
-- kind = "question"
-- severity = "low"
-- attack = ["T1609"]
-- resources = ["pods", "nodes"]
-- needs = [
--     {
--         resource = "pods",
--         subresource = ["exec", "attach", "portforward"],
--         level = "Metadata",
--         stages = ["ResponseStarted"],
--     },
--     {
--         resource = "pods",
--         subresource = ["exec", "attach", "portforward"],
--         level = "Metadata",
--         stages = ["ResponseComplete"],
--         tells = "the length of a session",
--     },
--     { resource = "nodes", subresource = "proxy", level = "Metadata", stages = [], tells = "what kubelets were asked to run" },
-- ]
-- noise = "Probes and backup tools that exec. kubectl repeats a failed GET as POST: one action is then two rows."
--
-- [[examples]]
-- log = "hardened"
-- rows = 43
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 7
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, command_text AS command, kind, namespace, name, container, tty, outcome,
    status_code, duration_ms, still_open, source_ip, audit_id, cluster
FROM pod_sessions
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Who ran commands in pods"
-- question = "Who used exec, attach or port-forward, on which pod, with which command, and for how long?"
-- group = "execution"
-- words = ["shell", "terminal", "console", "kubectl exec", "attach"]
-- further = ["exec-suspicious", "exec-credentials"]
-- kind = "question"
-- severity = "low"
-- attack = ["T1609"]
-- resources = ["pods"]
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
-- ]
-- noise = "Probes and backup tools that exec. kubectl repeats a failed GET as POST: one action is then two rows."
--
-- [[examples]]
-- log = "hardened"
-- rows = 42
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 6
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, kind, namespace, name, container, command_text AS command, tty, outcome,
    status_code, duration_ms, still_open, source_ip, audit_id
FROM exec_sessions
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Who was refused exec"
-- question = "Who tried to exec, attach or port-forward and was denied?"
-- group = "execution"
-- variant_of = "exec-sessions"
-- view = "denied"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1609"]
-- resources = ["pods"]
-- needs = [
--     {
--         resource = "pods",
--         subresource = ["exec", "attach", "portforward"],
--         level = "Metadata",
--         stages = ["ResponseStarted", "ResponseComplete"],
--     },
-- ]
-- caveat = "a 401 has no stage but ResponseStarted"
-- noise = "People whose role lacks `pods/exec`, or has only one of `get` and `create`."
--
-- [[examples]]
-- log = "made"
-- rows = 1
--
-- [[examples]]
-- log = "metadata"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, kind, namespace, name, container, command_text AS command, outcome,
    status_code, status_message, source_ip, user_agent, audit_id
FROM exec_sessions
WHERE outcome = 'denied' AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Who was refused exec"
-- question = "Who tried to exec, attach or port-forward, of the API server or of a kubelet, and was denied?"
-- group = "execution"
-- variant_of = "exec-sessions"
-- view = "denied"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1609"]
-- resources = ["pods", "nodes"]
-- needs = [
--     {
--         resource = "pods",
--         subresource = ["exec", "attach", "portforward"],
--         level = "Metadata",
--         stages = ["ResponseStarted", "ResponseComplete"],
--     },
--     { resource = "nodes", subresource = "proxy", level = "Metadata", stages = [], tells = "what kubelets were asked to run" },
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
    event_time, user_name, impersonated_user, command_text AS command, kind, namespace, name, container, outcome,
    status_code, status_message, source_ip, user_agent, audit_id, cluster
FROM pod_sessions
WHERE outcome = 'denied' AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

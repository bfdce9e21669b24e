-- title = "Who opened tunnels into pods"
-- question = "Who forwarded ports of which pods, and for how long?"
-- group = "execution"
-- variant_of = "proxied-requests"
-- view = "tunnels"
-- words = ["tunnel", "port-forward"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1090", "T1572"]
-- resources = ["pods"]
-- needs = [
--     { resource = "pods", subresource = "portforward", level = "Metadata", stages = ["ResponseStarted"] },
-- ]
-- noise = "Developers. kubectl names the ports inside of the stream, so `ports` is mostly empty."
--
-- [[examples]]
-- log = "production"
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, 'forward' AS action, namespace, name, ports, outcome, status_code,
    duration_ms, still_open, source_ip, user_agent, audit_id, cluster
FROM exec_sessions
WHERE kind = 'portforward' AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

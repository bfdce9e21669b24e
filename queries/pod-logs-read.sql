-- title = "Who read the logs of pods"
-- question = "Who read container logs, of which pods, and did they follow them?"
-- group = "discovery"
-- words = ["kubectl logs"]
-- kind = "question"
-- severity = "low"
-- attack = ["T1005"]
-- resources = ["pods"]
-- needs = [{ resource = "pods", subresource = "log", verbs = ["get"], level = "Metadata" }]
-- noise = "Developers, and tools that show logs."
--
-- [[examples]]
-- log = "hardened"
-- rows = 10
--
-- [[examples]]
-- log = "moderate"
-- arguments = ["--user", "bob"]
-- rows = 0
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, namespace, name,
    nullif(uri_values(request_uri, 'container')[1], '') AS container,
    uri_flag(request_uri, 'follow') AS follow, uri_flag(request_uri, 'previous') AS previous,
    TRY_CAST(uri_values(request_uri, 'tailLines')[1] AS BIGINT) AS tail_lines,
    outcome, status_code, source_ip, user_agent, audit_id, cluster
FROM requests
WHERE resource = 'pods' AND is_core(api_group) AND subresource = 'log' AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

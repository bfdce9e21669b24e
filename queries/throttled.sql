-- title = "Requests that were throttled"
-- question = "Who was answered with 429, and why?"
-- group = "operations"
-- variant_of = "errors"
-- view = "throttled"
-- kind = "question"
-- severity = "info"
-- attack = ["T1499"]
-- needs = [{ level = "Metadata" }]
-- noise = """
-- Evictions during a drain wait for a disruption budget. What client-go throttles itself never reaches the server."""
--
-- [[examples]]
-- log = "made"
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, subresource, namespace, name, cause, retry_after_seconds,
    message, source_ip, user_agent, audit_id, cluster
FROM throttled
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

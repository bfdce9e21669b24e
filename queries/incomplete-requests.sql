-- title = "Requests without their end"
-- question = "Of which requests is the answer not in the log, and why may that be?"
-- group = "operations"
-- words = ["missing", "gap", "torn", "complete"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1070"]
-- needs = [{ level = "Metadata", stages = ["RequestReceived", "ResponseComplete"] }]
-- caveat = "RequestReceived must be recorded for requests that never started to answer"
-- noise = """
-- Watches that are open when the log ends. A policy that leaves out ResponseComplete makes every request \
-- incomplete."""
--
-- [[examples]]
-- log = "moderate"
-- rows = 2
--
-- [[examples]]
-- log = "production"
-- arguments = ["--verb", "watch"]
-- rows = 19
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, kind, stages, level, user_name, impersonated_user, verb, resource, subresource, namespace, name,
    outcome, source_ip, audit_id, cluster
FROM incomplete_requests
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

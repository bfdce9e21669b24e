-- title = "Errors of the server"
-- question = "Where did the API server, or what is behind it, fail with 5xx?"
-- group = "operations"
-- words = ["500", "server error", "outage"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1499"]
-- needs = [{ level = "Metadata", stages = ["ResponseComplete", "Panic"] }]
-- caveat = "stage Panic tells what broke off"
-- noise = "Nodes that cannot be reached, webhooks that are down, aggregated API servers that restart."
--
-- [[examples]]
-- log = "production"
-- rows = 7
--
-- [[examples]]
-- log = "production"
-- arguments = ["--user", "bob"]
-- rows = 6
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    resource, subresource, api_group, verb, status_code, count(*) AS requests,
    count(*) FILTER (list_contains(stages, 'Panic')) AS panics,
    min(event_time) AS first_seen, max(event_time) AS last_seen, tidy(list(user_name)) AS users,
    min(status_message) AS a_message, min(audit_id) AS an_audit_id
FROM requests
WHERE status_code >= 500 AND filters()
GROUP BY resource, subresource, api_group, verb, status_code
ORDER BY
    last_seen, resource NULLS FIRST, subresource NULLS FIRST, api_group NULLS FIRST, verb NULLS FIRST, status_code

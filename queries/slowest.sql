-- title = "The slowest requests"
-- question = "Which requests took longest, and where was the time spent?"
-- group = "operations"
-- variant_of = "errors"
-- view = "slowest"
-- kind = "question"
-- severity = "info"
-- attack = []
-- needs = [{ level = "Metadata" }]
-- caveat = "the server notes where time went when it took more than half a second"
-- noise = """
-- Streams (watch, exec, logs) last as long as their clients want: they are left out unless `-p streams=true`."""
--
-- [[parameters]]
-- name = "minimum_ms"
-- type = "integer"
-- default = 500
-- meaning = "shortest time that is shown, in milliseconds"
--
-- [[parameters]]
-- name = "streams"
-- type = "boolean"
-- default = false
-- meaning = "long-running requests too"
--
-- [[examples]]
-- log = "production"
-- rows = 3
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "minimum_ms=600000"]
-- rows = 0
SELECT
    date_diff('microsecond', event_time, stage_time) // 1000 AS duration_ms, event_time, user_name, verb, resource,
    subresource, namespace, name, outcome, status_code,
    list_sort(list_transform(
        list_filter(json_keys(json_body(annotations)), lambda key: starts_with(key, 'apiserver.latency.k8s.io/')),
        lambda key: key[26:] || '=' || coalesce(json_text(json_body(annotations), key), '')
    )) AS latencies,
    source_ip, user_agent, audit_id, cluster
FROM requests
WHERE date_diff('microsecond', event_time, stage_time) // 1000 >= $minimum_ms
  AND ($streams OR NOT (
    coalesce(verb = 'watch', false)
    OR coalesce(subresource, '') IN ('exec', 'attach', 'portforward', 'proxy', 'log')
  ))
  AND filters()
ORDER BY
    duration_ms DESC, event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

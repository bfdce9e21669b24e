-- title = "Everything, in order"
-- question = "What happened, request by request?"
-- group = "start"
-- words = ["chronology", "story", "everything", "order"]
-- kind = "question"
-- severity = "info"
-- attack = []
-- needs = [{ level = "Metadata", stages = [] }]
-- noise = "All requests: narrow it with `--since`, `--until`, `--user`, `--source-ip` and the like."
--
-- [[examples]]
-- log = "moderate"
-- rows = 546
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--since", "2026-11-21T20:37:40Z", "--until", "2026-11-21T20:37:41Z"]
-- rows = 37
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb,
    coalesce(
        nullif(concat_ws('/', nullif(concat_ws('.', resource, nullif(api_group, '')), ''),
            CASE WHEN resource IS DISTINCT FROM 'namespaces' THEN namespace END, name, nullif(subresource, '')), ''),
        request_uri
    ) AS object,
    outcome, status_code, source_ip, user_agent, audit_id, cluster
FROM requests
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

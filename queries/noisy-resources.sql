-- title = "What fills the log"
-- question = """
-- Which resource, verb and user make most events and bytes, and which rule of the audit policy would drop them?"""
-- group = "operations"
-- kind = "question"
-- severity = "info"
-- attack = []
-- needs = [{ level = "Metadata", stages = [] }]
-- caveat = "`--outcome` is that of the single event here, so that lines can be counted"
-- noise = """
-- Everything is listed, largest first. Think twice before you drop writes, secrets, RBAC, or what people do."""
--
-- [[examples]]
-- log = "moderate"
-- rows = 45
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
WITH lines AS (
    SELECT
        *,
        CASE
            WHEN status_code < 400 THEN 'allowed'
            WHEN status_code IN (401, 403) THEN 'denied'
            WHEN status_code IS NULL THEN 'unknown'
            ELSE 'failed'
        END AS outcome
    FROM events
),
volume AS (
    SELECT
        api_group, concat_ws('/', resource, nullif(subresource, '')) AS resource,
        CASE WHEN resource IS NULL THEN '/' || split_part(split_part(request_uri, '?', 1), '/', 2) || '*' END AS path,
        verb, user_name, count(*) AS events, sum(byte_length)::BIGINT AS size_bytes
    FROM lines
    WHERE filters()
    GROUP BY ALL
)
SELECT
    events, size_bytes, round(100.0 * events / sum(events) OVER (), 1) AS percent, api_group,
    coalesce(nullif(resource, ''), path) AS resource, verb, user_name,
    '- {level: None, users: [' || coalesce(to_json(user_name)::VARCHAR, '') || '], verbs: ['
        || coalesce(to_json(verb)::VARCHAR, '') || '], '
        || CASE
            WHEN path IS NOT NULL THEN 'nonResourceURLs: [' || to_json(path)::VARCHAR || ']}'
            ELSE 'resources: [{group: ' || to_json(coalesce(api_group, ''))::VARCHAR || ', resources: ['
                || to_json(resource)::VARCHAR || ']}]}'
        END AS policy_rule
FROM volume
ORDER BY
    events DESC, size_bytes DESC, api_group NULLS FIRST, resource NULLS FIRST, path NULLS FIRST, verb NULLS FIRST,
    user_name NULLS FIRST

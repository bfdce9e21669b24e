-- title = "Signs of audit evasion"
-- question = "Which requests chose their audit id, forged addresses, hid characters or paths, or left no answer?"
-- group = "evasion"
-- attack = ["T1070", "T1562"]
-- needs = "level Metadata, all stages; a write that left no answer shows only when RequestReceived is recorded"
-- noise = """
-- Behind a proxy that sets X-Forwarded-For all requests have several addresses: only those with more than usual in \
-- their log are listed. An aggregated API server logs the id of the API server before it."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
--
-- [[examples]]
-- log = "damage"
-- rows = 8
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
WITH usual AS (
    SELECT source_id, quantile_disc(len(source_ips), 0.5) AS addresses FROM events GROUP BY source_id
),
suspects AS (
    SELECT audit_id FROM events
    WHERE NOT regexp_full_match(audit_id, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
       OR len(source_ips) > 1
       OR regexp_matches(concat(user_agent, request_uri), '[\x00-\x1f\x7f\x{80}-\x{9f}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{fffd}]')
       OR regexp_matches(split_part(request_uri, '?', 1), '//|/\.\.?(/|$)|%(2[dDeE]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA])')
       OR (verb = 'patch' AND request_object IS NOT NULL)
    UNION
    SELECT audit_id FROM audit_id_conflicts WHERE kind <> 'forwarded'
    UNION
    SELECT audit_id FROM incomplete_requests WHERE kind = 'not encoded'
),
few AS (
    SELECT * FROM events SEMI JOIN suspects USING (audit_id)
),
signs AS (
    SELECT requests.*, tidy([
        CASE WHEN NOT regexp_full_match(audit_id, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
            THEN 'audit id of a client' END,
        CASE WHEN conflict.kind IS NOT NULL THEN 'audit id ' || conflict.kind END,
        CASE WHEN len(source_ips) > greatest(usual.addresses, 1) THEN 'more addresses than usual' END,
        CASE WHEN regexp_matches(user_agent, '[\x00-\x1f\x7f\x{80}-\x{9f}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{fffd}]')
            THEN 'control characters in the agent' END,
        CASE WHEN regexp_matches(uri_decoded(request_uri), '[\x00-\x1f\x7f\x{80}-\x{9f}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{fffd}]')
            THEN 'control characters in the URI' END,
        -- Letters and digits need no escape, and no client of Kubernetes writes such a path.
        CASE WHEN regexp_matches(
            split_part(request_uri, '?', 1), '//|/\.\.?(/|$)|%(2[dDeE]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA])'
        ) THEN 'path in disguise' END,
        -- Of two members with one name the server takes the last; a reader may take the first.
        CASE WHEN verb = 'patch' AND (
            len(list_distinct(json_keys(json_body(request_object)))) < len(json_keys(json_body(request_object)))
            OR len(list_distinct(json_keys(json_member(json_body(request_object), 'spec'))))
                < len(json_keys(json_member(json_body(request_object), 'spec')))
        ) THEN 'double members in the body' END,
        CASE WHEN verb = 'patch' AND level IN ('Request', 'RequestResponse') AND outcome = 'unknown'
            AND audit_id IN (SELECT audit_id FROM incomplete_requests WHERE kind = 'not encoded')
            THEN 'write without an answer' END
    ]) AS signs
    FROM requests_of('few') AS requests
    LEFT JOIN usual USING (source_id)
    LEFT JOIN (
        SELECT audit_id, min(kind) AS kind FROM audit_id_conflicts WHERE kind <> 'forwarded' GROUP BY audit_id
    ) AS conflict USING (audit_id)
)
SELECT
    event_time, signs, user_name, impersonated_user, verb, request_uri, outcome, status_code, source_ip, source_ips,
    user_agent, audit_id
FROM signs
WHERE len(signs) > 0 AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

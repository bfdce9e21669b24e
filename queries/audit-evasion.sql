-- title = "Signs of audit evasion"
-- question = "Which requests chose their audit id, forged addresses, hid characters or paths, read secrets by writing nothing, or left no answer?"
-- group = "evasion"
-- words = ["hide", "hidden", "cover tracks", "tamper", "logging switched off"]
-- further = ["events-deleted", "incomplete-requests"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1070", "T1562"]
-- needs = [{ level = "Metadata", stages = ["RequestReceived", "ResponseComplete"] }]
-- caveat = "a patch of a secret that changes nothing shows only where its body is logged; a write that left no answer shows only when RequestReceived is recorded"
-- noise = """
-- Behind a proxy that sets X-Forwarded-For all requests have several addresses: only those with more than usual in \
-- their log are listed. An aggregated API server logs the id of the API server before it."""
--
-- [[examples]]
-- log = "metadata"
-- rows = 3
--
-- [[examples]]
-- log = "damage"
-- rows = 8
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
WITH usual AS (
    SELECT source_id, quantile_disc(len(source_ips), 0.5) AS addresses FROM requests GROUP BY source_id
),
conflicts AS (
    SELECT audit_id, min(kind) AS conflict FROM audit_id_conflicts WHERE kind <> 'forwarded' GROUP BY audit_id
),
unanswered AS (
    SELECT event_time, audit_id, true AS unanswered FROM incomplete_requests
    WHERE kind = 'not encoded' AND verb = 'patch'
    GROUP BY event_time, audit_id
),
-- Materialized, or a condition on what was found is planned and asked as a second copy of it.
signs AS MATERIALIZED (
    SELECT
        requests.*,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
        CASE WHEN resource = 'secrets' AND is_core(api_group) AND coalesce(subresource, '') = ''
            THEN secrets_handed_out(outcome, verb, json_body(response_object), request_uri) END AS handed_out,
        tidy([
        CASE WHEN NOT is_server_audit_id(audit_id) THEN 'audit id of the client' END,
        'audit id ' || conflict,
        CASE WHEN len(source_ips) > greatest(usual.addresses, 1) THEN 'more addresses than usual' END,
        CASE WHEN has_hidden_characters(user_agent) THEN 'hidden characters in the agent' END,
        CASE WHEN has_hidden_characters(uri_decoded(request_uri)) THEN 'hidden characters in the URI' END,
        CASE WHEN is_path_disguised(request_uri) THEN 'path in disguise' END,
        CASE WHEN verb = 'patch' AND has_double_members(json_body(request_object))
            THEN 'double members in the body' END,
        CASE WHEN resource = 'secrets' AND is_core(api_group) AND coalesce(subresource, '') = ''
            AND writes_nothing(verb, json_body(request_object), dry_run)
            THEN 'secret asked for by a write of nothing' END,
        CASE WHEN unanswered THEN 'write without an answer' END
    ]) AS signs
    FROM requests
    LEFT JOIN usual USING (source_id)
    LEFT JOIN conflicts USING (audit_id)
    LEFT JOIN unanswered USING (event_time, audit_id)
    -- The list of signs is made for the few that have one.
    WHERE audit_id IS NOT NULL AND (
        conflict IS NOT NULL
        OR unanswered
        OR NOT is_server_audit_id(audit_id)
        OR len(source_ips) > 1
        OR has_hidden_characters(user_agent)
        OR has_hidden_characters(request_uri)
        OR contains(request_uri, '%') AND has_hidden_characters(uri_decoded(request_uri))
        OR is_path_disguised(request_uri)
        OR verb = 'patch' AND has_double_members(json_body(request_object))
        OR resource = 'secrets' AND verb IN ('patch', 'delete', 'deletecollection')
    )
)
SELECT
    event_time, signs, user_name, impersonated_user, verb, resource, subresource, namespace, name, request_uri,
    outcome, status_code, dry_run, handed_out, source_ip, source_ips, user_agent, audit_id, cluster
FROM signs
WHERE len(signs) > 0 AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- What dossiers are made of: the facets of some requests, counted.

-- One row per aspect and value. `requests_asked` names the table, view or CTE whose requests are counted; it needs the
-- columns named below. An aspect that no request has gives no row.
CREATE MACRO dossier_of(requests_asked) AS TABLE
WITH alike AS (
    -- What is costly is asked of kinds of requests, which are few.
    SELECT
        user_name, user_groups, user_extra, user_uid, credential_id, pod_name, node_name, impersonated_user, source_ip,
        source_ips, user_agent, verb, resource, subresource, namespace, decision_reason, cluster, host, outcome,
        coalesce(dry_run, false) AS is_dry_run,
        -- Names and paths make requests different; most of them are not asked for.
        CASE WHEN concat_ws('/', resource, subresource) = '' THEN split_part(request_uri, '?', 1) END AS path,
        resource = 'secrets' AND is_core(api_group) AS is_secret,
        CASE WHEN is_secret OR verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
            THEN name END AS name,
        count(*) AS requests, min(event_time) AS first_seen, max(event_time) AS last_seen
    FROM query_table(requests_asked)
    GROUP BY ALL
),
facets AS (
    SELECT
        outcome, requests, first_seen, last_seen,
        unnest([
            {aspect: 'user', value: user_name},
            {aspect: 'class', value: identity_class(user_name, user_groups, user_extra, credential_id)},
            {aspect: 'groups', value: array_to_string(list_sort(user_groups), ', ')},
            {aspect: 'uid', value: user_uid},
            {aspect: 'credential', value: credential_id},
            {aspect: 'pod', value: pod_name},
            {aspect: 'node', value: node_name},
            {aspect: 'acting as', value: impersonated_user},
            {aspect: 'source_ip', value: source_ip},
            {aspect: 'forwarded for', value: forwarded_for(source_ips)},
            {aspect: 'user_agent', value: user_agent},
            {aspect: 'namespace', value: namespace},
            {aspect: 'action', value: action_of(verb, resource, subresource, path)},
            -- A dry run changes nothing.
            {aspect: if(is_dry_run, 'dry run', 'changed'), value: CASE
                WHEN verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND resource IS NOT NULL THEN
                    concat_ws(
                        ' ', verb, concat_ws('/', resource, subresource), nullif(concat_ws('/', namespace, name), '')
                    )
            END},
            {aspect: 'secret read', value: CASE
                WHEN verb IN ('get', 'list', 'watch') AND is_secret THEN
                    coalesce(nullif(concat_ws('/', namespace, name), ''), 'all namespaces')
            END},
            {aspect: 'allowed by', value: nullif(regexp_replace(decision_reason, '^RBAC: allowed by ', ''), '')},
            {aspect: 'cluster', value: cluster},
            {aspect: 'host', value: host}
        ]) AS facet
    FROM alike
)
SELECT
    facet.aspect AS aspect,
    facet.value AS value,
    sum(requests)::BIGINT AS requests,
    CASE WHEN bool_or(outcome <> 'unknown') THEN coalesce(sum(requests) FILTER (WHERE outcome = 'allowed'), 0) END::BIGINT AS allowed,
    CASE WHEN bool_or(outcome <> 'unknown') THEN coalesce(sum(requests) FILTER (WHERE outcome = 'denied'), 0) END::BIGINT AS denied,
    CASE WHEN bool_or(outcome <> 'unknown') THEN coalesce(sum(requests) FILTER (WHERE outcome = 'failed'), 0) END::BIGINT AS failed,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM facets
WHERE facet.value IS NOT NULL
GROUP BY ALL;

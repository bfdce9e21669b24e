-- What dossiers are made of: the facets of some requests, counted.

-- One row per aspect and value. `requests_asked` names the table, view or CTE whose requests are counted; it needs the
-- columns named below. An aspect that no request has gives no row.
CREATE MACRO dossier_of(requests_asked) AS TABLE
WITH facets AS (
    SELECT
        event_time, outcome,
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
            {aspect: 'action', value: concat_ws(
                ' ', verb,
                coalesce(nullif(concat_ws('/', resource, subresource), ''), regexp_replace(request_uri, '[?].*$', ''))
            )},
            {aspect: 'changed', value: CASE
                WHEN verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND resource IS NOT NULL THEN
                    concat_ws(' ', verb, concat_ws('/', resource, subresource), concat_ws('/', namespace, name))
            END},
            {aspect: 'secret read', value: CASE
                WHEN verb IN ('get', 'list', 'watch') AND resource = 'secrets' THEN
                    coalesce(nullif(concat_ws('/', namespace, name), ''), 'all namespaces')
            END},
            {aspect: 'allowed by', value: nullif(regexp_replace(decision_reason, '^RBAC: allowed by ', ''), '')},
            {aspect: 'cluster', value: cluster},
            {aspect: 'host', value: host}
        ]) AS facet
    FROM query_table(requests_asked)
)
SELECT
    facet.aspect AS aspect,
    facet.value AS value,
    count(*) AS requests,
    count(*) FILTER (WHERE outcome = 'allowed') AS allowed,
    count(*) FILTER (WHERE outcome = 'denied') AS denied,
    count(*) FILTER (WHERE outcome = 'failed') AS failed,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM facets
WHERE facet.value IS NOT NULL
GROUP BY ALL;

-- title = "Somebody tries out what there is"
-- question = "Who asked for many different things, or was refused many different things, within minutes?"
-- group = "discovery"
-- variant_of = "recon"
-- view = "enumeration"
-- words = ["scan", "brute force", "probing"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1613", "T1087", "T1046"]
-- needs = [
--     { verbs = ["get", "list", "watch"], level = "Metadata", stages = ["ResponseStarted", "ResponseComplete"] },
-- ]
-- caveat = "a 401 has no stage but ResponseStarted"
-- noise = """
-- Discovery of kubectl and dashboards asks for many paths and is not counted; inventory, backup and GitOps tools \
-- ask for many objects by name: raise `objects` for them, or exclude them with `--where`. The cluster's own \
-- components are left out unless `-p own=true`."""
--
-- [[parameters]]
-- name = "denials"
-- type = "integer"
-- default = 8
-- meaning = "different refusals before a burst is shown"
--
-- [[parameters]]
-- name = "objects"
-- type = "integer"
-- default = 100
-- meaning = "different objects read before a burst is shown"
--
-- [[parameters]]
-- name = "minutes"
-- type = "integer"
-- default = 5
-- meaning = "length of a burst"
--
-- [[examples]]
-- log = "hardened"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--until", "2026-11-21T20:37:37"]
-- rows = 0
WITH asked AS (
    SELECT
        *,
        coalesce(user_name, 'nobody from ' || source_ip) AS who,
        CASE WHEN resource IS NOT NULL AND verb IN ('get', 'list', 'watch') THEN thing END AS target,
        CASE WHEN outcome = 'denied' THEN verb || ' ' || thing END AS other
    FROM (
        SELECT
            event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user, api_group, resource, subresource,
            namespace, name, outcome, source_ip, source_ips, user_agent, cluster, host,
            -- The list of all pods is one thing, each pod that is asked for by name another.
            CASE
                WHEN resource IS NOT NULL THEN concat_ws('/', resource, subresource, coalesce(namespace, '*'), name)
                ELSE regexp_replace(request_uri, '[?].*$', '')
            END AS thing
        FROM requests
        WHERE verb IN ('get', 'list', 'watch', 'head', 'create', 'post')
    )
    WHERE in_window() AND not_own()
)
SELECT
    burst, any_value(user_name) FILTER (shared_ip IS NULL) AS user_name,
    CASE WHEN shared_ip IS NOT NULL THEN tidy(list(user_name)) END AS users,
    tidy(list(source_ip)) AS source_ips,
    count(*) AS requests, count(DISTINCT other) AS refused,
    count(DISTINCT thing) FILTER (resource IS NOT NULL) AS objects,
    list_sort(list_distinct(list(resource))) AS resources, list_sort(list_distinct(list(namespace))) AS namespaces,
    list_sort(list_distinct(list(user_agent))) AS user_agents,
    min(event_time) AS first_seen, max(event_time) AS last_seen, cluster
FROM (SELECT *, filters() AS is_asked FROM bursts_of('asked', to_minutes($minutes::INTEGER), $objects, $denials))
GROUP BY burst, who, shared_ip, cluster
HAVING bool_or(is_asked)
ORDER BY last_seen, burst, who NULLS LAST, shared_ip NULLS FIRST, cluster NULLS FIRST

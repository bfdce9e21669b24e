-- title = "Somebody tries out what there is"
-- question = "Who asked for many different things, or was refused many different things, within minutes?"
-- group = "discovery"
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
-- components are left out unless `-p platform=true`."""
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
-- [[parameters]]
-- name = "platform"
-- type = "boolean"
-- default = false
-- meaning = "also show the cluster's own components and operators"
--
-- [[examples]]
-- log = "hardened"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--until", "2026-11-21T20:37:37"]
-- rows = 0
SELECT
    time_bucket(to_minutes($minutes::INTEGER), event_time) AS burst, user_name, source_ip,
    count(*) AS requests,
    count(DISTINCT (verb, target)) FILTER (outcome = 'denied') AS refused,
    count(DISTINCT target) FILTER (resource IS NOT NULL) AS objects,
    list_sort(list_distinct(list(resource))) AS resources, list_sort(list_distinct(list(namespace))) AS namespaces,
    list_sort(list_distinct(list(user_agent))) AS user_agents,
    min(event_time) AS first_seen, max(event_time) AS last_seen
FROM (
    SELECT
        event_time, audit_id, verb, request_uri, user_name, resource, namespace, name, outcome, source_ip, user_agent,
        cluster, host,
        -- The list of all pods is one thing, each pod that is asked for by name another.
        CASE
            WHEN resource IS NOT NULL THEN concat_ws('/', resource, subresource, coalesce(namespace, '*'), name)
            ELSE regexp_replace(request_uri, '[?].*$', '')
        END AS target
    FROM requests
    WHERE verb IN ('get', 'list', 'watch', 'head', 'create', 'post')
)
WHERE filters()
  AND ($platform::BOOLEAN OR NOT is_platform(user_name))
GROUP BY burst, user_name, source_ip
HAVING count(DISTINCT (verb, target)) FILTER (outcome = 'denied') >= $denials
    OR count(DISTINCT target) FILTER (resource IS NOT NULL AND verb IN ('get', 'list', 'watch')) >= $objects
ORDER BY last_seen, burst, user_name NULLS FIRST, source_ip NULLS FIRST

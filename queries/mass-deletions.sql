-- title = "Mass deletions"
-- question = "Who deleted or evicted many objects within a minute, or whole collections, namespaces, kinds and APIs, nodes and volumes?"
-- group = "impact"
-- variant_of = "deletions"
-- view = "mass"
-- words = ["wiped", "ransom", "destroyed"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1485", "T1490"]
-- needs = [{ verbs = ["delete", "deletecollection"], level = "Metadata" }]
-- noise = """
-- People who tidy up volumes and take out nodes, clean-up jobs, `helm uninstall`, and operators that are taken out with their definitions. Left out: the control plane, whose garbage collector and namespace \
-- controller delete in masses."""
--
-- [[parameters]]
-- name = "minimum"
-- type = "integer"
-- default = 10
-- meaning = "deletions of one user before they are shown"
--
-- [[parameters]]
-- name = "seconds"
-- type = "integer"
-- default = 60
-- meaning = "time within which they count together"
--
-- [[examples]]
-- log = "hardened"
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
WITH asked AS (
    SELECT
        *, coalesce(user_name, 'nobody from ' || source_ip) AS who,
        concat_ws(' ', event_time, audit_id, request_uri) AS target,
        -- How many objects a collection held is seldom in the log, and a namespace takes all in it along, a definition all of
        -- its kind, an API service what it serves: each is shown, as are nodes and volumes that a hand deletes: what stood on them is gone.
        verb = 'deletecollection'
            OR (resource = 'namespaces' AND is_core(api_group) OR resource IN ('customresourcedefinitions', 'apiservices'))
                AND coalesce(subresource, '') = ''
            OR resource IN ('nodes', 'persistentvolumes', 'persistentvolumeclaims') AND is_core(api_group)
                AND coalesce(subresource, '') = ''
                AND is_by_hand(user_name, user_groups, impersonated_user, user_agent) AS whole,
        CASE WHEN whole THEN target END AS other
    FROM deletions
    WHERE outcome = 'allowed' AND dry_run IS NOT TRUE AND coalesce(subresource, '') <> 'proxy'
      -- A write that took a finalizer away counts where it is known to have deleted.
      AND (verb NOT IN ('update', 'patch') OR deleted = 1)
      AND in_window() AND not_own()
)
SELECT
    burst, any_value(user_name) FILTER (shared_ip IS NULL) AS user_name,
    CASE WHEN shared_ip IS NOT NULL THEN tidy(list(user_name)) END AS users,
    tidy(list(source_ip)) AS source_ips,
    count(*) AS requests, count(*) FILTER (whole) AS collections,
    count(*) FILTER (subresource = 'eviction') AS evictions,
    -- Of a collection the log seldom tells it: then it is NULL, or what is known.
    sum(deleted)::BIGINT AS deleted,
    tidy(list(resource)) AS resources, tidy(list(namespace)) AS namespaces,
    tidy(list(concat_ws('/', resource, CASE WHEN resource <> 'namespaces' THEN namespace END, name))
        FILTER (whole AND name IS NOT NULL)) AS with_all_in_it,
    min(event_time) AS first_seen, max(event_time) AS last_seen, cluster
FROM (SELECT *, filters() AS is_asked FROM bursts_of('asked', to_seconds($seconds::INTEGER), $minimum, 1))
GROUP BY burst, who, shared_ip, cluster
HAVING bool_or(is_asked)
ORDER BY burst, who NULLS LAST, shared_ip NULLS FIRST, cluster NULLS FIRST

-- title = "Mass deletions"
-- question = "Who deleted many objects within a minute, or whole collections?"
-- group = "impact"
-- kind = "detection"
-- severity = "high"
-- attack = ["T1485", "T1490"]
-- needs = [{ verbs = ["delete", "deletecollection"], level = "Metadata" }]
-- noise = """
-- Clean-up jobs and `helm uninstall`. Left out: the control plane, whose garbage collector and namespace \
-- controller delete in masses."""
--
-- [[parameters]]
-- name = "minimum"
-- type = "integer"
-- default = 10
-- meaning = "deletions of one user from one address within a minute"
--
-- [[examples]]
-- log = "hardened"
-- rows = 3
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
WITH deletes AS (
    SELECT *, date_trunc('minute', event_time) AS minute
    FROM deletions
    WHERE outcome = 'allowed' AND NOT dry_run AND coalesce(subresource, '') <> 'proxy'
      AND NOT is_control_plane(user_name)
      AND filters()
)
SELECT
    minute, user_name, source_ip,
    count(*) AS requests, count(*) FILTER (verb = 'deletecollection') AS collections,
    coalesce(sum(deleted), 0)::BIGINT AS deleted,
    tidy(list(resource)) AS resources, tidy(list(namespace)) AS namespaces,
    min(event_time) AS first_seen, max(event_time) AS last_seen
FROM deletes
GROUP BY minute, user_name, source_ip
-- How many objects a collection held is seldom in the log: each is shown.
HAVING count(*) >= $minimum OR coalesce(sum(deleted), 0) >= $minimum OR count(*) FILTER (verb = 'deletecollection') > 0
ORDER BY minute, user_name NULLS FIRST, source_ip NULLS FIRST

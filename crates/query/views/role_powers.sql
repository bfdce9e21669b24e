-- One row per role that a request wrote in the log: what it can do, as far as the log tells.

-- The rules of all writes that succeeded are taken together: a role may have had them when it was used. A role that was
-- written before the log begins has no row.

-- Columns:
-- role: `ClusterRole/name`, or `Role/namespace/name`
-- rules: its rules, a line each, sorted
-- powers: what they give beyond their words, sorted
-- writers: who wrote it, sorted
-- gives_all: whether one of its rules gives every verb on every resource of every API group
-- first_written: time of the first write (UTC)
-- last_written: time of the last write (UTC)
CREATE VIEW role_powers AS
SELECT
    if(resource = 'clusterroles', 'ClusterRole/' || name, concat_ws('/', 'Role', namespace, name)) AS role,
    list(DISTINCT rule ORDER BY rule) AS rules,
    list_sort(list_distinct(flatten(list(powers)))) AS powers,
    list(DISTINCT user_name ORDER BY user_name) AS writers,
    coalesce(bool_or(
        list_contains(verbs, '*') AND list_contains(resources, '*') AND list_contains(api_groups, '*')
        AND coalesce(len(resource_names), 0) = 0
    ), false) AS gives_all,
    min(event_time) AS first_written,
    max(event_time) AS last_written,
    cluster
FROM role_rules
WHERE outcome = 'allowed' AND name IS NOT NULL AND dry_run IS NOT TRUE
GROUP BY ALL;

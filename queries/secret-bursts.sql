-- title = "Many secrets read in a short time"
-- question = "Who read, or tried to read, many different secrets by name within minutes?"
-- group = "access"
-- variant_of = "secrets-listed"
-- view = "bursts"
-- kind = "detection"
-- severity = "high"
-- attack = ["T1552.007", "T1528"]
-- needs = [{ resource = "secrets", verbs = ["get", "list", "watch"], level = "Metadata" }]
-- noise = """
-- GitOps and backup tools read many secrets by name; so does the kubelet when its node starts (left out). Names that do not exist (404) and refusals count as well: they are what guessing looks like."""
--
-- [[parameters]]
-- name = "minimum"
-- type = "integer"
-- default = 3
-- meaning = "distinct secrets before a burst is shown"
--
-- [[parameters]]
-- name = "minutes"
-- type = "integer"
-- default = 5
-- meaning = "length of a burst"
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "minimum=1"]
-- rows = 3
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
WITH asked AS (
    SELECT
        *, coalesce(user_name, 'nobody from ' || source_ip) AS who, concat_ws('/', namespace, name) AS target,
        NULL::VARCHAR AS other
    FROM secret_access
    WHERE in_window()
      AND scope = 'secret' AND name IS NOT NULL AND verb NOT IN ('create', 'update')
      AND not_own()
)
SELECT
    burst, any_value(user_name) FILTER (shared_ip IS NULL) AS user_name,
    CASE WHEN shared_ip IS NOT NULL THEN tidy(list(user_name)) END AS users,
    tidy(list(source_ip)) AS source_ips, tidy(list(user_agent)) AS user_agents,
    count(DISTINCT target) AS secrets, count(*) AS requests,
    count_of(outcome, 'denied') AS denied, count(*) FILTER (status_code = 404) AS not_found,
    list(DISTINCT target ORDER BY target) AS names,
    min(event_time) AS first_seen, max(event_time) AS last_seen, cluster
FROM (SELECT *, filters() AS is_asked FROM bursts_of('asked', to_minutes($minutes::INTEGER), $minimum, NULL))
GROUP BY burst, who, shared_ip, cluster
HAVING bool_or(is_asked)
ORDER BY last_seen, burst, who NULLS LAST, shared_ip NULLS FIRST, cluster NULLS FIRST

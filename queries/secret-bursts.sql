-- title = "Many secrets read in a short time"
-- question = "Who read, or tried to read, many different secrets by name within minutes?"
-- group = "credentials"
-- kind = "detection"
-- severity = "high"
-- attack = ["T1552.007", "T1528"]
-- resources = ["secrets"]
-- needs = [{ resource = "secrets", verbs = ["get", "list", "watch"], level = "Metadata" }]
-- noise = """
-- GitOps and backup tools read many secrets by name; so does the kubelet when its node starts (left out with the \
-- platform). Names that do not exist (404) and refusals count as well: they are what guessing looks like."""
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
-- [[parameters]]
-- name = "platform"
-- type = "boolean"
-- default = false
-- meaning = "also show the cluster's own components and operators"
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "minimum=1"]
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    time_bucket(to_minutes($minutes::INTEGER), event_time) AS burst, user_name, source_ip, user_agent,
    count(DISTINCT (namespace, name)) AS secrets, count(*) AS requests,
    count(*) FILTER (outcome = 'denied') AS denied, count(*) FILTER (status_code = 404) AS not_found,
    list(DISTINCT concat_ws('/', namespace, name) ORDER BY concat_ws('/', namespace, name)) AS names,
    min(event_time) AS first_seen, max(event_time) AS last_seen
FROM secret_access
WHERE filters()
  AND scope = 'secret'
  AND ($platform::BOOLEAN OR NOT is_platform(effective_user))
GROUP BY burst, user_name, source_ip, user_agent
HAVING count(DISTINCT (namespace, name)) >= $minimum
ORDER BY last_seen, burst, user_name NULLS FIRST, source_ip NULLS FIRST, user_agent NULLS FIRST

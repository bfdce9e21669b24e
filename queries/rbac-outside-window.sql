-- title = "RBAC changed outside of working hours"
-- question = "Who changed roles or bindings outside of the hours and days in which changes are made?"
-- group = "privilege"
-- variant_of = "rbac-changes"
-- view = "outside-window"
-- kind = "detection"
-- severity = "low"
-- attack = ["T1098.006", "T1078"]
-- groups = ["rbac.authorization.k8s.io"]
-- needs = [
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterrolebindings", "rolebindings", "clusterroles", "roles"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
-- ]
-- noise = """
-- Pipelines and people in other time zones: hours are UTC. The cluster's own components are left out unless `-p \
-- own=true`."""
--
-- [[parameters]]
-- name = "from_hour"
-- type = "integer"
-- default = 8
-- meaning = "first hour of the window, UTC"
--
-- [[parameters]]
-- name = "to_hour"
-- type = "integer"
-- default = 18
-- meaning = "hour in which the window is over, UTC"
--
-- [[parameters]]
-- name = "weekdays"
-- type = "text"
-- default = "mon,tue,wed,thu,fri"
-- meaning = "days of the window, separated by commas"
--
-- [[examples]]
-- log = "hardened"
-- rows = 7
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "weekdays=sat", "-p", "from_hour=20", "-p", "to_hour=21"]
-- rows = 0
SELECT
    event_time, strftime(event_time, '%a') AS weekday, user_name, impersonated_user, verb, resource, namespace, name,
    role_ref, subjects, outcome, status_code, dry_run, source_ip, audit_id, cluster
FROM rbac_changes
WHERE filters()
  AND NOT (
      list_contains(string_split(lower(replace($weekdays::VARCHAR, ' ', '')), ','), lower(strftime(event_time, '%a')))
      -- A window such as 22 to 6 goes over midnight.
      AND CASE
          WHEN $from_hour::INTEGER <= $to_hour::INTEGER
              THEN hour(event_time) >= $from_hour AND hour(event_time) < $to_hour
          ELSE hour(event_time) >= $from_hour OR hour(event_time) < $to_hour
      END
  )
  AND not_own()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

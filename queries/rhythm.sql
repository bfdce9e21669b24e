-- title = "At which hours people work"
-- question = "At which hours of which weekdays do people and their tools change something?"
-- group = "operations"
-- variant_of = "activity"
-- view = "rhythm"
-- words = ["night", "weekend", "hours"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1078"]
-- needs = [{ level = "Metadata" }]
-- noise = "This is an account, not a detection. Hours are UTC; the cluster's own work is left out unless `-p own=true`."
--
-- [[examples]]
-- log = "hardened"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    isodow(event_time) AS weekday, hour(event_time) AS hour, count(*) AS requests,
    count(DISTINCT user_name) AS users, min(event_time) AS first_seen, max(event_time) AS last_seen
FROM requests
WHERE filters()
  AND is_change(verb, resource, subresource, outcome, request_uri, request_object, level, truncated)
  AND user_name IS NOT NULL
  AND not_own()
  AND NOT starts_with(user_name, 'system:serviceaccount:')
GROUP BY weekday, hour
ORDER BY weekday, hour

-- title = "What admission refused"
-- question = "Which requests passed authorization and were refused by admission, by which plugin, and why?"
-- group = "evasion"
-- kind = "detection"
-- severity = "low"
-- attack = ["T1610", "T1611"]
-- needs = [{ verbs = ["create", "update", "patch", "delete", "deletecollection"], level = "Metadata" }]
-- noise = "Quotas that are used up, and policies that are being introduced."
--
-- [[examples]]
-- log = "hardened"
-- rows = 2
--
-- [[examples]]
-- log = "production"
-- arguments = ["--user", "bob"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, plugin, rule, message, outcome,
    status_code, source_ip, audit_id, cluster
FROM admission_denials
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

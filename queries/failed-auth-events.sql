-- title = "Requests that failed to authenticate or were refused"
-- question = "Which requests got a 401 or 403, one by one, and who refused them?"
-- group = "credentials"
-- variant_of = "failed-auth"
-- view = "events"
-- words = ["login", "401", "403"]
-- kind = "question"
-- severity = "low"
-- attack = ["T1110", "T1078", "T1613"]
-- refusals = true
-- claimed = "forwarded_for"
-- needs = [{ level = "Metadata", stages = ["ResponseStarted", "ResponseComplete"] }]
-- caveat = "a 401 leaves no stage but ResponseStarted"
-- noise = """
-- As for failed-auth, which counts these requests by address. Refused by `admission` means that the user had the \
-- right, but a policy, quota or webhook said no."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 283
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "mallory"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "allowed"]
-- rows = 0
SELECT
    event_time, failure, refused_by, user_name, verb, resource, subresource, namespace, name,
    status_code, status_message, source_ip, forwarded_for(source_ips) AS forwarded_for, user_agent, audit_id, cluster
FROM auth_failures
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Who failed to authenticate or was refused, from where"
-- question = "Which addresses failed to authenticate or were denied, how often, as whom, and with what?"
-- group = "credentials"
-- words = ["login", "logon", "401", "403", "unauthorized", "forbidden", "password guessing", "brute force"]
-- further = ["failed-auth-events", "failed-auth-bursts", "enumeration"]
-- kind = "question"
-- severity = "low"
-- attack = ["T1110", "T1078", "T1613"]
-- refusals = true
-- claimed = "forwarded_for"
-- needs = [{ level = "Metadata", stages = ["ResponseStarted", "ResponseComplete"] }]
-- caveat = "a 401 leaves no stage but ResponseStarted"
-- noise = """
-- Probes and scanners without credentials, clients whose token or certificate has expired, kubelets before they \
-- are registered, controllers that ask for more than their role allows."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--source-ip", "127.0.66.7"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "allowed"]
-- rows = 0
SELECT
    source_ip, failure, count(*) AS attempts,
    coalesce(list(DISTINCT user_name ORDER BY user_name) FILTER (WHERE user_name IS NOT NULL), []) AS users,
    coalesce(list(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL), []) AS user_agents,
    min(event_time) AS first_seen, max(event_time) AS last_seen,
    tidy(list(forwarded_for(source_ips))) AS forwarded_for, cluster
FROM auth_failures
WHERE filters()
GROUP BY source_ip, failure, cluster
ORDER BY last_seen, source_ip NULLS FIRST, failure, cluster NULLS FIRST

-- title = "Everybody who used the cluster"
-- question = """
-- Which users, service accounts and nodes sent requests, with which credentials, from where, and with which \
-- outcome?"""
-- group = "identity"
-- words = ["users", "accounts", "people", "who", "login", "logged in", "signed in"]
-- further = ["origins", "first-seen"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1078"]
-- claimed = "forwarded_for"
-- needs = [{ level = "Metadata" }]
-- noise = """
-- This is an account of identities, not a detection. Requests that failed to authenticate have neither user nor \
-- class."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 25
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
WITH asked AS (
    SELECT
        user_name, user_groups, user_extra, user_uid, credential_id, pod_name, node_name, impersonated_user,
        source_ip, source_ips, user_agent, outcome, event_time, cluster
    FROM requests
    WHERE filters()
)
SELECT
    user_name, class, service_account, credential_ids, pods, nodes, source_ips, user_agents, requests, allowed, denied,
    first_seen, last_seen, cluster, forwarded_for
FROM identities_of('asked')
ORDER BY last_seen, user_name NULLS FIRST, class NULLS FIRST, cluster NULLS FIRST

-- title = "Who acted as somebody else"
-- question = "Who impersonated whom, was it allowed, and what was done with it?"
-- group = "privilege"
-- words = ["act as", "--as", "sudo"]
-- further = ["rbac-changes"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1134", "T1550.001"]
-- needs = [{ level = "Metadata" }]
-- caveat = "from 1.36 on a refused impersonation no longer says whom it was about"
-- noise = """
-- Rancher, Teleport and other gateways impersonate their users in every request; administrators test rights with \
-- `kubectl --as`. `privileged` marks targets that are administrators or the cluster itself."""
--
-- [[examples]]
-- log = "workloads"
-- rows = 3
--
-- [[examples]]
-- log = "hardened"
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "denied"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "alice"]
-- rows = 0
SELECT
    event_time, user_name, impersonation, target, privileged, list_sort(impersonated_groups) AS impersonated_groups,
    impersonation_constraint,
    verb, resource, namespace, name, outcome, source_ip, audit_id, cluster
FROM impersonations
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

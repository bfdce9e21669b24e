-- title = "Requests passed on to kubelets"
-- question = "Who talked to kubelets through the API server, about what, and did it run code?"
-- group = "execution"
-- variant_of = "proxied-requests"
-- view = "kubelets"
-- words = ["kubelet"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1611", "T1609", "T1613"]
-- resources = ["nodes"]
-- needs = [{ resource = "nodes", subresource = "proxy", level = "Metadata", stages = [] }]
-- noise = "Monitoring that reads `/metrics`, `/stats` and `/configz` through the API server: `runs_code` is false."
--
-- [[examples]]
-- log = "hardened"
-- rows = 2
--
-- [[examples]]
-- log = "production"
-- arguments = ["--user", "bob"]
-- rows = 2
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, name, kubelet_path, command_text AS command, runs_code, outcome,
    status_code, source_ip, user_agent, audit_id, cluster
FROM node_proxy
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "What was asked without credentials"
-- question = "Which requests came without credentials, and which of them were allowed?"
-- group = "access"
-- words = ["unauthenticated", "exposed", "probe", "scan"]
-- further = ["failed-auth-events"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1190", "T1078.001"]
-- claimed = "forwarded_for"
-- needs = [{ level = "Metadata" }]
-- caveat = "401s are no anonymous requests, see failed-auth"
-- noise = """
-- Load balancers and probes ask for health, version and login documents, which everybody may: `-p probes=false` leaves \
-- them out, and with them who looks for clusters. A client can forge `forwarded_for`. kubeadm join reads the ConfigMap cluster-info in kube-public \
-- anonymously."""
--
-- [[parameters]]
-- name = "probes"
-- type = "boolean"
-- default = true
-- meaning = "also show allowed requests for health, version and login documents, which everybody may"
--
-- [[examples]]
-- log = "metadata"
-- rows = 16
--
-- [[examples]]
-- log = "production"
-- rows = 10
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, request_uri, resource, subresource, namespace, name, outcome,
    status_code, decision_reason, source_ip, forwarded_for(source_ips) AS forwarded_for, user_agent, audit_id, cluster
FROM anonymous_requests
WHERE filters()
  AND ($probes::BOOLEAN OR NOT (probe AND outcome = 'allowed'))
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

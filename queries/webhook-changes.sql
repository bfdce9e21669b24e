-- title = "Who changed webhooks and admission policies"
-- question = "Who created, changed or deleted admission webhooks and policies, and where do they send objects?"
-- group = "persistence"
-- words = ["backdoor", "admission"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1546", "T1562.001"]
-- needs = [
--     {
--         group = "admissionregistration.k8s.io",
--         resource = ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         group = "admissionregistration.k8s.io",
--         resource = ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "targets",
--     },
-- ]
-- noise = "Operators that bring webhooks, and cert-manager's cainjector, which patches their CA bundles."
--
-- [[examples]]
-- log = "production"
-- rows = 8
--
-- [[examples]]
-- log = "production"
-- arguments = ["--user", "bob"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, name, outcome, status_code, dry_run, webhooks, targets,
    failure_policies, intercepts, source_ip, audit_id, cluster
FROM webhook_changes
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

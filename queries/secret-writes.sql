-- title = "Who created, changed or deleted secrets"
-- question = "Which secrets were written or deleted, by whom, and of what type are they?"
-- group = "access"
-- kind = "question"
-- severity = "low"
-- attack = ["T1552.007", "T1485"]
-- resources = ["secrets"]
-- needs = [
--     {
--         resource = "secrets",
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         resource = "secrets",
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "`type` and `keys`",
--     },
-- ]
-- noise = """
-- Helm keeps each release in a secret `sh.helm.release.v1.…`; cert-manager and other operators renew theirs; \
-- kube-controller-manager fills and cleans up token secrets; the API server marks tokens that are used."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 6
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "kubernetes-admin"]
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--verb", "delete"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, namespace, name, type, keys, outcome, status_code, dry_run,
    source_ip, user_agent, decision_reason, audit_id, cluster
FROM secret_changes
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Secrets that hold a service account token"
-- question = """
-- Who created a secret of type `kubernetes.io/service-account-token`, which holds a token without end, and for \
-- whom?"""
-- group = "persistence"
-- kind = "detection"
-- severity = "high"
-- attack = ["T1098", "T1528"]
-- resources = ["secrets"]
-- needs = [{ resource = "secrets", verbs = ["create", "update", "patch"], level = "Request" }]
-- caveat = "the type stands in the body"
-- noise = """
-- Up to 1.23 kube-controller-manager makes one for each service account (left out unless `-p platform=true`); \
-- installers and pipelines that need a token without end."""
--
-- [[parameters]]
-- name = "platform"
-- type = "boolean"
-- default = false
-- meaning = "also show the cluster's own components and operators"
--
-- [[examples]]
-- log = "hardened"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, namespace, name, token_for, outcome, status_code,
    source_ip, user_agent, decision_reason, audit_id
FROM secret_changes
WHERE filters()
  AND type = 'kubernetes.io/service-account-token'
  AND verb = 'create'
  AND ($platform::BOOLEAN OR NOT is_platform(effective_user))
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

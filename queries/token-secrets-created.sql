-- title = "Secrets that hold a token of a service account or of a joining node"
-- question = """
-- Who created a secret of type `kubernetes.io/service-account-token`, which holds a token without end, and for \
-- whom?"""
-- group = "credentials"
-- variant_of = "token-requests"
-- view = "secrets"
-- words = ["backdoor"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1098", "T1528"]
-- resources = ["secrets"]
-- needs = [{ resource = "secrets", verbs = ["create", "update", "patch"], level = "Request" }]
-- caveat = "the type stands in the body"
-- noise = """
-- Up to 1.23 kube-controller-manager makes one for each service account (left out unless `-p own=true`); \
-- installers and pipelines that need a token without end."""
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
    event_time, user_name, impersonated_user, verb, namespace, name, type, token_for, outcome, status_code, dry_run,
    source_ip, user_agent, decision_reason, audit_id, cluster
FROM secret_changes
WHERE filters()
  AND (
    type = 'kubernetes.io/service-account-token'
    -- A join token, by its type or by the name that the server asks of it.
    OR type = 'bootstrap.kubernetes.io/token' OR namespace = 'kube-system' AND starts_with(name, 'bootstrap-token-')
  )
  -- Server-side apply creates by a patch, and an update can change whom a token is for.
  AND is_write(verb)
  AND not_own()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

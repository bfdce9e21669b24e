-- title = "Tokens minted by people, for long, or for the system"
-- question = """
-- Who minted a token that lives long, or is for a service account of a system namespace, and is bound to no pod?"""
-- group = "credentials"
-- variant_of = "token-requests"
-- view = "long-lived"
-- words = ["backdoor", "years", "expire"]
-- further = ["token-use"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1528", "T1098"]
-- resources = ["serviceaccounts"]
-- needs = [
--     { resource = "serviceaccounts", subresource = "token", verbs = ["create"], level = "Metadata" },
--     {
--         resource = "serviceaccounts",
--         subresource = "token",
--         verbs = ["create"],
--         level = "Request",
--         tells = "lifetime and binding",
--     },
-- ]
-- noise = """
-- Pipelines and dashboards for which somebody runs `kubectl create token`. The cluster's own components are left \
-- out unless `-p own=true`."""
--
-- [[parameters]]
-- name = "hours"
-- type = "integer"
-- default = 24
-- meaning = "lifetime that is still usual"
--
-- [[examples]]
-- log = "hardened"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "alice"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, minter_class, service_account, requested_seconds, granted_seconds,
    bound_to, audiences, issued_credential_id, outcome, status_code, source_ip, user_agent, audit_id, cluster
FROM token_requests
WHERE filters()
  -- A token dies with its pod; with a secret or node only when somebody deletes these.
  AND (bound_to IS NULL OR NOT starts_with(bound_to, 'Pod/'))
  AND (is_system_namespace(namespace) OR coalesce(granted_seconds, requested_seconds) > $hours::BIGINT * 3600)
  -- A kubelet asks for tokens of its pods, bound to them, and is refused any other (NodeRestriction); `requested_seconds` tells
  -- that what was asked for is in the log.
  AND (not_own() OR starts_with(user_name, 'system:node:') AND requested_seconds IS NOT NULL)
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

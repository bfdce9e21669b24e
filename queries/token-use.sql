-- title = "What was done with tokens that were minted"
-- question = "Which requests were made with a token whose minting is in the log, and who minted it?"
-- group = "credentials"
-- variant_of = "token-requests"
-- view = "use"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1528", "T1550.001"]
-- needs = [
--     { resource = "serviceaccounts", subresource = "token", verbs = ["create"], level = "Metadata" },
--     { level = "Metadata" },
-- ]
-- caveat = "Kubernetes 1.30 or later"
-- noise = """
-- Every pod uses a token that its kubelet minted, every controller one of kube-controller-manager's: those are \
-- left out unless `-p own=true`. Tokens minted by people or pipelines remain."""
--
-- [[examples]]
-- log = "identities"
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, service_account, minted_by, minted_at, minted_from, verb, resource,
    namespace, name, outcome, source_ip, elsewhere, credential_id, audit_id, cluster
FROM token_use
WHERE filters()
  AND ($own::BOOLEAN OR NOT minted_by_own)
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

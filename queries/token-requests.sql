-- title = "Tokens that were minted for service accounts"
-- question = "Who asked for a token of which service account, for how long, and which token was it?"
-- group = "credentials"
-- words = ["serviceaccount token", "mint"]
-- further = ["token-use", "long-lived-tokens"]
-- kind = "question"
-- severity = "low"
-- attack = ["T1528", "T1098"]
-- resources = ["serviceaccounts"]
-- needs = [
--     { resource = "serviceaccounts", subresource = "token", verbs = ["create"], level = "Metadata" },
--     {
--         resource = "serviceaccounts",
--         subresource = "token",
--         verbs = ["create"],
--         level = "Request",
--         tells = "lifetime and audiences",
--     },
-- ]
-- caveat = "the token's id needs Kubernetes 1.30"
-- noise = """
-- kubelets ask for the tokens of their pods (bound to the pod), kube-controller-manager for those of its \
-- controllers (1 hour), Vault, Argo CD and pipelines for theirs. People who do are rare: see long-lived-tokens."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 22
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "denied"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, minter_class, service_account, requested_seconds, granted_seconds,
    audiences, bound_to, issued_credential_id, outcome, status_code, source_ip, audit_id, cluster
FROM token_requests
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

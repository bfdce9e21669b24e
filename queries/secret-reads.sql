-- title = "Who read which secret"
-- question = "Which requests read secrets, by whom, from where, and were they allowed?"
-- group = "access"
-- words = ["credential", "password", "leak", "who read"]
-- further = ["secret-values", "first-seen"]
-- kind = "question"
-- severity = "low"
-- attack = ["T1552.007"]
-- resources = ["secrets"]
-- needs = [{ resource = "secrets", verbs = ["get", "list", "watch"], level = "Metadata" }]
-- caveat = "a list shows no names, whatever the level"
-- noise = """
-- The API server and kube-controller-manager list all secrets when they start; the kubelet gets and watches those of \
-- its pods; ingress, certificate and GitOps controllers list, get and watch all the time. Other verbs can hand out \
-- values as well: see secret-values."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 130
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "denied"]
-- rows = 6
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob", "--until", "2026-11-21T20:37"]
-- rows = 0
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, namespace, name, outcome, status_code, source_ip, user_agent,
    decision_reason, audit_id, cluster
FROM requests
WHERE resource = 'secrets' AND is_core(api_group)
  AND coalesce(subresource, '') = ''
  -- Each of the three hands the values to the client.
  AND verb IN ('get', 'list', 'watch')
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Certificates that were asked for, approved and signed"
-- question = "Who asked for a certificate, who approved and who signed it, and for which user and groups is it?"
-- group = "persistence"
-- words = ["certificate", "kubeconfig"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1098", "T1552", "T1649"]
-- resources = ["certificatesigningrequests"]
-- needs = [
--     {
--         resource = "certificatesigningrequests",
--         subresource = ["", "approval"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         resource = "certificatesigningrequests",
--         verbs = ["create"],
--         level = "Request",
--         tells = "signer, usages and names",
--     },
-- ]
-- noise = """
-- Kubelets ask for their client and server certificates at join and rotation; kube-controller-manager approves the \
-- former and signs both; cert-manager signs CSRs in its own name."""
--
-- [[examples]]
-- log = "production"
-- rows = 3
--
-- [[examples]]
-- log = "metadata"
-- arguments = ["--user", "bob"]
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, action, name, signer_name, usages, requested_by, subject_user,
    subject_groups, self_approved, outcome, dry_run, source_ip, audit_id, cluster
FROM csr_activity
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

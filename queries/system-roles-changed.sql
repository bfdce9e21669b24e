-- title = "Default roles and bindings changed"
-- question = """
-- Who changed or deleted a role or binding that Kubernetes or the provider brings, or made one that looks like it?"""
-- group = "privilege"
-- variant_of = "rbac-changes"
-- view = "defaults"
-- kind = "detection"
-- severity = "critical"
-- attack = ["T1098.006", "T1222"]
-- groups = ["rbac.authorization.k8s.io"]
-- needs = [
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterrolebindings", "rolebindings", "clusterroles", "roles"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
-- ]
-- noise = """
-- The API server repairs its default roles at every start (left out unless `-p own=true`); \
-- kubeadm and add-ons create `system:…` and `kubeadm:…` roles when they are installed or upgraded."""
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "own=true"]
-- rows = 127
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, selector_of(request_uri) AS selector,
    role_ref, subjects_added AS subjects, deleted,
    outcome, status_code, dry_run, source_ip, user_agent, audit_id, cluster
FROM rbac_changes
WHERE filters()
  AND (
      regexp_matches(name, '^(system|eks|kubeadm|gce|aks):') OR name IN ('cluster-admin', 'admin', 'edit', 'view')
      -- All of them at once.
      OR verb = 'deletecollection'
  )
  -- Both are changed by their owners all the time.
  AND name IS DISTINCT FROM 'system:coredns' AND name IS DISTINCT FROM 'system:managed-certificate-controller'
  AND not_own()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Who changed system namespaces"
-- question = "Who but the control plane wrote to kube-system and the other namespaces of the cluster?"
-- group = "persistence"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1036.005", "T1610", "T1098"]
-- needs = [{ verbs = ["create", "update", "patch", "delete", "deletecollection"], level = "Metadata" }]
-- noise = """
-- Installation of add-ons; Helm. Operators and GitOps. Left out: writes of leases and events, sessions (exec-sessions), \
-- and, unless `-p own=true`, the cluster's own work."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 8
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 8
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, subresource, namespace, name, outcome, status_code,
    dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
    source_ip, user_agent, audit_id, cluster
FROM requests
WHERE is_write_or_delete(verb)
  AND is_system_namespace(namespace)
  AND not_own()
  AND coalesce(subresource, '') NOT IN ('exec', 'attach', 'portforward', 'proxy')
  AND NOT (resource IN ('leases', 'events') AND verb IN ('create', 'update', 'patch'))
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Nodes that joined"
-- question = "Which nodes were registered, by whom and from where, and which attempts failed?"
-- group = "persistence"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1078"]
-- resources = ["nodes"]
-- needs = [{ resource = "nodes", verbs = ["create"], level = "Metadata" }]
-- noise = "Autoscalers and kubelets that start. A kubelet that is there already is answered with 409."
--
-- [[examples]]
-- log = "production"
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user,
    coalesce(name, json_text(json_member(json_body(response_object), 'metadata'), 'name'),
        json_text(json_member(json_body(request_object), 'metadata'), 'name')) AS node,
    outcome, status_code, status_message,
    dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
    source_ip, user_agent, credential_id, audit_id, cluster
FROM requests
WHERE resource = 'nodes' AND is_core(api_group)
  -- Server-side apply creates by a patch.
  AND (verb = 'create' OR verb = 'patch' AND status_code = 201)
  AND coalesce(subresource, '') = ''
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

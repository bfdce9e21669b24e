-- title = "Who changed service accounts"
-- question = "Who created, changed or deleted service accounts?"
-- group = "persistence"
-- kind = "question"
-- severity = "low"
-- attack = ["T1136", "T1098"]
-- resources = ["serviceaccounts"]
-- needs = [
--     {
--         resource = "serviceaccounts",
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
-- ]
-- noise = """
-- The service account controller makes `default` in every namespace, and kube-controller-manager an account for \
-- each of its controllers. Tokens are another question: token-requests."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 46
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 1
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, namespace,
    coalesce(name, json_text(json_member(json_body(response_object), 'metadata'), 'name')) AS name,
    json_texts(json_members(
        json_items(stored_or_sent(response_object, request_object), 'secrets')
            || json_items(stored_or_sent(response_object, request_object), 'imagePullSecrets'), 'name'
    )) AS secrets,
    outcome, status_code,
    dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
    source_ip, user_agent, audit_id, cluster
FROM requests
WHERE resource = 'serviceaccounts' AND is_core(api_group) AND coalesce(subresource, '') = ''
  AND is_write_or_delete(verb)
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

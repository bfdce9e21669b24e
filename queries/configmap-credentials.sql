-- title = "Credentials in ConfigMaps"
-- question = "Who wrote a ConfigMap that seems to hold a password, key or token?"
-- group = "credentials"
-- variant_of = "credentials-in-log"
-- view = "configmaps"
-- words = ["password", "leak"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1552.001", "T1552.007"]
-- resources = ["configmaps"]
-- needs = [{ resource = "configmaps", verbs = ["create", "update", "patch"], level = "Request" }]
-- noise = """
-- Names such as `password_file`, examples and templates. Values are never shown, only the key and what it looks \
-- like."""
--
-- [[examples]]
-- log = "identities"
-- rows = 1
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, namespace, name, signs, outcome, status_code, dry_run,
    source_ip, user_agent, audit_id, cluster
FROM (
    SELECT
        * EXCLUDE (request_object, response_object, name),
        coalesce(name, json_text(json_member(json_body(response_object), 'metadata'), 'name')) AS name,
        configmap_signs(json_body(request_object)) || configmap_signs(json_body(response_object)) AS found,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
        list_sort(list_distinct(found)) AS signs
    FROM requests
    WHERE resource = 'configmaps' AND is_core(api_group) AND is_write(verb)
)
WHERE filters()
  AND len(signs) > 0
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

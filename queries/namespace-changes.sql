-- title = "Who changed namespaces"
-- question = "Who created, changed or deleted namespaces, and which Pod Security labels did they set?"
-- group = "impact"
-- variant_of = "deletions"
-- view = "namespaces"
-- kind = "question"
-- severity = "low"
-- attack = ["T1485", "T1562.001"]
-- resources = ["namespaces"]
-- needs = [
--     {
--         resource = "namespaces",
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     { resource = "namespaces", verbs = ["create", "update", "patch"], level = "Request", tells = "labels" },
-- ]
-- noise = "The namespace controller finalizes what is deleted (`finalize`, `status`)."
--
-- [[examples]]
-- log = "hardened"
-- rows = 10
--
-- [[examples]]
-- log = "production"
-- rows = 10
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, subresource, name,
    tidy(flatten(list_transform(
        json_members(json_members(body_parts(json_body(request_object)), 'metadata'), 'labels'),
        lambda labels: list_transform(
            list_filter(json_keys(labels), lambda label: starts_with(label, 'pod-security.kubernetes.io/')),
            lambda label: label || '=' || coalesce(json_extract_string(json_member(labels, label), '$'), '')
        )
    )) || list_transform(
        list_filter(
            coalesce(json_objects(json_body(request_object)), []),
            lambda op: json_text(op, 'op') = 'remove' AND contains(json_text(op, 'path'), 'pod-security.kubernetes.io')
        ),
        lambda op: 'removed ' || replace(regexp_extract(json_text(op, 'path'), '[^/]*$'), '~1', '/')
    )) AS pod_security_labels,
    outcome, status_code,
    dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
    source_ip, user_agent, audit_id, cluster
FROM requests
WHERE resource = 'namespaces' AND is_core(api_group) AND is_write_or_delete(verb) AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

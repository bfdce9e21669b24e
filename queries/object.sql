-- title = "The life of one object"
-- question = """
-- Who created, read, changed and deleted an object? Say which by `--resource`, `--namespace` and `--name`."""
-- group = "start"
-- value = "resource/namespace/name"
-- words = ["history", "resource", "who touched", "changed"]
-- further = ["timeline"]
-- kind = "question"
-- severity = "info"
-- attack = []
-- needs = [{ level = "Metadata" }]
-- noise = "Lists and watches name no object and are not rows here, though they read it."
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--resource", "clusterroles", "--name", "wild"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--resource", "secrets", "--namespace", "prod", "--name", "db-credentials"]
-- rows = 5
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, subresource, namespace, name,
    json_text(json_member(json_body(response_object), 'metadata'), 'resourceVersion') AS stored_version,
    -- Members of the body that was sent: of a patch, what it changed.
    tidy(flatten(list_transform(
        body_parts(json_body(request_object)),
        lambda part: list_transform(
            list_filter(json_pairs(part::JSON), lambda pair: pair[1] NOT IN ('kind', 'apiVersion')),
            lambda pair: concat_ws('.', pair[1], CASE WHEN len(json_keys(pair[2])) <= 3
                THEN nullif(array_to_string(json_keys(pair[2]), '+'), '') END)
        )
    ))) AS sent,
    outcome, status_code, source_ip, audit_id
FROM requests
WHERE name IS NOT NULL AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

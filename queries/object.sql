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
-- needs = [
--     { level = "Metadata" },
--     { verbs = ["deletecollection"], level = "RequestResponse", tells = "which objects went with all of their kind" },
-- ]
-- caveat = "how an object made with `generateName` is called stands in the server's answer alone, at RequestResponse"
-- noise = """
-- Lists and watches name no object and are not rows here, though they read it. A deletion of all objects of a kind names none \
-- either and took it along when it was there: say its namespace, and `covering` says which they were."""
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
WITH named AS (
    SELECT *, NULL AS covering FROM requests WHERE name IS NOT NULL
    UNION ALL
    -- With `generateName` the server makes the name: only its answer tells how the object is called.
    SELECT * REPLACE (json_text(json_member(response_object, 'metadata'), 'name') AS name), NULL AS covering
    FROM requests
    WHERE name IS NULL AND verb = 'create' AND outcome = 'allowed' AND response_object IS NOT NULL
    UNION ALL
    -- Whatever it matched is gone, and it names none.
    SELECT
        *,
        concat_ws(
            ' ', 'all', resource, 'of ' || namespace,
            'with ' || nullif(concat_ws(
                ' ', nullif(uri_values(request_uri, 'labelSelector')[1], ''), nullif(uri_values(request_uri, 'fieldSelector')[1], '')
            ), '')
        ) AS covering
    FROM requests
    WHERE name IS NULL AND verb = 'deletecollection' AND resource IS NOT NULL
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, subresource, namespace, name,
    json_text(json_member(response_object, 'metadata'), 'resourceVersion') AS stored_version,
    -- Members of the body that was sent: of a patch, what it changed.
    sent_members(coalesce(request_object, '')) AS sent, covering,
    outcome, status_code, source_ip, audit_id, cluster
FROM named
WHERE (name IS NOT NULL OR covering IS NOT NULL) AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

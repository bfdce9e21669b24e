-- title = "Whose images were changed"
-- question = "Which running workloads got other images, from which to which, and by whom?"
-- group = "execution"
-- variant_of = "images"
-- view = "changes"
-- words = ["container", "supply chain", "registry"]
-- kind = "detection"
-- severity = "low"
-- attack = ["T1610", "T1525", "T1609"]
-- resources = ["makes_pods()"]
-- needs = [
--     {
--         resource = ["pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--     },
-- ]
-- caveat = "the images of before need an earlier write in the case"
-- noise = "Rollouts by CI and GitOps; image automation."
--
-- [[examples]]
-- log = "workloads"
-- rows = 3
--
-- [[examples]]
-- log = "made"
-- rows = 5
--
-- [[examples]]
-- log = "production"
-- rows = 0
WITH writes AS (
    SELECT
        *,
        -- A patch without its answer holds a part; all else is the whole template.
        seen_in = 'response' OR verb <> 'patch' AS is_whole,
        row_number() OVER (
            PARTITION BY cluster, api_group, resource, namespace, name
            ORDER BY event_time, audit_id, verb, request_uri, source_ip, user_name
        ) AS position
    FROM workload_specs
    WHERE outcome = 'allowed' AND dry_run IS NOT TRUE AND name IS NOT NULL AND len(images) > 0
      -- Pods of a template have new names; a pod's image can be changed in place.
      AND coalesce(subresource, '') <> 'resize' AND NOT starts_pods(subresource)
),
containers AS (
    SELECT
        *, split_part(pair, '=', 1) AS container, pair[instr(pair, '=') + 1:] AS image,
        bool_or(is_whole) OVER earlier AS was_whole,
        coalesce(list(pair[instr(pair, '=') + 1:]) OVER earlier, []) AS images_known
    FROM (SELECT *, unnest(image_of) AS pair FROM writes)
    WINDOW earlier AS (
        PARTITION BY cluster, api_group, resource, namespace, name ORDER BY position
        RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
compared AS (
    SELECT *, lag(image) OVER (
        PARTITION BY cluster, api_group, resource, namespace, name, container ORDER BY position
    ) AS image_before
    FROM containers
),
changes AS (
    SELECT
        event_time, user_name, user_groups, impersonated_user, verb, resource, subresource, api_group, namespace, name,
        outcome, source_ip, source_ips, user_agent, request_uri, cluster, host, audit_id,
        tidy(list(image_before)) AS images_before, tidy(list(image)) AS images,
        tidy(list(CASE WHEN container <> '' THEN container || ': ' ELSE '' END || coalesce(image_before, 'none') || ' -> ' || image) FILTER (
            image IS DISTINCT FROM image_before
        )) AS changed
    FROM compared
    -- A container that was not there before is new where the whole template was known; where nothing was known, a patch
    -- that names an image was sent to change it.
    WHERE image <> image_before
       OR image_before IS NULL AND was_whole AND container <> ''
       -- A JSON Patch says where in the list: what was in none of the containers is new.
       OR container = '' AND NOT list_contains(images_known, image)
       OR image_before IS NULL AND was_whole IS NULL AND container <> '' AND verb = 'patch'
           -- What server-side apply created had none before.
           AND status_code IS DISTINCT FROM 201 AND list_contains(sent_images, image)
    GROUP BY ALL
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name,
    CASE WHEN len(images_before) > 0 THEN images_before END AS images_before, images, changed, outcome, source_ip,
    user_agent, audit_id, cluster
FROM changes
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

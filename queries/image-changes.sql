-- title = "Whose images were changed"
-- question = "Which running workloads got other images, from which to which, and by whom?"
-- group = "execution"
-- kind = "detection"
-- severity = "low"
-- attack = ["T1610", "T1525", "T1609"]
-- resources = [
--     "pods", "deployments", "daemonsets", "statefulsets", "replicasets", "replicationcontrollers", "jobs",
--     "cronjobs", "podtemplates", "deploymentconfigs", "rollouts"
-- ]
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
-- log = "made"
-- rows = 5
--
-- [[examples]]
-- log = "production"
-- rows = 0
WITH writes AS (
    SELECT
        *,
        lag(images) OVER (
            PARTITION BY cluster, api_group, resource, namespace, name
            ORDER BY event_time, audit_id, verb, request_uri, source_ip, user_name
        ) AS images_before
    FROM workload_specs
    WHERE outcome = 'allowed' AND NOT dry_run AND name IS NOT NULL AND len(images) > 0
      -- Pods of a template have new names; a pod's image can be changed in place.
      AND coalesce(subresource, '') <> 'resize'
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, images_before, images, outcome,
    source_ip, user_agent, audit_id
FROM writes
WHERE verb IN ('update', 'patch')
  -- Without an earlier write, a patch that names an image is shown: it was sent to change it.
  AND (images_before <> images OR (images_before IS NULL AND verb = 'patch' AND len(sent_images) > 0))
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Workloads that were stopped"
-- question = """
-- Who scaled workloads to nothing, suspended jobs, or limited and deleted autoscalers: what should run, and does not?"""
-- group = "impact"
-- variant_of = "placement-and-priority"
-- view = "stopped"
-- words = ["scale", "replicas", "suspend", "hpa", "autoscaler", "service stop"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1489"]
-- resources = ["makes_pods()", "horizontalpodautoscalers"]
-- needs = [
--     {
--         resource = ["deployments", "statefulsets", "replicasets", "replicationcontrollers", "jobs", "cronjobs"],
--         verbs = ["update", "patch"],
--         level = "Request",
--     },
--     { resource = ["deployments", "statefulsets"], subresource = "scale", verbs = ["update", "patch"], level = "Request" },
--     {
--         resource = "horizontalpodautoscalers",
--         verbs = ["update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--         tells = "autoscalers that were limited or deleted",
--     },
-- ]
-- noise = """
-- People who scale down for the night or for an upgrade, and who tune autoscalers; add-ons that scale to nothing when nobody \
-- asks (Knative, KEDA), roll out (Argo Rollouts) or queue jobs (Kueue). Left out: what the control plane scales."""
--
-- [[examples]]
-- log = "workloads"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
WITH writes AS (
    SELECT
        *, body_parts(json_body(request_object)) AS parts,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM requests
    WHERE (verb IN ('update', 'patch', 'delete', 'deletecollection')) IS TRUE
      -- Deletions of workloads stand elsewhere.
      AND (resource = 'horizontalpodautoscalers' AND coalesce(subresource, '') = ''
        OR makes_pods(api_group, resource) AND verb IN ('update', 'patch') AND coalesce(subresource, '') IN ('', 'scale')
            AND request_object IS NOT NULL)
      -- Controllers of the cluster scale and suspend all day.
      AND filters() AND not_own()
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, subresource, namespace, name,
    CASE
        WHEN resource <> 'horizontalpodautoscalers' THEN stops_pods(verb, parts)
        WHEN verb IN ('delete', 'deletecollection') THEN 'deleted'
        ELSE coalesce(
            'at most ' || json_members(json_members(parts, 'spec'), 'maxReplicas')[1]::VARCHAR,
            -- Without a body it may be a limit as well.
            CASE WHEN request_object IS NULL THEN 'changed' END)
    END AS what,
    outcome, status_code, dry_run, source_ip, user_agent, audit_id, cluster
FROM writes
WHERE what IS NOT NULL
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

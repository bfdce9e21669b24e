-- title = "Who added containers to running pods"
-- question = "Who put an ephemeral container into a running pod, with which image?"
-- group = "execution"
-- variant_of = "privileged-workloads"
-- view = "ephemeral"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1609", "T1611"]
-- resources = ["pods"]
-- needs = [
--     { resource = "pods", subresource = "ephemeralcontainers", verbs = ["update", "patch"], level = "Metadata" },
--     {
--         resource = "pods",
--         subresource = "ephemeralcontainers",
--         verbs = ["update", "patch"],
--         level = "Request",
--         tells = "the images",
--     },
-- ]
-- noise = "`kubectl debug` by people who may."
--
-- [[examples]]
-- log = "hardened"
-- rows = 1
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, namespace, name, ephemeral_images, reasons, outcome, status_code,
    status_message, dry_run, source_ip, user_agent, audit_id, cluster
FROM workload_changes
WHERE resource = 'pods' AND is_core(api_group) AND subresource = 'ephemeralcontainers' AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

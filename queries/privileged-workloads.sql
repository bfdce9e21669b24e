-- title = "Workloads that reach the node"
-- question = """
-- Who wrote which workload that is privileged, shares namespaces of the node, mounts its paths, takes its ports, sets its kernel, \
-- adds capabilities, or builds images in a privileged pod, and why is it listed?"""
-- group = "execution"
-- words = ["hostpath", "escape", "host", "root", "breakout", "workflow", "kruise", "tekton", "knative", "kubevirt", "buildconfig"]
-- further = ["exec-sessions", "images"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1611", "T1610"]
-- resources = ["makes_pods()"]
-- needs = [
--     {
--         resource = ["pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--     },
-- ]
-- caveat = "at RequestResponse also for patches whole templates; kinds of add-ons, such as Workflows, only where their groups are logged"
-- noise = """
-- Agents for networking, storage and monitoring when they are installed, and on OpenShift whoever builds images of \
-- Dockerfiles. Left out unless `-p own=true`: \
-- pods and the like that controllers make of a template that is listed itself, and mirrors of static pods."""
--
-- [[examples]]
-- log = "workloads"
-- rows = 22
--
-- [[examples]]
-- log = "hardened"
-- rows = 2
--
-- [[examples]]
-- log = "moderate"
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "alice"]
-- rows = 0
WITH templates AS (
    -- Controllers repeat a template for each pod: such a row is left out where the template itself is a row. Where the
    -- policy logs pods alone, or the template was written before the log begins, the pods are all that shows it.
    SELECT DISTINCT cluster AS in_cluster, namespace AS in_namespace, resource || '/' || name AS template
    FROM workload_specs
    WHERE len(reasons) > 0 AND outcome = 'allowed' AND dry_run IS NOT TRUE
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, reasons, images,
    service_account, outcome, status_code, dry_run, source_ip, audit_id, cluster
FROM workload_specs
WHERE len(reasons) > 0
  AND filters()
  -- Mirrors of static pods are in static-pods.
  AND (not_own() OR NOT mirror_pod AND (
    owner IS NULL OR NOT EXISTS (
        FROM templates
        -- `CloneSet/web` is of `clonesets`.
        WHERE template = lower(split_part(owner, '/', 1)) || 's/' || substr(owner, instr(owner, '/') + 1) AND in_namespace IS NOT DISTINCT FROM namespace AND in_cluster IS NOT DISTINCT FROM cluster
    )
  ))
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- One row per write to a workload, with what is known of its template.

-- Rows come from level Metadata on; templates only where a body was logged. `binding` and `status` are left out: they
-- are written for every pod by the scheduler and the kubelets, and change no template.
--
-- Columns:
-- name: of the object; for `generateName` the name that the server made, when the answer is in the log
-- owner: controller that the object belongs to; NULL for what somebody made by hand, and when no body was logged
-- dry_run: whether it was a dry run, which stores nothing; NULL for a delete of which the log does not tell
-- images: images of all containers; NULL when no body was logged
-- sent_images: images that the request itself named; NULL when no body was logged
-- ephemeral_images: images of the ephemeral containers alone; NULL when no body was logged
-- commands: commands of the containers with their arguments; NULL when no body was logged
-- service_account: service account that the pods run as
-- schedule: of a CronJob, or of what an add-on has in its place
-- mirror_pod: whether a kubelet shows a static pod with it; NULL when no body was logged
-- reasons: why the pods could get at the node or at others; NULL when no body was logged
CREATE VIEW workload_changes AS
WITH writes AS (
    SELECT
        event_time, audit_id, verb, source_ip, source_ips, resource, api_group, user_name, user_groups, request_uri,
        impersonated_user,
        subresource, namespace, name, outcome, status_code, status_message, user_agent, credential_id, pod_name,
        node_name, decision_reason, cluster, host,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM requests
    WHERE makes_pods(api_group, resource)
      AND is_write_or_delete(verb)
      AND (coalesce(subresource, '') IN ('', 'ephemeralcontainers', 'resize', 'scale', 'eviction') OR starts_pods(subresource))
)
SELECT
    writes.event_time, writes.user_name, writes.user_groups, writes.impersonated_user, writes.verb, writes.resource, writes.subresource,
    writes.namespace, coalesce(writes.name, specs.name) AS name, writes.outcome, writes.status_code,
    writes.status_message, writes.dry_run, specs.owner, specs.images, specs.sent_images,
    specs.ephemeral_images, specs.commands, specs.service_account, specs.schedule, specs.mirror_pod, specs.reasons,
    writes.source_ip, writes.source_ips, writes.user_agent, writes.credential_id, writes.pod_name, writes.node_name,
    writes.decision_reason, writes.api_group, writes.cluster, writes.host, writes.request_uri, writes.audit_id
FROM writes
LEFT JOIN workload_specs AS specs
    ON writes.audit_id = specs.audit_id
    AND writes.event_time = specs.event_time
    AND writes.resource = specs.resource
    AND writes.verb = specs.verb
    AND writes.request_uri IS NOT DISTINCT FROM specs.request_uri
    AND writes.source_ip IS NOT DISTINCT FROM specs.source_ip
    AND writes.user_name IS NOT DISTINCT FROM specs.user_name
    AND writes.api_group IS NOT DISTINCT FROM specs.api_group;

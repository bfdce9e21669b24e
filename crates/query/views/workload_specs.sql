-- One row per pod template that a request wrote: what the pods may do, and what is in them.

-- A pod is made in many ways, and privileges stand in the template of whatever makes it: a rule that looks at Pods
-- alone misses Deployments and CronJobs, and one that looks at `containers` misses initContainers and
-- ephemeralContainers. What was stored (the answer) is preferred to what was sent: it has the defaults and what
-- webhooks added. A patch that was logged without its answer tells only what it changes: the rest is false or empty.
-- Below level Request there is no body, hence no row.
--
-- Columns:
-- name: of the object; for `generateName` the name that the server made, when the answer is in the log
-- owner: controller that the object belongs to, `ReplicaSet/web-7d48`; NULL for what somebody made by hand
-- seen_in: body that the row is read from: `response` (as stored) or `request` (as sent; for a patch only its part)
-- dry_run: whether it was a dry run, which stores nothing
-- containers: names of all containers, of init and ephemeral ones too
-- images: images of all of them
-- sent_images: images that the request itself named
-- ephemeral_images: images of the ephemeral containers alone
-- privileged: whether a container of any sort is privileged
-- host_process: whether it may run as a process of the Windows host, which is the same there
-- host_network: whether it shares the network of the node
-- host_pid: whether it sees the processes of the node
-- host_ipc: whether it shares the IPC of the node
-- host_paths: paths of the node that are mounted, or offered to be
-- capabilities: capabilities that are added
-- service_account: service account that the pods run as
-- run_as_root: whether a user id of 0 is set; an image may run as root without
-- allow_privilege_escalation: whether it is set to true; it is true by default
-- share_process_namespace: whether the containers see the processes of one another
-- proc_mount_unmasked: whether /proc is mounted without its masks
-- seccomp_unconfined: whether a seccomp profile is set to Unconfined
-- selinux_unconfined: whether an SELinux type is set that confines nothing, `spc_t`
-- apparmor_unconfined: whether an AppArmor profile is set to Unconfined
-- image_of: image of each container, `container=image`; a JSON Patch does not tell which container it is
-- commands: commands of the containers with their arguments
-- resource_amounts: requests and limits of the containers, `cpu=500m`, `nvidia.com/gpu=1`
-- assigned_node: node that the template names, which goes past the scheduler
-- schedule: of a CronJob, or of what an add-on has in its place
-- mirror_pod: whether a kubelet shows a static pod with it
-- reasons: why the pods could get at the node or at others, in words; empty when nothing speaks for it
CREATE VIEW workload_specs AS
WITH writes AS (
    SELECT
        *,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
        -- A function of the program: in SQL every member that is looked at would parse the body again.
        pod_template(
            resource, coalesce(namespace, ''), coalesce(response_object, ''), coalesce(request_object, '')
        ) AS template
    FROM requests
    WHERE makes_pods(api_group, resource)
      AND is_write(verb)
      -- `status`, `scale` and the like have their own rights and cannot change the template.
      AND (coalesce(subresource, '') IN ('', 'ephemeralcontainers', 'resize') OR starts_pods(subresource))
      AND (request_object IS NOT NULL OR response_object IS NOT NULL)
)
SELECT
    event_time, user_name, user_groups, impersonated_user, verb, resource, namespace,
    coalesce(name, template.name) AS name,
    outcome, status_code, status_message, template.seen_in, dry_run, template.owner, template.containers,
    template.images, template.image_of, template.sent_images, template.ephemeral_images, template.privileged,
    template.host_process, template.host_network, template.host_pid, template.host_ipc, template.host_paths,
    template.capabilities, template.service_account, template.run_as_root, template.allow_privilege_escalation,
    template.share_process_namespace, template.proc_mount_unmasked, template.seccomp_unconfined,
    template.selinux_unconfined, template.apparmor_unconfined, template.commands, template.resource_amounts,
    template.assigned_node, template.schedule, template.mirror_pod,
    source_ip, source_ips, user_agent, credential_id, pod_name, node_name, decision_reason, api_group, subresource,
    cluster, host, template.reasons, request_uri, audit_id
FROM writes
WHERE template.seen_in IS NOT NULL;

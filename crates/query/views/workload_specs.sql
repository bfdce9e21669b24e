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
-- schedule: of a CronJob
-- mirror_pod: whether a kubelet shows a static pod with it
-- reasons: why the pods could get at the node or at others, in words; empty when nothing speaks for it
CREATE VIEW workload_specs AS
WITH writes AS (
    SELECT
        event_time, audit_id, verb, source_ip, source_ips, resource, api_group, user_name, request_uri, impersonated_user,
        user_groups, subresource, namespace, name AS object_name, outcome, status_code, status_message, user_agent, credential_id,
        pod_name, node_name, decision_reason, cluster, host, request_object, response_object,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
        pod_specs(resource, response_object) AS stored, pod_specs(resource, request_object) AS sent
    FROM requests
    WHERE resource IN (
            'pods', 'deployments', 'daemonsets', 'statefulsets', 'replicasets', 'replicationcontrollers', 'jobs',
            'cronjobs', 'podtemplates', 'deploymentconfigs', 'rollouts'
        )
      AND verb IN ('create', 'update', 'patch')
      -- `status`, `scale` and the like have their own rights and cannot change the template.
      AND coalesce(subresource, '') IN ('', 'ephemeralcontainers', 'resize')
      AND (request_object IS NOT NULL OR response_object IS NOT NULL)
),
specs AS (
    SELECT
        * EXCLUDE (stored, request_object, response_object),
        CASE WHEN len(stored) > 0 THEN 'response' ELSE 'request' END AS seen_in,
        CASE WHEN len(stored) > 0 THEN stored ELSE sent END AS specs,
        CASE WHEN len(stored) > 0 THEN [json_body(response_object)] ELSE body_parts(json_body(request_object)) END
            AS objects
    FROM writes
    WHERE len(stored) > 0 OR len(sent) > 0
),
parts AS (
    SELECT
        *,
        json_members(objects, 'metadata') AS metadata,
        json_items(specs, 'containers') || json_items(specs, 'initContainers')
            || json_items(specs, 'ephemeralContainers') AS all_containers
    FROM specs
),
contexts AS (
    SELECT
        *,
        json_members(all_containers, 'securityContext') AS container_contexts,
        json_members(all_containers, 'securityContext') || json_members(specs, 'securityContext') AS all_contexts
    FROM parts
),
read AS (
    SELECT
        event_time, user_name, user_groups, impersonated_user, verb, resource, namespace,
        coalesce(object_name, json_texts(json_members(metadata, 'name'))[1]) AS name,
        outcome, status_code, status_message, seen_in,
        dry_run,
        tidy(list_transform(
            list_filter(
                json_items(metadata, 'ownerReferences'),
                lambda reference: json_member(reference, 'controller')::VARCHAR = 'true'
            ),
            lambda reference: json_text(reference, 'kind') || '/' || json_text(reference, 'name')
        ))[1] AS owner,
        json_texts(json_members(all_containers, 'name')) AS containers,
        json_texts(json_members(all_containers, 'image')) AS images,
        tidy(list_transform(all_containers, lambda container:
            coalesce(json_text(container, 'name'), '') || '=' || json_text(container, 'image'))) AS image_of,
        json_texts(json_members(
            json_items(sent, 'containers') || json_items(sent, 'initContainers')
                || json_items(sent, 'ephemeralContainers'),
            'image'
        )) AS sent_images,
        json_texts(json_members(json_items(specs, 'ephemeralContainers'), 'image')) AS ephemeral_images,
        json_any_true(json_members(container_contexts, 'privileged')) AS privileged,
        json_any_true(json_members(json_members(all_contexts, 'windowsOptions'), 'hostProcess')) AS host_process,
        json_any_true(json_members(specs, 'hostNetwork')) AS host_network,
        json_any_true(json_members(specs, 'hostPID')) AS host_pid,
        json_any_true(json_members(specs, 'hostIPC')) AS host_ipc,
        json_texts(json_members(json_members(json_items(specs, 'volumes'), 'hostPath'), 'path')) AS host_paths,
        json_texts(flatten(list_transform(
            json_members(json_members(container_contexts, 'capabilities'), 'add'),
            lambda added: json_extract(added, '$[*]')
        ))) AS capabilities,
        coalesce(
            json_texts(json_members(specs, 'serviceAccountName'))[1],
            json_texts(json_members(specs, 'serviceAccount'))[1]
        ) AS service_account,
        json_any_zero(json_members(all_contexts, 'runAsUser')) AS run_as_root,
        json_any_true(json_members(container_contexts, 'allowPrivilegeEscalation')) AS allow_privilege_escalation,
        json_any_true(json_members(specs, 'shareProcessNamespace')) AS share_process_namespace,
        list_contains(json_texts(json_members(container_contexts, 'procMount')), 'Unmasked') AS proc_mount_unmasked,
        list_contains(json_texts(json_members(json_members(all_contexts, 'seccompProfile'), 'type')), 'Unconfined')
            AS seccomp_unconfined,
        -- Super privileged containers, and domains that confine nothing.
        list_has_any(json_texts(json_members(json_members(all_contexts, 'seLinuxOptions'), 'type')),
            ['spc_t', 'unconfined_t', 'container_runtime_t', 'kubelet_t']) AS selinux_unconfined,
        list_contains(json_texts(json_members(json_members(all_contexts, 'appArmorProfile'), 'type')), 'Unconfined')
            OR list_contains(
                flatten(list_transform(
                    json_members(metadata, 'annotations') || json_members(json_members(json_members(json_members(
                        objects, 'spec'), 'template'), 'metadata'), 'annotations'),
                    lambda annotations: list_transform(
                        list_filter(json_keys(annotations), lambda key: starts_with(
                            key, 'container.apparmor.security.beta.kubernetes.io/')),
                        lambda key: json_text(annotations, key)
                    )
                )),
                'unconfined'
            ) AS apparmor_unconfined,
        tidy(list_transform(all_containers, lambda container: array_to_string(
            coalesce(json_extract_string(json_member(container, 'command'), '$[*]'), [])
                || coalesce(json_extract_string(json_member(container, 'args'), '$[*]'), []), ' '
        ))) AS commands,
        tidy(flatten(list_transform(
            json_members(json_members(all_containers, 'resources'), 'requests')
                || json_members(json_members(all_containers, 'resources'), 'limits'),
            lambda amounts: list_transform(
                json_keys(amounts), lambda key: key || '=' || json_extract_string(json_member(amounts, key), '$')
            )
        ))) AS resource_amounts,
        json_texts(json_members(specs, 'nodeName'))[1] AS assigned_node,
        json_texts(json_members(json_members(objects, 'spec'), 'schedule'))[1] AS schedule,
        list_contains(
            flatten(list_transform(json_members(metadata, 'annotations'), lambda annotations: json_keys(annotations))),
            'kubernetes.io/config.mirror'
        ) AS mirror_pod,
        source_ip, source_ips, user_agent, credential_id, pod_name, node_name, decision_reason, api_group, subresource,
        cluster, host, request_uri, audit_id
    FROM contexts
)
SELECT
    * EXCLUDE (request_uri, audit_id),
    tidy(
        [
            CASE WHEN privileged THEN 'privileged' END,
            CASE WHEN host_process THEN 'host process' END,
            CASE WHEN host_network THEN 'host network' END,
            CASE WHEN host_pid THEN 'host PID' END,
            CASE WHEN host_ipc THEN 'host IPC' END,
            CASE WHEN share_process_namespace THEN 'shared process namespace' END,
            CASE WHEN proc_mount_unmasked THEN 'unmasked proc' END,
            CASE WHEN seccomp_unconfined THEN 'seccomp unconfined' END,
            CASE WHEN selinux_unconfined THEN 'SELinux unconfined' END,
            CASE WHEN apparmor_unconfined THEN 'AppArmor unconfined' END,
            -- A controller's own account in somebody's pod: its rights are those of the control plane.
            CASE WHEN namespace = 'kube-system' AND is_component(coalesce(service_account, ''))
                AND ends_with(service_account, '-controller')
                THEN 'service account ' || service_account END
        ]
        || list_transform(host_paths, lambda path: 'host path ' || path)
        || list_transform(
            list_filter(capabilities, lambda capability: NOT is_harmless_capability(capability)),
            lambda capability: 'capability ' || regexp_replace(upper(capability), '^CAP_', '')
        )
    ) AS reasons,
    request_uri, audit_id
FROM read;

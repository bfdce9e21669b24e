-- What the functions of this module say, written in SQL: as the view `workload_specs` was before. `bodies` are the bodies.

-- A JSON Patch as one object per operation, each holding the value at its path: an operation that sets
-- `/spec/containers/0/image` becomes `{"spec":{"containers":[{"image":…}]}}`, and is read like a merge patch.
-- `move` and `copy` carry no value. An object is a list of itself. The depth is limited because a client chooses it.
CREATE MACRO parts_in_sql(body) AS CASE json_type(body)
    WHEN 'OBJECT' THEN [body::VARCHAR]
    WHEN 'ARRAY' THEN list_transform(
        list_filter(
            json_extract(body, '$[*]'),
            lambda operation: json_text(operation, 'op') IN ('add', 'replace')
                AND json_member(operation, 'value') IS NOT NULL
                AND len(string_split(coalesce(json_text(operation, 'path'), ''), '/')) <= 32
        ),
        lambda operation: list_reduce(
            list_reverse(string_split(coalesce(json_text(operation, 'path'), ''), '/')[2:]),
            lambda value, token: CASE
                WHEN regexp_full_match(token, '-|[0-9]+') THEN '[' || value || ']'
                ELSE '{' || to_json(replace(replace(token, '~1', '/'), '~0', '~')) || ':' || value || '}'
            END,
            json_member(operation, 'value')::VARCHAR
        )
    )
END;

-- Where the pod template stands in an object of this kind, and in it the specification of the pod.
CREATE MACRO pod_spec(resource, part) AS CASE
    WHEN resource = 'pods' THEN coalesce(
        json_member(part, 'spec'),
        -- Kubernetes 1.20 and 1.21 took a list of its own kind at `pods/ephemeralcontainers`.
        CASE WHEN json_type(json_member(part, 'ephemeralContainers')) = 'ARRAY' THEN part END
    )
    WHEN resource = 'podtemplates' THEN json_member(json_member(part, 'template'), 'spec')
    WHEN resource = 'cronjobs' THEN json_member(
        json_member(json_member(json_member(json_member(part, 'spec'), 'jobTemplate'), 'spec'), 'template'), 'spec'
    )
    ELSE json_member(json_member(json_member(part, 'spec'), 'template'), 'spec')
END;

-- The specifications in a body, whole or in parts; NULL or empty when it holds none, as a Status.
CREATE MACRO pod_specs(resource, body) AS list_filter(
    list_transform(parts_in_sql(json_body(body)), lambda part: pod_spec(resource, part)::VARCHAR),
    lambda spec: json_type(spec) = 'OBJECT' AND spec <> '{}'
);

-- Whether a list of JSON holds `true`.
CREATE MACRO json_any_true(members) AS list_contains(list_transform(members, lambda member: member::VARCHAR), 'true');

CREATE MACRO json_any_zero(members) AS list_contains(list_transform(members, lambda member: member::VARCHAR), '0');

-- Capabilities that a pod may add under the baseline of the Pod Security Standards and that lead to no other user's
-- files or devices.
CREATE MACRO is_harmless_capability(capability) AS regexp_replace(upper(capability), '^CAP_', '') IN (
    'AUDIT_WRITE', 'CHOWN', 'FOWNER', 'FSETID', 'KILL', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID',
    'SYS_CHROOT'
);

CREATE VIEW templates_in_sql AS
WITH writes AS (
    SELECT
        *, pod_specs(resource, response_object) AS stored, pod_specs(resource, request_object) AS sent
    FROM bodies
),
specs AS (
    SELECT
        * EXCLUDE (stored, request_object, response_object),
        CASE WHEN len(stored) > 0 THEN 'response' ELSE 'request' END AS seen_in,
        CASE WHEN len(stored) > 0 THEN stored ELSE sent END AS specs,
        CASE WHEN len(stored) > 0 THEN [json_body(response_object)] ELSE parts_in_sql(json_body(request_object)) END
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
        id, namespace, seen_in, json_texts(json_members(metadata, 'name'))[1] AS name,
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
        ) AS mirror_pod
    FROM contexts
)
SELECT
    * EXCLUDE (namespace),
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
    ) AS reasons
FROM read;

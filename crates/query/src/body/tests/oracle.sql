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
        )) || list_transform(
            json_members(
                json_members(json_members(all_containers, 'lifecycle'), 'postStart')
                    || json_members(json_members(all_containers, 'lifecycle'), 'preStop')
                    || json_members(all_containers, 'livenessProbe') || json_members(all_containers, 'readinessProbe')
                    || json_members(all_containers, 'startupProbe'), 'exec'
            ),
            lambda run: array_to_string(coalesce(json_extract_string(json_member(run, 'command'), '$[*]'), []), ' ')
        )) AS commands,
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

-- Parts of rules that a JSON Patch puts into rules that are there, each as a rule with nothing else:
-- `{"op":"add","path":"/rules/0/verbs/-","value":"*"}` as `{"verbs":["*"]}`.
CREATE MACRO json_patched_rules(patch) AS CASE json_type(patch)
    WHEN 'ARRAY' THEN list_transform(
        list_filter(
            json_objects(patch),
            lambda op: json_text(op, 'op') IN ('add', 'replace')
                AND regexp_matches(json_text(op, 'path'), '^/rules/([0-9]+|-)/[A-Za-z]+')
                AND json_member(op, 'value') IS NOT NULL
        ),
        lambda op: json_object(
            regexp_extract(json_text(op, 'path'), '^/rules/[^/]+/([A-Za-z]+)', 1),
            CASE json_type(json_member(op, 'value'))
                WHEN 'ARRAY' THEN json_member(op, 'value')
                ELSE json_array(json_member(op, 'value')::JSON)
            END
        )
    )
END;

-- A subject of a binding: `ServiceAccount/namespace/name`, `User/name`, `Group/name`. RBAC looks at the namespace of
-- service accounts alone, so one that is written to a user or group is left out: it would hide whom it is.
CREATE MACRO rbac_subject(subject) AS concat_ws(
    '/', json_text(subject, 'kind'),
    CASE WHEN json_text(subject, 'kind') NOT IN ('User', 'Group') THEN json_text(subject, 'namespace') END,
    json_text(subject, 'name')
);

-- A rule of a role in a line: `get,list pods,services`, `* * apiGroups=*`, `get nonResourceURLs=/metrics`.
CREATE MACRO rule_in_sql(rule) AS concat_ws(
    ' ',
    nullif(array_to_string(json_strings(rule, 'verbs'), ','), ''),
    nullif(array_to_string(json_strings(rule, 'resources'), ','), ''),
    -- The core group is the empty text; alone it goes without saying.
    'apiGroups=' || nullif(array_to_string(
        list_transform(json_strings(rule, 'apiGroups'), lambda api_group: if(api_group = '', 'core', api_group)), ','
    ), 'core'),
    'names=' || nullif(array_to_string(json_strings(rule, 'resourceNames'), ','), ''),
    'nonResourceURLs=' || nullif(array_to_string(json_strings(rule, 'nonResourceURLs'), ','), '')
);

CREATE VIEW rbac_in_sql AS
WITH changes AS (
    SELECT id, json_body(response_object) AS response, json_body(request_object) AS request FROM bodies
),
read AS (
    SELECT
        *,
        CASE
            WHEN json_type(json_member(response, 'roleRef')) = 'OBJECT' THEN json_member(response, 'roleRef')
            WHEN json_type(json_member(request, 'roleRef')) = 'OBJECT' THEN json_member(request, 'roleRef')
        END AS role,
        CASE
            WHEN json_type(json_member(response, 'subjects')) = 'ARRAY' THEN json_member(response, 'subjects')
            WHEN json_type(json_member(request, 'subjects')) = 'ARRAY' THEN json_member(request, 'subjects')
        END AS bound,
        coalesce(
            json_objects(json_member(response, 'rules')),
            json_objects(json_member(request, 'rules')),
            json_patched(request, 'rules') || json_patched_rules(request)
        ) AS rule_objects,
        coalesce(
            json_member(json_member(response, 'metadata'), 'labels'),
            json_member(json_member(request, 'metadata'), 'labels')
        ) AS labels,
        -- A selector that asks for nothing selects every role.
        list_bool_or(list_transform(
            json_items(
                json_members([response, request], 'aggregationRule')
                    || coalesce(json_patched(request, 'aggregationRule'), []),
                'clusterRoleSelectors'
            ),
            lambda selector: len(json_keys(json_member(selector, 'matchLabels'))) IS NOT DISTINCT FROM 0
                AND coalesce(json_array_length(json_member(selector, 'matchExpressions')), 0) = 0
                OR json_member(selector, 'matchLabels') IS NULL
                AND coalesce(json_array_length(json_member(selector, 'matchExpressions')), 0) = 0
        )) AS aggregation
    FROM changes
)
SELECT
    id,
    nullif(concat_ws('/', json_text(role, 'kind'), json_text(role, 'name')), '') AS role_ref,
    list_sort(list_distinct(list_transform(
        json_objects(bound), lambda subject: rbac_subject(subject)
    ))) AS subjects,
    list_sort(list_distinct(list_transform(
        coalesce(json_objects(bound), json_patched(request, 'subjects')), lambda subject: rbac_subject(subject)
    ))) AS subjects_added,
    list_sort(list_distinct(list_transform(rule_objects, lambda rule: rule_in_sql(rule)))) AS rules,
    rule_objects,
    CASE WHEN aggregation IS NULL THEN NULL WHEN aggregation THEN 'every role' ELSE 'some roles' END AS aggregates,
    coalesce(list_sort(list_filter(
        list_transform(
            list_filter(json_keys(labels), lambda label: json_text(labels, label) = 'true'),
            lambda label: nullif(
                regexp_extract(label, '^rbac\.authorization\.k8s\.io/aggregate-to-(.+)$', 1), ''
            )
        ),
        lambda role_name: role_name IS NOT NULL
    )), []) AS aggregated_to
FROM read;

-- What a rule lets somebody do beyond its words, sorted. Wildcards count for everything that they contain, and a rule
-- without API groups, as a part that a JSON Patch adds, for all. `nodes/*` gives nothing in Kubernetes, where only `*` and
-- `*/proxy` are wildcards, but it shows what was meant.
CREATE MACRO rule_powers(verbs, api_groups, resources, urls) AS list_sort(list_distinct(list_transform(
    list_filter(
        [
            {power: 'every verb', verbs: ['*'], api_group: NULL, resources: NULL},
            {power: 'escalate', verbs: ['escalate'], api_group: NULL, resources: NULL},
            {power: 'bind', verbs: ['bind'], api_group: NULL, resources: NULL},
            {power: 'impersonate', verbs: ['impersonate'], api_group: NULL, resources: NULL},
            -- An empty patch, and a deletion of all as a dry run, answer with the values.
            {
                power: 'read secrets', verbs: ['get', 'list', 'watch', 'patch', 'update', 'deletecollection', '*'],
                api_group: '', resources: ['secrets', '*']
            },
            {
                power: 'make volumes of the node', verbs: ['create', 'update', 'patch', '*'], api_group: '',
                resources: ['persistentvolumes', '*']
            },
            {
                power: 'reach into pods', verbs: ['get', 'create', 'update', 'patch', 'delete', '*'], api_group: '',
                resources: ['pods/proxy', 'services/proxy', 'pods/portforward', 'pods/*', 'services/*', '*/proxy',
                    '*/portforward', '*']
            },
            {
                power: 'change namespaces', verbs: ['update', 'patch', '*'], api_group: '', resources: ['namespaces', '*']
            },
            {
                power: 'change nodes', verbs: ['update', 'patch', '*'], api_group: '',
                resources: ['nodes', 'nodes/status', 'nodes/*', '*/status', '*']
            },
            {
                power: 'write APIs', verbs: ['create', 'update', 'patch', '*'], api_group: 'apiregistration.k8s.io',
                resources: ['apiservices', '*']
            },
            {
                power: 'write APIs', verbs: ['create', 'update', 'patch', '*'], api_group: 'apiextensions.k8s.io',
                resources: ['customresourcedefinitions', '*']
            },
            {
                power: 'use any SCC', verbs: ['use', '*'], api_group: 'security.openshift.io',
                resources: ['securitycontextconstraints', '*']
            },
            {power: 'use any SCC', verbs: ['use'], api_group: 'policy', resources: ['podsecuritypolicies', '*']},
            {
                power: 'write SCCs', verbs: ['create', 'update', 'patch', '*'], api_group: 'security.openshift.io',
                resources: ['securitycontextconstraints', '*']
            },
            {
                power: 'write SCCs', verbs: ['create', 'update', 'patch', '*'], api_group: 'policy',
                resources: ['podsecuritypolicies']
            },
            {
                power: 'mint tokens', verbs: ['create', '*'], api_group: 'oauth.openshift.io',
                resources: ['oauthaccesstokens', 'oauthauthorizetokens', '*']
            },
            {
                power: 'sign certificates', verbs: ['sign', '*'], api_group: 'certificates.k8s.io',
                resources: ['signers', '*']
            },
            {
                power: 'approve certificates', verbs: ['approve', '*'], api_group: 'certificates.k8s.io',
                resources: ['signers', '*']
            },
            {
                power: 'write users and groups', verbs: ['create', 'update', 'patch', '*'],
                api_group: 'user.openshift.io',
                resources: ['users', 'groups', 'identities', 'useridentitymappings', '*']
            },
            {
                power: 'run charts', verbs: ['create', 'update', 'patch', '*'], api_group: 'helm.cattle.io',
                resources: ['helmcharts', 'helmchartconfigs', '*']
            },
            {
                power: 'mint tokens', verbs: ['create', '*'], api_group: '',
                resources: ['serviceaccounts/token', 'serviceaccounts/*', '*/token', '*']
            },
            {
                power: 'nodes/proxy', verbs: ['get', 'create', 'update', 'patch', 'delete', '*'], api_group: '',
                resources: ['nodes/proxy', 'nodes/*', '*/proxy', '*']
            },
            {
                power: 'run in pods', verbs: ['get', 'create', 'update', 'patch', '*'], api_group: '',
                resources: [
                    'pods/exec', 'pods/attach', 'pods/ephemeralcontainers', 'pods/*', '*/exec', '*/attach',
                    '*/ephemeralcontainers', '*'
                ]
            },
            -- MAKERS: a row for each API group of kinds that make pods
            {
                power: 'write RBAC', verbs: ['create', 'update', 'patch', '*'], api_group: 'rbac.authorization.k8s.io',
                resources: ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings', '*']
            },
            {
                power: 'write webhooks', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection', '*'],
                api_group: 'admissionregistration.k8s.io',
                resources: [
                    'mutatingwebhookconfigurations', 'validatingwebhookconfigurations', 'validatingadmissionpolicies',
                    'validatingadmissionpolicybindings', 'mutatingadmissionpolicies',
                    'mutatingadmissionpolicybindings', '*'
                ]
            },
            {
                power: 'approve certificates', verbs: ['update', 'patch', '*'], api_group: 'certificates.k8s.io',
                resources: [
                    'certificatesigningrequests/approval', 'certificatesigningrequests/*', '*/approval', '*'
                ]
            }
        ],
        lambda known: list_has_any(verbs, known.verbs)
            AND (known.resources IS NULL OR list_has_any(resources, known.resources))
            AND (known.api_group IS NULL OR api_groups IS NULL OR list_has_any(api_groups, [known.api_group, '*']))
    ),
    lambda known: known.power
) || list_filter([
    CASE WHEN list_has_any(resources, ['*', '*/*']) THEN 'every resource' END,
    CASE WHEN list_has_any(urls, ['*', '/*']) THEN 'every path' END,
    -- Since 1.35 there are verbs such as `impersonate:user-info`.
    CASE WHEN regexp_matches(array_to_string(verbs, ' '), '\bimpersonate') THEN 'impersonate' END,
    CASE WHEN verbs IS NULL OR resources IS NULL AND urls IS NULL THEN 'part of an untold rule' END
], lambda power: power IS NOT NULL)));

CREATE VIEW rules_in_sql AS
SELECT DISTINCT
    rule_object, rule_in_sql(rule_object) AS rule,
    json_strings(rule_object, 'verbs') AS verbs,
    json_strings(rule_object, 'apiGroups') AS api_groups,
    json_strings(rule_object, 'resources') AS resources,
    json_strings(rule_object, 'resourceNames') AS resource_names,
    json_strings(rule_object, 'nonResourceURLs') AS urls,
    rule_powers(
        json_strings(rule_object, 'verbs'), json_strings(rule_object, 'apiGroups'),
        json_strings(rule_object, 'resources'), json_strings(rule_object, 'nonResourceURLs')
    ) AS powers
FROM (SELECT unnest(rule_objects) AS rule_object FROM rbac_in_sql);

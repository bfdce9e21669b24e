-- One row per request that changes RBAC, or tries to: roles, bindings, and what else stands in their API group.

-- Not limited to the four resources: a request for one that does not exist is an attempt as well.
-- Bodies: the object as it was stored (level RequestResponse), else as it was sent (level Request). An answer can be a
-- Status and a JSON Patch is a list: neither has the members of a role or a binding. A JSON Patch tells by its paths
-- what it adds, which counts only where the answer is not there.

-- The values that a JSON Patch puts at a member of the object, or into the list that this member is; NULL for a body
-- that is no JSON Patch.
CREATE MACRO json_patched(patch, member) AS CASE json_type(patch)
    WHEN 'ARRAY' THEN list_filter(flatten(list_transform(
        list_filter(
            json_objects(patch),
            lambda op: json_text(op, 'op') IN ('add', 'replace')
                AND regexp_full_match(json_text(op, 'path'), '/' || member || '(/([0-9]+|-))?')
        ),
        lambda op: coalesce(json_objects(json_member(op, 'value')), [json_member(op, 'value')])
    )), lambda value: json_type(value) = 'OBJECT')
END;

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
                ELSE json_array(json_member(op, 'value'))
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
CREATE MACRO rbac_rule(rule) AS concat_ws(
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

-- Columns:
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
-- role_ref: role that a binding gives, `ClusterRole/cluster-admin`; NULL when no body tells
-- subjects: to whom a binding gives it, `Kind/namespace/name`, sorted; NULL when no body tells
-- subjects_added: the same, and what a JSON Patch adds when only that was recorded
-- rules: rules of a role, a line each, sorted; NULL when no body tells
-- rule_objects: the same rules as JSON, in the order of the role
-- dry_run: whether it was a dry run, which stores nothing; NULL for a delete of which the log does not tell
-- aggregates: of a role that gets the rules of others (aggregationRule): `every role`, `some roles`; else NULL
-- aggregated_to: default roles into which the role's rules flow by its labels (admin, edit, view, …), sorted
CREATE VIEW rbac_changes AS
WITH changes AS (
    SELECT
        event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user, resource, api_group,
        subresource, namespace, name, outcome, status_code, source_ip, source_ips, user_agent, credential_id, cluster, host,
        decision_reason, stages, level,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
        json_body(response_object) AS response,
        json_body(request_object) AS request
    FROM requests
    WHERE api_group = 'rbac.authorization.k8s.io'
      AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
),
bodies AS (
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
    event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user,
    effective_user(user_name, impersonated_user) AS effective_user,
    resource, api_group, subresource, namespace, name, outcome, status_code, dry_run,
    nullif(concat_ws('/', json_text(role, 'kind'), json_text(role, 'name')), '') AS role_ref,
    list_sort(list_distinct(list_transform(
        json_objects(bound), lambda subject: rbac_subject(subject)
    ))) AS subjects,
    list_sort(list_distinct(list_transform(
        coalesce(json_objects(bound), json_patched(request, 'subjects')), lambda subject: rbac_subject(subject)
    ))) AS subjects_added,
    list_sort(list_distinct(list_transform(rule_objects, lambda rule: rbac_rule(rule)))) AS rules,
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
    )), []) AS aggregated_to,
    decision_reason, source_ip, source_ips, user_agent, credential_id, stages, level, cluster, host
FROM bodies;

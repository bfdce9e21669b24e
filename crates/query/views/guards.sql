-- What a write leaves of a guard: how policies, budgets, quotas, webhooks and labels are weakened.

-- Whether an operation of a JSON Patch takes away, or sets, what a pattern of paths says.
CREATE MACRO patch_removes(request, pattern) AS coalesce(len(list_filter(
    json_objects(request),
    lambda op: json_text(op, 'op') IN ('remove', 'move')
        AND regexp_matches(concat_ws(' ', json_text(op, 'path'), json_text(op, 'from')), pattern)
)) > 0, false);
CREATE MACRO patch_sets(request, pattern) AS coalesce(len(list_filter(
    json_objects(request), lambda op: regexp_matches(json_text(op, 'path'), pattern)
)) > 0, false);

-- The labels that a write of a namespace sets, and whether the one that makes Pod Security refuse goes: by itself, with all
-- labels, or with all metadata. `labels` put in the place of all (a JSON Patch) lose what they do not name.
CREATE MACRO labels_set(parts) AS json_members(json_members(parts, 'metadata'), 'labels');
CREATE MACRO pod_security_goes(request, parts) AS
    patch_removes(request, '/metadata(/labels(/pod-security\.kubernetes\.io~1enforce)?)?( |$)')
    OR len(list_filter(
        json_objects(request),
        lambda op: json_text(op, 'op') IN ('add', 'replace') AND json_text(op, 'path') IN ('/metadata/labels', '/metadata')
            AND NOT contains(op::VARCHAR, '"pod-security.kubernetes.io/enforce"')
    )) > 0
    OR len(list_filter(
        labels_set(parts),
        lambda labels: json_type(labels) = 'NULL' OR json_text(labels, '$patch') IN ('replace', 'delete')
            OR json_type(json_member(labels, 'pod-security.kubernetes.io/enforce')) = 'NULL'
    )) > 0;

-- How much Pod Security asks of the pods of a namespace. Without a label the server's own setting counts, which is mostly none.
CREATE MACRO pod_security_rank(level) AS CASE level WHEN 'restricted' THEN 2 WHEN 'baseline' THEN 1 ELSE 0 END;

-- The level that a namespace, or a part of one, has: an empty text for none.
CREATE MACRO pod_security_of(object) AS
    coalesce(json_text(json_member(json_member(object, 'metadata'), 'labels'), 'pod-security.kubernetes.io/enforce'), '');

-- The level that a request about one namespace leaves, or shows; NULL when it does not tell. An answer shows the whole
-- namespace, and so does what is put in its place. A part tells of the label when it names it. What is applied (it says its kind) takes
-- away what its owner leaves out, and `owner` is whether the label was written by the same.
CREATE MACRO pod_security_left(verb, request, response, parts, owner) AS CASE
    WHEN json_text(response, 'kind') = 'Namespace' THEN pod_security_of(response)
    WHEN verb IN ('create', 'update') AND json_type(json_member(request, 'metadata')) = 'OBJECT' THEN pod_security_of(request)
    WHEN verb = 'patch' AND list_max(list_transform(parts, lambda part: pod_security_of(part))) <> ''
        THEN list_max(list_transform(parts, lambda part: pod_security_of(part)))
    WHEN verb = 'patch' AND owner AND json_text(request, 'kind') = 'Namespace' THEN ''
END;

-- Of a webhook or an admission policy: it refuses nothing, lets through what it cannot decide, or looks at other objects
-- than before. What is applied as a whole (server-side apply says its kind) says nothing of before.
CREATE MACRO admission_weakened(verb, request, parts) AS CASE
    WHEN list_contains(json_texts(
        json_members(json_items(parts, 'webhooks'), 'failurePolicy')
            || json_members(json_members(parts, 'spec'), 'failurePolicy')
    ), 'Ignore') THEN 'failures ignored'
    -- One of the actions is written over, or taken away.
    WHEN len(list_filter(
        json_objects(request),
        lambda op: regexp_matches(json_text(op, 'path'), '^/spec/validationActions(/|$)')
            AND NOT contains(coalesce(json_member(op, 'value')::VARCHAR, ''), '"Deny"')
    )) > 0 THEN 'refuses nothing'
    WHEN len(list_filter(
        json_members(json_members(parts, 'spec'), 'validationActions'),
        lambda actions: json_type(actions) = 'ARRAY'
            AND NOT list_contains(coalesce(json_extract_string(actions, '$[*]'), []), 'Deny')
    )) > 0 THEN 'refuses nothing'
    WHEN len(list_filter(
        json_members(parts, 'webhooks') || json_members(json_members(parts, 'spec'), 'validations'),
        lambda list: json_type(list) = 'NULL' OR json_type(list) = 'ARRAY' AND json_array_length(list) = 0
    )) > 0 OR patch_removes(request, '^/(webhooks|spec/validations)(/[0-9]+)?$') THEN 'emptied'
    WHEN verb = 'patch' AND (
        patch_sets(request, '^/(webhooks/[0-9-]+|spec)/(namespaceSelector|objectSelector|match|rules|paramRef|validations)')
        OR json_text(request, 'kind') IS NULL AND len(list_filter(
            json_items(parts, 'webhooks') || json_members(parts, 'spec'),
            lambda part: len(list_intersect(coalesce(json_keys(part), []), [
                -- Not `rules`: `kubectl apply` sends them again each time, because the server fills in their scope.
                'namespaceSelector', 'objectSelector', 'matchConditions', 'matchConstraints', 'matchResources',
                'paramRef', 'validations'
            ])) > 0
        )) > 0
    ) THEN 'looks at other objects'
END;

-- Whether a write touches what a webhook or a policy of an add-on decides by: with a body, more than its certificate for a
-- webhook; by which hand it comes tells whether that is the work of who installed it.
CREATE MACRO touches_rules(verb, request, parts, members) AS request IS NULL OR verb = 'update'
    OR patch_sets(request, '^/(webhooks|spec)(/[0-9-]+)?($|/(' || array_to_string(members, '|') || ')(/|$))')
    OR len(list_filter(
        json_items(parts, 'webhooks') || json_members(parts, 'spec'),
        lambda part: len(list_intersect(coalesce(json_keys(part), []), members)) > 0
    )) > 0;

-- Whether a rule of a network policy lets everybody through on every port. Rules of Calico say what they do, and hold whom in `source`.
CREATE MACRO lets_everybody(parts, direction, peers) AS len(list_filter(
    json_items(json_members(parts, 'spec'), direction),
    lambda rule: coalesce(json_array_length(json_member(rule, 'ports')), 0) = 0
        AND coalesce(json_text(rule, 'action'), 'Allow') = 'Allow'
        AND json_member(rule, 'source') IS NULL AND json_member(rule, 'destination') IS NULL AND json_member(rule, 'protocol') IS NULL
        AND (
            coalesce(json_array_length(json_member(rule, peers)), 0) = 0
            OR len(list_filter(
                json_items([rule], peers),
                lambda peer: regexp_matches(json_text(json_member(peer, 'ipBlock'), 'cidr'), '/0+$')
                    AND coalesce(json_array_length(json_member(json_member(peer, 'ipBlock'), 'except')), 0) = 0
            )) > 0
        )
)) > 0;

-- What a network policy lets through, whoever it is; policies add up, so one that is made is enough. NULL for all else.
CREATE MACRO policy_opens(resource, parts) AS CASE
    WHEN starts_with(resource, 'cilium') THEN CASE
        WHEN len(list_filter(
            json_members(json_items(json_members(parts, 'spec') , 'ingress'), 'fromEntities'),
            lambda entities: regexp_matches(entities::VARCHAR, '"(all|world)"')
        )) > 0 THEN 'lets everything in'
        WHEN len(list_filter(
            json_members(json_items(json_members(parts, 'spec'), 'egress'), 'toEntities'),
            lambda entities: regexp_matches(entities::VARCHAR, '"(all|world)"')
        )) > 0 THEN 'lets everything out'
    END
    WHEN resource IN ('networkpolicies', 'globalnetworkpolicies') THEN CASE
        WHEN lets_everybody(parts, 'ingress', 'from') THEN 'lets everything in'
        WHEN lets_everybody(parts, 'egress', 'to') THEN 'lets everything out'
    END
END;

-- Of policies of Kyverno and Gatekeeper: they only report.
CREATE MACRO policy_only_reports(parts) AS len(list_filter(
    json_texts(
        json_members(json_members(parts, 'spec'), 'validationFailureAction')
        || json_members(json_members(json_items(json_members(parts, 'spec'), 'rules'), 'validate'), 'failureAction')
        || json_members(json_members(parts, 'spec'), 'enforcementAction')
    ),
    lambda action: lower(action) IN ('audit', 'dryrun', 'warn')
)) > 0;

-- How a write changes a guard that stays.
CREATE MACRO guard_changed(verb, resource, api_group, request, parts, by_hand) AS CASE
    WHEN contains(resource, 'networkpolic')
        OR resource IN ('poddisruptionbudgets', 'resourcequotas', 'limitranges')
        OR api_group = 'security.istio.io'
    THEN CASE
        -- A policy whose selector changes guards other pods; a rule without conditions lets everything in. A patch of
        -- which no body was logged can do the same.
        WHEN len(json_members(parts, 'spec')) > 0 OR verb = 'update' OR request IS NULL THEN 'changed'
        WHEN patch_sets(request, '^/spec') THEN 'changed'
    END
    ELSE coalesce(
        CASE WHEN api_group = 'admissionregistration.k8s.io' THEN admission_weakened(verb, request, parts) END,
        CASE
            WHEN api_group = 'config.gatekeeper.sh' THEN 'changed'
            WHEN policy_only_reports(parts) THEN 'only reports'
            -- Controllers renew certificates and apply what they bring all day. Of a hand all is told that can make a guard let pass what
            -- it refused: an address that does not answer and a certificate that does not fit do, where failures are ignored.
            WHEN by_hand AND touches_rules(verb, request, parts, [
                'clientConfig', 'rules', 'namespaceSelector', 'objectSelector', 'matchConditions', 'matchConstraints', 'matchResources',
                'matchPolicy', 'paramKind', 'paramRef', 'policyName', 'validations', 'variables', 'timeoutSeconds',
                'match', 'exclude', 'parameters', 'targets', 'preconditions', 'evaluation', 'webhookConfiguration'
            ]) THEN 'changed'
        END
    )
END;

-- How a write weakens a guard; NULL when it does not, or when no body tells.
CREATE MACRO guard_weakened(verb, resource, api_group, request, parts, by_hand) AS CASE
    WHEN resource = 'namespaces' THEN CASE
        WHEN verb = 'patch' AND pod_security_goes(request, parts) THEN 'Pod Security label removed'
        WHEN list_contains(list_transform(
            labels_set(parts), lambda labels: json_text(labels, 'pod-security.kubernetes.io/enforce')
        ), 'privileged') THEN 'Pod Security set to privileged'
        WHEN by_hand AND len(list_filter(
            labels_set(parts), lambda labels: json_text(labels, 'admission.gatekeeper.sh/ignore') IS NOT NULL
        )) > 0 THEN 'left out by Gatekeeper'
        WHEN by_hand AND list_contains(list_transform(
            labels_set(parts), lambda labels: json_text(labels, 'openpolicyagent.org/webhook')
        ), 'ignore') THEN 'left out by OPA'
    END
    WHEN verb IN ('delete', 'deletecollection') THEN 'deleted'
    WHEN resource = 'policyexceptions' THEN 'exception made'
    WHEN api_group = 'config.gatekeeper.sh' AND (
        contains(request::VARCHAR, '"excludedNamespaces"') OR patch_sets(request, '/excludedNamespaces(/|$)')
    ) THEN 'namespaces left out'
    -- Each once: what is written twice is planned twice.
    ELSE coalesce(policy_opens(resource, parts), CASE WHEN verb <> 'create' THEN guard_changed(
        verb, resource, api_group, request, parts, by_hand
    ) END)
END;

-- What a quota allows none of.
CREATE MACRO nothing_of(parts) AS tidy(flatten(list_transform(
    json_members(json_members(parts, 'spec'), 'hard'),
    lambda hard: list_filter(
        coalesce(json_keys(hard), []), lambda kind: regexp_full_match(json_member(hard, kind)::VARCHAR, '"?0+[A-Za-z]*"?')
    )
)));

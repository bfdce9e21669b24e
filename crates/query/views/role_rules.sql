-- One row per rule in a role that a request wrote, or tried to, with the powers that the rule gives.

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
            {
                power: 'make pods', verbs: ['create', 'update', 'patch', '*'], api_group: '',
                resources: ['pods', 'replicationcontrollers', '*']
            },
            {
                power: 'make pods', verbs: ['create', 'update', 'patch', '*'], api_group: 'apps',
                resources: ['deployments', 'daemonsets', 'statefulsets', 'replicasets', '*']
            },
            {
                power: 'make pods', verbs: ['create', 'update', 'patch', '*'], api_group: 'batch',
                resources: ['jobs', 'cronjobs', '*']
            },
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
    CASE WHEN regexp_matches(array_to_string(verbs, ' '), '\bimpersonate') THEN 'impersonate' END
], lambda power: power IS NOT NULL)));

-- Columns:
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
-- dry_run: whether it was a dry run, which stores nothing; NULL for a delete of which the log does not tell
-- rule: the rule in a line, `get,list pods,services`
-- verbs: verbs of the rule, sorted
-- api_groups: its API groups, sorted; the core group is the empty text
-- resources: its resources, sorted
-- resource_names: names of objects that it is limited to; NULL when it is about all
-- urls: paths that are no resources, sorted
-- powers: what it gives beyond its words: every verb, every resource, escalate, read secrets, …, sorted
-- aggregated_to: default roles into which the role's rules flow by its labels
CREATE VIEW role_rules AS
WITH written AS (
    SELECT
        * EXCLUDE (rule_objects),
        -- A role that aggregates has no rules of its own to speak of.
        unnest(coalesce(rule_objects, []) || CASE WHEN aggregates IS NULL THEN [] ELSE [NULL] END) AS rule_object
    FROM rbac_changes
    WHERE resource IN ('roles', 'clusterroles')
),
parts AS (
    SELECT
        *,
        json_strings(rule_object, 'verbs') AS verbs,
        json_strings(rule_object, 'apiGroups') AS api_groups,
        json_strings(rule_object, 'resources') AS resources,
        json_strings(rule_object, 'resourceNames') AS resource_names,
        json_strings(rule_object, 'nonResourceURLs') AS urls
    FROM written
)
SELECT
    event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user, effective_user,
    resource, api_group, subresource, namespace, name, outcome, status_code,
    dry_run,
    CASE WHEN rule_object IS NULL THEN 'the rules of ' || aggregates ELSE rbac_rule(rule_object) END AS rule,
    verbs, api_groups, resources, resource_names, urls,
    CASE WHEN rule_object IS NULL THEN ['aggregate ' || aggregates]
        ELSE rule_powers(verbs, api_groups, resources, urls) END AS powers,
    aggregated_to, decision_reason, source_ip, source_ips, user_agent, credential_id, stages, level, cluster, host
FROM parts;

-- One row per rule in a role that a request wrote, or tried to, with the powers that the rule gives.

-- Whether a rule is about a resource. A rule without API groups, as a part that a JSON Patch adds, is taken to be.
-- `nodes/*` gives nothing in Kubernetes, where only `*` and `*/proxy` are wildcards, but it shows what was meant.
CREATE MACRO rule_covers(api_groups, resources, wanted_group, wanted) AS coalesce(
    (api_groups IS NULL OR list_has_any(api_groups, [wanted_group, '*']))
        AND (
            list_has_any(resources, [wanted, '*'])
            OR contains(wanted, '/') AND list_has_any(
                resources, [split_part(wanted, '/', 1) || '/*', '*/' || split_part(wanted, '/', 2)]
            )
        ),
    false
);

-- What a rule lets somebody do beyond its words. Wildcards count for everything that they contain.
-- The power of a verb needs no API group: `escalate`, `bind` and `impersonate` exist only where they are dangerous.
CREATE MACRO rule_powers(verbs, api_groups, resources, urls) AS list_filter([
    CASE WHEN list_contains(verbs, '*') THEN 'every verb' END,
    CASE WHEN list_has_any(resources, ['*', '*/*']) THEN 'every resource' END,
    CASE WHEN list_has_any(urls, ['*', '/*']) THEN 'every path' END,
    CASE WHEN list_contains(verbs, 'escalate') THEN 'escalate' END,
    CASE WHEN list_contains(verbs, 'bind') THEN 'bind' END,
    CASE WHEN list_contains(verbs, 'impersonate')
        OR len(list_filter(verbs, lambda verb: starts_with(verb, 'impersonate'))) > 0 THEN 'impersonate' END,
    CASE WHEN rule_covers(api_groups, resources, '', 'secrets')
        AND list_has_any(verbs, ['get', 'list', 'watch', '*']) THEN 'read secrets' END,
    CASE WHEN rule_covers(api_groups, resources, '', 'serviceaccounts/token')
        AND list_has_any(verbs, ['create', '*']) THEN 'mint tokens' END,
    CASE WHEN rule_covers(api_groups, resources, '', 'nodes/proxy') THEN 'nodes/proxy' END,
    CASE WHEN (
            rule_covers(api_groups, resources, '', 'pods/exec') OR rule_covers(api_groups, resources, '', 'pods/attach')
            OR rule_covers(api_groups, resources, '', 'pods/ephemeralcontainers')
        )
        AND list_has_any(verbs, ['get', 'create', 'update', 'patch', '*']) THEN 'run in pods' END,
    CASE WHEN (
            rule_covers(api_groups, resources, '', 'pods')
            OR rule_covers(api_groups, resources, 'apps', 'deployments')
            OR rule_covers(api_groups, resources, 'apps', 'daemonsets')
            OR rule_covers(api_groups, resources, 'apps', 'statefulsets')
            OR rule_covers(api_groups, resources, 'apps', 'replicasets')
            OR rule_covers(api_groups, resources, '', 'replicationcontrollers')
            OR rule_covers(api_groups, resources, 'batch', 'jobs')
            OR rule_covers(api_groups, resources, 'batch', 'cronjobs')
        )
        AND list_has_any(verbs, ['create', 'update', 'patch', '*']) THEN 'make pods' END,
    CASE WHEN (
            rule_covers(api_groups, resources, 'rbac.authorization.k8s.io', 'roles')
            OR rule_covers(api_groups, resources, 'rbac.authorization.k8s.io', 'clusterroles')
            OR rule_covers(api_groups, resources, 'rbac.authorization.k8s.io', 'rolebindings')
            OR rule_covers(api_groups, resources, 'rbac.authorization.k8s.io', 'clusterrolebindings')
        )
        AND list_has_any(verbs, ['create', 'update', 'patch', '*']) THEN 'write RBAC' END,
    CASE WHEN (
            rule_covers(api_groups, resources, 'admissionregistration.k8s.io', 'mutatingwebhookconfigurations')
            OR rule_covers(
                api_groups, resources, 'admissionregistration.k8s.io', 'validatingwebhookconfigurations'
            )
        )
        AND list_has_any(verbs, ['create', 'update', 'patch', 'delete', 'deletecollection', '*'])
        THEN 'write webhooks' END,
    CASE WHEN rule_covers(api_groups, resources, 'certificates.k8s.io', 'certificatesigningrequests/approval')
        AND list_has_any(verbs, ['update', 'patch', '*']) THEN 'approve certificates' END
], lambda power: power IS NOT NULL);

-- Columns:
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
-- rule: the rule in a line, `get,list pods,services`
-- verbs: verbs of the rule, sorted
-- api_groups: its API groups, sorted; the core group is the empty text
-- resources: its resources, sorted
-- resource_names: names of objects that it is limited to; NULL when it is about all
-- urls: paths that are no resources, sorted
-- powers: what it gives beyond its words: every verb, every resource, escalate, bind, impersonate, read secrets, …
-- aggregated_to: default roles into which the role's rules flow by its labels
CREATE VIEW role_rules AS
WITH written AS (
    SELECT * EXCLUDE (rule_objects), unnest(rule_objects) AS rule_object
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
    rbac_rule(rule_object) AS rule,
    verbs, api_groups, resources, resource_names, urls,
    rule_powers(verbs, api_groups, resources, urls) AS powers,
    aggregated_to, decision_reason, source_ip, user_agent, credential_id, stages, level, cluster, host
FROM parts;

-- One row per rule in a role that a request wrote, or tried to, with the powers that the rule gives.

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
-- aggregated_to: default roles into which the role's rules flow by its labels; where a write gives a role such labels and says nothing
--     of its rules, one row stands for all that it has
CREATE VIEW role_rules AS
WITH written AS (
    SELECT
        * EXCLUDE (rule_objects),
        -- A role that aggregates has no rules of its own to speak of.
        unnest(coalesce(rule_objects, []) || CASE
            WHEN aggregates IS NOT NULL OR len(coalesce(rule_objects, [])) = 0 AND len(aggregated_to) > 0 THEN [NULL] ELSE []
        END) AS rule_object
    FROM rbac_changes
    WHERE resource IN ('roles', 'clusterroles')
),
parts AS (
    SELECT *, rbac_rule(rule_object) AS told FROM written
)
SELECT
    event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user, effective_user,
    resource, api_group, subresource, namespace, name, outcome, status_code,
    dry_run,
    CASE
        WHEN rule_object IS NOT NULL THEN told.rule
        ELSE coalesce('the rules of ' || aggregates, 'the rules that it has')
    END AS rule,
    told.verbs, told.api_groups, told.resources, told.resource_names, told.urls,
    CASE
        WHEN rule_object IS NOT NULL THEN told.powers
        WHEN aggregates IS NOT NULL THEN ['aggregate ' || aggregates]
        ELSE list_transform(aggregated_to, lambda role: 'given to ' || role)
    END AS powers,
    aggregated_to, decision_reason, source_ip, source_ips, user_agent, credential_id, stages, level, cluster, host
FROM parts;

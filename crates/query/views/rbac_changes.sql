-- One row per request that changes RBAC, or tries to: roles, bindings, and what else stands in their API group.

-- Not limited to the four resources: a request for one that does not exist is an attempt as well.
-- OpenShift serves the same objects under a group of its own, and writes them to this one in the name of the user: where the logs
-- of both servers are in the case, a change is two requests.
-- Bodies: the object as it was stored (level RequestResponse), else as it was sent (level Request). An answer can be a
-- Status and a JSON Patch is a list: neither has the members of a role or a binding. A JSON Patch tells by its paths
-- what it adds, which counts only where the answer is not there.

-- A body of whoever serves it, as RBAC has it.
CREATE MACRO as_rbac(api_group, body) AS
    CASE WHEN is_openshift_rbac(api_group) THEN openshift_as_rbac(body) ELSE body END;

-- Columns:
-- effective_user: whose rights counted: the impersonated user when there is one, else the user
-- role_ref: role that a binding gives, `ClusterRole/cluster-admin`; NULL when no body tells
-- subjects: to whom a binding gives it, `Kind/namespace/name`, sorted; NULL when no body tells
-- subjects_added: the same, and what a JSON Patch adds when only that was recorded
-- rules: rules of a role, a line each, sorted; NULL when no body tells
-- rule_objects: the same rules as JSON, in the order of the role
-- dry_run: whether it was a dry run, which stores nothing; NULL for a delete of which the log does not tell
-- deleted: of a deletion, how many objects it took; NULL when the log does not tell
-- aggregates: of a role that gets the rules of others (aggregationRule): `every role`, `some roles`; else NULL
-- aggregated_to: default roles into which the role's rules flow by its labels (admin, edit, view, …), sorted
CREATE VIEW rbac_changes AS
WITH changes AS (
    SELECT
        *,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
        -- A function of the program: in SQL every member that is looked at would parse the body again.
        rbac_body(
            coalesce(as_rbac(api_group, response_object), ''), coalesce(as_rbac(api_group, request_object), '')) AS body
    FROM requests
    WHERE is_rbac(api_group, resource)
      AND is_write_or_delete(verb)
)
SELECT
    event_time, audit_id, verb, request_uri, user_name, user_groups, impersonated_user,
    effective_user(user_name, impersonated_user) AS effective_user,
    resource, api_group, subresource, namespace,
    -- What the server named (`generateName`) has its name in the answer alone.
    coalesce(name, json_text(json_member(json_body(response_object), 'metadata'), 'name')) AS name,
    outcome, status_code, dry_run, deleted_of(verb, outcome, dry_run, response_object) AS deleted,
    body.role_ref, body.subjects, body.subjects_added, body.rules, body.rule_objects::JSON[] AS rule_objects,
    body.aggregates, body.aggregated_to,
    decision_reason, source_ip, source_ips, user_agent, credential_id, stages, level, cluster, host
FROM changes;

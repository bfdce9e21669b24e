-- One row per change of what admits requests: webhook configurations, admission policies and their bindings.

-- A mutating webhook reads every object it is called for, secrets too, and changes them at will; a validating one,
-- deleted or set to `Ignore`, guards no more. What was stored is preferred to what was sent.
--
-- Columns:
-- name: of the configuration or policy
-- dry_run: whether it was a dry run, which stores nothing; NULL for a delete of which the log does not tell
-- webhooks: names of the webhooks in it
-- targets: where they send the objects: a URL, or `service namespace/name/path`
-- failure_policies: `Fail` or `Ignore`
-- intercepts: what they are called for, `CREATE,UPDATE pods` (`*` is everything)
-- policy: of a binding: the policy that it puts into force
-- actions: of a binding: `Deny`, `Warn`, `Audit`
-- expressions: of a policy: the conditions that objects must meet
CREATE VIEW webhook_changes AS
WITH writes AS (
    SELECT
        *, stored_or_sent(response_object, request_object) AS objects,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM requests
    WHERE api_group = 'admissionregistration.k8s.io'
      AND is_write_or_delete(verb)
),
parts AS (
    SELECT
        *,
        json_members(objects, 'spec') AS specs,
        json_items(objects, 'webhooks') AS hooks,
        json_items(json_items(objects, 'webhooks'), 'rules')
            || json_items(json_members(json_members(objects, 'spec'), 'matchConstraints'), 'resourceRules') AS rules
    FROM writes
)
SELECT
    event_time, user_name, user_groups, impersonated_user, verb, resource,
    coalesce(name, json_texts(json_members(json_members(objects, 'metadata'), 'name'))[1]) AS name,
    outcome, status_code, dry_run,
    json_texts(json_members(hooks, 'name')) AS webhooks,
    tidy(
        json_texts(json_members(json_members(hooks, 'clientConfig'), 'url'))
        || list_transform(
            json_members(json_members(hooks, 'clientConfig'), 'service'),
            lambda service: 'service ' || concat_ws(
                '/', json_text(service, 'namespace'), json_text(service, 'name'),
                ltrim(json_text(service, 'path'), '/')
            )
        )
    ) AS targets,
    tidy(json_texts(json_members(hooks, 'failurePolicy')) || json_texts(json_members(specs, 'failurePolicy')))
        AS failure_policies,
    tidy(list_transform(rules, lambda rule: concat_ws(
        ' ',
        array_to_string(json_extract_string(json_member(rule, 'operations'), '$[*]'), ','),
        array_to_string(json_extract_string(json_member(rule, 'resources'), '$[*]'), ',')
    ))) AS intercepts,
    json_texts(json_members(specs, 'policyName'))[1] AS policy,
    json_texts(flatten(list_transform(
        json_members(specs, 'validationActions'), lambda actions: json_extract(actions, '$[*]')
    ))) AS actions,
    json_texts(json_members(json_items(specs, 'validations'), 'expression')) AS expressions,
    namespace, source_ip, source_ips, user_agent, credential_id, pod_name, node_name, decision_reason, api_group, subresource,
    cluster, host, request_uri, audit_id
FROM parts;

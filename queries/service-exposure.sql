-- title = "What was exposed to the outside"
-- question = "Who made services reachable from outside, or ingresses without TLS?"
-- group = "persistence"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1133", "T1190"]
-- resources = ["services", "ingresses"]
-- needs = [
--     { resource = ["services", "ingresses"], verbs = ["create", "update", "patch"], level = "Request" },
-- ]
-- noise = """
-- Ingress controllers and load balancers that are meant to be reached. Left out: writes of the control plane."""
--
-- [[examples]]
-- log = "made"
-- rows = 3
--
-- [[examples]]
-- log = "production"
-- rows = 0
WITH writes AS (
    SELECT *, stored_or_sent(response_object, request_object) AS objects
    FROM requests
    WHERE resource IN ('services', 'ingresses') AND verb IN ('create', 'update', 'patch')
      AND coalesce(subresource, '') = ''
      AND NOT is_control_plane(user_name)
      AND filters()
),
exposed AS (
    SELECT
        *,
        json_members(objects, 'spec') AS specs,
        tidy(
            list_filter(
                json_texts(json_members(json_members(objects, 'spec'), 'type')),
                lambda kind: resource = 'services' AND kind IN ('NodePort', 'LoadBalancer')
            )
            || list_transform(
                flatten(list_transform(
                    json_members(json_members(objects, 'spec'), 'externalIPs'),
                    lambda addresses: coalesce(json_extract_string(addresses, '$[*]'), [])
                )),
                lambda address: 'external IP ' || address
            )
            || CASE WHEN resource = 'ingresses' AND len(json_items(json_members(objects, 'spec'), 'rules')) > 0
                AND len(json_items(json_members(objects, 'spec'), 'tls')) = 0 THEN ['ingress without TLS'] ELSE [] END
        ) AS exposure
    FROM writes
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace,
    coalesce(name, json_texts(json_members(json_members(objects, 'metadata'), 'name'))[1]) AS name, exposure,
    json_texts(json_members(json_items(specs, 'rules'), 'host')) AS hosts,
    outcome, status_code, source_ip, user_agent, audit_id
FROM exposed
WHERE len(exposure) > 0
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "What was exposed to the outside"
-- question = """
-- Who made services reachable from outside, by type, route or ingress, without TLS, put code into an ingress controller, or sent \
-- a service elsewhere by its endpoints, its name, the pods that it selects, or what a pod says of itself?"""
-- group = "persistence"
-- words = ["ingress", "snippet", "nodeport", "loadbalancer", "internet", "expose"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1133", "T1190"]
-- resources = [
--     "services", "ingresses", "routes", "httproutes", "grpcroutes", "tlsroutes", "tcproutes", "udproutes", "gateways",
--     "ingressroutes", "virtualservices", "endpoints", "endpointslices", "pods"
-- ]
-- needs = [
--     { resource = ["services", "ingresses"], verbs = ["create", "update", "patch"], level = "Request" },
--     {
--         resource = ["endpoints", "endpointslices"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "services that were sent elsewhere by their endpoints",
--     },
--     {
--         resource = "pods",
--         subresource = ["status"],
--         verbs = ["update", "patch"],
--         level = "Metadata",
--         tells = "pods whose status was written by hand",
--     },
-- ]
-- caveat = "routes and gateways of add-ons only where their groups are logged"
-- noise = """
-- Ingress controllers and load balancers that are meant to be reached, services that stand for a host outside. Left out: writes of the control plane, \
-- and of controllers to what a service selects and a pod says of itself."""
--
-- [[examples]]
-- log = "made"
-- rows = 3
--
-- [[examples]]
-- log = "production"
-- rows = 0
WITH writes AS (
    SELECT
        *, stored_or_sent(response_object, request_object) AS objects,
        -- What is not in a part of an object may be in the rest.
        verb <> 'patch' OR json_text(json_body(response_object), 'kind') IS NOT NULL
            AND json_text(json_body(response_object), 'kind') <> 'Status' AS is_whole,
        body_parts(json_body(request_object)) AS parts,
        is_by_hand(user_name, user_groups, impersonated_user, user_agent) AS by_hand,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM requests
    WHERE resource IN (
            'services', 'ingresses', 'routes', 'httproutes', 'grpcroutes', 'tlsroutes', 'tcproutes', 'udproutes', 'gateways',
            'ingressroutes', 'virtualservices', 'endpoints', 'endpointslices', 'pods'
        )
      -- Knative has services, ingresses and routes of its own, which say nothing of what these say, and OpenShift an `ingresses` of
      -- its configuration.
      AND CASE
        WHEN resource IN ('services', 'endpoints', 'pods') THEN is_core(api_group)
        WHEN resource = 'ingresses' THEN api_group IN ('networking.k8s.io', 'extensions')
        WHEN resource = 'routes' THEN coalesce(api_group, '') IN ('', 'route.openshift.io', 'serving.knative.dev')
        ELSE true
      END
      AND is_write(verb)
      -- Who writes the status says where the traffic of a load balancer goes.
      -- A pod's own status says where it is and whether it is ready: kubelets write it all day, of pods on their node alone.
      AND CASE
        WHEN resource = 'pods' THEN subresource = 'status'
            AND (NOT starts_with(user_name, 'system:node:') OR impersonated_user IS NOT NULL
                OR is_by_hand(user_name, user_groups, impersonated_user, user_agent)) IS NOT FALSE
        ELSE coalesce(subresource, '') = '' OR resource = 'services' AND subresource = 'status'
      END
      AND filters()
      AND not_own()
),
-- Materialized, or a condition on what was found is planned and asked as a second copy of it.
exposed AS MATERIALIZED (
    SELECT
        *,
        json_members(objects, 'spec') AS specs,
        tidy(
            list_filter(
                json_texts(json_members(json_members(objects, 'spec'), 'type')),
                lambda kind: resource = 'services' AND kind IN ('NodePort', 'LoadBalancer')
            )
            -- A name of the cluster that leads to a host outside of it.
            || CASE WHEN resource = 'services' THEN list_transform(
                list_filter(
                    json_texts(json_members(json_members(objects, 'spec'), 'externalName')),
                    lambda host: contains(host, '.') AND NOT regexp_matches(lower(host), '(\.svc|\.local|\.internal|localhost)\.?$')
                ),
                lambda host: 'external name ' || host
            ) ELSE [] END
            || CASE WHEN resource = 'services' THEN list_transform(
                flatten(list_transform(
                    json_members(json_members(objects, 'spec'), 'externalIPs'),
                    lambda addresses: coalesce(json_extract_string(addresses, '$[*]'), [])
                )),
                lambda address: 'external IP ' || address
            ) ELSE [] END
            -- What a controller applies says nothing of before; a hand that writes it may point it elsewhere.
            || CASE WHEN resource = 'services' AND verb <> 'create' AND by_hand THEN list_transform(
                json_members(json_members(parts, 'spec'), 'selector'),
                lambda selector: CASE json_type(selector)
                    WHEN 'NULL' THEN 'pods of nobody'
                    ELSE 'pods of ' || array_to_string(list_transform(
                        coalesce(json_keys(selector), []), lambda label: label || '=' || coalesce(json_text(selector, label), '')
                    ), ',')
                END
            ) ELSE [] END
            -- Network plugins write what else a status has; where a pod is they leave to its kubelet.
            || CASE WHEN resource = 'pods' AND by_hand THEN ['status of a pod'] ELSE [] END
            || CASE WHEN resource = 'pods' THEN list_transform(
                    json_texts(json_members(json_members(parts, 'status'), 'podIP')
                        || json_members(json_items(json_members(parts, 'status'), 'podIPs'), 'ip')),
                    lambda address: 'pod at ' || address
                )
                || list_transform(
                    list_filter(
                        json_items(json_members(parts, 'status'), 'conditions'),
                        lambda condition: json_text(condition, 'type') = 'Ready'
                    ),
                    lambda condition: 'ready: ' || json_text(condition, 'status')
                )
            ELSE [] END
            || CASE WHEN resource = 'services' AND subresource = 'status' THEN list_transform(
                json_texts(json_members(
                    json_items(json_members(json_members(objects, 'status'), 'loadBalancer'), 'ingress'), 'ip'
                )), lambda address: 'load balancer at ' || address
            ) ELSE [] END
            || CASE WHEN resource = 'ingresses' AND is_whole AND (
                    len(json_items(json_members(objects, 'spec'), 'rules')) > 0
                    OR len(json_members(json_members(objects, 'spec'), 'defaultBackend')) > 0
                    OR len(json_members(json_members(objects, 'spec'), 'backend')) > 0
                ) AND len(json_items(json_members(objects, 'spec'), 'tls')) = 0 THEN ['ingress without TLS'] ELSE [] END
            || CASE WHEN resource = 'ingresses' AND (
                    len(json_members(json_members(objects, 'spec'), 'defaultBackend')) > 0
                    OR len(json_members(json_members(objects, 'spec'), 'backend')) > 0
                ) THEN ['ingress for every host'] ELSE [] END
            || CASE WHEN resource = 'ingresses' THEN list_transform(
                flatten(list_transform(
                    json_members(json_members(coalesce(nullif(parts, []), objects), 'metadata'), 'annotations'),
                    lambda names: list_filter(
                        coalesce(json_keys(names), []), lambda name: puts_into_server(name, json_text(names, name))
                    )
                )),
                lambda name: 'code in ' || name
            ) ELSE [] END
            -- Without a body there is still the route.
            || CASE WHEN resource NOT IN ('services', 'ingresses', 'endpoints', 'endpointslices', 'pods') THEN ['route'] ELSE [] END
            || CASE WHEN resource = 'routes' AND api_group IS DISTINCT FROM 'serving.knative.dev' AND is_whole AND len(json_members(json_members(objects, 'spec'), 'tls')) = 0
                AND len(json_members(objects, 'spec')) > 0 THEN ['route without TLS'] ELSE [] END
            -- Of a hand each is told, with or without a body.
            || CASE WHEN resource IN ('endpoints', 'endpointslices') AND by_hand THEN ['endpoints by hand'] ELSE [] END
            || CASE WHEN resource IN ('endpoints', 'endpointslices') THEN list_transform(
                json_texts(json_members(
                    json_items(json_items(objects, 'subsets'), 'addresses'), 'ip'
                )) || flatten(list_transform(
                    json_members(json_items(objects, 'endpoints'), 'addresses'),
                    lambda addresses: coalesce(json_extract_string(addresses, '$[*]'), [])
                )),
                lambda address: 'endpoint ' || address
            ) ELSE [] END
        ) AS exposure
    FROM writes
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace,
    coalesce(name, json_texts(json_members(json_members(objects, 'metadata'), 'name'))[1]) AS name, exposure,
    tidy(json_texts(json_members(json_items(specs, 'rules'), 'host')) || json_texts(json_members(specs, 'host')))
        AS hosts,
    outcome, status_code, dry_run, source_ip, user_agent, audit_id, cluster
FROM exposed
WHERE len(exposure) > 0
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

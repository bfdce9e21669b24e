-- title = "Objects that open back doors"
-- question = """
-- Who wrote volumes of the node, APIs, conversion webhooks, trust, identities, SCCs, charts, deliveries, stores of \
-- secrets, backups, machines, classes or labels of nodes: objects that give more than they seem to?"""
-- group = "persistence"
-- words = ["backdoor", "persistence", "crd", "apiservice", "oauth", "podsecuritypolicy"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1611", "T1546", "T1136", "T1098"]
-- needs = [
--     {
--         resource = ["persistentvolumes", "apiservices", "customresourcedefinitions", "nodes", "storageclasses"],
--         verbs = ["create", "update", "patch"],
--         level = "Metadata",
--     },
--     {
--         resource = ["persistentvolumes", "customresourcedefinitions", "nodes", "resourceclaims"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "whether the object gives more than it seems to; each is shown without",
--     },
-- ]
-- caveat = "objects of OpenShift, k3s and add-ons only where their groups are logged"
-- noise = """
-- Storage drivers and operators that are installed, autoscalers that label and taint nodes, logins that make users of \
-- OpenShift, teams that deliver and store with these, service accounts of workloads that use a cloud, controllers of a cloud that tell a new node's addresses. `-p about=…` narrows: volume, api, conversion, trust, certificate, \
-- identity, scc, chart, delivery, store, backup, machine, mesh, device, class, node, audit."""
--
-- [[parameters]]
-- name = "about"
-- type = "text"
-- meaning = "only objects of this kind: volume, api, conversion, trust, certificate, identity, scc, chart, delivery, store, backup, machine, mesh, device, class, node, audit"
--
-- [[examples]]
-- log = "workloads"
-- rows = 8
--
-- [[examples]]
-- log = "adversarial"
-- rows = 8
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
WITH writes AS (
    SELECT
        *,
        stored_or_sent(response_object, request_object) AS objects,
        json_members(stored_or_sent(response_object, request_object), 'spec') AS specs,
        CASE WHEN resource IN ('serviceaccounts', 'nodes') THEN body_parts(json_body(request_object)) END AS sent,
        request_object IS NOT NULL OR response_object IS NOT NULL AS has_body,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM (
        -- What has a name here apart from what only its group tells: with one condition on both every body would be read.
        SELECT * FROM requests WHERE is_sensitive(api_group, resource)
        UNION ALL
        SELECT * FROM requests
        WHERE NOT is_built_in(api_group) AND add_on(api_group, resource) IS NOT NULL AND NOT is_sensitive(api_group, resource)
    )
    WHERE is_write(verb)
      -- The annotation by which a cloud lends its pods a role stands in a body alone.
      AND (resource <> 'serviceaccounts' OR request_object IS NOT NULL)
      -- A node's status says where its kubelet is. Kubelets and controllers write it all day, people do not. A token of
      -- OpenShift's is what its login server writes when somebody logs in; who writes one by hand is whom he likes.
      AND (coalesce(subresource, '') = '' AND resource NOT IN ('oauthaccesstokens', 'oauthauthorizetokens')
        OR (resource = 'nodes' AND subresource = 'status'
            OR resource IN ('oauthaccesstokens', 'oauthauthorizetokens') AND coalesce(subresource, '') = '') AND (
            is_person(user_name, user_groups, impersonated_user)
            -- By its name a component, and by what it did none, or with a tool of people.
            OR starts_with(user_name, 'system:node:') AND NOT is_own(
                cluster, user_name, user_groups, impersonated_user, source_ip, user_agent, verb, api_group, resource,
                subresource, namespace, name)
            OR starts_with(user_name, 'system:serviceaccount:') AND (client_kind(user_agent) IS NOT NULL
                OR regexp_matches(user_agent, '^(kubectl|oc|k9s)\b')
                -- Put as a whole by a client of its own, and what was put nobody logged.
                OR resource = 'nodes' AND verb = 'update' AND request_object IS NULL AND response_object IS NULL)
            -- Where the API server finds the kubelet says the kubelet, and of a new node its cloud. Who writes it is given what is
            -- sent there: exec sessions, logs. Controllers put what they read back as a whole, so a part is what tells.
            OR resource = 'nodes' AND verb = 'patch' AND NOT starts_with(user_name, 'system:node:')
                AND regexp_matches(request_object, '"(addresses|daemonEndpoints)"\s*:|/status/(addresses|daemonEndpoints)')))
      AND filters() AND not_own()
),
found AS (
    SELECT
        *,
        CASE
            WHEN resource = 'persistentvolumes' THEN 'volume'
            WHEN resource = 'apiservices' THEN 'api'
            WHEN resource = 'customresourcedefinitions' THEN 'conversion'
            WHEN resource IN ('clustertrustbundles') THEN 'trust'
            WHEN resource = 'podcertificaterequests' THEN 'certificate'
            WHEN resource IN ('securitycontextconstraints', 'podsecuritypolicies') THEN 'scc'
            WHEN resource IN ('helmcharts', 'helmchartconfigs') THEN 'chart'
            WHEN resource IN ('resourceclaims', 'resourceclaimtemplates', 'deviceclasses') THEN 'device'
            WHEN resource IN ('storageclasses', 'csidrivers', 'runtimeclasses', 'podpresets') THEN 'class'
            WHEN resource = 'nodes' THEN 'node'
            WHEN resource = 'auditsinks' THEN 'audit'
            WHEN add_on(api_group, resource) IS NOT NULL THEN add_on(api_group, resource)
            ELSE 'identity'
        END AS about,
        CASE
            WHEN subresource = 'status' THEN CASE
                WHEN len(json_members(json_members(sent, 'status'), 'addresses')) > 0
                    OR len(json_members(json_members(sent, 'status'), 'daemonEndpoints')) > 0 THEN 'status: where its kubelet is'
                ELSE 'status'
            END
            WHEN NOT has_body THEN 'not told: no body was logged'
            -- Their controllers write what came of it beside it: what is asked for stands in `spec`.
            WHEN add_on(api_group, resource) IN ('delivery', 'store', 'backup', 'certificate', 'machine', 'mesh', 'audit') THEN
                CASE
                    WHEN verb = 'patch' AND request_object IS NOT NULL AND NOT patch_sets(request_object, '^/(spec|operation)')
                        AND len(json_members([request_object], 'spec') || json_members([request_object], 'operation')) = 0
                    THEN NULL
                    ELSE coalesce(
                        'takes from ' || json_texts(
                            json_members(specs, 'url') || json_members(specs, 'repoURL') || json_members(specs, 'endpoint')
                            || json_members(specs, 'repo') || json_members(specs, 'image') || json_members(specs, 'package')
                            || json_members(json_members(specs, 'source'), 'repoURL')
                        )[1],
                        'audit profile ' || json_texts(json_members(json_members(specs, 'audit'), 'profile'))[1],
                        'written'
                    )
                END
            WHEN resource = 'serviceaccounts' THEN 'acts in the cloud as ' || json_texts(
                json_members(json_members(json_members(sent, 'metadata'), 'annotations'), 'eks.amazonaws.com/role-arn')
                || json_members(json_members(json_members(sent, 'metadata'), 'annotations'), 'iam.gke.io/gcp-service-account')
                || json_members(json_members(json_members(sent, 'metadata'), 'annotations'), 'azure.workload.identity/client-id')
            )[1]
            WHEN resource = 'persistentvolumes' THEN coalesce(
                'path of the node ' || json_texts(
                    json_members(json_members(specs, 'hostPath'), 'path') || json_members(json_members(specs, 'local'), 'path')
                )[1],
                'driver ' || json_texts(json_members(json_members(specs, 'csi'), 'driver'))[1],
                CASE WHEN len(json_members(specs, 'hostPath') || json_members(specs, 'local')) > 0 THEN 'path of the node' END
            )
            WHEN resource = 'apiservices' THEN coalesce(
                'served by ' || array_to_string(list_transform(
                    json_members(specs, 'service'),
                    lambda service: concat_ws('/', json_text(service, 'namespace'), json_text(service, 'name'))
                ), ', '), 'API')
            WHEN resource = 'customresourcedefinitions' THEN
                CASE WHEN list_contains(json_texts(json_members(json_members(specs, 'conversion'), 'strategy')), 'Webhook')
                        OR len(json_members(json_members(specs, 'conversion'), 'webhook')) > 0
                    THEN 'objects are sent to a webhook' END
            WHEN resource IN ('resourceclaims', 'resourceclaimtemplates') THEN
                CASE WHEN len(list_filter(
                    objects, lambda object: regexp_matches(object::VARCHAR, '"adminAccess"\s*:\s*true')
                )) > 0 THEN 'adminAccess' END
            WHEN resource = 'deviceclasses' THEN 'devices of nodes'
            -- What a node has is in the answer, what a patch changes in the request alone; an operation that takes away has no value.
            WHEN resource = 'nodes' AND verb = 'patch' AND request_object IS NOT NULL THEN nullif(concat_ws(', ',
                CASE WHEN len(json_members(json_members(sent, 'metadata'), 'labels')) > 0
                    OR patch_sets(json_body(request_object), '^/metadata(/labels(/|$)|$)') THEN 'labels' END,
                CASE WHEN len(json_members(json_members(sent, 'spec'), 'taints')) > 0
                    OR patch_sets(json_body(request_object), '^/spec(/taints(/|$)|$)') THEN 'taints' END,
                CASE WHEN len(json_members(json_members(sent, 'spec'), 'unschedulable')) > 0
                    OR patch_sets(json_body(request_object), '^/spec(/unschedulable$|$)') THEN 'scheduling' END
            ), '')
            WHEN resource = 'nodes' THEN CASE verb WHEN 'update' THEN 'replaced' WHEN 'patch' THEN 'changed' END
            WHEN resource = 'securitycontextconstraints' THEN array_to_string(tidy(flatten(list_transform(
                json_members(objects, 'users') || json_members(objects, 'groups'),
                lambda names: coalesce(json_extract_string(names, '$[*]'), [])
            )) || ['policy changed']), ', ')
            ELSE 'written'
        END AS gives
    FROM writes
)
SELECT
    event_time, user_name, impersonated_user, verb, about, resource, namespace,
    coalesce(name, json_texts(json_members(json_members(objects, 'metadata'), 'name'))[1]) AS name, gives,
    outcome, status_code, dry_run, source_ip, user_agent, audit_id, cluster
FROM found
WHERE gives IS NOT NULL AND ($about::VARCHAR IS NULL OR about = $about)
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

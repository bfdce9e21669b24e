-- title = "Who changed RBAC"
-- question = "Who created, changed or deleted roles and bindings, and which rights went to whom?"
-- group = "access"
-- attack = ["T1098.006", "T1078"]
-- needs = "level Metadata and stage ResponseComplete; `role_ref` and `subjects` need level Request or RequestResponse"
-- noise = """
-- The API server creates its default roles and bindings at its first start and repairs them at every start; the \
-- clusterrole-aggregation-controller patches aggregated roles; operators and Helm bring roles of their own."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 135
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--outcome", "denied"]
-- rows = 0
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
WITH changes AS (
    -- Not limited to the four resources: a request for one that does not exist is an attempt as well.
    SELECT
        *,
        json_body(response_object) AS response,
        json_body(request_object) AS request
    FROM requests
    WHERE api_group = 'rbac.authorization.k8s.io'
      AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
      AND filters()
),
granted AS (
    -- The object as it was stored, else as it was sent. An answer can be a Status, and a JSON Patch is a list:
    -- neither has these members.
    SELECT
        *,
        CASE
            WHEN json_type(json_member(response, 'roleRef')) = 'OBJECT' THEN json_member(response, 'roleRef')
            WHEN json_type(json_member(request, 'roleRef')) = 'OBJECT' THEN json_member(request, 'roleRef')
        END AS role,
        CASE
            WHEN json_type(json_member(response, 'subjects')) = 'ARRAY' THEN json_member(response, 'subjects')
            WHEN json_type(json_member(request, 'subjects')) = 'ARRAY' THEN json_member(request, 'subjects')
        END AS bound
    FROM changes
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, outcome, status_code,
    nullif(concat_ws('/', json_text(role, 'kind'), json_text(role, 'name')), '') AS role_ref,
    list_sort(list_distinct(list_transform(
        list_filter(json_extract(bound, '$[*]'), lambda subject: json_type(subject) = 'OBJECT'),
        lambda subject: concat_ws(
            '/', json_text(subject, 'kind'), json_text(subject, 'namespace'), json_text(subject, 'name')
        )
    ))) AS subjects,
    source_ip, audit_id
FROM granted
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, user_name NULLS FIRST

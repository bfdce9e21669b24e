-- title = "Somebody asks what they may do"
-- question = "Who asked the server for their own rights, what about, and what was the answer?"
-- group = "discovery"
-- attack = ["T1069.003", "T1613", "T1087.004"]
-- needs = """
-- level Metadata and stage ResponseComplete; what was asked and answered needs level Request or RequestResponse"""
-- noise = """
-- `kubectl auth can-i`, dashboards, IDEs and installers ask all the time. Service accounts of applications have \
-- little reason to. The cluster's own components are left out unless `-p platform=true`."""
--
-- [[parameters]]
-- name = "platform"
-- type = "boolean"
-- default = false
-- meaning = "also show the cluster's own components and operators"
--
-- [[examples]]
-- log = "production"
-- rows = 1
--
-- [[examples]]
-- log = "metadata"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, resource, asked, allowed, outcome, status_code,
    source_ip, user_agent, audit_id
FROM (
    SELECT
        * EXCLUDE (request_object, response_object),
        json_member(json_member(json_body(request_object), 'spec'), 'resourceAttributes') AS attributes,
        nullif(concat_ws(
            ' ', json_text(attributes, 'verb'),
            nullif(concat_ws('/', json_text(attributes, 'resource'), json_text(attributes, 'subresource')), ''),
            json_text(attributes, 'name'), 'in ' || json_text(attributes, 'namespace'),
            json_text(json_member(json_member(json_body(request_object), 'spec'), 'nonResourceAttributes'), 'path'),
            'rules in ' || json_text(json_member(json_body(request_object), 'spec'), 'namespace')
        ), '') AS asked,
        try_cast(
            json_member(json_member(json_body(response_object), 'status'), 'allowed')::VARCHAR AS BOOLEAN
        ) AS allowed
    FROM requests
    WHERE verb = 'create'
      AND resource IN ('selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews')
)
WHERE filters()
  AND ($platform::BOOLEAN OR NOT is_platform(user_name))
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

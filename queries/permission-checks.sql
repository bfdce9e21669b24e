-- title = "Somebody asks what they may do"
-- question = "Who asked the server for their own rights or for those of others, or whose a token is, and what was the answer?"
-- group = "discovery"
-- variant_of = "recon"
-- view = "permission-checks"
-- kind = "detection"
-- severity = "low"
-- attack = ["T1069.003", "T1613", "T1087.004"]
-- resources = [
--     "selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews", "subjectaccessreviews",
--     "localsubjectaccessreviews", "tokenreviews", "subjectrulesreviews"
-- ]
-- needs = [
--     {
--         resource = ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews", "tokenreviews"],
--         verbs = ["create"],
--         level = "Metadata",
--     },
--     {
--         resource = ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"],
--         verbs = ["create"],
--         level = "Request",
--         tells = "what was asked and answered",
--     },
-- ]
-- noise = """
-- `kubectl auth can-i`, dashboards, IDEs and installers ask all the time. Service accounts of applications have \
-- little reason to; aggregated API servers and proxies of metrics (kube-rbac-proxy) ask about others in every request. The cluster's own components are left out unless `-p own=true`."""
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
WITH checks AS (
    SELECT
        * EXCLUDE (request_object, response_object),
        json_member(json_body(request_object), 'spec') AS spec,
        json_member(json_body(response_object), 'status') AS answer
    FROM requests
    WHERE verb = 'create'
      AND resource IN (
          'selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews', 'subjectaccessreviews',
          'localsubjectaccessreviews', 'tokenreviews', 'subjectrulesreviews'
      )
),
parts AS (
    SELECT
        *, json_member(spec, 'resourceAttributes') AS about, json_member(spec, 'nonResourceAttributes') AS path
    FROM checks
)
SELECT
    event_time, user_name, impersonated_user, resource,
    nullif(concat_ws(
        ' ', 'as ' || json_text(spec, 'user'), coalesce(json_text(about, 'verb'), json_text(path, 'verb')),
        nullif(concat_ws('/', json_text(about, 'resource'), json_text(about, 'subresource')), ''),
        json_text(about, 'name'), json_text(path, 'path'), 'in ' || json_text(about, 'namespace'),
        'rules in ' || json_text(spec, 'namespace')
    ), '') AS asked,
    try_cast(json_member(answer, 'allowed')::VARCHAR AS BOOLEAN) AS allowed,
    outcome, status_code, source_ip, user_agent, audit_id, cluster
FROM parts
WHERE filters()
  -- Aggregated API servers of people's own ask about everybody; a workload that does looks for somebody to be.
  AND (starts_with(resource, 'self') OR starts_with(user_name, 'system:serviceaccount:'))
  AND not_own()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

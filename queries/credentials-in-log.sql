-- title = "Credentials inside of the audit log"
-- question = "Which events carried secret values into the log itself, where whoever reads it can read them?"
-- group = "credentials"
-- words = ["password", "leak", "redaction"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1552.001"]
-- needs = [{ resource = ["secrets", "serviceaccounts"], subresource = ["", "token"], level = "Request" }]
-- caveat = """
-- the less is logged, the less can have leaked: what is not recorded at level Request or RequestResponse holds no \
-- credential"""
-- noise = """
-- Every read and write of a secret under such a policy. `redacted` values were replaced when the log was read: \
-- they are in the log, but not in the case. A row with 0 was read with the values kept."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 149
--
-- [[examples]]
-- log = "metadata"
-- rows = 0
SELECT
    event_time, user_name, verb, resource, subresource, namespace, name, level, redacted,
    request_object IS NOT NULL AS in_request, response_object IS NOT NULL AS in_response, source_ip, audit_id, cluster
FROM requests
WHERE filters()
  AND (
      redacted > 0
      OR (resource = 'secrets' AND is_core(api_group) OR subresource = 'token' OR resource = 'tokenreviews')
          AND outcome = 'allowed'
          AND (
              json_text(json_body(response_object), 'kind') IN ('Secret', 'SecretList', 'TokenRequest')
              OR json_text(json_body(request_object), 'kind') IN ('Secret', 'TokenReview')
          )
  )
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

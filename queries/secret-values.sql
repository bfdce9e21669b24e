-- title = "Who got the values of secrets, and how"
-- question = """
-- Which requests were answered with secrets, by whatever verb: reads, patches, deletions, dry runs, tables that hold the \
-- objects?"""
-- group = "access"
-- variant_of = "secret-reads"
-- view = "values"
-- words = ["leak", "who got", "stolen", "export"]
-- kind = "question"
-- severity = "low"
-- attack = ["T1552.007"]
-- resources = ["secrets"]
-- needs = [
--     { resource = "secrets", level = "Metadata" },
--     { resource = "secrets", level = "RequestResponse", tells = "what the answer held" },
-- ]
-- caveat = "what a watch handed out stands in no log"
-- noise = """
-- As for secret-reads, and everybody who changes a secret: an answer to a create or update holds what was sent. A patch \
-- that changes nothing, and a deletion as a dry run, are reads in disguise. What was refused, or answered with names \
-- alone, is shown by `-p all=true`."""
--
-- [[parameters]]
-- name = "all"
-- type = "boolean"
-- default = false
-- meaning = "also requests that got no value: refused, failed, answered with metadata or a status"
--
-- [[examples]]
-- log = "adversarial"
-- arguments = ["--namespace", "prod", "--user", "eve"]
-- rows = 6
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, how, handed_out, namespace, name, secrets, outcome, status_code, dry_run,
    source_ip, user_agent, decision_reason, audit_id, cluster
FROM secret_access
WHERE filters()
  AND ($all::BOOLEAN OR coalesce(handed_out, 'possibly') NOT IN ('nothing', 'metadata'))
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Everything about one user"
-- question = "Who is this user, where did it come from, what did it use, see and change, and through which grants?"
-- group = "start"
-- value = "actor"
-- words = ["user", "person", "what did", "profile"]
-- further = ["origins", "timeline"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1078"]
-- claimed = "aspect"
-- needs = [{ level = "Metadata" }]
-- noise = """
-- This is an account of one user, not a detection. Name it with `--user`, or with `-p actor=…`, which also finds \
-- what others did in its name."""
--
-- [[parameters]]
-- name = "actor"
-- type = "text"
-- meaning = "the user, as sender or as the one who was impersonated"
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "actor=bob"]
-- rows = 64
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "actor=nobody"]
-- rows = 0
WITH asked AS (
    SELECT
        event_time, user_name, user_groups, user_extra, user_uid, credential_id, pod_name, node_name,
        impersonated_user, source_ip, source_ips, user_agent, verb, api_group, resource, subresource, request_uri, namespace,
        name, outcome, decision_reason, cluster, host,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM requests
    WHERE filters()
      AND ($actor::VARCHAR IS NULL OR user_name = $actor OR impersonated_user = $actor)
)
SELECT aspect, value, requests, allowed, denied, failed, first_seen, last_seen
FROM dossier_of('asked')
ORDER BY aspect, first_seen, value

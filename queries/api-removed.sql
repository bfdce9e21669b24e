-- title = "Use of deprecated APIs"
-- question = "Which clients use API versions that are deprecated, and when do these go?"
-- group = "operations"
-- kind = "question"
-- severity = "info"
-- attack = []
-- needs = [{ level = "Metadata" }]
-- caveat = "Kubernetes 1.19 and later note it"
-- noise = "kubectl and controllers that ask for every version there is."
--
-- [[examples]]
-- log = "production"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
WITH uses AS (
    SELECT *, json_text(json_body(annotations), 'k8s.io/removed-release') AS removed_in
    FROM requests
    WHERE contains(annotations, 'k8s.io/deprecated') AND json_text(json_body(annotations), 'k8s.io/deprecated') = 'true' AND filters()
)
SELECT
    api_group, api_version, resource, removed_in, user_name, count(*) AS requests, tidy(list(verb)) AS verbs,
    tidy(list(user_agent)) AS user_agents, tidy(list(source_ip)) AS source_ips,
    min(event_time) AS first_seen, max(event_time) AS last_seen, min(audit_id) AS an_audit_id, cluster
FROM uses
GROUP BY api_group, api_version, resource, removed_in, user_name, cluster
ORDER BY
    last_seen, api_group NULLS FIRST, api_version NULLS FIRST, resource NULLS FIRST, removed_in NULLS FIRST,
    user_name NULLS FIRST, cluster NULLS FIRST

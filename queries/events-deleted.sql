-- title = "Who deleted Events"
-- question = "Who deleted Kubernetes Events, which record what happened to pods?"
-- group = "impact"
-- variant_of = "deletions"
-- view = "events"
-- words = ["cover tracks", "traces"]
-- further = ["audit-evasion", "guards-removed"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1070"]
-- resources = ["events"]
-- needs = [{ resource = "events", verbs = ["delete", "deletecollection"], level = "Metadata" }]
-- caveat = "many policies, GKE's too, log nothing of Events at all"
-- noise = "Left out: the control plane, which deletes the Events of a namespace with it."
--
-- [[examples]]
-- log = "hardened"
-- rows = 1
--
-- [[examples]]
-- log = "production"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, namespace, name, deleted, selector, outcome, status_code, dry_run, source_ip,
    user_agent, audit_id, cluster
FROM deletions
WHERE resource = 'events' AND (is_core(api_group) OR api_group = 'events.k8s.io') AND not_own() AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

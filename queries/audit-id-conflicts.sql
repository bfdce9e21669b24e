-- title = "Audit ids that stand for different events"
-- question = "Which audit ids were reused, forwarded or rewritten?"
-- group = "evasion"
-- variant_of = "audit-evasion"
-- view = "id-conflicts"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1070"]
-- needs = [{ level = "Metadata" }]
-- noise = "`forwarded` is normal where logs of aggregated API servers are in the case."
--
-- [[examples]]
-- log = "metadata"
-- rows = 2
--
-- [[examples]]
-- log = "made"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    audit_id, stage, kind, contents, requests, first_event, last_event, verbs, request_uris, users, source_ips,
    user_agents, hosts
FROM audit_id_conflicts
SEMI JOIN (SELECT audit_id FROM requests WHERE filters()) USING (audit_id)
ORDER BY audit_id, stage NULLS FIRST

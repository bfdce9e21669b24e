-- title = "Who used a client certificate"
-- question = "Which users authenticated with a client certificate, which one, and from where?"
-- group = "identity"
-- variant_of = "identities"
-- view = "certificates"
-- kind = "question"
-- severity = "info"
-- attack = ["T1078"]
-- needs = [{ level = "Metadata" }]
-- caveat = """
-- fingerprints need Kubernetes 1.32: before that a certificate can only be supposed, by name or because nothing \
-- speaks for a token"""
-- noise = """
-- Nodes and the control plane use certificates too; they are shown when the log has their fingerprint. `evidence` \
-- tells what the answer rests on: `fingerprint`, `name`, or `no uid` (tokens and OIDC mostly bring a uid or \
-- extras)."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 4
--
-- [[examples]]
-- log = "identities"
-- rows = 5
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "system:serviceaccount:prod:web"]
-- rows = 0
WITH asked AS (
    SELECT
        user_name, user_groups, user_extra, user_uid, credential_id, pod_name, node_name, impersonated_user,
        source_ip, source_ips, user_agent, outcome, event_time, cluster
    FROM requests
    WHERE filters()
)
SELECT
    user_name, class,
    CASE WHEN len(fingerprints) > 0 THEN 'fingerprint' WHEN class = 'certificate' THEN 'name' ELSE 'no uid' END
        AS evidence,
    groups, fingerprints, source_ips, user_agents, impersonated_users, requests, denied, first_seen, last_seen, cluster
FROM identities_of('asked')
WHERE len(fingerprints) > 0 OR class = 'certificate' OR class = 'other' AND credential_ids = [] AND uids = []
    AND NOT starts_with(user_name, 'system:bootstrap:')
ORDER BY last_seen, user_name, class, cluster NULLS FIRST

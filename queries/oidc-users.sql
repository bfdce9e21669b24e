-- title = "Who logged in through an identity provider"
-- question = "Which users came through OIDC or a cloud IAM, with which groups, and from where?"
-- group = "identity"
-- variant_of = "identities"
-- view = "oidc"
-- kind = "question"
-- severity = "info"
-- attack = ["T1078", "T1078.004"]
-- needs = [{ level = "Metadata" }]
-- caveat = """
-- a name without a prefix, an e-mail address or a token id does not tell its provider: see `-p unsure=true`"""
-- noise = """
-- This is an account of identities, not a detection. Clusters whose provider gives plain names without a prefix \
-- show nobody unless `-p unsure=true`."""
--
-- [[parameters]]
-- name = "unsure"
-- type = "boolean"
-- default = false
-- meaning = "also show users of whom the log does not tell where they come from"
--
-- [[examples]]
-- log = "identities"
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "unsure=true"]
-- rows = 3
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
WITH asked AS (
    SELECT
        user_name, user_groups, user_extra, user_uid, credential_id, pod_name, node_name, impersonated_user,
        source_ip, source_ips, user_agent, outcome, event_time, cluster
    FROM requests
    WHERE filters()
)
SELECT
    user_name, class, groups, credential_ids, source_ips, user_agents, impersonated_users, requests, allowed, denied,
    first_seen, last_seen, cluster
FROM identities_of('asked')
WHERE class IN ('oidc', 'cloud_iam') OR $unsure::BOOLEAN AND class = 'other'
ORDER BY last_seen, user_name, class, cluster NULLS FIRST

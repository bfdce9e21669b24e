-- title = "Credentials used from several places"
-- question = "Which credential was used from several addresses, or with several kinds of clients?"
-- group = "identity"
-- variant_of = "origins"
-- view = "shared"
-- words = ["stolen", "elsewhere", "two addresses"]
-- further = ["origins", "first-seen"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1528", "T1550.001", "T1078"]
-- claimed = "forwarded_for"
-- needs = [{ level = "Metadata" }]
-- caveat = """
-- ids of credentials need Kubernetes 1.29 (tokens) or 1.32 (certificates): without them all requests of a user \
-- count as one credential"""
-- noise = """
-- People behind changing addresses, proxies and load balancers in front of the API server, and tools that use one \
-- kubeconfig together. Users as a whole (before 1.29) have more clients than one credential has. The cluster's own \
-- components are left out unless `-p own=true`."""
--
-- [[parameters]]
-- name = "addresses"
-- type = "integer"
-- default = 2
-- meaning = "addresses from which a credential is shown"
--
-- [[parameters]]
-- name = "clients"
-- type = "integer"
-- default = 2
-- meaning = "kinds of clients from which a credential is shown"
--
-- [[examples]]
-- log = "hardened"
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "alice"]
-- rows = 0
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "addresses=9", "-p", "clients=9"]
-- rows = 0
WITH alike AS (
    -- What is costly is asked of kinds of requests, which are few.
    SELECT
        cluster, user_name, user_groups, impersonated_user, source_ip, forwarded_for(source_ips) AS forwarded_for, user_agent, verb, api_group, resource, subresource, namespace,
        name, credential_id, pod_name, node_name, count(*) AS requests,
        count_of(outcome, 'denied') AS denied, min(event_time) AS first_seen, max(event_time) AS last_seen,
        -- Who asks about one address is shown with which others a credential was used.
        bool_or(filters()) AS is_asked
    FROM requests
    WHERE in_window()
      AND user_name IS NOT NULL AND user_name <> 'system:anonymous'
    GROUP BY
        cluster, user_name, user_groups, impersonated_user, source_ip, forwarded_for, user_agent, verb, api_group, resource, subresource, namespace,
        name, credential_id, pod_name, node_name
)
SELECT
    coalesce(credential_id, user_name) AS credential,
    list(DISTINCT user_name ORDER BY user_name) AS users,
    list_sort(list_distinct(list(source_ip))) AS source_ips, tidy(list(forwarded_for)) AS forwarded_for,
    list_sort(list_distinct(list(split_part(user_agent, '/', 1)))) AS clients,
    coalesce(list(DISTINCT pod_name ORDER BY pod_name) FILTER (WHERE pod_name IS NOT NULL), []) AS pods,
    coalesce(list(DISTINCT node_name ORDER BY node_name) FILTER (WHERE node_name IS NOT NULL), []) AS nodes,
    sum(requests)::BIGINT AS requests, sum(denied)::BIGINT AS denied,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    CASE WHEN credential_id IS NULL THEN cluster END AS cluster
FROM alike
-- A name says nothing of who it is in another cluster.
GROUP BY coalesce(credential_id, user_name), CASE WHEN credential_id IS NULL THEN cluster END
HAVING (count(DISTINCT source_ip) >= $addresses OR count(DISTINCT split_part(user_agent, '/', 1)) >= $clients)
    -- One request that is not the cluster's own shows all that its credential did.
    AND bool_or(not_own()) AND bool_or(is_asked)
ORDER BY last_seen, credential, cluster NULLS FIRST

-- title = "Use of all-powerful accounts"
-- question = "Who used a member of system:masters or another administrator account, from where, and what for?"
-- group = "identity"
-- words = ["system:masters", "emergency", "admin"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1078", "T1078.003"]
-- needs = [{ level = "Metadata" }]
-- noise = """
-- Installers and upgrades (kubeadm, k3s) work with such an account. The API server itself is a member of \
-- system:masters: its own work is left out unless `-p own=true`."""
--
-- [[parameters]]
-- name = "admins"
-- type = "text"
-- default = "kubernetes-admin,kubernetes-super-admin,system:admin,kube:admin,minikube-user,clusterAdmin,admin"
-- meaning = "names of administrator accounts, separated by commas"
--
-- [[examples]]
-- log = "hardened"
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "alice"]
-- rows = 0
WITH alike AS (
    -- What is costly is asked of kinds of requests, which are few.
    SELECT
        cluster, user_name, user_groups, impersonated_user, source_ip, user_agent, verb, api_group, resource, subresource, namespace,
        name, impersonated_groups, count(*) AS requests,
        count_of(outcome, 'denied') AS denied,
        count(*) FILTER (
            is_change(verb, resource, subresource, outcome, request_uri, request_object, level, truncated)
        ) AS changes,
        min(event_time) AS first_seen, max(event_time) AS last_seen
    FROM requests
    WHERE filters()
    GROUP BY
        cluster, user_name, user_groups, impersonated_user, source_ip, user_agent, verb, api_group, resource, subresource, namespace,
        name, impersonated_groups
),
powerful AS (
    SELECT
        *, list_sort(effective_groups(user_groups, impersonated_user, impersonated_groups)) AS groups
    FROM alike
    WHERE (
        has_powerful_group(user_groups) OR has_powerful_group(impersonated_groups)
        OR list_contains(string_split(replace($admins::VARCHAR, ' ', ''), ','), user_name)
        OR list_contains(string_split(replace($admins::VARCHAR, ' ', ''), ','), impersonated_user)
    )
      AND not_own()
)
SELECT
    user_name, impersonated_user, groups, source_ip, user_agent, sum(requests)::BIGINT AS requests,
    sum(changes)::BIGINT AS changes,
    sum(denied)::BIGINT AS denied,
    list_sort(list_distinct(list(action_of(verb, resource, subresource, 'path')))) AS actions,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen, cluster
FROM powerful
GROUP BY user_name, impersonated_user, groups, source_ip, user_agent, cluster
ORDER BY
    last_seen, user_name NULLS FIRST, impersonated_user NULLS FIRST, source_ip NULLS FIRST, user_agent NULLS FIRST,
    groups NULLS FIRST, cluster NULLS FIRST

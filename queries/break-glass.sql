-- title = "Use of all-powerful accounts"
-- question = "Who used a member of system:masters or another administrator account, from where, and what for?"
-- group = "identity"
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
WITH powerful AS (
    SELECT * FROM requests
    WHERE list_has_any(user_groups, ['system:masters', 'system:cluster-admins', 'kubeadm:cluster-admins'])
       OR list_has_any(impersonated_groups, ['system:masters', 'system:cluster-admins', 'kubeadm:cluster-admins'])
       OR list_contains(string_split(replace($admins::VARCHAR, ' ', ''), ','), user_name)
       OR list_contains(string_split(replace($admins::VARCHAR, ' ', ''), ','), impersonated_user)
)
SELECT
    user_name, impersonated_user,
    list_sort(effective_groups(user_groups, impersonated_user, impersonated_groups)) AS groups,
    source_ip, user_agent, count(*) AS requests,
    count(*) FILTER (verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')) AS changes,
    count(*) FILTER (outcome = 'denied') AS denied,
    list_sort(list_distinct(list(concat_ws(' ', verb, coalesce(resource, 'path'))))) AS actions,
    min(event_time) AS first_seen, max(event_time) AS last_seen
FROM powerful
WHERE filters()
  AND not_own()
GROUP BY ALL
ORDER BY
    last_seen, user_name NULLS FIRST, impersonated_user NULLS FIRST, source_ip NULLS FIRST, user_agent NULLS FIRST,
    groups NULLS FIRST

-- title = "Service accounts that were refused"
-- question = "Which service accounts asked for what they may not do, from where, and with what?"
-- group = "credentials"
-- variant_of = "failed-auth"
-- view = "service-accounts"
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1613", "T1528"]
-- refusals = true
-- needs = [{ level = "Metadata" }]
-- noise = """
-- Applications whose role lacks a right ask again and again with one client and from one address. A second client \
-- or address of the same account is what a stolen token looks like. Operators are left out unless `-p \
-- own=true`."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--source-ip", "127.0.31.9"]
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 0
SELECT
    user_name, source_ip, user_agent, count(*) AS attempts, count(DISTINCT request_uri) AS uris,
    list_sort(list_distinct(list(
        action_of(verb, resource, subresource, regexp_replace(request_uri, '[?].*$', ''))
    ))) AS refused,
    list_sort(list_distinct(list(namespace))) AS namespaces,
    coalesce(list(DISTINCT credential_id ORDER BY credential_id) FILTER (WHERE credential_id IS NOT NULL), [])
        AS credential_ids,
    min(event_time) AS first_seen, max(event_time) AS last_seen, cluster
FROM auth_failures
WHERE filters()
  AND failure <> 'unauthenticated'
  AND starts_with(user_name, 'system:serviceaccount:')
  AND not_own()
GROUP BY user_name, source_ip, user_agent, cluster
ORDER BY last_seen, user_name, source_ip NULLS FIRST, user_agent NULLS FIRST, cluster NULLS FIRST

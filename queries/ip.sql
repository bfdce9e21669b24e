-- title = "Everything about one address"
-- question = "Who came from this address, with what, and what was asked and changed from there?"
-- group = "start"
-- value = "address"
-- words = ["address", "host", "what did"]
-- further = ["origins", "credential-sharing"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1078"]
-- claimed = "aspect"
-- needs = [{ level = "Metadata" }]
-- caveat = "the legacy text format does not tell the address"
-- noise = """
-- This is an account of one address, not a detection. A proxy or load balancer in front of the API server is the \
-- address of all who come through it: `forwarded for` shows what it says about them, which a client can forge."""
--
-- [[parameters]]
-- name = "address"
-- type = "text"
-- meaning = "the address, or a network"
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "address=127.0.31.9"]
-- rows = 38
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--source-ip", "192.0.2.1"]
-- rows = 0
WITH few AS (
    -- Whether an address lies in a network is asked once for each address.
    SELECT * FROM requests
    WHERE $address::VARCHAR IS NULL
       OR source_ip IN (
           SELECT address FROM (SELECT unnest(list(DISTINCT source_ip)) AS address FROM events)
           WHERE in_network(address, $address)
       )
       -- An address that was claimed: `forwarded for` shows it, and `source_ip` who passed it on.
       OR len(source_ips) > 1 AND list_has_any(source_ips, (
           SELECT coalesce(list(address), [])
           FROM (
               SELECT unnest(list_distinct(flatten(list(DISTINCT source_ips)))) AS address FROM events
               WHERE len(source_ips) > 1
           )
           WHERE in_network(address, $address)
       ))
),
asked AS (
    SELECT
        event_time, user_name, user_groups, user_extra, user_uid, credential_id, pod_name, node_name,
        impersonated_user, source_ip, source_ips, user_agent, verb, api_group, resource, subresource, request_uri, namespace,
        name, outcome, decision_reason, cluster, host,
        dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run
    FROM few
    WHERE filters()
)
SELECT aspect, value, requests, allowed, denied, failed, first_seen, last_seen
FROM dossier_of('asked')
ORDER BY aspect, first_seen, value

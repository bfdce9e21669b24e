-- title = "Requests from outside of the usual networks"
-- question = "Which addresses outside of the given networks reached the API server, as whom, and with which outcome?"
-- group = "identity"
-- variant_of = "origins"
-- view = "outside"
-- words = ["foreign", "internet", "unusual", "ip"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1190", "T1078"]
-- claimed = "forwarded_for"
-- needs = [{ level = "Metadata" }]
-- caveat = "the legacy text format does not tell the address"
-- noise = """
-- Administrators and pipelines that come over the internet, clouds' own control planes and NAT gateways: add their \
-- networks. `class` shows at once when a node or a service account comes from outside."""
--
-- [[parameters]]
-- name = "networks"
-- type = "text"
-- default = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,127.0.0.0/8,::1/128,fc00::/7,fe80::/10"
-- meaning = "networks that are inside, separated by commas"
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["-p", "networks=127.0.0.1/32"]
-- rows = 4
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
WITH networks AS (
    SELECT DISTINCT trim(unnest(string_split($networks::VARCHAR, ','))) AS network
),
addresses AS (
    -- A list, so that each address is looked at once: a condition on DISTINCT rows would be asked of every request.
    SELECT unnest(list(DISTINCT source_ip) FILTER (source_ip IS NOT NULL)) AS address FROM requests
    UNION SELECT unnest(list_distinct(flatten(list(DISTINCT source_ips)))) FROM requests WHERE len(source_ips) > 1
),
outside AS (
    -- What is no address lies in no network.
    SELECT address FROM addresses
    WHERE address NOT IN (SELECT address FROM addresses, networks WHERE in_network(address, network))
)
SELECT
    source_ip, user_name,
    min(identity_class(user_name, user_groups, user_extra, credential_id)) AS class,
    count(*) AS requests, count_of(outcome, 'allowed') AS allowed,
    count_of(outcome, 'denied') AS denied,
    count(*) FILTER (
        is_change(verb, resource, subresource, outcome, request_uri, request_object, level, truncated)
    ) AS changes,
    coalesce(list(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL), []) AS user_agents,
    tidy(list(forwarded_for(source_ips))) AS forwarded_for,
    min(event_time) AS first_seen, max(event_time) AS last_seen, cluster
FROM requests
WHERE filters()
  -- Behind a load balancer the client stands before it, as the balancer or the client itself says.
  AND (source_ip IN (SELECT address FROM outside) OR list_has_any(source_ips, (SELECT list(address) FROM outside)))
GROUP BY source_ip, user_name, cluster
ORDER BY last_seen, source_ip, user_name NULLS FIRST, cluster NULLS FIRST

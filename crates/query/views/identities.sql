-- One row per user, class of its credential and cluster: what it used, from where, how often, with which outcome.

-- `requests_asked` names the table, view or CTE whose requests are counted, so that a query can count some of them:
-- `WITH asked AS (SELECT … FROM requests WHERE …) FROM identities_of('asked')`. It needs the columns user_name,
-- user_groups, user_extra, user_uid, credential_id, pod_name, node_name, impersonated_user, source_ip, source_ips, user_agent,
-- outcome, event_time and cluster. Equal requests are counted first, because extras are costly to look into.
-- Requests that failed to authenticate belong to nobody: their row has neither user nor class.
CREATE MACRO identities_of(requests_asked) AS TABLE
WITH alike AS (
    SELECT
        user_name, user_groups, user_extra, user_uid, credential_id, pod_name, node_name, impersonated_user,
        source_ip, forwarded_for(source_ips) AS forwarded_for, user_agent, cluster,
        count(*) AS requests,
        count_of(outcome, 'allowed') AS allowed,
        count_of(outcome, 'denied') AS denied,
        count_of(outcome, 'failed') AS failed,
        count(*) FILTER (WHERE outcome = 'unknown') AS unknown,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen
    FROM query_table(requests_asked)
    GROUP BY ALL
),
classed AS (
    SELECT *, identity_class(user_name, user_groups, user_extra, credential_id) AS class FROM alike
)
SELECT
    user_name,
    class,
    service_account_of(user_name) AS service_account,
    coalesce(list_sort(list_distinct(flatten(list(user_groups)))), []) AS groups,
    coalesce(list(DISTINCT user_uid ORDER BY user_uid) FILTER (WHERE user_uid IS NOT NULL), []) AS uids,
    coalesce(list(DISTINCT credential_id ORDER BY credential_id) FILTER (
        WHERE credential_id IS NOT NULL
    ), []) AS credential_ids,
    coalesce(list(DISTINCT substr(credential_id, 12) ORDER BY substr(credential_id, 12)) FILTER (
        WHERE starts_with(credential_id, 'X509SHA256=')
    ), []) AS fingerprints,
    coalesce(list(DISTINCT pod_name ORDER BY pod_name) FILTER (WHERE pod_name IS NOT NULL), []) AS pods,
    coalesce(list(DISTINCT node_name ORDER BY node_name) FILTER (WHERE node_name IS NOT NULL), []) AS nodes,
    coalesce(list(DISTINCT impersonated_user ORDER BY impersonated_user) FILTER (
        WHERE impersonated_user IS NOT NULL
    ), []) AS impersonated_users,
    coalesce(list(DISTINCT source_ip ORDER BY source_ip) FILTER (WHERE source_ip IS NOT NULL), []) AS source_ips,
    coalesce(list(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL), []) AS user_agents,
    sum(requests)::BIGINT AS requests,
    sum(allowed)::BIGINT AS allowed,
    sum(denied)::BIGINT AS denied,
    sum(failed)::BIGINT AS failed,
    sum(unknown)::BIGINT AS unknown,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    cluster,
    tidy(list(forwarded_for)) AS forwarded_for
FROM classed
GROUP BY user_name, class, cluster;

-- Columns:
-- user_name: who sent the requests; NULL for those that failed to authenticate
-- class: anonymous, service_account, node, control_plane, oidc, certificate, cloud_iam, other; NULL for nobody
-- service_account: `namespace/name` of a service account
-- groups: all groups that it had, sorted
-- uids: all uids that it had, sorted: two of a service account mean that it was deleted and made anew
-- credential_ids: credentials that it used, sorted: `JTI=…` of tokens (1.29 and later), `X509SHA256=…` of certificates
-- fingerprints: SHA-256 of the certificates that it used, sorted (1.32 and later)
-- pods: pods that its tokens were bound to, sorted
-- nodes: nodes that its tokens were bound to, sorted (1.29 and later)
-- impersonated_users: whom it acted as, sorted
-- source_ips: addresses that it came from, sorted
-- forwarded_for: addresses before the peer, as the headers say that a client can forge, sorted
-- user_agents: what its clients called themselves, sorted
-- requests: number of requests
-- allowed: requests that were allowed
-- denied: requests that were denied
-- failed: requests that failed
-- unknown: requests whose answer is not in the log
-- first_seen: time of the first request (UTC)
-- last_seen: time of the last request (UTC)
CREATE VIEW identities AS
WITH asked AS (
    SELECT
        user_name, user_groups, user_extra, user_uid, credential_id, pod_name, node_name, impersonated_user,
        source_ip, source_ips, user_agent, outcome, event_time, cluster
    FROM requests
)
FROM identities_of('asked');

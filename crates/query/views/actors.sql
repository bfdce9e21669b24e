-- One row per place at which a component of the cluster is at home; and what is its own work, which detections leave out.

-- Nobody is left out by a name. A name can be taken (a certificate, a namespace of one's own), and an identity can be
-- stolen; so a request counts as the cluster's own work only when nothing of it speaks for somebody else: its groups,
-- its client, its address, no impersonation, and a deed that the component does day by day. Operators, GitOps and
-- what distributions and clouds run are nobody's name here: who trusts them says so.

-- Where the processes of the control plane and the kubelets are at home: the addresses that renew their lease, each at
-- least a tenth of the time (the leader of a control plane changes); where leases are not logged those from which the
-- work comes that nobody else does (statuses of nodes and pods, bindings, pods of controllers), each a third of it.
-- One who stole the identity works from elsewhere. Less than ten such requests tell nothing.
-- From all of the case, whatever is asked for: `component_writes` has the files of leases, nodes and pods.
-- Columns:
-- home_of: component, or the user name of a kubelet, with the cluster that its log says
-- home: the same with an address that it is at home at
CREATE VIEW homes AS
WITH work AS (
    SELECT
        own_process(user_name) AS process, coalesce(cluster, '') AS cluster, source_ip,
        resource = 'leases' AS is_lease, count(*) AS requests
    FROM component_writes
    WHERE starts_with(user_name, 'system:') AND source_ip IS NOT NULL AND impersonated_user IS NULL
      AND verb IN ('create', 'update', 'patch', 'delete') AND coalesce(status_code, 200) < 400
      AND CASE resource
          WHEN 'leases' THEN verb <> 'delete' AND (
              name IN ('kube-controller-manager', 'kube-scheduler', 'cloud-controller-manager') AND user_name = 'system:' || name
              OR namespace = 'kube-node-lease' AND user_name = 'system:node:' || name
              OR regexp_matches(name, '^(kube-)?apiserver-') AND user_name = 'system:apiserver'
          )
          WHEN 'nodes' THEN subresource = 'status' AND user_name = 'system:node:' || name
          WHEN 'pods' THEN CASE
              WHEN starts_with(user_name, 'system:node:') THEN subresource = 'status'
              WHEN user_name = 'system:kube-scheduler' THEN subresource = 'binding'
              ELSE coalesce(subresource, '') = ''
          END
          ELSE false
      END
    GROUP BY ALL
),
shares AS (
    SELECT
        *,
        sum(requests) OVER (PARTITION BY process, cluster, is_lease) AS all_requests,
        bool_or(is_lease) OVER (PARTITION BY process, cluster) AS has_lease
    FROM work
    WHERE process IS NOT NULL
),
at_home AS (
    SELECT DISTINCT concat_ws(' ', process, cluster) AS home_of, source_ip
    FROM shares
    WHERE is_lease = has_lease
      AND requests >= all_requests * CASE WHEN is_lease THEN 0.1 ELSE 0.3 END
      AND all_requests >= CASE WHEN is_lease THEN 1 ELSE 10 END
),
-- What a proxy says is nobody's home: such an address counts as the proxies that it came through, all of which must be
-- at home. One that came directly as well is no home any more, because a client could have had it said.
passed_on AS (
    SELECT home_of, asserted_addresses.source_ip
    FROM asserted_addresses JOIN at_home ON at_home.source_ip = peer
    GROUP BY home_of, asserted_addresses.source_ip
    HAVING count(*) = (SELECT count(*) FROM asserted_addresses AS peers WHERE peers.source_ip = asserted_addresses.source_ip)
)
SELECT
    home_of,
    CASE WHEN source_ip IN (SELECT source_ip FROM asserted_addresses) THEN '' ELSE home_of || ' ' || source_ip END AS home
FROM at_home
UNION SELECT home_of, home_of || ' ' || source_ip FROM passed_on;

-- Whether a request comes from where its sender is at home, as far as the log tells.
CREATE MACRO is_from_home(whose, where_from) AS
    whose NOT IN (SELECT home_of FROM homes) OR whose || ' ' || where_from IN (SELECT home FROM homes);

-- Whether a request is the cluster's own work. Never NULL. A canned query writes `not_own()` for `$own OR NOT is_own(…)`
-- with these columns.
CREATE MACRO is_own(
    cluster, user_name, user_groups, impersonated_user, source_ip, user_agent, verb, resource, subresource, namespace, name
) AS looks_own(
    coalesce(user_name, ''),
    CASE WHEN user_groups IS NULL THEN '?' ELSE concat_ws(
        '', CASE WHEN list_contains(user_groups, 'system:masters') THEN 'm' END,
        CASE WHEN list_contains(user_groups, 'system:serviceaccounts') THEN 's' END,
        CASE WHEN list_contains(user_groups, 'system:nodes') THEN 'n' END
    ) END,
    coalesce(impersonated_user, ''), coalesce(user_agent, ''), coalesce(verb, ''), coalesce(resource, ''),
    coalesce(subresource, ''), coalesce(namespace, ''), coalesce(name, '')
) AND is_from_home(concat_ws(' ', own_process(user_name), coalesce(cluster, '')), coalesce(source_ip, ''));

CREATE MACRO is_system_namespace(namespace) AS coalesce(
    namespace IN ('kube-system', 'kube-public', 'kube-node-lease', 'gke-system', 'gke-managed-system', 'gmp-system',
        'calico-system', 'tigera-operator', 'openshift')
    OR starts_with(namespace, 'openshift-'),
    false
);

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
-- process: component, or the user name of a kubelet
-- cluster: the cluster that its log says; an empty text when it says none
-- source_ip: an address that it is at home at; NULL where nothing but the word of a proxy tells one
-- by_lease: whether it is told by the leases that it renews
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
    SELECT DISTINCT process, cluster, source_ip, is_lease
    FROM shares
    WHERE is_lease = has_lease
      AND requests >= all_requests * CASE WHEN is_lease THEN 0.1 ELSE 0.3 END
      AND all_requests >= CASE WHEN is_lease THEN 1 ELSE 10 END
),
-- What a proxy says is nobody's home: such an address counts as the proxies that it came through, all of which must be
-- at home. One that came directly as well is no home any more, because a client could have had it said.
passed_on AS (
    SELECT process, cluster, asserted_addresses.source_ip, is_lease
    FROM asserted_addresses JOIN at_home ON at_home.source_ip = peer
    GROUP BY process, cluster, asserted_addresses.source_ip, is_lease
    HAVING count(*) = (SELECT count(*) FROM asserted_addresses AS peers WHERE peers.source_ip = asserted_addresses.source_ip)
)
SELECT
    process, cluster,
    CASE WHEN source_ip IN (SELECT source_ip FROM asserted_addresses) THEN NULL ELSE source_ip END AS source_ip,
    is_lease AS by_lease
FROM at_home
UNION SELECT process, cluster, source_ip, is_lease FROM passed_on;

-- The place of a word among those that make a difference; 1 for an absent one, 0 for any other.
CREATE MACRO own_word(kind, word) AS coalesce(list_position(own_words(kind), word), (word IS NULL)::INTEGER);

-- Whether a request is the cluster's own work. Never NULL. A canned query writes `not_own()` for `$own OR NOT is_own(…)`
-- with these columns. `own_request` knows what the view `homes` found: the program loads it when it makes this macro.
-- What is asked for each different value of one column costs next to nothing: who is no component at all is told so.
CREATE MACRO is_own(
    cluster, user_name, user_groups, impersonated_user, source_ip, user_agent, verb, api_group, resource, subresource,
    namespace, name
) AS CASE
    WHEN (own_word('users', user_name) > 1 OR starts_with(user_name, 'system:node:')) AND coalesce(impersonated_user, '') = ''
    THEN own_request(
        own_word('users', user_name),
        CASE WHEN starts_with(user_name, 'system:node:') THEN user_name ELSE '' END,
        CASE WHEN user_groups IS NULL THEN -1 ELSE
            list_contains(user_groups, 'system:masters')::INTEGER
                + list_contains(user_groups, 'system:serviceaccounts')::INTEGER * 2
                + list_contains(user_groups, 'system:nodes')::INTEGER * 4
        END,
        coalesce(list_position(own_words('agents'), split_part(user_agent, '/', 1)), (coalesce(user_agent, '') = '')::INTEGER),
        own_word('users', split_part(user_agent, '/', -1)),
        own_word('verbs', verb),
        -- Every kind of an API group that holds nothing but guards is one: constraints have the names that people give them.
        CASE WHEN is_of_guards(api_group) THEN own_word('kinds', any_guard()) ELSE own_word('kinds', resource) END,
        own_word('subresources', subresource),
        own_word('namespaces', namespace), coalesce(name, ''), coalesce(cluster, ''), coalesce(source_ip, '')
    )
    ELSE false
END;

-- Whether a component of the cluster is at home at an address: a node, or where the control plane runs. Never NULL.
CREATE MACRO is_component_home(address) AS own_home(coalesce(address, ''));

CREATE MACRO is_system_namespace(namespace) AS coalesce(
    namespace IN ('kube-system', 'kube-public', 'kube-node-lease', 'gke-system', 'gke-managed-system', 'gmp-system',
        'calico-system', 'tigera-operator', 'openshift')
    OR starts_with(namespace, 'openshift-'),
    false
);

-- title = "Who changed critical ConfigMaps"
-- question = """
-- Who changed ConfigMaps that steer DNS, the network, ingress controllers and meshes, access to the cluster, GitOps, or whom \
-- Kyverno lets pass?"""
-- group = "impact"
-- kind = "detection"
-- severity = "high"
-- attack = ["T1565.001", "T1098"]
-- resources = ["configmaps"]
-- needs = [
--     {
--         resource = "configmaps",
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         resource = "configmaps",
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "the changed keys",
--     },
-- ]
-- caveat = "access entries of EKS, which give the same as `aws-auth`, stand in CloudTrail and in no audit log"
-- noise = "Upgrades by kubeadm and cloud add-on managers. Left out: writes of the control plane."
--
-- [[examples]]
-- log = "hardened"
-- rows = 1
--
-- [[examples]]
-- log = "moderate"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, namespace, name,
    tidy(flatten(list_transform(
        json_members(body_parts(json_body(request_object)), 'data'), lambda data: json_keys(data)
    ))) AS keys_sent,
    outcome, status_code,
    dry_run_of(verb, resource, subresource, request_uri, request_object, level, truncated) AS dry_run,
    source_ip, user_agent, audit_id, cluster
FROM requests
WHERE resource = 'configmaps' AND is_core(api_group) AND is_write_or_delete(verb)
  AND not_own()
  AND (
    -- DNS, proxies, who may come in (`aws-auth`), joining nodes, and the settings of kubelets and CNIs.
    regexp_matches(name, '^(coredns|kube-dns|node-local-dns|kube-proxy|aws-auth|argocd-|amazon-vpc-cni)')
    OR regexp_matches(name, '^(kubeadm-config|kubelet-config|cluster-info$|cilium-config|calico-config)')
    OR name = 'extension-apiserver-authentication'
    -- The DNS of RKE2, k3s and charts, what it is told besides, and what the API server is to log.
    OR regexp_matches(name, 'coredns|(^|-)(nodelocaldns|ip-masq-agent)|audit-?policy|audit-config|oauth-|^aks-|authentication-config')
    -- What an ingress controller puts into its server, what a mesh puts into every pod, and whom pods take for the API server.
    OR regexp_matches(name, '(^|-)(ingress-nginx|nginx-ingress)-controller$')
    OR name IN ('nginx-configuration', 'nginx-config', 'nginx-load-balancer-microk8s-conf') AND contains(namespace, 'ingress')
    OR regexp_matches(name, '^istio(-sidecar-injector)?(-|$)') AND namespace = 'istio-system'
    OR name = 'kube-root-ca.crt'
    -- Whom and what Kyverno lets pass.
    OR name = 'kyverno' OR ends_with(name, '-kyverno')
    -- All of a namespace at once names none of them.
    OR (verb = 'deletecollection' AND (is_system_namespace(namespace) OR namespace IN ('argocd', 'kyverno')))
  )
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

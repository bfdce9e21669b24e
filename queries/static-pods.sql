-- title = "Pods that a kubelet brought"
-- question = "Which static pods did kubelets announce: pods from a file on a node, that no API request made?"
-- group = "execution"
-- variant_of = "privileged-workloads"
-- view = "static"
-- words = ["backdoor", "manifest"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1543.005"]
-- resources = ["pods"]
-- needs = [
--     { resource = "pods", verbs = ["create"], level = "Metadata" },
--     { resource = "pods", verbs = ["create"], level = "Request", tells = "the annotation and the images" },
-- ]
-- noise = """
-- The control plane of kubeadm is static pods: rows at every start of a node. A kubelet may create no other pods \
-- than mirrors of static ones."""
--
-- [[examples]]
-- log = "made"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, verb, namespace, name, mirror_pod, images, reasons, outcome, status_code, dry_run,
    source_ip, user_agent, audit_id, cluster
FROM workload_changes
WHERE resource = 'pods' AND is_core(api_group) AND (verb = 'create' OR verb = 'patch' AND status_code = 201) AND coalesce(subresource, '') = ''
  AND (mirror_pod OR starts_with(user_name, 'system:node:'))
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

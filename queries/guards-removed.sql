-- title = "Guards that were removed"
-- question = "Who deleted network policies, disruption budgets, quotas, limits, admission policies or webhooks?"
-- group = "evasion"
-- kind = "detection"
-- severity = "high"
-- attack = ["T1562.001", "T1562.007"]
-- needs = [
--     {
--         resource = ["networkpolicies", "resourcequotas", "limitranges", "poddisruptionbudgets",
--             "validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
--         verbs = ["delete", "deletecollection"],
--         level = "Metadata",
--     },
-- ]
-- caveat = "policies of add-ons such as Cilium, Kyverno and Gatekeeper only where their groups are logged"
-- noise = "Removal of applications that bring guards of their own. Left out: the control plane."
--
-- [[examples]]
-- log = "production"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, deleted, outcome, status_code, source_ip,
    user_agent, audit_id
FROM deletions
WHERE coalesce(subresource, '') = ''
  AND (
    resource IN (
        'networkpolicies', 'adminnetworkpolicies', 'baselineadminnetworkpolicies', 'clusternetworkpolicies',
        'poddisruptionbudgets', 'resourcequotas', 'limitranges', 'podsecuritypolicies', 'securitycontextconstraints',
        'ciliumnetworkpolicies', 'ciliumclusterwidenetworkpolicies', 'globalnetworkpolicies'
    )
    OR api_group = 'admissionregistration.k8s.io'
    OR api_group IN ('kyverno.io', 'policies.kyverno.io', 'constraints.gatekeeper.sh', 'templates.gatekeeper.sh')
  )
  AND NOT is_control_plane(user_name)
  AND filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

-- title = "Changes past GitOps"
-- question = "Who changed objects that Argo CD or Flux manage, other than these?"
-- group = "evasion"
-- kind = "detection"
-- severity = "low"
-- attack = ["T1098", "T1562"]
-- needs = [{ verbs = ["create", "update", "patch"], level = "RequestResponse" }]
-- caveat = "best with managed fields; at level Request only what is sent with the labels of the tool"
-- noise = """
-- People who repair by hand, autoscalers, and operators that write into objects of others. Left out: the control \
-- plane."""
--
-- [[examples]]
-- log = "made"
-- rows = 1
--
-- [[examples]]
-- log = "production"
-- rows = 0
WITH writes AS (
    SELECT *, coalesce(response_object, '') || chr(10) || coalesce(request_object, '') AS bodies
    FROM requests
    WHERE verb IN ('create', 'update', 'patch', 'delete')
      AND coalesce(subresource, '') NOT IN ('status', 'proxy', 'exec', 'attach', 'portforward')
      AND (response_object IS NOT NULL OR request_object IS NOT NULL)
      AND NOT is_control_plane(user_name)
      AND NOT regexp_matches(
          coalesce(user_name, ''), '^system:serviceaccount:(argocd|argo-cd|flux-system|openshift-gitops):'
      )
      AND filters()
),
managed AS (
    SELECT *, tidy([
        CASE WHEN contains(bodies, '"argocd.argoproj.io/') THEN 'Argo CD label' END,
        CASE WHEN regexp_matches(bodies, '"manager"\s*:\s*"argocd-') THEN 'Argo CD field manager' END,
        CASE WHEN regexp_matches(bodies, '"(kustomize|helm)\.toolkit\.fluxcd\.io/') THEN 'Flux label' END,
        CASE WHEN regexp_matches(bodies, '"manager"\s*:\s*"(kustomize|helm)-controller"') THEN 'Flux field manager' END
    ]) AS managed_by
    FROM writes
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, subresource, namespace, name, managed_by, outcome,
    status_code, source_ip, user_agent, audit_id
FROM managed
WHERE len(managed_by) > 0
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

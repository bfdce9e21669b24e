-- title = "Requests passed on to pods and services"
-- question = """
-- Who reached into pods, services and virtual machines through the API server, what for, and what did it answer?"""
-- group = "execution"
-- words = ["tunnel", "proxy"]
-- kind = "detection"
-- severity = "medium"
-- attack = ["T1090", "T1609", "T1210"]
-- resources = ["pods", "services", "virtualmachineinstances"]
-- needs = [{ resource = ["pods", "services"], subresource = "proxy", level = "Metadata", stages = [] }]
-- caveat = "consoles of KubeVirt only where subresources.kubevirt.io is logged"
-- noise = """
-- Dashboards, monitoring and tests that come through the API server. What stands behind answers: a 401 or 403 with the \
-- decision `allow` is its own. Requests to kubelets are in node-proxy."""
--
-- [[examples]]
-- log = "adversarial"
-- rows = 4
--
-- [[examples]]
-- log = "moderate"
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, subresource, namespace, name,
    nullif(regexp_extract(uri_path(request_uri), '/proxy(/.*)$', 1, 's'), '') AS path,
    outcome, status_code, source_ip, user_agent, audit_id, cluster
FROM requests
WHERE filters() AND not_own()
  AND (
    resource IN ('pods', 'services') AND is_core(api_group) AND subresource = 'proxy'
    OR api_group = 'subresources.kubevirt.io'
        AND subresource IN ('console', 'vnc', 'portforward', 'vsock', 'usbredir', 'guestosinfo', 'filesystemlist', 'userlist')
  )
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

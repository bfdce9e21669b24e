-- title = "Bindings to powerful roles or to everybody"
-- question = """
-- Who bound cluster-admin or another powerful role, or bound anything to anonymous users, to all users or to a \
-- service account?"""
-- group = "privilege"
-- words = ["cluster-admin", "admin", "escalation"]
-- further = ["grants-used", "workload-after-rbac"]
-- kind = "detection"
-- severity = "critical"
-- attack = ["T1098.006", "T1078"]
-- groups = ["rbac.authorization.k8s.io"]
-- needs = [
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterrolebindings", "rolebindings"],
--         verbs = ["create", "update", "patch", "delete", "deletecollection"],
--         level = "Metadata",
--     },
--     {
--         group = "rbac.authorization.k8s.io",
--         resource = ["clusterrolebindings", "rolebindings"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--         tells = "role and subjects, and so `why`",
--     },
-- ]
-- caveat = "`why` is `unknown` where no body tells; the role of a patch is that of the newest write before it that tells one"
-- noise = """
-- Operators are bound to roles of their own, which are service accounts with a reason `service account`. The \
-- cluster's own components are left out unless `-p own=true`."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 5
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "alice"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, role_ref, subjects_added AS subjects,
    list_sort(list_filter([
        CASE WHEN regexp_matches(
            role_ref,
            '/(cluster-admin|admin|edit|sudoer|system:(masters|kube-.*|node|node-admin|auth-delegator|controller:.*))$'
        ) THEN 'powerful role' END,
        CASE WHEN len(powers) > 0 THEN 'role with powers' END,
        CASE WHEN gives_all THEN 'role with all rights' END,
        -- Written before the log begins: what it gives is not known.
        CASE WHEN role IS NULL AND role_ref IS NOT NULL AND NOT regexp_matches(
            role_ref, '/(view|cluster-admin|admin|edit|sudoer|system:(basic-user|discovery|public-info-viewer|service-account-issuer-discovery|monitoring|masters|kube-.*|node|node-admin|'
                || 'auth-delegator|controller:.*))$'
        ) THEN 'role of unknown powers' END,
        CASE WHEN list_has_any(subjects_added, [
            'User/system:anonymous', 'Group/system:unauthenticated', 'Group/system:authenticated',
            'Group/system:serviceaccounts', 'Group/system:authenticated:oauth'
        ]) THEN 'everybody' END,
        CASE WHEN list_contains(subjects_added, 'Group/system:masters') THEN 'system:masters' END,
        CASE WHEN len(list_filter(
            subjects_added,
            lambda subject: regexp_matches(subject, '^(ServiceAccount/|User/system:serviceaccount:|Group/system:serviceaccounts:)')
        )) > 0 THEN 'service account' END,
        CASE WHEN len(list_filter(
            subjects_added, lambda subject: regexp_matches(subject, '^(User/system:node:|Group/system:nodes$)')
        )) > 0 THEN 'nodes' END,
        -- A patch of which no answer was logged says whom it adds, and not to which role.
        CASE WHEN role_ref IS NULL THEN CASE WHEN subjects_added IS NULL THEN 'unknown' ELSE 'role not told' END END
    ], lambda reason: reason IS NOT NULL)) AS why,
    outcome, status_code, dry_run, source_ip, audit_id, cluster
FROM (
    -- What a binding gives never changes: a patch that does not say it is of the role that the binding was made with.
    SELECT
        changes.* REPLACE (coalesce(
            changes.role_ref, made.role_ref,
            CASE WHEN changes.resource = 'clusterrolebindings' AND changes.name = 'cluster-admin'
                THEN 'ClusterRole/cluster-admin' END
        ) AS role_ref)
    FROM (SELECT *, concat_ws('/', coalesce(cluster, ''), resource, coalesce(namespace, ''), name) AS binding FROM rbac_changes) AS changes
    ASOF LEFT JOIN (
        SELECT
            event_time, role_ref, concat_ws('/', coalesce(cluster, ''), resource, coalesce(namespace, ''), name) AS binding
        FROM rbac_changes
        WHERE role_ref IS NOT NULL AND name IS NOT NULL AND outcome = 'allowed' AND dry_run IS NOT TRUE
    ) AS made ON made.binding = changes.binding AND changes.event_time >= made.event_time
)
LEFT JOIN (SELECT role, powers, gives_all, cluster AS role_cluster FROM role_powers) AS role_powers
    ON role = if(starts_with(role_ref, 'Role/'), concat_ws('/', 'Role', namespace, substr(role_ref, 6)), role_ref)
    AND role_cluster IS NOT DISTINCT FROM cluster
WHERE filters()
  AND resource IN ('rolebindings', 'clusterrolebindings')
  AND is_write(verb)
  AND len(why) > 0
  AND not_own()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST,
    source_ip NULLS FIRST, resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

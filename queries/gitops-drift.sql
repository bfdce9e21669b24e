-- title = "Changes past GitOps"
-- question = "Who changed objects that Argo CD or Flux manage, other than these?"
-- group = "evasion"
-- words = ["manual change", "argo", "flux"]
-- kind = "detection"
-- severity = "low"
-- attack = ["T1098", "T1562"]
-- needs = [{ verbs = ["create", "update", "patch"], level = "RequestResponse" }]
-- caveat = "best with managed fields; at level Request only what is sent with the labels of the tool"
-- noise = """
-- People who repair by hand, autoscalers, and operators that write into objects of others. Your own GitOps, when \
-- it is not where its makers install it: name it with `-p gitops=…`. A controller that moved to another node and back \
-- is a guest there, as somebody with its token would be."""
--
-- [[parameters]]
-- name = "gitops"
-- type = "text"
-- meaning = "users that GitOps works as, separated by commas; default: those that Argo CD and Flux install, by name and client"
--
-- [[parameters]]
-- name = "label"
-- type = "text"
-- meaning = "a label that marks what GitOps manages, such as Argo CD's `app.kubernetes.io/instance`, which Helm sets too"
--
-- [[examples]]
-- log = "made"
-- rows = 1
--
-- [[examples]]
-- log = "production"
-- rows = 0
WITH places AS MATERIALIZED (
    SELECT
        coalesce(cluster, '') AS of_cluster, user_name AS gitops_user, source_ip AS place, count(*) AS requests,
        min(event_time) AS first_seen, max(event_time) AS last_seen
    FROM requests
    WHERE contains(user_name, 'argocd-application-controller') OR contains(user_name, ':flux-system:')
    GROUP BY ALL
),
-- Addresses at which GitOps is not at home: who has its token takes its name and its client as well. A controller is in
-- one place at a time, and the old one ends where a new one begins. So one that works meanwhile from elsewhere, all the
-- time of a guest or an hour of it, is at home there, and the guest somebody else, unless a third of all comes from it
-- (replicas that share the work).
guests AS MATERIALIZED (
    SELECT DISTINCT guest.of_cluster, guest.gitops_user, guest.place
    FROM places AS guest
    JOIN places AS home
        ON guest.of_cluster = home.of_cluster AND guest.gitops_user = home.gitops_user
        AND guest.place IS DISTINCT FROM home.place
    WHERE (home.first_seen <= guest.first_seen AND home.last_seen >= guest.last_seen
            OR least(home.last_seen, guest.last_seen) - greatest(home.first_seen, guest.first_seen) >= INTERVAL 1 HOUR)
        AND guest.requests * 3 < (
            SELECT sum(requests) FROM places
            WHERE places.of_cluster = guest.of_cluster AND places.gitops_user = guest.gitops_user
        )
),
written AS NOT MATERIALIZED (
    SELECT
        *,
        CASE WHEN response_object IS NOT NULL OR request_object IS NOT NULL
            THEN coalesce(response_object, '') || chr(10) || coalesce(request_object, '') END AS bodies,
        coalesce(CASE
            WHEN $gitops::VARCHAR IS NOT NULL
                THEN list_contains(string_split(replace($gitops, ' ', ''), ','), user_name)
            -- To look for a word costs a tenth of a pattern.
            ELSE (contains(user_name, 'argocd-application-controller') OR contains(user_name, ':flux-system:'))
                AND regexp_matches(
                    user_name,
                    '^system:serviceaccount:(argocd|argo-cd|openshift-gitops):.*argocd-application-controller$'
                    || '|^system:serviceaccount:flux-system:(kustomize|helm)-controller$'
                )
                -- By a person with its token the client is another, and so is the place.
                AND regexp_matches(user_agent, '^(argocd|kustomize-controller|helm-controller)')
                -- A list that is made once: joined, all writes would wait with their bodies in memory.
                AND NOT coalesce(list_contains(
                    (SELECT list({'cluster': of_cluster, 'name': gitops_user, 'place': coalesce(place, '')}) FROM guests),
                    {'cluster': coalesce(cluster, ''), 'name': user_name, 'place': coalesce(source_ip, '')}
                ), false)
                AND coalesce(impersonated_user, '') = ''
                AND NOT coalesce(list_contains(user_groups, 'system:masters'), false)
        END, false) AS by_gitops,
        concat_ws(' ', cluster, api_group, resource, namespace, name) AS object
    FROM requests
    WHERE is_write_or_delete(verb) AND verb <> 'deletecollection' AND resource IS NOT NULL
      AND coalesce(subresource, '') NOT IN ('status', 'proxy', 'exec', 'attach', 'portforward')
),
managed AS (
    SELECT *, tidy([
        CASE WHEN contains(bodies, '"argocd.argoproj.io/') THEN 'Argo CD label' END,
        CASE WHEN contains(bodies, '"argocd-') AND regexp_matches(bodies, '"manager"\s*:\s*"argocd-') THEN 'Argo CD field manager' END,
        CASE WHEN contains(bodies, '.toolkit.fluxcd.io/')
            AND regexp_matches(bodies, '"(kustomize|helm)\.toolkit\.fluxcd\.io/') THEN 'Flux label' END,
        CASE WHEN (contains(bodies, '"kustomize-controller"') OR contains(bodies, '"helm-controller"'))
            AND regexp_matches(bodies, '"manager"\s*:\s*"(kustomize|helm)-controller"') THEN 'Flux field manager' END,
        CASE WHEN contains(bodies, '"' || $label::VARCHAR || '":') THEN $label END,
        CASE WHEN name IS NOT NULL AND object IN (
            SELECT object FROM written
            -- Where nobody is called so, nothing else is read.
            WHERE by_gitops AND outcome = 'allowed' AND (
                $gitops::VARCHAR IS NOT NULL
                OR contains(user_name, 'argocd-application-controller') OR contains(user_name, ':flux-system:')
            )
        ) THEN 'written by GitOps' END
    ]) AS managed_by
    FROM written
    WHERE NOT by_gitops
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, subresource, namespace, name, managed_by, outcome,
    status_code, source_ip, user_agent, audit_id, cluster
FROM managed
WHERE len(managed_by) > 0 AND filters() AND not_own()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST

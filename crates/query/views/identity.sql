-- Who somebody is: classes of identities, service accounts, effective users.

-- Whether a name is one that the server reserves, or that providers give their own components. Not `system:admin`, the name in
-- the first certificate of OpenShift and k3s.
CREATE MACRO is_component_name(user_name) AS
    starts_with(user_name, 'system:') AND user_name <> 'system:admin'
    OR starts_with(user_name, 'eks:')
    OR user_name IN ('aksService', 'acsService', 'nodeclient', 'kube-apiserver', 'kube-apiserver-kubelet-client');

-- The kind of identity; NULL when nobody was authenticated (401), or when the log does not say who it was.
-- * `anonymous`: a request without credentials.
-- * `service_account`, `node`: by the name that the server reserves; whatever the credential, it has their rights.
-- * `control_plane`: every other name in `system:`, and what providers call their own components. Not `system:admin`,
--   the name in the first certificate of OpenShift and k3s, and not a bootstrap token.
-- * `cloud_iam`: AWS, Azure and Google say in `extra`, or by the name, that their IAM has vouched.
-- * `oidc`: a name with its issuer before it, a prefix that configurations use, a `jti` (1.30 and later), or an e-mail
--   address. Google's entries have no groups: an address there is an account of Google.
-- * `certificate`: by its fingerprint (1.32 and later), or by a name that installers put into their first certificate.
-- * `other`: the log does not tell a certificate, a static token, a webhook and a proxy apart.
-- The name comes before `extra`: on EKS nodes and components authenticate with IAM as well.
CREATE MACRO identity_class(user_name, user_groups, user_extra, credential_id) AS CASE
    WHEN user_name = 'system:anonymous' OR list_contains(user_groups::VARCHAR[], 'system:unauthenticated')
        THEN 'anonymous'
    WHEN coalesce(user_name, '') = '' THEN NULL
    WHEN starts_with(user_name, 'system:serviceaccount:') THEN 'service_account'
    WHEN starts_with(user_name, 'system:node:') THEN 'node'
    -- A member of system:masters has a certificate that somebody made, whatever it is called: `masterclient` of AKS.
    WHEN list_contains(user_groups::VARCHAR[], 'system:masters') AND user_name <> 'system:apiserver' THEN 'certificate'
    WHEN starts_with(user_name, 'system:bootstrap:') THEN 'other'
    WHEN is_component_name(user_name) THEN 'control_plane'
    WHEN json_member(json_body(user_extra), 'arn') IS NOT NULL
        OR json_member(json_body(user_extra), 'canonicalArn') IS NOT NULL
        OR json_member(json_body(user_extra), 'principalId') IS NOT NULL
        OR json_member(json_body(user_extra), 'sigs.k8s.io/aws-iam-authenticator/principalId') IS NOT NULL
        OR json_member(json_body(user_extra), 'oid') IS NOT NULL
        OR json_member(json_body(user_extra), 'iam.gke.io/user-assertion') IS NOT NULL
        OR json_member(json_body(user_extra), 'user-assertion.cloud.google.com') IS NOT NULL
        OR starts_with(user_name, 'arn:aws')
        OR starts_with(user_name, 'IAM#')
        OR ends_with(user_name, '.gserviceaccount.com')
        OR contains(user_name, '@') AND user_groups IS NULL
        THEN 'cloud_iam'
    WHEN starts_with(credential_id, 'X509SHA256=') THEN 'certificate'
    WHEN starts_with(credential_id, 'JTI=')
        OR starts_with(user_name, 'https://')
        OR starts_with(lower(user_name), 'oidc:')
        OR contains(user_name, '@')
        THEN 'oidc'
    WHEN user_name IN (
        'kubernetes-admin', 'kubernetes-super-admin', 'minikube-user', 'minikube', 'system:admin', 'kube-admin',
        'docker-for-desktop', 'kubecfg', 'cluster-admin'
    )
        THEN 'certificate'
    ELSE 'other'
END;

-- Whether a request is one of a person, or of whom the log does not tell: neither who sent it nor whom it acted as is a
-- service account, a node or a component, by name. Who is in system:masters has a certificate that somebody made, and is
-- a person whatever the name.
CREATE MACRO is_person(user_name, user_groups, impersonated_user) AS
    coalesce(user_name, '') IN ('', 'system:anonymous')
    OR list_contains(user_groups::VARCHAR[], 'system:masters') AND user_name <> 'system:apiserver'
    OR NOT is_component_name(user_name)
    OR impersonated_user IS NOT NULL AND NOT starts_with(impersonated_user, 'system:');

-- Whether a request was written by hand: by a person, or with a tool of people in the name of whoever it is. Never NULL.
CREATE MACRO is_by_hand(user_name, user_groups, impersonated_user, user_agent) AS coalesce(
    is_person(user_name, user_groups, impersonated_user)
    OR regexp_matches(user_agent, '^(kubectl|oc|k9s|helm)\b') OR client_kind(user_agent) IS NOT NULL,
    false
);
-- The same of a lease. client-go says of itself when it renews one; who runs a controller outside of the cluster does so all day.
CREATE MACRO writes_lease_by_hand(user_name, user_groups, impersonated_user, user_agent) AS
    NOT coalesce(ends_with(user_agent, '/leader-election'), false)
    AND is_by_hand(user_name, user_groups, impersonated_user, user_agent);

-- The service account behind a user name, `namespace/name`; NULL when it is none.
CREATE MACRO service_account_of(user_name) AS CASE
    WHEN starts_with(user_name, 'system:serviceaccount:')
        AND regexp_full_match(user_name, 'system:serviceaccount:[^:]+:[^:]+')
        THEN replace(substr(user_name, 23), ':', '/')
END;

-- Whether a list of groups holds one that may do everything wherever it stands: the server's own, kubeadm's since 1.29 and
-- OpenShift's. Never NULL.
CREATE MACRO has_powerful_group(groups) AS coalesce(
    list_has_any(groups::VARCHAR[], ['system:masters', 'system:cluster-admins', 'kubeadm:cluster-admins']), false
);

-- Whose rights counted: those of the impersonated user when there is one, else the user's own.
CREATE MACRO effective_user(user_name, impersonated_user) AS coalesce(nullif(impersonated_user, ''), user_name);
CREATE MACRO effective_groups(user_groups, impersonated_user, impersonated_groups) AS CASE
    WHEN coalesce(impersonated_user, '') <> '' THEN impersonated_groups
    ELSE user_groups
END;

-- Whether a path only tells that the server is there, or how to log in: probes and clients ask for it without rights.
-- Never NULL.
CREATE MACRO is_probe(request_uri) AS coalesce(
    regexp_matches(request_uri, '^/(healthz|livez|readyz|version|\.well-known|openid/v1/jwks)([/?]|$)'), false
);

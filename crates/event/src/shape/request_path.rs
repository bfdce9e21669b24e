//! What a request path is about, by the API server's own rules, for logs that leave `objectRef` out.

use super::translated::Object;

/// The object of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PathObject<'a> {
    pub(super) api_group: Option<&'a str>,
    pub(super) api_version: Option<&'a str>,
    pub(super) namespace: Option<&'a str>,
    pub(super) resource: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) subresource: Option<&'a str>,
}

impl<'a> PathObject<'a> {
    /// The object that a path such as `/apis/apps/v1/namespaces/prod/deployments/web/status?x=y` names;
    /// `None` when it is about no resource.
    ///
    /// The path of the legacy format is all there is: a list or watch of one object by `fieldSelector` has no name here, as the
    /// server would give it.
    pub(super) fn of_uri(uri: &'a str) -> Option<Self> {
        let path = uri.split('?').next().unwrap_or_default().trim_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => Self::of_parts(None, version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => Self::of_parts(Some(group), version, rest),
            _ => None,
        }
    }

    /// The object that the path of one API version names.
    pub(super) fn of_parts(api_group: Option<&'a str>, api_version: &'a str, path: &[&'a str]) -> Option<Self> {
        let path = match path {
            // The old way to ask for a watch, or for a proxy.
            ["watch" | "proxy", rest @ ..] if !rest.is_empty() => rest,
            _ => path,
        };
        let (namespace, path) = match path {
            // These belong to the namespace itself.
            ["namespaces", namespace, "status" | "finalize", ..] => (Some(*namespace), path),
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
            ["namespaces", namespace] => (Some(*namespace), path),
            _ => (None, path),
        };
        let at = |number: usize| path.get(number).copied().filter(|part| !part.is_empty());
        let (resource, name, subresource) = (Some(at(0)?), at(1), at(2));
        Some(Self { api_group, api_version: Some(api_version), namespace, resource, name, subresource })
    }

    /// The same as an `objectRef`.
    pub(super) fn object_ref(&self) -> Object {
        let mut object = Object::default();
        object.text("resource", self.resource);
        object.text("namespace", self.namespace);
        object.text("name", self.name);
        object.text("apiGroup", self.api_group);
        object.text("apiVersion", self.api_version);
        object.text("subresource", self.subresource);
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_the_server_reads_them() {
        let object = |uri| PathObject::of_uri(uri).unwrap().object_ref().finish();
        for (uri, expected) in [
            ("/api/v1/secrets?limit=5", r#"{"resource":"secrets","apiVersion":"v1"}"#),
            (
                "/api/v1/namespaces/prod/pods/web/exec?command=id",
                r#"{"resource":"pods","namespace":"prod","name":"web","apiVersion":"v1","subresource":"exec"}"#,
            ),
            (
                "/apis/apps/v1/namespaces/prod/deployments",
                r#"{"resource":"deployments","namespace":"prod","apiGroup":"apps","apiVersion":"v1"}"#,
            ),
            (
                "/api/v1/namespaces/prod",
                r#"{"resource":"namespaces","namespace":"prod","name":"prod","apiVersion":"v1"}"#,
            ),
            (
                "/api/v1/namespaces/prod/finalize",
                r#"{"resource":"namespaces","namespace":"prod","name":"prod","apiVersion":"v1","subresource":"finalize"}"#,
            ),
            ("/api/v1/namespaces", r#"{"resource":"namespaces","apiVersion":"v1"}"#),
            ("/api/v1/watch/nodes", r#"{"resource":"nodes","apiVersion":"v1"}"#),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/x/",
                r#"{"resource":"clusterroles","name":"x","apiGroup":"rbac.authorization.k8s.io","apiVersion":"v1"}"#,
            ),
        ] {
            assert_eq!(object(uri), expected, "{uri}");
        }
        for uri in ["/healthz", "/api/v1", "/apis/apps/v1", "/api", "", "/version?x=/api/v1/secrets"] {
            assert_eq!(PathObject::of_uri(uri), None, "{uri}");
        }
    }
}

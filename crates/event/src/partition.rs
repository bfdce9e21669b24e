//! Which folder a row belongs to.
//!
//! A client chooses the resource of a request: `GET /apis/x/v1/<anything>` puts `<anything>` into
//! `objectRef.resource`, slashes and `..` included. So the folder is never the raw string: it is one
//! of a fixed list, and everything else shares one folder. The `resource` column keeps the real value.
//!
//! A case keeps the list that it was made with: all events of a request lie in one file, those of an ingest to come as well.

/// Rows whose resource is not in [`NAMED`].
pub const OTHER: &str = "_other";
/// Events without a resource: `/healthz`, `/version`, `/api`…
pub const NONE: &str = "_none";
/// Records that are no audit event, kept word for word.
pub const REJECTED: &str = "_rejected";

/// Resources that can have a folder of their own. Sorted.
pub const NAMED: [&str; 34] = [
    "certificatesigningrequests",
    "clusterrolebindings",
    "clusterroles",
    "configmaps",
    "cronjobs",
    "customresourcedefinitions",
    "daemonsets",
    "deployments",
    "endpoints",
    "endpointslices",
    "events",
    "ingresses",
    "jobs",
    "leases",
    "mutatingwebhookconfigurations",
    "namespaces",
    "networkpolicies",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "replicasets",
    "rolebindings",
    "roles",
    "secrets",
    "selfsubjectaccessreviews",
    "selfsubjectrulesreviews",
    "serviceaccounts",
    "services",
    "statefulsets",
    "storageclasses",
    "subjectaccessreviews",
    "tokenreviews",
    "validatingwebhookconfigurations",
];

/// Of these, those that have one in cases that are made now: the ones that make the volume, and the ones analysts ask for
/// most. Sorted.
///
/// Every file costs each scan of a query about 0.1 ms, and 6 KB, however little it holds, so the list stays short.
const FEW: [&str; 15] = [
    "configmaps",
    "deployments",
    "endpoints",
    "endpointslices",
    "events",
    "jobs",
    "leases",
    "nodes",
    "pods",
    "replicasets",
    "secrets",
    "serviceaccounts",
    "services",
    "subjectaccessreviews",
    "tokenreviews",
];

/// Which resources have a folder of their own in a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folders(&'static [&'static str]);

/// Those of a case whose log does not name them.
impl Default for Folders {
    fn default() -> Self {
        Self::FIRST
    }
}

impl Folders {
    /// Those of the first cases, whose log does not name them.
    const FIRST: Self = Self(&NAMED);
    /// Those of cases that are made now.
    pub const NOW: Self = Self(&FEW);

    /// How the log of a case names them.
    pub fn to_text(self) -> String {
        self.0.join(",")
    }

    /// Reads what [`Folders::to_text`] writes; `None` for a list that this version does not know.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::FIRST, Self::NOW].into_iter().find(|folders| text.split(',').eq(folders.0.iter().copied()))
    }

    /// The folder for events on `resource`.
    pub fn of_resource(self, resource: Option<&str>) -> &'static str {
        match resource {
            None => NONE,
            Some(resource) => match self.0.binary_search(&resource) {
                Ok(at) => self.0[at],
                Err(_) => OTHER,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_so_that_they_can_be_searched() {
        for folders in [Folders::FIRST, Folders::NOW] {
            assert!(folders.0.is_sorted());
            for name in folders.0 {
                assert_eq!(folders.of_resource(Some(name)), *name);
                assert!(NAMED.contains(name), "files of `{name}` would belong to no partition");
            }
        }
        assert_eq!(Folders::FIRST.of_resource(Some("roles")), "roles");
        assert_eq!(Folders::NOW.of_resource(Some("roles")), OTHER);
    }

    #[test]
    fn a_log_names_the_folders_of_its_case() {
        for folders in [Folders::FIRST, Folders::NOW] {
            assert_eq!(Folders::from_text(&folders.to_text()), Some(folders));
        }
        for later in ["", "pods", "pods,secrets,zz"] {
            assert_eq!(Folders::from_text(later), None, "{later}");
        }
    }

    #[test]
    fn a_client_cannot_choose_a_folder() {
        for folders in [Folders::FIRST, Folders::NOW] {
            for hostile in ["", "..", "../../etc", "a/b", "%2f", "_rejected", "_none", "SECRETS", &"x".repeat(300)] {
                assert_eq!(folders.of_resource(Some(hostile)), OTHER);
            }
            assert_eq!(folders.of_resource(None), NONE);
        }
    }
}

//! Lists of kinds that both Rust and SQL ask for: tables in Rust, which give SQL its macros and headers their words.

use std::fmt::Write as _;
use std::sync::LazyLock;

use kforensic_trace::kinds::{JOBS, Kinds, MAKERS, OPENSHIFT_RBAC, RBAC};

use crate::embedded::{self, File};
use crate::sql::literals;

/// What guards a cluster: what limits traffic, objects and their numbers, and what decides about them.
#[rustfmt::skip]
const GUARDS: &[Kinds] = &[
    Kinds::named("core", "resourcequotas limitranges"),
    Kinds::only_of("core", "namespaces"),
    Kinds::named("policy", "poddisruptionbudgets podsecuritypolicies"),
    Kinds::named("security.openshift.io", "securitycontextconstraints"),
    Kinds::named("networking.k8s.io extensions", "networkpolicies"),
    Kinds::named("policy.networking.k8s.io", "adminnetworkpolicies baselineadminnetworkpolicies clusternetworkpolicies"),
    Kinds::named("cilium.io", "ciliumnetworkpolicies ciliumclusterwidenetworkpolicies tracingpolicies tracingpoliciesnamespaced"),
    Kinds::named("crd.projectcalico.org projectcalico.org", "globalnetworkpolicies"),
    Kinds::named("security.kubearmor.com", "kubearmorpolicies kubearmorhostpolicies kubearmorclusterpolicies"),
    Kinds::named("admissionregistration.k8s.io", "validatingwebhookconfigurations mutatingwebhookconfigurations validatingadmissionpolicies validatingadmissionpolicybindings mutatingadmissionpolicies mutatingadmissionpolicybindings"),
    Kinds::named("admissionregistration.k8s.io", "*"),
    Kinds::named("kyverno.io policies.kyverno.io constraints.gatekeeper.sh templates.gatekeeper.sh config.gatekeeper.sh", "*"),
    Kinds::only_of("security.istio.io", "authorizationpolicies peerauthentications"),
];

/// What brings back what was lost.
const BACKUPS: &[Kinds] = &[
    Kinds::only_of("velero.io", "backups schedules backupstoragelocations deletebackuprequests"),
    Kinds::only_of("snapshot.storage.k8s.io", "volumesnapshots volumesnapshotcontents"),
];

/// What says what a cluster is.
const FRAME: [&str; 3] = ["nodes", "apiservices", "customresourcedefinitions"];

/// What stands, where whose work a request is is asked, for every kind of an API group that holds nothing but guards. No name of a
/// resource has spaces.
const ANY_GUARD: &str = "any guard";

/// Whether a resource is called like a guard, or says what the cluster is: nothing that goes unseen, whoever takes it away.
pub(crate) fn holds_the_cluster(resource: &str) -> bool {
    guards_and_frame().any(|one| one == resource)
}

/// All names of such.
pub(crate) fn guards_and_frame() -> impl Iterator<Item = &'static str> {
    GUARDS.iter().flat_map(Kinds::resources).chain(FRAME).chain([ANY_GUARD])
}

/// How a header names the resources of a list: as the macro that asks for them.
static WORDS: LazyLock<[(&str, Vec<&str>); 2]> = LazyLock::new(|| {
    [("makes_pods()", MAKERS.iter().flat_map(Kinds::resources).collect()), ("runs_jobs()", JOBS.to_vec())]
});

/// The resources that a header says, with those of the list where it names one; each once.
pub(crate) fn expanded(resources: Vec<String>) -> Vec<String> {
    let mut all = Vec::new();
    for name in resources {
        match WORDS.iter().find(|(word, _)| *word == name) {
            Some((_, list)) => all.extend(list.iter().map(|one| (*one).to_owned())),
            None => all.push(name),
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|name| seen.insert(name.clone()));
    all
}

/// Groups that serve objects of another one under the same names, after the one that every cluster has.
const SERVED_AS_WELL: [(&str, &str); 1] = [(RBAC, OPENSHIFT_RBAC)];

/// The group that serves the objects of `group` as well, on clusters that have it.
pub(crate) fn served_as_well(group: &str) -> Option<&'static str> {
    SERVED_AS_WELL.iter().find(|(known, _)| *known == group).map(|(_, other)| *other)
}

/// The files of `views/`, and the one that is made of these tables.
pub(crate) static VIEWS: LazyLock<Vec<File>> = LazyLock::new(|| {
    static MACROS: LazyLock<String> = LazyLock::new(macros);
    let made = File { path: "query/src/kinds.rs", text: &MACROS };
    std::iter::once(made).chain(embedded::VIEWS.iter().copied()).collect()
});

fn macros() -> String {
    let mut text = "-- What kinds of objects do, by API group and resource.\n\n".to_owned();
    let macros = [
        ("makes_pods(api_group, resource)", is_one_by_name(MAKERS)),
        ("runs_jobs(resource)", format!("resource IN ({})", literals(JOBS.iter().copied()))),
        ("is_guard_by_name(api_group, resource)", is_one_by_name(GUARDS)),
        ("is_of_guards(api_group)", is_of_whole_group(GUARDS)),
        ("any_guard()", literals([ANY_GUARD])),
        // The core group and the others of Kubernetes come back by themselves.
        (
            "serves_guards(api_group)",
            format!(
                "coalesce(api_group IN ({}) AND NOT is_built_in(api_group), false)",
                literals(GUARDS.iter().chain(BACKUPS).flat_map(Kinds::groups))
            ),
        ),
        // What is asked first keeps DuckDB from reading the other columns of rows that do not pass.
        (
            "is_rbac(api_group, resource)",
            format!(
                "(api_group IN ({})) IS TRUE AND (api_group = {} OR NOT coalesce(suffix(resource, 'reviews'), false))",
                literals([RBAC, OPENSHIFT_RBAC]),
                literals([RBAC])
            ),
        ),
        ("is_openshift_rbac(api_group)", format!("coalesce(api_group = {}, false)", literals([OPENSHIFT_RBAC]))),
        ("is_backup(api_group, resource)", is_one_by_name(BACKUPS)),
    ];
    for (head, condition) in macros {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "CREATE MACRO {head} AS {condition};");
    }
    text
}

/// The condition that a resource is one of those with a name in the list. All names stand in one list, so that DuckDB skips what
/// holds none of them.
fn is_one_by_name(list: &[Kinds]) -> String {
    let names = literals(list.iter().flat_map(Kinds::resources));
    let mut condition = format!("resource IN ({names})");
    for kinds in list.iter().filter(|kinds| kinds.are_named_like_others) {
        let (names, groups) = (literals(kinds.resources()), literals(kinds.groups()));
        let _ = write!(condition, " AND (resource NOT IN ({names}) OR coalesce(api_group, '') IN ({groups}))");
    }
    condition
}

/// The condition on `api_group` that all of its resources are meant.
fn is_of_whole_group(list: &[Kinds]) -> String {
    format!("coalesce(api_group IN ({}), false)", literals(whole_groups(list)))
}

fn whole_groups(list: &[Kinds]) -> impl Iterator<Item = &'static str> {
    list.iter().filter(|kinds| kinds.is_whole_group()).flat_map(Kinds::groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stands_for_its_list() {
        let names = expanded(vec!["makes_pods()".to_owned(), "nodes".to_owned()]);
        for name in ["pods", "cronjobs", "workflows", "virtualmachines", "objects", "nodes"] {
            assert!(names.iter().any(|other| other == name), "{name}");
        }
        let jobs = expanded(vec!["runs_jobs()".to_owned()]);
        assert!(jobs.contains(&"cronworkflows".to_owned()) && jobs.iter().all(|name| names.contains(name)), "{jobs:?}");
        assert!(names.len() > 60 && names.iter().filter(|name| *name == "jobs").count() == 1, "{names:?}");
    }

    #[test]
    fn sql_asks_what_the_tables_say() {
        let connection = duckdb::Connection::open_in_memory().unwrap();
        let built_in = embedded::VIEWS.iter().find(|file| file.path.ends_with("api_groups.sql")).unwrap();
        connection.execute_batch(built_in.text).unwrap();
        connection.execute_batch(&macros()).unwrap();
        let asks = |name: &str, group: Option<&str>, resource: &str| {
            let sql = format!("SELECT coalesce({name}(?::VARCHAR, ?::VARCHAR), false)");
            connection.query_row(&sql, duckdb::params![group, resource], |row| row.get::<_, bool>(0)).unwrap()
        };
        for (name, list) in [("makes_pods", MAKERS), ("is_guard_by_name", GUARDS), ("is_backup", BACKUPS)] {
            for kinds in list {
                for (group, resource) in kinds.groups().flat_map(|group| kinds.resources().map(move |one| (group, one)))
                {
                    assert!(
                        asks(name, Some(group).filter(|group| !group.is_empty()), resource),
                        "{name} {group} {resource}"
                    );
                    assert_eq!(
                        asks(name, Some("example.com"), resource),
                        !kinds.are_named_like_others,
                        "{name} {resource}"
                    );
                }
            }
            assert!(!asks(name, None, "secrets"), "{name}");
        }
        assert!(asks("makes_pods", None, "builds") && !asks("makes_pods", None, "services"));
        let is_of_guards =
            |group: &str| connection.query_row("SELECT is_of_guards(?)", [group], |row| row.get::<_, bool>(0)).unwrap();
        assert!(is_of_guards("constraints.gatekeeper.sh") && !is_of_guards("apps"));
        let serves_guards = |group: &str| {
            connection.query_row("SELECT serves_guards(?)", [group], |row| row.get::<_, bool>(0)).unwrap()
        };
        assert!(serves_guards("kyverno.io") && serves_guards("velero.io") && serves_guards("projectcalico.org"));
        assert!(!serves_guards("networking.k8s.io") && !serves_guards("") && !serves_guards("example.com"));
        // Of these lists SQL asks by name alone.
        assert!(whole_groups(MAKERS).chain(whole_groups(BACKUPS)).next().is_none());
    }
}

use super::super::row::tests::row_of;
use super::*;
use crate::document::Value;

/// The deed of a row that a detection of high severity gave.
fn deed(pairs: &[(&str, Value)]) -> Deed {
    let (columns, values) = row_of(&[&[("event_time", Value::Time(5))], pairs].concat());
    Deed::of(Row { columns: &columns, values: &values, about: None }, "query", Level::High).unwrap()
}

fn told(pairs: &[(&str, Value)]) -> String {
    deed(pairs).text()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn texts(texts: &[&str]) -> Value {
    Value::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases, one of each kind")]
fn each_kind_of_row_has_its_sentence() {
    let allowed = ("outcome", text("allowed"));
    let cases: [(&[(&str, Value)], &str); 15] = [
        (
            &[
                ("verb", text("create")),
                ("resource", text("clusterrolebindings")),
                ("name", text("helper")),
                ("role_ref", text("ClusterRole/cluster-admin")),
                ("subjects", texts(&["ServiceAccount/kube-system/helper"])),
                allowed.clone(),
            ],
            "created clusterrolebinding helper, giving ClusterRole/cluster-admin, to ServiceAccount/kube-system/helper",
        ),
        (
            &[
                ("service_account", text("kube-system/helper")),
                ("granted_seconds", Value::Number(315_360_000)),
                allowed.clone(),
            ],
            "minted a token of 10 years for kube-system/helper",
        ),
        (
            &[
                ("command", text("cat /etc/shadow")),
                ("namespace", text("prod")),
                ("name", text("web")),
                ("outcome", text("failed")),
            ],
            "tried to run cat /etc/shadow in prod/web: failed",
        ),
        (
            &[("handed_out", text("values")), ("namespace", Value::Nothing), allowed.clone()],
            "read the values of all secrets of the cluster",
        ),
        (
            &[
                ("handed_out", text("possibly")),
                ("verb", text("list")),
                ("namespace", text("prod")),
                ("selector", text("owner=helm")),
            ],
            "may have read the secrets of prod that fit owner=helm",
        ),
        // The answer of a deletion may hold the secret, and that is not what was done.
        (
            &[
                ("handed_out", text("possibly")),
                ("verb", text("delete")),
                ("resource", text("secrets")),
                ("namespace", text("prod")),
                ("name", text("tls")),
                allowed.clone(),
            ],
            "deleted secret prod/tls",
        ),
        (&[("attempts", Value::Number(23)), ("failure", text("unauthenticated"))], "failed to authenticate 23 times"),
        (
            &[
                ("target", text("system:admin")),
                ("impersonation", text("granted")),
                ("verb", text("list")),
                ("resource", text("secrets")),
                allowed.clone(),
            ],
            "acted as system:admin to list secrets of the whole cluster",
        ),
        (
            &[
                ("verb", text("deletecollection")),
                ("resource", text("events")),
                ("namespace", text("prod")),
                ("deleted", Value::Number(7)),
                allowed.clone(),
            ],
            "deleted all events of prod, 7 of them",
        ),
        (
            &[
                ("verb", text("create")),
                ("resource", text("pods")),
                ("namespace", text("prod")),
                ("name", text("x")),
                ("outcome", text("denied")),
            ],
            "tried: create pod prod/x: denied",
        ),
        (
            &[
                ("kinds", Value::Number(6)),
                ("requests", Value::Number(18)),
                ("denied", Value::Number(18)),
                ("user_agent", text("curl/8")),
            ],
            "tried to list 6 kinds in 18 requests, all refused",
        ),
        (
            &[
                ("requests", Value::Number(2)),
                ("user_agent", text("curl/8.5.0 (x86_64)")),
                ("actions", texts(&["get secrets", "list secrets"])),
            ],
            "used curl/8.5.0 for 2 requests: get secrets, list secrets",
        ),
        (
            &[("service_account", text("kube-system/helper")), ("granted_seconds", Value::Nothing), allowed.clone()],
            "minted a token of unknown life for kube-system/helper",
        ),
        (
            &[
                ("verb", text("get")),
                ("name", text("worker-1")),
                ("kubelet_path", text("/run/kube-system/helper/c")),
                ("command", text("id")),
                ("outcome", text("failed")),
            ],
            "tried to ask the kubelet of worker-1 for /run/kube-system/helper/c, to run id: failed",
        ),
        (&[("verb", text("get")), ("request_uri", text("/version")), allowed.clone()], "read /version"),
    ];
    for (pairs, expected) in cases {
        assert_eq!(told(pairs), expected);
    }
}

#[test]
fn names_are_shown_and_not_obeyed_and_never_too_long() {
    let long = "x".repeat(1 << 20);
    let told =
        told(&[("verb", text("create")), ("resource", text("pods")), ("name", text(&format!("\u{1b}[2J{long}")))]);
    assert!(told.starts_with(r"created pod \x1b[2Jxxx") && told.chars().count() < 200, "{told}");
}

#[test]
fn one_of_a_resource_has_its_name() {
    let plurals = ["pods", "networkpolicies", "ingresses", "leases", "storageclasses", "endpoints"];
    let ones = ["pod", "networkpolicy", "ingress", "lease", "storageclass", "endpoint"];
    assert_eq!(plurals.map(singular), ones);
}

#[test]
fn only_what_was_made_counts_as_made() {
    let object = |outcome: &str, verb: &str| {
        let pod = [("resource", text("pods")), ("name", text("x"))];
        deed(&[&pod[..], &[("verb", text(verb)), ("outcome", text(outcome))]].concat()).made
    };
    assert!(object("allowed", "create").is_some());
    assert_eq!(object("denied", "create"), None);
    assert_eq!(object("allowed", "update"), None);
}

#[test]
fn what_was_not_done_is_not_told_as_done() {
    let object = [("resource", text("pods")), ("namespace", text("prod")), ("name", text("x"))];
    let told = |pairs: &[(&str, Value)]| deed(&[&object[..], pairs].concat()).text();
    let (create, unknown) = (("verb", text("create")), ("outcome", text("unknown")));
    assert_eq!(told(&[create.clone(), unknown.clone()]), "may have created pod prod/x: unknown");
    let command = |outcome: &str| told(&[("command", text("id")), ("outcome", text(outcome))]);
    assert_eq!(command("allowed"), "ran id in prod/x");
    assert_eq!(command("denied"), "tried to run id in prod/x: denied");
    assert_eq!(command("unknown"), "may have run id in prod/x: unknown");
    let dry = deed(
        &[&object[..], &[create, ("outcome", text("allowed")), ("dry_run", Value::Literal("true".into()))]].concat(),
    );
    assert_eq!((dry.text().as_str(), dry.level, &dry.made), ("as a dry run: created pod prod/x", Level::Medium, &None));
    // A row that counts requests says what became of them.
    let counted = |allowed: i64, denied: i64| {
        let counts = [("allowed", Value::Number(allowed)), ("denied", Value::Number(denied))];
        told(&[&[("verb", text("list"))][..], &counts].concat())
    };
    assert_eq!(counted(0, 1), "tried: list pod prod/x: denied");
    assert_eq!(counted(1, 1), "listed pod prod/x");
    assert_eq!(counted(0, 0), "may have listed pod prod/x: unknown");
}

#[test]
fn a_write_that_is_answered_with_201_made_its_object() {
    let of = |status: i64| {
        let deed = deed(&[
            ("verb", text("patch")),
            ("resource", text("pods")),
            ("name", text("x")),
            ("outcome", text("allowed")),
            ("status_code", Value::Number(status)),
        ]);
        (deed.text(), deed.made.is_some())
    };
    assert_eq!(of(201), ("created pod x".to_owned(), true));
    assert_eq!(of(200), ("changed pod x".to_owned(), false));
}

#[test]
fn of_several_the_last_is_told_where_it_was_not_at_once() {
    let told = |until: i64| Deed { times: 2, until, ..Deed::default() }.text();
    assert_eq!(told(1_000_000), ", 2 times");
    assert_eq!(told(120_000_000), ", 2 times until 00:02:00");
    assert_eq!(told(90_000_000_000), ", 2 times until 1970-01-02 01:00:00");
}

#[test]
fn what_several_did_together_is_the_deed_of_none_of_them() {
    let of = |users: &[&str]| {
        deed(&[
            ("user_name", Value::Nothing),
            ("users", texts(users)),
            ("source_ips", texts(&["172.31.0.4"])),
            ("secrets", Value::Number(4)),
            ("requests", Value::Number(4)),
        ])
    };
    let told = |deed: &Deed| plain(&deed.who.words().and(" ").then(deed.sentence()).then(deed.who.list()));
    let several = of(&["anna", "ben", "carl", "dora"]);
    assert_eq!(told(&several), "4 users read 4 secrets in 4 requests (anna, ben, carl, dora)");
    assert_eq!(several.who.name(), None);
    assert_eq!(of(&["anna"]).who, Sender::One("anna".to_owned()));
    assert_eq!(of(&[]).who, Sender::Nobody);
}

#[test]
fn who_it_was_is_only_told_by_a_column_for_it() {
    let allowed = [("verb", text("delete")), ("resource", text("secrets")), ("outcome", text("allowed"))];
    let who = |pairs: &[(&str, Value)]| plain(&deed(&[&allowed[..], pairs].concat()).who.words());
    assert_eq!(who(&[]), "Somebody");
    assert_eq!(who(&[("user_name", Value::Nothing)]), "Somebody who was not authenticated");
    assert_eq!(who(&[("user_name", text("system:anonymous"))]), "system:anonymous");
}

#[test]
fn what_came_of_nothing_is_told_as_tried() {
    let told = |denied: i64, missing: i64| {
        told(&[
            ("secrets", Value::Number(12)),
            ("requests", Value::Number(12)),
            ("denied", Value::Number(denied)),
            ("not_found", Value::Number(missing)),
        ])
    };
    assert_eq!(told(12, 0), "tried to read 12 secrets in 12 requests, all refused");
    assert_eq!(told(0, 12), "tried to read 12 secrets in 12 requests, all not found");
    assert_eq!(told(7, 5), "tried to read 12 secrets in 12 requests, 7 refused, 5 not found");
    assert_eq!(told(7, 0), "read 12 secrets in 12 requests, 7 refused");
}

#[test]
fn a_log_without_ids_of_credentials_tells_of_addresses() {
    let told = |credential: &str| {
        told(&[
            ("credential", text(credential)),
            ("users", texts(&["bot"])),
            ("source_ips", texts(&["10.0.0.1", "10.0.0.2"])),
            ("clients", texts(&["kubectl", "curl"])),
        ])
    };
    assert_eq!(told("bot"), "came from 2 addresses with kubectl, curl (the log does not tell credentials apart)");
    assert_eq!(told("JTI=1"), "used the credential JTI=1 from 2 addresses with kubectl, curl");
}

#[test]
fn a_deletion_of_many_is_told_with_what_it_was_for() {
    let told = |pairs: &[(&str, Value)]| {
        let own = [("verb", text("deletecollection")), ("resource", text("pods")), ("namespace", text("prod"))];
        told(&[&own[..], pairs].concat())
    };
    let (allowed, selector) = (("outcome", text("allowed")), ("selector", text("x=nothing")));
    assert_eq!(
        told(&[allowed.clone(), selector.clone(), ("deleted", Value::Number(0))]),
        "deleted pods of prod, those that fit x=nothing, 0 of them"
    );
    assert_eq!(
        told(&[("outcome", text("unknown")), selector]),
        "may have deleted pods of prod, those that fit x=nothing: unknown"
    );
    assert_eq!(told(&[("outcome", text("denied"))]), "tried: deletecollection pods of prod: denied");
    let dry = ("dry_run", Value::Literal("true".into()));
    assert_eq!(told(&[allowed, dry]), "as a dry run: deleted all pods of prod");
}

#[test]
fn a_burst_of_deletions_is_told_with_what_is_known_of_it() {
    let told = |requests, collections, deleted: Option<i64>, resources: &[&str], with_all: &[&str]| {
        told(&[
            ("requests", Value::Number(requests)),
            ("collections", Value::Number(collections)),
            ("deleted", deleted.map_or(Value::Nothing, Value::Number)),
            ("resources", texts(resources)),
            ("namespaces", texts(&["prod"])),
            ("with_all_in_it", texts(with_all)),
        ])
    };
    assert_eq!(told(31, 0, Some(31), &["pods"], &[]), "deleted 31 pods in a burst");
    assert_eq!(
        told(1, 1, None, &["secrets"], &[]),
        "deleted a collection of secrets in prod, of how many objects the log does not tell"
    );
    assert_eq!(told(1, 1, Some(7), &["secrets"], &[]), "deleted a collection of secrets in prod, at least 7 objects");
    assert_eq!(told(1, 1, Some(1), &["namespaces"], &["namespaces/prod"]), "deleted namespaces/prod with all in it");
    assert_eq!(
        told(14, 2, Some(13), &["namespaces", "pods"], &["namespaces/prod"]),
        "deleted 12 objects and 2 collections in a burst of namespaces, pods in prod, among them namespaces/prod, \
         at least 13 objects"
    );
}

#[test]
fn a_write_of_nothing_is_told_with_what_it_got() {
    let of = |pairs: &[(&str, Value)]| {
        let own = [
            ("signs", texts(&["secret asked for by a write of nothing"])),
            ("outcome", text("allowed")),
            ("handed_out", text("values")),
        ];
        deed(&[&own[..], pairs].concat())
    };
    let path = "/api/v1/namespaces/prod/secrets";
    let dry = of(&[
        ("verb", text("deletecollection")),
        ("request_uri", text(path)),
        ("dry_run", Value::Literal("true".into())),
    ]);
    assert_eq!(dry.text(), format!("as a dry run: had {path} handed out by a write of nothing"));
    assert_eq!(dry.level, Level::High);
    let patch = of(&[("verb", text("patch")), ("namespace", text("prod")), ("name", text("db"))]);
    assert_eq!(patch.text(), "had the secret prod/db handed out by a write of nothing");
}

#[test]
fn ports_are_forwarded() {
    let told = |ports: &[&str], outcome: &str| {
        told(&[
            ("action", text("forward")),
            ("resource", text("pods")),
            ("namespace", text("dev")),
            ("name", text("web-0")),
            ("ports", texts(ports)),
            ("outcome", text(outcome)),
        ])
    };
    assert_eq!(told(&["8080"], "allowed"), "forwarded port 8080 of pod dev/web-0");
    assert_eq!(told(&["8080", "9090"], "allowed"), "forwarded ports 8080, 9090 of pod dev/web-0");
    assert_eq!(told(&[], "denied"), "tried to forward ports of pod dev/web-0: denied");
}

#[test]
fn all_rules_of_a_role_count() {
    let of = |rule: &str, powers: &[&str]| {
        deed(&[
            ("verb", text("create")),
            ("resource", text("clusterroles")),
            ("name", text("reader")),
            ("rule", text(rule)),
            ("powers", texts(powers)),
            ("outcome", text("allowed")),
        ])
    };
    let mut role = of("bind roles", &["bind"]);
    for (rule, powers) in [("create pods/exec", &["run in pods"][..]), ("get secrets", &["read secrets"][..])] {
        role.join(&of(rule, powers));
    }
    let told = "created clusterrole reader, with the rule bind roles and 2 more rules, which can bind, run in pods, read secrets";
    assert_eq!((role.text().as_str(), role.queries.len(), role.gives_all), (told, 1, false));
    role.join(&of("* *", &["every verb", "every resource"]));
    let told = "created clusterrole reader, with the rule * * and 3 more rules, which can do everything";
    assert_eq!((role.text().as_str(), role.gives_all), (told, true));
    assert!(of("*", &["every verb"]).text().ends_with(", which can use every verb"));
}

#[test]
fn rights_that_were_changed_and_certificates_stay() {
    let of = |pairs: &[(&str, Value)]| {
        let own = [("name", text("x")), ("outcome", text("allowed"))];
        let deed = deed(&[&own[..], pairs].concat());
        (deed.made.map(|object| object.resource), deed.is_change)
    };
    let changed = of(&[("verb", text("patch")), ("resource", text("rolebindings"))]);
    assert_eq!(changed, (Some("rolebindings".to_owned()), true));
    let approved = of(&[("action", text("approve")), ("resource", text("certificatesigningrequests"))]);
    assert_eq!(approved, (Some("certificatesigningrequests/approval".to_owned()), false));
    assert_eq!(of(&[("verb", text("patch")), ("resource", text("pods"))]).0, None);
}

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
    let cases: [(&[(&str, Value)], &str); 13] = [
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
        (&[("handed_out", text("values")), allowed.clone()], "read the values of all secrets of the cluster"),
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
            "listed 6 kinds in 18 requests, 18 refused",
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

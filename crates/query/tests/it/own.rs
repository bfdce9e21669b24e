//! Nobody is invisible: the same attack by identities that other tools exempt by name, and the cluster's own work.

use std::collections::BTreeSet;

use kforensic_query::trust::Sieve;
use kforensic_query::{CannedQuery, Catalogue, OwnWork, Parameters, QueryKind, RunOptions};
use serde_json::{Value, json};

use crate::attack::{ACCOUNT, AWAY, HOME, Identity, KUBECTL, MANAGER, attack, event, identity};
use crate::fixture::{Collected, Fixture, run};

/// The detections that the attack gives no reason to.
const NOT_BY_MALLORY: [&str; 8] = [
    "anonymous-access",
    "audit-id-conflicts",
    "denied-service-accounts",
    "failed-auth-bursts",
    "look-alikes",
    "rbac-by-service-accounts",
    "service-account-secret-reads",
    "token-use",
];

/// The attack is repeated as these. Those that stole an identity of the platform also call themselves like it.
const THIEVES: [Identity; 23] = [
    identity("masterclient", &["system:masters", "system:authenticated"], KUBECTL),
    identity("system:backup", &["system:masters", "system:authenticated"], KUBECTL),
    identity("system:serviceaccount:dev:backup-operator", ACCOUNT, KUBECTL),
    identity("system:serviceaccount:openshift-x:p", ACCOUNT, KUBECTL),
    identity("system:serviceaccount:argocd:argocd-application-controller", ACCOUNT, KUBECTL),
    identity("system:serviceaccount:kube-system:cni-operator", ACCOUNT, KUBECTL),
    identity("system:kube-controller-manager", &["system:authenticated"], KUBECTL),
    identity("system:kube-scheduler", &["system:authenticated"], KUBECTL),
    identity("system:node:worker-1", &["system:nodes", "system:authenticated"], KUBECTL),
    identity("system:apiserver", &["system:masters"], "kube-apiserver/v1.33.1 (linux/amd64) kubernetes/8adc0f0"),
    identity(
        "system:serviceaccount:kube-system:namespace-controller",
        ACCOUNT,
        "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/system:serviceaccount:kube-system:namespace-controller",
    ),
    identity(
        "system:serviceaccount:kube-system:generic-garbage-collector",
        ACCOUNT,
        "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/system:serviceaccount:kube-system:generic-garbage-collector",
    ),
    identity(
        "system:node:worker-2",
        &["system:nodes", "system:authenticated"],
        "kubelet/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
    ),
    identity("system:serviceaccount:x-operator:x-operator", ACCOUNT, KUBECTL),
    identity("system:serviceaccount:argocd:argocd-server", ACCOUNT, "argocd-server/v2.13.0"),
    identity("system:serviceaccount:flux-system:kustomize-controller", ACCOUNT, "kustomize-controller/v1.4.0"),
    identity("system:serviceaccount:gatekeeper-system:gatekeeper-admin", ACCOUNT, "gatekeeper/v3.18.0"),
    identity(
        "system:apiserver-x",
        &["system:authenticated"],
        "kube-apiserver/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
    ),
    identity("system:kube-controller-manager-2", &["system:authenticated"], MANAGER),
    identity("eks:addon-manager", &["system:authenticated"], "eks-addon-manager/v1"),
    // Impersonation, by and of the platform.
    Identity { acts_as: Some("system:kube-controller-manager"), ..identity("eve", &["system:authenticated"], MANAGER) },
    Identity {
        acts_as: Some("carol"),
        ..identity("system:serviceaccount:kube-system:replicaset-controller", ACCOUNT, MANAGER)
    },
    // A token of kube-system that is bound to a pod.
    Identity {
        pod: Some(["helper-x7k2p", "worker-1"]),
        ..identity(
            "system:serviceaccount:kube-system:daemon-set-controller",
            ACCOUNT,
            "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/system:serviceaccount:kube-system:daemon-set-controller",
        )
    },
];

/// What the cluster itself does meanwhile, at home.
fn own_work() -> Vec<Value> {
    let home = |user, groups, agent| Identity { address: HOME, ..identity(user, groups, agent) };
    let mut events = Vec::new();
    for (user, groups, agent, namespace, name) in [
        (
            "system:kube-controller-manager",
            &["system:authenticated"] as &'static [&'static str],
            MANAGER,
            "kube-system",
            "kube-controller-manager",
        ),
        (
            "system:kube-scheduler",
            &["system:authenticated"],
            "kube-scheduler/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
            "kube-system",
            "kube-scheduler",
        ),
        (
            "system:node:worker-1",
            &["system:nodes"],
            "kubelet/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
            "kube-node-lease",
            "worker-1",
        ),
        (
            "system:node:worker-2",
            &["system:nodes"],
            "kubelet/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
            "kube-node-lease",
            "worker-2",
        ),
        (
            "system:apiserver",
            &["system:masters"],
            "kube-apiserver/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
            "kube-system",
            "apiserver-abc",
        ),
    ] {
        let who = home(user, groups, agent);
        for second in 0..30 {
            let lease = json!({"resource": "leases", "namespace": namespace, "name": name, "apiGroup": "coordination.k8s.io", "apiVersion": "v1"});
            events.push(event(who, 100 + second * 10, "update", lease, 200, None));
        }
    }
    let manager = home("system:kube-controller-manager", &["system:authenticated"], MANAGER);
    events.push(event(manager, 90, "list", json!({"resource": "secrets", "apiVersion": "v1"}), 200, None));
    let collector = home(
        "system:serviceaccount:kube-system:namespace-controller",
        ACCOUNT,
        "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/system:serviceaccount:kube-system:namespace-controller",
    );
    let gone =
        json!({"resource": "networkpolicies", "namespace": "old", "apiGroup": "networking.k8s.io", "apiVersion": "v1"});
    events.push(event(collector, 91, "deletecollection", gone, 200, None));
    let flux = home("system:serviceaccount:flux-system:kustomize-controller", ACCOUNT, "kustomize-controller/v1.4.0");
    let kustomizations =
        json!({"resource": "kustomizations", "apiGroup": "kustomize.toolkit.fluxcd.io", "apiVersion": "v1"});
    events.extend((0..300).map(|minute| event(flux, minute * 60, "list", kustomizations.clone(), 200, None)));
    events
}

fn case_of(events: &[Value]) -> Fixture {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    Fixture::of_texts(&[lines.as_bytes()])
}

/// What every detection has to say, as text.
fn detections(case: &Fixture) -> Vec<(String, Vec<String>)> {
    let (catalogue, session) = (Catalogue::embedded().unwrap(), case.session());
    let detections = catalogue.iter().filter(|query| query.kind == QueryKind::Detection);
    // Compared with what came before, everybody is new at the beginning of a log; hours are not the point here.
    let about = detections.filter(|query| query.name != "rbac-outside-window" && query.name != "first-seen");
    let answer = |query: &CannedQuery| run(&session, query, &Parameters::new(), None).unwrap().0;
    about.map(|query| (query.name.clone(), answer(query).iter().map(Value::to_string).collect())).collect()
}

/// The detections that have a row about a user.
fn found<'a>(detections: &'a [(String, Vec<String>)], user: &str) -> BTreeSet<&'a str> {
    let name = format!("\"{user}\"");
    let about = detections.iter().filter(|(_, rows)| rows.iter().any(|row| row.contains(&name)));
    about.map(|(query, _)| query.as_str()).collect()
}

#[test]
fn the_same_attack_is_found_whoever_does_it() {
    let mallory = identity("mallory", &["system:authenticated"], KUBECTL);
    let mut events = own_work();
    events.extend(attack(mallory, 1_000));
    for (number, thief) in (1_u64..).zip(THIEVES) {
        events.extend(attack(thief, 1_000 + number * 900));
    }
    let detections = detections(&case_of(&events));
    let by_mallory = found(&detections, "mallory");
    let all: BTreeSet<&str> = detections.iter().map(|(query, _)| query.as_str()).collect();
    let not: Vec<_> = all.difference(&by_mallory).copied().collect();
    assert_eq!(not, NOT_BY_MALLORY);
    let mut missed = Vec::new();
    for thief in THIEVES {
        let by_thief = found(&detections, thief.user);
        let gone: Vec<&&str> = by_mallory.difference(&by_thief).collect();
        if !gone.is_empty() {
            missed.push(format!("{}: {gone:?}", thief.user));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn who_works_from_the_home_of_what_was_stolen_is_told_by_the_deeds() {
    let mut events = own_work();
    let at_home = THIEVES.map(|thief| Identity { address: HOME, ..thief });
    for (number, thief) in (1_u64..).zip(at_home) {
        events.extend(attack(thief, 1_000 + number * 900));
    }
    let detections = detections(&case_of(&events));
    // Of the apiserver four deeds are its own work (it lists all secrets and repairs roles), of a kubelet reading secrets.
    for thief in THIEVES {
        let by_thief = found(&detections, thief.user);
        assert!(by_thief.len() >= 40, "{}: {by_thief:?}", thief.user);
    }
}

#[test]
fn the_clusters_own_work_is_left_out_and_can_be_counted() {
    let case = case_of(&own_work());
    for query in ["secrets-listed", "guards-removed", "mass-deletions"] {
        assert_eq!(case.ask(query, &[]), Vec::<Value>::new(), "{query}");
        assert_eq!(case.ask(query, &["-p", "own=true"]).len(), 1, "{query}");
    }
}

#[test]
fn a_window_that_leaves_out_the_leases_changes_nobody() {
    let thief = identity("system:kube-controller-manager", &["system:authenticated"], MANAGER);
    let mut events = own_work();
    events.push(event(thief, 5_000, "list", json!({"resource": "secrets", "apiVersion": "v1"}), 200, None));
    let case = case_of(&events);
    for arguments in [vec![], vec!["--since", "2026-11-25T01:00:00Z"], vec!["--resource", "secrets"]] {
        let rows = case.ask("secrets-listed", &arguments);
        assert_eq!((rows.len(), &rows[0]["source_ip"]), (1, &json!(AWAY)), "{arguments:?}");
    }
}

#[test]
fn gitops_is_told_from_who_has_its_token_by_where_it_works() {
    const FLUX: Identity =
        identity("system:serviceaccount:flux-system:kustomize-controller", ACCOUNT, "kustomize-controller/v1.4.0");
    let shop = || json!({"resource": "deployments", "namespace": "prod", "name": "shop", "apiGroup": "apps", "apiVersion": "v1"});
    let labels = || json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}});
    let patched = |address: &'static str, minutes: std::ops::Range<u64>| {
        let who = Identity { address, ..FLUX };
        minutes.map(move |minute| event(who, minute * 60, "patch", shop(), 200, Some(labels()))).collect::<Vec<_>>()
    };
    let drift = |parts: &[Vec<Value>]| {
        let rows = case_of(&parts.concat()).ask("gitops-drift", &[]);
        rows.iter().map(|row| row["source_ip"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // With its token from another machine, while it works.
    assert_eq!(drift(&[patched(HOME, 0..300), patched(AWAY, 100..103)]), [AWAY; 3]);
    // For an hour and longer, from before the log on.
    assert_eq!(drift(&[patched(HOME, 30..300), patched(AWAY, 0..100)]), [AWAY; 100]);
    // It moved; nobody else is there; two share the work.
    let nobody: [&str; 0] = [];
    assert_eq!(drift(&[patched(HOME, 0..250), patched("10.0.0.2", 251..300)]), nobody);
    assert_eq!(drift(&[patched(AWAY, 0..20)]), nobody);
    assert_eq!(drift(&[patched(HOME, 0..300), patched("10.0.0.2", 10..290)]), nobody);
}

#[test]
fn pods_are_shown_where_nothing_else_shows_their_template() {
    let controller = Identity {
        address: HOME,
        ..identity(
            "system:serviceaccount:kube-system:daemon-set-controller",
            ACCOUNT,
            "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0/system:serviceaccount:kube-system:daemon-set-controller",
        )
    };
    let spec = json!({"hostNetwork": true, "containers": [{"name": "c", "image": "proxy"}]});
    let pod = json!({"kind": "Pod", "metadata": {"name": "kube-proxy-x", "ownerReferences": [
        {"kind": "DaemonSet", "name": "kube-proxy", "controller": true}]}, "spec": spec});
    let of = json!({"resource": "pods", "namespace": "kube-system", "name": "kube-proxy-x", "apiVersion": "v1"});
    let pod = event(controller, 200, "create", of, 201, Some(pod));
    let admin = identity("admin", &["system:authenticated"], KUBECTL);
    let template =
        json!({"kind": "DaemonSet", "metadata": {"name": "kube-proxy"}, "spec": {"template": {"spec": spec}}});
    let of = json!({"resource": "daemonsets", "namespace": "kube-system", "name": "kube-proxy", "apiGroup": "apps", "apiVersion": "v1"});
    let template = event(admin, 100, "create", of, 201, Some(template));
    let rows = |events: &[Value]| {
        let rows = case_of(events).ask("privileged-workloads", &[]);
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(rows(std::slice::from_ref(&pod)), ["kube-proxy-x"]);
    assert_eq!(rows(&[pod, template]), ["kube-proxy"]);
}

const KUBELET: &str = "kubelet/v1.33.1 (linux/amd64) kubernetes/8adc0f0";

#[test]
fn a_node_that_renews_no_lease_is_none_of_the_cluster() {
    let stranger = identity("system:node:worker-9", &["system:nodes", "system:authenticated"], KUBELET);
    let secret = |name: &str| json!({"resource": "secrets", "namespace": "prod", "name": name, "apiVersion": "v1"});
    let reads: Vec<Value> = (1_000..)
        .zip(["a", "b", "c", "d"])
        .map(|(at, name)| event(stranger, at, "get", secret(name), 200, None))
        .collect();
    let bursts = |events: &[Value]| case_of(events).ask("secret-bursts", &[]).len();
    assert_eq!(bursts(&[own_work(), reads.clone()].concat()), 1);
    // Where the policy logs no leases, nothing tells it from the others.
    assert_eq!(bursts(&reads), 0);
}

#[test]
fn a_token_that_no_kubelet_may_ask_for_is_not_the_kubelets_own() {
    let kubelet = Identity {
        address: HOME,
        ..identity("system:node:worker-1", &["system:nodes", "system:authenticated"], KUBELET)
    };
    let minted = |spec: Value| {
        let token = json!({"resource": "serviceaccounts", "subresource": "token", "namespace": "kube-system", "name": "default",
            "apiVersion": "v1"});
        let body = json!({"kind": "TokenRequest", "spec": spec});
        let events = [own_work(), vec![event(kubelet, 1_000, "create", token, 201, Some(body))]].concat();
        case_of(&events).ask("long-lived-tokens", &[]).len()
    };
    assert_eq!(minted(json!({"expirationSeconds": 3607, "boundObjectRef": {"kind": "Pod", "name": "p"}})), 0);
    assert_eq!(minted(json!({"expirationSeconds": 315_360_000})), 1);
}

#[test]
fn one_run_counts_the_own_work_that_a_second_one_would() {
    let (mut counted, mut left_out) = (0, 0);
    let own = |parameters: &Parameters| {
        let mut all = parameters.clone();
        all.set("own", kforensic_query::catalogue::Value::Boolean(true));
        all
    };
    for folder in ["sample-logs/hardened", "tests/logs/made", "tests/logs/adversarial", "tests/logs/workloads"] {
        let case = Fixture::of_logs(folder);
        let (session, parameters) = (case.session(), Parameters::new());
        for query in Catalogue::embedded().unwrap().iter().filter(|query| query.counts_own_work(&parameters)) {
            let (rows, uncounted) = run(&session, query, &parameters, None).unwrap();
            let (all, with_own) = run(&session, query, &own(&parameters), None).unwrap();
            let mut counting = Collected::default();
            let mut sieve = Sieve::default();
            let options = RunOptions { limit: None, sieve: &mut sieve, counts_own: true };
            let summary = session.run_as(query, &parameters, options, &mut counting).unwrap();
            let own_rows = summary.own_rows.unwrap();
            assert_eq!((&counting.rows, uncounted.own_rows), (&rows, None), "{} of {folder}", query.name);
            assert_eq!(summary.total_rows + own_rows, with_own.total_rows, "{} of {folder}", query.name);
            assert_eq!(with_own.own_rows, None);
            // The same rows in the same order, without the mark.
            let mut rest = all.iter();
            assert!(rows.iter().all(|row| rest.any(|other| other == row)), "{} of {folder}", query.name);
            counted += 1;
            left_out += own_rows;
        }
    }
    assert!(counted > 40 && left_out > 100, "{counted} {left_out}");
}

#[test]
fn own_work_is_told_wherever_it_would_change_an_answer() {
    let catalogue = Catalogue::embedded().unwrap();
    let requests_of = |rows: &[Value]| rows.iter().filter_map(|row| row["requests"].as_u64()).sum::<u64>();
    let (mut of_accounts, mut more) = (BTreeSet::new(), 0);
    for folder in ["sample-logs/hardened", "tests/logs/made", "tests/logs/adversarial", "tests/logs/workloads"] {
        let case = Fixture::of_logs(folder);
        let (session, parameters) = (case.session(), Parameters::new());
        let mut all = parameters.clone();
        all.set("own", kforensic_query::catalogue::Value::Boolean(true));
        let is_asked_again =
            |query: &&CannedQuery| query.leaves_out_own_work(&parameters) && !query.counts_own_work(&parameters);
        for query in catalogue.iter().filter(is_asked_again) {
            let (rows, summary) = run(&session, query, &parameters, None).unwrap();
            let (with_own, _) = run(&session, query, &all, None).unwrap();
            let told = session.own_work(query, &parameters, &summary, summary.total_rows).unwrap().unwrap();
            let name = &query.name;
            match told {
                OwnWork::Rows(left_out) => assert_eq!(rows.len() as u64 + left_out, with_own.len() as u64, "{name}"),
                OwnWork::Requests(left_out) => {
                    of_accounts.insert(name.clone());
                    assert!(rows == with_own || left_out > 0, "{name} of {folder}");
                    // Those of bursts count what comes together, and nothing else.
                    let differ = requests_of(&with_own).abs_diff(requests_of(&rows));
                    assert!(name == "first-seen" || differ <= left_out, "{name} of {folder}: {differ} {left_out}");
                    if ["denied-service-accounts", "offensive-tools", "rhythm", "service-account-secret-reads"]
                        .contains(&name.as_str())
                    {
                        assert_eq!(differ, left_out, "{name} of {folder}");
                    }
                    more += left_out;
                }
            }
            assert_eq!(session.own_work(query, &all, &summary, 0).unwrap(), None, "{name}");
        }
    }
    let accounts: Vec<&str> = of_accounts.iter().map(String::as_str).collect();
    assert_eq!(
        accounts,
        [
            "break-glass",
            "denied-service-accounts",
            "enumeration",
            "first-seen",
            "mass-deletions",
            "offensive-tools",
            "recon",
            "rhythm",
            "secret-bursts",
            "service-account-secret-reads",
        ]
    );
    assert!(more > 1_000, "{more}");
}

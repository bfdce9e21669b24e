//! What answers are worth: verdicts and policies on real logs.

use std::fs;

use kforensic_lake::{Case, IngestOptions, Progress, Writer};
use kforensic_query::coverage::{Finding, Observed, Scope, Verdict, judge};
use kforensic_query::policy::Policy;
use kforensic_query::{Catalogue, Limits, Parameters, Selection, Session};

use crate::fixture::{Fixture, canned, run};

fn observed(case: &Fixture) -> Observed {
    Observed::of(&case.snapshot, &case.limits()).unwrap()
}

fn verdict(observed: &Observed, query: &str) -> Verdict {
    judge(&canned(query), observed, &Scope::default())
}

fn policy(folder: &str) -> Policy {
    let path = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../" + folder + "/audit-policy.yaml";
    Policy::parse(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn an_answer_from_a_log_that_leaves_secrets_and_rbac_out_says_so() {
    let observed = observed(&Fixture::of_logs("sample-logs/moderate"));
    for query in ["secret-reads", "rbac-changes", "secret-writes", "privileged-bindings", "exec-sessions"] {
        let verdict = verdict(&observed, query);
        assert_eq!(verdict.finding, Finding::NotObservable, "{query}: {:?}", verdict.because);
        assert!(verdict.because[0].starts_with("never logged in this case: "), "{query}: {:?}", verdict.because);
    }
    let partly = verdict(&observed, "failed-auth");
    assert_eq!(partly.finding, Finding::Partly);
    assert!(partly.because.iter().any(|why| why.contains("`secrets`")), "{:?}", partly.because);
    // Whatever the query, a resource that was never logged is never called absent.
    for query in Catalogue::embedded().unwrap().iter() {
        let verdict = judge(query, &observed, &Scope::default());
        assert_ne!(verdict.finding, Finding::NoSuchTraffic, "{}: {:?}", query.name, verdict.because);
    }
}

#[test]
fn a_log_that_has_them_is_seen() {
    for folder in ["sample-logs/hardened", "tests/logs/metadata", "tests/logs/production"] {
        let observed = observed(&Fixture::of_logs(folder));
        for query in ["secret-reads", "failed-auth"] {
            let verdict = verdict(&observed, query);
            assert_eq!(verdict.finding, Finding::Seen, "{folder} {query}: {:?}", verdict.because);
        }
        let changes = verdict(&observed, "rbac-changes");
        let at_metadata = folder == "tests/logs/metadata";
        let finding = if at_metadata { Finding::Partly } else { Finding::Seen };
        assert_eq!(changes.finding, finding, "{folder}: {:?}", changes.because);
        if at_metadata {
            assert!(
                changes.because[0].ends_with("Request is needed to tell `role_ref` and `subjects`"),
                "{:?}",
                changes.because
            );
        }
    }
}

#[test]
fn an_answer_with_rows_is_never_called_unseen() {
    for folder in ["sample-logs/hardened", "sample-logs/moderate", "tests/logs/made", "tests/logs/identities"] {
        let case = Fixture::of_logs(folder);
        let (observed, session) = (observed(&case), case.session());
        for query in Catalogue::embedded().unwrap().iter() {
            let rows = run(&session, query, &Parameters::new(), Some(1)).unwrap().1.total_rows;
            let verdict = judge(query, &observed, &Scope::default());
            let told = format!("{folder} {}: {rows} rows, {:?} {:?}", query.name, verdict.finding, verdict.because);
            if rows > 0 {
                assert_ne!(verdict.finding, Finding::NoSuchTraffic, "{told}");
            }
            assert_ne!(verdict.finding, Finding::Untold, "{told}");
        }
    }
}

#[test]
fn the_summaries_of_files_say_what_reading_them_says() {
    // Through an ingest, whose commit sums the files up.
    let folder = tempfile::tempdir().unwrap();
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../..";
    let options = IngestOptions {
        paths: vec![format!("{root}/sample-logs/hardened").into()],
        threads: 2,
        ..IngestOptions::default()
    };
    let case = folder.path().join("case");
    let writer = Writer::open(&case, "a test").unwrap();
    kforensic_lake::ingest(&writer, &options, &Progress::default()).unwrap();
    drop(writer);
    let snapshot = Case::open(&case).unwrap().snapshot().unwrap();
    assert!(snapshot.event_files().all(|file| file.seen.is_some()));
    let limits = Limits { temp_directory: folder.path().join("spill"), ..Fixture::of_texts(&[]).limits() };
    let session = Session::open(&snapshot, &Selection::default(), &limits).unwrap();
    let read = Observed::read(&session, &snapshot).unwrap();
    assert_eq!(Observed::of(&snapshot, &limits).unwrap(), read);
    assert_eq!(read.events(), 8_973);
}

#[test]
fn a_policy_predicts_the_level_of_every_event_that_it_wrote() {
    for (folder, events) in
        [("sample-logs/hardened", 8_973), ("sample-logs/moderate", 568), ("tests/logs/metadata", 92_577)]
    {
        let policy = policy(folder);
        let usage = Fixture::of_logs(folder).session().policy_usage(&policy).unwrap();
        assert_eq!(usage.total.events, events, "{folder}");
        assert_eq!(usage.differences, Default::default(), "{folder}");
        assert_eq!(usage.rules.values().map(|volume| volume.events).sum::<u64>(), events, "{folder}");
    }
    // Held against a policy of another, it does not fit.
    let usage =
        Fixture::of_logs("sample-logs/hardened").session().policy_usage(&policy("sample-logs/moderate")).unwrap();
    assert!(usage.differences.values().sum::<u64>() > 4_000);
}

#[test]
fn hosts_are_told_with_their_pauses_seams_and_steps() {
    let event = |second: i64, line: &str| {
        let time = kforensic_event::time::render(1_700_000_000_000_000 + second * 1_000_000);
        format!(
            "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\"auditID\":\"{line}-{second}\",\
             \"stage\":\"ResponseComplete\",\"requestURI\":\"/api/v1/pods\",\"verb\":\"list\",\"user\":{{\"username\":\"bob\"}},\
             \"sourceIPs\":[\"10.0.0.1\"],\"objectRef\":{{\"resource\":\"pods\",\"apiVersion\":\"v1\"}},\
             \"responseStatus\":{{\"code\":200}},\"requestReceivedTimestamp\":\"{time}\",\"stageTimestamp\":\"{time}\"}}\n"
        )
    };
    let first: String = (0..400).map(|second| event(second, "a")).collect();
    // Half an hour later, and in the middle the clock goes back by a minute.
    let second: String = (2_200..2_400).chain(2_340..2_500).map(|second| event(second, "b")).collect();
    let case = Fixture::of_texts(&[first.as_bytes(), second.as_bytes()]);
    let hosts = case.session().hosts(15 * 60 * 1_000_000).unwrap();
    let [host] = hosts.as_slice() else { panic!("{hosts:?}") };
    assert_eq!((host.host.as_str(), host.events, host.pauses.len(), host.seams.len()), ("cp-1", 760, 1, 1));
    assert_eq!((host.seams[0].before.as_str(), host.seams[0].after.as_str()), ("0-0", "0-1"));
    let [step] = host.steps.as_slice() else { panic!("{host:?}") };
    assert_eq!((step.source.as_str(), step.line, step.from - step.to), ("0-1", 201, 59_000_000));
    assert!(case.session().hosts(3_600 * 1_000_000).unwrap()[0].pauses.is_empty());
}

/// A policy can leave out a namespace, which no summary of a case tells.
#[test]
fn a_namespace_of_which_nothing_of_the_kind_was_logged_lessens_the_verdict() {
    let event = |user: &str, namespace: &str, resource: &str| {
        serde_json::json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("{user}{resource}"),
            "stage": "ResponseComplete", "verb": "get", "user": {"username": user, "groups": []},
            "requestURI": format!("/api/v1/namespaces/{namespace}/{resource}/x"), "sourceIPs": ["10.0.0.1"],
            "responseStatus": {"code": 200},
            "objectRef": {"resource": resource, "namespace": namespace, "name": "x", "apiVersion": "v1"},
            "requestReceivedTimestamp": "2026-11-02T10:00:00.000000Z", "stageTimestamp": "2026-11-02T10:00:00.000000Z"
        })
        .to_string()
    };
    let lines = [event("alice", "prod", "secrets"), event("bob", "dev", "pods")].join("\n");
    let fixture = Fixture::of_texts(&[lines.as_bytes()]);
    let query = canned("secret-reads");
    let unseen = |arguments: &[&str], rows: u64| {
        let parameters = crate::fixture::parameters(&query, arguments);
        let unseen = fixture.session().unseen(&query, &parameters, rows).unwrap();
        let observed = Observed::of(&fixture.snapshot, &fixture.limits()).unwrap();
        let verdict = judge(&query, &observed, &Scope::of(&parameters)).without(&unseen);
        (unseen.len(), verdict.finding)
    };
    assert_eq!(unseen(&["--namespace", "dev"], 0), (1, Finding::Partly));
    // A person is told of, and policies seldom leave out one.
    assert_eq!(unseen(&["--user", "bob"], 0), (1, Finding::Seen));
    assert_eq!(unseen(&["--user", "system:node:a"], 0), (1, Finding::Partly));
    assert_eq!(unseen(&["--namespace", "prod"], 1), (0, Finding::Seen));
    assert_eq!(unseen(&["--namespace", "prod", "--user", "alice", "--outcome", "denied"], 0), (0, Finding::Seen));
}

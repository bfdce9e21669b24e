//! Addresses that somebody says: claims are found and told, and `--proxy` believes whom the user names, and no further.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use kforensic_lake::{Case, IngestOptions, Progress, Writer};
use kforensic_query::proxies::Proxies;
use kforensic_query::trust::Trusted;
use kforensic_query::{Limits, Parameters, RowSink, RunOptions, Selection, Session, SinkError};
use serde_json::{Value, json};

use crate::fixture::{Fixture, canned, run};

const PROXY: &str = "172.31.0.4";
const KUBECTL: &str = "kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0";

/// A request for a secret, `seconds` after midnight, by `user` from `addresses`.
fn event(seconds: u64, user: &str, addresses: &[&str], agent: &str) -> Value {
    let time = format!("2026-11-25T00:{:02}:{:02}.000000Z", seconds / 60, seconds % 60);
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
        "auditID": format!("{seconds:08x}-0000-4000-8000-000000000000"), "requestURI": "/api/v1/secrets", "verb": "list",
        "user": {"username": user, "groups": ["system:authenticated"]}, "sourceIPs": addresses, "userAgent": agent,
        "objectRef": {"resource": "secrets", "apiVersion": "v1"}, "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": time, "stageTimestamp": time,
        "annotations": {"authorization.k8s.io/decision": "allow"}
    })
}

fn lease(seconds: u64, addresses: &[&str]) -> Value {
    let manager = "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0";
    let mut event = event(seconds, "system:kube-controller-manager", addresses, manager);
    event["verb"] = json!("update");
    event["objectRef"] = json!({"resource": "leases", "namespace": "kube-system", "name": "kube-controller-manager",
        "apiGroup": "coordination.k8s.io", "apiVersion": "v1"});
    event
}

fn case_of(events: &[Value]) -> Fixture {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    Fixture::of_texts(&[lines.as_bytes()])
}

fn behind(case: &Fixture, proxies: &[&str]) -> Session {
    let proxies: Vec<String> = proxies.iter().map(|text| (*text).to_owned()).collect();
    let limits = Limits { proxies: Proxies::parse(&proxies).unwrap(), ..case.limits() };
    Session::open(&case.snapshot, &Selection::default(), &limits).unwrap()
}

fn asked(session: &Session, query: &str, arguments: &[(&str, &str)]) -> Vec<Value> {
    run(session, &canned(query), &parameters(query, arguments), None).unwrap().0
}

fn parameters(query: &str, arguments: &[(&str, &str)]) -> Parameters {
    let query = canned(query);
    let mut parameters = Parameters::new();
    for (name, text) in arguments {
        parameters.set(*name, query.declared(name).unwrap().parse(text, 0, None).unwrap());
    }
    parameters
}

#[test]
fn a_claimed_address_is_found_and_said_to_be_claimed() {
    let case = case_of(&[
        event(1, "bob", &["203.0.113.9"], KUBECTL),
        event(2, "mallory", &["203.0.113.9", "10.9.9.9"], KUBECTL),
        event(3, "mallory", &["203.0.113.9", "198.51.100.7", "10.9.9.8"], KUBECTL),
        event(4, "carol", &["10.0.0.3"], KUBECTL),
    ]);
    let session = case.session();
    let query = canned("secret-reads");
    for (filter, users, claimed) in [
        ("203.0.113.9", &["bob", "mallory", "mallory"][..], 2),
        ("203.0.113.0/24", &["bob", "mallory", "mallory"], 2),
        ("198.51.100.7", &["mallory"], 1),
        ("10.9.9.9", &["mallory"], 0),
        ("::ffff:203.0.113.9", &["bob", "mallory", "mallory"], 2),
    ] {
        let given = parameters("secret-reads", &[("source_ip", filter)]);
        let rows = run(&session, &query, &given, None).unwrap().0;
        let found: Vec<&str> = rows.iter().map(|row| row["user_name"].as_str().unwrap()).collect();
        assert_eq!(found, users, "{filter}");
        let claims = session.claims(&query, &given, rows.len() as u64).unwrap();
        assert_eq!(
            claims.as_ref().map_or((0, 0), |claims| (claims.rows, claims.requests)),
            (claimed, claimed),
            "{filter}"
        );
    }
    let ip = canned("ip");
    let given = parameters("ip", &[("address", "203.0.113.9")]);
    let claims = session.claims(&ip, &given, 10).unwrap().unwrap();
    assert_eq!((claims.requests, claims.peers), (2, vec![("10.9.9.8".to_owned(), 1), ("10.9.9.9".to_owned(), 1)]));
}

#[test]
fn a_proxy_that_is_named_is_believed_and_its_word_is_marked() {
    let case = case_of(&[
        event(1, "bob", &["203.0.113.9", PROXY], KUBECTL),
        // A client that writes the header itself.
        event(2, "mallory", &["203.0.113.9", "198.51.100.7", PROXY], KUBECTL),
        // Not through the proxy: what it says counts for nothing.
        event(3, "mallory", &["203.0.113.9", "198.51.100.7"], KUBECTL),
        event(4, "carol", &["10.0.0.3"], KUBECTL),
        // The same address directly.
        event(5, "bob", &["203.0.113.9"], KUBECTL),
    ]);
    let session = behind(&case, &["172.31.0.0/16"]);
    let rows = asked(&session, "secret-reads", &[]);
    let told: Vec<(&str, Option<&str>)> =
        rows.iter().map(|row| (row["source_ip"].as_str().unwrap(), row["asserted_by"].as_str())).collect();
    assert_eq!(
        told,
        [
            ("203.0.113.9", Some(PROXY)),
            ("198.51.100.7", Some(PROXY)),
            ("198.51.100.7", None),
            ("10.0.0.3", None),
            ("203.0.113.9", None),
        ]
    );
    // The names of the contract come first.
    let mut counting = Counting::default();
    session.run(&canned("secret-reads"), &Parameters::new(), None, &mut counting).unwrap();
    assert_eq!(counting.columns[counting.columns.len() - 2..], ["cluster", "asserted_by"]);
    assert_eq!(asked(&session, "secret-reads", &[("source_ip", "198.51.100.7")]).len(), 2);
    let origins = asked(&session, "origins", &[("user", "bob")]);
    assert_eq!((origins.len(), &origins[0]["asserted_by"]), (1, &json!(format!("{PROXY}, itself"))));
    assert_eq!(session.asserted().unwrap().unwrap().count, 2);
    assert!(asked(&case.session(), "secret-reads", &[])[0].get("asserted_by").is_none());
}

#[test]
fn what_a_proxy_says_neither_exempts_nor_hides() {
    let manager = "kube-controller-manager/v1.33.1 (linux/amd64) kubernetes/8adc0f0";
    let mut events: Vec<Value> = (0..30).map(|second| lease(second, &["10.0.0.1"])).collect();
    events.push(event(100, "system:kube-controller-manager", &["10.0.0.1"], manager));
    let honest = case_of(&events);
    assert_eq!(asked(&behind(&honest, &[PROXY]), "secrets-listed", &[]), Vec::<Value>::new());
    // A thief who forges X-Real-Ip: the address of the real one, behind his own.
    events.push(event(200, "system:kube-controller-manager", &["198.51.100.7", "10.0.0.1", PROXY], manager));
    let case = case_of(&events);
    for session in [case.session(), behind(&case, &[PROXY])] {
        let rows = asked(&session, "secrets-listed", &[]);
        assert!(rows.iter().any(|row| row["audit_id"].as_str().unwrap().starts_with("000000c8")), "{rows:?}");
    }
    // Components that come through the proxy are at home behind it, as they are without it.
    let mut events: Vec<Value> = (0..30).map(|second| lease(second, &["10.0.0.1", PROXY])).collect();
    events.push(event(100, "system:kube-controller-manager", &["10.0.0.1", PROXY], manager));
    events.push(event(200, "system:kube-controller-manager", &["198.51.100.7"], manager));
    let case = case_of(&events);
    for session in [case.session(), behind(&case, &[PROXY])] {
        let rows = asked(&session, "secrets-listed", &[]);
        assert_eq!((rows.len(), &rows[0]["source_ip"]), (1, &json!("198.51.100.7")));
    }
    let text = "[[trusted]]\nquery = \"secrets-listed\"\nsource_ip = \"203.0.113.9\"\nreason = \"office\"\nauthor = \"me\"\nuntil = \"2099-01-01T00:00:00Z\"\n";
    let trusted = Trusted::parse("trusted.toml", text, &["secrets-listed"]).unwrap();
    let case =
        case_of(&[event(1, "bob", &["203.0.113.9"], KUBECTL), event(2, "eve", &["203.0.113.9", PROXY], KUBECTL)]);
    let mut sieve = trusted.sieve("secrets-listed", 0);
    let mut rows = Counting::default();
    let session = behind(&case, &[PROXY]);
    let options = RunOptions { limit: None, sieve: &mut sieve, counts_own: false };
    session.run_as(&canned("secrets-listed"), &Parameters::new(), options, &mut rows).unwrap();
    assert_eq!((rows.rows, sieve.hidden()), (1, 1));
}

#[derive(Default)]
struct Counting {
    columns: Vec<String>,
    rows: usize,
}

impl RowSink for Counting {
    fn columns(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        self.columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        self.rows += batch.num_rows();
        Ok(())
    }
}

/// Requests of people through a load balancer, of one of them directly, and of the cluster, one in two seconds.
fn balanced(count: u64, through: u64) -> Vec<Value> {
    let event_of = |number: u64| {
        let (client, user) =
            (format!("203.0.113.{}", number % 5), ["alice", "bob", "carol"][usize::try_from(number % 3).unwrap()]);
        match number % 10 {
            0 => event(number, "system:serviceaccount:prod:web", &["10.0.0.7"], "web/1"),
            rest if rest <= through => event(number, user, &[&client, PROXY], KUBECTL),
            _ => event(number, user, &["10.0.0.9"], KUBECTL),
        }
    };
    (0..count).map(event_of).collect()
}

#[test]
fn the_log_of_a_case_tells_of_load_balancers_what_its_requests_tell() {
    let folder = tempfile::tempdir().unwrap();
    let query = canned("origins");
    for (name, lines) in [("most", balanced(900, 8)), ("half", balanced(900, 4)), ("none", balanced(900, 0))] {
        let root = folder.path().join(name);
        for part in lines.chunks(250) {
            let log = folder.path().join("audit.log");
            std::fs::write(&log, part.iter().map(|event| format!("{event}\n")).collect::<String>()).unwrap();
            let options = IngestOptions { paths: vec![log], threads: 2, ..IngestOptions::default() };
            kforensic_lake::ingest(&Writer::open(&root, "test").unwrap(), &options, &Progress::default()).unwrap();
        }
        let told = Case::open(&root).unwrap().snapshot().unwrap();
        let mut silent = told.clone();
        silent.files.iter_mut().for_each(|file| file.sent = None);
        let limits = Limits { temp_directory: folder.path().join("spill"), ..case_of(&[]).limits() };
        let times = told.event_times().unwrap();
        let resources = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        for selection in [
            Selection::default(),
            // All of it, a part of it, and none.
            Selection { since: Some(times.0), until: Some(times.1 + 1), ..Selection::default() },
            Selection { since: Some(times.0 + 60_000_000), until: None, ..Selection::default() },
            Selection { since: None, until: Some(times.0), ..Selection::default() },
            Selection { resources: resources(&["secrets"]), ..Selection::default() },
            Selection { resources: resources(&["pods", "widgets"]), ..Selection::default() },
        ] {
            let found = |snapshot| Session::open(snapshot, &selection, &limits).unwrap().balancers(&query).unwrap();
            assert_eq!(found(&told), found(&silent), "{name} {selection:?}");
        }
        let found = Session::open(&told, &Selection::default(), &limits).unwrap().balancers(&query).unwrap();
        assert_eq!(found.len(), usize::from(name == "most"), "{name}: {found:?}");
        if let [balancer] = found.as_slice() {
            let numbers = (balancer.requests, balancer.all_requests, balancer.users, balancer.addresses);
            assert_eq!((balancer.source_ip.as_str(), numbers), (PROXY, (720, 810, 3, 5)));
        }
    }
}

#[test]
fn one_address_for_many_is_remarked_on() {
    let mut events = Vec::new();
    for (number, user) in (0_u64..).zip(["alice", "bob", "carol", "alice", "bob", "carol"]) {
        let client = format!("203.0.113.{}", number % 3);
        events.push(event(number, user, &[&client, PROXY], KUBECTL));
    }
    events.push(event(50, "dave", &["10.0.0.9"], KUBECTL));
    let case = case_of(&events);
    let found = case.session().balancers(&canned("origins")).unwrap();
    assert_eq!((found.len(), &*found[0].source_ip, found[0].users, found[0].addresses), (1, PROXY, 3, 3));
    // Once it is named there is nothing to remark on.
    assert!(behind(&case, &[PROXY]).balancers(&canned("origins")).unwrap().is_empty());
    // One client with one header, or many without any, are none.
    let quiet: Vec<Value> = events
        .iter()
        .map(|event| {
            let mut event = event.clone();
            event["sourceIPs"] = json!([PROXY]);
            event
        })
        .collect();
    assert!(case_of(&quiet).session().balancers(&canned("origins")).unwrap().is_empty());
    let one: Vec<Value> = (0..9).map(|at| event(at, "bob", &["203.0.113.1", PROXY], KUBECTL)).collect();
    assert!(case_of(&one).session().balancers(&canned("origins")).unwrap().is_empty());
}

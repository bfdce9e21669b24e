//! Who of those that came from an address goes on elsewhere: named for an account of one address, and for nothing else.

use kforensic_query::{Elsewhere, Parameters, Session};
use serde_json::{Value, json};

use crate::fixture::{Fixture, canned};

/// A request by `user` from `addresses`, `seconds` after midnight.
fn event(seconds: u64, user: &str, addresses: &[&str], verb: &str) -> Value {
    let time = format!("2026-11-25T00:{:02}:{:02}.000000Z", seconds / 60, seconds % 60);
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
        "auditID": format!("{seconds:08x}-0000-4000-8000-000000000000"), "requestURI": "/api/v1/pods", "verb": verb,
        "user": {"username": user, "groups": ["system:authenticated"]}, "sourceIPs": addresses, "userAgent": "curl/8.0",
        "objectRef": {"resource": "pods", "apiVersion": "v1"}, "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": time, "stageTimestamp": time,
        "annotations": {"authorization.k8s.io/decision": "allow"}
    })
}

fn case_of(events: &[Value]) -> Fixture {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    Fixture::of_texts(&[lines.as_bytes()])
}

fn elsewhere(session: &Session, query: &str, arguments: &[(&str, &str)]) -> Option<Elsewhere> {
    let query = canned(query);
    let mut parameters = Parameters::new();
    for (name, text) in arguments {
        parameters.set(*name, query.declared(name).unwrap().parse(text, 0, None).unwrap());
    }
    session.elsewhere(&query, &parameters).unwrap()
}

fn named(found: Option<Elsewhere>) -> Vec<(String, u64)> {
    found.unwrap().named
}

#[test]
fn who_came_from_an_address_and_from_others_is_named() {
    let case = case_of(&[
        event(1, "bob", &["10.0.0.1"], "list"),
        event(2, "bob", &["10.0.0.2"], "list"),
        event(3, "bob", &["10.0.0.3"], "get"),
        event(4, "web", &["10.0.0.1"], "list"),
        event(5, "web", &["10.0.0.2"], "list"),
        // Only here, only elsewhere, nobody in particular.
        event(6, "carol", &["10.0.0.1"], "list"),
        event(7, "dave", &["10.0.0.2"], "list"),
        event(8, "system:anonymous", &["10.0.0.1"], "list"),
        event(9, "system:anonymous", &["10.0.0.2"], "list"),
        // Here as the balancer says, and elsewhere as well.
        event(10, "erin", &["10.0.0.1", "172.31.0.4"], "list"),
        event(11, "erin", &["10.0.0.9", "172.31.0.4"], "list"),
        event(12, "frank", &["10.0.0.1", "172.31.0.4"], "list"),
    ]);
    let session = case.session();
    let one = |name: &str, requests| (name.to_owned(), requests);
    let found = elsewhere(&session, "ip", &[("address", "10.0.0.1")]);
    assert_eq!(named(found), [one("bob", 2), one("erin", 1), one("web", 1)]);
    // A network is one place.
    let found = elsewhere(&session, "ip", &[("address", "10.0.0.0/30")]);
    assert_eq!(named(found), [one("erin", 1)]);
    // The filters choose who is asked about, and hide nothing of what they did elsewhere.
    let narrow = [("address", "10.0.0.1"), ("user", "bob"), ("until", "2026-11-25T00:00:02Z"), ("people", "true")];
    assert_eq!(named(elsewhere(&session, "ip", &narrow)), [one("bob", 2)]);
    let none = [("address", "10.0.0.1"), ("verb", "delete")];
    assert_eq!(elsewhere(&session, "ip", &none), Some(Elsewhere::default()));
    // However the account is given its address; other questions that are narrowed to one are no account of it.
    assert_eq!(named(elsewhere(&session, "ip", &[("source_ip", "10.0.0.0/30")])), [one("erin", 1)]);
    assert_eq!(elsewhere(&session, "secret-reads", &[("source_ip", "10.0.0.1")]), None);
    assert_eq!(elsewhere(&session, "ip", &[]), None);
}

#[test]
fn of_many_some_are_named_and_the_others_counted() {
    let users = (0..9).map(|at| format!("user-{at}")).collect::<Vec<_>>();
    let here = users.iter().zip(1..).map(|(user, at)| event(at, user, &["10.0.0.1"], "list"));
    // The last of them sent most from elsewhere.
    let there = users
        .iter()
        .zip(0..)
        .flat_map(|(user, at)| (0..=at).map(move |nth| event(100 + 10 * at + nth, user, &["10.0.0.2"], "list")));
    let case = case_of(&here.chain(there).collect::<Vec<_>>());
    let found = elsewhere(&case.session(), "ip", &[("address", "10.0.0.1")]).unwrap();
    let names: Vec<&str> = found.named.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["user-8", "user-7", "user-6", "user-5", "user-4"]);
    assert_eq!((found.named[0].1, found.others), (9, 4));
}

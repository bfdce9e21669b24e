//! Bodies with very many members: a client sends them, and no question about them may take the memory of its square.

use kforensic_query::{Limits, Selection, Session};

use crate::fixture::{Fixture, canned, parameters, run};

/// Members of an object; the largest that a request may have is not much larger.
const MEMBERS: usize = 20_000;

#[test]
fn a_body_of_many_members_is_asked_within_the_memory_limit() {
    let members =
        |value: &str| -> String { (0..MEMBERS).map(|number| format!(r#","member{number:06}":{value}"#)).collect() };
    let event = |number: usize, body: &str| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"wide-{number}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/x/configmaps/wide","verb":"patch","user":{{"username":"mallory"}},"objectRef":{{"resource":"configmaps","namespace":"x","name":"wide","apiVersion":"v1"}},"responseStatus":{{"code":200}},"requestObject":{body},"responseObject":{body},"requestReceivedTimestamp":"2026-11-21T20:37:3{number}.000000Z","stageTimestamp":"2026-11-21T20:37:3{number}.500000Z"}}"#
        )
    };
    let top = format!(r#"{{"metadata":{{"resourceVersion":"7"}}{}}}"#, members("1"));
    let data = format!(r#"{{"data":{{"password":"hunter2hunter2"{}}}}}"#, members(r#""text""#));
    let log = [event(0, &top), event(1, &data)].join("\n");
    let case = Fixture::of_texts(&[log.as_bytes()]);
    let limits = Limits { memory_bytes: 1 << 30, ..case.limits() };
    let ask = |name: &str| {
        let query = canned(name);
        let parameters = parameters(&query, &[]);
        let session = Session::open(&case.snapshot, &Selection::of(&query, &parameters), &limits).unwrap();
        run(&session, &query, &parameters, None).unwrap().0
    };
    for query in ["object", "configmap-credentials"] {
        assert!(!ask(query).is_empty(), "{query}");
    }
    let sent = ask("object")[0]["sent"].to_string();
    assert!(sent.contains("member000000") && sent.contains("member019999"), "{}", sent.len());
}

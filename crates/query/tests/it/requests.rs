//! How events fold into requests, and bodies that nobody should have to read.

use kforensic_query::catalogue::Value as Bound;
use kforensic_query::{CannedQuery, Parameters, Selection};
use serde_json::{Value, json};

use crate::fixture::{Fixture, ad_hoc, run};

/// An event of one request; `change` overrides its members.
fn event(stage: &str, code: Option<u16>, change: Value) -> Value {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a", "stage": stage,
        "requestURI": "/api/v1/secrets", "verb": "list", "user": {"username": "u"}, "sourceIPs": ["10.0.0.1"],
        "objectRef": {"resource": "secrets", "apiVersion": "v1"},
        "requestReceivedTimestamp": "2026-11-21T20:00:00.000000Z", "stageTimestamp": "2026-11-21T20:00:00.000000Z",
    });
    if let Some(code) = code {
        event["responseStatus"] = json!({"metadata": {}, "code": code});
    }
    for (key, value) in change.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

fn log(events: &[Value]) -> Vec<u8> {
    events.iter().map(|event| format!("{event}\n")).collect::<String>().into_bytes()
}

fn case(events: &[Value]) -> Fixture {
    Fixture::of_texts(&[&log(events)])
}

/// Stages, code and outcome of the requests in a log; the events come in both orders.
#[track_caller]
fn folded(stages: &[(&str, Option<u16>)]) -> (Value, Value, Value) {
    let mut events: Vec<Value> = stages.iter().map(|(stage, code)| event(stage, *code, json!({}))).collect();
    let mut ask = || {
        let rows = case(&events).sql("SELECT stages, status_code, outcome, stage FROM requests ORDER BY 1");
        assert_eq!(rows.len(), 1, "{rows:?}");
        events.reverse();
        rows.into_iter().next().unwrap()
    };
    let row = ask();
    assert_eq!(ask(), row, "the order of the lines does not matter");
    (row["stages"].clone(), row["status_code"].clone(), row["outcome"].clone())
}

#[test]
fn the_outcome_follows_from_the_stages() {
    const RECEIVED: (&str, Option<u16>) = ("RequestReceived", None);
    for (stages, code, outcome) in [
        (&[RECEIVED][..], None, "unknown"),
        (&[("ResponseComplete", Some(200))], Some(200), "allowed"),
        (&[RECEIVED, ("ResponseComplete", Some(201))], Some(201), "allowed"),
        (&[RECEIVED, ("ResponseComplete", Some(304))], Some(304), "allowed"),
        (&[("ResponseStarted", Some(401))], Some(401), "denied"),
        (&[RECEIVED, ("ResponseComplete", Some(403))], Some(403), "denied"),
        (&[RECEIVED, ("ResponseComplete", Some(404))], Some(404), "failed"),
        (&[RECEIVED, ("ResponseComplete", Some(500))], Some(500), "failed"),
        (&[("ResponseComplete", None)], None, "unknown"),
        // A stream: what has flowed has flowed.
        (&[RECEIVED, ("ResponseStarted", Some(200))], Some(200), "allowed"),
        (&[RECEIVED, ("ResponseStarted", None)], None, "allowed"),
        (&[("ResponseStarted", Some(101)), ("ResponseComplete", Some(101))], Some(101), "allowed"),
        (&[RECEIVED, ("ResponseStarted", Some(200)), ("Panic", Some(500))], Some(500), "allowed"),
        (&[RECEIVED, ("ResponseStarted", None), ("Panic", Some(500))], Some(500), "allowed"),
        (&[RECEIVED, ("Panic", Some(500))], Some(500), "failed"),
        // A denied watch starts and completes with its code.
        (&[RECEIVED, ("ResponseStarted", Some(403)), ("ResponseComplete", Some(403))], Some(403), "denied"),
        (&[("ResponseComplete", Some(200)), ("Panic", Some(500))], Some(500), "failed"),
        (&[("Teapot", Some(418)), RECEIVED, ("Kettle", None)], None, "unknown"),
    ] {
        let mut names: Vec<&str> = stages.iter().map(|(stage, _)| *stage).collect();
        // Stages that the server does not have come last.
        names.sort_by_key(|name| {
            (!["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"].contains(name), 0)
        });
        if names.contains(&"Kettle") {
            names = vec!["RequestReceived", "Kettle", "Teapot"];
        }
        assert_eq!(folded(stages), (json!(names), json!(code), json!(outcome)), "{stages:?}");
    }
}

#[test]
fn one_audit_id_can_be_many_requests() {
    let case = case(&[
        event("ResponseComplete", Some(200), json!({})),
        event("ResponseComplete", Some(200), json!({"requestReceivedTimestamp": "2026-11-21T20:00:00.000001Z"})),
        event("ResponseComplete", Some(200), json!({"verb": "get"})),
        event("ResponseComplete", Some(200), json!({"requestURI": "/api/v1/secrets?limit=1"})),
        event("ResponseComplete", Some(200), json!({"sourceIPs": ["10.0.0.1", "10.0.0.2"]})),
        event("ResponseComplete", Some(200), json!({"auditID": "b"})),
        // The first address is what the client says: same request.
        event("RequestReceived", None, json!({"sourceIPs": ["6.6.6.6", "10.0.0.1"]})),
    ]);
    assert_eq!(case.sql("SELECT count(*) AS n FROM requests ORDER BY 1"), [json!({"n": 6})]);
    assert_eq!(case.sql("SELECT count(*) AS n FROM request_keys ORDER BY 1"), [json!({"n": 6})]);
}

#[test]
fn absent_parts_of_the_key_are_equal() {
    let bare = |stage: &str, code| {
        event(stage, code, json!({"verb": null, "requestURI": null, "sourceIPs": [], "user": {}, "objectRef": null}))
    };
    let case = case(&[bare("RequestReceived", None), bare("ResponseComplete", Some(200))]);
    assert_eq!(
        case.sql("SELECT count(*) AS n, any_value(len(stages)) AS stages FROM requests ORDER BY 1"),
        [json!({"n": 1, "stages": 2})]
    );
}

#[test]
fn a_tie_is_decided_by_the_later_stage_time_then_by_the_place_in_the_sources() {
    let at = |time: &str, agent: &str| {
        event("ResponseComplete", Some(200), json!({"stageTimestamp": time, "userAgent": agent}))
    };
    let (early, late) = ("2026-11-21T20:00:01.000000Z", "2026-11-21T20:00:02.000000Z");
    let agent = |logs: &[&[u8]]| Fixture::of_texts(logs).sql("SELECT user_agent FROM requests ORDER BY 1");
    assert_eq!(agent(&[&log(&[at(late, "late"), at(early, "early")])]), [json!({"user_agent": "late"})]);
    assert_eq!(agent(&[&log(&[at(late, "one"), at(late, "two")])]), [json!({"user_agent": "two"})]);
    assert_eq!(agent(&[&log(&[at(late, "one")]), &log(&[at(late, "two")])]), [json!({"user_agent": "two"})]);
    assert_eq!(agent(&[&log(&[at(late, "two")]), &log(&[at(late, "one")])]), [json!({"user_agent": "one"})]);
}

#[test]
fn a_filter_reaches_the_row_groups() {
    // A request every ten seconds, in order of time; 1,000 rows a row group.
    let lines: Vec<Value> = (0..5_000_i64)
        .map(|number| {
            let time = kforensic_event::time::render(1_795_219_200_000_000 + number * 10_000_000);
            let user = format!("user-{}", number / 1_000);
            let code = u16::try_from(200 + number / 1_000).unwrap();
            event("ResponseComplete", Some(code), json!({"requestReceivedTimestamp": time, "user": {"username": user}}))
        })
        .collect();
    let case = case(&lines);
    let scanned = |selection: &Selection, parameters: &Parameters, condition: &str| {
        let query =
            ad_hoc(&format!("SELECT sum(status_code) FROM requests WHERE filters() AND {condition} ORDER BY 1"));
        let explain = CannedQuery { sql: format!("EXPLAIN ANALYZE {}", query.sql), ..query };
        let rows = run(&case.select(selection).unwrap(), &explain, parameters, None).unwrap().0;
        let plan: String = rows.iter().map(|row| row["explain_value"].as_str().unwrap().to_owned()).collect();
        if plan.contains("Empty Result") {
            return "0".to_owned();
        }
        let (_, scanned) = plan.split_once("Row Groups Scanned: ").unwrap();
        scanned.split_once(" / 5").unwrap().0.to_owned()
    };
    let (all, none) = (Selection::default(), Parameters::new());
    assert_eq!(scanned(&all, &none, "true"), "5");
    // No part of the key, but a request is a row of its own.
    assert_eq!(scanned(&all, &none, "status_code = 203"), "1");
    assert_eq!(scanned(&all, &none, "user_name = 'user-3'"), "1");
    assert_eq!(scanned(&all, &none, "resource = 'pods'"), "0");
    let since = |time: &str| {
        let mut parameters = Parameters::new();
        parameters.set("since", Bound::Time(kforensic_event::time::parse(time).unwrap()));
        parameters
    };
    // The fourth thousand ends at 11:06:30. A bound time reaches the row groups too, but what DuckDB derives
    // from a condition on a cast column reaches two hours too far; the selection is exact.
    assert_eq!(scanned(&all, &since("2026-11-21T13:06:31Z"), "true"), "1");
    assert_eq!(scanned(&all, &since("2026-11-21T13:06:30Z"), "true"), "2");
    for (time, groups) in [("2026-11-21T11:06:31Z", "1"), ("2026-11-21T11:06:30Z", "2")] {
        let selection = Selection { since: kforensic_event::time::parse(time), ..Selection::default() };
        assert_eq!(scanned(&selection, &since(time), "true"), groups);
    }
}

/// `role_ref` and `subjects` of a change with the given bodies, as JSON text.
fn granted(response: Option<&str>, request: Option<&str>) -> (Value, Value) {
    let line = event(
        "ResponseComplete",
        Some(200),
        json!({
            "verb": "patch", "objectRef": {"resource": "rolebindings", "apiGroup": "rbac.authorization.k8s.io"},
            "responseObject": "RESPONSE", "requestObject": "REQUEST",
        }),
    );
    let line = line.to_string();
    let line =
        line.replace("\"RESPONSE\"", response.unwrap_or("null")).replace("\"REQUEST\"", request.unwrap_or("null"));
    let rows = Fixture::of_texts(&[line.as_bytes()]).ask("rbac-changes", &[]);
    assert_eq!(rows.len(), 1, "{line}");
    (rows[0]["role_ref"].clone(), rows[0]["subjects"].clone())
}

#[test]
fn grants_come_from_the_answer_else_from_the_request() {
    let binding = |name: &str, subject: &str| {
        format!(
            r#"{{"kind":"RoleBinding","roleRef":{{"apiGroup":"g","kind":"Role","name":"{name}"}},"subjects":[{{"kind":"User","name":"z"}},{{"kind":"ServiceAccount","namespace":"n","name":"{subject}"}},{{"name":"z","kind":"User"}}]}}"#
        )
    };
    let (stored, sent) = (binding("stored", "s"), binding("sent", "r"));
    let status = r#"{"kind":"Status","status":"Failure"}"#;
    let grant = |role: &str, subject: &str| {
        (json!(format!("Role/{role}")), json!([format!("ServiceAccount/n/{subject}"), "User/z"]))
    };
    let nothing = || (Value::Null, Value::Null);
    assert_eq!(granted(Some(&stored), Some(&sent)), grant("stored", "s"));
    assert_eq!(granted(Some(status), Some(&sent)), grant("sent", "r"));
    assert_eq!(granted(None, Some(&sent)), grant("sent", "r"));
    assert_eq!(granted(None, None), nothing());
    // Each of the two for itself.
    let no_subjects = r#"{"roleRef":{"kind":"ClusterRole","name":"x"}}"#;
    assert_eq!(granted(Some(no_subjects), Some(&sent)), (json!("ClusterRole/x"), grant("", "r").1));
    assert_eq!(granted(Some(r#"{"subjects":[]}"#), None), (Value::Null, json!([])));
}

#[test]
fn odd_bodies_neither_fail_nor_hide_a_grant() {
    let bob = || (json!("Role/r"), json!(["User/bob"]));
    let nothing = || (Value::Null, Value::Null);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for (body, expected) in [
        (r#"[{"op":"add","path":"/subjects/-","value":{"kind":"User","name":"bob"}}]"#, nothing()),
        (r#""text""#, nothing()),
        ("5", nothing()),
        ("{}", nothing()),
        (r#"{"roleRef":null,"subjects":null}"#, nothing()),
        (r#"{"roleRef":"Role/r","subjects":{"kind":"User"}}"#, nothing()),
        (r#"{"roleRef":{},"subjects":[1,"x",null,[]]}"#, (Value::Null, json!([]))),
        (
            r#"{"roleRef":{"kind":7,"name":""},"subjects":[{"kind":"User","name":["x"]}]}"#,
            (Value::Null, json!(["User"])),
        ),
        // A lone surrogate is no text to DuckDB, which would refuse the whole body for it.
        (
            r#"{"labels":{"a":"\ud800"},"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"bob"}]}"#,
            bob(),
        ),
        (r#"{"subjects":[{"kind":"User","name":"b\udfffb"}]}"#, (Value::Null, json!(["User/b\u{fffd}b"]))),
        (r#"{"subjects":[{"kind":"User","name":"\ud83d\ude00"}]}"#, (Value::Null, json!(["User/😀"]))),
        // Two members with one name: the server takes the last.
        (
            r#"{"roleRef":{"kind":"Role","name":"view"},"roleRef":{"kind":"Role","name":"x","name":"r"},"subjects":[],"subjects":[{"kind":"User","name":"bob"}]}"#,
            bob(),
        ),
        (r#"{"subjects":[{"kind":"User","name":"bob"}],"subjects":null}"#, nothing()),
        // Escapes in names, and names with a dot or a dollar, are names like any other.
        (
            r#"{"role\u0052ef":{"k\u0069nd":"Role","name":"r"},"subjects":[{"kind":"User","name":"bob"}],"$.roleRef":1,"a.b":2}"#,
            bob(),
        ),
        (r#"{"n":1e999,"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"bob"}]}"#, bob()),
        (r#"{"subjects":[{"kind":"User","name":"a\u0000b"}]}"#, (Value::Null, json!(["User/a\u{0}b"]))),
        (&deep, nothing()),
        (
            &format!(
                r#"{{"deep":{deep},"roleRef":{{"kind":"Role","name":"r"}},"subjects":[{{"kind":"User","name":"bob"}}]}}"#
            ),
            bob(),
        ),
    ] {
        assert_eq!(granted(None, Some(body)), expected, "{}", &body[..body.len().min(200)]);
    }
}

#[test]
fn kinds_of_failure_are_tested_in_their_order() {
    let refused = |id: &str, code: u16, user: &str, message: &str, decision: Option<&str>| {
        let annotations = decision.map_or(json!({}), |decision| json!({"authorization.k8s.io/decision": decision}));
        event(
            "ResponseComplete",
            Some(code),
            json!({
                "auditID": id, "user": {"username": user}, "annotations": annotations, "sourceIPs": [id], "userAgent": user,
                "responseStatus": {"metadata": {}, "code": code, "message": message},
            }),
        )
    };
    let anonymous = "system:anonymous";
    let text = "users \"x\" is forbidden: User \"m\" cannot impersonate resource";
    let case = case(&[
        refused("1", 401, "", "Unauthorized", None),
        refused("2", 403, anonymous, text, None),
        refused("3", 403, anonymous, text, Some("forbid")),
        refused("4", 403, "bob", text, Some("forbid")),
        refused("5", 403, "bob", "no", None),
        refused("6", 404, "bob", "gone", None),
        event("ResponseStarted", Some(401), json!({"auditID": "7", "user": {}, "sourceIPs": []})),
        // A watch that was denied, then broke off: its last stage is no denial.
        event("ResponseStarted", Some(403), json!({"auditID": "8", "sourceIPs": ["8"]})),
        event("Panic", Some(500), json!({"auditID": "8", "sourceIPs": ["8"]})),
    ]);
    let rows = case.ask("failed-auth", &[]);
    let short: Vec<Value> = rows.iter().map(|row| json!([row["source_ip"], row["failure"], row["users"]])).collect();
    assert_eq!(
        short,
        [
            json!([null, "unauthenticated", []]),
            json!(["1", "unauthenticated", []]),
            json!(["2", "impersonation", [anonymous]]),
            json!(["3", "anonymous", [anonymous]]),
            json!(["4", "forbidden", ["bob"]]),
            json!(["5", "forbidden", ["bob"]]),
        ]
    );
    assert_eq!(rows[0]["user_agents"], json!([]));
    assert_eq!(case.ask("failed-auth", &["--outcome", "denied"]), rows);
}

#[test]
fn secrets_are_read_by_three_verbs_and_not_through_subresources() {
    let read = |id: &str, verb: &str, object: Value| {
        event("ResponseComplete", Some(200), json!({"auditID": id, "verb": verb, "objectRef": object}))
    };
    let case = case(&[
        read("1", "get", json!({"resource": "secrets"})),
        read("2", "watch", json!({"resource": "secrets", "subresource": ""})),
        read("3", "create", json!({"resource": "secrets"})),
        read("4", "get", json!({"resource": "secrets", "subresource": "status"})),
        read("5", "get", json!({"resource": "configmaps", "name": "secrets"})),
    ]);
    let ids: Vec<Value> = case.ask("secret-reads", &[]).iter().map(|row| row["audit_id"].clone()).collect();
    assert_eq!(ids, ["1", "2"]);
}

//! Values as collectors leave them are what the server wrote, or say that they are not.
//!
//! `tests/logs/collectors` holds one small log, `00-plain.log`, as each kind of collector leaves it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod told;

use std::path::{Path, PathBuf};

use kforensic_event::shape::{Parts, Position, Settled};
use kforensic_event::{Decoded, Event, Reading, Reason};
use serde_json::{Map, Value, json};

fn folder() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/logs/collectors")
}

/// The rows of a log's events, all columns by name, and the reasons of its rejects.
fn read(log: &[u8]) -> (Vec<Map<String, Value>>, Vec<String>) {
    let (mut rows, mut rejects, mut parts) = (Vec::new(), Vec::new(), Parts::default());
    let mut settled = Vec::new();
    Reading::of(log).decode(log, Position::START, true, &mut |record| match record.decoded {
        Decoded::Event(Event { part: Some(part), .. }) | Decoded::Reject(Reason::FurtherPart { part }) => {
            settled.extend(parts.take(*part, record.position));
        }
        Decoded::Event(event) => rows.push(told::row(&event, record.position)),
        Decoded::Reject(reason) => rejects.push(reason.to_string()),
    });
    for settled in settled.into_iter().chain(parts.finish()) {
        match settled {
            Settled::Event(joined, of) => rows.push(told::row(&joined.event().unwrap(), of[0])),
            Settled::Reject(reason, _) => rejects.push(reason.to_string()),
        }
    }
    (rows, rejects)
}

fn file(name: &str) -> (Vec<Map<String, Value>>, Vec<String>) {
    read(&std::fs::read(folder().join(name)).unwrap())
}

/// What a row tells of its event, without where it stands and how it was written.
fn told(row: &Map<String, Value>, but: &[&str]) -> Map<String, Value> {
    let provenance =
        ["other", "rebuilt", "line_number", "byte_offset", "byte_length", "assumed", "cluster", "host", "date"];
    let is_told = |name: &str| !provenance.contains(&name) && !but.contains(&name);
    let json_columns = ["request_object", "response_object", "annotations", "user_extra"];
    let value = |name: &str, value: &Value| match value.as_str().filter(|_| json_columns.contains(&name)) {
        Some(text) => serde_json::from_str(text).unwrap(),
        None => value.clone(),
    };
    row.iter().filter(|(name, _)| is_told(name)).map(|(name, cell)| (name.clone(), value(name, cell))).collect()
}

/// The file of each kind; columns that it cannot tell; what is said to be assumed, of all rows together.
const KINDS: [(&str, &[&str], &[&str]); 12] = [
    ("22-timekey/fluentd-requestReceived-dropped.jsonl", &[], &["event_time"]),
    ("23-string-bodies/uken-none.jsonl", &[], &[]),
    ("24-dedot/fluentbit-replace-dots.jsonl", &[], &["keys"]),
    ("25-scalars/annotations-as-string.jsonl", &[], &[]),
    ("25-scalars/code-as-lua-double.jsonl", &[], &[]),
    ("25-scalars/level-missing.jsonl", &[], &["level"]),
    ("25-scalars/level-overwritten.jsonl", &[], &["level"]),
    ("25-scalars/time-epoch.jsonl", &["event_time", "stage_time"], &["event_time", "zone"]),
    ("25-scalars/time-local-no-zone.jsonl", &[], &["zone"]),
    ("25-scalars/user-as-string.jsonl", &["user_groups", "user_extra", "credential_id"], &["user"]),
    ("25-scalars/verb-uppercase.jsonl", &[], &[]),
    (
        "08-aks-skipped/PT1H.json",
        &["request_object", "response_object"],
        &["requestObject withheld", "responseObject withheld"],
    ),
];

#[test]
fn what_collectors_change_is_read_as_the_server_wrote_it_or_says_what_was_assumed() {
    let (plain, rejects) = file("00-plain.log");
    assert_eq!((plain.len(), rejects.len()), (8, 0));
    for (name, but, assumed) in KINDS {
        let (rows, rejects) = file(name);
        assert_eq!((rows.len(), rejects.len()), (8, 0), "{name}: {rejects:?}");
        let mut said = Vec::new();
        for (row, plain) in rows.iter().zip(&plain) {
            assert_eq!(told(row, but), told(plain, but), "{name}");
            said.extend(row["assumed"].as_array().into_iter().flatten().map(|word| word.as_str().unwrap().to_owned()));
        }
        said.sort();
        said.dedup();
        assert_eq!(said, *assumed, "{name}");
        // And what came comes back.
        if name.starts_with("2") {
            let originals = std::fs::read_to_string(folder().join(name)).unwrap();
            let originals: Vec<Value> = originals.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(rows.iter().map(|row| row["rebuilt"].clone()).collect::<Vec<_>>(), originals, "{name}");
        }
    }
}

/// Names in snake case are told by their letters; a record that lacks too much for that says what it is.
#[test]
fn members_with_other_names_are_the_same_events_or_rejects_that_say_so() {
    let (plain, _) = file("00-plain.log");
    let (rows, rejects) = file("25-scalars/keys-snake.jsonl");
    assert_eq!((rows.len(), rejects.len()), (8, 0), "{rejects:?}");
    for (row, plain) in rows.iter().zip(&plain) {
        assert_eq!(told(row, &["redacted"]), told(plain, &["redacted"]));
        assert_eq!(row["assumed"], json!(["keys"]));
    }
    let (rows, rejects) = read(br#"{"audit_id":"a","request_object":{"auditID":1},"source_ips":["10.0.0.9"]}"#);
    assert!(rows.is_empty() && rejects.len() == 1, "{rejects:?}");
}

#[test]
fn what_a_collector_cut_is_an_event_that_says_so_or_names_its_audit_id() {
    let (rows, rejects) = file("32-cut/splunk-10000.jsonl");
    let marks: Vec<&Value> = rows.iter().map(|row| &row["salvaged"]).collect();
    assert_eq!((marks, rejects.len()), (vec![&Value::Null, &json!("cut"), &Value::Null], 0));
    assert_eq!(
        (&rows[1]["verb"], &rows[1]["name"], &rows[1]["assumed"]),
        (&json!("create"), &json!("helper"), &json!(["event_time"]))
    );
    let (rows, rejects) = file("32-cut/plain-cut-lines.log");
    assert_eq!(rows.len(), 2);
    assert_eq!(rejects, ["torn: the record of event `f1e1d000-0000-4000-8000-000000000088` ends inside a JSON value"]);
    let (rows, _) = file("32-cut/server-truncated.log");
    assert_eq!((&rows[0]["truncated"], &rows[0]["salvaged"]), (&json!(true), &Value::Null));
}

/// A body whose keys get their dots back is kept as it came. Who impersonates somebody chooses keys too: these tell of no
/// collector.
#[test]
fn dots_come_back_into_keys_where_a_collector_took_them_from_all() {
    let event = |annotation: &str, extra: &str| {
        let event = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "a", "stage": "ResponseComplete", "verb": "create", "user": {"username": "bob"},
            "impersonatedUser": {"username": "eve", "extra": {extra: ["x"]}}, "requestObject": {"metadata": {"labels": {"example_com/a": "b"}}}, "responseObject": {"data": {"example_com/a": "b"}},
            "requestReceivedTimestamp": "2026-11-21T20:37:01.101111Z", "stageTimestamp": "2026-11-21T20:37:01.108114Z", "annotations": {annotation: "allow"}});
        let (mut rows, rejects) = read(event.to_string().as_bytes());
        assert_eq!((rows.len(), rejects.len()), (1, 0), "{event}");
        let row = rows.remove(0);
        assert_eq!(row["rebuilt"], event, "it comes back as it came");
        ["request_object", "response_object", "impersonated_extra"]
            .map(|name| row[name].as_str().unwrap().contains('_'))
            .into_iter()
            .chain([row["assumed"].is_null()])
            .collect::<Vec<_>>()
    };
    assert_eq!(event("authorization_k8s_io/decision", "a_b/c"), [false, false, false, false]);
    assert_eq!(event("authorization_k8s_io/decision", "a.b/c"), [false; 4]);
    assert_eq!(event("authorization.k8s.io/decision", "a_b/c"), [true; 4]);
}

/// One member of an event, changed, and what comes of it.
#[test]
fn other_spellings_of_values_are_read_too() {
    let event = |member: &str, value: Value| {
        let mut event = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "a", "stage": "ResponseComplete", "verb": "create", "user": {"username": "bob"}, "requestReceivedTimestamp": "2026-11-21T20:37:01.101111Z", "stageTimestamp": "2026-11-21T20:37:01.108114Z"});
        event[member] = value;
        let (mut rows, rejects) = read(event.to_string().as_bytes());
        assert_eq!((rows.len(), rejects.len()), (1, 0), "{event}");
        assert_eq!(rows[0]["rebuilt"], event);
        rows.remove(0)
    };
    for code in [json!(403.0), json!("403"), json!("403.0"), json!("403.000000"), json!(4.03e2)] {
        assert_eq!(event("responseStatus", json!({"metadata": {}, "code": code}))["status_code"], json!(403), "{code}");
    }
    for code in [json!({"$numberInt": "403"}), json!({"$numberLong": "403"}), json!({"N": "403"}), json!({"int": 403})]
    {
        assert_eq!(event("responseStatus", json!({"metadata": {}, "code": code}))["status_code"], json!(403), "{code}");
    }
    for none in [json!(null), json!("")] {
        assert_eq!(
            event("responseStatus", json!({"metadata": {}, "code": none}))["status_code"],
            Value::Null,
            "{none}"
        );
    }
    let status = event("responseStatus", json!("{\"metadata\":{},\"reason\":\"Forbidden\",\"code\":403}"));
    assert_eq!((&status["status_code"], &status["status_reason"]), (&json!(403), &json!("Forbidden")));
    let object = event("objectRef", json!("{\"resource\":\"secrets\",\"name\":\"x\\u0022y\"}"));
    assert_eq!((&object["resource"], &object["name"]), (&json!("secrets"), &json!("x\"y")));
    let user = event(
        "user",
        json!(
            "{\"username\":\"mallory\",\"groups\":[\"dev\"],\"extra\":{\"authentication.kubernetes.io/credential-id\":[\"JTI=x\"]}}"
        ),
    );
    assert_eq!(
        (&user["user_name"], &user["user_groups"], &user["credential_id"], &user["assumed"]),
        (&json!("mallory"), &json!(["dev"]), &json!("JTI=x"), &Value::Null)
    );
    for addresses in [json!("[\"1.2.3.4\",\"10.0.0.9\"]"), json!("1.2.3.4, 10.0.0.9")] {
        assert_eq!(event("sourceIPs", addresses)["source_ip"], json!("10.0.0.9"));
    }
    assert_eq!(event("sourceIPs", json!("['1.2.3.4', '10.0.0.9']"))["source_ip"], json!("10.0.0.9"));
    assert_eq!(event("sourceIPs", json!("-"))["source_ip"], Value::Null);
    for (body, stored, assumed) in [
        (json!("{\"a\": [1]}"), json!("{\"a\": [1]}"), Value::Null),
        (json!("none"), Value::Null, json!(["requestObject withheld"])),
        (json!("skipped-too-big-size-object"), Value::Null, json!(["requestObject withheld"])),
        (json!("{\"a\": torn"), json!("\"{\\\"a\\\": torn\""), Value::Null),
        (json!("a text"), json!("\"a text\""), Value::Null),
        (json!("{'a': [None, 'b']}"), json!("{\"a\":[null,\"b\"]}"), Value::Null),
        (json!("@{a=b; c=}"), json!("\"@{a=b; c=}\""), json!(["requestObject withheld"])),
        (json!("{a=b, c=[d]}"), json!("\"{a=b, c=[d]}\""), json!(["requestObject withheld"])),
        (
            json!({"spec": {"x": ["@{a=b}"]}}),
            json!("{\"spec\":{\"x\":[\"@{a=b}\"]}}"),
            json!(["requestObject withheld"]),
        ),
        (json!({"x": "\"@{a=b}\" is no object"}), json!("{\"x\":\"\\\"@{a=b}\\\" is no object\"}"), Value::Null),
    ] {
        let row = event("requestObject", body);
        assert_eq!((&row["request_object"], &row["assumed"]), (&stored, &assumed));
    }
    assert_eq!(event("level", json!("metadata"))["level"], json!("Metadata"));
    for level in [json!("info"), json!(3), json!(null)] {
        let row = event("level", level);
        assert_eq!((&row["level"], &row["assumed"]), (&json!("Metadata"), &json!(["level"])));
    }
}

/// Spreadsheets, YAML and search engines make numbers, truths and lists of what the server wrote as text.
#[test]
fn a_text_that_became_something_else_is_read_as_that_text_and_says_so() {
    for (member, value, column, text) in [
        ("objectRef", json!({"resource": "secrets", "name": 2024}), "name", json!("2024")),
        ("objectRef", json!({"resource": "secrets", "name": true}), "name", json!("true")),
        ("objectRef", json!({"resource": ["secrets"], "name": "x"}), "resource", json!("secrets")),
        ("objectRef", json!({"resource": "secrets", "name": {"a": 1}}), "name", Value::Null),
        ("verb", json!(["get"]), "verb", json!("get")),
        ("verb", json!(["get", "list"]), "verb", Value::Null),
        ("stage", json!(["ResponseComplete"]), "stage", json!("ResponseComplete")),
        ("userAgent", json!(7), "user_agent", json!("7")),
        ("user", json!({"username": 1001, "groups": ["dev"]}), "user_name", json!("1001")),
        ("impersonatedUser", json!({"username": 1001}), "impersonated_user", json!("1001")),
        ("responseStatus", json!({"reason": ["Forbidden"], "code": 403}), "status_reason", json!("Forbidden")),
    ] {
        let mut event = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a", "stage": "ResponseComplete", "verb": "list", "user": {"username": "bob"}, "requestReceivedTimestamp": "2026-11-21T20:37:01.101111Z", "stageTimestamp": "2026-11-21T20:37:01.108114Z"});
        event[member] = value;
        let (rows, rejects) = read(event.to_string().as_bytes());
        assert_eq!((rows.len(), rejects.len()), (1, 0), "{event}");
        assert_eq!((&rows[0][column], &rows[0]["assumed"]), (&text, &json!(["text"])), "{event}");
        assert_eq!(rows[0]["rebuilt"], event);
    }
}

/// A client can send any bytes in a PATCH, and the server writes them as they came.
#[test]
fn a_byte_that_is_no_utf_8_costs_an_event_nothing_but_a_mark() {
    let event = |id: &str, value: &[u8]| {
        let mut line = format!(r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"{id}","stage":"ResponseComplete","requestURI":"/x","verb":"patch","user":{{"username":"bob"}},"objectRef":{{"resource":"clusterrolebindings","name":"x"}},"requestObject":{{"a":""#).into_bytes();
        line.extend_from_slice(value);
        line.extend_from_slice(br#""},"requestReceivedTimestamp":"2026-11-21T20:37:01.101111Z","stageTimestamp":"2026-11-21T20:37:01.108114Z"}"#);
        line
    };
    let lines = |list: &[Vec<u8>]| list.join(&b'\n');
    let marks = |log: &[u8]| {
        let (rows, rejects) = read(log);
        assert_eq!(rejects, Vec::<String>::new());
        rows.iter().map(|row| (row["audit_id"].clone(), row["salvaged"].clone())).collect::<Vec<_>>()
    };
    let marked = [(json!("a"), json!("not-utf-8")), (json!("b"), Value::Null)];
    let (one, two) = (event("a", b"x\xff\xc3y"), event("b", "é".as_bytes()));
    assert_eq!(marks(&lines(&[one.clone(), two.clone()])), marked);
    let (rows, _) = read(&one);
    assert_eq!((&rows[0]["user_name"], &rows[0]["request_object"]), (&json!("bob"), &json!("{\"a\":\"x??y\"}")));
    // In a list, and split by a container runtime.
    let list = [b"{\"items\":[".to_vec(), one.clone(), b",".to_vec(), two, b"]}".to_vec()].concat();
    assert_eq!(marks(&list), marked);
    let part =
        |tag: &str, part: &[u8]| [format!("2026-11-21T20:37:01.101111Z stdout {tag} ").as_bytes(), part].concat();
    let at = one.iter().position(|byte| *byte == 0xff).unwrap() + 1;
    assert_eq!(marks(&lines(&[part("P", &one[..at]), part("F", &one[at..])])), marked[..1]);
    // Torn behind such a byte, where a value can follow.
    let torn = [&one[..at + 2], b"\",\"b\":"].concat();
    let (rows, rejects) = read(&lines(&[torn, event("c", b"")]));
    assert_eq!((rows.len(), rejects.len(), &rows[0]["salvaged"]), (1, 1, &json!("behind-damage")));
}

/// Bodies in what MongoDB wrote with the types of its values, and what only looks like it.
#[test]
fn numbers_of_mongodb_lose_their_types_where_the_record_is_certain_to_be_of_mongodb() {
    let typed = json!({"spec": {"replicas": {"$numberInt": "3"}, "ports": [{"port": {"$numberLong": "8080"}}], "ratio": {"$numberDouble": "0.5"}, "name": "x"}});
    let plain = json!({"spec": {"replicas": 3, "ports": [{"port": 8080}], "ratio": 0.5, "name": "x"}});
    let event = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "a", "stage": "ResponseComplete", "verb": "create", "user": {"username": "bob"}, "responseStatus": {"metadata": {}, "code": 201}, "requestObject": typed, "responseObject": [typed], "requestReceivedTimestamp": "2026-11-21T20:37:01.101111Z", "stageTimestamp": "2026-11-21T20:37:01.108114Z"});
    let with = |member: &str, value: Value| {
        let mut event = event.clone();
        event[member] = value;
        event
    };
    let details =
        json!({"metadata": {}, "details": {"retryAfterSeconds": {"$numberInt": "1"}}, "code": {"$numberInt": "429"}});
    for (event, is_read) in [
        (event.clone(), false),
        (with("_id", json!({"$oid": "65a000000000000000000001"})), true),
        (with("_id", json!({"$oid": "mine"})), false),
        (with("_id", json!("65a000000000000000000001")), false),
        (with("responseStatus", details), true),
        (with("stageTimestamp", json!({"$date": {"$numberLong": "1795293421108"}})), true),
        (with("requestReceivedTimestamp", json!({"$date": "2026-11-21T20:37:01.101Z"})), true),
        (with("note", json!({"$numberInt": "1"})), false),
    ] {
        let (rows, rejects) = read(event.to_string().as_bytes());
        assert_eq!((rows.len(), rejects.len()), (1, 0), "{event}");
        let body = |column: &str| serde_json::from_str::<Value>(rows[0][column].as_str().unwrap()).unwrap();
        let expected = if is_read { &plain } else { &typed };
        assert_eq!((&body("request_object"), &body("response_object")), (expected, &json!([expected])), "{event}");
        assert_eq!((&rows[0]["rebuilt"], &rows[0]["assumed"]), (&event, &Value::Null));
        if event["responseStatus"]["details"].is_object() {
            assert_eq!(body("status_details"), json!({"retryAfterSeconds": 1}));
        }
    }
}

/// What a member was to tell and nothing could be read from is no event without it: a request that was refused would count as one
/// that was not, and one about secrets as one about nothing.
#[test]
fn an_event_whose_members_cannot_be_read_is_a_reject_that_names_the_member() {
    for (member, value, missing) in [
        ("responseStatus", json!({"metadata": {}, "code": 403.5}), "`code` that can be read"),
        ("responseStatus", json!({"metadata": {}, "code": "many"}), "`code` that can be read"),
        ("responseStatus", json!({"metadata": {}, "code": 1e300}), "`code` that can be read"),
        ("responseStatus", json!({"code": {"a": 403, "b": 1}}), "`code` that can be read"),
        ("responseStatus", json!("@{metadata=; code=403}"), "object `responseStatus`"),
        ("objectRef", json!("{resource=secrets, namespace=prod}"), "object `objectRef`"),
        ("objectRef", json!(["secrets"]), "object `objectRef`"),
        ("impersonatedUser", json!("@{username=bob}"), "object `impersonatedUser`"),
        ("user", json!("map[username:bob]"), "object `user`"),
        ("sourceIPs", json!("System.Object[]"), "list `sourceIPs`"),
        ("sourceIPs", json!("somewhere"), "list `sourceIPs`"),
    ] {
        let mut event = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a", "stage": "ResponseComplete", "verb": "get", "user": {"username": "bob"}, "requestReceivedTimestamp": "2026-11-21T20:37:01.101111Z"});
        event[member] = value;
        let (rows, rejects) = read(event.to_string().as_bytes());
        assert_eq!((rows.len(), rejects), (0, vec![format!("not an audit event: no {missing}")]), "{event}");
    }
}

/// Members that the server leaves out when they are empty, as exports of tables write them all.
#[test]
fn what_is_empty_is_not_there() {
    let event = |members: &str| {
        let (mut rows, rejects) = read(
            format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","requestURI":"/","verb":"list",{members},"requestReceivedTimestamp":"2026-11-21T20:37:01.101111Z","stageTimestamp":"2026-11-21T20:37:01.101111Z"}}"#
            )
            .as_bytes(),
        );
        assert_eq!((rows.len(), rejects.len()), (1, 0), "{members}");
        rows.remove(0)
    };
    let nobody = r#""impersonatedUser":{"username":"","uid":"","groups":[],"extra":{}}"#;
    let row = event(&format!(
        r#""user":{{"username":"bob","uid":"","groups":["a"]}},{nobody},"objectRef":{{"resource":"secrets","namespace":"","name":""}},"responseStatus":{{"metadata":{{}},"reason":"","code":200}}"#
    ));
    for empty in [
        "user_uid",
        "impersonated_user",
        "impersonated_groups",
        "impersonated_extra",
        "namespace",
        "name",
        "status_reason",
    ] {
        assert_eq!(row[empty], Value::Null, "{empty}");
    }
    assert_eq!((&row["user_name"], &row["resource"]), (&json!("bob"), &json!("secrets")));
    let row = event(r#""user":{"username":"","groups":null}"#);
    assert_eq!((&row["user_name"], &row["user_groups"]), (&Value::Null, &Value::Null));
}

/// PowerShell's `ConvertTo-Json` writes two levels if nobody says another number; what is deeper is `@{name=x; …}`.
#[test]
fn what_powershell_left_out_says_so() {
    let log = r#"[{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","stage":"ResponseComplete","verb":"create","user":{"username":"bob","groups":"ops system:masters","extra":"@{authentication.kubernetes.io/credential-id=System.Object[]}"},"sourceIPs":["10.0.0.9"],"objectRef":{"resource":"pods"},"responseStatus":{"metadata":"","code":201},"requestObject":{"kind":"Pod","metadata":"@{name=rooty}","spec":"@{hostPID=True; containers=System.Object[]}"},"requestReceivedTimestamp":"2026-11-21T20:37:01.101111Z"}]"#;
    let (rows, rejects) = read(log.as_bytes());
    assert_eq!((rows.len(), rejects.len()), (1, 0));
    assert_eq!(rows[0]["user_groups"], json!(["ops", "system:masters"]));
    assert_eq!(rows[0]["assumed"], json!(["user", "requestObject withheld"]));
}

/// A log that Python printed: each event is one, whatever the language calls nothing, and it says that it was not simply read.
#[test]
fn what_python_prints_is_read() {
    let (plain, _) = file("00-plain.log");
    let lines = std::fs::read_to_string(folder().join("00-plain.log")).unwrap();
    let python = |value: &Value| {
        // Texts without quotation marks in them, which Python would put into double ones.
        let json = value.to_string();
        json.replace("\\\"", "\u{1}").replace('"', "'").replace('\u{1}', "\"").replace("null", "None")
    };
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let printed: Vec<String> = events.iter().map(python).collect();
    let with_gaps = |event: &Value| {
        let json = event.to_string();
        format!("{},\"impersonatedUser\":NaN,\"authenticationMetadata\":NaN}}", &json[..json.len() - 1])
    };
    let gaps: Vec<String> = events.iter().map(with_gaps).collect();
    for (log, mark) in [
        (printed.join("\n"), json!("unknown-wrapper")),
        (format!("[{}]", printed.join(", ")), json!("unknown-wrapper")),
        (gaps.join("\n"), Value::Null),
        (format!("[\n{}\n]", gaps.join(",\n")), Value::Null),
    ] {
        let (rows, rejects) = read(log.as_bytes());
        assert_eq!((rows.len(), rejects), (8, Vec::new()), "{log}");
        for (row, plain) in rows.iter().zip(&plain) {
            assert_eq!(row["salvaged"], mark);
            assert_eq!(told(row, &["salvaged", "redacted"]), told(plain, &["salvaged", "redacted"]));
        }
    }
}

#[test]
fn a_source_that_changes_from_lines_to_documents_is_read_on() {
    let (plain, _) = file("00-plain.log");
    let (rows, rejects) = file("lines-then-pretty.json");
    assert_eq!((rows.len(), rejects), (8, Vec::new()));
    let marks = rows.iter().filter(|row| row["salvaged"] != Value::Null).count();
    assert_eq!(marks, 0);
    for (row, plain) in rows.iter().zip(&plain) {
        assert_eq!(told(row, &[]), told(plain, &[]));
    }
    let lines = std::fs::read_to_string(folder().join("00-plain.log")).unwrap();
    let (first, rest) = lines.split_at(lines.find('\n').unwrap() + 1);
    let rest: Vec<Value> = rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let compact: Vec<String> = rest.iter().map(Value::to_string).collect();
    for other in [
        serde_json::to_string_pretty(&rest).unwrap(),
        serde_json::to_string(&rest).unwrap(),
        format!("[\n{}\n]\n", compact.join(",\n")),
        serde_json::to_string_pretty(
            &json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": rest}),
        )
        .unwrap(),
    ] {
        for text in [format!("{first}{other}"), format!("{other}\n{first}"), format!("klog\n{other}\nklog \n{first}")] {
            let (rows, rejects) = read(text.as_bytes());
            assert!(rows.iter().all(|row| row["salvaged"] == Value::Null), "{text}");
            assert_eq!((rows.len(), rejects.len()), (8, text.matches("klog").count()), "{rejects:?} {text}");
        }
    }
}

/// One torn record in a log of many does not take the others with it, wherever it is torn and however they are written.
#[test]
fn one_torn_document_does_not_swallow_the_whole_ones_behind_it() {
    let (rows, rejects) = file("c62_pretty_torn.json");
    assert_eq!((rows.len(), rejects.len()), (49, 1), "{rejects:?}");
    assert!(rows.iter().all(|row| row["salvaged"] == Value::Null));
    let lines = std::fs::read_to_string(folder().join("00-plain.log")).unwrap();
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let documents: Vec<String> = events.iter().map(|event| serde_json::to_string_pretty(event).unwrap()).collect();
    let torn = &documents[5];
    for end in (3..torn.len() - 2).filter(|end| torn.is_char_boundary(*end)) {
        let mut damaged = documents.clone();
        damaged[5] = torn[..end].to_owned();
        let (rows, _) = read(damaged.join("\n").as_bytes());
        let ids: Vec<&Value> = rows.iter().map(|row| &row["stage_time"]).collect();
        assert_eq!(ids.len(), 7, "torn at {end}: {}", &torn[..end]);
    }
    // The same in a list: what is behind it is found, and says so.
    let list = serde_json::to_string_pretty(&events).unwrap();
    let from = list.find("000000000005").unwrap();
    for cut in [from, from + 40, from + 500, from + 1_000] {
        let next = cut + list[cut..].find("\n  {").unwrap();
        let (rows, _) = read([&list[..cut], &list[next..]].concat().as_bytes());
        let marks = rows.iter().filter(|row| row["salvaged"] != Value::Null).count();
        let all: Vec<_> = rows.iter().map(|row| (&row["audit_id"], &row["salvaged"])).collect();
        assert_eq!((rows.len(), marks), (7, 7), "{cut}: {all:?}");
    }
}

#[test]
fn what_google_split_is_one_event_or_says_that_it_is_a_part() {
    let (rows, rejects) = file("09-gke/split.json");
    assert_eq!((rows.len(), rejects), (1, Vec::new()));
    let body: Value = serde_json::from_str(rows[0]["request_object"].as_str().unwrap()).unwrap();
    assert_eq!((&body["roleRef"]["name"], &body["subjects"][0]["name"]), (&json!("cluster-admin"), &json!("mallory")));
    assert_eq!((&rows[0]["salvaged"], &rows[0]["user_name"]), (&Value::Null, &json!("bob")));
    let list = std::fs::read_to_string(folder().join("09-gke/split.json")).unwrap();
    let list: Vec<Value> = serde_json::from_str(&list).unwrap();
    // Parts in lines of their own.
    assert_eq!(read(format!("{}\n{}\n", list[1], list[0]).as_bytes()).0[0]["salvaged"], Value::Null);
    for (line, mark) in [(0, Some("split-part")), (1, None)] {
        let (rows, rejects) = read(format!("{}\n", list[line]).as_bytes());
        assert_eq!(
            rows.iter().map(|row| row["salvaged"].as_str()).collect::<Vec<_>>(),
            mark.map(Some).into_iter().collect::<Vec<_>>()
        );
        assert!(mark.is_some() || rejects[0].contains("part 2 of 2 of event `f1e1d000-"), "{rejects:?}");
    }
    let (rows, _) = file("09-gke/principalSubject.json");
    let principal = "principal://iam.googleapis.com/locations/global/workforcePools/corp/subject/bob@example.test";
    assert_eq!(rows[0]["user_name"], json!(principal));
}

/// As a spreadsheet or a browser writes times for people, in an event and in what a collector adds.
#[test]
fn a_day_that_could_be_a_month_is_said_to_be_assumed() {
    let event = |received: &str, own: &str| {
        let mut event = json!({
            "level": "Metadata", "auditID": "a", "stage": "ResponseComplete", "verb": "get", "user": {"username": "bob"},
            "stageTimestamp": "2026-05-04T01:02:03.000000Z",
        });
        let name = if received.is_empty() { "@timestamp" } else { "requestReceivedTimestamp" };
        event[name] = json!([received, own].concat());
        let text = event.to_string();
        let event = kforensic_event::Event::decode(&text).unwrap();
        let assumed: Vec<String> = event.assumed.unwrap_or_default().iter().map(ToString::to_string).collect();
        (event.event_time.map(kforensic_event::time::render).unwrap_or_default(), assumed.join(" "))
    };
    let at = |text: &str, assumed: &str| (text.to_owned(), assumed.to_owned());
    assert_eq!(event("5/4/2026, 1:02:03 AM", ""), at("2026-05-04T01:02:03.000000Z", "zone day"));
    assert_eq!(event("5/4/2026 1:02 am", ""), at("2026-04-05T01:02:00.000000Z", "zone day"));
    assert_eq!(event("21/11/2026 20:37", ""), at("2026-11-21T20:37:00.000000Z", "zone"));
    assert_eq!(event("", "4/5/2026 1:02"), at("2026-05-04T01:02:00.000000Z", "zone day event_time"));
}

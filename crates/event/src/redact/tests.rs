//! What is a secret value and what is not, in every place where one can stand.

use super::*;

fn redactor() -> Redactor {
    Redactor::new(&[7; KEY_BYTES])
}

/// A body of a request about `resource`, redacted; and how many values were replaced.
fn body(resource: &str, body: &str) -> (String, u32) {
    let text = format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","stage":"ResponseComplete","verb":"patch","user":{{}},"objectRef":{{"resource":"{resource}","apiVersion":"v1"}},"requestObject":{body},"requestReceivedTimestamp":"2026-11-21T20:37:37.466895Z","stageTimestamp":"2026-11-21T20:37:37.467000Z"}}"#
    );
    let mut event = Event::decode(&text).unwrap();
    let values = redactor().event(&mut event);
    (event.request_object.unwrap().into_owned(), values)
}

/// A text with every `<value>` replaced by what stands for it in the case.
fn expected(text: &str) -> String {
    let mut out = String::new();
    for (number, part) in text.split(['<', '>']).enumerate() {
        match number % 2 {
            0 => out.push_str(part),
            _ => out.push_str(&redactor().value(part.as_bytes())),
        }
    }
    out
}

/// Redacts a body whose secret values stand between `<` and `>`.
fn check(resource: &str, marked: &str) {
    let (redacted, values) = body(resource, &marked.replace(['<', '>'], ""));
    assert_eq!(redacted, expected(marked), "{resource}");
    assert_eq!(values as usize, marked.matches('<').count(), "{marked}");
}

#[test]
fn data_of_a_secret_wherever_it_stands() {
    for marked in [
        r#"{"kind":"Secret","apiVersion":"v1","metadata":{"name":"s"},"data":{"a":"<cGFzcw==>","b":"<>"},"type":"Opaque"}"#,
        r#"{"apiVersion":"v1","data":{"a":"<cGFzcw==>"},"kind":"Secret","stringData":{"b":"<x y>"}}"#,
        r#"{"kind":"SecretList","apiVersion":"v1","items":[{"metadata":{"name":"s"},"data":{"a":"<cGFzcw==>"}},{"data":null}]}"#,
        r#"{"items":[{"data":{"a":"<cGFzcw==>"}}],"kind":"SecretList"}"#,
        r#"{"kind":"Table","rows":[{"cells":["s","Opaque",1],"object":{"kind":"Secret","data":{"a":"<hidden>"}}}]}"#,
        r#"{"kind":"Job","spec":{"args":[{"kind":"Secret","data":{"deep":{"deeper":["<hidden>"]}}}]}}"#,
    ] {
        check("secrets", marked);
        check("pods", marked);
    }
    check(
        "pods",
        r#"{"kind":"List","items":[{"kind":"ConfigMap","data":{"a":"b"}},{"kind":"Secret","data":{"a":"<c>"}}]}"#,
    );
    check("secrets", r#"{"data":{"a":"<cGFzcw==>","gone":null,"$patch":"<merge>"},"metadata":{"labels":{"x":"y"}}}"#);
    check("secrets", r#"{"stringData":{"a":"<hunter2>"}}"#);
    assert_eq!(body("secrets", r#"{"data":{"pin":1234}}"#).0, expected(r#"{"data":{"pin":"<1234>"}}"#));
}

/// Such a body stands in the event twice: with and without the types of its numbers.
#[test]
fn secrets_in_what_mongodb_wrote() {
    let text = r#"{"_id":{"$oid":"65a000000000000000000001"},"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","stage":"ResponseComplete","verb":"create","user":{},"objectRef":{"resource":"secrets","apiVersion":"v1"},"requestObject":{"kind":"Secret","metadata":{"generation":{"$numberInt":"1"}},"stringData":{"p":"hunter2","pin":{"$numberInt":"987654"}}},"requestReceivedTimestamp":"2026-11-21T20:37:37.466895Z","stageTimestamp":"2026-11-21T20:37:37.467000Z"}"#;
    let mut event = Event::decode(text).unwrap();
    assert_eq!(redactor().event(&mut event), 4);
    let marked = r#"{"kind":"Secret","metadata":{"generation":1},"stringData":{"p":"<hunter2>","pin":"<987654>"}}"#;
    assert_eq!(event.request_object.unwrap(), expected(marked));
    let other = event.other.unwrap();
    assert!(other.contains("generation") && !other.contains("hunter2") && !other.contains("987654"), "{other}");
}

/// Such a body stands in the event twice: with the dots of its keys, and as a collector left it.
#[test]
fn secrets_in_what_lost_the_dots_of_its_keys() {
    let manifest = r#"{\"kind\":\"Secret\",\"data\":{\"p\":\"hunter2\"}}"#;
    let annotations = |value: &str| {
        format!(r#""metadata":{{"annotations":{{"kubectl_kubernetes_io/last-applied-configuration":"{value}"}}}}"#)
    };
    let packed = "H4sIAAAAAAAAA6tWSkxJKUotLlayUirOLEpVqgUAv0Zx4BQAAAA=";
    for (resource, body) in [
        ("secrets", format!(r#"{{"kind":"Secret",{},"data":{{"p":"hunter2"}},"stringData":{{"pin":987654}}}}"#, annotations(manifest))),
        ("secrets", format!(r#"{{{},"data":{{"p":"hunter2"}}}}"#, annotations("hunter2"))),
        ("secrets", r#"[{"op":"add","path":"/data/p","value":{"x_y/z":"hunter2"}}]"#.to_owned()),
        ("configmaps", format!(r#"{{"kind":"List","items":[{{"kind":"Secret",{}}}]}}"#, annotations(manifest))),
        ("pods", format!(r#"{{"kind":"Pod",{}}}"#, annotations(r#"{\"env\":[{\"name\":\"DB_PASSWORD\",\"value\":\"hunter2\"}]}"#))),
        ("pods", r#"{"kind":"Pod","metadata":{"labels":{"a_b/c":"d"}},"spec":{"containers":[{"env":[{"name":"DB_PASSWORD","value":"hunter2"}]}]}}"#.to_owned()),
        ("configmaps", r#"{"kind":"ConfigMap","metadata":{"annotations":{"example_com/password":"hunter2"}}}"#.to_owned()),
        ("configmaps", format!(r#"{{"kind":"ConfigMap","metadata":{{"annotations":{{"objectset_rio_cattle_io/applied":"{packed}hunter2"}}}}}}"#)),
        ("serviceaccounts", r#"{"kind":"TokenRequest","metadata":{"labels":{"a_b/c":"d"}},"status":{"token":"hunter2"}}"#.to_owned()),
    ] {
        for member in ["requestObject", "responseObject"] {
            let text = format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"a","stage":"ResponseComplete","verb":"create","user":{{}},"objectRef":{{"resource":"{resource}","apiVersion":"v1"}},"{member}":{body},"requestReceivedTimestamp":"2026-11-21T20:37:37.466895Z","stageTimestamp":"2026-11-21T20:37:37.467000Z","annotations":{{"authorization_k8s_io/decision":"allow"}}}}"#
            );
            let mut event = Event::decode(&text).unwrap();
            let values = redactor().event(&mut event);
            let (told, kept) = (event.request_object.or(event.response_object).unwrap(), event.other.unwrap());
            assert!(told.contains("redacted:") && kept.contains("redacted:") && values >= 2, "{told} {kept}");
            assert!(kept.contains(&format!("\"{member}\"")), "{kept}");
            for left in ["hunter2", "987654"] {
                assert!(!told.contains(left) && !kept.contains(left), "{told} {kept}");
            }
        }
    }
}

#[test]
fn what_is_no_secret_stays_as_it_is() {
    for text in [
        r#"{"kind":"ConfigMap","data":{"a":"b","token":"c"}}"#,
        r#"{"data":{"a":"b"}}"#,
        r#"[{"op":"add","path":"/data/a","value":"b"}]"#,
        r#"{"kind":"Pod","spec":{"volumes":[{"secret":{"secretName":"s"}}],"containers":[{"env":[{"name":"a","value":"b"}]}]}}"#,
        r#"{"kind":"DeleteOptions","note":"Bearer authentication is not supported","preconditions":{"uid":"x"}}"#,
        r#"{"kind":"ConfigMap","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"kind\":\"ConfigMap\"}"}}}"#,
    ] {
        check("configmaps", text);
    }
    check("secrets", r#"{"kind":"Status","status":"Failure","message":"secrets \"x\" not found","code":404}"#);
}

#[test]
fn patches_of_secrets() {
    check(
        "secrets",
        r#"[{"op":"replace","path":"/data/a","value":"<cGFzcw==>"},{"op":"add","path":"/metadata/labels/x","value":"y"}]"#,
    );
    check("secrets", r#"[{"value":{"a":"<b>","c":"<d>"},"op":"add","path":"/stringData"}]"#);
    check("secrets", r#"[{"op":"test","path":"/data","value":{"a":"<b>"}},{"op":"remove","path":"/data/a"}]"#);
    check("secrets", r#"[{"op":"replace","path":"","value":{"metadata":{"name":"s"},"data":{"a":"<b>"}}}]"#);
    check(
        "secrets",
        r#"[{"op":"add","path":"/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration","value":"<all of it>"}]"#,
    );
}

#[test]
fn the_manifest_in_an_annotation_as_a_whole() {
    let manifest = r#"{\"kind\":\"Secret\",\"stringData\":{\"a\":\"hunter2\"}}"#;
    let object = |kind: &str| {
        format!(
            r#"{{"kind":"{kind}","metadata":{{"annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"{manifest}","x":"y"}}}}}}"#
        )
    };
    let value = redactor().value(manifest.replace('\\', "").as_bytes());
    for (resource, kind) in [("secrets", "Secret"), ("secrets", "PartialObjectMetadata"), ("pods", "List")] {
        let (redacted, values) = body(resource, &object(kind));
        assert_eq!(redacted, object(kind).replace(manifest, &value), "{kind}");
        assert_eq!(values, 1);
    }
}

#[test]
fn json_in_a_string() {
    let inner = r#"{"kind":"Secret","data":{"a":"hunter2"}}"#;
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let twice = |text: &str| format!(r#"{{"note":{}}}"#, quoted(&format!(r#"{{"inner":{}}}"#, quoted(text))));
    for resource in ["pods", "secrets"] {
        let (redacted, values) = body(resource, &twice(inner));
        assert_eq!(redacted, twice(&inner.replace("hunter2", &redactor().value(b"hunter2"))));
        assert_eq!(values, 1);
    }
}

#[test]
fn tokens_that_the_server_hands_out() {
    check(
        "tokenreviews",
        r#"{"kind":"TokenReview","spec":{"token":"<abc>","audiences":["x"]},"status":{"user":{"username":"u"}}}"#,
    );
    check(
        "pods",
        r#"{"kind":"TokenRequest","spec":{"audiences":["a"]},"status":{"token":"<abc>","expirationTimestamp":"t"}}"#,
    );
    check("tokenreviews", r#"{"spec":{"token":"<abc>"}}"#);
}

#[test]
fn credentials_in_any_text() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
    for (text, secret) in [
        (format!("/api/v1/pods?access_token={jwt}&watch=true"), jwt),
        ("/proxy?token=hunter2&x=1".to_owned(), "hunter2"),
        (format!("curl {jwt}"), jwt),
        ("/exec?command=curl&command=-H&command=Authorization%3A+Bearer+abc123def456".to_owned(), "abc123def456"),
        ("Authorization: Basic dXNlcjpwYXNz".to_owned(), "dXNlcjpwYXNz"),
        ("invalid bearer 0123456789abcdef".to_owned(), "0123456789abcdef"),
    ] {
        let mut redacted = Cow::Borrowed(text.as_str());
        assert_eq!(redactor().text(&mut redacted), 1, "{text}");
        assert_eq!(redacted, text.replace(secret, &redactor().value(secret.as_bytes())));
    }
    for text in [
        "/api/v1/pods?continue=eyJhbGci&resourceVersion=0&limit=500",
        "invalid bearer token, token lookup failed",
        "the Authorization header is missing",
        "RBAC: allowed by ClusterRoleBinding \"token-cleaner=x\"",
        "eyJ and more.eyJ",
    ] {
        let mut same = Cow::Borrowed(text);
        assert_eq!(redactor().text(&mut same), 0, "{text} became {same}");
    }
}

#[test]
fn arguments_and_variables_that_say_what_they_are() {
    let key = "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUJDQU5BUlkKLS0tLS1FTkQgUFJJVkFURSBLRVktLS0tLQo=";
    let kubeconfig =
        "YXBpVmVyc2lvbjogdjEKa2luZDogQ29uZmlnCnVzZXJzOgotIG5hbWU6IGEKICB1c2VyOgogICAgdG9rZW46IENBTkFSWTEyMwo=";
    for marked in [
        r#"{"spec":{"containers":[{"command":["x","--token","<CANARYz1>","-v"]}]}}"#.to_owned(),
        r#"{"args":["--db-password", "<correct horse>"],"x":["--token","--verbose"]}"#.to_owned(),
        r#"{"args":["sh","-c","login --password <CANARYz1> --user bob; get --token --raw"]}"#.to_owned(),
        r#"{"data":{"pod.yaml":"args:\n- --token\n- <CANARYz1>\n- --v=2"}}"#.to_owned(),
        r#"{"env":[{"name":"DB_PASS","value":"<CANARYz>"},{"name":"GITHUB_PAT","value":"<CANARYz>"}]}"#.to_owned(),
        r#"{"env":[{"name":"SECRET_KEY_BASE","value":"<CANARYz>"},{"name":"LD_PATH","value":"/usr/lib64"}]}"#.to_owned(),
        r#"{"env":[{"name":"AWS_CREDENTIALS","value":"<CANARYz>"},{"name":"GOOGLE_APPLICATION_CREDENTIALS","value":"/var/key.json"}]}"#.to_owned(),
        r#"{"args":["sh","-c","export APP_CREDS=<CANARYz1>; X_CREDENTIALS=<CANARYz2> run"]}"#.to_owned(),
        r#"{"httpGet":{"httpHeaders":[{"name":"Authorization","value":"<Basic CANARYz>"},{"name":"X-Api-Key","value":"<CANARYz>"}]}}"#.to_owned(),
        format!(r#"{{"binaryData":{{"tls.key":"<{key}>","kubeconfig":"<{kubeconfig}>","ca":"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSQ=="}}}}"#),
    ] {
        check("pods", &marked);
        assert!(redactor().may_hold_secret(marked.replace(['<', '>'], "").as_bytes()));
    }
}

#[test]
fn a_body_that_an_old_server_quotes_in_its_message() {
    let text = r#"{"level":"Request","auditID":"a","user":{},"objectRef":{"resource":"secrets"},"responseStatus":{"metadata":{},"message":"error found in #10 byte of ...|\"p\":1},\"kind\"|..., bigger context ...|\"data\":{\"p\":\"hunter2\"}|...","code":400},"stageTimestamp":"2026-11-21T20:37:37Z"}"#;
    let mut event = Event::decode(text).unwrap();
    assert!(redactor().event(&mut event) >= 1);
    let message = event.status.message.unwrap();
    assert!(
        message.starts_with("error found in #10 byte of ...|redacted:") && !message.contains("hunter2"),
        "{message}"
    );
}

#[test]
fn what_a_server_quotes_in_its_message_is_replaced_whatever_quotation_marks_are_in_it() {
    for message in [
        r#"The request is invalid: patch: Invalid value: "{\"stringData\":{\"pw\":\"CANARYzQ9\"}}": strict decoding error"#,
        r#"Invalid value: "\"CANARYzQ9\" is \"CANARYzQ9": must be a word"#,
        r#"Secret "a" is invalid: [data[x]: Invalid value: CANARYzQ9, type: Unsupported value: "CANARYzQ9"]"#,
        r#"Secret "a" is invalid: type: Invalid value: 5: a, stringData.x: Duplicate value: {"CANARYzQ9":"CANARYzQ9"}"#,
        r#"data[a]: Invalid value: "C:\\": a; data[b]: Invalid value: "a\\\",\"CANARYzQ9": b"#,
        r#"error found in #10 byte of ...|":"Secret"},|..., bigger context ...|{"apiVersion":"v1","data":{"pw":"CANARYzQ9"}},|..."#,
        r#"error found in #10 byte of ...|v1","data":{|..., bigger context ...|v1","data":{"pw":"CANARYzQ9"}},|..."#,
    ] {
        let event = serde_json::json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": "a", "user": {},
            "objectRef": {"resource": "secrets"}, "responseStatus": {"metadata": {}, "message": message, "code": 400},
            "stageTimestamp": "2026-11-21T20:37:37Z", "annotations": {"kept": "b"},
        });
        let text = event.to_string();
        let mut event = Event::decode(&text).unwrap();
        redactor().event(&mut event);
        let told = event.status.message.unwrap();
        assert!(!told.contains("CANARYzQ9"), "{told}");
        // What follows is not taken for a part of it.
        let end = message.rsplit_once("\": ").map_or("|...", |(_, end)| end);
        assert!(told.ends_with(end) || message.starts_with("Secret"), "{told}");
        // The same where the record is a reject, and in a record that another one quotes.
        let torn = &text[..text.len() - 1];
        for record in [torn.to_owned(), serde_json::json!({"log": torn}).to_string()] {
            let told = reject(&record);
            assert!(!told.contains("CANARYzQ9"), "{record} became {told}");
            assert!(told.contains("stageTimestamp") && told.contains("kept"), "{record} became {told}");
        }
    }
}

#[test]
fn what_has_no_column_is_searched_too() {
    let text = r#"{"level":"Request","auditID":"a","user":{},"stage":"x","stage":"y","objectRef":{"resource":"secrets"},"requestObject":{"data":{"a":"hunter2"}},"stageTimestamp":"2026-11-21T20:37:37Z"}"#;
    let mut event = Event::decode(text).unwrap();
    assert_eq!(redactor().event(&mut event), 2, "in its column, and in the whole event that `other` holds");
    assert!(!event.other.unwrap().contains("hunter2"));
}

/// A rejected record, redacted.
fn reject(record: &str) -> String {
    let (redacted, values) = redactor().reject(record.as_bytes());
    assert_eq!(values > 0, redacted != record.as_bytes());
    String::from_utf8(redacted.into_owned()).unwrap()
}

#[test]
fn torn_records_lose_their_secrets_wherever_they_are_torn() {
    let event = r#"{"kind":"Event","level":"Request","auditID":"a","user":{},"objectRef":{"resource":"secrets"},"requestObject":{"data":{"a":"hunter2hunter2"},"kind":"Secret"},"responseObject":{"kind":"Secret","stringData":{"b":"correct horse"}}}"#;
    let quoted = serde_json::to_string(event).unwrap();
    let lines = [
        event.to_owned(),
        format!("2026-11-21T20:37:37Z stdout F {event}"),
        format!(r#"{{"log":{quoted},"stream":"stdout","time":"t"}}"#),
        format!(r#"{{"x":{}}}"#, serde_json::to_string(&format!(r#"{{"log":{quoted}}}"#)).unwrap()),
    ];
    for line in &lines {
        for cut in (0..line.len()).filter(|cut| line.is_char_boundary(*cut)) {
            for part in [&line[..cut], &line[cut..]] {
                let redacted = reject(part);
                for secret in ["hunter2hunter2", "correct horse"] {
                    assert!(!redacted.contains(secret), "{part}\n{redacted}");
                }
            }
        }
    }
    let kept = reject(&event[..event.len() - 20]);
    assert!(kept.contains(r#""auditID":"a""#) && kept.contains(r#""kind":"Secret""#), "{kept}");
}

#[test]
fn packed_text_that_could_not_be_read_is_not_kept() {
    let packed = "H4sIAAAAAAAAA6tWSs7PS0nVUUrMS1GyUlAqSS0uUdJRUMpIzUxPLVKyUgIAj1xQ3SMAAAA=";
    let record = format!(r#"{{"awslogs":{{"data":"{packed}"}}}}"#);
    assert!(!reject(&record).contains("6tWSs7PS0nVUUrMS1GyUlAqSS0uUdJRUMpIzUxPLVKy"));
    let alone = format!("klog {packed} and more");
    assert_eq!(reject(&alone), alone.replace(packed, &redactor().value(packed.as_bytes())));
}

#[test]
fn a_reject_without_secrets_stays_as_it_is() {
    for record in [
        "I1121 20:37:37.466895       1 trace.go:205] \"Update\" url:/api/v1/nodes,verb:PATCH (total time: 512ms):",
        r#"{"kind":"Event","level":"Metadata","auditID":"a","user":{"username":"u"},"verb":"get","objectRef":{"reso"#,
        r#"{"kind":"ConfigMap","data":{"a":"b"}}"#,
        "W0101 token=x \"unbalanced",
        "",
        "\u{0}\u{0}\u{0}{\"kind\":\"Ev",
    ] {
        assert_eq!(reject(record), record);
    }
}

#[test]
fn no_input_takes_long_or_overflows_the_stack() {
    let deep = format!("{}\"x\"{}", r#"{"kind":"X","data":"#.repeat(200_000), "}".repeat(200_000));
    assert!(redactor().reject(deep.as_bytes()).1 <= 1);
    let wide = format!("[{}]", r#"{"path":"/x","value":{"data":"s","token":1}},"#.repeat(100_000));
    redactor().reject(wide.as_bytes());
    let quotes = "\\\"".repeat(500_000);
    redactor().reject(format!("{{\"a\":\"{quotes}\"}}").as_bytes());
    redactor().reject("\"\\".repeat(500_000).as_bytes());
}

/// What stands in a line of the corpus for a secret value: `NNNhunterMARK`, as it is or as base64.
fn marks(number: &str) -> [String; 2] {
    use base64::Engine;
    let mark = format!("{number}hunterMARK");
    let packed = base64::engine::general_purpose::STANDARD.encode(&mark);
    [mark, packed]
}

/// Lines of the corpus whose mark is no secret: a certificate signing request is public, and `data` in an object that calls
/// itself an Event may be anything.
const PUBLIC: [&str; 2] = ["097", "102"];

#[test]
fn no_mark_of_the_corpus_is_left() {
    use base64::Engine;
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let corpus = std::fs::read_to_string(format!("{folder}/../../tests/logs/redaction/red_events.jsonl"));
    let mut left = Vec::new();
    for (number, line) in corpus.unwrap().lines().enumerate() {
        let number = format!("{:03}", number + 1);
        if PUBLIC.contains(&number.as_str()) {
            continue;
        }
        let login = base64::engine::general_purpose::STANDARD.encode(format!("u:{number}hunterMARK"));
        let mut event = Event::decode(line).unwrap();
        assert!(redactor().may_hold_secret(line.as_bytes()), "{line}");
        redactor().event(&mut event);
        let told = format!("{event:?}");
        let as_reject = reject(&format!("torn {line}"));
        for mark in marks(&number).iter().chain([&login]) {
            if told.contains(mark.as_str()) {
                left.push(format!("event {number}"));
            }
            // In a record that is torn nobody knows what a table is about.
            if number != "006" && as_reject.contains(mark.as_str()) {
                left.push(format!("reject {number}"));
            }
        }
    }
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn the_middle_of_a_split_line_is_not_kept() {
    let value = "aGVsbG8gd29ybGQgMTIz".repeat(20);
    let part = format!("2026-11-21T20:37:37.365950123Z stdout P {value}");
    assert!(!reject(&part).contains("aGVsbG8gd29ybGQgMTIz"));
    let words = "2026-11-21T20:37:37.365950123Z stdout P correct horse battery staple";
    assert!(!reject(words).contains("battery"));
    let docker = format!(r#"{{"log":"{value}","stream":"stdout","time":"t"}}"#);
    assert!(!reject(&docker).contains("aGVsbG8gd29ybGQgMTIz"));
    let klog = "2026-11-21T20:37:37.365950123Z stderr F I1121 20:37:37.466895       1 trace.go:205] done";
    assert_eq!(reject(klog), klog);
}

#[test]
fn two_and_four_bytes_a_character_hide_nothing() {
    let secret = r#"{"kind":"Secret","data":{"a":"hunter2hunter2"}}"#;
    for width in [2, 4] {
        let wide: Vec<u8> = secret.bytes().flat_map(|byte| std::iter::once(byte).chain(vec![0; width - 1])).collect();
        let (redacted, values) = redactor().reject(&wide);
        let narrow: Vec<u8> = redacted.iter().copied().filter(|byte| *byte != 0).collect();
        assert!(values > 0 && !String::from_utf8_lossy(&narrow).contains("hunter2"));
    }
    let hole = [b"\0".repeat(500), br#"{"kind":"Ev"#.to_vec()].concat();
    assert_eq!(redactor().reject(&hole).1, 0);
}

#[test]
fn packed_manifests_of_secrets_are_replaced_and_others_stay() {
    use base64::Engine;
    use std::io::Write;
    let pack = |text: &str| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        base64::engine::general_purpose::STANDARD.encode(gzip.finish().unwrap())
    };
    for (text, is_secret) in [
        (r#"{"kind":"Secret","data":{"a":"aHVudGVyMg=="}}"#, true),
        ("apiVersion: v1\nkind: Secret\nstringData:\n  a: hunter2\n", true),
        (r#"{"kind":"ConfigMap","data":{"a":"b"}}"#, false),
    ] {
        let body = format!(
            r#"{{"kind":"Pod","metadata":{{"annotations":{{"objectset.rio.cattle.io/applied":"{}"}}}}}}"#,
            pack(text)
        );
        assert_eq!(self::body("pods", &body).1 > 0, is_secret, "{text}");
    }
}

#[test]
fn a_reference_and_the_name_of_a_secret_are_none() {
    let redactor = Redactor::new(&[7; 32]);
    for text in [
        r#"{"annotations":{"authentication.k8s.io/legacy-token":"system:serviceaccount:kube-system:builder"}}"#,
        r#"{"spec":{"url":"postgres://app:${DB_PASSWORD}@db/x","a":"password=${PASSWORD}","b":"--token=$(TOKEN) x"}}"#,
        r#"{"password":"{{ .Values.password }}","api_key":"${API_KEY}"}"#,
        "/x?password=${PASSWORD}&y=1",
    ] {
        assert_eq!(redactor.reject(text.as_bytes()).1, 0, "{text}");
    }
    for text in [
        r#"{"spec":{"a":"password=${PASSWORD}realsecret"}}"#,
        r#"{"spec":{"a":"password=${PASSWORD:-realsecret}"}}"#,
        r#"{"spec":{"url":"postgres://app:${x}realsecret@db/x"}}"#,
        r#"{"password":"{{ \"realsecret\" }}"}"#,
        r#"{"my.io/legacy-token":"realsecret1"}"#,
        "/x?password=$realsecret&y=1",
    ] {
        let (redacted, values) = redactor.reject(text.as_bytes());
        assert!(values > 0 && !String::from_utf8_lossy(&redacted).contains("realsecret"), "{text}");
    }
}

#[test]
fn a_credential_in_json_ends_with_its_string() {
    let json = r#"{"a?access_token=```iVersion":"v1","b":"x token='y","password":"hunter2hunter2","n":[1]}"#;
    let mut text = Some(Cow::Borrowed(json));
    assert!(redactor().json(&mut text, About::Else) >= 3);
    let text = text.unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((value.as_object().unwrap().len(), &value["n"]), (4, &serde_json::json!([1])), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("iVersion"), "{text}");
}

/// An event at level Request with this body.
fn with_body(body: &str) -> String {
    let event = concat!(
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"1","stage":"ResponseComplete","#,
        r#""verb":"create","requestURI":"/x","user":{},"requestReceivedTimestamp":"2026-11-21T20:18:59.068354Z","#,
    );
    format!(r#"{event}"requestObject":{body}}}"#)
}

#[test]
fn a_body_stays_json_whatever_is_called_a_credential() {
    let redactor = Redactor::new(&[7; 32]);
    for (body, kept, values) in [
        // A number would be replaced by what is no JSON, and all else in the body be read by nobody.
        (r#"{"spec":{"hostPID":true,"password":1234567890123456}}"#, r#""hostPID":true,"password":"redacted:"#, 1),
        (r#"{"access_token":[-12345678.5e10, "x"],"a":1}"#, r#", "x"],"a":1}"#, 1),
        (r#"{"password":true,"api_key":{"x":1},"client_secret":null}"#, r#""client_secret":null}"#, 0),
        // The name ends where the value would begin.
        (r#"{"meta?access_token=":200,"a":"b c d e f g h i j k l m"}"#, r#""a":"b c d e f g h i j k l m"}"#, 0),
        (r#"{"x?token=":"a text of its own","y":1}"#, r#":"a text of its own","y":1}"#, 0),
    ] {
        let line = with_body(body);
        let mut event = Event::decode(&line).unwrap();
        assert_eq!(redactor.event(&mut event), values, "{body}");
        let redacted = event.request_object.as_deref().unwrap();
        assert!(redacted.contains(kept), "{redacted}");
        assert!(serde_json::from_str::<serde_json::Value>(redacted).is_ok(), "{redacted}");
    }
}

#[test]
fn a_password_behind_any_number_of_slashes_is_found_and_foreseen() {
    let redactor = Redactor::new(&[7; 32]);
    for slashes in ["//", "///", "//////", "/\\\\/"] {
        let line = with_body(&format!(r#"{{"url":"postgres:{slashes}app:hunter2@db/x"}}"#));
        assert!(redactor.may_hold_secret(line.as_bytes()), "{line}");
        let mut event = Event::decode(&line).unwrap();
        assert_eq!(redactor.event(&mut event), 1, "{line}");
        assert!(!event.request_object.as_deref().unwrap().contains("hunter2"), "{line}");
    }
}

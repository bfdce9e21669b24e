//! No client can speak as the log: an event that a client planted in what it sends is never an event of the log that
//! carries no mark, whatever happened to the record that it stands in.
//!
//! `tests/logs/planted` holds one example of each kind that was once mistaken; here real events get an event planted in every
//! string and in the bodies, and are then torn, split, wrapped and damaged. `KFORENSIC_PLANTED` sets how many.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod wrap;

use std::path::{Path, PathBuf};

use kforensic_event::shape::Position;
use kforensic_event::{Decoded, Reading};
use serde_json::{Value, json};

fn logs(folder: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/logs").join(folder)
}

/// A record: who and which event, or why it is none; and the mark of an event.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    user: String,
    audit_id: String,
    mark: Option<String>,
    reject: Option<String>,
}

fn decode(log: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    Reading::of(log).decode(log, Position::START, true, &mut |record| {
        found.push(match record.decoded {
            Decoded::Event(event) => Found {
                user: event.user.name.unwrap_or_default().into_owned(),
                audit_id: event.audit_id.unwrap_or_default().into_owned(),
                mark: event.salvaged.map(Into::into),
                reject: None,
            },
            Decoded::Reject(reason) => Found {
                user: String::new(),
                audit_id: String::new(),
                mark: None,
                reject: Some(format!("{reason} {}", String::from_utf8_lossy(record.bytes))),
            },
        });
    });
    found
}

fn is_planted(found: &Found) -> bool {
    found.reject.is_none()
        && (found.user == "innocent-bob" || found.user == "alice" || found.audit_id.starts_with("FAKE"))
}

/// Each file is a kind; what is expected is what the client's own record is, and which events of others are there.
#[test]
fn no_event_of_a_victim_comes_out_of_the_kinds_that_were_once_mistaken() {
    let read = |name: &str| decode(&std::fs::read(logs("planted").join(name)).unwrap());
    let folder = std::fs::read_dir(logs("planted")).unwrap();
    let mut names: Vec<String> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    for name in &names {
        let found = read(name);
        let planted: Vec<&Found> = found.iter().filter(|found| is_planted(found)).collect();
        assert!(planted.is_empty(), "{name}: {planted:?}");
        // The client's own record is there: as an event, or word for word.
        let own = ["evil", "r1", "i1", "real-1", "trace.go", "f1e1d000-0000-4000-8000-000000000005", "079"];
        let is_own = |found: &Found| {
            own.iter().any(|id| {
                found.audit_id.contains(id)
                    || found
                        .reject
                        .as_ref()
                        .is_some_and(|reject| reject.contains(id) || reject.contains("FAKE") || reject.contains("dead"))
            })
        };
        assert!(found.iter().any(is_own), "{name}: {found:?}");
        let others = found.iter().filter(|found| found.audit_id.starts_with("good")).count();
        assert!(others > 0 || !name.starts_with('i') || name.starts_with("i38"), "{name}");
    }
    // What is behind the torn record of a client is not lost.
    for name in [
        "i02_torn_middle_then_newline.log",
        "i04_nul_hole_in_body.log",
        "i05_klog_useragent_plain.log",
        "i08_cri_P_without_rest.log",
        "i11_syslog_torn.log",
    ] {
        let good: Vec<Found> = read(name).into_iter().filter(|found| found.audit_id == "good2").collect();
        assert!(good.len() == 1 && good[0].mark.is_none(), "{name}: {good:?}");
    }
    // Where the collector tells a time, the torn record is an event that says so.
    for name in ["i08_cri_P_without_rest.log", "i11_syslog_torn.log", "fluentbit-16k-forged.jsonl"] {
        let cut = read(name).into_iter().filter(|found| found.mark.as_deref() == Some("cut")).count();
        assert_eq!(cut, 1, "{name}");
    }
    assert_eq!(read("whole.log").iter().filter(|found| found.reject.is_none() && found.mark.is_none()).count(), 4);
}

/// A record, split where a client's event begins and ends in its body, in the wrapper of a console or collector that gives each part a
/// line or an item of its own: whichever part comes first, the part between is no event without a mark.
#[test]
fn a_part_of_a_split_record_is_no_event_of_its_own_whichever_part_comes_first() {
    let mut evil = events().remove(0);
    evil["auditID"] = "evil".into();
    let fake: Value = serde_json::from_str(FAKE).unwrap();
    let [first, other] = ["first", "other"].map(|id| in_order(&evil).replace("evil", id));
    for body in [json!({"x": fake}), json!({"l": [fake, "y"]}), json!([fake, vec![0; 40]])] {
        evil["requestObject"] = body;
        let line = in_order(&evil).replace(&fake.to_string(), FAKE);
        let (before, behind) = line.split_once(FAKE).unwrap();
        for parts in [[before, FAKE, behind], [behind, FAKE, before]] {
            for number in 0.. {
                let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
                let Some(log) = shown(number, &parts) else { break };
                let found = decode(log.as_bytes());
                let planted = found.iter().find(|found| is_planted(found) && found.mark.is_none());
                assert!(planted.is_none(), "{number}: {planted:?} in {log}");
                // What other programs wrote marks no event.
                let others = [
                    first.clone(),
                    r#"{"msg":"done","list":[1,2],"object":{"a":"}"}}"#.to_owned(),
                    "GET / 200, 12 ms".to_owned(),
                    "[pod/a] \"x\" is 1, \"y\" is 2".to_owned(),
                    "}".to_owned(),
                    other.clone(),
                ];
                let log = shown(number, &others).unwrap();
                let found = decode(log.as_bytes());
                assert!(found.iter().any(|found| found.audit_id == "other" && found.mark.is_none()), "{number}: {log}");
            }
        }
    }
}

/// Texts as a console or collector of that number shows them.
fn shown(number: usize, texts: &[String]) -> Option<String> {
    let time = "2026-11-21T20:37:05.000000Z";
    let each = |one: &dyn Fn(&String) -> String| texts.iter().map(|text| one(text) + "\n").collect::<String>();
    let items = |one: &dyn Fn(&String) -> Value| Value::from(texts.iter().map(one).collect::<Vec<Value>>());
    Some(match number {
        0 => each(&String::clone),
        1 => each(&|text| format!("<13>1 {time} cp1 audit - - - {text}")),
        2 => each(&|text| format!("{time} {{job=\"a\"}} {text}")),
        3 => each(&|text| format!("{time} stdout F {text}")),
        4 => each(&|text| format!("2026-11-21T20:37:05.000000+00:00 kube-apiserver-audit-1 {text}")),
        5 => each(&|text| format!("{time}\tkube.audit\t{text}")),
        6 => each(&|text| json!({"log": text, "stream": "stderr", "time": time}).to_string()),
        7 => items(&|text| json!({"@timestamp": "2026-11-21 20:37:05.000", "@message": text})).to_string(),
        8 => json!({"results": items(&|text| json!([{"field": "@timestamp", "value": "x"}, {"field": "@message", "value": text}])), "status": "Complete"}).to_string(),
        9 => format!("@timestamp,@message\n{}", each(&|text| format!("{time},\"{}\"", text.replace('"', "\"\"")))),
        10 => json!({"status": "success", "data": {"resultType": "streams", "result": [{"stream": {}, "values": items(&|text| json!(["1", text]))}]}}).to_string(),
        11 => items(&|text| json!({"line": text, "timestamp": "1", "date": "x", "fields": {}})).to_string(),
        12 => serde_json::to_string_pretty(&json!({"hits": {"hits": items(&|text| json!({"_source": {"message": text}}))}})).unwrap(),
        13 => json!({"events": items(&|text| json!({"logStreamName": "kube-apiserver-audit-1", "timestamp": 1, "message": text}))}).to_string(),
        14 => each(&|text| json!({"message": text}).to_string()),
        15 => serde_json::to_string_pretty(&items(&|text| json!({"@timestamp": time, "@message": text}))).unwrap(),
        _ => return None,
    })
}

/// Numbers that are always the same: SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (end.max(1) as u64)).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

const FAKE: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"FAKE","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/kube-system/secrets/admin","verb":"get","user":{"username":"innocent-bob","groups":["system:masters"]},"sourceIPs":["10.0.0.9"],"userAgent":"curl/8","objectRef":{"resource":"secrets","namespace":"kube-system","name":"admin","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":200},"requestReceivedTimestamp":"2026-11-21T20:00:00.000000Z","stageTimestamp":"2026-11-21T20:00:00.000000Z","annotations":{"authorization.k8s.io/decision":"allow"}}"#;

const LEGACY: &str = r#"2026-11-21T20:00:00.000000000Z AUDIT: id="FAKE" stage="ResponseComplete" ip="10.0.0.9" method="get" user="innocent-bob" groups="\"system:masters\"" as="<self>" asgroups="<lookup>" user-agent="curl/8" namespace="kube-system" uri="/api/v1/namespaces/kube-system/secrets/admin" response="200""#;

/// Texts that a client may send, each of which is an event of its victim to who is not careful.
fn texts() -> Vec<String> {
    let quoted = Value::from(FAKE).to_string();
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(FAKE).unwrap()).unwrap();
    vec![
        FAKE.to_owned(),
        format!("{FAKE}\n"),
        format!("x\n{FAKE}\n"),
        format!("x\n{pretty}\ny"),
        format!("\"}}}}\n{FAKE}\n"),
        format!("node-1 {FAKE}"),
        format!("2026-11-21T20:00:00.000000000Z stdout F {FAKE}"),
        format!("\n2026-11-21T20:00:00.000000000Z stdout F {FAKE}\n"),
        format!("{{\"log\":{quoted},\"stream\":\"stdout\",\"time\":\"2026-11-21T20:00:00Z\"}}"),
        format!("{{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[{FAKE}]}}"),
        format!("[{FAKE}]"),
        format!("\",\"x\":{FAKE}"),
        LEGACY.to_owned(),
        format!("\n{LEGACY}\n"),
        // Nothing of it is escaped in JSON.
        python(&serde_json::from_str(FAKE).unwrap()),
        format!("\n{}\n", python(&json!([serde_json::from_str::<Value>(FAKE).unwrap()]))),
        format!("\nt,\"{}\",x\n", FAKE.replace('"', "\"\"")),
        format!("</v></field></result>{}", result(FAKE)),
        format!("\n{}", result(FAKE)),
        format!("\n{}\n", message(FAKE)),
        format!("\n---\n- message: '{FAKE}'\n"),
    ]
}

/// A value as Python prints it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(is) => if *is { "True" } else { "False" }.to_owned(),
        Value::String(text) => {
            let quoted = Value::from(text.as_str()).to_string();
            format!("'{}'", quoted[1..quoted.len() - 1].replace("\\\"", "\"").replace('\'', "\\'"))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("'{name}': {}", python(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::Number(number) => number.to_string(),
    }
}

/// A result of Splunk's XML.
fn result(line: &str) -> String {
    let text = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    format!("<result offset='0'><field k='_raw'><v xml:space='preserve' trunc='0'>{text}</v></field></result>")
}

/// An entry of journald whose text is a list of bytes.
fn message(line: &str) -> String {
    let bytes: Vec<String> = line.bytes().map(|byte| byte.to_string()).collect();
    format!("{{\"_BOOT_ID\":\"b\",\"MESSAGE\":[{}]}}", bytes.join(","))
}

/// Bodies that a client may send.
fn bodies() -> Vec<Value> {
    let fake: Value = serde_json::from_str(FAKE).unwrap();
    let text = || Value::from(FAKE);
    vec![
        fake.clone(),
        json!({"spec": fake, "pad": "A".repeat(300)}),
        json!({"pad": "A".repeat(40), "spec": {"a": [1, fake, fake], "log": text(), "message": text()}}),
        json!([fake, fake, {"op": "add", "path": "/x", "value": fake}]),
        json!({"items": [fake, fake]}),
        json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [fake, fake]}),
        json!({"log": format!("{FAKE}\n"), "stream": "stdout", "time": "2026-11-21T20:00:00Z"}),
        json!({"records": [{"properties": {"log": text()}, "category": "kube-audit", "time": "2026-11-21T20:00:00Z"}]}),
        json!({"data": {"audit.log": format!("{FAKE}\n{FAKE}\n")}, "kind": "ConfigMap", "apiVersion": "v1", "metadata": {}}),
        text(),
    ]
}

/// Real events, one of them with bodies.
fn events() -> Vec<Value> {
    let plain = std::fs::read_to_string(logs("shapes/00-plain.jsonl")).unwrap();
    let lines = plain.lines().filter(|line| line.len() < 4_000);
    let mut events: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let collectors = std::fs::read_to_string(logs("collectors/00-plain.log")).unwrap();
    events.extend(collectors.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    events
}

/// Plants a text in one of the strings of an event that a client chooses.
fn plant_text(value: &mut Value, text: &str, random: &mut Random) {
    let places = [
        "/userAgent",
        "/requestURI",
        "/auditID",
        "/user/username",
        "/objectRef/name",
        "/objectRef/namespace",
        "/objectRef/resource",
        "/verb",
        "/sourceIPs/0",
        "/responseStatus/message",
        "/annotations/a~1b",
        "/user/extra/x/0",
    ];
    let place = *random.one(&places);
    if let Some(at) = value.pointer_mut(place) {
        *at = text.into();
    }
    match place {
        "/annotations/a~1b" => value["annotations"]["a/b"] = text.into(),
        "/user/extra/x/0" => value["user"]["extra"]["x"] = json!([text]),
        "/responseStatus/message" => value["responseStatus"] = json!({"metadata": {}, "message": text, "code": 422}),
        _ => (),
    }
}

/// One mutation: a log in some wrapper, with a planted event, damaged.
fn planted(random: &mut Random, events: &[Value]) -> Vec<u8> {
    let mut evil = random.one(events).clone();
    evil["auditID"] = "evil".into();
    match random.below(3) {
        0 => {
            let text = random.one(&texts()).clone();
            plant_text(&mut evil, &text, random);
        }
        1 => evil["requestObject"] = random.one(&bodies()).clone(),
        _ => {
            evil["requestObject"] = random.one(&bodies()).clone();
            evil["responseObject"] = random.one(&bodies()).clone();
            let text = random.one(&texts()).clone();
            plant_text(&mut evil, &text, random);
        }
    }
    let mut log: Vec<Value> = (0..random.below(3)).map(|_| random.one(events).clone()).collect();
    let at = random.below(log.len() + 1);
    log.insert(at, evil);
    // Now and then in the order in which a collector sorts members, else in the server's.
    let texts: Vec<String> =
        log.iter().map(|event| if random.below(4) == 0 { event.to_string() } else { in_order(event) }).collect();
    let mut bytes = wrapped(random, &texts, &log).into_bytes();
    for _ in 0..random.below(3) {
        damage(random, &mut bytes);
    }
    bytes
}

/// The event with its members in the order of the server.
fn in_order(event: &Value) -> String {
    const ORDER: [&str; 19] = [
        "kind",
        "apiVersion",
        "level",
        "auditID",
        "stage",
        "requestURI",
        "verb",
        "user",
        "impersonatedUser",
        "authenticationMetadata",
        "sourceIPs",
        "userAgent",
        "objectRef",
        "responseStatus",
        "requestObject",
        "responseObject",
        "requestReceivedTimestamp",
        "stageTimestamp",
        "annotations",
    ];
    let members = ORDER.iter().filter_map(|name| Some(format!("\"{name}\":{}", event.get(*name)?)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// The events as a collector would leave them.
fn wrapped(random: &mut Random, lines: &[String], events: &[Value]) -> String {
    let time = "2026-11-21T20:37:37.365950123Z";
    let each = |one: &dyn Fn(&String) -> String| lines.iter().map(|line| one(line) + "\n").collect::<String>();
    let objects = |one: &dyn Fn(&String) -> Value| lines.iter().map(one).collect::<Vec<Value>>();
    let split = *random.one(&[64_usize, 97, 200, FAKE.len()]);
    match random.below(37 + wrap::WRAPPERS.len() / 2) {
        number @ 37.. => wrap::WRAPPERS[2 * (number - 37) + random.below(2)].1(lines, events),
        0..=2 => each(&Clone::clone),
        3 => events.iter().map(|event| serde_json::to_string_pretty(event).unwrap() + "\n").collect(),
        4 => format!("[{}]\n", lines.join(",")),
        5 => format!("[\n{}\n]\n", lines.join(",\n")),
        6 => serde_json::to_string_pretty(events).unwrap(),
        7 => format!("{{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"metadata\":{{}},\"items\":[{}]}}\n", lines.join(",")),
        8 => each(&|line| json!({"log": format!("{line}\n"), "stream": "stdout", "time": time}).to_string()),
        9 => each(&|line| format!("{time} stdout F {line}")),
        10 => each(&|line| format!("<14>1 {time} cp-1 audit - - - {line}")),
        11 => each(&|line| json!({"@timestamp": time, "log": line, "kubernetes": {"pod_name": "kube-apiserver-1"}}).to_string()),
        12 => json!({"events": objects(&|line| json!({"timestamp": 1_795_293_421_108_i64, "message": line, "ingestionTime": 1}))}).to_string(),
        13 => json!({"records": objects(&|line| json!({"category": "kube-audit", "operationName": "x", "properties": {"log": line}, "time": time}))}).to_string(),
        14 => each(&|line| json!({"result": {"_raw": line, "_time": time, "host": "cp-1"}}).to_string()),
        15 => each(&|line| parts(line, split, &|part, last| format!("{time} stdout {} {part}", if last { "F" } else { "P" }))),
        16 => each(&|line| parts(line, split, &|part, last| {
            json!({"log": if last { format!("{part}\n") } else { part.to_owned() }, "stream": "stdout", "time": time}).to_string()
        })),
        17 => each(&|line| parts(line, split, &|part, _| format!("<14>1 {time} cp-1 audit - - - {part}"))),
        18 => each(&|line| parts(line, split, &|part, _| json!({"@timestamp": time, "log": part, "kubernetes": {}}).to_string())),
        19 => events.iter().map(|event| json!({"kubernetes": {"audit": event}, "@timestamp": time}).to_string() + "\n").collect(),
        20 => format!("time,_raw,host\n{}", each(&|line| format!("{time},\"{}\",cp-1", line.replace('"', "\"\"")))),
        21 => format!("@timestamp\t@message\r\n{}", lines.iter().map(|line| format!("{time}\t\"{}\"\r\n", line.replace('"', "\"\""))).collect::<String>()),
        // Without quotation marks around the cells.
        22 => format!("time\tlog\n{}", each(&|line| format!("{time}\t{line}"))),
        23 => columns(events, random.one::<&str>(&[",", ";", "\t", "|"]), str::to_owned),
        24 => yaml(events),
        25 => json!({"resourceLogs": [{"scopeLogs": [{"logRecords": objects(&|line| json!({"timeUnixNano": "1795293421108114000", "body": {"stringValue": line}}))}]}]}).to_string(),
        26 => json!({"resourceLogs": [{"scopeLogs": [{"logRecords": events.iter().map(|event| json!({"body": kvlist(event)})).collect::<Vec<_>>()}]}]}).to_string(),
        27 => json!({"status": "success", "data": {"resultType": "streams", "result": [{"stream": {"job": "audit"}, "values": objects(&|line| json!(["1795293421108114000", line]))}]}}).to_string(),
        28 => events.iter().map(|event| gke(event).to_string() + "\n").collect(),
        29 => Value::from(events.iter().map(pascal).collect::<Vec<_>>()).to_string(),
        31 => events.iter().map(|event| python(event) + "\n").collect(),
        32 => python(&Value::from(events.to_vec())),
        33 => format!("<?xml version='1.0'?>\n<results preview='0'>\n{}</results>\n", each(&|line| result(line))),
        34 => each(&|line| message(line)),
        // Split without a word, and written to a file again.
        35 => each(&|line| parts(line, split, &|part, _| part.to_owned())),
        30 => columns(events, ",", |name| name[..1].to_uppercase() + &name[1..]),
        _ => each(&|line| format!("{time} {line}")),
    }
}

/// The members of events as columns, objects as JSON in their cells.
fn columns(events: &[Value], delimiter: &str, name: impl Fn(&str) -> String) -> String {
    const NAMES: [&str; 12] = [
        "level",
        "auditID",
        "stage",
        "requestURI",
        "verb",
        "user",
        "sourceIPs",
        "userAgent",
        "objectRef",
        "requestObject",
        "requestReceivedTimestamp",
        "stageTimestamp",
    ];
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let quoted = |text: String| format!("\"{}\"", text.replace('"', "\"\""));
    let header: Vec<String> = NAMES.iter().map(|column| name(column)).collect();
    let rows = events.iter().map(|event| NAMES.map(|column| quoted(cell(&event[column]))).join(delimiter) + "\n");
    header.join(delimiter) + "\n" + &rows.collect::<String>()
}

/// As Log Analytics has it: names with a capital, objects as text.
fn pascal(event: &Value) -> Value {
    let text =
        |value: &Value| if value.is_string() || value.is_null() { value.clone() } else { value.to_string().into() };
    let members = event.as_object().unwrap().iter();
    members
        .map(|(name, value)| (name[..1].to_uppercase() + &name[1..], text(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A list of documents in YAML, texts as blocks where they have several lines.
fn yaml(events: &[Value]) -> String {
    fn value(out: &mut String, told: &Value, indent: usize) {
        let blank = " ".repeat(indent);
        match told {
            Value::Object(members) if !members.is_empty() => {
                for (name, inner) in members {
                    *out += &format!("\n{blank}{}:", Value::from(name.as_str()));
                    value(out, inner, indent + 2);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    *out += &format!("\n{blank}-");
                    value(out, item, indent + 2);
                }
            }
            Value::String(text) if text.contains('\n') && !text.starts_with(['\n', ' ']) && !text.ends_with('\n') => {
                *out += " |-";
                text.lines().for_each(|line| *out += &format!("\n{blank}{line}"));
            }
            other => *out += &format!(" {other}"),
        }
    }
    let mut out = String::new();
    for event in events {
        out += "---";
        value(&mut out, event, 0);
        out += "\n";
    }
    out
}

/// A value as OpenTelemetry writes structured bodies.
fn kvlist(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let values: Vec<Value> =
                members.iter().map(|(key, value)| json!({"key": key, "value": kvlist(value)})).collect();
            json!({"kvlistValue": {"values": values}})
        }
        Value::Array(items) => json!({"arrayValue": {"values": items.iter().map(kvlist).collect::<Vec<_>>()}}),
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(bool) => json!({"boolValue": bool}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
        Value::Null => json!({}),
    }
}

/// An entry of Cloud Audit Logs.
fn gke(event: &Value) -> Value {
    json!({
        "insertId": event["auditID"], "timestamp": event["requestReceivedTimestamp"], "labels": event["annotations"],
        "operation": {"id": event["auditID"]},
        "protoPayload": {
            "serviceName": "k8s.io", "methodName": "io.k8s.core.v1.configmaps.update",
            "resourceName": "core/v1/namespaces/default/configmaps/x",
            "authenticationInfo": {"principalEmail": event["user"]["username"]},
            "requestMetadata": {"callerIp": "10.0.0.1", "callerSuppliedUserAgent": event["userAgent"]},
            "request": event["requestObject"], "response": event["responseObject"],
        },
    })
}

/// A line in parts, where a client that knows the length of parts would have it: one of them is exactly its event.
fn parts(line: &str, length: usize, one: &dyn Fn(&str, bool) -> String) -> String {
    let fake = python(&serde_json::from_str(FAKE).unwrap());
    let (planted, fake) = line.find(&fake).map_or((line.find(FAKE).unwrap_or(0), FAKE), |at| (at, fake.as_str()));
    let mut cuts: Vec<usize> =
        (1..).map(|number| planted % length + number * length).take_while(|cut| *cut < line.len()).collect();
    cuts.push(planted);
    cuts.push(planted + fake.len());
    cuts.extend([0, line.len()]);
    cuts.retain(|cut| *cut <= line.len() && line.is_char_boundary(*cut));
    cuts.sort_unstable();
    cuts.dedup();
    let parts: Vec<String> = cuts.windows(2).map(|ends| one(&line[ends[0]..ends[1]], ends[1] == line.len())).collect();
    parts.join("\n")
}

fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(900)).min(bytes.len());
    // A tear at a client's event, which is the worst place for one.
    let planted: Vec<usize> = memchr::memmem::find_iter(bytes, b"{\"kind\":\"Event\"").collect();
    let edge = if planted.is_empty() { at } else { *random.one(&planted) };
    match random.below(9) {
        0 => bytes.truncate(at),
        1 => bytes.truncate(edge),
        2 => _ = bytes.drain(..at),
        3 => _ = bytes.drain(at..end),
        4 => bytes[at..end].fill(0),
        5 => _ = bytes.splice(at..at, *b"\n"),
        6 => _ = bytes.splice(at..at, vec![0; 40]),
        7 => {
            // A word that is no JSON, as some write numbers.
            let number = memchr::memmem::find(bytes, b"\"code\":").map_or(at, |code| code + 7);
            bytes.splice(number..number, *b"NaN");
        }
        _ => bytes.truncate((edge + FAKE.len()).min(bytes.len())),
    }
}

/// Mutations in the suite; a hundred thousand take about a minute.
const MUTATIONS: usize = 4_000;

#[test]
fn a_planted_event_is_never_an_unmarked_event_whatever_happens_to_the_log() {
    let events = events();
    let mut random = Random(0);
    let asked = std::env::var("KFORENSIC_PLANTED").ok().and_then(|number| number.parse().ok());
    let (mut marked, mut own) = (0, 0);
    for number in 0..asked.unwrap_or(MUTATIONS) {
        let log = planted(&mut random, &events);
        for found in decode(&log).iter().filter(|found| found.reject.is_none()) {
            let is_fake = found.audit_id == "FAKE" || (found.user == "innocent-bob" && found.audit_id != "evil");
            assert!(
                !is_fake || found.mark.is_some(),
                "mutation {number}: {found:?} in {}",
                String::from_utf8_lossy(&log)
            );
            marked += usize::from(is_fake);
            own += usize::from(found.audit_id == "evil");
        }
    }
    // The client's own record is read most of the time, so the test is not about logs that nobody can read.
    assert!(own * 3 > asked.unwrap_or(MUTATIONS), "{own} own records, {marked} planted ones with a mark");
}

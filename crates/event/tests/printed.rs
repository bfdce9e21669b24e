//! What tools print around the lines of a log, and what shows them: the events are those of the log, column by column, and marked
//! wherever a client could have written the same.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod told;

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kforensic_event::shape::Position;
use kforensic_event::{Decoded, Reading};
use serde_json::{Map, Value, json};

/// An event, and its mark.
type Told = (Map<String, Value>, Option<String>);

/// The events of a source, and the reasons of its rejects.
fn read(text: &str) -> (Vec<Told>, Vec<String>) {
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    Reading::of(text.as_bytes()).decode(text.as_bytes(), Position::START, true, &mut |record| match record.decoded {
        Decoded::Event(event) => {
            let mark = event.salvaged.as_ref().map(ToString::to_string);
            events.push((told::of_the_event(&event), mark));
        }
        Decoded::Reject(reason) => rejects.push(reason.to_string()),
    });
    (events, rejects)
}

fn plain() -> String {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/logs/exports");
    std::fs::read_to_string(folder.join("00-plain.log")).unwrap()
}

/// Each line of the plain log as `write` writes it.
fn lines(write: impl Fn(&str) -> String) -> String {
    plain().lines().map(|line| write(line) + "\n").collect()
}

/// Whether a text holds the events of the plain log, each with the mark; and the rejects.
fn says(text: &str, mark: Option<&str>) -> Vec<String> {
    let (events, rejects) = read(text);
    let expected = read(&plain()).0;
    assert_eq!((events.len(), rejects.first()), (expected.len(), rejects.first()), "{text:.200}");
    for ((event, is), (expected, _)) in events.iter().zip(&expected) {
        assert_eq!(is.as_deref(), mark, "{text:.200}");
        expected.iter().for_each(|(name, value)| assert_eq!(&event[name], value, "{name}: {text:.200}"));
    }
    rejects
}

const UNKNOWN: Option<&str> = Some("unknown-wrapper");

#[test]
fn times_in_front_of_a_line() {
    for before in ["Nov 28 16:46:49", "2026-11-28 16:46:49", "2026-11-28 16:46:49.123456", "00:00:12"] {
        assert_eq!(says(&lines(|line| format!("{before} {line}")), None), Vec::<String>::new());
    }
    for before in [
        "[2026-11-28 16:46:49]",
        "2026-11-20 20:37:04,123 INFO  [audit] -",
        "20:37:04.123 [main] INFO  c.e.AuditSink -",
        "2026-11-20T20:37:04.123Z  INFO 1 --- [app] [nio-8080-exec-1] c.e.audit.Sink  :",
        "2026/11/20 20:37:04",
        "INFO:web:",
    ] {
        assert_eq!(says(&lines(|line| format!("{before} {line}")), UNKNOWN), Vec::<String>::new());
    }
}

#[test]
fn what_fluent_bit_prints() {
    for before in ["[[1795293421.108000000, {}]", "[1795293421.108000000"] {
        let escaped = lines(|line| format!("[0] kube.audit: {before}, {{\"log\"=>{}}}]", json!(line)));
        assert_eq!(says(&escaped, UNKNOWN), Vec::<String>::new());
        let parsed = lines(|line| format!("[0] kube.audit: {before}, {}]", line.replace("\":", "\"=>")));
        let (events, _) = read(&parsed);
        assert_eq!(events.iter().filter(|(_, mark)| mark.as_deref() == UNKNOWN).count(), 8);
    }
}

/// As Docker's `fluentd` driver sends lines: those above 16 KiB in parts.
#[test]
fn parts_of_docker_s_fluentd_driver() {
    let part = |id: usize, parts: &[&[u8]], number: usize| {
        let log = std::str::from_utf8(parts[number]).unwrap();
        let mut record =
            json!({"container_id": "c", "container_name": "/kube-apiserver", "source": "stdout", "log": log});
        if parts.len() > 1 {
            record["partial_message"] = json!("true");
            record["partial_id"] = json!(id.to_string());
            record["partial_ordinal"] = json!((number + 1).to_string());
            record["partial_last"] = json!((number + 1 == parts.len()).to_string());
        }
        format!("{record}\n")
    };
    let mut text = String::new();
    for (id, line) in plain().lines().enumerate() {
        let parts: Vec<&[u8]> = line.as_bytes().chunks(if id == 0 { 10_000 } else { 300 }).collect();
        (0..parts.len()).for_each(|number| text.push_str(&part(id, &parts, number)));
    }
    assert_eq!(says(&text, None), Vec::<String>::new());
}

#[test]
fn qradar_s_columns() {
    for name in ["UTF8(payload)", "payloadAsUTF"] {
        for header in ["", "<134>1 2026-11-21T20:37:37.365950Z cp-1 kube-apiserver 1 audit - "] {
            let cells = lines(|line| format!("1795293421000,\"{}\"", format!("{header}{line}").replace('"', "\"\"")));
            assert_eq!(says(&format!("starttime,{name}\n{cells}"), None), Vec::<String>::new());
        }
    }
}

fn har(content: &Value) -> String {
    let entry =
        json!({"startedDateTime": "t", "request": {"method": "GET", "url": "/"}, "response": {"content": content}});
    json!({"log": {"version": "1.2", "entries": [entry]}}).to_string()
}

#[test]
fn what_a_browser_was_told() {
    let answer = json!({"hits": plain().lines().map(|line| json!({"message": line})).collect::<Vec<_>>()}).to_string();
    for text in [answer, plain()] {
        assert_eq!(says(&har(&json!({"text": text})), UNKNOWN), Vec::<String>::new());
        let packed = har(&json!({"text": STANDARD.encode(&text), "encoding": "base64"}));
        assert_eq!(says(&packed, UNKNOWN), Vec::<String>::new());
    }
    let (events, rejects) = read(&har(&json!({"text": "<html>auditID</html>"})));
    assert!(events.is_empty() && rejects[0].contains("a HAR file"), "{rejects:?}");
    // An object of Kubernetes that somebody looked at.
    let map = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}, "data": {"log": plain()}});
    assert!(read(&har(&json!({"text": map.to_string()}))).0.is_empty());
}

#[test]
fn pages_and_xml() {
    let entities = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let page = format!("<html><body><pre>{}</pre></body></html>", entities(plain().trim_end()));
    assert_eq!(says(&page, UNKNOWN), Vec::<String>::new());
    assert_eq!(says(&entities(&plain()), UNKNOWN), Vec::<String>::new());
    for element in [
        lines(|line| format!("<event><time>1</time><payload><![CDATA[{line}]]></payload></event>")),
        lines(|line| format!("<Event xmlns='x'><EventData><Data>{}</Data></EventData></Event>", entities(line))),
    ] {
        assert_eq!(says(&element, UNKNOWN), Vec::<String>::new());
        let document = format!("<?xml version=\"1.0\"?>\n<events>\n{element}</events>\n");
        assert!(says(&document, UNKNOWN).iter().all(|reason| reason.contains("a line of HTML or XML")));
        let one_line = format!("<?xml version=\"1.0\"?><events>{}</events>", element.replace('\n', ""));
        assert_eq!(says(&one_line, UNKNOWN), Vec::<String>::new());
    }
}

/// As nginx writes variables.
#[test]
fn quotation_marks_as_hexadecimal_numbers() {
    let escaped = |text: &str| text.replace('\\', "\\x5C").replace('"', "\\x22");
    assert_eq!(says(&lines(escaped), UNKNOWN), Vec::<String>::new());
    let member = |line: &str| format!("{{\"time\":\"t\",\"line\":\"{}\"}}", escaped(line));
    assert_eq!(says(&lines(member), UNKNOWN), Vec::<String>::new());
    // A body of a request is what its client sent.
    let body = |line: &str| format!("{{\"time\":\"t\",\"request_body\":\"{}\"}}", escaped(line));
    assert!(read(&lines(body)).0.is_empty());
}

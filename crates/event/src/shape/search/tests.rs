use super::*;
use crate::shape::Decoded;
use crate::shape::nested::holds_event;

const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"@","user":{},"stageTimestamp":"2026-11-21T20:37:37.000000Z"}"#;

fn event(id: &str) -> String {
    EVENT.replace('@', id)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The audit ids of the events of a line, and its rejects with their bytes.
fn found(line: &str) -> (Vec<String>, Vec<String>) {
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    let mut end = 0;
    for piece in Search::of(line, &Tears::default()).pieces().list {
        assert!(piece.at.start >= end, "pieces do not overlap");
        end = piece.at.end;
        piece.decode(&mut |decoded| match decoded {
            Decoded::Event(event) => events.push(event.audit_id.unwrap().into_owned()),
            Decoded::Reject(_) => rejects.push(line[piece.at.clone()].to_owned()),
        });
    }
    (events, rejects)
}

#[test]
fn a_line_that_is_one_string_is_an_event_with_a_mark() {
    let line = quoted(&(event("a") + "\n"));
    let tears = Tears::default();
    let pieces = Search::of(&line, &tears).pieces();
    assert_eq!((found(&line).0, pieces.list[0].mark), (vec!["a".to_owned()], Some(salvage::UNKNOWN_WRAPPER)));
    // Part of something else, or more than an event.
    for line in [format!("{line},"), format!("\"x\",{line}"), quoted(&format!("x {}", event("a")))] {
        assert!(found(&line).0.is_empty(), "{line}");
    }
}

#[test]
fn the_log_of_a_component_adds_no_event_without_a_mark() {
    let (whole, indented) = (quoted(&event("a")), quoted(&format!("\t{}\n", event("a"))));
    let mark = |line: &str| {
        let tears = Tears::default();
        let pieces = Search::of(line, &tears).pieces();
        assert_eq!(found(line).0, ["a"], "{line}");
        pieces.list[0].mark
    };
    for line in [
        format!("{{\"ts\":1.5,\"caller\":\"x.go:1\",\"msg\":{whole},\"v\":0}}"),
        format!("{{\"time\":\"x\",\"category\":\"kube-apiserver\",\"properties\":{{\"log\":{whole}}}}}"),
        format!("{{\"message\":{whole},\"logStreamName\":\"kube-apiserver-0a\"}}"),
        format!("{{\"log\":{indented},\"stream\":\"stderr\"}}"),
        format!("{{\"MESSAGE\":{indented}}}"),
        format!("2026-11-21T20:37:37Z stderr F \t{}", event("a")),
        format!("<14>1 2026-11-21T20:37:37Z cp-1 audit - - - \t{}", event("a")),
        format!("Nov 21 20:37:37 cp-1 audit[1]: \t{}", event("a")),
    ] {
        assert!(mark(&line).is_some(), "{line}");
    }
    for line in [
        format!("{{\"level\":\"info\",\"ts\":1.5,\"caller\":\"x.go:1\",\"msg\":{whole}}}"),
        format!("{{\"time\":\"x\",\"category\":\"kube-audit-admin\",\"properties\":{{\"log\":{whole}}}}}"),
        format!("{{\"message\":{whole},\"logStreamName\":\"kube-apiserver-audit-0a\"}}"),
        format!("2026-11-21T20:37:37Z stdout F {}", event("a")),
    ] {
        assert_eq!(mark(&line), None, "{line}");
    }
}

#[test]
fn wrappers_are_opened() {
    let text = quoted(&(event("a") + "\n"));
    for line in [
        format!("node-1 {}", event("a")),
        format!("2021-07-21T09:46:13.123Z {}", event("a")),
        format!("<14>1 2026-11-21T20:37:37Z cp-1 audit - - [x@1 a=\"{{\"] {}", event("a")),
        format!("2026-11-21T20:37:37Z stdout F {}", event("a")),
        format!("{{\"log\":{text},\"stream\":\"stdout\",\"time\":\"x\"}}"),
        format!(
            "{{\"@timestamp\":\"x\",\"event\":{{\"original\":{text}}},\"kubernetes\":{{\"audit\":{}}}}}",
            event("a")
        ),
        format!("{{\"message\":{text},\"event\":{{\"original\":{text}}}}}"),
        format!("{{\"properties\":{{\"log\":{}}}}}", event("a")),
        format!(
            "{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{{\"body\":{{\"stringValue\":{text}}}}}]}}]}}]}}"
        ),
        format!("{{\"data\":{{\"result\":[{{\"values\":[[\"1795292857\",{text}]]}}]}}}}"),
        format!(
            "{{\"streams\":[{{\"values\":[[\"1795292857466895000\",{text},{{\"structuredMetadata\":{{\"a\":\"b\"}}}}]]}}]}}"
        ),
        format!("[{}]", event("a")),
        format!("{},", event("a")),
    ] {
        let (events, rejects) = found(&line);
        assert_eq!((events, rejects.len()), (vec!["a".to_owned()], 0), "{line}");
        assert_eq!(
            Search::of(&line, &Tears::default()).pieces().list[0].at,
            0..line.len(),
            "the record is the whole line"
        );
    }
}

#[test]
fn members_that_hold_different_events_are_all_records() {
    let (a, b) = (event("a"), event("b"));
    for line in [
        format!("{{\"one\":{a},\"two\":{b}}}"),
        format!("{{\"one\":[{a}],\"two\":[{b}]}}"),
        format!("{{\"one\":{{\"message\":{},\"copy\":{a}}},\"two\":{b}}}", quoted(&a)),
    ] {
        assert_eq!(found(&line), (vec!["a".to_owned(), "b".to_owned()], Vec::new()), "{line}");
    }
}

#[test]
fn items_of_a_list_are_records_and_those_without_an_event_are_rejects() {
    let list = format!("{{\"kind\":\"EventList\",\"items\":[{},{},{{\"auditID\":7}}]}}", event("a"), event("b"));
    assert_eq!(found(&list), (vec!["a".to_owned(), "b".to_owned()], vec!["{\"auditID\":7}".to_owned()]));
    // A record of a cloud that cut its text at 16 KiB.
    let cut = quoted(&event("b")[..60]);
    let records = format!("{{\"records\":[{{\"log\":{}}},{{\"log\":{cut}}}]}}", quoted(&event("a")));
    let (events, rejects) = found(&records);
    assert_eq!((events, rejects), (vec!["a".to_owned()], vec![format!("{{\"log\":{cut}}}")]));
    // Documents without a line end between them.
    let documents = format!("{{\"logEvents\":[{}]}}{{\"logEvents\":[{}]}}", event("a"), event("b"));
    assert_eq!(found(&documents).0.len(), 2);
}

#[test]
fn an_event_that_was_glued_on_is_saved_and_the_rest_kept() {
    let torn = event("a")[..70].to_owned();
    assert_eq!(found(&(torn.clone() + &event("b"))), (vec!["b".to_owned()], vec![torn.clone()]));
    let hole = "\0".repeat(500);
    assert_eq!(found(&(hole.clone() + &event("b"))), (vec!["b".to_owned()], vec![hole]));
    let twice = torn.clone() + &torn;
    assert_eq!(found(&(twice + &event("c"))), (vec!["c".to_owned()], vec![torn.clone(), torn.clone()]));
    assert_eq!(found(&(event("a") + &torn)), (vec!["a".to_owned()], vec![torn]));
}

#[test]
fn what_holds_no_event_is_left_alone() {
    for line in [
        "I0521 klog says \"auditID\"",
        "{\"auditID\":\"a\"}",
        "{\"a\":[1,2]}",
        &event("a")[..100],
        "{\"user\":\"auditID\\\"\"}",
        "[[[[[[[[[[[[[[[[\"auditID\"]]]]]]]]]]]]]]]]",
    ] {
        assert!(!holds_event(line, true), "{line}");
    }
    let deep = format!("{}{}{}", "{\"a\":".repeat(5_000), event("a"), "}".repeat(5_000));
    assert!(!holds_event(&deep, true), "nesting is bounded");
}

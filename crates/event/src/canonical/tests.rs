use super::plan::ORDER;
use super::*;
use crate::cell::Cell;
use crate::columns::{COLUMNS, Part};
use crate::partition::Folders;
use crate::{Event, Row};

const LINE: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/x?a=1\u0026b","verb":"create","user":{"username":"u","groups":["g","h\n"],"extra":{"authentication.kubernetes.io/credential-id":["JTI=1"],"x":[]}},"sourceIPs":["6.6.6.6","10.0.0.1"],"userAgent":"é","objectRef":{"resource":"pods","namespace":"n","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":201},"requestObject":{"a":[1, -2.5e3,null]},"requestReceivedTimestamp":"2026-11-21T20:37:37.325661Z","stageTimestamp":"2026-11-21T20:37:38.000000Z","annotations":{"authorization.k8s.io/decision":"allow","audit.k8s.io/truncated":"true","k":"v"}}"#;

fn origin() -> Origin {
    Origin {
        source_id: "0-0".to_owned(),
        cluster: Some("c".to_owned()),
        host: None,
        mark: None,
        folders: Folders::default(),
    }
}

/// The cells of a line by this module, and by the other way; `None` where this module says no.
fn both(line: &str) -> Option<(Vec<String>, Vec<String>)> {
    let (keyed, origin) = (Keyed::random(), origin());
    let (mut fast, mut slow) = (Rows::new(line.len()), Rows::new(line.len()));
    let position = Position { line: 7, offset: 70 };
    let taken = Canonical::new(&keyed, line.len(), &origin, &mut fast).read(line.as_bytes(), 0, position, &mut fast)?;
    let event = Event::decode(line).unwrap();
    let length = i64::try_from(line.len()).unwrap();
    let row = Row { event: Some(&event), reject: None, redacted: 0, note: None, origin: &origin, position, length };
    slow.push(line.as_bytes(), &row);
    fast.set_piece(line.as_bytes().to_vec());
    slow.set_piece(line.as_bytes().to_vec());
    assert_eq!(taken.time, event.event_time.unwrap());
    assert_eq!(taken.request, keyed.request(event.audit_id.as_deref().unwrap().as_bytes()));
    let show = |rows: &Rows| rows.cells(0).map(|cell: Cell<'_>| format!("{cell:?}")).collect();
    Some((show(&fast), show(&slow)))
}

#[test]
fn a_line_of_the_server_becomes_the_same_row_either_way() {
    let (fast, slow) = both(LINE).unwrap();
    assert_eq!(fast, slow);
}

#[test]
fn every_column_of_the_event_is_in_the_plan() {
    fn count(members: &[Member]) -> usize {
        members
            .iter()
            .map(|member| match &member.value {
                Value::Always(_) => 0,
                Value::Column(..) => 1,
                Value::Object(object) => count(&object.members),
                Value::Map(_, members) => 1 + count(members),
            })
            .sum()
    }
    let named = COLUMNS.iter().filter(|column| column.part == Part::Content && !column.path.is_empty()).count();
    let in_maps = COLUMNS.iter().filter(|column| column.part == Part::Derived && column.path.contains("].")).count()
        + COLUMNS.iter().filter(|column| column.path.contains("[a")).count();
    assert_eq!(count(&PLAN.members), named + in_maps);
    assert_eq!(PLAN.members.len(), ORDER.len());
}

/// Lines of all files below a folder.
fn lines_below(folder: &std::path::Path, each: &mut dyn FnMut(&str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => lines_below(&path, each),
            false => {
                let Ok(text) = String::from_utf8(std::fs::read(path).unwrap()) else { continue };
                text.lines().for_each(&mut *each);
            }
        }
    }
}

#[test]
fn lines_as_collectors_leave_them_become_the_same_rows_either_way() {
    let logs = std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/logs");
    let mut compared = 0;
    for folder in
        ["adversarial", "changes", "collectors", "damage", "exports", "identities", "made", "planted", "shapes"]
    {
        lines_below(&logs.join(folder), &mut |line| {
            if let Some((fast, slow)) = both(line) {
                assert_eq!(fast, slow, "{line}");
                compared += 1;
            }
        });
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn what_is_not_exactly_so_is_left_to_the_other_way() {
    for (from, to) in [
        ("\"verb\":", " \"verb\":"),
        ("\"verb\":\"create\"", "\"verb\":null"),
        ("\"verb\":\"create\"", "\"verb\":\"create\",\"verb\":\"get\""),
        ("\"verb\":\"create\"", "\"verb\":\"create\",\"more\":1"),
        ("\"verb\":\"create\"", "\"verb\":\"\\ud800\""),
        ("audit.k8s.io/v1", "audit.k8s.io/v1beta1"),
        ("\"code\":201", "\"code\":201.0"),
        ("\"code\":201", "\"code\":\"201\""),
        ("\"metadata\":{},\"code\":201", "\"metadata\":{}"),
        ("\"metadata\":{},", ""),
        ("325661Z", "325Z"),
        ("T20:37:37", "T20:37:60"),
        ("2026-11-21T20:37:37", "2026-13-21T20:37:37"),
        ("\"requestReceivedTimestamp\":\"2026-11-21T20:37:37.325661Z\",", ""),
        ("[1, -2.5e3,null]", "[1,]"),
        ("\"x\":[]", "\"x\":[],\"\\u0061uthentication.kubernetes.io/pod-name\":[\"p\"]"),
        ("\"x\":[]", "\"authentication.kubernetes.io/credential-id\":[\"JTI=2\"]"),
        ("\"k\":\"v\"}}", "\"k\":\"v\"}} "),
        ("\"k\":\"v\"}}", "\"k\":\"v\"}"),
        ("\"objectRef\":{\"resource\":\"pods\",\"namespace\":\"n\",\"apiVersion\":\"v1\"}", "\"objectRef\":{}"),
        ("\"k\":\"v\"", "\"k\":\"\u{1}\""),
        // As collectors leave it.
        ("\"verb\":\"create\"", "\"verb\":\"CREATE\""),
        ("\"level\":\"Request\"", "\"level\":\"info\""),
        ("\"level\":\"Request\"", "\"level\":\"request\""),
        ("{\"a\":[1, -2.5e3,null]}", "\"none\""),
        ("{\"a\":[1, -2.5e3,null]}", "\"{\\\"a\\\":1}\""),
        ("\"k\":\"v\"", "\"authorization_k8s_io/reason\":\"v\""),
        ("\"x\":[]", "\"authentication_kubernetes_io/pod-name\":[\"p\"]"),
        ("[\"JTI=1\"]", "\"JTI=1\""),
        ("\"allow\"", "[\"allow\"]"),
    ] {
        let line = LINE.replacen(from, to, 1);
        assert_ne!(line, LINE, "{from}");
        let (keyed, mut rows) = (Keyed::random(), Rows::new(line.len()));
        let mut canonical = Canonical::new(&keyed, line.len(), &origin(), &mut rows);
        assert_eq!(canonical.read(line.as_bytes(), 0, Position::START, &mut rows), None, "{to}");
        assert!(rows.is_empty());
    }
}

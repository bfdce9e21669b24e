//! What must not happen, whoever types or whatever stands in the log.

use std::fs;

use serde_json::json;

use crate::common::run;
use crate::house::House;

/// Statements that must not do what they ask for, as `tests/hostile/README.md` says.
const HOSTILE: &str = include_str!("../hostile/statements.sql");

#[test]
fn what_the_gate_refuses_is_refused_here() {
    let house = House::hardened();
    fs::create_dir(house.path("out")).unwrap();
    let data = house.files("case").into_iter().map(|(path, _)| path);
    let file = data.into_iter().find(|path| path.extension().is_some_and(|end| end == "parquet")).unwrap();
    let before = (house.files("case"), house.files("out"));
    let statements: Vec<String> = HOSTILE
        .split("\n====\n")
        .map(|statement| statement.trim_end().replace("{case}", house.path("case").to_str().unwrap()))
        .map(|statement| statement.replace("{out}", house.path("out").to_str().unwrap()))
        .map(|statement| statement.replace("{file}", file.to_str().unwrap()))
        .collect();
    let mut script = String::new();
    for (number, statement) in statements.iter().enumerate() {
        // A file for each: a quote that is never closed must not hide the next one.
        fs::write(house.path("here").join(format!("hostile-{number}.sql")), format!("{statement}\n;\n")).unwrap();
        script.push_str(&format!(".read hostile-{number}.sql\n"));
    }
    let ran = house.script(&["--keep-going"], &format!("{script}.mode jsonl\nSELECT 'goes on' AS session;\n"));
    assert_eq!(ran.code, Some(2));
    assert!(ran.stdout.ends_with("{\"session\":\"goes on\"}\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("root:x:0") && !ran.stderr.contains("root:x:0"));
    for (number, statement) in statements.iter().enumerate() {
        // Several statements that only read are no harm here: they are run one by one.
        let is_refused = ran.stderr.contains(&format!("of `hostile-{number}.sql`: "));
        assert!(is_refused || statement.contains(';'), "{statement}");
    }
    assert!(statements.len() > 150);
    assert!((house.files("case"), house.files("out")) == before);
    assert_eq!(run(&house.path("case"), &["verify"]).code, Some(0));
}

#[test]
fn values_from_the_log_can_neither_move_the_cursor_nor_become_sql() {
    let users = ["evil\x1b]0;pwned\x07\x1b[2J", "quote' OR '1'='1", "line\nend; .quit", "bidi\u{202e}nimda"];
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let events = users.iter().enumerate().map(|(number, user)| {
        let event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
            "auditID": format!("id-{number}"), "verb": "get", "requestURI": "/api/v1/namespaces/prod/secrets/db",
            "user": {"username": user}, "sourceIPs": ["10.0.0.1"], "userAgent": user,
            "objectRef": {"resource": "secrets", "namespace": "prod", "name": "db", "apiVersion": "v1"},
            "responseStatus": {"code": 200}, "requestReceivedTimestamp": "2026-11-21T20:00:00.000000Z",
            "stageTimestamp": "2026-11-21T20:00:00.000001Z",
        });
        format!("{event}\n")
    });
    fs::write(&log, events.collect::<String>()).unwrap();
    let house = House::with(&[log.to_str().unwrap().to_owned()]);
    let mut terminal = house.terminal();
    for (begin, in_sql, in_command) in [
        ("evil", "chr(27)", "\\u{1b}"),
        ("quote", "'quote'' OR ''1''=''1'", "\"quote' OR"),
        ("line", "chr(10)", "\\nend"),
        ("bidi", "chr(8238)", "\\u{202e}"),
    ] {
        terminal.type_in(&format!("SELECT 'found=' || count(*) AS n FROM requests WHERE user_name = '{begin}"));
        terminal.complete(in_sql);
        let shown = terminal.ask(";", "1 row");
        assert!(shown.contains("found=1"), "{begin}: {shown}");
        terminal.type_in(&format!(".pivot {begin}"));
        terminal.complete(in_command);
        terminal.ask("", "with mentions");
    }
    terminal.ask("SELECT user_name FROM requests ORDER BY audit_id;", "4 rows");
    terminal.ask("SELECT user_name::INTEGER FROM requests ORDER BY audit_id;", "error");
    terminal.ask(".run secret-reads", "4 rows");
    terminal.type_in("FROM requests WHERE user_name = '\t\t");
    terminal.drop_line();
    // Pasted from somewhere else: the terminal gets to see nothing of it.
    terminal.type_in("\x1b[200~SELECT 'x\x1b]0;pwned\x07y' AS pasted;\x1b[201~\r");
    terminal.until("1 row");
    let shown = terminal.leave();
    assert!(
        !shown.contains("\x1b]0;pwned") && !shown.contains('\u{202e}') && !shown.contains("\x07\x1b[2J"),
        "{shown:?}"
    );
}

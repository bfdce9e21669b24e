//! What stands on a terminal: colours of ours are obeyed there, and nothing else is.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{kforensic, repository, when_sized};
use expectrl::session::OsSession;
use expectrl::{Eof, Expect};

/// All that a command shows on a terminal.
fn shown(case: &Path, arguments: &[&str]) -> String {
    shown_in(case, arguments, (120, 40))
}

/// The same on a terminal of so many columns and lines.
fn shown_in(case: &Path, arguments: &[&str], (columns, lines): (u16, u16)) -> String {
    let mut command = kforensic();
    command.env("TERM", "xterm").arg("--case").arg(case).args(arguments);
    let mut session = OsSession::spawn(when_sized(&command, (columns, lines))).unwrap();
    session.get_process_mut().set_window_size(columns, lines).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(120)));
    let ended = session.expect(Eof).unwrap();
    String::from_utf8_lossy(ended.as_bytes()).into_owned()
}

#[test]
fn labels_and_screens_have_their_colours_and_show_no_escapes() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let logs = repository("sample-logs/hardened");
    // The screen of triage stands at the end of an ingest.
    let ingested = shown_in(&case, &["ingest", logs.to_str().unwrap()], (120, 200));
    assert!(
        ingested.contains("\x1b[1mWHO STANDS OUT\x1b[0m") && ingested.contains("\x1b[31mhigh    \x1b[0m"),
        "{ingested}"
    );
    assert!(!ingested.contains("\\x1b"), "{ingested}");
    let answered = shown(&case, &["query", "failed-auth"]);
    assert!(answered.contains("verdict\x1b[0m: seen at the level needed"), "{answered}");
    assert!(!answered.contains("\\x1b"), "{answered}");
}

#[test]
fn the_screen_at_the_end_of_an_ingest_does_not_scroll_away() {
    let folder = tempfile::tempdir().unwrap();
    let logs = repository("sample-logs/hardened");
    let ingested = shown_in(&folder.path().join("case"), &["ingest", logs.to_str().unwrap()], (100, 30));
    let lines: Vec<&str> = ingested.lines().collect();
    let screen = &lines[lines.len() - 29..];
    let has = |words: &str| screen.iter().any(|line| line.contains(words));
    assert!(has("WHO STANDS OUT") && has("WHAT HAPPENED") && has("bob"), "{ingested}");
    assert!(has("more lines: `kforensic triage`") && has("`kforensic query exec-credentials`"), "{ingested}");
}

#[test]
fn what_to_ask_next_is_about_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let logs = repository("sample-logs/hardened");
    shown(&case, &["ingest", "--quiet", logs.to_str().unwrap()]);
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let answer = shown_in(&case, &["query", "secret", "prod/db-credentials", "--limit", "1"], (300, 40));
    for next in ["secret-history prod/db-credentials`", "secret-values --namespace prod --name db-credentials`"] {
        assert!(flat(&answer).contains(&format!("`kforensic query {next} (")), "{next}: {answer}");
    }
    let answer = shown_in(&case, &["query", "actor", "bob", "--limit", "1"], (200, 40));
    assert!(flat(&answer).contains("`kforensic query timeline --user bob`"), "{answer}");
    let all = shown_in(&case, &["query", "failed-auth"], (200, 40));
    assert!(flat(&all).contains("`kforensic query enumeration` ("), "{all}");
}

#[test]
fn an_answer_takes_one_line_a_row_and_says_what_it_had_no_room_for() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let logs = repository("sample-logs/hardened");
    shown(&case, &["ingest", "--quiet", logs.to_str().unwrap()]);
    let answer = shown(&case, &["query", "secret-reads", "--user", "bob"]);
    let rows: Vec<&str> = answer.lines().filter(|line| line.contains("20:37:38")).collect();
    assert!(rows.len() >= 2 && rows.iter().all(|row| row.contains("bob") && row.contains("allowed")), "{answer}");
    assert!(answer.contains("no room for") && answer.contains("--wide"), "{answer}");
    assert!(!answer.contains("── 1 ──"), "{answer}");
    let cards = shown(&case, &["query", "secret-reads", "--user", "bob", "--limit", "1", "--vertical"]);
    assert!(cards.contains("── 1 ──") && cards.contains("decision_reason:"), "{cards}");
}

#[test]
fn an_account_of_an_address_names_who_goes_on_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (case, log) = (folder.path().join("case"), folder.path().join("audit.log"));
    let event = |number: u32, user: &str, address: &str| {
        format!(
            "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\"auditID\":\"{number}\",\
             \"stage\":\"ResponseComplete\",\"requestURI\":\"/api/v1/pods\",\"verb\":\"list\",\"user\":{{\"username\":\"{user}\"}},\
             \"sourceIPs\":[\"{address}\"],\"objectRef\":{{\"resource\":\"pods\"}},\"responseStatus\":{{\"code\":200}},\
             \"requestReceivedTimestamp\":\"2026-11-21T20:00:00.000000Z\",\"stageTimestamp\":\"2026-11-21T20:00:00.000000Z\"}}\n"
        )
    };
    let users = ["bob", "o'hara $(id)", "--all", "\\u001b[2Jeve"];
    let lines = users.iter().zip(0..).flat_map(|(user, at)| {
        ["10.0.0.1", "10.0.0.2"].iter().zip(0..).map(move |(address, nth)| event(2 * at + nth, user, address))
    });
    std::fs::write(&log, lines.collect::<String>()).unwrap();
    shown(&case, &["ingest", "--quiet", log.to_str().unwrap()]);
    let answer = shown(&case, &["query", "ip", "10.0.0.1"]);
    let answer = answer.replace("\r\n", " ");
    for words in [
        "`kforensic query actor bob` (1 request from elsewhere)",
        // One word for a shell, whatever it says.
        "`kforensic query actor 'o'\\''hara $(id)'` (1 request from elsewhere)",
        "`--all` (1 request from elsewhere)",
        "`\\x1b[2Jeve` (1 request from elsewhere)",
        "`kforensic query origins --source-ip 10.0.0.1`",
    ] {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(&answer).contains(&flat(words)), "{words}: {answer}");
    }
    assert!(!answer.contains("\x1b[2J"), "{answer}");
}

#[test]
fn what_a_client_chose_is_not_obeyed_on_the_screen_either() {
    let folder = tempfile::tempdir().unwrap();
    let (case, log) = (folder.path().join("case"), folder.path().join("audit.log"));
    let evil = "\\u001b[2Jbob\\u0007\\u202e\\u009b31m";
    let event = format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\"auditID\":\"a\",\"stage\":\"ResponseComplete\",\
         \"requestURI\":\"/api/v1/secrets\",\"verb\":\"list\",\"user\":{{\"username\":\"{evil}\",\"groups\":[\"{evil}\"]}},\
         \"sourceIPs\":[\"{evil}\"],\"userAgent\":\"{evil}\",\"objectRef\":{{\"resource\":\"secrets\",\"namespace\":\"{evil}\",\"name\":\"{evil}\"}},\
         \"responseStatus\":{{\"code\":200}},\"requestReceivedTimestamp\":\"2026-11-21T20:00:00.000000Z\",\
         \"stageTimestamp\":\"2026-11-21T20:00:00.000000Z\"}}\n"
    );
    std::fs::write(&log, event).unwrap();
    for arguments in [&["ingest", log.to_str().unwrap()][..], &["triage"], &["query", "secret-reads"]] {
        let shown = shown(&case, arguments);
        assert!(shown.contains("\\x1b[2Jbob"), "{arguments:?}: {shown}");
        assert!(
            !shown.contains("\x1b[2J") && !shown.contains(['\x07', '\u{202e}', '\u{9b}']),
            "{arguments:?}: {shown}"
        );
    }
}

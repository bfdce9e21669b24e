//! Statements and their answers, one after the other.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::common::{kforensic, run};
use crate::house::House;
use crate::terminal::READS;

#[test]
fn what_an_answer_leaves_out_is_counted_here_as_well() {
    let house = House::hardened();
    let trusted = "[[trusted]]\nquery = \"secret-reads\"\nuser = \"bob\"\nreason = \"drill\"\nauthor = \"anna\"\n\
                   until = \"2099-01-01\"\n";
    fs::write(house.path("case/trusted.toml"), trusted).unwrap();
    let rows = |arguments: &[&str]| {
        let mut command = kforensic();
        command.arg("--case").arg(house.path("case")).args(["query", "--format", "jsonl"]).args(arguments);
        command.output().unwrap().stdout.iter().filter(|byte| **byte == b'\n').count()
    };
    let own = rows(&["secrets-listed", "-p", "own=true"]) - rows(&["secrets-listed"]);
    let of_bob = rows(&["secret-reads", "--show-trusted"]) - rows(&["secret-reads"]);
    assert!(own > 0 && of_bob > 0, "{own} {of_bob}");
    let mut terminal = house.terminal();
    let shown = terminal.ask(".run secrets-listed --limit 1", "own work");
    assert!(shown.contains(&format!("{own} rows of the cluster's own work")), "{shown}");
    let shown = terminal.ask(".run secret-reads --limit 1", "trusted by entry 1");
    // The prompt shows them, and says so.
    assert!(shown.contains(&format!("{of_bob} rows of these trusted by entry 1")), "{shown}");
    terminal.leave();
}

#[test]
fn ctrl_c_stops_a_statement_and_the_session_goes_on() {
    let house = House::hardened();
    let mut terminal = house.terminal();
    terminal.ask("SELECT 'kept' AS word;", "1 row");
    terminal.type_in(
        "SELECT count(*) FROM events a, events b, events c WHERE a.line_number + b.line_number > c.line_number * 7;\r",
    );
    terminal.until("Ctrl-C stops it");
    terminal.type_in("\x03");
    terminal.until("interrupted");
    terminal.until(READS);
    // What was kept before is still there, and the session answers.
    let shown = terminal.ask("SELECT word || '!' FROM last;", "1 row");
    assert!(shown.contains("kept!"), "{shown}");
    // At the prompt it drops the line.
    terminal.type_in("SELECT nonsense");
    terminal.drop_line();
    let shown = terminal.ask("SELECT 40 + 2 AS n;", "1 row");
    assert!(shown.contains("42"), "{shown}");
    terminal.leave();
    let statements = house.journal();
    let error = |entry: &Value| entry["error"].as_str().map(str::to_owned);
    assert_eq!(statements.iter().filter_map(error).collect::<Vec<_>>(), ["interrupted"]);
}

#[test]
fn answers_chain_and_what_is_written_is_the_owners_alone() {
    let house = House::hardened();
    let before = house.files("case");
    let mut terminal = house.terminal();
    terminal.ask(".user mallory", "");
    terminal.until("[user=mallory] kforensic> ");
    terminal.ask(".run secret-reads --outcome denied", "; all times; ");
    terminal.ask(".clear", "");
    let shown = terminal.ask("SELECT DISTINCT 'asker=' || user_name AS who FROM last;", "1 row");
    assert!(shown.contains("asker=mallory"), "{shown}");
    let shown = terminal.ask("SELECT count(*) > 0 AS some FROM last2;", "1 row");
    assert!(shown.contains("true"), "{shown}");
    terminal.ask(".note looked at mallory", "");
    let shown = terminal.ask(".pivot 127.0.31.9", "with mentions");
    for word in ["requests", "auth_failures", "FROM requests WHERE"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    terminal.ask("SELECT \"rows\" FROM last WHERE \"view\" = 'requests';", "1 row");
    let shown = terminal.ask("SELECT user_nme FROM requests;", "`user_name`");
    assert!(shown.contains("SELECT user_nme FROM requests") && shown.contains("^"), "{shown}");
    terminal.leave();

    let journal = house.journal();
    let statements: Vec<&str> = journal.iter().filter_map(|entry| entry["statement"].as_str()).collect();
    assert_eq!(statements[0], ".run secret-reads --user=mallory --outcome denied");
    assert_eq!(statements[3], ".pivot 127.0.31.9");
    let note = journal.iter().find_map(|entry| entry["note"].as_str());
    assert_eq!(note, Some("looked at mallory"));
    let status = run(&house.path("case"), &["status", "--format", "json"]).json();
    assert_eq!(journal[0]["fingerprint"], status["fingerprint"]);
    assert!(journal[1]["rows"].as_u64().unwrap() > 0 && journal[1]["version"] == status["version"]);

    let state = house.path("home/.local/state/kforensic");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    let files = house.files("home");
    assert_eq!(files.len(), 2, "history and journal: {files:?}");
    assert!(files.iter().all(|(path, _)| mode(path) == 0o600 && path.starts_with(&state)));
    assert!(house.files("case") == before && house.files("here").is_empty());
    assert_eq!(fs::read_dir(house.path("tmp")).unwrap().count(), 0);
}

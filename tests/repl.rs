//! `kforensic repl`: at a terminal and from scripts.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Ran, ingest, kforensic, logs, run, when_sized};
use expectrl::session::OsSession;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Statements that must not do what they ask for, as `tests/hostile/README.md` says.
const HOSTILE: &str = include_str!("hostile/statements.sql");

/// What the editor sends when it begins to read a line: the terminal shall mark what is pasted.
const READS: &str = "\x1b[?2004h";

/// Longest that anything may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A case with folders of its own for all that a session may write.
struct House {
    folder: TempDir,
}

impl House {
    /// A house with the logs of a capture.
    fn with(logs: &[String]) -> Self {
        let house = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["here", "home", "tmp"] {
            fs::create_dir(house.path(name)).unwrap();
        }
        ingest(&house.path("case"), logs);
        house
    }

    fn hardened() -> Self {
        Self::with(&logs("sample-logs/hardened"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        // Not the command of other tests, whose standard input is taken away: a terminal takes its place.
        let mut command = Command::new(kforensic().get_program());
        command
            .env_remove("KFORENSIC_CASE")
            .arg("--case")
            .arg(self.path("case"))
            .arg("repl")
            .current_dir(self.path("here"));
        command
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("TERM", "xterm")
            .env("NO_COLOR", "1");
        for variable in
            ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "PAGER", "VISUAL", "EDITOR", "KFORENSIC_QUERIES", "LINES", "COLUMNS"]
        {
            command.env_remove(variable);
        }
        command
    }

    /// Runs a script.
    fn script(&self, arguments: &[&str], script: &str) -> Ran {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// Sits down at a terminal.
    fn terminal(&self) -> Terminal {
        Terminal::start(&self.command())
    }

    /// Paths and contents of all files below a folder.
    fn files(&self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = walkdir::WalkDir::new(self.path(name)).sort_by_file_name().into_iter().map(Result::unwrap);
        // What is remembered of checks is no trace of what was asked.
        let files =
            entries.filter(|entry| entry.file_type().is_file() && !entry.path().starts_with(self.path("home/.cache")));
        files.map(|entry| (entry.path().to_owned(), fs::read(entry.path()).unwrap())).collect()
    }

    /// The entries of all journals.
    fn journal(&self) -> Vec<Value> {
        let journals =
            self.files("home").into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "jsonl"));
        let text: String = journals.map(|(_, content)| String::from_utf8(content).unwrap()).collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A terminal in which a session runs. Nothing waits for longer than [`PATIENCE`].
struct Terminal {
    session: OsSession,
    /// All that was shown.
    shown: String,
    /// What was looked at already.
    read: usize,
    raw: Vec<u8>,
}

impl Terminal {
    fn start(command: &Command) -> Self {
        let mut session = OsSession::spawn(when_sized(command, (120, 40))).unwrap();
        session.get_process_mut().set_window_size(120, 40).unwrap();
        let mut terminal = Self { session, shown: String::new(), read: 0, raw: Vec::new() };
        terminal.until(READS);
        terminal.until("kforensic> ");
        terminal
    }

    fn type_in(&mut self, text: &str) {
        self.session.get_stream_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Types a line and waits for what follows; gives what was shown up to there.
    fn line(&mut self, line: &str, wanted: &str) -> String {
        self.type_in(&format!("{line}\r"));
        self.until(wanted)
    }

    /// Types a line, waits for what follows and for the next prompt; gives what was shown in between.
    fn ask(&mut self, line: &str, wanted: &str) -> String {
        let shown = self.line(line, wanted);
        self.until(READS);
        shown
    }

    /// Drops the line with Ctrl-C.
    fn drop_line(&mut self) {
        self.type_in("\x03");
        self.until(READS);
    }

    /// Takes what is shown now.
    fn look(&mut self) {
        let mut bytes = [0; 4096];
        loop {
            match self.session.try_read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => self.raw.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Linux says so when the program at the other end is gone.
                Err(_) => break,
            }
        }
        self.shown = String::from_utf8_lossy(&self.raw).into_owned();
    }

    /// Waits until `wanted` is shown behind what was looked at before.
    fn until(&mut self, wanted: &str) -> String {
        match self.within(PATIENCE, wanted) {
            Some(shown) => shown,
            None => panic!("`{wanted}` was not shown: {}", self.shown[self.read..].escape_debug()),
        }
    }

    fn within(&mut self, patience: Duration, wanted: &str) -> Option<String> {
        let deadline = Instant::now() + patience;
        loop {
            self.look();
            if let Some(at) = self.shown[self.read..].find(wanted) {
                let end = self.read + at + wanted.len();
                let shown = self.shown[self.read..end].to_owned();
                self.read = end;
                return Some(shown);
            }
            if Instant::now() > deadline {
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses Tab until `wanted` is there: values are read in the background.
    fn complete(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.type_in("\t");
            if let Some(shown) = self.within(Duration::from_millis(300), wanted) {
                return shown;
            }
        }
        panic!("`{wanted}` was not completed: {}", self.shown[self.read..].escape_debug());
    }

    /// Leaves with Ctrl-D, and waits until the program has ended.
    fn leave(mut self) -> String {
        self.type_in("\x04");
        let deadline = Instant::now() + PATIENCE;
        while self.session.get_process().is_alive().unwrap_or(false) {
            assert!(Instant::now() < deadline, "Ctrl-D does not leave: {}", self.shown.escape_debug());
            self.look();
            thread::sleep(Duration::from_millis(20));
        }
        self.look();
        self.shown
    }
}

#[test]
fn a_value_of_the_case_is_completed() {
    let house = House::hardened();
    let mut terminal = house.terminal();
    terminal.type_in("SELECT 'rows: ' || count(*) AS n FROM requests WHERE user_name = 'mall");
    terminal.complete("'mallory'");
    let shown = terminal.ask(";", "1 row");
    assert!(shown.contains("rows: ") && !shown.contains("error"), "{shown}");
    // Columns of the view that is named behind the cursor, and options of a canned query.
    terminal.type_in("SELECT DISTINCT outc");
    terminal.complete("outcome");
    terminal.ask(" FROM requests;", "rows");
    terminal.type_in(".run secret-r");
    terminal.complete("secret-reads");
    terminal.ask(" --outcome denied --limit 1", "");
    terminal.leave();
}

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
fn a_statement_goes_over_several_lines() {
    let house = House::hardened();
    let mut terminal = house.terminal();
    terminal.line("SELECT 'semi;colon' AS a,", "a,");
    terminal.line("  6 * 7 AS b -- not yet;", "yet;");
    let shown = terminal.ask("FROM (VALUES (1));", "1 row");
    assert!(shown.contains("42"), "{shown}");
    // A command below a statement that lacks its semicolon does not vanish in it; the statement is there to be ended.
    terminal.line("SELECT 6 * 8 AS n", "AS n");
    terminal.ask(".views", "a `;` is missing");
    let shown = terminal.ask(";", "1 row");
    assert!(shown.contains("48"), "{shown}");
    terminal.leave();
}

#[test]
fn a_second_prompt_stands_in_front_of_each_line_but_the_first() {
    const MARGIN: &str = "   ...> ";
    let house = House::hardened();
    let mut terminal = house.terminal();
    terminal.line("SELECT 6 * 7 AS n,", "n,");
    terminal.until(MARGIN);
    // What is quoted is what was typed: nothing comes between its lines.
    terminal.line("'a", "'a");
    terminal.type_in("b' AS t -- no;\r");
    terminal.until(MARGIN);
    let shown = terminal.ask("FROM (VALUES (1)) AS v(x) WHERE length(t) = 3;", "1 row");
    assert!(shown.contains("42"), "{shown}");
    // It comes back from the history as it was typed, and can be edited in all of its lines.
    terminal.type_in("\x1b[A");
    terminal.until("n,");
    terminal.until(MARGIN);
    terminal.until(MARGIN);
    terminal.type_in("\x1b[A\x1b[A\x1b[A\x1b[F 8 AS m,\x1b[F");
    terminal.until("8 AS m,");
    // The end of the first line; the end of the statement is below, so that Enter runs it.
    let shown = terminal.ask("", "1 row");
    assert!(shown.contains("42") && shown.contains('8'), "{shown}");
    // A line is taken back with the margin in front of it, and Home stops at the margin.
    terminal.line("SELECT 1 +", "1 +");
    terminal.until(MARGIN);
    terminal.type_in("\x7f");
    terminal.until("1 +");
    let shown = terminal.ask(" 41;", "1 row");
    assert!(shown.contains("42") && !shown.contains(MARGIN), "{shown}");
    terminal.line("SELECT", "SELECT");
    terminal.until(MARGIN);
    terminal.type_in("2;\x1b[H4");
    let shown = terminal.ask("", "1 row");
    assert!(shown.contains("   ...> 42;"), "{shown}");
    // A paste over several lines, and one that is dropped.
    terminal.type_in("\x1b[200~SELECT 40 +\n  2 AS sum\x1b[201~\r");
    terminal.until(MARGIN);
    let shown = terminal.ask(";", "1 row");
    assert!(shown.contains("42"), "{shown}");
    terminal.line("SELECT 'dropped',", "dropped");
    terminal.until(MARGIN);
    terminal.drop_line();
    let shown = terminal.ask(".history 9", "40 +");
    assert!(!shown.contains('\t'), "{shown:?}");
    terminal.leave();
    let journal = house.journal();
    let statements: Vec<&str> = journal.iter().filter_map(|entry| entry["statement"].as_str()).collect();
    assert_eq!(statements[0], "SELECT 6 * 7 AS n,\n'a\nb' AS t -- no;\nFROM (VALUES (1)) AS v(x) WHERE length(t) = 3;");
    assert_eq!(statements[1].lines().next(), Some("SELECT 6 * 7 AS n, 8 AS m,"));
    assert_eq!(statements[2..4], ["SELECT 1 + 41;", "SELECT\n42;"]);
    assert_eq!(statements[4], "SELECT 40 +\n  2 AS sum\n;");
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

#[test]
fn long_answers_go_through_a_pager() {
    let house = House::hardened();
    // Where no program can be found there is one that is built in, which goes back and searches as well.
    let mut command = house.command();
    command.env("PATH", "/nonexistent").env_remove("PAGER");
    let mut terminal = Terminal::start(&command);
    let shown = terminal.line("SELECT line_number FROM events ORDER BY line_number LIMIT 500;", "q: leave");
    assert!(!shown.contains("500 rows"), "{shown}");
    terminal.type_in(" ");
    terminal.until("q: leave");
    terminal.type_in("q");
    terminal.until("500 rows");
    terminal.until(READS);
    // Leaving it early loses nothing.
    let shown = terminal.ask("SELECT 'rows=' || count(*) AS n FROM last;", "1 row");
    assert!(shown.contains("rows=500"), "{shown}");
    terminal.leave();

    // A pager of the user's own.
    let mut command = house.command();
    command.env("PAGER", "grep -c . ; echo own pager");
    let mut terminal = Terminal::start(&command);
    terminal.line("SELECT line_number FROM events ORDER BY line_number LIMIT 500;", "502");
    terminal.until("own pager");
    terminal.until(READS);
    terminal.leave();
}

#[test]
fn a_statement_can_be_edited_and_saved_as_a_query() {
    let house = House::hardened();
    let editor = house.path("editor.sh");
    fs::write(&editor, "#!/bin/sh\nsed -i 's/verb/outcome/' \"$1\"\n").unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = house.command();
    command.env("EDITOR", &editor);
    let mut terminal = Terminal::start(&command);
    terminal.ask("SELECT DISTINCT verb FROM requests ORDER BY verb;", "rows");
    terminal.line(".edit", "SELECT DISTINCT outcome FROM requests ORDER BY verb;");
    terminal.drop_line();
    terminal.ask("SELECT DISTINCT outcome FROM requests;", "rows");
    terminal.ask(".save my-outcomes", "its header can be filled in");
    terminal.type_in(".run my-out");
    terminal.complete("my-outcomes");
    terminal.ask("", "rows");
    terminal.ask("FROM last;", "rows");
    terminal.ask(".save other", "is gone when this session ends");
    terminal.leave();
    assert_eq!(house.files("home/.config").len(), 1);
}

#[test]
fn words_of_other_prompts_do_here_what_they_do_there() {
    let house = House::hardened();
    let ran = house
        .script(&[], "help\n.tables\n\\d secret_access\n.schema requests\n.run actor bob --limit 1\nexit\nnonsense;\n");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    for told in [".run NAME", "secret_access", "handed_out", "user_name", "requests", "user_agent"] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
    for leave in ["quit;", "\\q", "EXIT"] {
        let ran = house.script(&[], &format!("{leave}\nnonsense;\n"));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{leave}");
    }
}

#[test]
fn a_script_says_only_data_and_stops_at_the_first_error() {
    let house = House::hardened();
    let script = "-- a comment\n.mode jsonl\nSELECT 1 AS a;\n\nSELECT a + 1 AS b\nFROM last; SELECT b FROM last;\n";
    let ran = house.script(&[], script);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(ran.stdout, "{\"a\":1}\n{\"b\":2}\n{\"b\":2}\n");

    let script = "SELECT 1 AS a;\nSELECT\n  nonsense;\nSELECT 2 AS b;\n.mode xml\nSELECT 3 AS c;\n";
    let ran = house.script(&[], script);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.starts_with("error: line 2: ") && ran.stderr.contains("nonsense"), "{}", ran.stderr);
    assert!(!ran.stdout.contains('b'), "{}", ran.stdout);
    let ran = house.script(&["--keep-going"], script);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("line 2: ") && ran.stderr.contains("line 5: `xml` is none of `table`"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains('b') && ran.stdout.contains('c') && !ran.stdout.contains('\x1b'), "{}", ran.stdout);

    let ran = house.script(&[], "SELECT 1");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("line 1: the statement does not end"), "{}", ran.stderr);
    // A script leaves no history and no journal behind.
    assert!(house.files("home").is_empty() && house.files("here").is_empty());
}

#[test]
fn files_are_written_where_they_are_asked_for_and_never_into_the_case() {
    let house = House::hardened();
    let before = house.files("case");
    let script = ".once one.csv\nSELECT 1 AS a;\n.output all.jsonl\nSELECT 2 AS b;\nSELECT 3 AS c;\n.output\n\
                  .note it's `done`\n.journal -o notes.md\nSELECT 4 AS d;\n";
    let ran = house.script(&[], script);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let text = |name: &str| fs::read_to_string(house.path("here").join(name)).unwrap();
    assert_eq!(text("one.csv"), "a\n1\n");
    assert_eq!(text("all.jsonl"), "{\"b\":2}\n{\"c\":3}\n");
    let notes = text("notes.md");
    assert!(notes.contains("```sql\nSELECT 2 AS b;\n```\n") && notes.contains("it's `done`"), "{notes}");
    assert!(ran.stdout.contains('4') && !ran.stdout.contains('2'));

    for command in [".once", ".output", ".journal -o"] {
        let into_case = format!("{command} {}\nSELECT 1;\n", house.path("case/events/x.csv").display());
        let ran = house.script(&[], &into_case);
        assert_eq!(ran.code, Some(2), "{command}");
        assert!(ran.stderr.contains("lies in the case"), "{}", ran.stderr);
    }
    let ran = house.script(&[], &format!(".run secret-reads -o {}\n", house.path("case/x.csv").display()));
    assert_eq!(ran.code, Some(2));
    // Nor do history and journal, whatever the environment says.
    let mut command = house.command();
    command.env("XDG_STATE_HOME", house.path("case/state"));
    let mut terminal = Terminal::start(&command);
    assert!(terminal.shown.contains("lies in the case, and nothing but evidence belongs there"), "{}", terminal.shown);
    terminal.ask("SELECT 1 AS a;", "1 row");
    terminal.leave();
    assert!(house.files("case") == before);
}

#[test]
fn a_file_that_is_read_may_ask_but_not_touch_files() {
    let house = House::hardened();
    let file = |text: &str| fs::write(house.path("here/asked.sql"), text).unwrap();
    file(".mode jsonl\nSELECT 1 AS a;\n.run secret-reads --limit 1\n");
    let ran = house.script(&[], ".read asked.sql\nSELECT count(*) AS n FROM last;\n");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.starts_with("{\"a\":1}\n{\"event_time\"") && ran.stdout.contains("{\"n\":130}"),
        "{}",
        ran.stdout
    );
    for line in [
        ".read other.sql",
        ".once out.csv",
        ".output out.csv",
        ".journal -o out.md",
        ".save out",
        ".open .",
        ".edit",
        ".run secret-reads -o out.csv",
        "COPY (SELECT 1) TO 'out.csv';",
        "CREATE OR REPLACE TEMP TABLE last AS SELECT 1;",
    ] {
        file(&format!("SELECT 1;\n{line}\n"));
        let ran = house.script(&[], ".read asked.sql\n");
        assert_eq!(ran.code, Some(2), "{line}");
        assert!(
            ran.stderr.contains("line 2 of `asked.sql`") && ran.stderr.contains("refused"),
            "{line}: {}",
            ran.stderr
        );
    }
    assert_eq!(house.files("here").len(), 1);
}

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

#[test]
fn without_a_command_the_prompt_comes_where_there_is_a_case() {
    let house = House::hardened();
    let mut command = Command::new(kforensic().get_program());
    command.current_dir(house.path("here")).env("HOME", house.path("home")).env("TERM", "xterm").env("NO_COLOR", "1");
    command.env_remove("XDG_STATE_HOME").env("KFORENSIC_CASE", house.path("case"));
    Terminal::start(&command).leave();
    // Elsewhere it is a usage error, as before.
    let ran: Ran = kforensic().output().unwrap().into();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("Usage: kforensic"), "{}", ran.stderr);
}

//! Lines as they are typed: completion, lines of a statement, and what stands in front of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::common::{Ran, kforensic};
use crate::house::House;
use crate::terminal::Terminal;

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
    // What begins no statement is no beginning of one, and is told what it is elsewhere.
    terminal.ask("secret prod/db", "`.run secret prod/db` asks the canned query");
    // Who does not know that a statement ends in `;` gets out as he would elsewhere.
    terminal.line("SELECT 6 * 9 AS n", "AS n");
    terminal.leave_by("quit\r");
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
